import {
  type AccountId,
  type AgencyId,
  type DeviceId,
  type Instant,
  type StatementId,
  type TripId,
  type VehicleId,
} from '#kernel'
import { type BillFacts } from '#statement'
import { takeKept } from './location'
import { type Tx } from './store'
import { want, type WorkKey } from './work'

/** What holds or hurries the destruction of an account's locations. */
export interface Holding {
  readonly agency: AgencyId
  readonly legalHold: boolean
  /** Days for which the citizen wants fixes kept. */
  readonly keepDays: number
  /** When erasure was asked for; null where it wasn't, or is done. */
  readonly erasureAskedAt: Instant | null
}

const HELD = `exists (select 1 from metering.legal_hold h where h.account = a.id
  and not exists (select 1 from metering.legal_hold_lift l where l.hold = h.id))`

export async function holdingOf(tx: Tx, account: AccountId): Promise<Holding | null> {
  const row = await tx.row<{ agency: AgencyId; held: boolean; days: number | null; asked_at: string | null }>(
    `select a.agency, ${HELD} as held, (select days from metering.keep_choice k where k.account = a.id) as days,
       (select asked_at from metering.erasure_request e where e.account = a.id and done_at is null) as asked_at
     from metering.account a where a.id = $1`,
    [account],
  )
  return (
    row && {
      agency: row.agency,
      legalHold: row.held,
      keepDays: row.days ?? 0,
      erasureAskedAt: row.asked_at === null ? null : (Number(row.asked_at) as Instant),
    }
  )
}

/** A trip whose fixes, or stretches, are to be destroyed. */
export interface PastTrip {
  readonly id: TripId
  readonly vehicle: VehicleId
  readonly month: string | null
  readonly device: DeviceId
  readonly boot: number
  readonly name: string
  readonly firstSeq: number
  readonly lastSeq: number
}

const PAST = `t.id, t.vehicle, t.month, t.device, t.boot, t.name, t.first_seq as "firstSeq", t.last_seq as "lastSeq"`
type Past = Omit<PastTrip, 'firstSeq' | 'lastSeq'> & { firstSeq: string; lastSeq: string }
const pastOf = (row: Past): PastTrip => ({ ...row, firstSeq: Number(row.firstSeq), lastSeq: Number(row.lastSeq) })

const DECIDED = `exists (select 1 from money.dispute_step x where x.dispute = d.id and x.kind in ('upheld', 'refused', 'withdrawn'))`

/** Trips of an account that were matched until `before` and whose fixes are still kept, but for those that a dispute is about. */
export const fixesPast = async (tx: Tx, account: AccountId, before: Instant, most: number): Promise<PastTrip[]> =>
  (
    await tx.rows<Past>(
      `select ${PAST} from metering.trip t where t.account = $1 and t.raw_destroyed_at is null and t.matched_at <= $2
         and not exists (select 1 from money.dispute d where d.trip = t.id and not ${DECIDED})
       order by t.id limit $3`,
      [account, before, most],
    )
  ).map(pastOf)

/** Takes the batches of trips out of the inbox. Their numbers stay, so that one which is sent again is known as sent before. */
export async function takeFixes(
  tx: Tx,
  trips: readonly PastTrip[],
  at: Instant,
): Promise<{ rows: number; keys: string[] }> {
  let rows = 0
  const keys = new Set<string>()
  for (const { device, boot, firstSeq, lastSeq, name } of trips) {
    const gone = await tx.row<{ rows: string; keys: string[] | null }>(
      `with gone as (
         delete from location.batch b where device = $1 and boot = $2 and seq between $3 and $4 and trip = $5
           and not exists (select 1 from metering.trip late where late.device = $1 and late.boot = $2
             and late.first_seq > $3 and late.first_seq <= $4 and b.seq between late.first_seq and late.last_seq)
         returning seq, key),
       marked as (
         update metering.stream set destroyed = destroyed + (select coalesce(range_agg(int8range(seq, seq + 1)), '{}') from gone)
         where device = $1 and boot = $2)
       select count(*) as rows, array_agg(distinct key::text) filter (where key is not null) as keys from gone`,
      [device, boot, firstSeq, lastSeq, name],
    )
    rows += Number(gone!.rows)
    for (const key of gone!.keys ?? []) keys.add(key)
  }
  await tx.run(`update metering.trip set raw_destroyed_at = $2 where id = any($1::text[])`, [
    trips.map(({ id }) => id),
    at,
  ])
  return { rows, keys: [...keys] }
}

/** A sealed statement of whose trips something is kept. */
export interface BillPast extends Omit<BillFacts, 'erasureAsked'> {
  readonly statement: StatementId
  readonly month: string
  readonly disputeOpen: boolean
}

export async function billsWithStretches(tx: Tx, account: AccountId): Promise<BillPast[]> {
  const rows = await tx.rows<
    Record<'sealedAt' | 'due' | 'paid', string> &
      Record<'lastPaidAt' | 'disputedUntil' | 'policyDays', string | null> & {
        statement: StatementId
        month: string
        disputeOpen: boolean
      }
  >(
    `select s.id as statement, s.month, p.sealed_at as "sealedAt", s.document::jsonb->>'retentionDays' as "policyDays", s.due::text as due,
       m.paid, m.at as "lastPaidAt", q.until as "disputedUntil", q.open as "disputeOpen"
     from money.statement s join money.period p using (agency, month)
     cross join lateral (
       select coalesce(-sum(o.amount), 0)::text as paid, max(x.happened_at)::text as at
       from money.transfer x join money.posting o on o.transfer = x.id and o.account = 'billed:' || s.account
       where x.transfer->>'statement' = s.id and x.kind in ('payment', 'settlement')) m
     cross join lateral (
       select coalesce(bool_or(not ${DECIDED}), false) as open,
         max((select max(x.at) from money.dispute_step x where x.dispute = d.id and x.kind in ('upheld', 'refused', 'withdrawn')))::text as until
       from money.dispute d where d.statement = s.id) q
     where s.account = $1 and s.state = 'sealed' and ${KEEPS} order by s.month`,
    [account],
  )
  const moment = (text: string | null) => (text === null ? null : (Number(text) as Instant))
  return rows.map(({ statement, month, disputeOpen, ...row }) => ({
    statement,
    month,
    disputeOpen,
    sealedAt: Number(row.sealedAt) as Instant,
    paidAt:
      BigInt(row.paid) >= BigInt(row.due)
        ? (Math.max(Number(row.sealedAt), Number(row.lastPaidAt ?? 0)) as Instant)
        : null,
    disputedUntil: moment(row.disputedUntil),
    policyDays: row.policyDays === null ? null : Number(row.policyDays),
  }))
}

/** Whether anything is kept of the trips of a sealed statement `s`. */
const KEEPS = `(exists (select 1 from money.period_trip n join metering.trip t on t.id = n.trip
    where n.agency = s.agency and n.month = s.month and t.account = s.account and t.stretches_destroyed_at is null)
  or exists (select 1 from money.dispute d join location.evidence e on e.dispute = d.id where d.statement = s.id))`

/** The trips of a statement whose stretches are kept. */
export const stretchesPast = async (tx: Tx, statement: StatementId): Promise<PastTrip[]> =>
  (
    await tx.rows<Past>(
      `select ${PAST} from money.statement s join money.period_trip n on n.agency = s.agency and n.month = s.month
         join metering.trip t on t.id = n.trip and t.account = s.account
       where s.id = $1 and t.stretches_destroyed_at is null order by t.id`,
      [statement],
    )
  ).map(pastOf)

/** Takes the roads of trips away, and what a policy that charges nobody made of them: its zones may be as fine as streets. */
export async function takeStretches(
  tx: Tx,
  trips: readonly PastTrip[],
  at: Instant,
): Promise<{ rows: number; keys: string[] }> {
  const ids = trips.map(({ id }) => id)
  const gone = await takeKept(tx, ids)
  gone.rows += await tx.run(`delete from metering.shadow_trip where trip = any($1::text[])`, [ids])
  await tx.run(`update metering.trip set stretches_destroyed_at = $2 where id = any($1::text[])`, [ids, at])
  return gone
}

/** Takes the files of a statement's disputes away. */
export async function takeEvidence(tx: Tx, statement: StatementId): Promise<{ files: string[]; keys: string[] }> {
  const rows = await tx.rows<{ id: string; key: string | null }>(
    `delete from location.evidence where dispute in (select id from money.dispute where statement = $1) returning id, key`,
    [statement],
  )
  return { files: rows.map(({ id }) => id).sort(), keys: rows.flatMap(({ key }) => (key === null ? [] : [key])) }
}

export const destroyWork = (account: AccountId): WorkKey => ({ stage: 'destroy', key: account })

/**
 * Asks for the work of the next accounts, at most `most`, of which something may be past its time, after `after` in the order of
 * their ids; returns the last of them, or null where there are no more.
 */
export async function wantDestruction(
  tx: Tx,
  {
    matchedBefore,
    sealedBefore,
    after,
    most,
  }: { matchedBefore: Instant; sealedBefore: Instant; after: string; most: number },
): Promise<string | null> {
  const rows = await tx.rows<{ account: AccountId }>(
    `select a.id as account from metering.account a where a.id > $3 and not ${HELD} and (
         exists (select 1 from metering.trip t where t.account = a.id and t.raw_destroyed_at is null and t.matched_at <= $1)
         or exists (select 1 from metering.erasure_request e where e.account = a.id and done_at is null)
         or exists (select 1 from money.statement s join money.period p using (agency, month)
           where s.account = a.id and s.state = 'sealed' and p.sealed_at <= $2 and ${KEEPS}))
     order by a.id limit $4`,
    [matchedBefore, sealedBefore, after, most],
  )
  await want(
    tx,
    rows.map(({ account }) => destroyWork(account)),
  )
  return rows.length < most ? null : rows.at(-1)!.account
}

/** Destroys messages that were rejected before `before`, with their keys; at most `most`. Their numbers stay used up. */
export async function discardRejected(tx: Tx, before: Instant, most: number): Promise<number> {
  const rows = await tx.rows<{ device: string; boot: number | null; seq: string | null; key: string | null }>(
    `delete from location.quarantine where id in (select id from location.quarantine where received_at <= $1 order by id limit $2)
     returning device, boot, seq, key`,
    [before, most],
  )
  const numbered = rows.filter(({ boot, seq }) => boot !== null && seq !== null)
  await tx.run(
    `update metering.stream s set discarded = s.discarded + n.seqs
     from (select device, boot, range_agg(int8range(seq, seq + 1)) as seqs from unnest($1::text[], $2::int[], $3::int8[]) as x(device, boot, seq) group by 1, 2) n
     where s.device = n.device and s.boot = n.boot`,
    [numbered.map(({ device }) => device), numbered.map(({ boot }) => boot), numbered.map(({ seq }) => seq)],
  )
  await tx.vault.destroy(
    tx,
    rows.flatMap(({ key }) => (key === null ? [] : [key])),
  )
  return rows.length
}

/** Asks for the erasure of what may be erased; false where it was asked for and isn't done yet. */
export const askErasure = async (tx: Tx, account: AccountId, at: Instant): Promise<boolean> =>
  (await tx.run(`insert into metering.erasure_request (account, asked_at) values ($1, $2) on conflict do nothing`, [
    account,
    at,
  ])) === 1

export const endErasure = (tx: Tx, account: AccountId, at: Instant): Promise<number> =>
  tx.run(`update metering.erasure_request set done_at = $2 where account = $1 and done_at is null`, [account, at])

/** Trips of which something is kept, up to a moment: what an erasure still waits for. */
export const keptTrips = async (tx: Tx, account: AccountId, until: Instant): Promise<number> =>
  Number(
    (await tx.row<{ n: string }>(
      `select count(*) as n from metering.trip where account = $1 and coalesce(started_at, last_fix, 0) <= $2
         and ((stretches_destroyed_at is null and network is not null) or raw_destroyed_at is null)`,
      [account, until],
    ))!.n,
  )

export interface Erasure {
  readonly askedAt: Instant
  readonly doneAt: Instant | null
}

export const erasuresOf = async (tx: Tx, account: AccountId): Promise<Erasure[]> =>
  (
    await tx.rows<{ asked_at: string; done_at: string | null }>(
      `select asked_at, done_at from metering.erasure_request where account = $1 order by asked_at`,
      [account],
    )
  ).map((row) => ({
    askedAt: Number(row.asked_at) as Instant,
    doneAt: row.done_at === null ? null : (Number(row.done_at) as Instant),
  }))

/** A receipt of the ledger for locations that were destroyed. */
export interface DestructionReceipt {
  readonly id: string
  readonly at: Instant
  readonly month: string
  readonly what: string
  readonly count: number
  readonly keys: number
  readonly reason: string
  readonly hash: string
}

export const destructionsOf = async (tx: Tx, account: AccountId): Promise<DestructionReceipt[]> =>
  (
    await tx.rows<Omit<DestructionReceipt, 'at'> & { at: string }>(
      `select id, happened_at as at, month, transfer->'destroyed'->>'what' as what, (transfer->'destroyed'->>'count')::int as count,
         (transfer->'destroyed'->>'keys')::int as keys, transfer->>'reason' as reason, hash
       from money.transfer where payer = $1 and kind = 'destruction' order by happened_at, id`,
      [account],
    )
  ).map((row) => ({ ...row, at: Number(row.at) as Instant }))

export const chooseKeeping = (tx: Tx, account: AccountId, days: number, at: Instant): Promise<number> =>
  tx.run(
    `insert into metering.keep_choice (account, days, chosen_at) values ($1, $2, $3)
     on conflict (account) do update set days = excluded.days, chosen_at = excluded.chosen_at`,
    [account, days, at],
  )

/** A legal hold of an account: nothing of it is destroyed before it is lifted. */
export interface LegalHold {
  readonly id: string
  readonly account: AccountId
  readonly placedBy: string
  readonly why: string
  readonly placedAt: Instant
  readonly liftedBy: string | null
  readonly liftedAt: Instant | null
}

export const placeHold = (
  tx: Tx,
  { id, account, placedBy, why, placedAt }: Omit<LegalHold, 'liftedBy' | 'liftedAt'>,
): Promise<number> =>
  tx.run(
    `insert into metering.legal_hold (id, account, placed_by, why, placed_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [id, account, placedBy, why, placedAt],
  )

export const liftHold = (tx: Tx, hold: string, by: string, why: string, at: Instant): Promise<number> =>
  tx.run(
    `insert into metering.legal_hold_lift (hold, lifted_by, why, lifted_at) select id, $2, $3, $4 from metering.legal_hold where id = $1 on conflict do nothing`,
    [hold, by, why, at],
  )

export const legalHolds = async (tx: Tx, account: AccountId | null, all: boolean): Promise<LegalHold[]> =>
  (
    await tx.rows<Omit<LegalHold, 'placedAt' | 'liftedAt'> & { placedAt: string; liftedAt: string | null }>(
      `select h.id, h.account, h.placed_by as "placedBy", h.why, h.placed_at as "placedAt", l.lifted_by as "liftedBy", l.lifted_at as "liftedAt"
       from metering.legal_hold h left join metering.legal_hold_lift l on l.hold = h.id
       where ($1::text is null or h.account = $1) and ($2 or l.hold is null) order by h.placed_at, h.id`,
      [account, all],
    )
  ).map((row) => ({
    ...row,
    placedAt: Number(row.placedAt) as Instant,
    liftedAt: row.liftedAt === null ? null : (Number(row.liftedAt) as Instant),
  }))
