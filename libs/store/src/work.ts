import { type Store, type Tx } from './store'

/** Work to do: a stage of the pipeline and the key of what it works on (a device, a trip, a period). */
export interface WorkKey {
  readonly stage: string
  readonly key: string
}

/** Work in hand until its lease runs out. `fence` makes a worker whose lease was taken over fail when it saves. */
export interface Claim extends WorkKey {
  readonly wanted: string
  readonly fence: string
  readonly attempts: number
}

/** Thrown when somebody else has taken the work over: the transaction must not commit. */
export class FencedError extends Error {
  override readonly name = 'FencedError'
}

/** Asks for work, in the transaction that makes it necessary. Asking again while it waits or runs is counted, never lost. */
export async function want(tx: Tx, work: readonly WorkKey[]): Promise<void> {
  if (work.length === 0) return
  const sorted = [...new Map(work.map((w) => [`${w.stage}/${w.key}`, w])).entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, w]) => w)
  await tx.run(
    `insert into metering.work (stage, key) select * from unnest($1::text[], $2::text[])
     on conflict (stage, key) do update set wanted = work.wanted + 1,
       rung_at = case when work.wanted = work.done then clock_timestamp() else work.rung_at end`,
    [sorted.map((w) => w.stage), sorted.map((w) => w.key)],
  )
}

/**
 * Claims a piece of work for `leaseMs`, and with it, where `most` is above one, those of its stage that have waited longest. None
 * where it is done, leased or unknown. Each further attempt has twice the lease, so that work which takes longer than one
 * comes to its end.
 */
export const claim = (store: Store, work: WorkKey, leaseMs: number, most = 1): Promise<Claim[]> =>
  store.transaction((tx) =>
    tx.rows<Claim>(
      `update metering.work set lease_until = clock_timestamp() + $3 * (1 << least(attempts, 6)) * interval '1 millisecond', fence = fence + 1, attempts = attempts + 1
       where (stage, key) in (${most === 1 ? ONE : SEVERAL})
       returning stage, key, wanted, fence, attempts`,
      most === 1 ? [work.stage, work.key, leaseMs] : [work.stage, most, leaseMs],
    ),
  )
const FREE = `select stage, key from metering.work where stage = $1 and wanted > done and parked_at is null and lease_until < clock_timestamp()`
const ONE = `${FREE} and key = $2 for update skip locked`
const SEVERAL = `${FREE} order by rung_at limit $2 for update skip locked`

/**
 * Marks claimed work as done, in the transaction that did it, and tells whether any was asked for again meanwhile. Throws
 * FencedError where a lease was taken over.
 */
export async function complete(tx: Tx, claims: readonly Claim[]): Promise<boolean> {
  const rows = await tx.rows<{ more: boolean }>(
    `update metering.work w set done = c.wanted, lease_until = '-infinity', attempts = 0, last_error = null
     from unnest($1::text[], $2::text[], $3::int8[], $4::int8[]) as c(stage, key, fence, wanted)
     where w.stage = c.stage and w.key = c.key and w.fence = c.fence returning w.wanted > w.done as more`,
    [claims.map((c) => c.stage), claims.map((c) => c.key), claims.map((c) => c.fence), claims.map((c) => c.wanted)],
  )
  if (rows.length !== claims.length)
    throw new FencedError(
      `${claims.length - rows.length} of ${claims.length} claims on ${claims[0].stage} were taken over`,
    )
  return rows.some(({ more }) => more)
}

/** Gives claimed work back: it may be claimed again after `backoffMs`. */
export const giveBack = (store: Store, claim: Claim, error: string, backoffMs: number): Promise<number> =>
  store.transaction((tx) =>
    tx.run(
      `update metering.work set lease_until = clock_timestamp() + $4 * interval '1 millisecond', last_error = $5
       where stage = $1 and key = $2 and fence = $3`,
      [claim.stage, claim.key, claim.fence, backoffMs, error.slice(0, 500)],
    ),
  )

/** What is wanted and in nobody's hands, oldest first. */
export const dueWork = (tx: Tx, most: number): Promise<WorkKey[]> =>
  tx.rows<WorkKey>(
    `select stage, key from metering.work where wanted > done and parked_at is null and lease_until < clock_timestamp() order by rung_at limit $1`,
    [most],
  )

/**
 * How many of the oldest pieces a sweep looks at, where it looks at each: what waits behind them is younger, and its turn comes when they
 * are done. A month that is posted at once is hundreds of thousands, and every engine sweeps.
 */
const LOOKED_AT_MAX = 10_000

/** How long what is to be done has waited. */
export interface Waiting {
  readonly parked: number
  /** How long the oldest of it that isn't parked has waited, in seconds. */
  readonly oldestS: number
  /** The same of what is in nobody's hands. */
  readonly oldestUnclaimedS: number
}

/** What is to be done, and how it stands. */
export interface Backlog extends Waiting {
  /** Not done, parked or not. */
  readonly pieces: number
}

const OLDEST = `select stage, key, rung_at, lease_until, attempts from metering.work where wanted > done and parked_at is null order by rung_at limit ${LOOKED_AT_MAX}`

export async function waiting(tx: Tx): Promise<Waiting> {
  const row = await tx.row<Record<'parked' | 'oldest_s' | 'unclaimed_s', string | number | null>>(
    `select (select count(*) from metering.work where wanted > done and parked_at is not null) as parked,
       extract(epoch from clock_timestamp() - min(rung_at)) as oldest_s,
       extract(epoch from clock_timestamp() - min(greatest(rung_at, lease_until)) filter (where lease_until < clock_timestamp())) as unclaimed_s
     from (${OLDEST}) oldest`,
  )
  return {
    parked: Number(row?.parked ?? 0),
    oldestS: Number(row?.oldest_s ?? 0),
    oldestUnclaimedS: Number(row?.unclaimed_s ?? 0),
  }
}

export async function backlog(tx: Tx): Promise<Backlog> {
  const all = await tx.row<{ pieces: string }>(`select count(*) as pieces from metering.work where wanted > done`)
  return { pieces: Number(all!.pieces), ...(await waiting(tx)) }
}

/** Work that has failed so often that it waits for an operator. */
export interface ParkedWork extends WorkKey {
  readonly attempts: number
  readonly error: string | null
  readonly parkedAt: string
}

/**
 * Parks work, of the oldest, that was tried `attemptsMax` times and is in nobody's hands: whether it failed or took its worker with it, trying
 * for ever only hides it. Returns what was parked now.
 */
export const parkExhausted = (tx: Tx, attemptsMax: number): Promise<WorkKey[]> =>
  tx.rows(
    `update metering.work set parked_at = clock_timestamp() where (stage, key) in (
       select w.stage, w.key from (${OLDEST}) oldest join metering.work w using (stage, key)
       where oldest.attempts >= $1 and w.wanted > w.done and w.parked_at is null and w.attempts >= $1 and w.lease_until < clock_timestamp()
       order by w.stage, w.key for update of w skip locked)
     returning stage, key`,
    [attemptsMax],
  )

export const parkedWork = (tx: Tx, most: number): Promise<ParkedWork[]> =>
  tx.rows(
    `select stage, key, attempts, last_error as error, parked_at::text as "parkedAt" from metering.work where parked_at is not null order by parked_at, stage, key limit $1`,
    [most],
  )

/** Gives parked work another round of attempts; all of it, or of one stage, or one piece. Returns what it was. */
export const retryParked = (tx: Tx, stage: string | null, key: string | null): Promise<WorkKey[]> =>
  tx.rows(
    `update metering.work set parked_at = null, attempts = 0, lease_until = '-infinity', rung_at = clock_timestamp() where (stage, key) in (
       select stage, key from metering.work where parked_at is not null and ($1::text is null or stage = $1) and ($2::text is null or key = $2)
       order by stage, key for update)
     returning stage, key`,
    [stage, key],
  )
