import { randomBytes } from 'node:crypto'
import { type Charge, type Rate } from '#contracts'
import {
  canonical,
  invariant,
  micros,
  millimetres,
  type AccountId,
  type Digest,
  type Instant,
  type PolicyId,
  type TransferId,
  type TripId,
} from '#kernel'
import {
  chainEntry,
  contentDigest,
  emptyChain,
  GENESIS,
  headOf,
  SHARDS,
  shardOf,
  type ChainEntry,
  type ChainHead,
  type Transfer,
} from '#ledger'
import { type PricedLine } from '#rating'
import { type Period } from './periods'
import { columns, joined, type Tx } from './store'
import { tripsWhere, type TripRow } from './trips'

export async function saveCharges(tx: Tx, trip: TripId, charges: readonly Charge[]): Promise<void> {
  await tx.run(
    `insert into money.charge (trip, line, policy, rule, road_class, zones, day, distance_mm, inferred_mm, fixes, rate, rate_per, free_reason, amount, count)
     select $1, line, policy, rule, road_class, string_to_array(zones, ' '), day, distance_mm, inferred_mm, fixes, rate, rate_per, free_reason, amount, count
     from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int8[], $9::int8[], $10::int[], $11::int8[], $12::text[], $13::text[], $14::int8[], $15::int[])
       as new(line, policy, rule, road_class, zones, day, distance_mm, inferred_mm, fixes, rate, rate_per, free_reason, amount, count)
     on conflict (trip, line) do nothing`,
    [
      trip,
      charges.map((_, line) => line),
      charges.map((c) => c.policy),
      charges.map((c) => c.rule),
      charges.map((c) => c.roadClass),
      charges.map((c) => c.zones.join(' ')),
      charges.map((c) => c.day),
      charges.map((c) => c.distanceMm),
      charges.map((c) => c.inferredMm),
      charges.map((c) => c.fixes),
      charges.map((c) => c.rate?.micros ?? null),
      charges.map((c) => c.rate?.per ?? null),
      charges.map((c) => c.freeReason),
      charges.map((c) => c.amount),
      charges.map((c) => c.count ?? null),
    ],
  )
}

interface ChargeRow {
  trip: TripId
  policy: PolicyId
  rule: string
  road_class: Charge['roadClass']
  /** Separated by spaces: drivers take a letter at a time to read text[]. */
  zones: string
  day: string
  distance_mm: string
  inferred_mm: string
  fixes: number
  rate: string | null
  rate_per: Rate['per'] | null
  free_reason: string | null
  amount: string
  count: number | null
}

const CHARGE = `trip, policy, rule, array_to_string(zones, ' ') as zones, day, distance_mm, rate, rate_per, amount`
const namesIn = (zones: string): string[] => (zones === '' ? [] : zones.split(' '))
const rateIn = ({ rate, rate_per }: Pick<ChargeRow, 'rate' | 'rate_per'>): Rate | null =>
  rate === null ? null : { micros: micros(BigInt(rate)), per: rate_per! }

/** The charge lines of trips that cost something, in their own order: as much of each as posting needs. */
export async function pricedLinesOf(tx: Tx, trips: readonly TripId[]): Promise<Map<TripId, PricedLine[]>> {
  const lines = new Map<TripId, PricedLine[]>(trips.map((trip) => [trip, []]))
  const rows = await tx.rows<ChargeRow>(
    `select ${CHARGE} from money.charge where trip = any($1::text[]) and amount <> 0 order by trip, line`,
    [trips],
  )
  for (const row of rows)
    lines.get(row.trip)!.push({
      policy: row.policy,
      rule: row.rule,
      zones: namesIn(row.zones),
      day: row.day,
      distanceMm: millimetres(Number(row.distance_mm)),
      rate: rateIn(row),
      amount: micros(BigInt(row.amount)),
    })
  return lines
}

/** The charge lines of trips, in their own order. */
export async function chargesOf(tx: Tx, trips: readonly TripId[]): Promise<Map<TripId, Charge[]>> {
  const rows = await tx.rows<ChargeRow>(
    `select ${CHARGE}, road_class, inferred_mm, fixes, free_reason, count from money.charge where trip = any($1::text[]) order by trip, line`,
    [trips],
  )
  const charges = new Map<TripId, Charge[]>(trips.map((trip) => [trip, []]))
  for (const row of rows)
    charges.get(row.trip)!.push({
      trip: row.trip,
      policy: row.policy,
      rule: row.rule,
      roadClass: row.road_class,
      zones: namesIn(row.zones),
      day: row.day,
      distanceMm: millimetres(Number(row.distance_mm)),
      inferredMm: millimetres(Number(row.inferred_mm)),
      fixes: row.fixes,
      rate: rateIn(row),
      freeReason: row.free_reason,
      ...(row.count !== null && { count: row.count }),
      amount: micros(BigInt(row.amount)),
    })
  return charges
}

/** A transfer to record, and the month of the road use that it is about. */
export interface Entry {
  readonly transfer: Transfer
  readonly month: string
}

const SALT_BYTES = 16

/**
 * Records transfers, each once: one that is recorded already is passed over, and refused where it says something else. The chains' rows are locked in their order, so
 * that entries of a shard follow each other without a gap and two recorders never wait for each other in a circle.
 */
export async function record(tx: Tx, entries: readonly Entry[], now: Instant): Promise<void> {
  if (entries.length === 0) return
  const shardsOf = new Map(entries.map(({ transfer: { payer } }) => [payer, -1]))
  for (const payer of shardsOf.keys()) shardsOf.set(payer, shardOf(payer))
  const shards = [...new Set(shardsOf.values())].sort((a, b) => a - b)
  const salts = randomBytes(SALT_BYTES * entries.length).toString('hex')
  // What doesn't depend on the heads is done before they are locked: others wait for them.
  const sealed = entries.map(({ transfer, month }, i) => {
    const said = canonical(transfer)
    const salt = salts.slice(2 * SALT_BYTES * i, 2 * SALT_BYTES * (i + 1))
    return { transfer, month, said, salt, content: contentDigest(said, salt) }
  })
  const expected = columnsOf(sealed)
  // In one message: what is known is looked for once the heads are locked.
  const [locked, known] = await Promise.all([
    tx.rows<{ shard: number; length: string; hash: Digest }>(
      `insert into money.chain (shard, length, hash) select shard, 0, $2 from unnest($1::int[]) shard order by shard
       on conflict (shard) do update set length = chain.length returning shard, length, hash`,
      [shards, GENESIS],
    ),
    tx.rows<{ id: TransferId; transfer: unknown }>(
      `select id, transfer from money.transfer where id = any($1::text[])`,
      [entries.map(({ transfer }) => transfer.id)],
    ),
  ])
  const passed = new Map(known.map(({ id, transfer }) => [id, canonical(transfer)]))
  const heads = new Map(locked.map(({ shard, length, hash }) => [shard, { shard, length: Number(length), hash }]))
  const fresh = sealed.filter(({ transfer: { id }, said }) => {
    const before = passed.get(id)
    invariant(before === undefined || before === said, `transfer ${id} is recorded with other content`)
    passed.set(id, said)
    return before === undefined
  })
  if (fresh.length === 0) return
  const chained = fresh.map(({ transfer, salt, content }) => {
    const shard = shardsOf.get(transfer.payer)!
    const entry = chainEntry(heads.get(shard)!, transfer, salt, now, content)
    heads.set(shard, headOf(entry))
    return entry
  })
  const { transfers, postings } = fresh.length === sealed.length ? expected : columnsOf(fresh)
  const written = tx.run(
    `insert into money.transfer (id, kind, agency, payer, month, happened_at, transfer, salt, content, shard, index, recorded_at, previous, hash)
     select id, kind, agency, payer, month, happened_at::int8, transfer::jsonb, salt, content, shard::int, index::int8, $1, previous, hash
     from unnest(${columns(2, 13)}) as new(id, kind, agency, payer, month, happened_at, transfer, salt, content, shard, index, previous, hash)`,
    [
      now,
      ...transfers,
      joined(chained.map(({ shard }) => shard)),
      joined(chained.map(({ index }) => index)),
      joined(chained.map(({ previous }) => previous)),
      joined(chained.map(({ hash }) => hash)),
    ],
  )
  const posted =
    postings[0] !== '' &&
    tx.run(
      `insert into money.posting (transfer, account, amount) select transfer, account, amount::int8 from unnest(${columns(1, 3)}) as new(transfer, account, amount)`,
      postings,
    )
  const moved = tx.run(
    `update money.chain c set length = h.length, hash = h.hash from unnest($1::int[], $2::int8[], $3::text[]) h(shard, length, hash) where c.shard = h.shard`,
    [shards, shards.map((shard) => heads.get(shard)!.length), shards.map((shard) => heads.get(shard)!.hash)],
  )
  await Promise.all([written, posted, moved])
}

interface Sealed extends Entry {
  /** The transfer's canonical JSON. */
  readonly said: string
  readonly salt: string
  readonly content: Digest
}

/** Entries and their postings as columns, but for the places of the entries in their chains. */
function columnsOf(sealed: readonly Sealed[]): { readonly transfers: string[]; readonly postings: string[] } {
  const column = (of: (one: Sealed) => string | number) => joined(sealed.map(of))
  const postings = sealed.flatMap(({ transfer: { id, postings } }) => postings.map((p) => ({ transfer: id, ...p })))
  return {
    transfers: [
      column(({ transfer }) => transfer.id),
      column(({ transfer }) => transfer.kind),
      column(({ transfer }) => transfer.agency),
      column(({ transfer }) => transfer.payer),
      column(({ month }) => month),
      column(({ transfer }) => transfer.happenedAt),
      column(({ said }) => said),
      column(({ salt }) => salt),
      column(({ content }) => content),
    ],
    postings: [
      joined(postings.map((p) => p.transfer)),
      joined(postings.map((p) => p.account)),
      joined(postings.map((p) => p.amount)),
    ],
  }
}

/** An entry as it is kept; `transfer` is null once it is forgotten. */
export interface EntryRow {
  shard: number
  index: string
  recorded_at: string
  previous: Digest
  content: Digest
  hash: Digest
  salt: string
  transfer:
    | (Omit<Transfer, 'postings'> & {
        postings: { account: Transfer['postings'][number]['account']; amount: string }[]
      })
    | null
}

/** Throws where what is kept is no transfer. */
export const entryFrom = ({
  shard,
  index,
  recorded_at,
  previous,
  content,
  hash,
  salt,
  transfer,
}: EntryRow): ChainEntry => ({
  shard,
  index: Number(index),
  recordedAt: Number(recorded_at) as Instant,
  previous,
  content,
  hash,
  salt,
  transfer: transfer && {
    ...transfer,
    postings: transfer.postings.map(({ account, amount }) => ({ account, amount: micros(BigInt(amount)) })),
  },
})

const CHAIN_PAGE = 5000

/** The entries that follow `head` in its chain, oldest first; at most a page of them. */
export async function chainPage(tx: Tx, head: ChainHead): Promise<ChainEntry[]> {
  const rows = await tx.rows<EntryRow>(
    `select shard, index, recorded_at, previous, content, hash, salt, transfer from money.transfer where shard = $1 and index >= $2 order by index limit $3`,
    [head.shard, head.length, CHAIN_PAGE],
  )
  return rows.map(entryFrom)
}

export async function chainHeads(tx: Tx): Promise<ChainHead[]> {
  const rows = await tx.rows<{ shard: number; length: string; hash: Digest }>(
    `select shard, length, hash from money.chain order by shard`,
  )
  const heads = new Map(
    rows.map((row) => [row.shard, { shard: row.shard, length: Number(row.length), hash: row.hash }]),
  )
  return Array.from({ length: SHARDS }, (_, shard) => heads.get(shard) ?? emptyChain(shard))
}

/** The posted trips of accounts that the cut-off of a period took in, as they were driven. */
export const cutoffTrips = (
  tx: Tx,
  { agency, month }: Pick<Period, 'agency' | 'month'>,
  accounts: readonly AccountId[],
): Promise<TripRow[]> =>
  tripsWhere(
    tx,
    `state = 'posted' and id in (select trip from money.period_trip where agency = $1 and month = $2 and account = any($3::text[]))
     order by started_at, id`,
    [agency, month, accounts],
  )
