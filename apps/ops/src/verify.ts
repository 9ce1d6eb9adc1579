import { Command } from 'commander'
import { z } from 'zod'
import { digestSchema, parseOrExplain, statementSchema } from '#contracts'
import { InputError, type Digest } from '#kernel'
import { verifyProof, type MerkleProof } from '#ledger'
import { parsePolicy } from '#policy'
import { statementDigest, verifyStatement } from '#statement'
import { say } from './printed'
import { faultText, readJson } from './policy'

const treeSchema = z.object({ index: z.int(), size: z.int(), path: z.array(digestSchema) })
const proofSchema = z.union([z.object({ root: digestSchema, proof: treeSchema }), treeSchema], {
  error: 'expected {"index", "size", "path"}, or {"root", "proof"} as roadmeter statement show --proof prints it',
})

/** `roadmeter verify`: everything that somebody who was sent a statement can check, from files alone. */
export const verifyCommand = (): Command =>
  new Command('verify')
    .description('recompute a statement from the published policies, offline; status 1 where it does not add up')
    .argument('<statement>', 'statement (JSON)')
    .requiredOption('--policy <file...>', 'the published policies: documents, or the list that the api gives')
    .option('--proof <file>', 'also check that the statement is one of those that were sealed together')
    .option('--root <digest>', 'the published root of the month; without it the one in the proof is believed')
    .action(async (file: string, given: { policy: string[]; proof?: string; root?: string }) => {
      const statement = parseOrExplain(statementSchema, await readJson(file), file)
      const policies = (await Promise.all(given.policy.map(readPolicies))).flat()
      const faults = verifyStatement(statement, policies)
      say(
        faults.length
          ? `${file} does not add up:\n${faults.map((fault) => `  ${faultText(fault)}`).join('\n')}`
          : `${file} adds up: ${statement.journeys.length} journeys, recomputed from ${policies.map((p) => p.id).join(', ')}`,
      )
      if (faults.length) process.exitCode = 1
      if (given.root && !given.proof) throw new InputError('PROOF', 'a root says nothing without --proof')
      if (!given.proof) return
      const proof = parseOrExplain(proofSchema, await readJson(given.proof), given.proof)
      const tree = ('proof' in proof ? proof.proof : proof) as unknown as MerkleProof
      const root = given.root ?? ('root' in proof ? proof.root : undefined)
      if (root === undefined) throw new InputError('PROOF', `${given.proof} holds no root: add --root`)
      const digest = statementDigest(statement)
      const proven = verifyProof(digest, tree, root as Digest)
      say(`digest ${digest} ${proven ? 'is' : 'is NOT'} statement ${tree.index + 1} of ${tree.size} under root ${root}`)
      if (!proven) process.exitCode = 1
    })

/** One document, or what `GET /v1/agencies/:agency/policies` answers. */
async function readPolicies(file: string) {
  const value = await readJson(file)
  const documents = Array.isArray(value) ? value.map((entry) => entry?.document ?? entry) : [value]
  try {
    return documents.map(parsePolicy)
  } catch (error) {
    throw error instanceof InputError ? new InputError(error.code, `${file}: ${error.message}`, error.faults) : error
  }
}
