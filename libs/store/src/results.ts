import { type Cell } from '#disclosure'
import { type AccountId, type AgencyId, type Digest, type Instant, type TripId, type VehicleId } from '#kernel'
import { type TripMileage } from '#evaluation'
import { tripsWhere, type TripRow } from './trips'
import { type Tx } from './store'

/** How far the counting of a month has come. */
export interface Counting {
  readonly trips: number
  readonly done: number
  readonly gone: number
  readonly vehicles: number
  readonly lastAccount: AccountId | null
  readonly finishedAt: Instant | null
}

/** The trips that a month's cut-off took, and which drove with location. */
const COUNTED = `from money.period_trip p join metering.trip t on t.id = p.trip where p.agency = $1 and p.month = $2 and t.fixes > 0`

export async function countingOf(tx: Tx, agency: AgencyId, month: string): Promise<Counting | null> {
  const row = await tx.row<
    Record<'trips' | 'done' | 'gone' | 'vehicles', string> & { last: AccountId | null; finished: string | null }
  >(
    `select trips, done, gone, vehicles, last_account as last, finished_at as finished from results.counting where agency = $1 and month = $2`,
    [agency, month],
  )
  return (
    row && {
      trips: Number(row.trips),
      done: Number(row.done),
      gone: Number(row.gone),
      vehicles: Number(row.vehicles),
      lastAccount: row.last,
      finishedAt: row.finished === null ? null : (Number(row.finished) as Instant),
    }
  )
}

/** Begins to count a month; one that was begun goes on. */
export const beginCounting = (tx: Tx, agency: AgencyId, month: string): Promise<number> =>
  tx.run(
    `insert into results.counting (agency, month, trips) select $1, $2, count(*) ${COUNTED} on conflict do nothing`,
    [agency, month],
  )

export const saveCounting = (tx: Tx, agency: AgencyId, month: string, counting: Counting): Promise<number> =>
  tx.run(
    `update results.counting set done = $3, gone = $4, vehicles = $5, last_account = $6, finished_at = $7 where agency = $1 and month = $2`,
    [agency, month, counting.done, counting.gone, counting.vehicles, counting.lastAccount, counting.finishedAt],
  )

/** The trips of the accounts that follow `after`, whole accounts in their order: at most `most`, but always those of one account. */
export async function countedTrips(
  tx: Tx,
  agency: AgencyId,
  month: string,
  after: AccountId | null,
  most: number,
): Promise<TripRow[]> {
  const counts = await tx.rows<{ account: AccountId; trips: string }>(
    `select p.account, count(*) as trips ${COUNTED} and p.account > $3 group by p.account order by p.account limit $4`,
    [agency, month, after ?? '', most],
  )
  const accounts: AccountId[] = []
  let trips = 0
  for (const row of counts) {
    trips += Number(row.trips)
    if (accounts.length > 0 && trips > most) break
    accounts.push(row.account)
  }
  return tripsWhere(
    tx,
    `id in (select trip from money.period_trip where agency = $1 and month = $2 and account = any($3::text[])) and fixes > 0 order by account, vehicle, started_at, id`,
    [agency, month, accounts],
  )
}

/** What was stored of trips' distances. */
export async function mileageOfTrips(tx: Tx, trips: readonly TripId[]): Promise<Map<TripId, TripMileage>> {
  const rows = await tx.rows<Record<string, string | null> & { trip: TripId; verdict: string }>(
    `select trip, matched_mm, inferred_mm, off_network_mm, raw_mm, metered_mm, odometer_mm, verdict from metering.trip_mileage where trip = any($1::text[])`,
    [trips],
  )
  const mm = (value: string | null) => (value === null ? null : Number(value))
  return new Map(
    rows.map((row) => [
      row.trip,
      {
        matchedMm: Number(row.matched_mm),
        inferredMm: Number(row.inferred_mm),
        offNetworkMm: Number(row.off_network_mm),
        rawMm: Number(row.raw_mm),
        meteredMm: mm(row.metered_mm),
        odometerMm: mm(row.odometer_mm),
        verdict: row.verdict,
      },
    ]),
  )
}

const PART = '\u001f'
const cellsAsJson = (cells: readonly Cell[]): string =>
  JSON.stringify(
    cells.map(({ key, vehicles, sums, over, squares, largest, second }) => ({
      key: key.join(PART),
      vehicles,
      sums: sums.map(String),
      over: over.map(String),
      squares,
      largest: String(largest),
      second: String(second),
    })),
  )

/** Adds cells of other vehicles to those of a month under way: the same as `mergeCells`. */
export async function addTally(
  tx: Tx,
  agency: AgencyId,
  month: string,
  dataset: string,
  cells: readonly Cell[],
): Promise<void> {
  if (cells.length === 0) return
  await tx.run(
    `insert into location.tally (agency, month, dataset, key, vehicles, sums, over, squares, largest, second)
     select $1, $2, $3, c.* from json_to_recordset($4::json) as c(key text, vehicles integer, sums bigint[], over bigint[], squares float8, largest bigint, second bigint)
     order by c.key
     on conflict (agency, month, dataset, key) do update set vehicles = tally.vehicles + excluded.vehicles,
       sums = results.added(tally.sums, excluded.sums), over = results.added(tally.over, excluded.over), squares = tally.squares + excluded.squares,
       largest = greatest(tally.largest, excluded.largest),
       second = greatest(least(tally.largest, excluded.largest), tally.second, excluded.second)`,
    [agency, month, dataset, cellsAsJson(cells)],
  )
}

export async function tallyOf(tx: Tx, agency: AgencyId, month: string, dataset: string): Promise<Cell[]> {
  const rows = await tx.rows<{
    key: string
    vehicles: number
    sums: string[]
    over: string[]
    squares: number
    largest: string
    second: string
  }>(
    `select key, vehicles, sums::text[], over::text[], squares, largest, second from location.tally where agency = $1 and month = $2 and dataset = $3 order by key`,
    [agency, month, dataset],
  )
  return rows.map((row) => ({
    key: row.key.split(PART),
    vehicles: row.vehicles,
    sums: row.sums.map(BigInt),
    over: row.over.map(BigInt),
    squares: row.squares,
    largest: BigInt(row.largest),
    second: BigInt(row.second),
  }))
}

/** Destroys what a month was counted from. */
export const dropTally = (tx: Tx, agency: AgencyId, month: string): Promise<number> =>
  tx.run(`delete from location.tally where agency = $1 and month = $2`, [agency, month])

/** A table that was let out, without its cells. */
export interface Release {
  readonly id: string
  readonly agency: AgencyId
  readonly dataset: string
  readonly period: string
  readonly noise: string
  readonly cost: number
  readonly k: number
  readonly rows: number
  readonly suppressed: { readonly few: number; readonly dominated: number; readonly complementary: number }
  readonly totals: readonly bigint[] | null
  /** What else is to be said of it: trips that were gone, the seed of a draw and so on. */
  readonly facts: Readonly<Record<string, unknown>>
  readonly digest: Digest
  readonly releasedAt: Instant
}

/** A cell that was let out. */
export type ReleasedCell = Pick<Cell, 'key' | 'vehicles' | 'sums' | 'over'> & { readonly squares: number | null }

const CELLS_AT_ONCE = 5_000

export async function saveRelease(tx: Tx, release: Release, cells: readonly ReleasedCell[]): Promise<void> {
  const { suppressed, totals } = release
  await tx.run(
    `insert into results.release (id, agency, dataset, period, noise, cost, k, rows, few, dominated, complementary, totals, facts, digest, released_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::bigint[], $13, $14, $15)`,
    [
      release.id,
      release.agency,
      release.dataset,
      release.period,
      release.noise,
      release.cost,
      release.k,
      release.rows,
      suppressed.few,
      suppressed.dominated,
      suppressed.complementary,
      totals && totals.map(String),
      JSON.stringify(release.facts),
      release.digest,
      release.releasedAt,
    ],
  )
  for (let from = 0; from < cells.length; from += CELLS_AT_ONCE) {
    const some = cells.slice(from, from + CELLS_AT_ONCE)
    await tx.run(
      `insert into results.cell (release, place, key, vehicles, sums, over, squares)
       select $1, c.* from json_to_recordset($2::json) as c(place integer, key text[], vehicles integer, sums bigint[], over bigint[], squares float8)`,
      [
        release.id,
        JSON.stringify(
          some.map(({ key, vehicles, sums, over, squares }, i) => ({
            place: from + i,
            key,
            vehicles,
            sums: sums.map(String),
            over: over.map(String),
            squares: squares === null || Number.isNaN(squares) ? null : squares,
          })),
        ),
      ],
    )
  }
}

/** Nobody else lets anything out for this agency until the transaction ends: the register and the budget are read, then written. */
export const lockReleases = (tx: Tx, agency: AgencyId): Promise<number> =>
  tx.run(`select pg_advisory_xact_lock(hashtextextended('results/' || $1, 0))`, [agency])

/** The releases of a table, oldest first. */
export async function releasesOf(tx: Tx, agency: AgencyId, dataset: string, period: string): Promise<Release[]> {
  const rows = await tx.rows<Record<string, string> & { totals: string[] | null; facts: Record<string, unknown> }>(
    `select id, dataset, period, noise, cost, k, rows, few, dominated, complementary, totals::text[], facts, digest, released_at
     from results.release where agency = $1 and dataset = $2 and period = $3 order by released_at, id`,
    [agency, dataset, period],
  )
  return rows.map((row) => ({
    id: row.id,
    agency,
    dataset: row.dataset,
    period: row.period,
    noise: row.noise,
    cost: Number(row.cost),
    k: Number(row.k),
    rows: Number(row.rows),
    suppressed: {
      few: Number(row.few),
      dominated: Number(row.dominated),
      complementary: Number(row.complementary),
    },
    totals: row.totals && row.totals.map(BigInt),
    facts: row.facts,
    digest: row.digest as Digest,
    releasedAt: Number(row.released_at) as Instant,
  }))
}

/** The cells of a release in their order, from a place on; at most `most`. */
export async function releasedCells(tx: Tx, release: string, from = 0, most = 1_000_000): Promise<ReleasedCell[]> {
  const rows = await tx.rows<{
    key: string[]
    vehicles: number
    sums: string[]
    over: string[]
    squares: number | null
  }>(
    `select key, vehicles, sums::text[], over::text[], squares from results.cell where release = $1 and place >= $2 and place < $3 order by place`,
    [release, from, from + most],
  )
  return rows.map((row) => ({ ...row, sums: row.sums.map(BigInt), over: row.over.map(BigInt) }))
}

/** Months of an agency whose tables are out, oldest first. */
export const releasedMonths = async (tx: Tx, agency: AgencyId): Promise<string[]> =>
  (
    await tx.rows<{ month: string }>(
      `select month from results.counting where agency = $1 and finished_at is not null order by month`,
      [agency],
    )
  ).map(({ month }) => month)

/** How driving is parted by where and when it was: the hour in which a trip began, each zone, the class of the road. */
export type DrivenBy = 'hour' | 'zone' | 'road-class'

/** What vehicles drove and were charged in booked months, by part: sums. A stretch in two zones counts in both; outside all is `none`. */
export async function drivenByPart(
  tx: Tx,
  agency: AgencyId,
  months: readonly string[],
  by: DrivenBy,
  { timeZone, none }: { readonly timeZone: string; readonly none: string },
): Promise<{ vehicle: VehicleId; group: string; mm: number; amount: number }[]> {
  const part = {
    hour: `select to_char(to_timestamp(t.started_at / 1000.0) at time zone $3, 'HH24') as name, $4::text as unused`,
    zone: `select unnest(case when cardinality(c.zones) = 0 then array[$4::text] else c.zones end) as name, $3::text as unused`,
    'road-class': `select c.road_class as name, $3::text || $4::text as unused`,
  }[by]
  const rows = await tx.rows<{ vehicle: VehicleId; group: string; mm: string; amount: string }>(
    `select t.vehicle, part.name as "group", sum(c.distance_mm)::text as mm, sum(c.amount)::text as amount
     from money.period_trip p join metering.trip t on t.id = p.trip join money.charge c on c.trip = p.trip cross join lateral (${part}) part
     where p.agency = $1 and p.month = any($2::text[]) and t.started_at is not null group by t.vehicle, part.name`,
    [agency, months, timeZone, none],
  )
  return rows.map((row) => ({ ...row, mm: Number(row.mm), amount: Number(row.amount) }))
}

/** What vehicles drove and were charged in booked months: sums, without a place. */
export async function drivenByVehicle(
  tx: Tx,
  agency: AgencyId,
  months: readonly string[],
): Promise<Map<VehicleId, { mm: number; amount: number; startedAt: Instant }>> {
  const rows = await tx.rows<{ vehicle: VehicleId; mm: string; amount: string; started: string }>(
    `select t.vehicle, sum(c.mm)::text as mm, sum(c.amount)::text as amount, max(t.started_at) as started
     from money.period_trip p join metering.trip t on t.id = p.trip
       join lateral (select coalesce(sum(distance_mm), 0) as mm, coalesce(sum(amount), 0) as amount from money.charge where trip = p.trip) c on true
     where p.agency = $1 and p.month = any($2::text[]) and t.started_at is not null group by t.vehicle`,
    [agency, months],
  )
  return new Map(
    rows.map((row) => [
      row.vehicle,
      { mm: Number(row.mm), amount: Number(row.amount), startedAt: Number(row.started) as Instant },
    ]),
  )
}
