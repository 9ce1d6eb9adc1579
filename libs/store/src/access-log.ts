import { type AccountId, type Instant, type VehicleId } from '#kernel'
import { type Tx } from './store'

/** One reading of somebody's journeys by somebody else: who, what and why, never where. */
export interface Access {
  readonly account: AccountId
  readonly at: Instant
  /** As they signed in, or as the command line was told. */
  readonly who: string
  readonly role: string
  readonly what:
    | 'explain'
    | 'statement'
    | 'evidence'
    | 'message'
    | 'break-glass'
    | 'hold'
    | 'dispute'
    | 'mileage'
    | 'held-trip'
    | 'signals'
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

/** A list that is looked at again within this long is one reading. */
const SAME_READING_MS = 3_600_000

/** One reading of many at once, such as a list: whose, and of what. `vehicle` in place of the account where that is what is known. */
export async function logAccesses(
  tx: Tx,
  read: Omit<Access, 'account' | 'subject'>,
  of: readonly ({ readonly subject: string } & ({ readonly account: AccountId } | { readonly vehicle: VehicleId }))[],
): Promise<void> {
  if (of.length === 0) return
  const { at, who, role, what, why } = read
  await tx.run(
    `insert into metering.access_log (account, at, who, role, what, subject, why)
     select distinct coalesce(n.account, v.account), $1::int8, $2, $3, $4, n.subject, $5
     from unnest($6::text[], $7::text[], $8::text[]) as n(account, vehicle, subject) left join metering.vehicle v on v.id = n.vehicle
     where coalesce(n.account, v.account) is not null and not exists (select 1 from metering.access_log l
       where l.account = coalesce(n.account, v.account) and l.at > $1::int8 - ${SAME_READING_MS} and l.who = $2 and l.what = $4 and l.subject = n.subject)`,
    [
      at,
      who,
      role,
      what,
      why,
      of.map((one) => ('account' in one ? one.account : null)),
      of.map((one) => ('vehicle' in one ? one.vehicle : null)),
      of.map(({ subject }) => subject),
    ],
  )
}

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
