import { InputError, type AgencyId, type Fault, type Instant } from '#kernel'
import { checkPolicy, describePolicy, faultIn, filingFaults, parsePolicy, type Language, type Question } from '#policy'
import { filingOf, noticeMsOf, type Tx } from '#store'

/** What can be said of a document while it is being written: nothing is kept. */
export interface PolicyPreview {
  /** By path; of a document that isn't even of the right shape, its shape's alone. */
  readonly faults: readonly Fault[]
  /** What would keep it from being published now: its start, its notice. An editor may yet wait. */
  readonly unpublishable: readonly Fault[]
  readonly questions: readonly Question[]
  /** null where it can't be read. */
  readonly words: readonly string[] | null
}

/** Holds a document against its schema and beside what is published, without the roads: those are for the check of a draft. */
export async function previewPolicy(
  tx: Tx,
  agency: AgencyId,
  value: unknown,
  now: Instant,
  language: Language = 'en',
): Promise<PolicyPreview> {
  let document
  try {
    document = parsePolicy(value)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    const faults = error.faults?.length ? error.faults : [{ path: '', expected: error.message, found: 'this document' }]
    return { faults: faults.map((fault) => faultIn(fault, language)), unpublishable: [], questions: [], words: null }
  }
  const filing = await filingOf(tx, agency, now, await noticeMsOf(tx, agency))
  const { faults, questions } = checkPolicy(
    document,
    filing.published.map((other) => other.document),
    language,
  )
  return {
    faults: faults.map((fault) => faultIn(fault, language)),
    unpublishable: filingFaults(document, filing).map(({ path, expected, found }) =>
      faultIn({ path, expected, found }, language),
    ),
    questions,
    words: describePolicy(document, language),
  }
}
