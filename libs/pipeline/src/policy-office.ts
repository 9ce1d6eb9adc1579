import { type PolicyDocument } from '#contracts'
import { digest, InputError, instant, type AgencyId, type Digest, type Fault, type Instant } from '#kernel'
import {
  checkPolicy,
  describePolicy,
  draftState,
  filingFaults,
  parsePolicy,
  policyDigest,
  publishedState,
  rollbackOf,
  stepRefusal,
  toMds,
  validityOf,
  type Life,
  type MdsForm,
  type PolicyState,
  type Question,
  type StepName,
} from '#policy'
import { unpackNetwork } from '#road-network'
import {
  addRevision,
  addShadow,
  addStep,
  draftDocument,
  draftsOf,
  filingOf,
  lifeOf,
  lockPolicy,
  networkInForce,
  noticeMsOf,
  packedNetwork,
  policiesOf,
  publishedPolicies,
  publishPolicy,
  refuseFaults,
  type Actor,
  type Tx,
} from '#store'
import { coverageOfNetwork } from './coverage'

/** Who acts for an agency, and when: an editor or an approver who has signed in. */
export interface Acting extends Actor {
  readonly agency: AgencyId
  readonly now: Instant
}

/** A policy with where it stands and how it came there. */
export interface PolicyStory {
  readonly policy: string
  readonly state: PolicyState
  readonly digest: Digest
  readonly document: PolicyDocument
  /** Empty for a policy that was filed directly. */
  readonly life: Life
}

/**
 * Keeps a document as the latest revision of its policy. What is not valid is refused with every fault and nothing is kept; what
 * it already says changes nothing. An edit leaves every check, backtest and approval behind: those were of another revision.
 */
export async function draftPolicy(tx: Tx, acting: Acting, value: unknown, reason: string): Promise<PolicyStory> {
  const document = parsePolicy(value)
  const { agency, person, now } = acting
  requireEditor(acting, 'write policies')
  await lockPolicy(tx, agency, document.id)
  if ((await policiesOf(tx, agency)).some((row) => row.document.id === document.id))
    throw new InputError(
      'POLICY_TAKEN',
      `policy ${document.id} is published and never changes: give the new version an id of its own`,
    )
  const { revisions } = await lifeOf(tx, agency, document.id)
  const fingerprint = policyDigest(document)
  if (revisions.at(-1)?.digest !== fingerprint)
    await addRevision(tx, agency, document, {
      revision: revisions.length + 1,
      digest: fingerprint,
      author: person,
      reason,
      at: now,
    })
  return (await policyStory(tx, agency, document.id, now))!
}

/** Drafts a new version that says what a published one said: it goes the whole way, as any other. */
export async function rollBack(
  tx: Tx,
  acting: Acting,
  to: string,
  as: { id: string; startsAt: string },
  reason: string,
): Promise<PolicyStory> {
  const old = (await policiesOf(tx, acting.agency)).find(({ document }) => document.id === to)
  if (!old) throw new InputError('NO_POLICY', `${acting.agency} has no published policy ${to}`)
  return draftPolicy(tx, acting, rollbackOf(old.document, as), reason)
}

/** What a check found: nothing that forbids, or every fault with its path; and what an approver should ask about. */
export interface CheckReport {
  readonly policy: string
  readonly revision: number
  readonly faults: readonly Fault[]
  readonly questions: readonly Question[]
}

/**
 * Checks the latest revision of a draft: what it says by itself and of each segment of the agency's network, and whether it
 * could be published now. Without a fault it is recorded as checked, with the digest of the report.
 */
export async function checkDraft(tx: Tx, acting: Acting, policy: string, reason: string): Promise<CheckReport> {
  const { agency, now } = acting
  const life = await knownLife(tx, agency, policy)
  const document = (await draftDocument(tx, agency, policy))!
  const report: CheckReport = {
    policy,
    revision: life.revisions.at(-1)!.revision,
    ...(await examine(tx, agency, document, now)),
  }
  if (report.faults.length === 0) await takeStep(tx, acting, policy, 'checked', reason, () => digest(report))
  return report
}

/** What can be said against a document, by itself, on the agency's roads, and beside what is published; and what to ask. */
async function examine(
  tx: Tx,
  agency: AgencyId,
  document: PolicyDocument,
  now: Instant,
): Promise<Pick<CheckReport, 'faults' | 'questions'>> {
  const filing = await filingOf(tx, agency, now, await noticeMsOf(tx, agency))
  const { faults, questions } = checkPolicy(
    document,
    filing.published.map((other) => other.document),
  )
  const digestOfNetwork = await networkInForce(tx, agency, instant(Math.max(now, validityOf(document).from)))
  const packed = digestOfNetwork && (await packedNetwork(tx, agency, digestOfNetwork))
  const covered = packed ? coverageOfNetwork(document, unpackNetwork(packed)) : null
  const unpublishable = filingFaults(document, filing).map(({ path, expected, found }) => ({ path, expected, found }))
  return {
    faults: [...faults, ...(covered?.faults ?? []), ...unpublishable],
    questions: [...questions, ...(covered?.questions ?? [])],
  }
}

/**
 * Asks for approval of what was checked and backtested. What the check asked must be answered, by the question's path: the
 * answers stand in the record beside the reason.
 */
export async function submitPolicy(
  tx: Tx,
  acting: Acting,
  policy: string,
  reason: string,
  answers: Readonly<Record<string, string>> = {},
): Promise<PolicyStory> {
  requireReason(reason)
  await knownLife(tx, acting.agency, policy)
  const document = (await draftDocument(tx, acting.agency, policy))!
  const { questions } = await examine(tx, acting.agency, document, acting.now)
  const open = questions.filter(({ path }) => !answers[path]?.trim())
  if (open.length > 0)
    throw new InputError(
      'POLICY_QUESTIONS',
      `policy ${policy} has ${open.length} open ${open.length === 1 ? 'question' : 'questions'}, first ${open[0].path}: ${open[0].question}`,
      open.map(({ path, question }) => ({ path, expected: `expected an answer: ${question}`, found: 'nothing' })),
    )
  const answered = questions.map(({ path, question }) => `${path}: ${question} ${answers[path]}`)
  return takeStep(tx, acting, policy, 'submitted', [reason, ...answered].join('\n'))
}

/** Approves the very document whose digest is named, with its latest backtest. */
export async function approvePolicy(
  tx: Tx,
  acting: Acting,
  policy: string,
  approved: string,
  reason: string,
): Promise<PolicyStory> {
  return takeStep(tx, acting, policy, 'approved', reason, ({ revisions, steps }) => {
    const latest = revisions.at(-1)!
    if (latest.digest !== approved)
      throw new InputError('POLICY_EDITED', `policy ${policy} is ${latest.digest} now, not ${approved}: read it again`)
    return steps.findLast(({ revision, step }) => revision === latest.revision && step === 'backtested')!.evidence
  })
}

/** Sends a submitted policy back to its author. */
export const returnPolicy = (tx: Tx, acting: Acting, policy: string, reason: string): Promise<PolicyStory> =>
  takeStep(tx, acting, policy, 'returned', reason)

/** Publishes an approved policy: from then on it is final, and at its start it takes over by itself. */
export async function schedulePolicy(tx: Tx, acting: Acting, policy: string, reason: string): Promise<PolicyStory> {
  const { agency, now } = acting
  await lockPolicy(tx, agency, policy)
  const document = await draftDocument(tx, agency, policy)
  const notice = await noticeMsOf(tx, agency)
  if (document) refuseFaults(document, await filingOf(tx, agency, now, notice))
  await takeStep(tx, acting, policy, 'scheduled', reason)
  await publishPolicy(tx, agency, document!, now, notice)
  return (await policyStory(tx, agency, policy, now))!
}

/** Lets the latest revision rate alongside, over the trips that begin in [from, to), without charging anybody. */
export async function shadowPolicy(
  tx: Tx,
  acting: Acting,
  policy: string,
  span: { from: Instant; to: Instant },
  reason: string,
): Promise<void> {
  requireReason(reason)
  requireEditor(acting, 'run a shadow')
  if (span.to <= span.from || span.to <= acting.now)
    throw new InputError('SHADOW_SPAN', 'a shadow ends after it begins, and in the future')
  const life = await knownLife(tx, acting.agency, policy)
  const { revision } = life.revisions.at(-1)!
  const added = await addShadow(tx, acting.agency, { policy, revision, ...span, reason, at: acting.now }, acting)
  if (added === 0)
    throw new InputError('SHADOW_TAKEN', `revision ${revision} of policy ${policy} is or was a shadow: edit it first`)
}

async function takeStep(
  tx: Tx,
  acting: Acting,
  policy: string,
  step: StepName,
  reason: string,
  evidenceOf: (life: Life) => Digest | null = () => null,
): Promise<PolicyStory> {
  requireReason(reason)
  const { agency, person, role, now } = acting
  await lockPolicy(tx, agency, policy)
  const life = await knownLife(tx, agency, policy)
  const office = OFFICE_OF[step]
  if (office && office !== role)
    throw new InputError('POLICY_OFFICE', `policies are ${step} by an ${office}; ${person} signed in as ${role}`)
  const refusal = stepRefusal(life, step, person)
  if (refusal) throw new InputError('POLICY_STEP', `policy ${policy} can't be ${step}: ${refusal}`)
  const { revision } = life.revisions.at(-1)!
  await addStep(tx, agency, policy, { revision, step, reason, at: now, evidence: evidenceOf(life) }, { person, role })
  return (await policyStory(tx, agency, policy, now))!
}

/** Whose step it is; the others are anybody's who has an office. */
const OFFICE_OF: Partial<Record<StepName, Actor['role']>> = {
  submitted: 'editor',
  approved: 'approver',
  returned: 'approver',
}

function requireEditor({ person, role }: Acting, what: string): void {
  if (role !== 'editor') throw new InputError('POLICY_OFFICE', `editors ${what}; ${person} signed in as ${role}`)
}

function requireReason(reason: string): void {
  if (reason.trim() === '' || reason.length > REASON_CHARACTERS_MAX)
    throw new InputError('REASON', `say why, in 1 to ${REASON_CHARACTERS_MAX} characters`)
}
const REASON_CHARACTERS_MAX = 4_000

export async function knownLife(tx: Tx, agency: AgencyId, policy: string): Promise<Life> {
  const life = await lifeOf(tx, agency, policy)
  if (life.revisions.length === 0) throw new InputError('NO_POLICY', `${agency} has no draft ${policy}`)
  return life
}

/** A draft or a published policy with its life; null where there is neither. */
export async function policyStory(tx: Tx, agency: AgencyId, policy: string, now: Instant): Promise<PolicyStory | null> {
  const published = await policiesOf(tx, agency)
  const life = await lifeOf(tx, agency, policy)
  const row = published.find(({ document }) => document.id === policy)
  if (row)
    return {
      policy,
      state: publishedState(
        row.document,
        published.map(({ document }) => document),
        now,
      ),
      ...row,
      life,
    }
  const document = await draftDocument(tx, agency, policy)
  return document && { policy, state: draftState(life), digest: life.revisions.at(-1)!.digest, document, life }
}

/** Every policy of an agency, drafts first, then what is published by its start. */
export async function policyStories(tx: Tx, agency: AgencyId, now: Instant): Promise<PolicyStory[]> {
  const published = (await policiesOf(tx, agency)).map(({ document }) => document.id)
  const drafts = (await draftsOf(tx, agency)).filter((policy) => !published.includes(policy))
  const stories: PolicyStory[] = []
  for (const policy of [...drafts, ...published]) stories.push((await policyStory(tx, agency, policy, now))!)
  return stories
}

/** A published policy as the feed has it. */
export interface FeedEntry {
  readonly id: string
  readonly state: PolicyState
  readonly digest: Digest
  readonly startsAt: string
  readonly endsAt: string | null
  /** Whether somebody other than its author has approved it, and the digest of the backtest that they had before them. */
  readonly approval: { readonly fourEyes: boolean; readonly backtest: Digest | null }
  readonly words: readonly string[]
  readonly document: PolicyDocument
}

/** What is and what will be in force, for machines; then what was. */
export interface PolicyFeed {
  readonly v: 1
  readonly agency: AgencyId
  readonly at: Instant
  readonly schema: '/schemas/policy.json'
  readonly inForce: FeedEntry | null
  readonly scheduled: readonly FeedEntry[]
  readonly past: readonly FeedEntry[]
}

export async function policyFeed(tx: Tx, agency: AgencyId, now: Instant): Promise<PolicyFeed> {
  const entries = (await policyStories(tx, agency, now))
    .filter(({ life, state }) => life.revisions.length === 0 || !DRAFT_STATES.has(state))
    .map(({ policy, state, digest, document, life }): FeedEntry => ({
      id: policy,
      state,
      digest,
      startsAt: document.startsAt,
      endsAt: document.endsAt ?? null,
      approval: {
        fourEyes: life.revisions.length > 0,
        backtest: life.steps.findLast(({ step }) => step === 'approved')?.evidence ?? null,
      },
      words: describePolicy(document),
      document,
    }))
  return {
    v: 1,
    agency,
    at: now,
    schema: '/schemas/policy.json',
    inForce: entries.find(({ state }) => state === 'in-force') ?? null,
    scheduled: entries.filter(({ state }) => state === 'scheduled'),
    past: entries.filter(({ state }) => state === 'superseded' || state === 'ended'),
  }
}

const DRAFT_STATES = new Set<PolicyState>(['draft', 'checked', 'backtested', 'submitted', 'approved', 'returned'])

/** A policy by its id, or what a draft of that id says now; InputError where there is neither. */
export async function policyNamed(tx: Tx, agency: AgencyId, policy: string, now: Instant): Promise<PolicyDocument> {
  const story = await policyStory(tx, agency, policy, now)
  if (!story) throw new InputError('NO_POLICY', `${agency} has no policy ${policy}`)
  return story.document
}

/** What a policy is to be told apart from: the last that starts before it; null where it is the first. */
export async function policyBefore(tx: Tx, agency: AgencyId, policy: PolicyDocument): Promise<PolicyDocument | null> {
  const { from } = validityOf(policy)
  const earlier = (await policiesOf(tx, agency)).filter(
    ({ document }) => document.id !== policy.id && validityOf(document).from < from,
  )
  return earlier.at(-1)?.document ?? null
}

/** The published policies of an agency in the form of MDS, with their zones. */
export async function mdsFeed(tx: Tx, agency: AgencyId): Promise<MdsForm> {
  const rows = await publishedPolicies(tx, agency)
  const forms = rows.map(({ document, publishedAt }) => toMds(agency, document, publishedAt))
  return {
    policies: forms.flatMap(({ policies }) => policies),
    geographies: forms.flatMap(({ geographies }) => geographies),
  }
}
