import { type PolicyDocument } from '#contracts'
import { digest, type Digest, type Fault, type Instant } from '#kernel'
import { policyDigest, validityOf } from './in-force'

/**
 * What can be done with a revision of a policy, in the order in which it is done. Each is a recorded fact; where a policy
 * stands is derived from the facts of its latest revision, so that an edit leaves every approval behind.
 */
export const STEPS = ['checked', 'backtested', 'submitted', 'approved', 'returned', 'scheduled'] as const
export type StepName = (typeof STEPS)[number]

export type PolicyState =
  | 'draft'
  | Exclude<StepName, 'scheduled'>
  /** Published, and to start. */
  | 'scheduled'
  | 'in-force'
  /** A later one has started. */
  | 'superseded'
  /** Its own end has passed. */
  | 'ended'

/** One version of a draft: who wrote it, when and why. */
export interface Revision {
  readonly revision: number
  readonly digest: Digest
  readonly author: string
  readonly reason: string
  readonly at: Instant
}

/** One step of a revision: who took it, when and why. */
export interface Step {
  readonly revision: number
  readonly step: StepName
  readonly person: string
  readonly reason: string
  readonly at: Instant
  /** What it rests on: the digest of the check's report or of the backtest's result. */
  readonly evidence: Digest | null
}

/** The recorded life of a policy before it was published, oldest first. */
export interface Life {
  readonly revisions: readonly Revision[]
  readonly steps: readonly Step[]
}

/** The facts of the latest revision, which are those that count. */
export const currentSteps = ({ revisions, steps }: Life): Step[] =>
  steps.filter(({ revision }) => revision === revisions.at(-1)?.revision)

/** Where a policy stands that isn't published. */
export function draftState(life: Life): PolicyState {
  const done = new Set(currentSteps(life).map(({ step }) => step))
  return STEPS.findLast((step) => done.has(step)) ?? 'draft'
}

/** Where a published policy stands at a moment, among all that are published. */
export function publishedState(policy: PolicyDocument, published: readonly PolicyDocument[], at: Instant): PolicyState {
  const { from, to } = validityOf(policy)
  if (at < from) return 'scheduled'
  const superseded = published.some((other) => {
    const later = validityOf(other).from
    return later <= at && (later > from || (later === from && other.id > policy.id))
  })
  return superseded ? 'superseded' : at < to ? 'in-force' : 'ended'
}

/**
 * Why a person can't take a step now, in a sentence, or null where they can. The database refuses the same by itself: this
 * says it in words, before anything is tried.
 */
export function stepRefusal(life: Life, step: StepName, person: string): string | null {
  const current = currentSteps(life)
  const has = (name: StepName) => current.some((taken) => taken.step === name)
  if (life.steps.some((taken) => taken.step === 'scheduled'))
    return 'it is published and never changes: write a new version'
  if (has('returned')) return 'it was returned to its author: edit it first'
  switch (step) {
    case 'checked':
      return null
    case 'backtested':
      return has('checked') ? null : 'it is not checked'
    case 'submitted':
      if (has('submitted')) return 'it is submitted already'
      if (!has('checked')) return 'it is not checked'
      return has('backtested') ? null : 'it has no backtest'
    case 'approved':
    case 'returned':
      if (!has('submitted')) return 'it is not submitted'
      if (has('approved')) return 'it is approved already'
      if (life.revisions.some(({ author }) => author === person))
        return `${person} has written it: somebody else must approve or return it`
      if (current.some((taken) => taken.step === 'submitted' && taken.person === person))
        return `${person} has submitted it: somebody else must approve or return it`
      return null
    case 'scheduled':
      return has('approved') ? null : 'it is not approved'
  }
}

/** Where and among what a policy is to be published. */
export interface Filing {
  /** All that the agency has published, with their digests. */
  readonly published: readonly { readonly document: PolicyDocument; readonly digest: Digest }[]
  readonly now: Instant
  /** The latest start of a trip that was driven; null where there was none. */
  readonly drivenUntil: Instant | null
  /** How long before it starts a policy must be public; null where the agency's policies are filed directly. */
  readonly noticeMs: number | null
}

export interface FilingFault extends Fault {
  readonly code: 'POLICY_TAKEN' | 'POLICY_TERMS' | 'POLICY_PAST' | 'POLICY_NOTICE'
}

/**
 * What speaks against publishing a policy: an id or a start that another has, another currency or time zone than the agency's
 * other policies (a statement has one of each, and what is published can't be taken back), a start in the past (trips are
 * priced by what was published before they were driven), too short a notice. The first policy of an agency that files
 * directly may start in the past, but not before a trip that was driven. The very same document again is no fault.
 */
export function filingFaults(policy: PolicyDocument, filing: Filing): FilingFault[] {
  const { published, now, drivenUntil, noticeMs } = filing
  if (published.some((other) => other.digest === policyDigest(policy))) return []
  const faults: FilingFault[] = []
  const add = (code: FilingFault['code'], path: string, expected: string, found: string) =>
    faults.push({ code, path, expected, found })
  const { from } = validityOf(policy)
  for (const { document: other } of published) {
    if (other.id === policy.id)
      add(
        'POLICY_TAKEN',
        'id',
        'expected an id that no published policy has: what is published never changes',
        other.id,
      )
    else if (validityOf(other).from === from)
      add('POLICY_TAKEN', 'startsAt', `expected a moment at which policy ${other.id} doesn't start`, policy.startsAt)
  }
  const known = published.at(-1)?.document
  for (const term of ['currency', 'timeZone'] as const)
    if (known && known[term] !== policy[term])
      add('POLICY_TERMS', term, `expected ${known[term]}, as in policy ${known.id} of the same agency`, policy[term])
  const earliest = noticeMs !== null || published.length > 0 ? now : (drivenUntil ?? -1)
  if (from <= earliest)
    add(
      'POLICY_PAST',
      'startsAt',
      'expected a moment to come: trips are priced by what was published before they were driven',
      policy.startsAt,
    )
  else if (noticeMs !== null && from < now + noticeMs)
    add('POLICY_NOTICE', 'startsAt', `expected a notice of at least ${noticeMs / DAY_MS} days`, policy.startsAt)
  return faults
}
const DAY_MS = 86_400_000

/** A new version that is equal to an old one in all but its name in the books and its time. */
export const rollbackOf = (old: PolicyDocument, as: { id: string; startsAt: string }): PolicyDocument => ({
  ...old,
  ...as,
  endsAt: undefined,
})

/** What a policy says, whatever its name and whenever it says it: two of the same terms price every trip the same. */
export const termsDigest = (policy: PolicyDocument): Digest =>
  digest({ ...policy, id: '', name: '', description: '', startsAt: '', endsAt: '' })
