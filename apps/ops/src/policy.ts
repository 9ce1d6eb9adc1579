import { Command } from 'commander'
import { readFile } from 'node:fs/promises'
import { type PolicyDocument } from '#contracts'
import { InputError, type AgencyId, type Fault } from '#kernel'
import { describePolicy, parsePolicy, policyDigest } from '#policy'
import { systemClock } from '#runtime'
import { policiesOf, filePolicy } from '#store'
import { agencyId } from './arguments'
import { withDatabase } from './database'
import { columns, say } from './printed'
import { knownAgency } from './registry'

export const policyCommand = (): Command =>
  new Command('policy')
    .description('tariffs: what a mile costs, where, when and for whom')
    .addCommand(
      new Command('check')
        .description('say every fault of a policy document with its path, or what it means in words; needs no database')
        .argument('<file>', 'policy document (JSON)')
        .action(async (file: string) => {
          try {
            const policy = await readPolicy(file)
            say([nameOf(policy), ...describePolicy(policy).map((line) => `  ${line}`)].join('\n'))
            say(`digest ${policyDigest(policy)}`)
          } catch (error) {
            if (!(error instanceof InputError) || error.faults.length === 0) throw error
            say(error.faults.map(faultText).join('\n'))
            throw new InputError(
              'POLICY',
              `${file}: ${error.faults.length} ${error.faults.length === 1 ? 'fault' : 'faults'}`,
            )
          }
        }),
    )
    .addCommand(
      new Command('file')
        .description("publish a policy; it must start in the future, or be the agency's first")
        .argument('<file>', 'policy document (JSON)')
        .requiredOption('--agency <id>', 'whose policy it is', agencyId)
        .addHelpText('after', '\nWhat is published never changes: a new version has an id and a start of its own.')
        .action(filePolicyOf),
    )
    .addCommand(
      new Command('list')
        .description('list the policies of an agency')
        .requiredOption('--agency <id>', 'whose policies', agencyId)
        .action(({ agency }: { agency: AgencyId }) =>
          withDatabase(async (store) => {
            const rows = await store.transaction(async (tx) => {
              await knownAgency(tx, agency)
              return policiesOf(tx, agency)
            })
            say(
              rows.length
                ? columns(rows.map(({ document, digest }) => [nameOf(document), digest.slice(0, 16)]))
                : '(none)',
            )
          }),
        ),
    )

async function filePolicyOf(file: string, { agency }: { agency: AgencyId }): Promise<void> {
  const document = await readPolicy(file)
  await withDatabase(async (store) => {
    const digest = await store.transaction(async (tx) => {
      await knownAgency(tx, agency)
      return filePolicy(tx, agency, document, systemClock.now())
    })
    say(`filed for ${agency}: ${nameOf(document)}\ndigest ${digest}`)
  })
}

/** Reads a policy document. InputError names the file; its faults have their paths. */
export async function readPolicy(file: string): Promise<PolicyDocument> {
  try {
    return parsePolicy(await readJson(file))
  } catch (error) {
    if (!(error instanceof InputError) || error.message.startsWith(file)) throw error
    throw new InputError(error.code, `${file}: ${error.message}`, error.faults)
  }
}

/** What a JSON file says. InputError names the file and, where it can be told, the place. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError('NO_FILE', `${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InputError('NOT_JSON', `${file}: not JSON: ${(error as Error).message.replace(/\s+/g, ' ')}`)
  }
}

const nameOf = (policy: PolicyDocument): string =>
  `${policy.id} (${policy.name}), in force from ${policy.startsAt}${policy.endsAt ? ` to ${policy.endsAt}` : ''}`

export const faultText = (fault: Fault): string => `${fault.path}: ${fault.expected}, found ${fault.found}`
