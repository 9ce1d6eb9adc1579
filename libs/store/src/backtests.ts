import {
  invariant,
  type AccountId,
  type AgencyId,
  type Digest,
  type Instant,
  type Micros,
  type TripId,
  type VehicleId,
} from '#kernel'
import { type ComparisonSums } from '#rating'
import { keptTexts } from './location'
import { type Actor } from './policy-life'
import { type Tx } from './store'

/** A request to rate driven months again under a draft. */
export interface Backtest {
  readonly id: string
  readonly agency: AgencyId
  readonly policy: string
  readonly revision: number
  readonly months: readonly string[]
  readonly person: string
  readonly role: Actor['role']
  readonly requestedAt: Instant
  /** How many trips there are to rate. */
  readonly trips: number
}

/** The result of a backtest as it is stored, with its digest. */
export interface BacktestResult {
  readonly digest: Digest
  readonly result: unknown
  readonly finishedAt: Instant
}

export const addBacktest = (tx: Tx, backtest: Backtest): Promise<number> =>
  tx.run(
    `insert into tariff.backtest (id, agency, policy, revision, months, person, role, requested_at, trips) values ($1, $2, $3, $4, $5::text[], $6, $7, $8, $9) on conflict do nothing`,
    [
      backtest.id,
      backtest.agency,
      backtest.policy,
      backtest.revision,
      backtest.months,
      backtest.person,
      backtest.role,
      backtest.requestedAt,
      backtest.trips,
    ],
  )

const BACKTEST = `id, agency, policy, revision, months, person, role, requested_at as "requestedAt", trips`

async function backtestsWhere(tx: Tx, condition: string, parameters: readonly string[]): Promise<Backtest[]> {
  const rows = await tx.rows<Omit<Backtest, 'requestedAt' | 'trips'> & { requestedAt: string; trips: string }>(
    `select ${BACKTEST} from tariff.backtest where ${condition} order by requested_at, id`,
    parameters,
  )
  return rows.map((row) => ({ ...row, requestedAt: Number(row.requestedAt) as Instant, trips: Number(row.trips) }))
}

export const backtestById = async (tx: Tx, id: string): Promise<Backtest | null> =>
  (await backtestsWhere(tx, 'id = $1', [id]))[0] ?? null

/** The backtests of a policy, oldest first. */
export const backtestsOf = (tx: Tx, agency: AgencyId, policy: string): Promise<Backtest[]> =>
  backtestsWhere(tx, 'agency = $1 and policy = $2', [agency, policy])

export async function backtestResult(tx: Tx, id: string): Promise<BacktestResult | null> {
  const row = await tx.row<{ digest: Digest; result: unknown; finished_at: string }>(
    `select digest, result, finished_at from tariff.backtest_result where backtest = $1`,
    [id],
  )
  return row && { digest: row.digest, result: row.result, finishedAt: Number(row.finished_at) as Instant }
}

/** How far a backtest has come. */
export async function backtestProgress(
  tx: Tx,
  id: string,
): Promise<{ parts: number; trips: number; lastAccount: AccountId | null }> {
  const row = await tx.row<{ parts: string; trips: string; last: AccountId | null }>(
    `select count(*) as parts, coalesce(sum(trips), 0)::text as trips, max(last_account) as last from tariff.backtest_part where backtest = $1`,
    [id],
  )
  return { parts: Number(row!.parts), trips: Number(row!.trips), lastAccount: row!.last }
}

/** One page of what a backtest came to, up to and with an account. */
export interface BacktestPart {
  readonly part: number
  readonly lastAccount: AccountId
  readonly trips: number
  readonly sums: BacktestSums
}

/** What parts are put together from: the comparison, and what can be told of the trips that it is of. */
export interface BacktestSums {
  readonly comparison: ComparisonSums
  /** Charges of the trips as the tariff of their time makes them now, in micros. */
  readonly recomputed: string
  /** The same charges as they are in the books. */
  readonly booked: string
  /** Trips whose location is gone, so that they can't be rated again. */
  readonly gone: number
}

export async function addBacktestPart(tx: Tx, id: string, part: BacktestPart): Promise<void> {
  const added = await tx.run(
    `insert into tariff.backtest_part (backtest, part, last_account, trips, sums) values ($1, $2, $3, $4, $5)`,
    [id, part.part, part.lastAccount, part.trips, JSON.stringify(part.sums)],
  )
  invariant(added === 1, `part ${part.part} of backtest ${id} was not added`)
}

export const backtestParts = async (tx: Tx, id: string): Promise<BacktestSums[]> =>
  (
    await tx.rows<{ sums: BacktestSums }>(`select sums from tariff.backtest_part where backtest = $1 order by part`, [
      id,
    ])
  ).map((row) => row.sums)

/** Keeps a result and lets go of the parts, in which a bill stands for each account. */
export async function saveBacktestResult(tx: Tx, id: string, { digest, result, finishedAt }: BacktestResult) {
  await tx.run(
    `insert into tariff.backtest_result (backtest, digest, result, finished_at) values ($1, $2, $3, $4) on conflict do nothing`,
    [id, digest, JSON.stringify(result), finishedAt],
  )
  await tx.run(`delete from tariff.backtest_part where backtest = $1`, [id])
}

/** A posted trip with where it went, as text: whoever rates it again reads it. */
export interface DrivenTrip {
  readonly trip: TripId
  readonly account: AccountId
  readonly vehicle: VehicleId
  readonly startedAt: Instant
  readonly endedAt: Instant
  readonly engine: string
  readonly network: Digest
  /** null where it was destroyed. */
  readonly path: string | null
  /** Its charges in the books. */
  readonly booked: Micros
}

const DRIVEN = `from metering.trip t where t.agency = $1 and t.month = any($2::text[]) and t.state = 'posted' and t.fixes > 0`

export const countDriven = async (tx: Tx, agency: AgencyId, months: readonly string[]): Promise<number> =>
  Number((await tx.row<{ count: string }>(`select count(*) ${DRIVEN}`, [agency, months]))!.count)

/** The months in which an agency's vehicles drove, newest first; at most `most`. */
export const drivenMonths = async (tx: Tx, agency: AgencyId, most: number): Promise<string[]> =>
  (
    await tx.rows<{ month: string }>(
      `select distinct month from metering.trip where agency = $1 and state = 'posted' and fixes > 0 order by month desc limit $2`,
      [agency, most],
    )
  ).map((row) => row.month)

/**
 * The trips of the accounts that follow `after`, whole accounts in their order: at most `most` trips, but always those of one
 * account.
 */
export async function drivenTrips(
  tx: Tx,
  agency: AgencyId,
  months: readonly string[],
  after: AccountId | null,
  most: number,
): Promise<DrivenTrip[]> {
  const counts = await tx.rows<{ account: AccountId; trips: string }>(
    `select t.account, count(*) as trips ${DRIVEN} and t.account > $3 group by t.account order by t.account limit $4`,
    [agency, months, after ?? '', most],
  )
  const accounts: AccountId[] = []
  let trips = 0
  for (const row of counts) {
    trips += Number(row.trips)
    if (accounts.length > 0 && trips > most) break
    accounts.push(row.account)
  }
  const rows = await tx.rows<
    Omit<DrivenTrip, 'startedAt' | 'endedAt' | 'booked' | 'path'> & {
      startedAt: string
      endedAt: string
      booked: string
    }
  >(
    `select t.id as trip, t.account, t.vehicle, t.started_at as "startedAt", t.ended_at as "endedAt", t.engine, t.network,
       (select coalesce(sum(amount), 0)::text from money.charge where trip = t.id) as booked
     ${DRIVEN} and t.account = any($3::text[]) order by t.account, t.started_at, t.id`,
    [agency, months, accounts],
  )
  const paths = await keptTexts(
    tx,
    'path',
    rows.map(({ trip }) => trip),
  )
  return rows.map((row) => ({
    ...row,
    path: paths.get(row.trip) ?? null,
    startedAt: Number(row.startedAt) as Instant,
    endedAt: Number(row.endedAt) as Instant,
    booked: BigInt(row.booked) as Micros,
  }))
}
