import {
  ROAD_CLASSES,
  type Access,
  type Charge,
  type ChargeReport,
  type Rate,
  type RatedVehicle,
  type OtherRoad,
  type OtherRoads,
  type RoadClass,
} from '#contracts'
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
  type TripId,
} from '#kernel'
import { dayText } from '#policy'
import { NO_RULE, ROAD_CLASS_NUMBER, type CompiledPolicy, type CompiledRule, type Priced } from './compile'
import { Lines } from './lines'
import { ZoneSets } from './zone-sets'

/** The line of driving at a moment when no policy was in force. */
export const NO_POLICY = { policy: '' as PolicyId, rule: 'none', freeReason: 'no policy in force' } as const
/** The line of what is forgone: nobody pays for a detour that a shorter way explains nearly as well. */
export const IN_DOUBT = {
  policy: '' as PolicyId,
  rule: 'in-doubt',
  freeReason: 'in doubt: a shorter way is as likely',
} as const
/** In place of the number of a rule. */
const DOUBT = -2
/** In place of a set of zones, where two roads may have been driven that are in different ones. */
const UNKNOWN = -1

const DAY_MS = 86_400_000

/**
 * Prices a trip: each stretch by the policy in force when it was entered and by that policy's first rule of distance that
 * matches, each crossing into or out of zones by the first rule of entries, the trip by the first rule of trips that any
 * stretch matches. One charge per (policy, rule, road class, zones, local day), rounded half to even once. Free stretches
 * are lines too.
 *
 * Where a rival road may as well have been driven, a stretch that would cost something is priced, and is on the line, as if it
 * were on the cheaper of both. What is priced by crossing or trip isn't due for what only one of the roads does. What was driven in a long
 * silence is never dearer than the dearer of the roads at its ends, and of what it crosses only what they imply is due.
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
  scratch.begin(vehicle, policyAt)
  const { stretches } = report
  for (let i = 0; i < stretches.length; i++) {
    const { enteredAt, roadClass, access, zones, fromMm, toMm, inferred, fixes, inDoubt, rival, between } = stretches[i]
    const others = rival || between ? stretches[i] : null
    scratch.drive(enteredAt, roadClass, access, zones, toMm - fromMm, inferred, fixes, inDoubt, others)
  }
  return scratch.end(report.trip, report.matchedMm, report.fixes.matched)
}

/** `rate` in steps, for whoever has the stretches of a trip without a report: `begin`, `drive` each stretch, `end`. */
export class Rater {
  private readonly lines = new Lines()
  private readonly policies: (CompiledPolicy | null)[] = []
  private vehicle!: RatedVehicle
  private policyAt!: (at: Instant) => CompiledPolicy | null
  private policy: CompiledPolicy | null = null
  private policyNumber = -1
  private noZones: ZoneSets | null = null
  private tripRules: TripRule[] | null = null
  /** What they would be had each rival been driven; null as long as there was none. */
  private rivalTripRules: TripRule[] | null = null
  /** The long silence that the stretch before was driven in, if any: its ends, when that stretch was entered, and the road at its end. */
  private unseen: { readonly ends: string; readonly at: Instant; readonly after: OtherRoad } | null = null
  /** Of the stretch before, under the same policy: stretches that follow it often are on its line. */
  private set = 0
  private inDoubt = false
  private cell = -1
  private day = NaN
  private line = 0

  begin(vehicle: RatedVehicle, policyAt: (at: Instant) => CompiledPolicy | null): void {
    this.lines.clear()
    this.policies.length = 0
    this.vehicle = vehicle
    this.policyAt = policyAt
    this.policy = this.noZones = this.tripRules = this.rivalTripRules = null
    this.policyNumber = -1
    this.set = 0
    this.unseen = null
  }

  /** Returns the number of the line that the distance is on. `zones` must be sorted. */
  drive(
    at: Instant,
    roadClass: RoadClass,
    access: Access,
    zones: readonly string[],
    mm: number,
    inferred: boolean,
    fixes: number,
    inDoubt = false,
    others: OtherRoads | null = null,
  ): number {
    if (mm < 0) invariant(false, 'a stretch runs backwards')
    const { lines } = this
    const inForce = this.policyAt(at)
    const crossed = this.policyNumber >= 0 && inForce === this.policy
    if (!crossed) this.turnTo(inForce)
    const { policy, policyNumber } = this
    if (!policy) {
      this.unseen = null
      const set = (this.noZones ??= new ZoneSets()).numberOf(zones)
      const line = lines.lineOf(policyNumber, Math.floor(at / DAY_MS), 0, ROAD_CLASS_NUMBER[roadClass], set)
      lines.drive(line, mm, inferred, fixes)
      return line
    }
    policy.look(at, roadClass, access)
    const set = policy.zoneSets.numberOf(zones)
    const isSame = crossed && set === this.set && policy.cell === this.cell && policy.day === this.day
    if (!isSame || inDoubt !== this.inDoubt || others) {
      const rule = policy.ruleOf(set)
      const isForgone = inDoubt && policy.rules[rule].distanceRate !== null
      const forgone = isForgone ? this.lineInDoubt(policy, zones) : -1
      this.inDoubt = inDoubt
      this.cell = policy.cell
      this.day = policy.day
      if (others)
        this.line = this.contest(policy, at, crossed, { rule, roadClass: policy.roadClass, set }, others, forgone)
      else {
        this.unseen = null
        this.line = isForgone ? forgone : lines.lineOf(policyNumber, policy.day, rule, policy.roadClass, set)
        if (policy.hasEvents) this.count(policy, crossed, set)
        this.set = set
      }
    }
    lines.drive(this.line, mm, inferred, fixes)
    return this.line
  }

  /**
   * The stretch in hand isn't to be dearer than other roads: gives the line of the one that prices it, where it isn't `forgone`, and counts
   * what is an event on all of them.
   */
  private contest(
    policy: CompiledPolicy,
    at: Instant,
    crossed: boolean,
    own: Priced,
    others: OtherRoads,
    forgone: number,
  ): number {
    const { lines, policyNumber, day } = this
    const { rival, between } = others
    if (between) this.passUnseen(policy, at, crossed, between)
    else this.unseen = null
    if (rival && !between && policy.hasEvents) this.passBeside(policy, at, crossed, own, rival)
    const { rule, roadClass, set } = policy.cheapest(at, own, others)
    // What comes next is looked up anew.
    this.cell = -1
    return forgone < 0 ? lines.lineOf(policyNumber, day, rule, roadClass, set) : forgone
  }

  /** Counts what is an event on the road in hand and on its rival. */
  private passBeside(policy: CompiledPolicy, at: Instant, crossed: boolean, own: Priced, rival: OtherRoad): void {
    const { lines, policyNumber, day } = this
    const { roadClass, set } = own
    const entry = this.entryOf(policy, crossed, set)
    const tripRule = policy.tripRuleOf(set)
    const rivalSet = policy.turnToRoad(at, rival)
    this.rivalTripRules ??= this.tripRules ? [...this.tripRules] : []
    this.noteTrip(this.rivalTripRules, policy.tripRuleOf(rivalSet), policy.roadClass, rivalSet)
    this.noteTrip((this.tripRules ??= []), tripRule, roadClass, set)
    // What only one of the roads crosses is left to where the vehicle surely is next.
    if (set === rivalSet && entry === this.entryOf(policy, crossed, rivalSet)) {
      if (entry !== NO_RULE) lines.count(lines.lineOf(policyNumber, day, entry, roadClass, set))
      this.set = set
    } else if (!crossed) this.set = UNKNOWN
  }

  /** Of what was driven unseen only its ends count: the one before it now, the one after it where the vehicle is seen next. */
  private passUnseen(policy: CompiledPolicy, at: Instant, crossed: boolean, between: readonly OtherRoad[]): void {
    if (!policy.hasEvents) return
    const ends = JSON.stringify(between)
    const [before, after] = between
    if (!crossed || this.unseen?.ends !== ends) this.countOn(policy, at, crossed, before)
    this.unseen = { ends, at, after }
  }

  private countOn(policy: CompiledPolicy, at: Instant, crossed: boolean, road: OtherRoad): void {
    const set = policy.turnToRoad(at, road)
    this.count(policy, crossed, set)
    this.set = set
  }

  private lineInDoubt(policy: CompiledPolicy, zones: readonly string[]): number {
    const known = this.policies.indexOf(null)
    const none = known < 0 ? added(this.policies, null) : known
    const set = (this.noZones ??= new ZoneSets()).numberOf(zones)
    return this.lines.lineOf(none, policy.day, DOUBT, policy.roadClass, set)
  }

  /** What the distance of a line costs; null where it is free. */
  rateOf(line: number): CompiledRule['distanceRate'] {
    const policy = this.policies[this.lines.policy[line]]
    return policy ? policy.rules[this.lines.rule[line]].distanceRate : null
  }

  /** The charges of the trip. What was driven must come to this distance and these fixes. */
  end(trip: TripId, matchedMm: number, matchedFixes: number): Charge[] {
    const { lines, policies, unseen } = this
    if (unseen && this.policy) this.countOn(this.policy, unseen.at, true, unseen.after)
    this.tripRules?.forEach((driven, number) => {
      const other = this.rivalTripRules ? this.rivalTripRules[number] : driven
      if (!other) return
      const { rules } = policies[number]!
      const { rule, day, roadClass, set } = rules[other.rule].dearness < rules[driven.rule].dearness ? other : driven
      lines.count(lines.lineOf(number, day, rule, roadClass, set))
    })
    let totalMm = 0
    let fixes = 0
    for (let line = 0; line < lines.size; line++) {
      totalMm += lines.distanceMm[line]
      fixes += lines.fixes[line]
    }
    if (totalMm !== matchedMm) invariant(false, `trip ${trip}: lines of ${totalMm} mm for ${matchedMm} mm matched`)
    if (fixes !== matchedFixes) invariant(false, `trip ${trip}: lines of ${fixes} fixes for ${matchedFixes} matched`)
    const order = inOrder(lines, policies, this.noZones)
    const charges: Charge[] = new Array(lines.size)
    for (let i = 0; i < lines.size; i++) {
      const line = order[i]
      charges[i] = chargeOf(lines, line, policies[lines.policy[line]], this.noZones, trip)
    }
    return charges
  }

  private turnTo(policy: CompiledPolicy | null): void {
    this.policyNumber = this.policies.indexOf(policy)
    if (this.policyNumber < 0) this.policyNumber = added(this.policies, policy)
    this.policy = policy
    policy?.turnTo(this.vehicle)
  }

  /** Counts what is priced apart from distance. Where nothing has changed since the stretch before, nothing new is. */
  private count(policy: CompiledPolicy, crossed: boolean, set: number): void {
    const { lines, policyNumber, day } = this
    const { roadClass } = policy
    const entry = this.entryOf(policy, crossed, set)
    if (entry !== NO_RULE) lines.count(lines.lineOf(policyNumber, day, entry, roadClass, set))
    const rule = policy.tripRuleOf(set)
    if (rule === NO_RULE) return
    this.noteTrip((this.tripRules ??= []), rule, roadClass, set)
    if (this.rivalTripRules) this.noteTrip(this.rivalTripRules, rule, roadClass, set)
  }

  private entryOf(policy: CompiledPolicy, crossed: boolean, set: number): number {
    return crossed && this.set !== UNKNOWN ? policy.entryRuleOf(this.set, set) : NO_RULE
  }

  private noteTrip(known: TripRule[], rule: number, roadClass: number, set: number): void {
    const { policyNumber, day } = this
    const first = known[policyNumber]
    if (rule !== NO_RULE && (!first || rule < first.rule)) known[policyNumber] = { rule, day, roadClass, set }
  }
}

/** Kept from trip to trip: `rate` ends what it begins. */
const scratch = new Rater()

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

function chargeOf(
  lines: Lines,
  line: number,
  policy: CompiledPolicy | null,
  noZones: ZoneSets | null,
  trip: TripId,
): Charge {
  const rule = policy ? policy.rules[lines.rule[line]] : null
  const distanceMm = lines.distanceMm[line] as Millimetres
  const rate = rule ? rule.rate : null
  const free = lines.rule[line] === DOUBT ? IN_DOUBT : NO_POLICY
  const charge = {
    trip,
    policy: policy ? policy.id : free.policy,
    rule: rule ? rule.id : free.rule,
    roadClass: ROAD_CLASSES[lines.roadClass[line]],
    zones: (policy ? policy.zoneSets : noZones!).zonesOf(lines.zoneSet[line]),
    day: dayName(lines.day[line]),
    distanceMm,
    inferredMm: lines.inferredMm[line] as Millimetres,
    fixes: lines.fixes[line],
    rate,
    freeReason: rule ? rule.freeReason : free.freeReason,
    amount: NO_MONEY,
  }
  if (!rate) return charge
  const { count, amount } = chargedFor(distanceMm, lines.counts[line], rate)
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

/** The lines by day, policy, rule, road class and zones. They are few, and begun nearly in order. */
function inOrder(lines: Lines, policies: readonly (CompiledPolicy | null)[], noZones: ZoneSets | null): number[] {
  const { size, policy, day, rule, roadClass, zoneSet } = lines
  const idOf = (line: number) => policies[policy[line]]?.id ?? NO_POLICY.policy
  const zonesOf = (line: number) => (policies[policy[line]]?.zoneSets ?? noZones!).zonesOf(zoneSet[line]).join(' ')
  const order = new Array<number>(size)
  for (let line = 0; line < size; line++) {
    let i = line
    for (; i > 0; i--) {
      const other = order[i - 1]
      const comes =
        day[line] - day[other] ||
        (policy[line] === policy[other] ? 0 : byText(idOf(line), idOf(other))) ||
        rule[line] - rule[other] ||
        roadClass[line] - roadClass[other] ||
        (zoneSet[line] === zoneSet[other] && policy[line] === policy[other] ? 0 : byText(zonesOf(line), zonesOf(other)))
      if (comes >= 0) break
      order[i] = other
    }
    order[i] = line
  }
  return order
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
