import { type AgencyId, type Digest, type Instant } from '#kernel'
import { type PeriodState } from './rows'
import { type Tx } from './store'

export interface Period {
  readonly agency: AgencyId
  readonly month: string
  readonly state: PeriodState
  readonly draftedAt: Instant | null
  /** How many statements are sealed so far. */
  readonly size: number
}

/**
 * Two closers at once wait for each other here; whoever comes second finds the step done. Those who draft its parts share it, so
 * that it goes no step on meanwhile.
 */
export async function lockPeriod(
  tx: Tx,
  agency: AgencyId,
  month: string,
  lock: 'update' | 'share' = 'update',
): Promise<Period | null> {
  const row = await tx.row<{ state: PeriodState; drafted_at: string | null; size: number | null }>(
    `select state, drafted_at, size from money.period where agency = $1 and month = $2 for ${lock}`,
    [agency, month],
  )
  return (
    row && {
      agency,
      month,
      state: row.state,
      size: row.size ?? 0,
      draftedAt: row.drafted_at === null ? null : (Number(row.drafted_at) as Instant),
    }
  )
}

export const periodState = async (tx: Tx, agency: AgencyId, month: string): Promise<PeriodState | null> =>
  (
    await tx.row<{ state: PeriodState }>(`select state from money.period where agency = $1 and month = $2`, [
      agency,
      month,
    ])
  )?.state ?? null

export const openPeriod = (tx: Tx, agency: AgencyId, month: string): Promise<number> =>
  tx.run(`insert into money.period (agency, month, state) values ($1, $2, 'open') on conflict do nothing`, [
    agency,
    month,
  ])

export const movePeriod = (
  tx: Tx,
  period: Period,
  to: 'cutoff' | 'rated' | 'drafted' | 'sealed',
  at: Instant,
): Promise<number> =>
  tx.run(
    `update money.period set state = $3, cutoff_at = case when $3 = 'cutoff' then $4 else cutoff_at end,
       drafted_at = case when $3 = 'drafted' then $4 else drafted_at end, sealed_at = case when $3 = 'sealed' then $4 else sealed_at end
     where agency = $1 and month = $2`,
    [period.agency, period.month, to, at],
  )

/** Months of an agency that are under way to their seal. */
export const unsealedPeriods = (tx: Tx): Promise<{ agency: AgencyId; month: string }[]> =>
  tx.rows(`select agency, month from money.period where state <> 'sealed' order by agency, month`)

/** Remembers the moment from which on the month has been over; later calls change nothing. */
export const beginClosing = (tx: Tx, { agency, month }: Period): Promise<number> =>
  tx.run(
    `update money.period set closing_since = clock_timestamp() where agency = $1 and month = $2 and closing_since is null`,
    [agency, month],
  )

/** Whether batches that came in before the month was over are not in trips yet. What came later doesn't keep it waiting. */
export const hasUnmatched = async (tx: Tx, { agency, month }: Period): Promise<boolean> =>
  (await tx.row(
    `select 1 from metering.work w join metering.device d on d.id = w.key join metering.vehicle v on v.id = d.vehicle
       join metering.account a on a.id = v.account join money.period p on p.agency = a.agency and p.month = $2
     where w.stage = 'match' and w.wanted > w.done and w.rung_at <= p.closing_since and a.agency = $1 limit 1`,
    [agency, month],
  )) !== null

/** Whether an earlier month of the agency has not taken its cut-off: months are closed in their order. */
export const hasEarlierOpen = async (tx: Tx, { agency, month }: Period): Promise<boolean> =>
  (await tx.row(`select 1 from money.period where agency = $1 and month < $2 and state = 'open' limit 1`, [
    agency,
    month,
  ])) !== null

/** The newest month of an agency whose close was asked for. */
export const newestPeriod = async (tx: Tx, agency: AgencyId): Promise<string | null> =>
  (await tx.row<{ month: string | null }>(`select max(month) as month from money.period where agency = $1`, [agency]))
    ?.month ?? null

/**
 * Takes trips into the stored cut-off of a month, at most `most`: those of the month or before that no period has taken in.
 * Returns how many; call it until there are none. It goes through the trips once in the order of their ids, and then takes what came
 * in behind it.
 */
export async function takeCutoff(tx: Tx, { agency, month }: Period, most: number): Promise<number> {
  const take = (behind: string) =>
    tx.run(
      `insert into money.period_trip (trip, agency, month, account)
       select id, agency, $2, account from metering.trip t where agency = $1 and t.month <= $2 and state not in ('open', 'review', 'held') ${behind}
         and not exists (select 1 from money.period_trip p where p.trip = t.id) order by id limit $3
       on conflict (trip) do nothing`,
      [agency, month, most],
    )
  const ahead = await take(
    `and id > (select coalesce(max(trip), '') from money.period_trip where agency = $1 and month = $2)`,
  )
  return ahead > 0 ? ahead : take('')
}

/**
 * Whether trips of the cut-off are not posted yet. Those that somebody wants on are few, and asked for first; that there are none at all
 * is seen by going through the cut-off.
 */
export async function hasUnposted(tx: Tx, { agency, month }: Period): Promise<boolean> {
  const unposted = `select 1 from money.period_trip p join metering.trip t on t.id = p.trip
    where p.agency = $1 and p.month = $2 and t.state in ('matched', 'metered', 'rated')`
  const wanted = `p.trip in (select key from metering.work where stage in ('meter', 'rate', 'post') and wanted > done)`
  for (const sql of [`${unposted} and ${wanted} limit 1`, `${unposted} limit 1`])
    if (await tx.row(sql, [agency, month])) return true
  return false
}

/** Every statement of the period is sealed. */
export const publishRoot = (tx: Tx, { agency, month }: Period, root: Digest): Promise<number> =>
  tx.run(`update money.period set root = $3 where agency = $1 and month = $2`, [agency, month, root])

/** How many statements of the period are sealed so far. */
export const saveSize = (tx: Tx, { agency, month }: Period, size: number): Promise<number> =>
  tx.run(`update money.period set size = $3 where agency = $1 and month = $2`, [agency, month, size])
