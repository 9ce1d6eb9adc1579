import { createHash } from 'node:crypto'
import { batchDigest, type Decoded, type Rejection } from '#contracts'
import { type DeviceId, type Instant } from '#kernel'
import { type Tx } from './store'
import { want } from './work'

/** A message as it came in, and what decoding made of it. */
export interface Arrival {
  readonly device: DeviceId
  readonly bytes: Uint8Array
  readonly decoded: Decoded
}

export type Fate = 'accepted' | 'duplicate' | 'rejected'

/** What became of an arrival, and what is durable of its device and boot: [from, to) ranges of sequence numbers. */
export interface Outcome {
  readonly fate: Fate
  readonly reason: Rejection | null
  readonly boot: number | null
  readonly held: readonly (readonly [number, number])[]
}

const QUARANTINE_BYTES_MAX = 4096

interface StreamCount {
  readonly device: DeviceId
  readonly boot: number
  readonly seqs: number[]
  readonly counts: Record<Fate, number>
}

/**
 * Puts arrivals into the inbox, each with one fate, and asks for their matching: one transaction for all of them. Streams
 * are locked in the order of their keys, so that two processes never wait for each other in a circle.
 */
export async function commitArrivals(tx: Tx, arrivals: readonly Arrival[], now: Instant): Promise<Outcome[]> {
  const known = await knownDevices(tx, arrivals)
  const keys = arrivals.map(({ device, decoded }) => {
    if (!known.has(device)) return null
    return decoded.ok ? decoded.batch : decoded.key
  })
  const covered = await lockStreams(tx, arrivals, keys)
  const stored = await storedDigests(tx, arrivals, keys)

  const fresh = new Map<string, { arrival: Arrival; digest: string }>()
  // A group has the outcome that its messages would have one by one, whoever shares a commit with whom (I9).
  const refused = new Set<string>()
  const outcomes = arrivals.map((arrival, i): { fate: Fate; reason: Rejection | null; detail: string } => {
    const { device, decoded } = arrival
    if (!known.has(device)) return { fate: 'rejected', reason: 'UNKNOWN_DEVICE', detail: 'no such device' }
    if (!decoded.ok) {
      if (decoded.key) refused.add(streamSeq(device, decoded.key.boot, decoded.key.seq))
      return { fate: 'rejected', reason: decoded.reason, detail: decoded.detail }
    }
    const key = streamSeq(device, decoded.batch.boot, decoded.batch.seq)
    const digest = batchDigest(decoded.batch)
    const before = stored.get(key) ?? fresh.get(key)?.digest
    if (before === digest) return { fate: 'duplicate', reason: null, detail: '' }
    if (before !== undefined)
      return {
        fate: 'rejected',
        reason: 'KEY_REUSE',
        detail: `batch ${keys[i]!.boot}/${keys[i]!.seq} was other content before`,
      }
    if (
      refused.has(key) ||
      covered
        .get(streamKey(device, decoded.batch.boot))!
        .some(([from, to]) => from <= decoded.batch.seq && decoded.batch.seq < to)
    )
      return { fate: 'rejected', reason: 'KEY_REUSE', detail: 'the batch of this number was rejected before' }
    fresh.set(key, { arrival, digest })
    return { fate: 'accepted', reason: null, detail: '' }
  })

  await insertBatches(tx, [...fresh.values()], now)
  await quarantine(
    tx,
    arrivals.flatMap((arrival, i) =>
      outcomes[i].fate === 'rejected'
        ? [{ arrival, key: keys[i], reason: outcomes[i].reason!, detail: outcomes[i].detail }]
        : [],
    ),
    now,
  )
  const held = await countStreams(tx, arrivals, keys, outcomes)
  await want(
    tx,
    [...new Set([...fresh.values()].map((f) => f.arrival.device))].map((device) => ({ stage: 'match', key: device })),
  )
  return outcomes.map(({ fate, reason }, i) => ({
    fate,
    reason,
    boot: keys[i]?.boot ?? null,
    held: keys[i] ? held.get(streamKey(arrivals[i].device, keys[i]!.boot))! : [],
  }))
}

/** What is durable of one boot of a device; of its latest boot where none is named. null where nothing is. */
export async function heldRanges(
  tx: Tx,
  device: DeviceId,
  boot?: number,
): Promise<{ boot: number; held: [number, number][] } | null> {
  const row = await tx.row<{ boot: number; held: string }>(
    `select boot, held::text from metering.stream where device = $1 and ($2::int is null or boot = $2) order by boot desc limit 1`,
    [device, boot ?? null],
  )
  return row && { boot: row.boot, held: parseRanges(row.held) }
}

const streamKey = (device: string, boot: number) => `${device}/${boot}`
const streamSeq = (device: string, boot: number, seq: number) => `${device}/${boot}/${seq}`

type Keys = readonly ({ readonly boot: number; readonly seq: number } | null)[]

async function knownDevices(tx: Tx, arrivals: readonly Arrival[]): Promise<Set<string>> {
  const rows = await tx.rows<{ id: string }>('select id from metering.device where id = any($1::text[])', [
    [...new Set(arrivals.map((a) => a.device))],
  ])
  return new Set(rows.map((row) => row.id))
}

/** Locks the streams that arrivals belong to, new ones too, and tells what each held before. */
async function lockStreams(tx: Tx, arrivals: readonly Arrival[], keys: Keys): Promise<Map<string, [number, number][]>> {
  const streams = [...new Set(keys.flatMap((key, i) => (key ? [streamKey(arrivals[i].device, key.boot)] : [])))]
    .sort()
    .map((s) => s.split('/'))
  if (streams.length === 0) return new Map()
  const rows = await tx.rows<{ device: string; boot: number; held: string }>(
    `insert into metering.stream (device, boot) select * from unnest($1::text[], $2::int[])
     on conflict (device, boot) do update set received = stream.received
     returning device, boot, held::text as held`,
    [streams.map((s) => s[0]), streams.map((s) => Number(s[1]))],
  )
  return new Map(rows.map((row) => [streamKey(row.device, row.boot), parseRanges(row.held)]))
}

async function storedDigests(tx: Tx, arrivals: readonly Arrival[], keys: Keys): Promise<Map<string, string>> {
  const at = keys.flatMap((key, i) => (key ? [i] : []))
  const rows = await tx.rows<{ device: string; boot: number; seq: string; content_digest: string }>(
    `select device, boot, seq, content_digest from location.batch
     join unnest($1::text[], $2::int[], $3::int8[]) as asked(device, boot, seq) using (device, boot, seq)`,
    [at.map((i) => arrivals[i].device), at.map((i) => keys[i]!.boot), at.map((i) => keys[i]!.seq)],
  )
  return new Map(rows.map((row) => [streamSeq(row.device, row.boot, Number(row.seq)), row.content_digest]))
}

async function insertBatches(
  tx: Tx,
  fresh: readonly { arrival: Arrival; digest: string }[],
  now: Instant,
): Promise<void> {
  if (fresh.length === 0) return
  const batches = fresh.map(({ arrival }) => (arrival.decoded as Extract<Decoded, { ok: true }>).batch)
  await tx.run(
    `insert into location.batch (device, boot, seq, trip, event, fixes, last_fix, received_at, content_digest, payload)
     select device, boot, seq, trip, event, fixes, last_fix, $8, content_digest, payload
     from unnest($1::text[], $2::int[], $3::int8[], $4::text[], $5::text[], $6::int[], $7::int8[], $9::text[], $10::bytea[])
       as new(device, boot, seq, trip, event, fixes, last_fix, content_digest, payload)`,
    [
      fresh.map((f) => f.arrival.device),
      batches.map((b) => b.boot),
      batches.map((b) => b.seq),
      batches.map((b) => b.trip),
      batches.map((b) => b.event),
      batches.map((b) => b.fixes.length),
      batches.map((b) => b.fixes.at(-1)?.[0] ?? null),
      now,
      fresh.map((f) => f.digest),
      fresh.map((f) => Buffer.from(f.arrival.bytes)),
    ],
  )
}

interface Refused {
  readonly arrival: Arrival
  readonly key: { boot: number; seq: number } | null
  readonly reason: Rejection
  readonly detail: string
}

/**
 * Keeps what was rejected, once for each content of a device, number and reason: repeats don't grow the table. In the order
 * of their keys, so that two processes never wait for each other in a circle.
 */
async function quarantine(tx: Tx, refused: readonly Refused[], now: Instant): Promise<void> {
  if (refused.length === 0) return
  await tx.run(
    `insert into location.quarantine (device, boot, seq, reason, detail, received_at, content_digest, payload)
     select device, boot, seq, reason, detail, $6, content_digest, payload
     from unnest($1::text[], $2::int[], $3::int8[], $4::text[], $5::text[], $7::text[], $8::bytea[])
       as new(device, boot, seq, reason, detail, content_digest, payload)
     order by device, boot, seq, reason, content_digest
     on conflict (device, boot, seq, reason, content_digest) do nothing`,
    [
      refused.map((r) => r.arrival.device),
      refused.map((r) => r.key?.boot ?? null),
      refused.map((r) => r.key?.seq ?? null),
      refused.map((r) => r.reason),
      // It quotes the message, and a NUL, which PostgreSQL's text can't hold, would make everybody's commit fail for ever.
      refused.map((r) => r.detail.slice(0, 300).replaceAll('\0', '\uFFFD')),
      now,
      refused.map((r) => createHash('sha256').update(r.arrival.bytes).digest('hex')),
      refused.map((r) => Buffer.from(r.arrival.bytes.subarray(0, QUARANTINE_BYTES_MAX))),
    ],
  )
}

async function countStreams(
  tx: Tx,
  arrivals: readonly Arrival[],
  keys: Keys,
  outcomes: readonly { fate: Fate }[],
): Promise<Map<string, [number, number][]>> {
  const streams = new Map<string, StreamCount>()
  arrivals.forEach(({ device }, i) => {
    const key = keys[i]
    if (!key) return
    const name = streamKey(device, key.boot)
    const stream = streams.get(name) ?? {
      device,
      boot: key.boot,
      seqs: [],
      counts: { accepted: 0, duplicate: 0, rejected: 0 },
    }
    stream.seqs.push(key.seq)
    stream.counts[outcomes[i].fate]++
    streams.set(name, stream)
  })
  if (streams.size === 0) return new Map()
  const all = [...streams.values()]
  const rows = await tx.rows<{ device: string; boot: number; held: string }>(
    `update metering.stream s set held = s.held + new.held::int8multirange,
       received = s.received + new.accepted + new.duplicate + new.rejected, accepted = s.accepted + new.accepted,
       duplicate = s.duplicate + new.duplicate, rejected = s.rejected + new.rejected
     from unnest($1::text[], $2::int[], $3::text[], $4::int8[], $5::int8[], $6::int8[]) as new(device, boot, held, accepted, duplicate, rejected)
     where s.device = new.device and s.boot = new.boot
     returning s.device, s.boot, s.held::text as held`,
    [
      all.map((s) => s.device),
      all.map((s) => s.boot),
      all.map((s) => `{${[...new Set(s.seqs)].map((seq) => `[${seq},${seq + 1})`).join(',')}}`),
      all.map((s) => s.counts.accepted),
      all.map((s) => s.counts.duplicate),
      all.map((s) => s.counts.rejected),
    ],
  )
  return new Map(rows.map((row) => [streamKey(row.device, row.boot), parseRanges(row.held)]))
}

/** `{[0,5),[7,9)}` as PostgreSQL writes an int8multirange. */
export const parseRanges = (text: string): [number, number][] =>
  [...text.matchAll(/\[(\d+),(\d+)\)/g)].map((m) => [Number(m[1]), Number(m[2])])
