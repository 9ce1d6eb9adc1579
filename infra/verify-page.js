// What the page /verify runs, and what a statement's own page in the portal loads when it is asked to check itself: a statement is
// worked out again in the browser of whoever was sent it, and sent to nobody.
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

const WORDS = {
  en: {
    choose: 'Choose the statement and the policies first.',
    right: (journeys, ms) => `It adds up: ${journeys} journeys, recomputed in ${ms} ms.`,
    digest: (digest) => `Digest of the statement: ${digest}`,
    under: (is, place, size, root) => `It ${is ? 'is' : 'is NOT'} statement ${place} of ${size} under root ${root}.`,
    fault: (path, expected, found) => `${path}: ${expected}, found ${found}`,
  },
  es: {
    choose: 'Elija primero la factura y las políticas.',
    right: (journeys, ms) => `Las cuentas salen: ${journeys} viajes, calculados de nuevo en ${ms} ms.`,
    digest: (digest) => `Resumen criptográfico de la factura: ${digest}`,
    under: (is, place, size, root) => `${is ? 'Es' : 'NO es'} la factura ${place} de ${size} bajo la raíz ${root}.`,
    fault: (path, expected, found) => `${path}: ${expected}; se encontró ${found}`,
  },
}
const words = WORDS[document.documentElement.lang] ?? WORDS.en

/**
 * Works a statement out again from the policies, and finds its place under the root of its month: `shown` is the proof (`{ root, proof }`),
 * `root` the one to believe in its place. Throws InputError for what is no statement or no policy.
 */
export function check({ statement: given, policies: published, proof: shown, root }, name = 'the statement') {
  const begun = performance.now()
  const statement = parseOrExplain(statementSchema, given, name)
  const policies = (Array.isArray(published) ? published.map((one) => one?.document ?? one) : [published]).map(
    (policy) => parsePolicy(policy),
  )
  const faults = verifyStatement(statement, policies)
  const ms = Math.ceil(performance.now() - begun)
  const digest = statementDigest(statement)
  const asked = root || shown?.root
  const place = shown && {
    index: shown.proof.index,
    size: shown.proof.size,
    root: asked,
    isUnder: verifyProof(digest, shown.proof, asked),
  }
  return { faults, journeys: statement.journeys.length, ms, digest, place: place ?? null }
}

async function verify() {
  const chosen = file('statement') && (await readJson(file('statement')))
  // A bundle holds the statement, the policies and the proof.
  const bundle = chosen?.statement ? chosen : null
  if (!chosen || !(file('policies') || bundle)) return said([words.choose], false)
  const found = check(
    {
      statement: bundle?.statement ?? chosen,
      policies: file('policies') ? await readJson(file('policies')) : bundle.policies,
      proof: file('proof') ? await readJson(file('proof')) : bundle?.proof,
      root: document.getElementById('root').value.trim(),
    },
    file('statement').name,
  )
  const { faults, place } = found
  const lines = faults.map(({ path, expected, found: there }) => words.fault(path, expected, there))
  if (faults.length === 0) lines.push(words.right(found.journeys, found.ms))
  lines.push(words.digest(found.digest))
  if (place) lines.push(words.under(place.isUnder, place.index + 1, place.size, place.root))
  const isGood = faults.length === 0 && (place?.isUnder ?? true)
  said(lines, isGood)
}

document.getElementById('verify')?.addEventListener('submit', (event) => {
  event.preventDefault()
  verify().catch((error) =>
    said(
      [error.message, ...(error.faults ?? []).map(({ path, expected, found }) => words.fault(path, expected, found))],
      false,
    ),
  )
})
