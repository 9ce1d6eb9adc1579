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
  /** Voided on review: it was driven, and costs nothing. */
  readonly isVoid: boolean
}

/** The trips that a month's close took, as analysts' tables are of (results.ts): one set, so that no difference is of a late trip. */
const OF_MONTH = `from money.period_trip p join metering.trip t on t.id = p.trip where p.agency = $1 and p.month = $2 and t.fixes > 0`

/** Those of the `most` vehicles that follow `after`, vehicle by vehicle. */
export async function tripsToCount(
  tx: Tx,
  agency: AgencyId,
  month: string,
  after: string,
  most: number,
): Promise<CountedTrip[]> {
  const rows = await tx.rows<Omit<CountedTrip, 'startedAt'> & { startedAt: string }>(
    `select t.id as trip, t.vehicle, t.started_at as "startedAt",
       exists (select 1 from metering.review r where r.trip = t.id and r.decision = 'void') as "isVoid"
     ${OF_MONTH} and t.vehicle in (select distinct t.vehicle ${OF_MONTH} and t.vehicle > $3 order by t.vehicle limit $4)
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
    `select max(vehicle) as last, count(*) as vehicles from (
       select distinct t.vehicle ${OF_MONTH} and t.vehicle > $3 order by t.vehicle limit $4) page`,
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

/** The same under way, with what was driven there for nothing. */
export interface SegmentTally extends SegmentCount {
  readonly freeVehicles: number
  readonly freeMm: number
}

/** Adds a page of vehicles. */
export async function addTraffic(
  tx: Tx,
  agency: AgencyId,
  month: string,
  page: { readonly last: VehicleId; readonly vehicles: number },
  counts: readonly SegmentTally[],
): Promise<void> {
  await tx.run(
    `insert into location.segment_count (agency, month, network, segment, vehicles, charged_mm, free_vehicles, free_mm)
     select $1, $2, * from unnest($3::text[], $4::text[], $5::int[], $6::int8[], $7::int[], $8::int8[])
     on conflict (agency, month, network, segment) do update
       set vehicles = segment_count.vehicles + excluded.vehicles, charged_mm = segment_count.charged_mm + excluded.charged_mm,
         free_vehicles = segment_count.free_vehicles + excluded.free_vehicles, free_mm = segment_count.free_mm + excluded.free_mm`,
    [
      agency,
      month,
      counts.map((count) => count.network),
      counts.map((count) => count.segment),
      counts.map((count) => count.vehicles),
      counts.map((count) => count.chargedMm),
      counts.map((count) => count.freeVehicles),
      counts.map((count) => count.freeMm),
    ],
  )
  await tx.run(
    `update metering.traffic set last_vehicle = $3, vehicles = vehicles + $4 where agency = $1 and month = $2`,
    [agency, month, page.last, page.vehicles],
  )
}

/**
 * Keeps what enough vehicles drove on, and drops the rest. Dropped, too, is a segment of which the table `miles-by-segment` has let out all
 * hours where some, but fewer than enough, drove there for nothing: table less map would be what they drove.
 */
export async function closeTraffic(tx: Tx, agency: AgencyId, month: string, now: Instant): Promise<void> {
  const kept = await tx.run(
    `insert into metering.segment_use (agency, month, network, segment, vehicles, charged_mm)
     select agency, month, network, segment, vehicles, charged_mm from location.segment_count s
     where agency = $1 and month = $2 and vehicles >= $3 and charged_mm > 0
       and not (free_vehicles between 1 and $3 - 1 and charged_mm + free_mm = (
         select sum(c.sums[1]) from results.release r join results.cell c on c.release = r.id
         where r.agency = $1 and r.period = $2 and r.dataset = 'miles-by-segment' and r.noise = '' and c.key[1] = s.segment))`,
    [agency, month, TRAFFIC_VEHICLES_MIN],
  )
  const [{ charged }] = await tx.rows<{ charged: string }>(
    `with gone as (delete from location.segment_count where agency = $1 and month = $2 returning charged_mm)
     select count(*) filter (where charged_mm > 0) as charged from gone`,
    [agency, month],
  )
  await tx.run(
    `update metering.traffic set segments = $3, suppressed = $4, counted_at = $5 where agency = $1 and month = $2`,
    [agency, month, kept, Number(charged) - kept, now],
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
