import { type Batch } from '#contracts'
import { type AccountId, type Instant, type TripId, type VehicleId } from '#kernel'
import { type RoadNetwork } from '#road-network'
import {
  accessesOf,
  accountById,
  batchesOf,
  chargesOf,
  choicesOf,
  destructionsOf,
  disputesOf,
  erasuresOf,
  evidenceOf,
  fatesOf,
  holdingOf,
  legalHolds,
  OWN_RECORDS,
  ownAnswers,
  ownRecords,
  paymentsOf,
  pathOf,
  photoOf,
  readingsOf,
  reportOf,
  stepsOf,
  tripsWhere,
  vehiclesOf,
  type Store,
  type StoredMatch,
  type TripRow,
  type Tx,
} from '#store'
import { type Line } from './line'

/** What somebody can take away of what is held about them. */
export const OWN_FORMS = ['json', 'csv', 'geojson', 'gpx'] as const
export type OwnForm = (typeof OWN_FORMS)[number]

const TRIPS_AT_ONCE = 20

/** One trip with all that is kept of it. Fixes are those that are kept still, in the device's order. */
interface OwnTrip {
  readonly trip: TripRow
  readonly fixes: Batch['fixes']
  readonly path: StoredMatch | null
  readonly network: RoadNetwork | null
}

/**
 * Everything that is held about an account, as text, piece by piece: never more than some trips in memory. `json` is all of it; `csv` a
 * line for each trip; `geojson` the roads and `gpx` (1.1) the fixes of trips of which they are kept still.
 */
export async function* ownData(store: Store, line: Line, account: AccountId, form: OwnForm): AsyncGenerator<string> {
  const trips = ownTrips(store, line, account)
  if (form === 'json') {
    const about = await store.transaction((tx) => aboutAccount(tx, account))
    yield `${JSON.stringify({ v: 1, account: account, exportedAt: line.clock.now(), ...about }, plain).slice(0, -1)},"trips":[`
    yield* joined(trips, async (own) => JSON.stringify(await wholeTrip(store, own), plain), ',')
    yield '],"records":{'
    yield* joined(
      OWN_RECORDS,
      async (table) => `"${table}":${JSON.stringify(await store.transaction((tx) => ownRecords(tx, account, table)))}`,
      ',\n',
    )
    yield '}}\n'
  } else if (form === 'csv') {
    yield 'trip,vehicle,month,started_at,ended_at,state,fixes,fixes_kept,roads_kept,distance_mm,amount_micros\r\n'
    for await (const { trip, fixes, path } of trips) {
      const charges = await store.transaction((tx) => chargesOf(tx, [trip.id]))
      const lines = charges.get(trip.id)!
      const cells = [
        trip.id,
        trip.vehicle,
        trip.month ?? '',
        iso(trip.startedAt),
        iso(trip.endedAt),
        trip.state,
        trip.fixes,
        fixes.length,
        path ? 'yes' : 'no',
        lines.reduce((sum, { distanceMm }) => sum + distanceMm, 0),
        lines.reduce((sum, { amount }) => sum + amount, 0n),
      ]
      yield `${cells.join(',')}\r\n`
    }
  } else if (form === 'geojson') {
    yield '{"type":"FeatureCollection","features":['
    yield* joined(withRoads(trips), (own) => JSON.stringify(roadsOf(own)), ',\n')
    yield ']}\n'
  } else {
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="Roadmeter" xmlns="http://www.topografix.com/GPX/1/1">\n'
    for await (const { trip, fixes } of trips) {
      if (fixes.length === 0) continue
      const points = fixes.map(([at, lat, lon]) => `<trkpt lat="${lat}" lon="${lon}"><time>${iso(at)}</time></trkpt>`)
      yield `<trk><name>${trip.id}</name><trkseg>\n${points.join('\n')}\n</trkseg></trk>\n`
    }
    yield '</gpx>\n'
  }
}

async function* ownTrips(store: Store, line: Line, account: AccountId): AsyncGenerator<OwnTrip> {
  for (let after = ''; ;) {
    const page = await store.transaction(async (tx) => {
      const trips = await tripsWhere(tx, `account = $1 and id > $2 order by id limit ${TRIPS_AT_ONCE}`, [
        account,
        after,
      ])
      const own: OwnTrip[] = []
      for (const trip of trips) {
        const path = await pathOf(tx, trip.id)
        own.push({
          trip,
          fixes: (await batchesOf(tx, trip)).flatMap(({ fixes }) => fixes),
          path,
          network: path && (await line.reference.network(tx, trip.agency, trip.network!)).network,
        })
      }
      return own
    })
    if (page.length === 0) return
    yield* page
    after = page.at(-1)!.trip.id
  }
}

async function aboutAccount(tx: Tx, account: AccountId) {
  const row = (await accountById(tx, account))!
  const vehicles = []
  for (const vehicle of await vehiclesOf(tx, account))
    vehicles.push({
      ...vehicle,
      methods: await choicesOf(tx, vehicle.vehicle),
      readings: await readingsOf(tx, vehicle.vehicle),
      photos: await photosOf(tx, vehicle.vehicle),
      devices: (
        await tx.rows<{ id: string }>(`select id from metering.device where vehicle = $1 order by id`, [
          vehicle.vehicle,
        ])
      ).map(({ id }) => id),
    })
  const disputes = []
  for (const dispute of await disputesOf(tx, { agency: row.agency, account })) {
    const steps = []
    for (const step of await stepsOf(tx, dispute.id)) {
      const file = step.evidence ? await evidenceOf(tx, dispute.id, step.evidence) : null
      steps.push({
        ...step,
        file: file && { mediaType: file.mediaType, base64: Buffer.from(file.bytes).toString('base64') },
      })
    }
    disputes.push({ ...dispute, steps })
  }
  return {
    name: row.name,
    agency: row.agency,
    vehicles,
    statements: (
      await tx.rows<{ id: string; state: string; document: string }>(
        `select id, state, document from money.statement where account = $1 order by month`,
        [account],
      )
    ).map(({ id, state, document }) => ({ id, state, document: JSON.parse(document) as unknown })),
    payments: await paymentsOf(tx, account),
    disputes,
    surveys: await ownAnswers(tx, account),
    keeping: await holdingOf(tx, account),
    legalHolds: await legalHolds(tx, account, true),
    erasures: await erasuresOf(tx, account),
    destroyed: await destructionsOf(tx, account),
    readBy: await accessesOf(tx, account),
  }
}

async function photosOf(tx: Tx, vehicle: VehicleId) {
  const photos = []
  for (const { photo } of await readingsOf(tx, vehicle)) {
    const found = photo === null ? null : await photoOf(tx, vehicle, photo)
    if (found) photos.push({ photo, mediaType: found.type, base64: Buffer.from(found.bytes).toString('base64') })
  }
  return photos
}

const wholeTrip = (store: Store, { trip, fixes }: OwnTrip) =>
  store.transaction(async (tx) => ({
    ...trip,
    fixes,
    fixCount: trip.fixes,
    fates: await fatesOf(tx, trip.id as TripId),
    report: await reportOf(tx, trip.id),
    charges: (await chargesOf(tx, [trip.id])).get(trip.id),
  }))

async function* withRoads(trips: AsyncIterable<OwnTrip>): AsyncGenerator<OwnTrip> {
  for await (const own of trips) if (own.path) yield own
}

/** The roads of a trip, whole segments cut to what was driven of them at their ends. */
const roadsOf = ({ trip, path, network }: OwnTrip) => ({
  type: 'Feature',
  geometry: {
    type: 'MultiLineString',
    coordinates: path!.traversals.map(({ segment, fromMm, toMm }) => [
      network!.pointAt(segment, fromMm),
      ...inside(network!, segment, fromMm, toMm),
      network!.pointAt(segment, toMm),
    ]),
  },
  properties: { trip: trip.id, vehicle: trip.vehicle, startedAt: iso(trip.startedAt), endedAt: iso(trip.endedAt) },
})

/** The points of a segment's shape where it was driven from end to end: between cuts a straight line is near enough. */
function inside(network: RoadNetwork, segment: number, fromMm: number, toMm: number): [number, number][] {
  if (fromMm > 0 || toMm < network.lengthMm(segment)) return []
  const shape = network.shape(segment)
  return Array.from({ length: shape.length / 2 - 2 }, (_, i) => [shape[2 * i + 2], shape[2 * i + 3]])
}

async function* joined<T>(
  items: AsyncIterable<T> | Iterable<T>,
  text: (item: T) => string | Promise<string>,
  between: string,
): AsyncGenerator<string> {
  let first = true
  for await (const item of items) {
    yield first ? await text(item) : between + (await text(item))
    first = false
  }
}

const iso = (at: Instant | number | null): string => (at === null ? '' : new Date(at).toISOString())
const plain = (_: string, member: unknown) => (typeof member === 'bigint' ? String(member) : member)
