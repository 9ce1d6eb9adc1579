// What the page /verify runs: a statement is worked out again in the browser of whoever was sent it, and sent to nobody.
import { config } from 'zod'
import { parseOrExplain, statementSchema } from '#contracts'
import { verifyProof } from '#ledger'
import { parsePolicy } from '#policy'
import { statementDigest, verifyStatement } from '#statement'

const { document, performance } = globalThis
// The page may not make code from text, and zod would try.
config({ jitless: true })
const file = (name) => document.getElementById(name).files[0]
const readJson = async (chosen) => {
  const text = await chosen.text()
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${chosen.name} is not JSON`)
  }
}
const said = (lines, isGood) => {
  const list = document.getElementById('said')
  list.className = isGood ? 'good' : 'bad'
  list.replaceChildren(...lines.map((line) => Object.assign(document.createElement('li'), { textContent: line })))
}

async function verify() {
  const chosen = file('statement') && (await readJson(file('statement')))
  // A bundle holds the statement, the policies and the proof.
  const bundle = chosen?.statement ? chosen : null
  if (!chosen || !(file('policies') || bundle)) return said(['Choose the statement and the policies first.'], false)
  const begun = performance.now()
  const statement = parseOrExplain(statementSchema, bundle?.statement ?? chosen, file('statement').name)
  const given = file('policies') ? await readJson(file('policies')) : bundle.policies
  const policies = (Array.isArray(given) ? given.map((one) => one?.document ?? one) : [given]).map(parsePolicy)
  const faults = verifyStatement(statement, policies)
  const lines = faults.map(({ path, expected, found }) => `${path}: ${expected}, found ${found}`)
  if (faults.length === 0)
    lines.push(
      `It adds up: ${statement.journeys.length} journeys, recomputed in ${Math.ceil(performance.now() - begun)} ms.`,
    )
  const digest = statementDigest(statement)
  lines.push(`Digest of the statement: ${digest}`)
  let isGood = faults.length === 0
  const shown = file('proof') ? await readJson(file('proof')) : bundle?.proof
  if (shown) {
    const { root, proof } = shown
    const asked = document.getElementById('root').value.trim() || root
    const isIn = verifyProof(digest, proof, asked)
    lines.push(`It ${isIn ? 'is' : 'is NOT'} statement ${proof.index + 1} of ${proof.size} under root ${asked}.`)
    isGood &&= isIn
  }
  said(lines, isGood)
}

document.getElementById('verify').addEventListener('submit', (event) => {
  event.preventDefault()
  verify().catch((error) =>
    said(
      [
        error.message,
        ...(error.faults ?? []).map(({ path, expected, found }) => `${path}: ${expected}, found ${found}`),
      ],
      false,
    ),
  )
})
