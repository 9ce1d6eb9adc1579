import { Command } from 'commander'
import { z } from 'zod'
import { digestSchema, parseOrExplain, statementSchema } from '#contracts'
import { formatMicros, InputError, micros, type Digest } from '#kernel'
import { verifyProof, type ChainHead, type MerkleProof } from '#ledger'
import { auditLedger, readHeads } from '#pipeline'
import { parsePolicy } from '#policy'
import { statementDigest, verifyStatement } from '#statement'
import { systemClock } from '#runtime'
import { chainHeads, trialBalance } from '#store'
import { withDatabase } from './database'
import { columns, counted, grouped, progress, say } from './printed'
import { faultText, readJson, readText } from './policy'

const treeSchema = z.object({ index: z.int(), size: z.int(), path: z.array(digestSchema) })
const proofSchema = z.union([z.object({ root: digestSchema, proof: treeSchema }), treeSchema], {
  error: 'expected {"index", "size", "path"}, or {"root", "proof"} as roadmeter statement show --proof prints it',
})

/** A statement with what it takes to check it, as `roadmeter statement show --bundle` and the api give it. */
const bundleSchema = z.object({ statement: z.unknown(), policies: z.array(z.unknown()), proof: proofSchema.nullable() })
const isBundle = (value: unknown): boolean => typeof value === 'object' && value !== null && 'statement' in value

/** `roadmeter verify`: everything that somebody who was sent a statement can check, from files alone. */
export const verifyCommand = (): Command =>
  new Command('verify')
    .argument('<statement>', 'statement (JSON), or a bundle: the statement with its policies and its proof')
    .option('--policy <file...>', 'the published policies: documents, or the list that the api gives')
    .option('--proof <file>', 'also check that the statement is one of those that were sealed together')
    .option('--root <digest>', 'the published root of the month; without it the one in the proof is believed')
    .action(async (file: string, given: { policy?: string[]; proof?: string; root?: string }) => {
      const read = await readJson(file)
      const bundle = isBundle(read) ? parseOrExplain(bundleSchema, read, file) : null
      if (!given.policy && !bundle) throw new InputError('POLICY', 'add --policy with the published policies')
      const statement = parseOrExplain(statementSchema, bundle?.statement ?? read, file)
      const policies = given.policy
        ? (await Promise.all(given.policy.map(async (one) => policiesIn(await readJson(one), one)))).flat()
        : policiesIn(bundle?.policies, file)
      const faults = verifyStatement(statement, policies)
      say(
        faults.length
          ? `${file} does not add up:\n${faults.map((fault) => `  ${faultText(fault)}`).join('\n')}`
          : `${file} adds up: ${statement.journeys.length} journeys, recomputed from ${policies.map((p) => p.id).join(', ')}`,
      )
      if (faults.length) process.exitCode = 1
      const proof = given.proof
        ? parseOrExplain(proofSchema, await readJson(given.proof), given.proof)
        : (bundle?.proof ?? null)
      if (given.root && !proof) throw new InputError('PROOF', 'a root says nothing without --proof')
      if (!proof) return
      const tree = ('proof' in proof ? proof.proof : proof) as unknown as MerkleProof
      const root = given.root ?? ('root' in proof ? proof.root : undefined)
      if (root === undefined) throw new InputError('PROOF', `${given.proof ?? file} holds no root: add --root`)
      const digest = statementDigest(statement)
      const proven = verifyProof(digest, tree, root as Digest)
      say(`digest ${digest} ${proven ? 'is' : 'is NOT'} statement ${tree.index + 1} of ${tree.size} under root ${root}`)
      if (!proven) process.exitCode = 1
    })
    .addCommand(verifyLedgerCommand())

/** `roadmeter verify ledger`: the books themselves, against heads that were published outside of them. */
const verifyLedgerCommand = (): Command =>
  new Command('ledger')
    .description(
      'check every entry of the ledger against the heads that were published; status 1 where it was tampered with',
    )
    .option(
      '--heads <file...>',
      'published heads: lines of roadmeter ledger heads, or of GET /v1/ledger/heads; ROADMETER_HEADS_FILE where absent',
    )
    .action(({ heads }: { heads?: string[] }) =>
      withDatabase(async (store, { headsFile }) => {
        const files = heads ?? (headsFile ? [headsFile] : [])
        if (files.length === 0) throw new InputError('HEADS', 'add --heads, or name a file in ROADMETER_HEADS_FILE')
        const published: ChainHead[] = []
        for (const file of files) published.push(...readHeads(await readText(file), file))
        if (published.length === 0) throw new InputError('HEADS', `${files.join(', ')}: there are no heads in it`)
        const bar = progress('checking entries')
        const { entries, faults } = await auditLedger(
          (sql, parameters) => store.read(sql, parameters),
          published,
          (done, all) => bar.to(done, all),
        ).finally(() => bar.end())
        for (const fault of faults)
          say(fault.shard === null ? fault.why : `chain ${fault.shard}, entry ${fault.index}: ${fault.why}`)
        say(
          faults.length > 0
            ? `the ledger is NOT what was published: ${counted(faults.length, 'fault')} in ${counted(entries, 'entry')}`
            : `the ledger holds: ${grouped(entries)} entries agree with ${counted(published.length, 'published head')}`,
        )
        if (faults.length > 0) process.exitCode = 1
      }),
    )

/** `roadmeter ledger balances`: what all accounts hold, by kind; together nothing. */
const balancesCommand = (): Command =>
  new Command('balances').description('what the accounts of the ledger hold, by kind: together zero').action(() =>
    withDatabase(async (store) => {
      const kinds = await store.transaction((tx) => trialBalance(tx))
      const sum = kinds.reduce((all, { amount }) => all + amount, 0n)
      const cells = kinds.map(({ kind, accounts, amount }) => [kind, grouped(accounts), formatMicros(amount)])
      say(columns([['kind', 'accounts', 'amount'], ...cells, ['together', '', formatMicros(micros(sum))]], [1, 2]))
    }),
  )

/** `roadmeter ledger heads`: what to publish, a line at a time. */
export const ledgerCommand = (): Command =>
  new Command('ledger').addCommand(balancesCommand()).addCommand(
    new Command('heads')
      .description(
        'print the heads of the ledger as a line of JSON: append it to a file that the database has no hand on',
      )
      .action(() =>
        withDatabase(async (store) => {
          const heads = await store.transaction((tx) => chainHeads(tx))
          say(JSON.stringify({ at: systemClock.now(), heads }))
        }),
      ),
  )

/** One document, or what `GET /v1/agencies/:agency/policies` answers. */
function policiesIn(value: unknown, file: string) {
  const documents = Array.isArray(value)
    ? value.map((entry: { document?: unknown }) => entry?.document ?? entry)
    : [value]
  try {
    return documents.map(parsePolicy)
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.code, `${file}: ${error.message}`, error.faults) : error
  }
}
