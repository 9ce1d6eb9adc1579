import { type Access, type PolicyDocument, type RatedVehicle, type RoadClass } from '#contracts'
import { cutNetwork, type ZoneCut } from '#geofencing'
import { digest, invariant, micros, millimetres, priceInDouble, priceOf, type Digest } from '#kernel'
import { eachStretch, type MatchedTrip } from '#mileage'
import { cuttingZones, localClock } from '#policy'
import { addAccount, compareAccount, noComparison, Rater, tariffAt, type ComparedTrip, type RoadCost } from '#rating'
import { unpackNetwork, type RoadNetwork } from '#road-network'
import { type BacktestSums, type DrivenTrip } from '#store'

/** What a backtest compares: the tariff as it is published and a draft in force at all times. */
export interface Rerated {
  readonly published: readonly PolicyDocument[]
  readonly draft: PolicyDocument
}

/** A trip with what its vehicle was then. */
export interface RerateTrip extends DrivenTrip {
  readonly rated: RatedVehicle
}

const MINUTES_PER_DAY = 1440
const KINDS_MAX = 10_000

/**
 * Rates driven trips again, as they were matched, under the tariff of their time and under a draft: zones are cut anew for
 * each. It has no database, so that a thread can do it.
 */
export class Rerating {
  private readonly networks = new Map<Digest, Known>()
  private readonly draft: PolicyDocument
  private readonly compiledAt: Record<'before' | 'after', ReturnType<typeof tariffAt>>
  private readonly clock: ReturnType<typeof localClock>
  private readonly rater = new Rater()
  private readonly driven = new Driven()
  private readonly kinds = new Map<string, RatedVehicle>()

  constructor(private readonly what: Rerated) {
    // The draft as it would have been: in force from the beginning of time.
    this.draft = { ...what.draft, startsAt: '1970-01-01T00:00:00Z', endsAt: undefined }
    this.compiledAt = { before: tariffAt(what.published), after: tariffAt([this.draft]) }
    this.clock = localClock(this.draft.timeZone)
  }

  knows(network: Digest): boolean {
    return this.networks.has(network)
  }

  learn(network: Digest, packed: Uint8Array): void {
    this.networks.set(network, { network: unpackNetwork(packed), cuts: new Map(), roads: [] })
  }

  /** `trips` are those of whole accounts, by account and time; their networks must be known. */
  rate(trips: readonly RerateTrip[]): BacktestSums {
    const comparison = noComparison()
    let [recomputed, booked, gone] = [0n, 0n, 0]
    const accounts = new Map<string, RerateTrip[]>()
    for (const trip of trips) {
      if (trip.path === null) {
        gone++
        continue
      }
      booked += trip.booked
      const those = accounts.get(trip.account)
      if (those) those.push(trip)
      else accounts.set(trip.account, [trip])
    }
    for (const those of accounts.values()) {
      const compared = those.map((trip) => this.compared(trip))
      for (const { before } of compared) recomputed += before.reduce((sum, { amount }) => sum + amount, 0n)
      addAccount(comparison, compareAccount(compared, { before: this.what.published, after: [this.draft] }))
    }
    return { comparison, recomputed: String(recomputed), booked: String(booked), gone }
  }

  private compared(trip: RerateTrip): ComparedTrip {
    const { rated, startedAt } = trip
    const known = this.networks.get(trip.network)
    invariant(known, `network ${trip.network} is not known`)
    const match = JSON.parse(trip.path!) as MatchedTrip
    const before = this.costs(trip, match, known, 'before')
    const after = this.costs(trip, match, known, 'after')
    return {
      vehicle: rated,
      startedAt,
      hour: Math.floor((this.clock.minuteOfWeek(startedAt) % MINUTES_PER_DAY) / 60),
      before: before.charges,
      after: after.charges,
      roads: { before: before.roads, after: after.roads },
    }
  }

  /** The charges of a trip as `rate` makes them of its report, and what its distance costs road by road. */
  private costs(trip: RerateTrip, match: MatchedTrip, known: Known, side: 'before' | 'after') {
    const { rater, driven } = this
    const { network } = known
    const compiledAt = this.compiledAt[side]
    let policy: PolicyDocument | null = null
    let cut: ZoneCut | null = null
    rater.begin(this.kindOf(trip.rated), compiledAt)
    driven.size = 0
    const matchedMm = eachStretch(
      match,
      network,
      (at) => {
        const document = compiledAt(at)?.document ?? null
        if (document !== policy) cut = document && this.cut(trip.network, document)
        policy = document
        return cut
      },
      ({ segment, inferred }, fromMm, toMm, enteredAt, _, zones, fixes, inDoubt, others) => {
        const mm = toMm - fromMm
        const { roadClass, access, name } = roadOf(known, segment)
        driven.add(name, rater.drive(enteredAt, roadClass, access, zones, mm, inferred, fixes, inDoubt, others), mm)
      },
    )
    const roads = driven.costs((line) => rater.rateOf(line))
    return { charges: rater.end(trip.trip, matchedMm, match.fates.matched ?? 0), roads }
  }

  /** One vehicle for all that the rules can't tell apart: what a rule says of it is looked up by the object. */
  private kindOf(rated: RatedVehicle): RatedVehicle {
    const key = JSON.stringify({ ...rated, vehicle: '' })
    const known = this.kinds.get(key)
    if (known) return known
    if (this.kinds.size >= KINDS_MAX) this.kinds.clear()
    this.kinds.set(key, rated)
    return rated
  }

  private cut(digestOfNetwork: Digest, policy: PolicyDocument): ZoneCut {
    const { network, cuts } = this.networks.get(digestOfNetwork)!
    let key = keys.get(policy)
    if (!key) keys.set(policy, (key = digest(cuttingZones(policy))))
    let cut = cuts.get(key)
    if (!cut) cuts.set(key, (cut = cutNetwork(network, cuttingZones(policy))))
    return cut
  }
}

/** What there is to know of a segment here. */
interface Road {
  readonly roadClass: RoadClass
  readonly access: Access
  readonly name: string
}

interface Known {
  readonly network: RoadNetwork
  readonly cuts: Map<Digest, ZoneCut>
  /** By segment, where it was driven: roads are driven again and again. */
  readonly roads: (Road | undefined)[]
}

const NAMELESS = '(roads without a name)'

function roadOf({ network, roads }: Known, segment: number): Road {
  return (roads[segment] ??= {
    roadClass: network.roadClass(segment),
    access: network.access(segment),
    name: network.name(segment) || NAMELESS,
  })
}

/** How far a trip went by road and line, in columns that are kept from trip to trip; what follows on the same is one part. */
class Driven {
  size = 0
  private readonly names: string[] = []
  private readonly lines: number[] = []
  private readonly mm: number[] = []

  add(name: string, line: number, mm: number): void {
    const last = this.size - 1
    if (last >= 0 && this.lines[last] === line && this.names[last] === name) this.mm[last] += mm
    else {
      this.names[this.size] = name
      this.lines[this.size] = line
      this.mm[this.size++] = mm
    }
  }

  /** Each part by itself, rounded by itself, without flat prices. */
  costs(rateOf: (line: number) => { readonly micros: number; readonly mm: number } | null): RoadCost[] {
    const costs: RoadCost[] = new Array(this.size)
    for (let i = 0; i < this.size; i++) {
      const distanceMm = this.mm[i]
      const rate = rateOf(this.lines[i])
      costs[i] = { name: this.names[i], distanceMm, amount: rate === null ? 0 : priceOfPart(distanceMm, rate) }
    }
    return costs
  }
}

/** In currencies of small coins a price by the mile times millimetres can be too large for a double; the price itself is not. */
const priceOfPart = (distanceMm: number, rate: { readonly micros: number; readonly mm: number }): number =>
  priceInDouble(distanceMm, rate.micros, rate.mm) ??
  Number(priceOf(millimetres(distanceMm), micros(BigInt(rate.micros)), rate.mm))

/** Zones by what they are, so that policies that have the same share a cut. */
const keys = new WeakMap<PolicyDocument, Digest>()
