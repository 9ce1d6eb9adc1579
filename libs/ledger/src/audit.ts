import { type Digest, type Instant } from '#kernel'
import { sumOf, type Transfer } from './transfer'
import { SHARDS, type Posting } from './accounts'
import { emptyChain, headOf, verifyChain, type ChainEntry, type ChainFault, type ChainHead } from './chain'

/** An entry as it is kept: beside the transfer that was hashed stand copies of what it says, for queries and sums. */
export interface KeptEntry {
  readonly entry: ChainEntry
  readonly id: string
  readonly kind: string
  readonly agency: string
  readonly payer: string
  readonly happenedAt: Instant
  readonly postings: readonly Posting[]
}

/** What is wrong with the copies, or null. Forgotten content leaves nothing to compare, but its postings still sum to zero. */
function copyFault({ entry: { transfer }, postings, ...kept }: KeptEntry): string | null {
  if (sumOf(postings) !== 0n) return 'its postings do not sum to zero'
  if (transfer === null) return null
  for (const name of ['id', 'kind', 'agency', 'payer', 'happenedAt'] as const)
    if (kept[name] !== transfer[name]) return `its ${name} was changed beside it`
  const said = (all: Transfer['postings']) =>
    all
      .map(({ account, amount }) => `${account} ${amount}`)
      .sort()
      .join()
  return said(postings) === said(transfer.postings) ? null : 'its postings are not those that it says'
}

/**
 * Checks whole chains against the heads that were published, a page at a time. Hand it entries by shard and place, in order, then
 * ask for the `end` with what the database says its heads are.
 */
export class LedgerAudit {
  readonly faults: ChainFault[] = []
  private readonly heads: ChainHead[] = Array.from({ length: SHARDS }, (_, shard) => emptyChain(shard))
  /** Nothing that follows a fault in its chain can be judged. */
  private readonly broken = new Set<number>()

  constructor(private readonly published: readonly ChainHead[]) {}

  page(entries: readonly KeptEntry[]): void {
    for (let from = 0, to: number; from < entries.length; from = to) {
      const { shard } = entries[from].entry
      for (to = from + 1; to < entries.length && entries[to].entry.shard === shard;) to++
      const own = entries.slice(from, to)
      const after = this.heads[shard]
      if (after === undefined) this.fault({ shard, index: 0, why: `there are only ${SHARDS} shards` })
      if (after === undefined || this.broken.has(shard)) continue
      const until = after.length + own.length
      const found = verifyChain(
        own.map(({ entry }) => entry),
        after,
        this.published.filter((head) => head.shard === shard && head.length <= until),
      )
      if (found) this.fault(found)
      for (const kept of own) {
        const why = copyFault(kept)
        if (why) this.fault({ shard, index: kept.entry.index, why })
      }
      this.heads[shard] = headOf(own[own.length - 1].entry)
    }
  }

  /** What the entries came to; `stated` is what the database says beside them. */
  end(stated: readonly ChainHead[]): readonly ChainFault[] {
    const said = new Map(stated.map((head) => [head.shard, head]))
    for (const head of this.heads) {
      const { shard, length, hash } = head
      if (this.broken.has(shard)) continue
      const found = verifyChain([], head, this.published)
      const { length: count, hash: last } = said.get(shard) ?? emptyChain(shard)
      if (found) this.fault(found)
      else if (count !== length || last !== hash)
        this.fault({ shard, index: length, why: `the chain's own head says ${count} entries and ends in ${last}` })
    }
    return this.faults
  }

  private fault(fault: ChainFault): void {
    this.broken.add(fault.shard)
    this.faults.push(fault)
  }
}

/** The heads as they are published: what changes where nothing else does. */
export interface PublishedHeads {
  readonly at: Instant
  readonly heads: readonly { readonly shard: number; readonly length: number; readonly hash: Digest }[]
}
