import fc from 'fast-check'
import {
  instant,
  micros,
  type AccountId,
  type AgencyId,
  type Digest,
  type Micros,
  type PolicyId,
  type StatementId,
  type TripId,
  type VehicleId,
} from '#kernel'
import {
  balances,
  capTransfer,
  chainEntry,
  emptyChain,
  forget,
  headOf,
  leafTiles,
  merkleProof,
  merkleRoot,
  paymentTransfer,
  proofInTiles,
  reversalOf,
  shardOf,
  SHARDS,
  statementTransfer,
  sumOf,
  TILE_NODES,
  tilesAbove,
  tripTransfer,
  upperTiles,
  verifyChain,
  verifyProof,
  type ChainEntry,
  type ChainHead,
  type Occasion,
  type Transfer,
} from '#ledger'

const CENT = 10_000n
const occasion: Occasion = {
  agency: 'oslo' as AgencyId,
  currency: 'USD',
  payer: 'ann' as AccountId,
  happenedAt: instant(1_790_000_000_000),
}
const trip = (n: number, amount: bigint, revision = 0) =>
  tripTransfer(occasion, { trip: `trip-${n}` as TripId, revision }, [
    { jurisdiction: 'oslo', amount: micros(amount) },
    { jurisdiction: 'viken', amount: micros(amount / 3n) },
  ])

const money = fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }).map((n): Micros => micros(n))
const name = fc.stringMatching(/^[a-z0-9-]{3,12}$/)
const transfers: fc.Arbitrary<Transfer> = fc.oneof(
  fc
    .tuple(name, fc.array(fc.record({ jurisdiction: name, amount: money }), { maxLength: 5 }))
    .map(([id, earnings]) => tripTransfer(occasion, { trip: id as TripId }, earnings)),
  fc.tuple(name, name, money).map(([id, jurisdiction, amount]) =>
    capTransfer(
      occasion,
      {
        policy: 'p1' as PolicyId,
        cap: 'daily',
        vehicle: 'v' as VehicleId,
        span: '2026-10-25',
        trip: id as TripId,
      },
      { jurisdiction, amount },
    ),
  ),
  fc
    .tuple(name, money, fc.constantFrom(1n, 5_000n, CENT, 1_000_000n))
    .map(([id, exact, coin]) => statementTransfer(occasion, { statement: id as StatementId }, exact, coin)),
  fc.tuple(name, money).map(([payment, amount]) => paymentTransfer(occasion, { payment }, amount, amount)),
)

describe('transfers', () => {
  it('sum to zero, and so does everything', () => {
    fc.assert(
      fc.property(fc.array(transfers, { maxLength: 20 }), (posted) => {
        for (const transfer of posted) expect(sumOf(transfer.postings)).toBe(0n)
        const held = balances(posted.flatMap((transfer) => transfer.postings))
        expect([...held.values()].reduce((a, b) => a + b, 0n)).toBe(0n)
      }),
    )
  })
  it('are undone by their reversal, which names them', () => {
    fc.assert(
      fc.property(transfers, (transfer) => {
        const reversal = reversalOf(transfer, 'disputed', instant(1))
        expect(reversal.reversalOf).toBe(transfer.id)
        expect(reversal.trip).toBe(transfer.trip)
        const held = balances([...transfer.postings, ...reversal.postings])
        expect([...held.values()].every((amount) => amount === 0n)).toBe(true)
      }),
    )
  })
  it('are the same transfer when repeated, and another when they are about something else', () => {
    expect(trip(1, 500n)).toEqual(trip(1, 500n))
    const ids = [trip(1, 500n), trip(2, 500n), trip(1, 500n, 1), reversalOf(trip(1, 500n), 'late', instant(2))]
    expect(new Set(ids.map((transfer) => transfer.id)).size).toBe(4)
    expect(reversalOf(trip(1, 500n), 'late', instant(2)).id).toBe(reversalOf(trip(1, 500n), 'other', instant(3)).id)
  })
  it('cannot be reversed twice over', () => {
    const reversal = reversalOf(trip(1, 5n), 'late', instant(2))
    expect(() => reversalOf(reversal, 'again', instant(3))).toThrow('is itself a reversal')
  })
  it('hold one posting an account and none of zero', () => {
    const free = tripTransfer(occasion, { trip: 't' as TripId }, [{ jurisdiction: 'oslo', amount: micros(0n) }])
    expect(free.postings).toEqual([])
    expect(trip(1, 300n).postings).toEqual([
      { account: 'accrued:ann', amount: 400n },
      { account: 'revenue:oslo', amount: -300n },
      { account: 'revenue:viken', amount: -100n },
    ])
  })
  it('bill whole coins and book the residue', () => {
    // 12.345 rounds half to even: 12.34, and the agency forgoes half a cent.
    const sealed = statementTransfer(occasion, { statement: 's' as StatementId }, micros(12_345_000n), CENT)
    expect(Object.fromEntries(balances(sealed.postings))).toEqual({
      'accrued:ann': -12_345_000n,
      'billed:ann': 12_340_000n,
      'rounding:oslo': 5_000n,
    })
  })
})

describe('the hash chain', () => {
  const shard = shardOf(occasion.payer)
  const salt = (n: number) => n.toString(16).padStart(32, '0')
  const build = (posted: readonly Transfer[], from: ChainHead = emptyChain(shard)): ChainEntry[] => {
    const chain: ChainEntry[] = []
    let head = from
    for (const transfer of posted) {
      const entry = chainEntry(head, transfer, salt(head.length), instant(1_000 + head.length))
      chain.push(entry)
      head = headOf(entry)
    }
    return chain
  }
  const chain = build(Array.from({ length: 12 }, (_, n) => trip(n, BigInt(n) * 1_000n + 300n)))
  const published = headOf(chain[chain.length - 1])
  const check = (entries: readonly ChainEntry[], heads: readonly ChainHead[] = [published]) =>
    verifyChain(entries, emptyChain(shard), heads)

  it('checks as written, after forgetting, and when continued from a head', () => {
    expect(check(chain)).toBeNull()
    expect(check(chain.map((entry, n) => (n % 2 ? forget(entry) : entry)))).toBeNull()
    expect(verifyChain(chain.slice(5), headOf(chain[4]), [published])).toBeNull()
    expect(check([...chain, ...build([trip(99, 5n)], published)])).toBeNull()
    expect(check([], [])).toBeNull()
  })

  const at = fc.nat({ max: chain.length - 1 })
  const someoneElse = trip(1_000, 777n)
  type Edit = [string, ChainEntry[]]
  const edits: fc.Arbitrary<Edit> = fc.oneof(
    fc.tuple(at, fc.bigInt({ min: 1n, max: 10n ** 9n })).map(([n, amount]): Edit => {
      const { postings } = chain[n].transfer!
      const raised = postings.map((p, i) => (i === 0 ? { ...p, amount: micros(p.amount + amount) } : p))
      return ['amount', chain.with(n, { ...chain[n], transfer: { ...chain[n].transfer!, postings: raised } })]
    }),
    at.map((n): Edit => [
      'payer',
      chain.with(n, { ...chain[n], transfer: { ...chain[n].transfer!, payer: 'bob' as AccountId } }),
    ]),
    at.map((n): Edit => ['recorded', chain.with(n, { ...chain[n], recordedAt: instant(1) })]),
    at.map((n): Edit => ['hash', chain.with(n, { ...chain[n], hash: chain[(n + 1) % chain.length].hash })]),
    at.map((n): Edit => ['content', chain.with(n, { ...forget(chain[n]), content: published.hash })]),
    at.map((n): Edit => ['half forgotten', chain.with(n, { ...chain[n], salt: null })]),
    at.map((n): Edit => ['drop', chain.toSpliced(n, 1)]),
    at.map((n): Edit => ['truncate', chain.slice(0, n)]),
    at.map((n): Edit => ['insert', chain.toSpliced(n, 0, chain[n])]),
    fc.tuple(at, at).map(([a, b]): Edit => ['swap', chain.with(a, chain[b]).with(b, chain[a])]),
    at.map((n): Edit => [
      'rebuild',
      build([...chain.slice(0, n).map((e) => e.transfer!), someoneElse, ...chain.slice(n + 1).map((e) => e.transfer!)]),
    ]),
  )
  it('finds any edit, drop, swap, cut or rebuild against the published head', () => {
    fc.assert(
      fc.property(edits, ([what, entries]) => {
        fc.pre(what !== 'swap' || entries.some((entry, n) => entry !== chain[n]))
        expect([what, check(entries)]).toEqual([what, expect.objectContaining({ shard })])
      }),
      { numRuns: 500 },
    )
  })
  it('names the first broken entry and why', () => {
    expect(check(chain.toSpliced(3, 1))).toEqual({ shard, index: 3, why: 'entry 4 stands in its place' })
    expect(check(chain.slice(0, 7))).toEqual({
      shard,
      index: 7,
      why: 'it is missing: a published head counts 12 entries',
    })
    expect(check(build(chain.toSpliced(2, 1, { ...chain[2], transfer: someoneElse }).map((e) => e.transfer!)))).toEqual(
      {
        shard,
        index: 11,
        why: 'it is not what the published head says',
      },
    )
    expect(check(chain, [{ ...published, hash: chain[0].hash }, published])?.why).toContain('contradict')
  })
  it('shows the narrowest span where several heads were published', () => {
    const rebuilt = build([someoneElse, ...chain.slice(1).map((e) => e.transfer!)])
    expect(check(rebuilt, chain.map(headOf))?.index).toBe(0)
  })
  it('refuses a weak salt and a foreign payer', () => {
    expect(() => chainEntry(emptyChain(shard), trip(1, 3n), 'abc', instant(1))).toThrow('salt')
    expect(() => chainEntry(emptyChain((shard + 1) % SHARDS), trip(1, 3n), salt(1), instant(1))).toThrow(
      'another shard',
    )
  })
  it('spreads payers evenly over the shards', () => {
    const counts = new Array<number>(SHARDS).fill(0)
    for (let n = 0; n < 16_000; n++) counts[shardOf(`account-${n}` as AccountId)] += 1
    expect(Math.min(...counts)).toBeGreaterThan(800)
  })
})

describe('the Merkle tree', () => {
  // The leaves are arbitrary 32 bytes; the shape is what RFC 6962 fixes, so the reference splits by powers of two.
  const leaves = Array.from({ length: 40 }, (_, n) => n.toString(16).padStart(64, 'a') as Digest)
  const bytes = (hex: string) => Uint8Array.from(hex.match(/../g)!, (pair) => parseInt(pair, 16))
  const sha256 = (...parts: Uint8Array[]) =>
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    require('node:crypto').createHash('sha256').update(Buffer.concat(parts)).digest('hex') as Digest
  const reference = (items: readonly Digest[]): Digest => {
    if (items.length === 0) return sha256()
    if (items.length === 1) return sha256(Uint8Array.of(0), bytes(items[0]))
    let k = 1
    while (k * 2 < items.length) k *= 2
    return sha256(Uint8Array.of(1), bytes(reference(items.slice(0, k))), bytes(reference(items.slice(k))))
  }

  it('has the root of RFC 6962 at every size', () => {
    for (let n = 0; n <= leaves.length; n++) expect(merkleRoot(leaves.slice(0, n))).toBe(reference(leaves.slice(0, n)))
  })
  it('proves every leaf of every size, and nothing else', () => {
    for (let n = 1; n <= leaves.length; n++) {
      const root = merkleRoot(leaves.slice(0, n))
      for (let i = 0; i < n; i++) {
        const proof = merkleProof(leaves.slice(0, n), i)
        expect(verifyProof(leaves[i], proof, root)).toBe(true)
        expect(verifyProof(leaves[(i + 1) % leaves.length], proof, root)).toBe(false)
        if (n > 1) expect(verifyProof(leaves[i], { ...proof, index: (i + 1) % n }, root)).toBe(false)
        expect(verifyProof(leaves[i], { ...proof, path: [...proof.path, leaves[0]] }, root)).toBe(false)
        if (proof.path.length > 0)
          expect(verifyProof(leaves[i], { ...proof, path: proof.path.slice(1) }, root)).toBe(false)
      }
    }
  })
  it('is the same tree when it is built and read a tile at a time', () => {
    const many = Array.from({ length: TILE_NODES * TILE_NODES + 300 }, (_, i) => `${i}`.padStart(64, '0') as Digest)
    for (const size of [1, TILE_NODES - 1, TILE_NODES, TILE_NODES + 1, 3 * TILE_NODES + 1, many.length]) {
      const low = []
      for (let from = 0; from < size; from += TILE_NODES)
        low.push(...leafTiles(many.slice(from, Math.min(size, from + TILE_NODES)), from / TILE_NODES))
      const { tiles, root } = upperTiles(low.map((tile) => tile.root))
      const kept = new Map([...low, ...tiles].map((tile) => [`${tile.level}/${tile.index}`, tile]))
      expect(kept.size).toBe(low.length + tiles.length)
      if (size < 1000) expect(root).toBe(reference(many.slice(0, size)))
      for (const index of [0, size >> 1, size - 1]) {
        const above = tilesAbove(index, size).map((at) => kept.get(`${at.level}/${at.index}`)!)
        expect(verifyProof(many[index], proofInTiles(index, size, above), root)).toBe(true)
      }
    }
  })
  it('answers false to nonsense', () => {
    const proof = merkleProof(leaves, 3)
    const root = merkleRoot(leaves)
    expect(verifyProof('xyz' as Digest, proof, root)).toBe(false)
    expect(verifyProof(leaves[3], { ...proof, path: ['x' as Digest] }, root)).toBe(false)
    for (const [index, size] of [
      [-1, 4],
      [4, 4],
      [0.5, 4],
      [0, 0],
      [0, NaN],
      [0, Infinity],
      [1, 2 ** 40],
    ])
      expect(verifyProof(leaves[3], { ...proof, index, size }, root)).toBe(false)
  })
})
