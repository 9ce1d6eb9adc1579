import {
  ACCESS,
  ROAD_CLASSES,
  type Access,
  type PolicyDocument,
  type PolicyRule,
  type Rate,
  type RatedVehicle,
  type OtherRoad,
  type OtherRoads,
  type PricedBy,
  type RoadClass,
} from '#contracts'
import { instant, invariant, KILOMETRE_MM, MILE_MM, type Instant, type PolicyId } from '#kernel'
import {
  bandIntervals,
  DAY_KINDS,
  dayKinds,
  isEvent,
  isFor,
  localClock,
  policySpans,
  rateOfRule,
  type LocalClock,
} from '#policy'
import { jurisdictionOf } from './revenue'
import { ZoneSets } from './zone-sets'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1440
const UNDECIDED = -2
export const NO_RULE = -1

export interface CompiledRule {
  readonly id: string
  readonly rate: Rate | null
  /** The rate of a distance in doubles: so many micros for so many millimetres. */
  readonly distanceRate: { readonly micros: number; readonly mm: number } | null
  /** Orders rules of distances by price, and rules of trips: the smaller is the cheaper, equal is as dear. What is free is 0. */
  readonly dearness: number
  readonly freeReason: string | null
}

/** Rules that are tried against each other: those of distances, of crossings, of trips. */
type Contest = 'distance' | 'entry' | 'trip'

/**
 * The tariff of one kind of vehicle: for each zone set a table over (access, road class, band of the week) that holds the
 * first rule that matches, filled when it is first asked. Vehicles for which the same rules can match share it.
 */
interface Tariff {
  readonly may: Uint8Array
  readonly distance: (Int16Array | undefined)[]
  readonly trip: (Int16Array | undefined)[]
}

/**
 * A policy as tables, for `rate`. `look` says where and when; what is asked then is answered by look-up. One object per
 * policy and thread: it remembers the moment and the vehicle that it was last asked for.
 */
export class CompiledPolicy {
  readonly id: PolicyId
  readonly rules: readonly CompiledRule[]
  readonly clock: LocalClock
  readonly zoneSets = new ZoneSets()
  /** Whether any rule prices crossings or trips: most policies price distance alone. */
  readonly hasEvents: boolean
  /** Local day of the moment, number of the road class, and place in the tables, that were last looked at. */
  day = NaN
  roadClass = 0
  cell = 0

  private readonly contests: Readonly<Record<Contest, readonly number[]>>
  private readonly kindOf: (dayNumber: number) => number
  private readonly bands: number
  private readonly bandOfMinute: Uint16Array
  private readonly bandsOfRule: readonly (Uint8Array | null)[]
  private readonly accessMask: Uint32Array
  private readonly classMask: Uint32Array
  private readonly tariffs = new Map<string, Tariff>()
  private readonly tariffOf = new WeakMap<RatedVehicle, Tariff>()
  private vehicle: RatedVehicle | null = null
  private tariff!: Tariff
  /** Where the day begins on a clock that is never changed, and [from, to) in which that is this one. */
  private midnight = NaN
  private dayFrom = NaN
  private dayTo = NaN
  private minuteBase = 0
  private roadClassName = ''
  private accessName = ''
  private access = 0
  private road = 0
  private band = 0

  /** `document` must be valid: its last rule matches everything. */
  constructor(readonly document: PolicyDocument) {
    const { rules } = document
    this.id = document.id as PolicyId
    this.clock = localClock(document.timeZone)
    this.kindOf = dayKinds(document)
    const rates = rules.map((rule) => rateOfRule(rule, rules))
    this.rules = rules.map((rule, r) => {
      const rate = rates[r]
      return {
        id: rule.id,
        rate,
        distanceRate:
          rate?.per === 'mile' || rate?.per === 'km'
            ? { micros: Number(rate.micros), mm: rate.per === 'mile' ? MILE_MM : KILOMETRE_MM }
            : null,
        dearness: rate === null ? 0 : 1 + rates.filter((other) => other && dearnessOf(other) < dearnessOf(rate)).length,
        freeReason: 'free' in rule.price ? rule.price.free : 'exempt' in rule.price ? rule.price.exempt : null,
      }
    })
    const of = (contest: Contest) => rules.flatMap((rule, r) => (contestOf(rule, rules) === contest ? [r] : []))
    this.contests = { distance: of('distance'), entry: of('entry'), trip: of('trip') }
    this.hasEvents = this.contests.entry.length + this.contests.trip.length > 0
    const week = cutWeek(rules, document.holidays ? DAY_KINDS : 7)
    this.bands = week.bands
    this.bandOfMinute = week.bandOfMinute
    this.bandsOfRule = rules.map(({ match }) => (match.times ? bandsIn(week, match.times) : null))
    this.accessMask = Uint32Array.from(rules, ({ match }) => maskOf(ACCESS, match.access))
    this.classMask = Uint32Array.from(rules, ({ match }) => maskOf(ROAD_CLASSES, match.roadClasses))
  }

  /** Turns to a vehicle. */
  turnTo(vehicle: RatedVehicle): void {
    if (vehicle === this.vehicle) return
    let tariff = this.tariffOf.get(vehicle)
    if (!tariff) {
      const may = Uint8Array.from(this.document.rules, ({ match }) => (isFor(match, vehicle) ? 1 : 0))
      const key = may.join('')
      tariff = this.tariffs.get(key)
      if (!tariff) this.tariffs.set(key, (tariff = { may, distance: [], trip: [] }))
      this.tariffOf.set(vehicle, tariff)
    }
    this.vehicle = vehicle
    this.tariff = tariff
  }

  /** Turns to a moment and a kind of road. Trips stay on a day and on a kind of road, so both are remembered. */
  look(at: Instant, roadClass: RoadClass, access: Access): void {
    if (!(at >= this.dayFrom && at < this.dayTo)) this.turnToDay(at)
    const minute = ((at - this.midnight) / MINUTE_MS) | 0
    this.band = this.bandOfMinute[this.minuteBase + minute]
    if (roadClass !== this.roadClassName || access !== this.accessName) {
      this.roadClassName = roadClass
      this.accessName = access
      this.roadClass = ROAD_CLASS_NUMBER[roadClass]
      this.access = ACCESS_NUMBER[access]
      this.road = (this.access * ROAD_CLASSES.length + this.roadClass) * this.bands
    }
    this.cell = this.road + this.band
  }

  private turnToDay(at: Instant): void {
    const offset = this.clock.offsetMs(at)
    this.day = Math.floor((at + offset) / DAY_MS)
    this.midnight = this.day * DAY_MS - offset
    this.minuteBase = this.kindOf(this.day) * MINUTES_PER_DAY
    // A day on which the clock is changed is asked for again at each moment.
    const last = this.midnight + DAY_MS - 1
    const whole =
      this.clock.offsetMs(instant(this.midnight)) === offset && this.clock.offsetMs(instant(last)) === offset
    this.dayFrom = whole ? this.midnight : Infinity
    this.dayTo = last + 1
  }

  /** Number of the rule that prices a distance driven there and then, in a set of zones. */
  ruleOf(zoneSet: number): number {
    return this.decided('distance', zoneSet)
  }

  /** Turns to another road at a moment, and returns its set of zones, so that its rules can be asked for. */
  turnToRoad(at: Instant, { roadClass, access, zones }: OtherRoad): number {
    this.look(at, roadClass, access)
    return this.zoneSets.numberOf(zones)
  }

  /**
   * What prices a distance that isn't to be dearer than other roads at that moment: `own`, unless its rival is cheaper, or both roads at the
   * ends of the silence in which it was driven are. To be followed by `look`.
   */
  cheapest(at: Instant, own: Priced, { rival, between }: OtherRoads): Priced & { readonly by: PricedBy } {
    const dearnessOf = ({ rule }: Priced) => this.rules[rule].dearness
    const pricedOn = (road: OtherRoad): Priced => {
      const set = this.turnToRoad(at, road)
      return { rule: this.ruleOf(set), roadClass: this.roadClass, set }
    }
    const beside = rival ? pricedOn(rival) : own
    const isRival = dearnessOf(beside) < dearnessOf(own)
    const least = isRival ? beside : own
    const [before, after] = between ? between.map(pricedOn) : [least, least]
    const dearer = dearnessOf(before) < dearnessOf(after) ? after : before
    if (dearnessOf(dearer) < dearnessOf(least)) return { ...dearer, by: 'ends' }
    return { ...least, by: isRival ? 'rival' : 'road' }
  }

  /** Number of the rule that prices the trip because of what is driven there and then, or NO_RULE. */
  tripRuleOf(zoneSet: number): number {
    return this.contests.trip.length === 0 ? NO_RULE : this.decided('trip', zoneSet)
  }

  /** Number of the rule that prices going there and then from one set of zones to another, or NO_RULE. */
  entryRuleOf(fromSet: number, toSet: number): number {
    if (fromSet === toSet) return NO_RULE
    const from = this.zoneSets.zonesOf(fromSet)
    const to = this.zoneSets.zonesOf(toSet)
    for (const r of this.contests.entry) {
      const { zones = [], direction } = this.document.rules[r].match
      const was = zones.some((zone) => from.includes(zone))
      const is = zones.some((zone) => to.includes(zone))
      if (was !== is && is === (direction !== 'leaving') && this.matches(r, to)) return r
    }
    return NO_RULE
  }

  /** Adds the rules of distance and of trips that come first there at some time of the week; how many times there are. */
  rulesAllWeek(roadClass: RoadClass, access: Access, zoneSet: number, into: Set<number>): number {
    this.roadClass = ROAD_CLASS_NUMBER[roadClass]
    this.access = ACCESS_NUMBER[access]
    this.roadClassName = ''
    for (this.band = 0; this.band < this.bands; this.band++) {
      this.cell = (this.access * ROAD_CLASSES.length + this.roadClass) * this.bands + this.band
      into.add(this.ruleOf(zoneSet))
      const trip = this.tripRuleOf(zoneSet)
      if (trip !== NO_RULE) into.add(trip)
    }
    return this.bands
  }

  isEntryRule(rule: number): boolean {
    return this.contests.entry.includes(rule)
  }

  private decided(contest: 'distance' | 'trip', zoneSet: number): number {
    const tables = this.tariff[contest]
    const table = (tables[zoneSet] ??= new Int16Array(ACCESS.length * ROAD_CLASSES.length * this.bands).fill(UNDECIDED))
    const rule = table[this.cell]
    return rule === UNDECIDED ? (table[this.cell] = this.firstMatch(contest, zoneSet)) : rule
  }

  private firstMatch(contest: 'distance' | 'trip', zoneSet: number): number {
    const zones = this.zoneSets.zonesOf(zoneSet)
    for (const zone of zones) invariant(this.document.zones[zone], `policy ${this.id} has no zone ${zone}`)
    for (const r of this.contests[contest]) {
      const wanted = this.document.rules[r].match.zones
      if ((!wanted || wanted.some((zone) => zones.includes(zone))) && this.matches(r, zones)) return r
    }
    invariant(contest !== 'distance', `no rule of policy ${this.id} matches`)
    return NO_RULE
  }

  /** All conditions of a rule but `zones` and `direction`. */
  private matches(r: number, zones: readonly string[]): boolean {
    const { outside, jurisdictions } = this.document.rules[r].match
    return (
      this.tariff.may[r] === 1 &&
      ((this.accessMask[r] >>> this.access) & (this.classMask[r] >>> this.roadClass) & 1) === 1 &&
      (this.bandsOfRule[r]?.[this.band] ?? 1) === 1 &&
      !outside?.some((zone) => zones.includes(zone)) &&
      (jurisdictions?.includes(jurisdictionOf(this.document, zones)) ?? true)
    )
  }
}

/** What prices a distance: numbers of a rule, a road class and a set of zones. */
export interface Priced {
  readonly rule: number
  readonly roadClass: number
  readonly set: number
}

export const compilePolicy = (policy: PolicyDocument): CompiledPolicy => new CompiledPolicy(policy)

/** Which compiled policy is in force at a moment; each of `policies` is compiled when it is first needed. */
export function tariffAt(policies: readonly PolicyDocument[]): (at: Instant) => CompiledPolicy | null {
  const spans = policySpans(policies)
  const compiled = new Map<PolicyDocument, CompiledPolicy>()
  const tablesOf = (policy: PolicyDocument | null) => {
    if (!policy) return null
    let tables = compiled.get(policy)
    if (!tables) compiled.set(policy, (tables = compilePolicy(policy)))
    return tables
  }
  let span = { from: Infinity, to: Infinity, policy: null as PolicyDocument | null }
  let tables: CompiledPolicy | null = null
  return (at) => {
    if (at < span.from || at >= span.to) {
      span = spans.find(({ from, to }) => from <= at && at < to)!
      tables = tablesOf(span.policy)
    }
    return tables
  }
}

const contestOf = (rule: PolicyRule, rules: readonly PolicyRule[]): Contest =>
  !isEvent(rule, rules) ? 'distance' : rateOfRule(rule, rules)?.per === 'trip' ? 'trip' : 'entry'

/** What orders rates, exactly: of a mile and of a kilometre the price of both in millimetres' product. Flat prices are compared among themselves. */
const dearnessOf = ({ micros, per }: Rate): bigint =>
  micros * BigInt(per === 'mile' ? KILOMETRE_MM : per === 'km' ? MILE_MM : 1)

const numbered = <T extends string>(names: readonly T[]) =>
  Object.fromEntries(names.map((name, number) => [name, number])) as Record<T, number>
const ACCESS_NUMBER = numbered(ACCESS)
export const ROAD_CLASS_NUMBER = numbered(ROAD_CLASSES)

/** Bits of the chosen names; all bits where none is chosen. */
const maskOf = <T>(names: readonly T[], chosen: readonly T[] | undefined): number =>
  chosen ? chosen.reduce((mask, name) => mask | (1 << names.indexOf(name)), 0) : 0xffffffff

/** All kinds of day cut into bands within which no rule starts or stops. Bands that no rule tells apart share a number. */
interface Week {
  readonly bands: number
  readonly bandOfMinute: Uint16Array
}

function cutWeek(rules: readonly PolicyRule[], kinds: number): Week {
  const minutes = kinds * MINUTES_PER_DAY
  const timed = rules.flatMap(({ match }) => (match.times ? [bandIntervals(match.times, kinds)] : []))
  const cuts = new Uint8Array(minutes + 1)
  for (const intervals of timed) for (const { from, to } of intervals) cuts[from] = cuts[to] = 1
  const bandOfMinute = new Uint16Array(minutes)
  const numbers = new Map<string, number>()
  let band = 0
  for (let minute = 0; minute < minutes; minute++) {
    if (minute === 0 || cuts[minute]) {
      const inside = timed.map((intervals) => (intervals.some(({ from, to }) => from <= minute && minute < to) ? 1 : 0))
      const key = inside.join('')
      band = numbers.get(key) ?? numbers.size
      numbers.set(key, band)
    }
    bandOfMinute[minute] = band
  }
  return { bands: numbers.size, bandOfMinute }
}

function bandsIn(week: Week, times: NonNullable<PolicyRule['match']['times']>): Uint8Array {
  const inside = new Uint8Array(week.bands)
  for (const { from, to } of bandIntervals(times, week.bandOfMinute.length / MINUTES_PER_DAY))
    for (let minute = from; minute < to; minute++) inside[week.bandOfMinute[minute]] = 1
  return inside
}
