import { type ChainEntry, type ChainHead, emptyChain, verifyChain } from '#ledger'

/** One thing that a device did or heard, as it says itself. */
export type Event =
  | {
      readonly did: 'sent'
      readonly device: string
      readonly boot: number
      readonly seq: number
      readonly digest: string
      readonly fixes: number
    }
  | {
      readonly did: 'heard'
      readonly device: string
      readonly boot: number
      readonly upTo: number
      readonly missing: readonly (readonly [number, number])[]
    }

export interface StoredBatch {
  readonly device: string
  readonly boot: number
  readonly seq: number
  readonly digest: string
}

/** What is in the database when all has come to rest. */
export interface FinalState {
  readonly inbox: readonly StoredBatch[]
  /** Numbers of batches that were refused: they are kept, but not metered. */
  readonly refused: readonly { readonly device: string; readonly boot: number; readonly seq: number }[]
  /** What was metered: each a span of one boot, [from, to] with both ends. */
  readonly trips: readonly {
    readonly device: string
    readonly boot: number
    readonly from: number
    readonly to: number
  }[]
  /** Sums by account, in micros. */
  readonly money: ReadonlyMap<string, bigint>
  /** Each chain of the ledger, whole, and how long it says that it is. */
  readonly chains: readonly { readonly head: ChainHead; readonly entries: readonly ChainEntry[] }[]
}

/** Everything that can be wrong, each with a sentence; a run is good where all lists but the counts are empty. */
export interface Verdict {
  readonly batches: number
  readonly fixes: number
  readonly receipted: number
  /** A receipt covers it, and it is nowhere. */
  readonly lost: readonly string[]
  /** Stored or metered more than once. */
  readonly duplicated: readonly string[]
  /** Stored, covered by a receipt or metered, but nobody sent it, or not like that. */
  readonly unexpected: readonly string[]
  /** Sent and never answered: not lost, but its device holds it for ever. */
  readonly unanswered: readonly string[]
  /** Refused although its device is honest. */
  readonly refused: readonly string[]
  /** Answered, stored and never metered. */
  readonly unmetered: readonly string[]
  readonly money: readonly string[]
  readonly chain: readonly string[]
}

/**
 * Holds what devices say against what the database says (Jepsen's way: the history decides, not the program). `expected` is
 * what the same batches cost where nothing goes wrong. All devices are honest: each number has one content, sent any number
 * of times.
 */
export function check(
  history: Iterable<Event>,
  final: FinalState,
  expected: ReadonlyMap<string, bigint> | null,
): Verdict {
  const sent = new Map<string, { digest: string; fixes: number }>()
  const sentOfBoot = new Map<string, number[]>()
  const covered = new Set<string>()
  const unexpected: string[] = []
  for (const event of history) {
    const stream = `${event.device}/${event.boot}`
    if (event.did === 'sent') {
      const name = `${stream}/${event.seq}`
      const before = sent.get(name)
      if (before && before.digest !== event.digest) throw new Error(`the history has ${name} with two contents`)
      if (!before) {
        sent.set(name, event)
        sentOfBoot.set(stream, [...(sentOfBoot.get(stream) ?? []), event.seq])
      }
      continue
    }
    // A number that was never sent can't be covered; one that is only sent later was promised before its time.
    const gaps = event.missing.reduce((sum, [from, to]) => sum + to - from, 0)
    const seqs = (sentOfBoot.get(stream) ?? []).filter(
      (seq) => seq <= event.upTo && !event.missing.some(([from, to]) => from <= seq && seq < to),
    )
    if (seqs.length < event.upTo + 1 - gaps)
      unexpected.push(`a receipt of ${stream} up to ${event.upTo} covers batches that were not sent`)
    for (const seq of seqs) covered.add(`${stream}/${seq}`)
  }

  const stored = new Map<string, string>()
  const duplicated: string[] = []
  for (const { device, boot, seq, digest } of final.inbox) {
    const name = `${device}/${boot}/${seq}`
    if (stored.has(name)) duplicated.push(`batch ${name} is in the inbox twice`)
    stored.set(name, digest)
    const original = sent.get(name)
    if (!original) unexpected.push(`batch ${name} is in the inbox, and nobody sent it`)
    else if (original.digest !== digest) unexpected.push(`batch ${name} is in the inbox with other content`)
  }
  const refused = new Set(final.refused.map(({ device, boot, seq }) => `${device}/${boot}/${seq}`))

  const metered = new Set<string>()
  for (const { device, boot, from, to } of final.trips)
    for (let seq = from; seq <= to; seq++) {
      const name = `${device}/${boot}/${seq}`
      if (metered.has(name)) duplicated.push(`batch ${name} is in two trips`)
      metered.add(name)
      if (!stored.has(name)) unexpected.push(`batch ${name} is in a trip and not in the inbox`)
    }

  const names = [...sent.keys()]
  return {
    batches: sent.size,
    fixes: [...sent.values()].reduce((sum, { fixes }) => sum + fixes, 0),
    receipted: covered.size,
    lost: [...covered].filter((name) => !stored.has(name) && !refused.has(name)).map((name) => `batch ${name}`),
    duplicated,
    unexpected,
    unanswered: names.filter((name) => !covered.has(name)).map((name) => `batch ${name}`),
    refused: [...refused].filter((name) => sent.has(name)).map((name) => `batch ${name}`),
    unmetered: names.filter((name) => stored.has(name) && !metered.has(name)).map((name) => `batch ${name}`),
    money: expected ? moneyFaults(expected, final.money) : [],
    chain: final.chains.flatMap(({ head, entries }) => {
      const fault = verifyChain(entries, emptyChain(head.shard), [head])
      return fault ? [`chain ${fault.shard}, entry ${fault.index}: ${fault.why}`] : []
    }),
  }
}

function moneyFaults(expected: ReadonlyMap<string, bigint>, found: ReadonlyMap<string, bigint>): string[] {
  const accounts = [...new Set([...expected.keys(), ...found.keys()])].sort()
  const faults = accounts.flatMap((account) => {
    const [should, is] = [expected.get(account) ?? 0n, found.get(account) ?? 0n]
    return should === is ? [] : [`account ${account} has ${is} micros, expected ${should}`]
  })
  const sum = [...found.values()].reduce((a, b) => a + b, 0n)
  return sum === 0n ? faults : [...faults, `all accounts together have ${sum} micros, expected 0`]
}

/** The sentences of a verdict, at most `most` of each kind. Empty where everything is as it must be. */
export const faultsOf = (verdict: Verdict, most = 5): string[] =>
  (['lost', 'duplicated', 'unexpected', 'unanswered', 'refused', 'unmetered', 'money', 'chain'] as const).flatMap(
    (kind) => {
      const all = verdict[kind]
      const more = all.length > most ? [`${kind}: and ${all.length - most} more`] : []
      return [...all.slice(0, most).map((fault) => `${kind}: ${fault}`), ...more]
    },
  )
