import { statementSchema, type PolicyDocument } from '#contracts'
import {
  canonical,
  InputError,
  invariant,
  micros,
  type AccountId,
  type AgencyId,
  type Instant,
  type StatementId,
} from '#kernel'
import { merkleRoot, shardOf, statementTransfer } from '#ledger'
import { amountOf, dayText, localClock } from '#policy'
import { capCredit } from '#rating'
import { billingTerms, draftStatement, statementDigest } from '#statement'
import {
  agencyById,
  beginClosing,
  chargesOf,
  cutoffTrips,
  cutoffWindows,
  drafts,
  hasEarlierOpen,
  hasUnmatched,
  leavesOf,
  lockPeriod,
  movePeriod,
  newestPeriod,
  openPeriod,
  publishRoot,
  record,
  saveDraft,
  sealStatement,
  takeCutoff,
  undraftedAccounts,
  unpostedTrips,
  vehiclesOf,
  want,
  type Period,
  type StatementFile,
  type Store,
  type Tx,
  type WorkKey,
} from '#store'
import { type Tariff } from './reference'
import { type Line } from './line'

/** Statements drafted or sealed in one transaction: bounds memory and what a crash repeats. */
const STATEMENTS_PER_STEP = 50

/**
 * Begins the close of a month (`2026-10`). What is not yet ready for the next step is tried again at every sweep. Throws
 * InputError where the agency isn't known, and where a later month is under way: a month's late trips go by what the months
 * before it held.
 */
export async function requestClose(store: Store, agency: AgencyId, month: string): Promise<void> {
  await store.transaction(async (tx) => {
    if (!(await agencyById(tx, agency))) throw new InputError('NO_AGENCY', `there is no agency ${agency}`)
    const newest = await newestPeriod(tx, agency)
    if (newest !== null && month < newest)
      throw new InputError('CLOSE_ORDER', `${agency} has begun to close ${newest}: ${month} can't be closed after it`)
    await openPeriod(tx, agency, month)
    await want(tx, [periodWork(agency, month)])
  })
}

export const periodWork = (agency: string, month: string): WorkKey => ({ stage: 'close', key: `${agency}/${month}` })

/** Moves a period one step towards its seal: open, cut off, rated, drafted, reviewed, sealed. Each step is done once. */
export async function close(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const [agency, month] = key.split('/') as [AgencyId, string]
  const period = await lockPeriod(tx, agency, month)
  invariant(period, `period ${key} was never opened`)
  const tariff = await line.reference.tariff(tx, agency)
  const moved = await step(tx, period, tariff, line.clock.now())
  return moved ? [periodWork(agency, month)] : []
}

/** Whether anything was done: then there may be more to do. */
async function step(tx: Tx, period: Period, tariff: Tariff, now: Instant): Promise<boolean> {
  const { agency, month } = period
  switch (period.state) {
    case 'open': {
      const terms = billingTerms(tariff.documents, month)
      if (now < localClock(terms.timeZone).spanOf(month).to || (await hasEarlierOpen(tx, period))) return false
      await beginClosing(tx, period)
      if (await hasUnmatched(tx, period)) return false
      await takeCutoff(tx, agency, month)
      await movePeriod(tx, period, 'cutoff', now)
      return true
    }
    case 'cutoff':
      if ((await unpostedTrips(tx, agency, month)) > 0) return false
      await movePeriod(tx, period, 'rated', now)
      return true
    case 'rated': {
      const accounts = await undraftedAccounts(tx, agency, month, STATEMENTS_PER_STEP)
      for (const account of accounts)
        await saveDraft(tx, agency, month, await draftOf(tx, period, account, tariff, now))
      if (accounts.length < STATEMENTS_PER_STEP) await movePeriod(tx, period, 'drafted', now)
      return true
    }
    case 'drafted': {
      if (now < reviewEnd(billingTerms(tariff.documents, month), period.draftedAt!)) return false
      const files = await drafts(tx, agency, month, STATEMENTS_PER_STEP)
      // Chains are locked in one order, so that the closes of two agencies never wait for each other in a circle.
      files.sort((a, b) => shardOf(a.account) - shardOf(b.account))
      for (const file of files) await seal(tx, agency, file, month, now)
      if (files.length < STATEMENTS_PER_STEP) {
        await publishRoot(tx, period, merkleRoot(await leavesOf(tx, agency, month)))
        await movePeriod(tx, period, 'sealed', now)
      }
      return true
    }
    case 'sealed':
      return false
  }
}

/** When a draft may be sealed: after the last day of review, on the clock of the agency. */
export function reviewEnd({ timeZone, billing }: PolicyDocument, draftedAt: Instant): Instant {
  const clock = localClock(timeZone)
  return clock.spanOf(dayText(clock.dayNumber(draftedAt) + billing.reviewDays)).to
}

async function draftOf(
  tx: Tx,
  period: Period,
  account: { id: AccountId; name: string },
  tariff: Tariff,
  now: Instant,
): Promise<StatementFile> {
  const { agency, month } = period
  const owner = await agencyById(tx, agency)
  invariant(owner, `no agency ${agency}`)
  const trips = await cutoffTrips(tx, agency, month, account.id)
  const charges = await chargesOf(
    tx,
    trips.map((trip) => trip.id),
  )
  const windows = await cutoffWindows(tx, agency, month, account.id)
  const statement = draftStatement({
    agency: owner,
    account,
    month,
    policies: tariff.documents,
    vehicles: await vehiclesOf(tx, account.id),
    trips: trips.map((trip) => ({
      trip: trip.id,
      vehicle: trip.vehicle,
      startedAt: trip.startedAt!,
      endedAt: trip.endedAt!,
      report: trip.reportDigest!,
      engine: trip.engine!,
      network: trip.network!,
      charges: charges.get(trip.id)!,
    })),
    capCredits: windows.map(({ gross, ...window }) => {
      const policy = tariff.documents.find((document) => document.id === window.policy)!
      const cap = amountOf(policy.caps.find(({ id }) => id === window.cap)!.amount)
      return {
        ...window,
        amount: micros(capCredit(micros(window.grossBefore + gross), cap) - capCredit(window.grossBefore, cap)),
      }
    }),
    draftedAt: now,
  })
  return {
    id: statement.id as StatementId,
    account: account.id,
    document: canonical(statement),
    digest: statementDigest(statement),
    due: statement.totals.due,
  }
}

async function seal(tx: Tx, agency: AgencyId, file: StatementFile, month: string, now: Instant): Promise<void> {
  const { totals, coin, currency } = statementSchema.parse(JSON.parse(file.document))
  if (totals.exact !== 0n) {
    const transfer = statementTransfer(
      { agency, currency, payer: file.account, happenedAt: now },
      { statement: file.id },
      totals.exact,
      amountOf(coin),
    )
    await record(tx, [{ transfer, month }], now)
  }
  await sealStatement(tx, file.id)
}
