import { type PolicyDocument } from '#contracts'
import { InputError, instant, invariant, type AgencyId, type Instant, type StatementId } from '#kernel'
import { dayText, localClock } from '#policy'
import { billingTerms } from '#statement'
import {
  agencyById,
  beginClosing,
  DRAFT_PARTS,
  hasEarlierOpen,
  hasHolds,
  hasUndrafted,
  hasUnmatched,
  hasUnposted,
  lockPeriod,
  movePeriod,
  newestPeriod,
  openPeriod,
  releaseHolds,
  restedBefore,
  takeCorrections,
  takeCutoff,
  undraftedAccounts,
  want,
  type Period,
  type Store,
  type Tx,
  type WorkKey,
} from '#store'
import { draftPage } from './draft'
import { type Line } from './line'
import { type Tariff } from './reference'
import { sealPage } from './seal'
import { settlePage } from './mileage-close'
import { trafficWork } from './traffic'
import { tallyWork } from './tally'

/** What one transaction takes into a cut-off, and drafts: bounds memory, locks and what a crash repeats. */
const CUTOFF_TRIPS_MAX = 20_000
const DRAFTS_MAX = 250

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
  if (period.state === 'sealed') return [trafficWork(agency, month)]
  const tariff = await line.reference.tariff(tx, agency)
  return step(tx, period, tariff, line)
}

const draftWork = (agency: string, month: string, part: number): WorkKey => ({
  stage: 'draft',
  key: `${agency}/${month}/${part}`,
})

/** Drafts the next page of one part of a period's accounts. The last of the parts lets the close go on. */
export async function draft(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const [agency, month, part] = key.split('/') as [AgencyId, string, string]
  const period = await lockPeriod(tx, agency, month, 'share')
  if (period?.state !== 'rated') return []
  const accounts = await undraftedAccounts(tx, period, Number(part), DRAFTS_MAX)
  if (accounts.length === 0) return [periodWork(agency, month)]
  await draftPage(tx, period, accounts, await line.reference.tariff(tx, agency), line.clock.now())
  return [draftWork(agency, month, Number(part))]
}

/** What is to be done next: nothing where only time, or somebody else, can move the period on. */
async function step(tx: Tx, period: Period, tariff: Tariff, line: Line): Promise<WorkKey[]> {
  const now = line.clock.now()
  const { agency, month } = period
  const again = [periodWork(agency, month)]
  switch (period.state) {
    case 'open': {
      const terms = billingTerms(tariff.documents, month)
      const end = localClock(terms.timeZone).spanOf(month).to
      if (now < closeBegins(terms, month) || (await hasEarlierOpen(tx, period))) return []
      await beginClosing(tx, period)
      // Trips of the month that nobody ended are ended now: their devices have been silent for a rest.
      const rested = await restedBefore(tx, agency, instant(now - line.settings.tripRestMs), end)
      await want(
        tx,
        rested.map((device) => ({ stage: 'match', key: device })),
      )
      if (rested.length > 0 || (await hasUnmatched(tx, period))) return []
      if ((await takeCutoff(tx, period, CUTOFF_TRIPS_MAX)) > 0) return again
      await takeCorrections(tx, period)
      await movePeriod(tx, period, 'cutoff', now)
      return again
    }
    case 'cutoff':
      if (await hasUnposted(tx, period)) return []
      if (await settlePage(tx, period, tariff, now)) return again
      await movePeriod(tx, period, 'rated', now)
      // Counted while it is known where people drove: what analysts may see of the month stays when that is destroyed.
      return [...again, tallyWork(agency, month)]
    case 'rated': {
      if (await hasUndrafted(tx, period))
        return Array.from({ length: DRAFT_PARTS }, (_, part) => draftWork(agency, month, part))
      await movePeriod(tx, period, 'drafted', now)
      return again
    }
    case 'drafted': {
      const terms = billingTerms(tariff.documents, month)
      if (now < reviewEnd(terms, period.draftedAt!) || (await hasHolds(tx, period))) return []
      if (!(await sealPage(tx, period, terms, now))) await movePeriod(tx, period, 'sealed', now)
      return again
    }
    case 'sealed':
      return []
  }
}

/** When the close of a month may begin: as it ends, or on the day of the next that the policy names. */
export function closeBegins({ timeZone, billing }: PolicyDocument, month: string): Instant {
  const clock = localClock(timeZone)
  const { to } = clock.spanOf(month)
  return clock.spanOf(dayText(clock.dayNumber(to) + (billing.statementDay ?? 1) - 1)).from
}

/**
 * Lets a statement that was stopped as doubtful be sealed, with a reason that stays on record. Throws InputError where it is not
 * stopped, and without a name and a reason.
 */
export async function releaseStatement(
  store: Store,
  agency: AgencyId,
  statement: StatementId,
  release: { readonly by: string; readonly why: string; readonly at: Instant },
): Promise<void> {
  for (const [name, text] of Object.entries({ by: release.by, why: release.why }))
    if (text.trim() === '' || text.length > 500)
      throw new InputError(
        'RELEASE',
        `a release says ${name === 'by' ? 'who released' : 'why'}, in 1 to 500 characters`,
      )
  await store.transaction(async (tx) => {
    if ((await releaseHolds(tx, agency, statement, release)) === 0)
      throw new InputError('NOT_HELD', `statement ${statement} of ${agency} is not stopped`)
  })
}

/** When a draft may be sealed: after the last day of review, on the clock of the agency. */
export function reviewEnd({ timeZone, billing }: PolicyDocument, draftedAt: Instant): Instant {
  const clock = localClock(timeZone)
  return clock.spanOf(dayText(clock.dayNumber(draftedAt) + billing.reviewDays)).to
}
