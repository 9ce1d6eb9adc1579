import { type AccountId, type Instant } from '#kernel'
import { type Tx } from './store'

/** One reading of somebody's journeys by somebody else: who, what and why, never where. */
export interface Access {
  readonly account: AccountId
  readonly at: Instant
  /** As they signed in, or as the command line was told. */
  readonly who: string
  readonly role: string
  readonly what: 'explain' | 'statement' | 'evidence' | 'message' | 'break-glass' | 'hold'
  /** Which trip, statement, dispute, message or hold. */
  readonly subject: string
  readonly why: string
}

/** In the transaction of the reading itself: nothing is read that isn't in the log. */
export const logAccess = (tx: Tx, { account, at, who, role, what, subject, why }: Access): Promise<number> =>
  tx.run(
    `insert into metering.access_log (account, at, who, role, what, subject, why) values ($1, $2, $3, $4, $5, $6, $7)`,
    [account, at, who, role, what, subject, why],
  )

export const ACCESSES_MAX = 1000

/** What others have read of an account, newest first. */
export const accessesOf = async (tx: Tx, account: AccountId, most = ACCESSES_MAX): Promise<Access[]> =>
  (
    await tx.rows<Omit<Access, 'at'> & { at: string }>(
      `select account, at, who, role, what, subject, why from metering.access_log where account = $1 order by at desc, id desc limit $2`,
      [account, most],
    )
  ).map((row) => ({ ...row, at: Number(row.at) as Instant }))

/** Lets go of what was logged before `before`; at most `most`. */
export const forgetAccess = (tx: Tx, before: Instant, most: number): Promise<number> =>
  tx.run(
    `delete from metering.access_log where id in (select id from metering.access_log where at < $1 order by at limit $2)`,
    [before, most],
  )
