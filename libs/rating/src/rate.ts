import { ROAD_CLASSES, type Charge, type ChargeReport, type RatedVehicle } from '#contracts'
import {
  invariant,
  KILOMETRE_MM,
  MILE_MM,
  millimetres,
  NO_MONEY,
  priceOf,
  type Instant,
  type Micros,
  type PolicyId,
} from '#kernel'
import { dayText } from '#policy'
import { ROAD_CLASS_NUMBER, type CompiledPolicy } from './compile'

/** The line of driving at a moment when no policy was in force. */
export const NO_POLICY = { policy: '' as PolicyId, rule: 'none', freeReason: 'no policy in force' } as const

const DAY_MS = 86_400_000

/** What one charge adds up, in integers; its price is taken once, at the end. */
interface Line {
  readonly policy: CompiledPolicy | null
  readonly rule: number
  readonly roadClass: number
  readonly zones: readonly string[]
  readonly day: number
  distanceMm: number
  inferredMm: number
  fixes: number
}

/**
 * Prices a trip: each stretch by the policy in force when it was entered and by that policy's first rule that matches, then
 * one charge per (policy, rule, road class, zones, local day), rounded half to even once. Free stretches are lines too.
 *
 * `policyAt` must give the same object for the same policy. A stretch without policy becomes a free line (NO_POLICY) on its
 * UTC day. Lines come sorted by day, policy, order of the rules, road class and zones: equal input gives equal bytes.
 */
export function rate(
  report: ChargeReport,
  vehicle: RatedVehicle,
  policyAt: (at: Instant) => CompiledPolicy | null,
): Charge[] {
  invariant(report.vehicle === vehicle.vehicle, `trip ${report.trip} is not of vehicle ${vehicle.vehicle}`)
  const linesOf = new Map<PolicyId, { policy: CompiledPolicy | null; lines: Map<number | string, Line> }>()
  const lines: Line[] = []

  for (const stretch of report.stretches) {
    const at = stretch.enteredAt
    const policy = policyAt(at)
    const id = policy ? policy.id : NO_POLICY.policy
    let own = linesOf.get(id)
    if (!own) linesOf.set(id, (own = { policy, lines: new Map() }))
    invariant(own.policy === policy, `two policies have the id "${id}"`)

    const roadClass = ROAD_CLASS_NUMBER[stretch.roadClass]
    const day = policy ? policy.clock.dayNumber(at) : Math.floor(at / DAY_MS)
    let rule = 0
    let key: number | string
    if (policy) {
      const zoneSet = policy.zoneSet(stretch.zones)
      rule = policy.ruleOf(vehicle.vehicleClass, stretch.roadClass, stretch.access, zoneSet, at)
      // Below 2^53: 4e4 days x 500 rules x 12 classes x 65,536 zone sets.
      key = ((day * policy.rules.length + rule) * ROAD_CLASSES.length + roadClass) * 65_536 + zoneSet
    } else key = `${day} ${roadClass} ${stretch.zones.join(' ')}`

    let line = own.lines.get(key)
    if (!line) {
      line = { policy, rule, roadClass, zones: stretch.zones, day, distanceMm: 0, inferredMm: 0, fixes: 0 }
      own.lines.set(key, line)
      lines.push(line)
    }
    const mm = stretch.toMm - stretch.fromMm
    invariant(mm >= 0, `a stretch of trip ${report.trip} on ${stretch.segment} runs backwards`)
    line.distanceMm += mm
    if (stretch.inferred) line.inferredMm += mm
    line.fixes += stretch.fixes
  }

  const charges = lines.sort(inOrder).map((line) => chargeOf(line, report))
  const sum = (of: (charge: Charge) => number) => charges.reduce((total, charge) => total + of(charge), 0)
  const mm = sum((charge) => charge.distanceMm)
  invariant(mm === report.matchedMm, `trip ${report.trip}: lines of ${mm} mm for ${report.matchedMm} mm matched`)
  const fixes = sum((charge) => charge.fixes)
  invariant(
    fixes === report.fixes.matched,
    `trip ${report.trip}: lines of ${fixes} fixes for ${report.fixes.matched} matched`,
  )
  return charges
}

function chargeOf(line: Line, report: ChargeReport): Charge {
  const rule = line.policy?.rules[line.rule]
  const distanceMm = millimetres(line.distanceMm)
  const rate = rule?.rate ?? null
  const amount: Micros = rate
    ? priceOf(distanceMm, rate.micros, rate.per === 'mile' ? MILE_MM : KILOMETRE_MM)
    : NO_MONEY
  return {
    trip: report.trip,
    policy: line.policy?.id ?? NO_POLICY.policy,
    rule: rule?.id ?? NO_POLICY.rule,
    roadClass: ROAD_CLASSES[line.roadClass],
    zones: line.zones,
    day: dayText(line.day),
    distanceMm,
    inferredMm: millimetres(line.inferredMm),
    fixes: line.fixes,
    rate,
    freeReason: rule ? rule.freeReason : NO_POLICY.freeReason,
    amount,
  }
}

function inOrder(a: Line, b: Line): number {
  return (
    a.day - b.day ||
    byText(a.policy?.id ?? '', b.policy?.id ?? '') ||
    a.rule - b.rule ||
    a.roadClass - b.roadClass ||
    byText(a.zones.join(' '), b.zones.join(' '))
  )
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
