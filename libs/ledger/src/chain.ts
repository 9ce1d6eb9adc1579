import { canonical, digest, digestOfCanonical, invariant, type Digest, type Instant } from '#kernel'
import { shardOf } from './accounts'
import { sumOf, type Transfer } from './transfer'

/** What the first entry of a chain hashes as the one before it. */
export const GENESIS = '0'.repeat(64) as Digest

/** The last entry of a chain at some moment, as it is published outside the database. */
export interface ChainHead {
  readonly shard: number
  /** How many entries the chain had; the head is the hash of entry `length` - 1, or GENESIS. */
  readonly length: number
  readonly hash: Digest
}

/** A transfer, recorded. Immutable but for one thing: its content may be forgotten (`forget`), its place in the chain not. */
export interface ChainEntry {
  readonly shard: number
  /** Gapless from 0 within its shard. */
  readonly index: number
  /** The ledger's second clock: when it was written down. */
  readonly recordedAt: Instant
  /** Hash of the entry before. */
  readonly previous: Digest
  /** Digest of salt and transfer: without the salt nobody can guess forgotten content back. */
  readonly content: Digest
  readonly hash: Digest
  /** null once forgotten, and then the salt is too. */
  readonly transfer: Transfer | null
  readonly salt: string | null
}

export const emptyChain = (shard: number): ChainHead => ({ shard, length: 0, hash: GENESIS })
export const headOf = (entry: ChainEntry): ChainHead => ({
  shard: entry.shard,
  length: entry.index + 1,
  hash: entry.hash,
})

/**
 * Appends to the chain that ends in `head`. `salt`: at least 128 bits of the shell's own randomness, in hexadecimal. `content` is
 * `contentDigest` of both, for who has it at hand already: it is known before the head is.
 */
export function chainEntry(
  head: ChainHead,
  transfer: Transfer,
  salt: string,
  recordedAt: Instant,
  content = contentDigest(canonical(transfer), salt),
): ChainEntry {
  invariant(/^[0-9a-f]{32,}$/.test(salt), 'a salt has at least 32 hexadecimal digits')
  invariant(shardOf(transfer.payer) === head.shard, `transfer ${transfer.id} belongs to another shard`)
  const sealed = {
    shard: head.shard,
    index: head.length,
    recordedAt,
    previous: head.hash,
    content,
  }
  return { ...sealed, hash: entryHash(sealed), transfer, salt }
}

/** The entry without what it says. The chain stays checkable. */
export const forget = (entry: ChainEntry): ChainEntry => ({ ...entry, transfer: null, salt: null })

/** The first entry that is not as it was written, and what is wrong with it. */
export interface ChainFault {
  readonly shard: number
  readonly index: number
  readonly why: string
}

/**
 * Walks a chain in order and returns its first fault, or null. `after` is where the entries begin (the start of the
 * chain, or a head that was checked before). `published` are heads from outside the database: an entry may follow them,
 * but each must still be there as it was. A chain that agrees with itself but not with them was rewritten or cut.
 */
export function verifyChain(
  entries: Iterable<ChainEntry>,
  after: ChainHead,
  published: readonly ChainHead[] = [],
): ChainFault | null {
  const { shard } = after
  const expected = new Map<number, Digest>()
  for (const head of published) {
    if (head.shard !== shard || head.length < after.length) continue
    const known = expected.get(head.length) ?? (head.length === after.length ? after.hash : head.hash)
    if (known !== head.hash) return { shard, index: head.length - 1, why: 'two published heads contradict each other' }
    expected.set(head.length, head.hash)
  }
  let { length, hash } = after
  for (const entry of entries) {
    const why = entryFault(entry, shard, length, hash)
    if (why) return { shard, index: length, why }
    length += 1
    hash = entry.hash
    const head = expected.get(length)
    if (head !== undefined && head !== hash)
      return { shard, index: length - 1, why: 'it is not what the published head says' }
  }
  const longest = Math.max(length, ...expected.keys())
  return longest > length
    ? { shard, index: length, why: `it is missing: a published head counts ${longest} entries` }
    : null
}

function entryFault(entry: ChainEntry, shard: number, index: number, previous: Digest): string | null {
  if (entry.shard !== shard) return `it is of shard ${entry.shard}`
  if (entry.index !== index) return `entry ${entry.index} stands in its place`
  if (entry.previous !== previous) return 'it does not follow the entry before it'
  if (entry.hash !== entryHash(entry)) return 'its hash does not fit it'
  const { transfer, salt } = entry
  if ((transfer === null) !== (salt === null)) return 'it is forgotten by half'
  if (transfer === null || salt === null) return null
  if (entry.content !== contentDigest(canonical(transfer), salt)) return 'its content was changed'
  if (shardOf(transfer.payer) !== shard) return 'its payer is of another shard'
  if (sumOf(transfer.postings) !== 0n) return 'its postings do not sum to zero'
  return null
}

/** Of `['transfer', salt, transfer]`; `said` is the transfer's canonical JSON. */
export const contentDigest = (said: string, salt: string): Digest =>
  digestOfCanonical(`["transfer",${canonical(salt)},${said}]`)

const entryHash = ({
  shard,
  index,
  recordedAt,
  previous,
  content,
}: Pick<ChainEntry, 'shard' | 'index' | 'recordedAt' | 'previous' | 'content'>): Digest =>
  digest(['entry', shard, index, recordedAt, previous, content])
