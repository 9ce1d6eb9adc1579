import { type AccountId, type AgencyId, type Digest, type Instant, type Micros, type StatementId } from '#kernel'
import { type PeriodState } from './rows'
import { type Tx } from './store'

export interface Period {
  readonly agency: AgencyId
  readonly month: string
  readonly state: PeriodState
  readonly draftedAt: Instant | null
}

/** Two closers at once wait for each other here; whoever comes second finds the step done. */
export async function lockPeriod(tx: Tx, agency: AgencyId, month: string): Promise<Period | null> {
  const row = await tx.row<{ state: PeriodState; drafted_at: string | null }>(
    `select state, drafted_at from money.period where agency = $1 and month = $2 for update`,
    [agency, month],
  )
  return (
    row && {
      agency,
      month,
      state: row.state,
      draftedAt: row.drafted_at === null ? null : (Number(row.drafted_at) as Instant),
    }
  )
}

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

/** The stored cut-off: every trip of the month or before that no period has taken in. */
export const takeCutoff = (tx: Tx, agency: AgencyId, month: string): Promise<number> =>
  tx.run(
    `insert into money.period_trip (trip, agency, month)
     select id, agency, $2 from metering.trip t where agency = $1 and t.month <= $2 and state not in ('open', 'held')
       and not exists (select 1 from money.period_trip p where p.trip = t.id)
     on conflict (trip) do nothing`,
    [agency, month],
  )

/** How many trips of the cut-off are not posted yet. */
export const unpostedTrips = async (tx: Tx, agency: AgencyId, month: string): Promise<number> =>
  Number(
    (await tx.row<{ count: string }>(
      `select count(*) from money.period_trip p join metering.trip t on t.id = p.trip
       where p.agency = $1 and p.month = $2 and t.state not in ('posted', 'held')`,
      [agency, month],
    ))!.count,
  )

/** Accounts of the agency without a statement of the month, in their order; at most `most`. */
export const undraftedAccounts = (
  tx: Tx,
  agency: AgencyId,
  month: string,
  most: number,
): Promise<{ id: AccountId; name: string }[]> =>
  tx.rows(
    `select id, name from metering.account a where agency = $1
       and not exists (select 1 from money.statement s where s.account = a.id and s.month = $2) order by id limit $3`,
    [agency, month, most],
  )

export interface StatementFile {
  readonly id: StatementId
  readonly account: AccountId
  readonly document: string
  readonly digest: Digest
  readonly due: Micros
}

export const saveDraft = (tx: Tx, agency: AgencyId, month: string, statement: StatementFile): Promise<number> =>
  tx.run(
    `insert into money.statement (id, agency, account, month, state, document, digest, due) values ($1, $2, $3, $4, 'draft', $5, $6, $7) on conflict do nothing`,
    [statement.id, agency, statement.account, month, statement.document, statement.digest, statement.due],
  )

/** Drafts of a period that are not sealed yet, in order of their ids; at most `most`. */
export const drafts = async (tx: Tx, agency: AgencyId, month: string, most: number): Promise<StatementFile[]> =>
  (
    await tx.rows<Omit<StatementFile, 'due'> & { due: string }>(
      `select id, account, document, digest, due from money.statement where agency = $1 and month = $2 and state = 'draft' order by id limit $3`,
      [agency, month, most],
    )
  ).map((row) => ({ ...row, due: BigInt(row.due) as Micros }))

/** Seals a statement at its place among the leaves of the period: its rank by id. */
export const sealStatement = (tx: Tx, statement: StatementId): Promise<number> =>
  tx.run(
    `update money.statement s set state = 'sealed',
       leaf = (select count(*) from money.statement o where o.agency = s.agency and o.month = s.month and o.id < s.id)
     where id = $1 and state = 'draft'`,
    [statement],
  )

/** Digests of a period's statements, in the order of the Merkle tree's leaves. */
export const leavesOf = async (tx: Tx, agency: AgencyId, month: string): Promise<Digest[]> =>
  (
    await tx.rows<{ digest: Digest }>(
      `select digest from money.statement where agency = $1 and month = $2 order by id`,
      [agency, month],
    )
  ).map((r) => r.digest)

export const publishRoot = (tx: Tx, period: Period, root: Digest): Promise<number> =>
  tx.run(`update money.period set root = $3 where agency = $1 and month = $2`, [period.agency, period.month, root])
