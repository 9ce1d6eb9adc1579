import { type Quote, type RoadPiece, type TripView } from '#contracts'
import { InputError, instant, type AccountId, type AgencyId, type Instant, type TripId, type VehicleId } from '#kernel'
import { ENGINE_VERSION, type Traversal } from '#map-matching'
import { chargeReport } from '#mileage'
import { rate } from '#rating'
import { ASSUMED_KMH, type RoadNetwork, shortestPath } from '#road-network'
import {
  chargesOf,
  networkInForce,
  ratedVehicles,
  reportOf,
  tripById,
  tripsWhere,
  tripSummaries,
  type Tx,
} from '#store'
import { type Line } from './line'
import { pricedLines, roadPieces, roadUses } from './pieces'

/** A trip of an account with its price, stretch by stretch. InputError NO_TRIP where the account has no such trip. */
export async function viewTrip(tx: Tx, account: AccountId, id: TripId, line: Line): Promise<TripView> {
  const [summary] = await tripSummaries(tx, account, { trip: id })
  if (!summary) throw new InputError('NO_TRIP', 'there is no such trip')
  const trip = (await tripById(tx, id))!
  const tariff = await line.reference.tariff(tx, trip.agency)
  const report = await reportOf(tx, id)
  const [vehicle] = await ratedVehicles(tx, [{ vehicle: trip.vehicle, at: trip.startedAt! }])
  const { network } = trip.network ? await line.reference.network(tx, trip.agency, trip.network) : { network: null }
  return {
    ...summary,
    currency: tariff.documents[0]?.currency ?? '',
    lines: pricedLines((await chargesOf(tx, [id])).get(id) ?? [], tariff.documents),
    pieces: report && network && roadPieces(report, network, vehicle, (at) => tariff.compiledAt(at)),
  }
}

/** Trips of a month that are drawn together. */
const DRAWN_TRIPS_MAX = 600

/** The roads that an account's trips of a month were driven on; those whose locations were destroyed are left out, and counted. */
export async function roadsOfMonth(tx: Tx, account: AccountId, month: string, line: Line) {
  const trips = await tripsWhere(
    tx,
    `account = $1 and month = $2 and report_digest is not null order by started_at desc limit ${DRAWN_TRIPS_MAX}`,
    [account, month],
  )
  const drives: RoadPiece[][] = []
  for (const trip of trips) {
    const report = await reportOf(tx, trip.id)
    if (!report) continue
    const { network } = await line.reference.network(tx, trip.agency, trip.network!)
    const tariff = await line.reference.tariff(tx, trip.agency)
    const [vehicle] = await ratedVehicles(tx, [{ vehicle: trip.vehicle, at: trip.startedAt! }])
    drives.push(roadPieces(report, network, vehicle, (at) => tariff.compiledAt(at)))
  }
  return { roads: roadUses(drives), trips: drives.length, destroyed: trips.length - drives.length }
}

/** How far from a road somebody may point. */
const NEAR_M = 400
const ROUTE_MM_MAX = 300_000_000

export interface QuoteAsked {
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
  readonly at: number
  readonly vehicleClass: Parameters<typeof rate>[1]['vehicleClass']
}

/**
 * What a drive would cost: the fastest way between two points, by the policy in force when it is driven. InputError NO_NETWORK, OFF_NETWORK where a point
 * is near no road, or NO_ROUTE.
 */
export async function quoteTrip(tx: Tx, agency: AgencyId, asked: QuoteAsked, line: Line): Promise<Quote> {
  const at = instant(asked.at)
  const digest = await networkInForce(tx, agency, at)
  if (!digest) throw new InputError('NO_NETWORK', 'the city has no road map for that time yet')
  const { network } = await line.reference.network(tx, agency, digest)
  const tariff = await line.reference.tariff(tx, agency)
  const zonesAt = await line.reference.zonesAt(tx, agency, digest)
  const traversals = routeOf(network, asked, at)
  const endedAt = traversals.at(-1)!.leftAt
  const trip = {
    trip: 'quote' as TripId,
    vehicle: 'quote' as VehicleId,
    startedAt: at,
    endedAt,
    engine: ENGINE_VERSION,
  }
  const report = chargeReport(trip, { traversals, fates: {}, breaks: 0 }, network, zonesAt)
  const vehicle = { vehicle: trip.vehicle, vehicleClass: asked.vehicleClass }
  const charges = rate(report, vehicle, (moment) => tariff.compiledAt(moment))
  return {
    policy: tariff.inForce(at)?.name ?? null,
    currency: tariff.documents[0]?.currency ?? '',
    distanceMm: report.matchedMm,
    durationMs: endedAt - at,
    amountMicros: String(charges.reduce((sum, { amount }) => sum + amount, 0n)),
    lines: pricedLines(charges, tariff.documents),
    pieces: roadPieces(report, network, vehicle, (moment) => tariff.compiledAt(moment)),
  }
}

/** The fastest of the ways between the roads at both points, as if it had been driven at the roads' own speeds. */
function routeOf(network: RoadNetwork, { from, to }: QuoteAsked, at: Instant): Traversal[] {
  const [starts, ends] = (
    [
      ['from', from],
      ['to', to],
    ] as const
  ).map(([name, [lon, lat]]) => {
    const places = network.nearest(lon, lat, NEAR_M)
    if (places.length === 0)
      throw new InputError('OFF_NETWORK', 'there is no road near this point', [
        { path: name, expected: 'a point nearer to a road', found: `${lon}, ${lat}` },
      ])
    // Both directions of the nearest road.
    return places.filter(({ distanceM }) => distanceM < places[0].distanceM + 1).slice(0, 2)
  })
  let best: { path: readonly number[]; start: number; end: number; ms: number } | null = null
  for (const start of starts)
    for (const end of ends) {
      const path = shortestPath(network, start, end, { by: 'time', lengthMmMax: ROUTE_MM_MAX, labelsMax: 400_000 })
      if (!path) continue
      const pieces = piecesOf(network, path, start.offsetMm, end.offsetMm)
      const ms = pieces.reduce((sum, piece) => sum + piece.ms, 0)
      if (!best || ms < best.ms) best = { path, start: start.offsetMm, end: end.offsetMm, ms }
    }
  if (!best) throw new InputError('NO_ROUTE', 'no way leads from the one point to the other')
  let now: number = at
  return piecesOf(network, best.path, best.start, best.end).map(({ segment, fromMm, toMm, ms }) => {
    const enteredAt = instant(Math.round(now))
    now += ms
    const leftAt = instant(Math.round(now))
    return { segment, fromMm, toMm, enteredAt, leftAt, fixes: 0, inferred: false, confidence: 1000 }
  })
}

function piecesOf(network: RoadNetwork, path: readonly number[], startMm: number, endMm: number) {
  return path.map((segment, i) => {
    const fromMm = i === 0 ? startMm : 0
    const toMm = i === path.length - 1 ? endMm : network.lengthMm(segment)
    const kmh = network.maxSpeedKmh(segment) || ASSUMED_KMH[network.roadClass(segment)]
    return { segment, fromMm, toMm, ms: (toMm - fromMm) / (kmh / 3.6) }
  })
}
