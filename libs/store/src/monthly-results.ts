import { runningBound, VEHICLES_MIN } from '#disclosure'
import { type AgencyId, type Instant } from '#kernel'
import { type Tx } from './store'

/** Sums of a month over all vehicles of an agency, of posted trips. No vehicles: none may be told yet. */
export interface MonthlyResult {
  readonly month: string
  readonly vehicles: number
  readonly trips: number
  readonly chargedMm: number
  readonly freeMm: number
  readonly amountMicros: bigint
}

/** Trips are matched and posted within it, but for those that somebody must look at. */
export const POSTED_MS = 3_600_000

/** Of a month after the last one of which a close has taken the trips. */
const RUNNING = `month > coalesce((select max(month) from money.period q where q.agency = $1 and q.state <> 'open'), '')`

/**
 * Months of which a close has taken the trips, by that close; and the months after it as they run, up to where whoever looks again
 * learns of no fewer than `VEHICLES_MIN`.
 */
export async function monthlyResults(tx: Tx, agency: AgencyId, now: Instant): Promise<MonthlyResult[]> {
  const steps = await tx.rows<{ month: string; at: string; vehicles: string; few: string[] | null }>(
    `select month, matched_at / ${POSTED_MS} as at, count(distinct vehicle) as vehicles,
       case when count(distinct vehicle) < ${VEHICLES_MIN} then array_agg(distinct vehicle) end as few
     from metering.trip t where agency = $1 and state = 'posted' and matched_at < $2::int8 / ${POSTED_MS} * ${POSTED_MS} and ${RUNNING}
     group by 1, 2 order by 1, 2`,
    [agency, now - POSTED_MS],
  )
  const bounds = [...new Set(steps.map(({ month }) => month))].map((month) => {
    const own = steps.filter((step) => step.month === month)
    const bound = runningBound(
      own.map(({ at, vehicles, few }) => ({ at: Number(at), vehicles: Number(vehicles), few })),
      VEHICLES_MIN,
    )
    return { month, before: (bound ?? 0) * POSTED_MS }
  })
  const rows = await tx.rows<Record<keyof MonthlyResult, string>>(
    `select n.month, count(distinct n.vehicle) as vehicles, count(distinct n.id) as trips, coalesce(sum(c.distance_mm) filter (where c.rate is not null), 0) as "chargedMm",
       coalesce(sum(c.distance_mm) filter (where c.rate is null), 0) as "freeMm", coalesce(sum(c.amount), 0)::text as "amountMicros"
     from (
       select p.month, t.id, t.vehicle from money.period_trip p join metering.trip t on t.id = p.trip where p.agency = $1 and t.state = 'posted'
       union all
       select t.month, t.id, t.vehicle from unnest($2::text[], $3::int8[]) as r(month, before) join metering.trip t on t.month = r.month
       where t.agency = $1 and t.state = 'posted' and t.matched_at < r.before) n
     left join money.charge c on c.trip = n.id group by n.month order by n.month`,
    [agency, bounds.map(({ month }) => month), bounds.map(({ before }) => before)],
  )
  const told = rows.map((row) => ({
    month: row.month,
    vehicles: Number(row.vehicles),
    trips: Number(row.trips),
    chargedMm: Number(row.chargedMm),
    freeMm: Number(row.freeMm),
    amountMicros: BigInt(row.amountMicros),
  }))
  const none = { vehicles: 0, trips: 0, chargedMm: 0, freeMm: 0, amountMicros: 0n }
  // That somebody drove in a month is said; what, isn't yet.
  return bounds
    .filter(({ month }) => !told.some((one) => one.month === month))
    .map(({ month }): MonthlyResult => ({ month, ...none }))
    .concat(told)
    .sort((a, b) => (a.month < b.month ? -1 : 1))
}
