import { type ChargeReport, type PolicyDocument, type RatedVehicle, type Stretch } from '#contracts'
import { cutNetwork, type ZoneCut } from '#geofencing'
import { digest, invariant, micros, millimetres, NO_MONEY, type Digest, type Micros } from '#kernel'
import { chargeReport, type MatchedTrip } from '#mileage'
import { cuttingZones, localClock, policyInForce } from '#policy'
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
  private readonly networks = new Map<Digest, { network: RoadNetwork; cuts: Map<Digest, ZoneCut> }>()
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
    this.networks.set(network, { network: unpackNetwork(packed), cuts: new Map() })
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
    const { network } = known
    const match = JSON.parse(trip.path!) as MatchedTrip
    const metered = { ...trip, vehicle: rated.vehicle }
    const cut = this.cut(trip.network, this.draft)
    const reports = {
      before: chargeReport(metered, match, network, (at) => {
        const policy = policyInForce(this.what.published, at)
        return policy && this.cut(trip.network, policy)
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
      roads: this.roadsOf(reports, network, rated),
    }
  }

  /** What the distance costs by the name of the road: each road's stretches rated by themselves, without flat prices. */
  private roadsOf(reports: Record<'before' | 'after', ChargeReport>, network: RoadNetwork, vehicle: RatedVehicle) {
    const roads = new Map<string, { name: string; distanceMm: number; before: Micros; after: Micros }>()
    for (const side of ['before', 'after'] as const)
      for (const [name, part] of byRoad(reports[side], network)) {
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

/** Zones by what they are, so that policies that have the same share a cut. */
const keys = new WeakMap<PolicyDocument, Digest>()

const NAMELESS = '(roads without a name)'

/** The stretches of a trip by the name of their road, each as a report of its own. */
function byRoad(report: ChargeReport, network: RoadNetwork): Map<string, ChargeReport> {
  const stretches = new Map<string, Stretch[]>()
  for (const stretch of report.stretches) {
    const segment = network.find(stretch.segment)
    const road = (segment >= 0 && network.name(segment)) || NAMELESS
    const those = stretches.get(road)
    if (those) those.push(stretch)
    else stretches.set(road, [stretch])
  }
  return new Map(
    [...stretches].map(([road, those]) => [
      road,
      {
        ...report,
        stretches: those,
        matchedMm: millimetres(those.reduce((mm, { fromMm, toMm }) => mm + toMm - fromMm, 0)),
        fixes: { ...report.fixes, matched: those.reduce((sum, { fixes }) => sum + fixes, 0) },
      },
    ]),
  )
}
