import { randomBytes } from 'node:crypto'
import { type Charge, type Window } from '#contracts'
import {
  micros,
  millimetres,
  type AccountId,
  type AgencyId,
  type Digest,
  type Instant,
  type Micros,
  type PolicyId,
  type TransferId,
  type TripId,
} from '#kernel'
import {
  chainEntry,
  emptyChain,
  headOf,
  SHARDS,
  shardOf,
  type ChainEntry,
  type ChainHead,
  type Transfer,
} from '#ledger'
import { type Tx } from './store'
import { tripsWhere, type TripRow } from './trips'

export async function saveCharges(tx: Tx, trip: TripId, charges: readonly Charge[]): Promise<void> {
  await tx.run(
    `insert into money.charge (trip, line, policy, rule, road_class, zones, day, distance_mm, inferred_mm, fixes, rate, rate_per, free_reason, amount)
     select $1, line, policy, rule, road_class, string_to_array(zones, ' '), day, distance_mm, inferred_mm, fixes, rate, rate_per, free_reason, amount
     from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int8[], $9::int8[], $10::int[], $11::int8[], $12::text[], $13::text[], $14::int8[])
       as new(line, policy, rule, road_class, zones, day, distance_mm, inferred_mm, fixes, rate, rate_per, free_reason, amount)
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
    ],
  )
}

interface ChargeRow {
  trip: TripId
  policy: PolicyId
  rule: string
  road_class: Charge['roadClass']
  zones: string[]
  day: string
  distance_mm: string
  inferred_mm: string
  fixes: number
  rate: string | null
  rate_per: 'mile' | 'km' | null
  free_reason: string | null
  amount: string
}

/** The charge lines of trips, in their own order. */
export async function chargesOf(tx: Tx, trips: readonly TripId[]): Promise<Map<TripId, Charge[]>> {
  const rows = await tx.rows<ChargeRow>(`select * from money.charge where trip = any($1::text[]) order by trip, line`, [
    trips,
  ])
  const charges = new Map<TripId, Charge[]>(trips.map((trip) => [trip, []]))
  for (const row of rows)
    charges.get(row.trip)!.push({
      trip: row.trip,
      policy: row.policy,
      rule: row.rule,
      roadClass: row.road_class,
      zones: row.zones,
      day: row.day,
      distanceMm: millimetres(Number(row.distance_mm)),
      inferredMm: millimetres(Number(row.inferred_mm)),
      fixes: row.fixes,
      rate: row.rate === null ? null : { micros: micros(BigInt(row.rate)), per: row.rate_per! },
      freeReason: row.free_reason,
      amount: micros(BigInt(row.amount)),
    })
  return charges
}

/** A window's gross and credit so far, locked until the transaction ends. */
export async function windowBefore(tx: Tx, window: Window): Promise<{ gross: Micros; credit: Micros }> {
  const row = await tx.row<{ gross: string; credit: string }>(
    `insert into money.cap_window (policy, cap, vehicle, span, gross, credit) values ($1, $2, $3, $4, 0, 0)
     on conflict (policy, cap, vehicle, span) do update set gross = cap_window.gross returning gross, credit`,
    nameOf(window),
  )
  return { gross: micros(BigInt(row!.gross)), credit: micros(BigInt(row!.credit)) }
}

/** Puts what a trip adds to a window on record, with what the window comes to. */
export async function saveWindow(
  tx: Tx,
  window: Window,
  trip: TripId,
  tripGross: Micros,
  after: { gross: Micros; credit: Micros },
): Promise<void> {
  await tx.run(
    `insert into money.window_trip (policy, cap, vehicle, span, trip, gross) values ($1, $2, $3, $4, $5, $6)`,
    [...nameOf(window), trip, tripGross],
  )
  await tx.run(
    `update money.cap_window set gross = $5, credit = $6 where policy = $1 and cap = $2 and vehicle = $3 and span = $4`,
    [...nameOf(window), after.gross, after.credit],
  )
}

const nameOf = ({ policy, cap, vehicle, span }: Window): string[] => [policy, cap, vehicle, span]

/**
 * Records transfers of one payer, each once: one that is recorded already is passed over. The chain's row is locked, so
 * entries of a shard follow each other without a gap.
 */
export async function record(
  tx: Tx,
  payer: AccountId,
  transfers: readonly { transfer: Transfer; month: string }[],
  now: Instant,
): Promise<void> {
  if (transfers.length === 0) return
  const shard = shardOf(payer)
  const locked = await tx.row<{ length: string; hash: Digest }>(
    `insert into money.chain (shard, length, hash) values ($1, 0, $2) on conflict (shard) do update set length = chain.length returning length, hash`,
    [shard, emptyChain(shard).hash],
  )
  const known = await tx.rows<{ id: TransferId }>(`select id from money.transfer where id = any($1::text[])`, [
    transfers.map((t) => t.transfer.id),
  ])
  const fresh = transfers.filter(({ transfer }) => !known.some((row) => row.id === transfer.id))
  if (fresh.length === 0) return
  let head: ChainHead = { shard, length: Number(locked!.length), hash: locked!.hash }
  const entries = fresh.map(({ transfer }): ChainEntry => {
    const entry = chainEntry(head, transfer, randomBytes(16).toString('hex'), now)
    head = headOf(entry)
    return entry
  })
  await tx.run(
    `insert into money.transfer (id, kind, agency, payer, month, happened_at, transfer, salt, shard, index, recorded_at, previous, content, hash)
     select id, kind, agency, payer, month, happened_at, transfer::jsonb, salt, $1, index, $2, previous, content, hash
     from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int8[], $9::text[], $10::text[], $11::int8[], $12::text[], $13::text[], $14::text[])
       as new(id, kind, agency, payer, month, happened_at, transfer, salt, index, previous, content, hash)`,
    [
      shard,
      now,
      fresh.map((f) => f.transfer.id),
      fresh.map((f) => f.transfer.kind),
      fresh.map((f) => f.transfer.agency),
      fresh.map((f) => f.transfer.payer),
      fresh.map((f) => f.month),
      fresh.map((f) => f.transfer.happenedAt),
      fresh.map((f) => JSON.stringify(f.transfer, (_, value) => (typeof value === 'bigint' ? String(value) : value))),
      entries.map((e) => e.salt),
      entries.map((e) => e.index),
      entries.map((e) => e.previous),
      entries.map((e) => e.content),
      entries.map((e) => e.hash),
    ],
  )
  const postings = fresh.flatMap(({ transfer }) =>
    transfer.postings.map((posting) => ({ transfer: transfer.id, ...posting })),
  )
  if (postings.length)
    await tx.run(
      `insert into money.posting (transfer, account, amount) select * from unnest($1::text[], $2::text[], $3::int8[])`,
      [postings.map((p) => p.transfer), postings.map((p) => p.account), postings.map((p) => p.amount)],
    )
  await tx.run(`update money.chain set length = $2, hash = $3 where shard = $1`, [shard, head.length, head.hash])
}

interface EntryRow {
  shard: number
  index: string
  recorded_at: string
  previous: Digest
  content: Digest
  hash: Digest
  salt: string
  transfer: Omit<Transfer, 'postings'> & {
    postings: { account: Transfer['postings'][number]['account']; amount: string }[]
  }
}

const CHAIN_PAGE = 5000

/** The entries that follow `head` in its chain, oldest first; at most a page of them. */
export async function chainPage(tx: Tx, head: ChainHead): Promise<ChainEntry[]> {
  const rows = await tx.rows<EntryRow>(
    `select shard, index, recorded_at, previous, content, hash, salt, transfer from money.transfer where shard = $1 and index >= $2 order by index limit $3`,
    [head.shard, head.length, CHAIN_PAGE],
  )
  return rows.map((row) => ({
    shard: row.shard,
    index: Number(row.index),
    recordedAt: Number(row.recorded_at) as Instant,
    previous: row.previous,
    content: row.content,
    hash: row.hash,
    salt: row.salt,
    transfer: {
      ...row.transfer,
      postings: row.transfer.postings.map((p) => ({ account: p.account, amount: micros(BigInt(p.amount)) })),
    },
  }))
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

/** The posted trips of an account that the cut-off of a period took in. */
export const cutoffTrips = (tx: Tx, agency: AgencyId, month: string, account: AccountId): Promise<TripRow[]> =>
  tripsWhere(
    tx,
    `account = $3 and state = 'posted' and id in (select trip from money.period_trip where agency = $1 and month = $2) order by started_at, id`,
    [agency, month, account],
  )

/** What the trips of a cut-off add to a window, and what trips of earlier cut-offs had added to it before. */
export interface CutoffWindow extends Window {
  readonly grossBefore: Micros
  readonly gross: Micros
}

export async function cutoffWindows(
  tx: Tx,
  agency: AgencyId,
  month: string,
  account: AccountId,
): Promise<CutoffWindow[]> {
  const rows = await tx.rows<Window & { before: string; now: string }>(
    `select w.policy, w.cap, w.vehicle, w.span,
       coalesce(sum(w.gross) filter (where p.month < $2), 0)::text as before, sum(w.gross) filter (where p.month = $2)::text as now
     from money.window_trip w join metering.vehicle v on v.id = w.vehicle join money.period_trip p on p.trip = w.trip and p.agency = $1
     where v.account = $3 group by w.policy, w.cap, w.vehicle, w.span having bool_or(p.month = $2) order by w.policy, w.cap, w.vehicle, w.span`,
    [agency, month, account],
  )
  return rows.map(({ before, now, ...window }) => ({
    ...window,
    grossBefore: micros(BigInt(before)),
    gross: micros(BigInt(now)),
  }))
}
