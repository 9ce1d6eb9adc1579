import { Command } from 'commander'
import { InputError, type AgencyId, type Fault } from '#kernel'
import { checkDraft, coverageOfNetwork } from '#pipeline'
import { describePolicy, policyDigest, repairedZone } from '#policy'
import { systemClock } from '#runtime'
import { filePolicy } from '#store'
import { agencyId } from '../arguments'
import { withDatabase } from '../database'
import { say } from '../printed'
import { knownAgency } from '../known'
import { readNetwork } from '../readers'
import { faultText, nameOf, readPolicy } from './documents'
import { comparisonCommands } from './backtest'
import { actor, lifeCommands } from './life'
import { versionCommands } from './versions'

export { faultText, readJson, readPolicy, readText } from './documents'
export { actor } from './life'

export function policyCommand(): Command {
  const policy = new Command('policy')
    .addCommand(
      new Command('check')
        .description('say every fault of a policy document with its path, or what it means in words')
        .argument('<document>', 'a file (JSON); or, with --agency, the id of a draft')
        .option('--agency <id>', 'check the latest revision of a draft, and record that it was', agencyId)
        .option('--network <map>', 'with a file: what it says of each road of a map, too')
        .action((document: string, { agency, network }: { agency?: AgencyId; network?: string }) =>
          agency ? checkDraftOf(document, agency) : checkFile(document, network),
        ),
    )
    .addCommand(
      new Command('repair')
        .description(
          'print a policy with its zones as RFC 7946 wants them: closed, outer rings counterclockwise, no position twice in a row',
        )
        .argument('<file>', 'policy document (JSON)')
        .addHelpText(
          'after',
          '\nThe places that zones describe stay the same. What can not be repaired is refused with its path.',
        )
        .action(async (file: string) => {
          const policy = await readPolicy(file)
          const zones = Object.entries(policy.zones).map(([id, zone]) => [
            id,
            zone.geometry ? { ...zone, geometry: repairedZone(zone.geometry) } : zone,
          ])
          say(JSON.stringify({ ...policy, zones: Object.fromEntries(zones) }, null, 2))
        }),
    )
    .addCommand(
      new Command('file')
        .description('publish a policy directly, where the agency has never named an approver')
        .argument('<file>', 'policy document (JSON)')
        .requiredOption('--agency <id>', 'whose policy it is', agencyId)
        .addHelpText(
          'after',
          '\nIt must start in the future, or be the first of its agency. What is published never changes: a new version has an id and\na start of its own.',
        )
        .action(filePolicyOf),
    )
  for (const command of [...lifeCommands(), ...comparisonCommands(), ...versionCommands()]) policy.addCommand(command)
  return policy
}

async function checkFile(file: string, map: string | undefined): Promise<void> {
  try {
    const policy = await readPolicy(file)
    const covered = map === undefined ? null : coverageOfNetwork(policy, await readNetwork(map))
    for (const question of covered?.questions ?? []) say(`question: ${question.path}: ${question.question}`)
    if (covered && covered.faults.length > 0) return refuse(file, covered.faults)
    say([nameOf(policy), ...describePolicy(policy).map((line) => `  ${line}`)].join('\n'))
    say(`digest ${policyDigest(policy)}`)
  } catch (error) {
    if (!(error instanceof InputError) || error.faults.length === 0) throw error
    refuse(file, error.faults)
  }
}

const checkDraftOf = (policy: string, agency: AgencyId): Promise<void> =>
  withDatabase(async (store, settings) => {
    const who = await actor(store, settings, agency)
    const report = await store.transaction((tx) => checkDraft(tx, who, policy, 'checked at the command line'))
    // Answered by whoever submits it: roadmeter policy submit --answer.
    for (const question of report.questions) say(`question: ${question.path}: ${question.question}`)
    if (report.faults.length > 0) refuse(policy, report.faults)
    say(`${policy}, revision ${report.revision}: no fault; recorded as checked`)
  })

function refuse(what: string, faults: readonly Fault[]): never {
  say(faults.map(faultText).join('\n'))
  throw new InputError('POLICY', `${what}: ${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`)
}

async function filePolicyOf(file: string, { agency }: { agency: AgencyId }): Promise<void> {
  const document = await readPolicy(file)
  await withDatabase(async (store) => {
    const digest = await store.transaction(async (tx) => {
      await knownAgency(tx, agency)
      return filePolicy(tx, agency, document, systemClock.now())
    })
    say(`filed for ${agency}: ${nameOf(document)}\ndigest ${digest}`)
    say(`approved by nobody: for a city that charges, name an approver (roadmeter access grant --role approver --help)`)
  })
}
