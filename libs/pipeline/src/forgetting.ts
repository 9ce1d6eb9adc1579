import { digest, type AccountId, type Instant } from '#kernel'
import { stretchesUntil } from '#statement'
import { billsWithStretches, holdingOf, plainRows, type Store } from '#store'
import { type Line } from './line'
import { type Finding } from './finding'

const HOUR_MS = 3_600_000
/** How long after its time something may still be there: the engine looks every hour, and goes through accounts in pages. */
const LATE_MS = 6 * HOUR_MS
const FAULTS_MAX = 10
const ACCOUNTS = 500

/**
 * I12, on the database: what is past its time is gone, with its key and with a receipt; what is kept is sealed and can be read.
 * That nothing is left outside the database is for tests with canaries to show.
 */
export async function forgetting(store: Store, line: Line): Promise<Finding> {
  const now = line.clock.now()
  const faults: string[] = []
  const plain = await plainRows(store)
  if (plain > 0) faults.push(`${plain} rows with locations are kept in plain: roadmeter migrate seals them`)
  for (const sql of [LEFT, KEYLESS])
    faults.push(...(await store.read<{ fault: string }>(`${sql} limit ${FAULTS_MAX}`)).map(({ fault }) => fault))
  let checked = 0
  for (let after = ''; ;) {
    const accounts = await store.read<{ id: AccountId }>(
      `select id from metering.account where id > $1 order by id limit ${ACCOUNTS}`,
      [after],
    )
    if (accounts.length === 0) break
    after = accounts.at(-1)!.id
    const ids = accounts.map(({ id }) => id)
    for (const kept of await overdueFixes(store, line, ids, now)) faults.push(kept)
    for (const id of ids) faults.push(...(await overdueStretches(store, line, id, now)))
    faults.push(...(await receiptless(store, ids)))
    checked += ids.length
  }
  return {
    id: 'I12',
    holds: 'forgetting: what is past its time is destroyed, with its key, and has a receipt',
    checked,
    faults: faults.slice(0, FAULTS_MAX),
  }
}

/** What is said to be destroyed and is still there. */
const LEFT = `
  select 'trip ' || t.id || ' has fixes that were destroyed' as fault from metering.trip t join location.batch b
    on b.device = t.device and b.boot = t.boot and b.seq between t.first_seq and t.last_seq and b.trip = t.name
    where t.raw_destroyed_at is not null and not exists (select 1 from metering.trip late where late.device = t.device and late.boot = t.boot
      and late.first_seq > t.first_seq and late.first_seq <= t.last_seq and b.seq between late.first_seq and late.last_seq)
  union all select 'trip ' || t.id || ' has stretches that were destroyed' from metering.trip t where t.stretches_destroyed_at is not null
    and (exists (select 1 from location.path where trip = t.id) or exists (select 1 from location.report where trip = t.id) or exists (select 1 from location.fates where trip = t.id)
      or exists (select 1 from metering.shadow_trip where trip = t.id))`

/** What is sealed with a key that is gone: lost, not destroyed. */
const KEYLESS = `
  select 'batch ' || device || '/' || boot || '/' || seq || ' is sealed with a key that is gone' as fault from location.batch b
    where key is not null and not exists (select 1 from location.data_key k where k.id = b.key)
  union all select what || ' of trip ' || trip || ' is sealed with a key that is gone' from (
    select 'path' as what, trip, key from location.path union all select 'report', trip, key from location.report union all select 'fates', trip, key from location.fates) x
    where key is not null and not exists (select 1 from location.data_key k where k.id = x.key)
  union all select 'photo ' || digest || ' of ' || vehicle || ' is sealed with a key that is gone' from metering.odometer_photo p
    where key is not null and not exists (select 1 from location.data_key k where k.id = p.key)`

async function overdueFixes(store: Store, line: Line, accounts: readonly string[], now: Instant): Promise<string[]> {
  const rows = await store.read<{ fault: string }>(
    `select 'trip ' || t.id || ' has fixes past their time' as fault from metering.trip t
     where t.account = any($1::text[]) and t.raw_destroyed_at is null
       and t.matched_at < $2::int8 - greatest($3::int8, coalesce((select days from metering.keep_choice k where k.account = t.account), 0) * 86400000::int8)
       and not exists (select 1 from metering.legal_hold h where h.account = t.account and not exists (select 1 from metering.legal_hold_lift l where l.hold = h.id))
       and not exists (select 1 from money.dispute d where d.trip = t.id and not exists (
         select 1 from money.dispute_step x where x.dispute = d.id and x.kind in ('upheld', 'refused', 'withdrawn')))
     limit ${FAULTS_MAX}`,
    [accounts, now - LATE_MS, line.settings.keepFixesHours * HOUR_MS],
  )
  return rows.map(({ fault }) => fault)
}

const overdueStretches = (store: Store, line: Line, account: AccountId, now: Instant): Promise<string[]> =>
  store.transaction(async (tx) => {
    const holding = await holdingOf(tx, account)
    if (!holding || holding.legalHold) return []
    const erasureAsked = holding.erasureAskedAt !== null
    return (await billsWithStretches(tx, account))
      .filter((bill) => !bill.disputeOpen && stretchesUntil({ ...bill, erasureAsked }, line.settings) < now - LATE_MS)
      .map(({ month }) => `account ${account} has stretches of its statement of ${month} past their time`)
  })

interface Gone {
  readonly account: string
  readonly what: string
  readonly month: string
  readonly at: string
}
const goneKey = ({ account, what, month, at }: Gone): string => `${account} ${what} ${month} ${at}`

/** Trips whose locations are gone without receipts in the ledger that count them; a single receipt names them, by digest. */
async function receiptless(store: Store, accounts: readonly string[]): Promise<string[]> {
  const groups = await store.read<Gone & { trips: string[] }>(
    `select account, 'fixes' as what, coalesce(month, '0000-00') as month, raw_destroyed_at as at, array_agg(id order by id collate "C") as trips
       from metering.trip where account = any($1::text[]) and raw_destroyed_at is not null group by 1, 2, 3, 4
     union all select account, 'stretches', coalesce(month, '0000-00'), stretches_destroyed_at, array_agg(id order by id collate "C")
       from metering.trip where account = any($1::text[]) and stretches_destroyed_at is not null group by 1, 2, 3, 4`,
    [accounts],
  )
  if (groups.length === 0) return []
  const receipts = new Map<string, { count: number; of: string }[]>()
  for (const row of await store.read<Gone & { count: number; of: string }>(
    `select payer as account, transfer->'destroyed'->>'what' as what, month, happened_at as at, (transfer->'destroyed'->>'count')::int as count,
       transfer->'destroyed'->>'of' as of
     from money.transfer where kind = 'destruction' and payer = any($1::text[])`,
    [accounts],
  ))
    receipts.set(goneKey(row), [...(receipts.get(goneKey(row)) ?? []), row])
  return groups.flatMap((group) => {
    const of = receipts.get(goneKey(group)) ?? []
    const isWhole = of.reduce((sum, { count }) => sum + count, 0) === group.trips.length
    if (isWhole && (of.length > 1 || of[0].of === digest(group.trips))) return []
    return [`${group.what} of ${group.trips.length} trips of account ${group.account} are gone without a receipt`]
  })
}
