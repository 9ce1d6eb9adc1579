import { type ChargeReport, type PolicyDocument, type RatedVehicle, type Stretch } from '#contracts'
import { cutNetwork, type ZoneCut } from '#geofencing'
import { digest, invariant, micros, millimetres, NO_MONEY, type Digest, type Micros } from '#kernel'
import { chargeReport, type MatchedTrip, type MeteredRoads } from '#mileage'
import { cuttingZones, localClock } from '#policy'
import { addAccount, compareAccount, noComparison, rate, tariffAt, type ComparedTrip } from '#rating'
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

/**
 * Rates driven trips again, as they were matched, under the tariff of their time and under a draft: zones are cut anew for
 * each. It has no database, so that a thread can do it.
 */
export class Rerating {
  private readonly networks = new Map<Digest, Known>()
  private readonly draft: PolicyDocument
  private readonly compiledAt: Record<'before' | 'after', ReturnType<typeof tariffAt>>
  private readonly clock: ReturnType<typeof localClock>

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
    this.networks.set(network, knownNetwork(unpackNetwork(packed)))
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
    const { roads: network } = known
    const match = JSON.parse(trip.path!) as MatchedTrip
    const metered = { ...trip, vehicle: rated.vehicle }
    const cut = this.cut(trip.network, this.draft)
    const reports = {
      before: chargeReport(metered, match, network, (at) => {
        const policy = this.compiledAt.before(at)
        return policy && this.cut(trip.network, policy.document)
      }),
      after: chargeReport(metered, match, network, () => cut),
    }
    const costs = (side: 'before' | 'after') => rate(reports[side], rated, this.compiledAt[side])
    return {
      vehicle: rated,
      startedAt,
      hour: Math.floor((this.clock.minuteOfWeek(startedAt) % MINUTES_PER_DAY) / 60),
      before: costs('before'),
      after: costs('after'),
      roads: this.roadsOf(reports, known, rated),
    }
  }

  /** What the distance costs by the name of the road: each road's stretches rated by themselves, without flat prices. */
  private roadsOf(reports: Record<'before' | 'after', ChargeReport>, known: Known, vehicle: RatedVehicle) {
    const roads = new Map<string, { name: string; distanceMm: number; before: Micros; after: Micros }>()
    for (const side of ['before', 'after'] as const)
      for (const [name, part] of byRoad(reports[side], known)) {
        const amount = rate(part, vehicle, this.compiledAt[side])
          .filter((charge) => charge.rate === null || charge.rate.per === 'mile' || charge.rate.per === 'km')
          .reduce((sum, charge) => sum + charge.amount, 0n)
        const road = roads.get(name) ?? { name, distanceMm: part.matchedMm, before: NO_MONEY, after: NO_MONEY }
        roads.set(name, { ...road, [side]: micros(amount) })
      }
    return [...roads.values()]
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

interface Known {
  readonly network: RoadNetwork
  readonly cuts: Map<Digest, ZoneCut>
  /** The same with its references kept: building one costs more than rating a stretch, and roads are driven again and again. */
  readonly roads: MeteredRoads
  /** Names of roads by the references of their segments. */
  readonly names: Map<string, string>
}

function knownNetwork(network: RoadNetwork): Known {
  const refs = new Map<number, string>()
  const roads: MeteredRoads = {
    digest: network.digest,
    ref(segment) {
      let ref = refs.get(segment)
      if (ref === undefined) refs.set(segment, (ref = network.ref(segment)))
      return ref
    },
    roadClass: (segment) => network.roadClass(segment),
    access: (segment) => network.access(segment),
    lengthMm: (segment) => network.lengthMm(segment),
  }
  return { network, cuts: new Map(), roads, names: new Map() }
}

/** Zones by what they are, so that policies that have the same share a cut. */
const keys = new WeakMap<PolicyDocument, Digest>()

const NAMELESS = '(roads without a name)'

/** The stretches of a trip by the name of their road, each as a report of its own. */
function byRoad(report: ChargeReport, known: Known): Map<string, ChargeReport> {
  const stretches = new Map<string, Stretch[]>()
  let name = ''
  let those: Stretch[] | undefined
  for (const stretch of report.stretches) {
    const road = nameOf(known, stretch.segment)
    if (!those || road !== name) {
      those = stretches.get(road)
      if (!those) stretches.set(road, (those = []))
      name = road
    }
    those.push(stretch)
  }
  const reports = new Map<string, ChargeReport>()
  const { v, trip, vehicle, startedAt, endedAt, network, engine, breaks } = report
  for (const [road, part] of stretches) {
    let [mm, matched] = [0, 0]
    for (const { fromMm, toMm, fixes } of part) {
      mm += toMm - fromMm
      matched += fixes
    }
    const fixes = { accepted: matched, matched, unmatched: {} }
    reports.set(road, { v, trip, vehicle, startedAt, endedAt, network, engine, breaks, stretches: part, matchedMm: millimetres(mm), fixes }) // prettier-ignore
  }
  return reports
}

function nameOf({ network, names }: Known, ref: string): string {
  let name = names.get(ref)
  if (name === undefined) {
    const segment = network.find(ref)
    name = (segment >= 0 && network.name(segment)) || NAMELESS
    names.set(ref, name)
  }
  return name
}
