import { ROAD_CLASSES, type Charge, type ChargeReport, type Rate, type RatedVehicle } from '#contracts'
import {
  invariant,
  KILOMETRE_MM,
  micros,
  MILE_MM,
  NO_MONEY,
  priceOf,
  type Instant,
  type Millimetres,
  type PolicyId,
} from '#kernel'
import { dayText } from '#policy'
import { NO_RULE, ROAD_CLASS_NUMBER, type CompiledPolicy } from './compile'
import { Lines } from './lines'
import { ZoneSets } from './zone-sets'

/** The line of driving at a moment when no policy was in force. */
export const NO_POLICY = { policy: '' as PolicyId, rule: 'none', freeReason: 'no policy in force' } as const

const DAY_MS = 86_400_000

/** Kept from trip to trip: `rate` ends what it begins. */
const scratch = new Lines()

/**
 * Prices a trip: each stretch by the policy in force when it was entered and by that policy's first rule of distance that
 * matches, each crossing into or out of zones by the first rule of entries, the trip by the first rule of trips that any
 * stretch matches. One charge per (policy, rule, road class, zones, local day), rounded half to even once. Free stretches
 * are lines too.
 *
 * `policyAt` must give the same object for the same policy. A stretch without policy becomes a free line (NO_POLICY) on its
 * UTC day. Stretches come as they were driven. Lines come sorted by day, policy, order of the rules, road class and zones:
 * equal input gives equal bytes.
 */
export function rate(
  report: ChargeReport,
  vehicle: RatedVehicle,
  policyAt: (at: Instant) => CompiledPolicy | null,
): Charge[] {
  invariant(report.vehicle === vehicle.vehicle, `trip ${report.trip} is not of vehicle ${vehicle.vehicle}`)
  const lines = scratch
  lines.clear()
  const policies: (CompiledPolicy | null)[] = []
  let policyNumber = -1
  let policy: CompiledPolicy | null = null
  let noZones: ZoneSets | null = null
  let lastSet = 0
  let tripRules: TripRule[] | null = null

  const { stretches } = report
  for (let i = 0; i < stretches.length; i++) {
    const stretch = stretches[i]
    const at = stretch.enteredAt
    const inForce = policyAt(at)
    let crossed = true
    if (policyNumber < 0 || inForce !== policy) {
      policyNumber = policies.indexOf(inForce)
      if (policyNumber < 0) policyNumber = added(policies, inForce)
      policy = inForce
      policy?.turnTo(vehicle)
      crossed = false
    }
    const mm = stretch.toMm - stretch.fromMm
    if (mm < 0) invariant(false, `a stretch of trip ${report.trip} on ${stretch.segment} runs backwards`)
    if (!policy) {
      const set = (noZones ??= new ZoneSets()).numberOf(stretch.zones)
      const line = lines.lineOf(policyNumber, Math.floor(at / DAY_MS), 0, ROAD_CLASS_NUMBER[stretch.roadClass], set)
      lines.drive(line, mm, stretch.inferred, stretch.fixes)
      continue
    }
    policy.look(at, stretch.roadClass, stretch.access)
    const set = policy.zoneSets.numberOf(stretch.zones)
    const { roadClass } = policy
    const line = lines.lineOf(policyNumber, policy.day, policy.ruleOf(set), roadClass, set)
    lines.drive(line, mm, stretch.inferred, stretch.fixes)
    if (policy.hasEvents) {
      const entry = crossed ? policy.entryRuleOf(lastSet, set) : NO_RULE
      if (entry !== NO_RULE) lines.count(lines.lineOf(policyNumber, policy.day, entry, roadClass, set))
      const rule = policy.tripRuleOf(set)
      if (rule !== NO_RULE) {
        const known = (tripRules ??= [])[policyNumber]
        if (!known || rule < known.rule) tripRules[policyNumber] = { rule, day: policy.day, roadClass, set }
      }
    }
    lastSet = set
  }
  tripRules?.forEach(({ rule, day, roadClass, set }, number) =>
    lines.count(lines.lineOf(number, day, rule, roadClass, set)),
  )

  const charges: Charge[] = []
  let totalMm = 0
  let fixes = 0
  for (let line = 0; line < lines.size; line++) {
    totalMm += lines.distanceMm[line]
    fixes += lines.fixes[line]
    charges.push(chargeOf(line, policies[lines.policy[line]], noZones, report))
  }
  if (totalMm !== report.matchedMm)
    invariant(false, `trip ${report.trip}: lines of ${totalMm} mm for ${report.matchedMm} mm matched`)
  if (fixes !== report.fixes.matched)
    invariant(false, `trip ${report.trip}: lines of ${fixes} fixes for ${report.fixes.matched} matched`)
  if (charges.length < 2) return charges
  return inOrder(charges, lines, policies)
}

/** The rule of trips that came first so far, and where it was met. */
interface TripRule {
  readonly rule: number
  readonly day: number
  readonly roadClass: number
  readonly set: number
}

function added(policies: (CompiledPolicy | null)[], policy: CompiledPolicy | null): number {
  const id = policy ? policy.id : NO_POLICY.policy
  invariant(
    policies.every((other) => (other ? other.id : NO_POLICY.policy) !== id),
    `two policies have the id "${id}"`,
  )
  return policies.push(policy) - 1
}

function chargeOf(line: number, policy: CompiledPolicy | null, noZones: ZoneSets | null, report: ChargeReport): Charge {
  const rule = policy ? policy.rules[scratch.rule[line]] : null
  const distanceMm = scratch.distanceMm[line] as Millimetres
  const rate = rule ? rule.rate : null
  const charge = {
    trip: report.trip,
    policy: policy ? policy.id : NO_POLICY.policy,
    rule: rule ? rule.id : NO_POLICY.rule,
    roadClass: ROAD_CLASSES[scratch.roadClass[line]],
    zones: (policy ? policy.zoneSets : noZones!).zonesOf(scratch.zoneSet[line]),
    day: dayName(scratch.day[line]),
    distanceMm,
    inferredMm: scratch.inferredMm[line] as Millimetres,
    fixes: scratch.fixes[line],
    rate,
    freeReason: rule ? rule.freeReason : NO_POLICY.freeReason,
    amount: NO_MONEY,
  }
  if (!rate) return charge
  const { count, amount } = chargedFor(distanceMm, scratch.counts[line], rate)
  charge.amount = amount
  return count === undefined ? charge : { ...charge, count }
}

/** What a rate makes of a distance, or of the `count` of its events: rounded once, half to even. */
export function chargedFor(
  distanceMm: Millimetres,
  count: number | undefined,
  rate: Rate | null,
): Pick<Charge, 'count' | 'amount'> {
  if (!rate) return { amount: NO_MONEY }
  if (rate.per === 'mile' || rate.per === 'km')
    return { amount: priceOf(distanceMm, rate.micros, rate.per === 'mile' ? MILE_MM : KILOMETRE_MM) }
  const events = count ?? 0
  return { count: events, amount: micros(rate.micros * BigInt(events)) }
}

function inOrder(charges: readonly Charge[], lines: Lines, policies: readonly (CompiledPolicy | null)[]): Charge[] {
  const order = charges.map((_, line) => line)
  const several = policies.length > 1
  order.sort(
    (a, b) =>
      lines.day[a] - lines.day[b] ||
      (several ? byText(charges[a].policy, charges[b].policy) : 0) ||
      lines.rule[a] - lines.rule[b] ||
      lines.roadClass[a] - lines.roadClass[b] ||
      byText(charges[a].zones.join(' '), charges[b].zones.join(' ')),
  )
  return order.map((line) => charges[line])
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Trips of a month share its days. */
const dayNames = new Map<number, string>()
function dayName(day: number): string {
  let name = dayNames.get(day)
  if (name === undefined) {
    if (dayNames.size > 4_000) dayNames.clear()
    dayNames.set(day, (name = dayText(day)))
  }
  return name
}
