import { existsSync } from 'node:fs'
import { Argument, Command } from 'commander'
import { type PolicyDocument } from '#contracts'
import { InputError, instant, type AgencyId } from '#kernel'
import { draftPolicy, mdsFeed, policyNamed } from '#pipeline'
import { describeDiff, diffPolicies, fromMds, toMds } from '#policy'
import { systemClock } from '#runtime'
import { agencyId } from '../arguments'
import { withDatabase } from '../database'
import { say } from '../printed'
import { knownAgency } from '../known'
import { readJson, readPolicy } from './documents'
import { acting } from './life'

/** `roadmeter policy diff | export | import`: versions beside each other, and the form of MDS. */
export const versionCommands = (): Command[] => [
  new Command('diff')
    .description('tell two policies apart: in words, with --geojson for a map')
    .addArgument(new Argument('<before>', 'a file, or the id of a policy of --agency'))
    .addArgument(new Argument('<after>', 'the same'))
    .option('--agency <id>', 'whose policies the ids are', agencyId)
    .option('--geojson', 'zones that come, go, move or cost something else, as GeoJSON')
    .action(async (before: string, after: string, given: { agency?: AgencyId; geojson?: boolean }) => {
      const read = async (name: string): Promise<PolicyDocument> => {
        if (!given.agency || existsSync(name)) return readPolicy(name)
        const { agency } = given
        let document: PolicyDocument | null = null
        await withDatabase(async (store) => {
          document = await store.transaction((tx) => policyNamed(tx, agency, name, systemClock.now()))
        })
        return document!
      }
      const diff = diffPolicies(await read(before), await read(after))
      say(given.geojson ? JSON.stringify(diff.map) : describeDiff(diff).join('\n'))
    }),
  new Command('export')
    .description('print a policy, or all that an agency has published, in the form of MDS Policy and Geography')
    .addArgument(
      new Argument('[policy]', 'a file, or the id of a policy of --agency; all that is published where not said'),
    )
    .requiredOption('--mds', 'the only form there is')
    .requiredOption('--agency <id>', 'whose policy it is', agencyId)
    .action(async (policy: string | undefined, { agency }: { agency: AgencyId }) => {
      if (policy !== undefined && existsSync(policy))
        return say(JSON.stringify(toMds(agency, await readPolicy(policy), instant(systemClock.now())), null, 2))
      await withDatabase(async (store) => {
        const now = systemClock.now()
        const form = await store.transaction(async (tx) => {
          await knownAgency(tx, agency)
          return policy === undefined
            ? mdsFeed(tx, agency)
            : toMds(agency, await policyNamed(tx, agency, policy, now), now)
        })
        say(JSON.stringify(form, null, 2))
      })
    }),
  new Command('import')
    .description('write a draft from the form of MDS; without --agency print the policy document that it stands for')
    .addArgument(new Argument('<file>', 'policies and geographies (JSON)'))
    .requiredOption('--mds', 'the only form there is')
    .option('--agency <id>', 'whose draft it becomes', agencyId)
    .option('--reason <text>', 'why, for the record')
    .action(async (file: string, { agency, reason }: { agency?: AgencyId; reason?: string }) => {
      const document = fromMds(await readJson(file))
      if (!agency) return say(JSON.stringify(document, null, 2))
      if (!reason) throw new InputError('REASON', 'say why: --reason')
      await acting(agency, (tx, who) => draftPolicy(tx, who, document, reason))
    }),
]
