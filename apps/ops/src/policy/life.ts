import { Argument, Command, InvalidArgumentError } from 'commander'
import { InputError, type AgencyId } from '#kernel'
import {
  approvePolicy,
  draftPolicy,
  policyFeed,
  policyStories,
  policyStory,
  returnPolicy,
  rollBack,
  schedulePolicy,
  submitPolicy,
  type Acting,
  type PolicyStory,
} from '#pipeline'
import { describePolicy } from '#policy'
import { systemClock, type Settings } from '#runtime'
import { principalOf, type Store, type Tx } from '#store'
import { agencyId } from '../arguments'
import { withDatabase } from '../database'
import { columns, say } from '../printed'
import { knownAgency } from '../known'
import { readJson } from './documents'

interface Given {
  readonly agency: AgencyId
  readonly reason: string
}

/** `roadmeter policy draft | submit | approve | return | schedule | rollback | show | list`: from a draft to what is in force. */
export const lifeCommands = (): Command[] => [
  step(
    'draft',
    'write a draft, or a new revision of it; checks, backtests and approvals of earlier ones are left behind',
  )
    .argument('<file>', 'policy document (JSON)')
    .action((file: string, { agency, reason }: Given) =>
      acting(agency, async (tx, who) => draftPolicy(tx, who, await readJson(file), reason)),
    ),
  onPolicy('submit', 'ask for approval of what was checked and backtested')
    .option('--answer <path=text>', 'answer to a question that the check asked; once for each', answer, {})
    .action((policy: string, given: Given & { answer: Record<string, string> }) =>
      acting(given.agency, (tx, who) => submitPolicy(tx, who, policy, given.reason, given.answer)),
    ),
  onPolicy('approve', 'approve the very document that a digest names, with its backtest; not for its author')
    .requiredOption('--digest <digest>', 'as policy show prints it')
    .action((policy: string, given: Given & { digest: string }) =>
      acting(given.agency, (tx, who) => approvePolicy(tx, who, policy, given.digest, given.reason)),
    ),
  onPolicy('return', 'send a submitted policy back to its author').action((policy: string, given: Given) =>
    acting(given.agency, (tx, who) => returnPolicy(tx, who, policy, given.reason)),
  ),
  onPolicy('schedule', 'publish an approved policy: from then on it is final, and takes over when it starts').action(
    (policy: string, given: Given) => acting(given.agency, (tx, who) => schedulePolicy(tx, who, policy, given.reason)),
  ),
  onPolicy('rollback', 'draft a version that says what a published one said')
    .requiredOption('--as <id>', 'id of the new version')
    .requiredOption('--starts-at <moment>', 'such as 2027-01-01T00:00:00+01:00')
    .action((policy: string, given: Given & { as: string; startsAt: string }) =>
      acting(given.agency, (tx, who) =>
        rollBack(tx, who, policy, { id: given.as, startsAt: given.startsAt }, given.reason),
      ),
    ),
  new Command('show')
    .description('print where a policy stands, what it says, and who did what to it when and why')
    .addArgument(new Argument('<policy>', 'its id'))
    .requiredOption('--agency <id>', 'whose policy it is', agencyId)
    .option('--json', 'the document itself')
    .action((policy: string, { agency, json }: { agency: AgencyId; json?: boolean }) =>
      withDatabase(async (store) => {
        const story = await store.transaction((tx) => policyStory(tx, agency, policy, systemClock.now()))
        if (!story) throw new InputError('NO_POLICY', `${agency} has no policy ${policy}`)
        say(json ? JSON.stringify(story.document, null, 2) : storyText(story))
      }),
    ),
  new Command('list')
    .description('list the policies of an agency: drafts, then what is published by its start')
    .requiredOption('--agency <id>', 'whose policies', agencyId)
    .action(({ agency }: { agency: AgencyId }) =>
      withDatabase(async (store) => {
        const stories = await store.transaction(async (tx) => {
          await knownAgency(tx, agency)
          return policyStories(tx, agency, systemClock.now())
        })
        const rows = stories.map(({ policy, state, document, digest, life }) => [
          policy,
          state,
          document.startsAt,
          digest.slice(0, 16),
          life.revisions.length === 0 ? 'filed directly' : '',
          document.name,
        ])
        say(rows.length ? columns([['policy', 'state', 'starts', 'digest', '', 'name'], ...rows]) : '(none)')
      }),
    ),
  feed(),
]

function answer(text: string, known: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('expected a path and an answer: rules[0].price=meant so')
  return { ...known, [text.slice(0, at)]: text.slice(at + 1) }
}

const feed = (): Command =>
  new Command('feed')
    .description('print what is and what will be in force, as the public feed has it (JSON)')
    .requiredOption('--agency <id>', 'whose policies', agencyId)
    .action(({ agency }: { agency: AgencyId }) =>
      withDatabase(async (store) => {
        const told = await store.transaction(async (tx) => {
          await knownAgency(tx, agency)
          return policyFeed(tx, agency, systemClock.now())
        })
        say(JSON.stringify(told, null, 2))
      }),
    )

const step = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .requiredOption('--agency <id>', 'whose policy it is', agencyId)
    .requiredOption('--reason <text>', 'why, for the record')
    .addHelpText('after', '\nWho acts is told by ROADMETER_TOKEN: see roadmeter access grant --help.')

const onPolicy = (name: string, description: string): Command =>
  step(name, description).addArgument(new Argument('<policy>', 'its id'))

/** Does something in the name of whoever ROADMETER_TOKEN is, and says where the policy stands then. */
export const acting = (agency: AgencyId, work: (tx: Tx, who: Acting) => Promise<PolicyStory>): Promise<void> =>
  withDatabase(async (store, settings) => {
    const who = await actor(store, settings, agency)
    say(storyText(await store.transaction((tx) => work(tx, who))))
  })

/** The editor or approver that ROADMETER_TOKEN names. */
export async function actor(store: Store, { token }: Settings, agency: AgencyId): Promise<Acting> {
  const principal = await store.transaction(async (tx) => {
    await knownAgency(tx, agency)
    return principalOf(tx, token, systemClock.now())
  })
  const role = principal?.role
  if (!principal?.person || principal.agency !== agency || (role !== 'editor' && role !== 'approver'))
    throw new InputError(
      'TOKEN',
      `ROADMETER_TOKEN must be the token of an editor or approver of ${agency}: roadmeter access grant --role editor --agency ${agency} --person ... --name ...`,
    )
  return { agency, person: principal.person, role, now: systemClock.now() }
}

export function storyText({ policy, state, digest, document, life }: PolicyStory): string {
  const facts = [
    ...life.revisions.map(({ revision, author, reason, at }) => ({
      at,
      revision,
      what: 'written',
      who: author,
      reason,
    })),
    ...life.steps.map(({ revision, step, person, reason, at }) => ({ at, revision, what: step, who: person, reason })),
  ].sort((a, b) => a.revision - b.revision || a.at - b.at)
  return [
    `${policy} (${document.name}): ${state}, starts ${document.startsAt}`,
    `digest ${digest}`,
    ...describePolicy(document).map((line) => `  ${line}`),
    life.revisions.length
      ? columns(
          facts.map(({ at, revision, what, who, reason }) => [
            new Date(at).toISOString().slice(0, 16),
            `revision ${revision}`,
            what,
            who,
            reason,
          ]),
        )
      : 'filed directly, approved by nobody',
  ].join('\n')
}
