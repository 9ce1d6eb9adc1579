import { type AgencyId, type Digest, type Instant, type TripId, type VehicleId } from '#kernel'
import { type Tx } from './store'

/** What is driven on by fewer vehicles is not kept; the check on metering.segment_use has the same number. */
export const TRAFFIC_VEHICLES_MIN = 10

/** The counting of a month: whose turn is next, and, once it is done, what it came to. */
export interface Traffic {
  readonly month: string
  readonly lastVehicle: VehicleId | ''
  /** Vehicles that were counted. */
  readonly vehicles: number
  /** Segments that may be shown, and those that fewer than TRAFFIC_VEHICLES_MIN vehicles drove on; null while it is counted. */
  readonly segments: number | null
  readonly suppressed: number | null
}

const TRAFFIC = `month, last_vehicle as "lastVehicle", vehicles, segments, suppressed`

/** Begins to count a month, or goes on. */
export async function lockTraffic(tx: Tx, agency: AgencyId, month: string): Promise<Traffic> {
  await tx.run(`insert into metering.traffic (agency, month) values ($1, $2) on conflict do nothing`, [agency, month])
  return (await tx.row<Traffic>(`select ${TRAFFIC} from metering.traffic where agency = $1 and month = $2 for update`, [
    agency,
    month,
  ]))!
}

/** A posted trip that is to be counted. */
export interface CountedTrip {
  readonly trip: TripId
  readonly vehicle: VehicleId
  readonly startedAt: Instant
}

/** The posted trips of a month of the `most` vehicles that follow `after`, vehicle by vehicle. Voided ones are no traffic. */
export async function tripsToCount(
  tx: Tx,
  agency: AgencyId,
  month: string,
  after: string,
  most: number,
): Promise<CountedTrip[]> {
  const rows = await tx.rows<Omit<CountedTrip, 'startedAt'> & { startedAt: string }>(
    `select t.id as trip, t.vehicle, t.started_at as "startedAt" from metering.trip t
     where t.agency = $1 and t.month = $2 and t.state = 'posted' and t.fixes > 0 and t.vehicle in (
       select distinct vehicle from metering.trip where agency = $1 and month = $2 and state = 'posted' and fixes > 0 and vehicle > $3 order by vehicle limit $4)
       and not exists (select 1 from metering.review r where r.trip = t.id and r.decision = 'void')
     order by t.vehicle, t.started_at, t.id`,
    [agency, month, after, most],
  )
  return rows.map((row) => ({ ...row, startedAt: Number(row.startedAt) as Instant }))
}

/** The last of the `most` vehicles that follow `after`; null where none does. */
export const lastToCount = async (
  tx: Tx,
  agency: AgencyId,
  month: string,
  after: string,
  most: number,
): Promise<{ last: VehicleId; vehicles: number } | null> => {
  const row = await tx.row<{ last: VehicleId | null; vehicles: string }>(
    `select max(vehicle) as last, count(*) as vehicles from (select distinct vehicle from metering.trip
       where agency = $1 and month = $2 and state = 'posted' and fixes > 0 and vehicle > $3 order by vehicle limit $4) page`,
    [agency, month, after, most],
  )
  return row?.last ? { last: row.last, vehicles: Number(row.vehicles) } : null
}

/** What some vehicles drove on a segment of a network. */
export interface SegmentCount {
  readonly network: Digest
  readonly segment: string
  readonly vehicles: number
  readonly chargedMm: number
}

/** Adds a page of vehicles. */
export async function addTraffic(
  tx: Tx,
  agency: AgencyId,
  month: string,
  page: { readonly last: VehicleId; readonly vehicles: number },
  counts: readonly SegmentCount[],
): Promise<void> {
  await tx.run(
    `insert into location.segment_count (agency, month, network, segment, vehicles, charged_mm)
     select $1, $2, * from unnest($3::text[], $4::text[], $5::int[], $6::int8[])
     on conflict (agency, month, network, segment) do update
       set vehicles = segment_count.vehicles + excluded.vehicles, charged_mm = segment_count.charged_mm + excluded.charged_mm`,
    [
      agency,
      month,
      counts.map((count) => count.network),
      counts.map((count) => count.segment),
      counts.map((count) => count.vehicles),
      counts.map((count) => count.chargedMm),
    ],
  )
  await tx.run(
    `update metering.traffic set last_vehicle = $3, vehicles = vehicles + $4 where agency = $1 and month = $2`,
    [agency, month, page.last, page.vehicles],
  )
}

/** Keeps what enough vehicles drove on, and drops the rest. */
export async function closeTraffic(tx: Tx, agency: AgencyId, month: string, now: Instant): Promise<void> {
  const kept = await tx.run(
    `insert into metering.segment_use (agency, month, network, segment, vehicles, charged_mm)
     select agency, month, network, segment, vehicles, charged_mm from location.segment_count where agency = $1 and month = $2 and vehicles >= $3`,
    [agency, month, TRAFFIC_VEHICLES_MIN],
  )
  const counted = await tx.run(`delete from location.segment_count where agency = $1 and month = $2`, [agency, month])
  await tx.run(
    `update metering.traffic set segments = $3, suppressed = $4, counted_at = $5 where agency = $1 and month = $2`,
    [agency, month, kept, counted - kept, now],
  )
}

/** The months whose miles are counted, newest first. */
export const trafficOf = (tx: Tx, agency: AgencyId): Promise<Traffic[]> =>
  tx.rows<Traffic>(
    `select ${TRAFFIC} from metering.traffic where agency = $1 and counted_at is not null order by month desc`,
    [agency],
  )

/** What was driven on each segment of a network in a month, by at least TRAFFIC_VEHICLES_MIN vehicles. */
export const segmentUses = async (tx: Tx, agency: AgencyId, month: string): Promise<SegmentCount[]> =>
  (
    await tx.rows<Omit<SegmentCount, 'chargedMm'> & { chargedMm: string }>(
      `select network, segment, vehicles, charged_mm as "chargedMm" from metering.segment_use where agency = $1 and month = $2 order by network, segment`,
      [agency, month],
    )
  ).map((row) => ({ ...row, chargedMm: Number(row.chargedMm) }))
