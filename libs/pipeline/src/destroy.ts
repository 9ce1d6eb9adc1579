import { digest, type AccountId, type AgencyId, type Instant } from '#kernel'
import { destructionTransfer, type Destroyed } from '#ledger'
import { stretchesUntil } from '#statement'
import {
  billsWithStretches,
  destroyWork,
  endErasure,
  fixesPast,
  holdingOf,
  keptTrips,
  lockAccount,
  record,
  stretchesPast,
  takeAnswers,
  takeEvidence,
  takeFixes,
  takeStretches,
  type PastTrip,
  type Store,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const TRIPS_MAX = 300
const UNDATED = '0000-00'

/**
 * Destroys what is past its time of an account's locations: rows and the keys that sealed them, with a receipt in the ledger, all or
 * nothing. A legal hold stops it, and a dispute stops what it is about. Sums, charges and statements stay as they are.
 */
export async function destroy(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const account = key as AccountId
  const now = line.clock.now()
  const { settings } = line
  await lockAccount(tx, account)
  const holding = await holdingOf(tx, account)
  if (!holding || holding.legalHold) return []
  const { agency, keepDays, erasureAskedAt } = holding
  const receipt = receiptWriter(tx, { agency, account, now })
  const because = erasureAskedAt === null ? 'retention' : 'erasure'

  if (erasureAskedAt !== null) {
    const surveys = await takeAnswers(tx, account, erasureAskedAt)
    if (surveys.length > 0) await receipt('answers', UNDATED, surveys, { rows: surveys.length, keys: [] }, because)
  }
  const keepMs = Math.max(settings.keepFixesHours * HOUR_MS, keepDays * DAY_MS)
  const before = Math.max(now - keepMs, erasureAskedAt ?? 0) as Instant
  const fixes = await fixesPast(tx, account, before, TRIPS_MAX)
  for (const [month, trips] of byMonth(fixes)) {
    const gone = await takeFixes(tx, trips, now)
    await receipt('fixes', month, idsOf(trips), gone, because)
  }

  for (const bill of await billsWithStretches(tx, account)) {
    const erasureAsked = erasureAskedAt !== null
    if (bill.disputeOpen || stretchesUntil({ ...bill, erasureAsked }, settings) > now) continue
    for (const [month, trips] of byMonth(await stretchesPast(tx, bill.statement))) {
      const gone = await takeStretches(tx, trips, now)
      await receipt('stretches', month, idsOf(trips), gone, because)
    }
    const { files, keys } = await takeEvidence(tx, bill.statement)
    if (files.length > 0) await receipt('evidence', bill.month, files, { rows: files.length, keys }, because)
  }
  if (fixes.length === TRIPS_MAX) return [destroyWork(account)]
  if (erasureAskedAt !== null && (await keptTrips(tx, account, erasureAskedAt)) === 0)
    await endErasure(tx, account, now)
  return []
}

const idsOf = (trips: readonly PastTrip[]): string[] => trips.map(({ id }) => id).sort()

function byMonth(trips: readonly PastTrip[]): Map<string, PastTrip[]> {
  const months = new Map<string, PastTrip[]>()
  for (const trip of trips) {
    const month = trip.month ?? UNDATED
    months.set(month, [...(months.get(month) ?? []), trip])
  }
  return months
}

const ACCOUNTS_AT_ONCE = 500
/** Passes over one account: each destroys hundreds of trips. */
const PASSES_MAX = 1_000

/** Does now what the engine does every hour, account by account. `progress` is told how many accounts are done. */
export async function destroyDue(
  store: Store,
  line: Line,
  progress: (done: number, all: number) => void = () => undefined,
): Promise<{ accounts: number; receipts: number }> {
  const receipts = async () =>
    Number(
      (await store.read<{ n: string }>(`select count(*) as n from money.transfer where kind = 'destruction'`))[0].n,
    )
  const before = await receipts()
  const all = Number((await store.read<{ n: string }>('select count(*) as n from metering.account'))[0].n)
  let accounts = 0
  for (let after = ''; ;) {
    const page = await store.read<{ id: AccountId }>(
      `select id from metering.account where id > $1 order by id limit ${ACCOUNTS_AT_ONCE}`,
      [after],
    )
    if (page.length === 0) break
    after = page.at(-1)!.id
    for (const { id } of page) {
      for (let pass = 0; pass < PASSES_MAX; pass++)
        if ((await store.transaction((tx) => destroy(tx, id, line))).length === 0) break
      progress(++accounts, all)
    }
  }
  return { accounts, receipts: (await receipts()) - before }
}

/** Destroys the keys of what was taken away, and writes its receipt. */
const receiptWriter =
  (tx: Tx, { agency, account, now }: { agency: AgencyId; account: AccountId; now: Instant }) =>
  async (
    what: Destroyed['what'],
    month: string,
    ids: readonly string[],
    gone: { readonly rows: number; readonly keys: readonly string[] },
    reason: string,
  ): Promise<void> => {
    const keys = (await tx.vault.destroy(tx, gone.keys)).length
    const destroyed: Destroyed = { what, count: ids.length, of: digest(ids), rows: gone.rows, keys }
    const transfer = destructionTransfer({ agency, payer: account, happenedAt: now }, destroyed, reason)
    await record(tx, [{ transfer, month }], now)
  }
