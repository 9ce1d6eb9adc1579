import {
  ACCESS,
  ROAD_CLASSES,
  VEHICLE_CLASSES,
  type Access,
  type PolicyDocument,
  type PolicyRule,
  type Rate,
  type RoadClass,
  type VehicleClass,
} from '#contracts'
import { invariant, type Instant, type PolicyId } from '#kernel'
import { localClock, MINUTES_PER_WEEK, policyInForce, rateOf, weekIntervals, type LocalClock } from '#policy'

export interface CompiledRule {
  readonly id: string
  readonly rate: Rate | null
  readonly freeReason: string | null
}

/**
 * A policy as tables. Zones are interned as zone sets, the week is cut where any rule's band starts or ends, and for each
 * zone set a table over (vehicle class, access, road class, band) holds the rule that wins; it is filled when first asked.
 */
export interface CompiledPolicy {
  readonly id: PolicyId
  readonly document: PolicyDocument
  readonly clock: LocalClock
  readonly rules: readonly CompiledRule[]
  /** Number of a set of zone ids, which must be this policy's and sorted. The same set has the same number. */
  zoneSet(zones: readonly string[]): number
  /** Number of the first rule that matches. */
  ruleOf(vehicleClass: VehicleClass, roadClass: RoadClass, access: Access, zoneSet: number, at: Instant): number
}

const ZONE_SETS_MAX = 65_536
const UNDECIDED = -1

/** Compiles a parsed policy (its last rule matches everything). */
export function compilePolicy(policy: PolicyDocument): CompiledPolicy {
  const { rules } = policy
  const clock = localClock(policy.timeZone)
  const week = cutWeek(rules)
  const everyBand = new Uint8Array(week.bands).fill(1)
  const bandsOfRule = rules.map((rule) => (rule.match.times ? bandsIn(week, rule.match.times) : everyBand))

  // Conditions as bit masks, a row of `words` per rule for zones.
  const zoneNumbers = new Map(Object.keys(policy.zones).map((id, number) => [id, number]))
  const words = (zoneNumbers.size + 31) >>> 5
  const anyOf = new Uint32Array(rules.length * words)
  const noneOf = new Uint32Array(rules.length * words)
  const vehicleMask = Uint32Array.from(rules, (rule) => maskOf(VEHICLE_CLASSES, rule.match.vehicleClasses))
  const accessMask = Uint32Array.from(rules, (rule) => maskOf(ACCESS, rule.match.access))
  const classMask = Uint32Array.from(rules, (rule) => maskOf(ROAD_CLASSES, rule.match.roadClasses))
  const setBits = (table: Uint32Array, row: number, zones: readonly string[]) => {
    for (const zone of zones) {
      const number = zoneNumbers.get(zone)
      invariant(number !== undefined, `policy ${policy.id} has no zone ${zone}`)
      table[row * words + (number >>> 5)] |= 1 << (number & 31)
    }
  }
  rules.forEach((rule, r) => {
    setBits(anyOf, r, rule.match.zones ?? [])
    setBits(noneOf, r, rule.match.outside ?? [])
  })

  // Zone sets are found by walking a trie of zone ids, so that a set which was seen before costs no allocation.
  interface Node {
    number: number
    readonly next: Map<string, Node>
  }
  const root: Node = { number: -1, next: new Map() }
  const setWords: Uint32Array[] = []
  const decided: Int16Array[] = []

  function zoneSet(zones: readonly string[]): number {
    let node = root
    for (const zone of zones) {
      let next = node.next.get(zone)
      if (!next) node.next.set(zone, (next = { number: -1, next: new Map() }))
      node = next
    }
    if (node.number < 0) {
      invariant(setWords.length < ZONE_SETS_MAX, `more than ${ZONE_SETS_MAX} sets of zones in policy ${policy.id}`)
      invariant(
        zones.every((zone, i) => i === 0 || zones[i - 1] < zone),
        `zones are not sorted: ${zones.join(', ')}`,
      )
      const bits = new Uint32Array(words)
      setBits(bits, 0, zones)
      node.number = setWords.push(bits) - 1
      decided.push(
        new Int16Array(VEHICLE_CLASSES.length * ACCESS.length * ROAD_CLASSES.length * week.bands).fill(UNDECIDED),
      )
    }
    return node.number
  }

  function firstMatch(vehicle: number, access: number, roadClass: number, band: number, set: number): number {
    const bits = setWords[set]
    for (let r = 0; r < rules.length; r++) {
      if (!((vehicleMask[r] >>> vehicle) & (accessMask[r] >>> access) & (classMask[r] >>> roadClass) & 1)) continue
      if (!bandsOfRule[r][band]) continue
      let inside = rules[r].match.zones === undefined
      let barred = false
      for (let w = 0; w < words; w++) {
        if (bits[w] & anyOf[r * words + w]) inside = true
        if (bits[w] & noneOf[r * words + w]) barred = true
      }
      if (inside && !barred) return r
    }
    invariant(false, `no rule of policy ${policy.id} matches`)
  }

  return {
    id: policy.id as PolicyId,
    document: policy,
    clock,
    rules: rules.map(({ id, price }) => ({
      id,
      rate: rateOf(price),
      freeReason: 'free' in price ? price.free : null,
    })),
    zoneSet,
    ruleOf(vehicleClass, roadClass, access, set, at) {
      const v = VEHICLE_NUMBER[vehicleClass]
      const a = ACCESS_NUMBER[access]
      const c = ROAD_CLASS_NUMBER[roadClass]
      const band = week.bandOfMinute[clock.minuteOfWeek(at)]
      const table = decided[set]
      const cell = ((v * ACCESS.length + a) * ROAD_CLASSES.length + c) * week.bands + band
      if (table[cell] === UNDECIDED) table[cell] = firstMatch(v, a, c, band, set)
      return table[cell]
    },
  }
}

/** Which compiled policy is in force at a moment; each of `policies` is compiled when it is first needed. */
export function tariffAt(policies: readonly PolicyDocument[]): (at: Instant) => CompiledPolicy | null {
  const compiled = new Map<PolicyDocument, CompiledPolicy>()
  return (at) => {
    const policy = policyInForce(policies, at)
    if (!policy) return null
    let tables = compiled.get(policy)
    if (!tables) compiled.set(policy, (tables = compilePolicy(policy)))
    return tables
  }
}

const numbered = <T extends string>(names: readonly T[]) =>
  Object.fromEntries(names.map((name, number) => [name, number])) as Record<T, number>
const VEHICLE_NUMBER = numbered(VEHICLE_CLASSES)
const ACCESS_NUMBER = numbered(ACCESS)
export const ROAD_CLASS_NUMBER = numbered(ROAD_CLASSES)

/** Bits of the chosen names; all bits where none is chosen. */
const maskOf = <T>(names: readonly T[], chosen: readonly T[] | undefined): number =>
  chosen ? chosen.reduce((mask, name) => mask | (1 << names.indexOf(name)), 0) : 0xffffffff

/** The week cut into bands within which no rule starts or stops. */
interface Week {
  readonly bands: number
  readonly bandOfMinute: Uint16Array
}

function cutWeek(rules: readonly PolicyRule[]): Week {
  const cuts = new Uint8Array(MINUTES_PER_WEEK + 1)
  for (const rule of rules) for (const { from, to } of weekIntervals(rule.match.times ?? [])) cuts[from] = cuts[to] = 1
  const bandOfMinute = new Uint16Array(MINUTES_PER_WEEK)
  let band = 0
  for (let minute = 1; minute < MINUTES_PER_WEEK; minute++) bandOfMinute[minute] = band += cuts[minute]
  return { bands: band + 1, bandOfMinute }
}

function bandsIn(week: Week, times: NonNullable<PolicyRule['match']['times']>): Uint8Array {
  const inside = new Uint8Array(week.bands)
  for (const { from, to } of weekIntervals(times))
    inside.fill(1, week.bandOfMinute[from], week.bandOfMinute[to - 1] + 1)
  return inside
}
