import { evidenceType, statementSchema, type Decision, type EvidenceType, type OpenDispute } from '#contracts'
import { digest, InputError, type AccountId, type AgencyId, type Instant, type StatementId, type TripId } from '#kernel'
import { localClock } from '#policy'
import { disputeState, subjectOf, type DisputeState } from '#statement'
import {
  disputesOf,
  lockAccount,
  lockDispute,
  saveDispute,
  saveEvidence,
  saveStep,
  stepsOf,
  want,
  type DisputeRow,
  type DisputeStepRow,
  type StatementRow,
  type Store,
  type Tx,
} from '#store'
import { correct } from './correct'
import { type Line } from './line'
import { settleWork } from './settle'

export const EVIDENCE_FILES_MAX = 10
const NOTES_MAX = 100

/** A dispute with its whole timeline. */
export interface DisputeFile extends DisputeRow {
  readonly state: DisputeState
  readonly steps: readonly DisputeStepRow[]
}

/** Who adds to a dispute: the citizen whose it is, or somebody of the agency. */
export type Party = { readonly agency: AgencyId; readonly account: AccountId | null }

/**
 * Questions a journey or a line of a statement. What it is about is held: nobody asks for it until it is decided. Throws InputError
 * as `subjectOf` does, and DISPUTED where this, the journey that it belongs to or a line of it is questioned already.
 */
export async function openDispute(
  store: Store,
  row: StatementRow,
  asked: OpenDispute,
  line: Line,
): Promise<DisputeFile> {
  const now = line.clock.now()
  const statement = statementSchema.parse(JSON.parse(row.document))
  const account = row.account as AccountId
  const agency = row.agency as AgencyId
  return store.transaction(async (tx) => {
    const { documents } = await line.reference.tariff(tx, agency)
    const subject = subjectOf(statement, asked, documents, now)
    await lockAccount(tx, account)
    const known = await disputesOf(tx, { agency, account })
    const same = known.find(
      (d) =>
        d.statement === row.id &&
        d.trip === subject.trip &&
        (d.line === subject.line || d.line === null || subject.line === null),
    )
    if (same)
      throw new InputError(
        'DISPUTED',
        `this was questioned on ${localClock(statement.timeZone).day(same.openedAt)} already`,
      )
    const dispute: DisputeRow = {
      ...subject,
      agency,
      account,
      statement: row.id as StatementId,
      trip: subject.trip as TripId,
      reason: asked.reason,
      openedAt: now,
    }
    await saveDispute(tx, dispute)
    await saveStep(tx, dispute.id, stepOf('opened', 'citizen', now, asked.text))
    await want(tx, [settleWork(account)])
    return fileOf(tx, dispute)
  })
}

/** Adds words to a dispute, from either side. */
export const addNote = (store: Store, id: string, party: Party, text: string, now: Instant): Promise<DisputeFile> =>
  change(store, id, party, async (tx, _, steps) => {
    if (steps.length >= NOTES_MAX) throw new InputError('DISPUTE_FULL', `a dispute has at most ${NOTES_MAX} steps`)
    await saveStep(tx, id, stepOf('note', sideOf(party), now, text))
  })

/** Adds a picture or a document. Throws InputError EVIDENCE_SIZE, EVIDENCE_TYPE or EVIDENCE_FULL. */
export const addEvidence = (
  store: Store,
  id: string,
  party: Party,
  bytes: Uint8Array,
  now: Instant,
): Promise<DisputeFile> =>
  change(store, id, party, async (tx, _, steps) => {
    const mediaType: EvidenceType = evidenceType(bytes)
    const file = digest(bytes)
    if (steps.some((step) => step.evidence === file)) return
    if (steps.filter((step) => step.kind === 'evidence').length >= EVIDENCE_FILES_MAX)
      throw new InputError('EVIDENCE_FULL', `a dispute takes at most ${EVIDENCE_FILES_MAX} files`)
    await saveEvidence(tx, id, { id: file, mediaType, bytes })
    await saveStep(tx, id, {
      ...stepOf('evidence', sideOf(party), now, `${mediaType}, ${bytes.length} bytes`),
      evidence: file,
    })
  })

/** The citizen lets it be: what was held is asked for again. */
export const withdrawDispute = (store: Store, id: string, party: Party, now: Instant): Promise<DisputeFile> =>
  change(store, id, party, async (tx, dispute) => {
    await saveStep(tx, id, stepOf('withdrawn', 'citizen', now, 'withdrawn'))
    await want(tx, [settleWork(dispute.account)])
  })

/**
 * The agency decides, with its reasons. Upheld, what was questioned is priced again by the facts of the correction, and the next
 * statement gives the difference back.
 */
export const decideDispute = (
  store: Store,
  id: string,
  party: Party,
  decision: Decision,
  line: Line,
): Promise<DisputeFile> =>
  change(store, id, party, async (tx, dispute) => {
    const now = line.clock.now()
    const step = stepOf(decision.outcome, 'agency', now, decision.text)
    if (decision.outcome === 'upheld') {
      await correct(tx, dispute, decision.correction, line)
      await saveStep(tx, id, { ...step, correction: decision.correction })
    } else await saveStep(tx, id, step)
    await want(tx, [settleWork(dispute.account)])
  })

/** One step of an open dispute of this party's, seen by nobody in half. Throws InputError NO_DISPUTE or DISPUTE_DECIDED. */
const change = (
  store: Store,
  id: string,
  party: Party,
  step: (tx: Tx, dispute: DisputeRow, steps: readonly DisputeStepRow[]) => Promise<void>,
): Promise<DisputeFile> =>
  store.transaction(async (tx) => {
    const dispute = await lockDispute(tx, id)
    // The same answer as for a dispute that doesn't exist: nobody learns of others'.
    if (!dispute || dispute.agency !== party.agency || (party.account !== null && dispute.account !== party.account))
      throw new InputError('NO_DISPUTE', 'there is no such dispute')
    const steps = await stepsOf(tx, id)
    const state = disputeState(steps)
    if (state !== 'open') throw new InputError('DISPUTE_DECIDED', `this dispute is ${state}: nothing can be added`)
    await step(tx, dispute, steps)
    return fileOf(tx, dispute)
  })

export async function fileOf(tx: Tx, dispute: DisputeRow): Promise<DisputeFile> {
  const steps = await stepsOf(tx, dispute.id)
  return { ...dispute, state: disputeState(steps), steps }
}

const sideOf = ({ account }: Party): 'citizen' | 'agency' => (account === null ? 'agency' : 'citizen')
const stepOf = (kind: DisputeStepRow['kind'], by: DisputeStepRow['by'], at: Instant, text: string): DisputeStepRow => ({
  kind,
  by,
  at,
  text,
  evidence: null,
  correction: null,
})
