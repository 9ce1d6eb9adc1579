import { batchDigest, BRIDGED_BOOT, type Rejection } from '#contracts'
import { instant, invariant, type DeviceId, type Instant } from '#kernel'
import { raiseAlarms } from './devices'
import {
  batchKey,
  batchOf,
  holds,
  rule,
  streamKey,
  type Arrival,
  type Fate,
  type Neighbour,
  type Ranges,
} from './fates'
import { packBatch } from './packed-batch'
import { keepRefused } from './quarantine'
import { type Tx } from './store'
import { BATCH_ROW, dayOf, destroyedAmong, openBatches, sealBatches, type BatchRow } from './stored-batch'
import { want } from './work'

/** What became of an arrival, and what is durable of its device and boot: [from, to) ranges of sequence numbers. */
export interface Outcome {
  readonly fate: Fate
  readonly reason: Rejection | null
  readonly detail: string
  /** null where there is no number that a receipt could speak of. */
  readonly boot: number | null
  readonly held: Ranges
}

type Key = { readonly boot: number; readonly seq: number }
type Keys = readonly (Key | null)[]

/**
 * Puts arrivals into the inbox, each with one fate, and asks for their matching: one transaction for all of them. Streams
 * are locked in the order of their keys, so that two processes never wait for each other in a circle. `lane` is the row of
 * the daily balance that this caller adds to: nobody else at the same time may.
 */
export async function commitArrivals(
  tx: Tx,
  given: readonly Arrival[],
  now: Instant,
  lane: string,
): Promise<Outcome[]> {
  const streams = await lockStreams(tx, given)
  const known = await knownDevices(tx, given, streams)
  const { arrivals, repeated } = await numberBridged(tx, given, streams, now)
  const keys = arrivals.map((arrival): Key | null => {
    const { device, decoded, authentic } = arrival
    const key = decoded.ok ? decoded.batch : decoded.key
    return key && authentic && streams.has(streamKey(device, key.boot)) ? { boot: key.boot, seq: key.seq } : null
  })
  const stored = await neighboursOf(tx, arrivals, keys, streams)
  const rulings = rule(arrivals, keys, known, {
    held: streams,
    stored,
    destroyed: await destroyedOf(tx, arrivals, keys, streams, stored),
  }).map((ruling, i) =>
    repeated.has(i) ? ({ fate: 'duplicate', reason: null, detail: '', alarm: null } as const) : ruling,
  )

  const fresh = arrivals.filter((_, i) => rulings[i].fate === 'accepted')
  await insertBatches(tx, fresh, now)
  const unkept = await keepRefused(
    tx,
    arrivals.flatMap((arrival, i) =>
      rulings[i].fate === 'rejected'
        ? [{ arrival, key: keys[i], reason: rulings[i].reason!, detail: rulings[i].detail }]
        : [],
    ),
    now,
  )
  await raiseAlarms(
    tx,
    arrivals.flatMap(({ device }, i) => {
      const { alarm, detail } = rulings[i]
      return alarm ? [{ device, kind: alarm, detail: detail || `at batch ${keys[i]!.boot}/${keys[i]!.seq}` }] : []
    }),
    now,
  )
  const held = await countFates(tx, arrivals, keys, rulings, unkept, now, lane)
  await want(
    tx,
    [...new Set(fresh.map((arrival) => arrival.device))].map((device) => ({ stage: 'match', key: device })),
  )
  return rulings.map(({ fate, reason, detail }, i) => {
    const key = keys[i]
    return {
      fate,
      reason,
      detail,
      boot: key && known.has(arrivals[i].device) ? key.boot : null,
      held: key ? held.get(streamKey(arrivals[i].device, key.boot))! : [],
    }
  })
}

/** What is durable of one boot of a device; where none is named, of the latest that is its own. null where nothing is. */
export async function heldRanges(
  tx: Tx,
  device: DeviceId,
  boot?: number,
): Promise<{ boot: number; held: [number, number][] } | null> {
  const row = await tx.row<{ boot: number; held: string }>(
    `select boot, held::text from metering.stream where device = $1 and boot = coalesce($2::int, boot) and boot < $3 order by boot desc limit 1`,
    [device, boot ?? null, BRIDGED_BOOT],
  )
  return row && { boot: row.boot, held: parseRanges(row.held) }
}

/** Locks the streams that arrivals belong to, new ones too, of devices that may send; tells what each held before. */
async function lockStreams(tx: Tx, arrivals: readonly Arrival[]): Promise<Map<string, Ranges>> {
  const keys = arrivals.flatMap(({ device, decoded, authentic }) => {
    const key = decoded.ok ? decoded.batch : decoded.key
    return key && authentic ? [streamKey(device, key.boot)] : []
  })
  const streams = [...new Set(keys)].sort().map((s) => s.split('/'))
  if (streams.length === 0) return new Map()
  const rows = await tx.rows<{ device: string; boot: number; held: string }>(
    `insert into metering.stream (device, boot)
     select asked.device, asked.boot from unnest($1::text[], $2::int[]) with ordinality as asked(device, boot, place)
       join metering.device d on d.id = asked.device where d.revoked_at is null order by place
     on conflict (device, boot) do update set received = stream.received
     returning device, boot, held::text as held`,
    [streams.map((s) => s[0]), streams.map((s) => Number(s[1]))],
  )
  return new Map(rows.map((row) => [streamKey(row.device, row.boot), parseRanges(row.held)]))
}

/** Devices that may send. Most are known by their streams; those of messages without a number are asked for. */
async function knownDevices(
  tx: Tx,
  arrivals: readonly Arrival[],
  streams: ReadonlyMap<string, Ranges>,
): Promise<Set<DeviceId>> {
  const known = new Set([...streams.keys()].map((key) => key.split('/')[0] as DeviceId))
  const asked = [...new Set(arrivals.map(({ device }) => device).filter((device) => !known.has(device)))]
  if (asked.length > 0)
    for (const { id } of await tx.rows<{ id: DeviceId }>(
      'select id from metering.device where id = any($1::text[]) and revoked_at is null',
      [asked],
    ))
      known.add(id)
  return known
}

/** Gives positions that have none the next number of their stream; those that came before are told by their index. */
async function numberBridged(
  tx: Tx,
  arrivals: readonly Arrival[],
  streams: ReadonlyMap<string, Ranges>,
  now: Instant,
): Promise<{ arrivals: readonly Arrival[]; repeated: ReadonlySet<number> }> {
  const bridged = arrivals.flatMap((arrival, i) =>
    arrival.source && arrival.decoded.ok && streams.has(streamKey(arrival.device, BRIDGED_BOOT)) ? [i] : [],
  )
  if (bridged.length === 0) return { arrivals, repeated: new Set() }
  const rows = await tx.rows<{ device: string; source: string }>(
    `insert into location.bridged (device, source_digest, at)
     select device, decode(source, 'hex'), $3 from unnest($1::text[], $2::text[]) as new(device, source) order by 1, 2
     on conflict do nothing returning device, encode(source_digest, 'hex') as source`,
    [bridged.map((i) => arrivals[i].device), bridged.map((i) => arrivals[i].source!), now],
  )
  const unseen = new Set(rows.map((row) => `${row.device}/${row.source}`))
  const next = new Map<string, number>()
  const repeated = new Set<number>()
  const numbered = [...arrivals]
  for (const i of bridged) {
    const { device, source, decoded } = arrivals[i]
    invariant(decoded.ok, 'only batches are numbered')
    const seq = next.get(device) ?? streams.get(streamKey(device, BRIDGED_BOOT))!.at(-1)?.[1] ?? 0
    if (unseen.delete(`${device}/${source}`)) {
      const batch = { ...decoded.batch, seq }
      numbered[i] = { ...arrivals[i], contentDigest: batchDigest(device, batch), decoded: { ...decoded, batch } }
      next.set(device, seq + 1)
    } else {
      // It keeps a number that is taken, so that nothing new is counted as held.
      numbered[i] = { ...arrivals[i], decoded: { ...decoded, batch: { ...decoded.batch, seq: Math.max(0, seq - 1) } } }
      repeated.add(i)
    }
  }
  return { arrivals: numbered, repeated }
}

/** What of the inbox decides: batches of the same numbers, and of those before and behind where a chain is to be checked. */
async function neighboursOf(
  tx: Tx,
  arrivals: readonly Arrival[],
  keys: Keys,
  streams: ReadonlyMap<string, Ranges>,
): Promise<Map<string, Neighbour>> {
  const asked = new Map<string, readonly [string, number, number]>()
  keys.forEach((key, i) => {
    if (!key) return
    const { device } = arrivals[i]
    const held = streams.get(streamKey(device, key.boot))!
    const ask = (seq: number) => holds(held, seq) && asked.set(batchKey(device, key.boot, seq), [device, key.boot, seq])
    ask(key.seq)
    if (batchOf(arrivals[i])?.prev) ask(key.seq - 1)
    if (batchOf(arrivals[i])) ask(key.seq + 1)
  })
  if (asked.size === 0) return new Map()
  const all = [...asked.values()]
  const rows = await tx.rows<BatchRow & { digest: string }>(
    `select ${BATCH_ROW}, encode(content_digest, 'hex') as digest from location.batch
     join unnest($1::text[], $2::int[], $3::int8[]) as asked(device, boot, seq) using (device, boot, seq)`,
    [all.map(([device]) => device), all.map(([, boot]) => boot), all.map(([, , seq]) => seq)],
  )
  const batches = await openBatches(tx, rows)
  return new Map(
    rows.map((row, i) => {
      const { prev, sig } = batches[i]
      return [
        batchKey(row.device, row.boot, Number(row.seq)),
        { digest: row.digest, prev: prev ?? null, signed: sig !== undefined },
      ]
    }),
  )
}

/** Numbers of arrivals that were accepted before and whose batches were destroyed since. */
function destroyedOf(
  tx: Tx,
  arrivals: readonly Arrival[],
  keys: Keys,
  streams: ReadonlyMap<string, Ranges>,
  stored: ReadonlyMap<string, Neighbour>,
): Promise<Set<string>> {
  const asked = keys.flatMap((key, i) => {
    const { device } = arrivals[i]
    if (!key || stored.has(batchKey(device, key.boot, key.seq))) return []
    return holds(streams.get(streamKey(device, key.boot))!, key.seq) ? [{ device, ...key }] : []
  })
  return destroyedAmong(tx, asked)
}

async function insertBatches(tx: Tx, fresh: readonly Arrival[], now: Instant): Promise<void> {
  if (fresh.length === 0) return
  const batches = fresh.map((arrival) => batchOf(arrival)!)
  // All payloads in one value, cut apart by the database: an array of bytea would travel as escaped text.
  const kept = await sealBatches(
    tx,
    batches.map((batch, i) => ({ device: fresh[i].device, batch, receivedAt: now, packed: packBatch(batch) })),
  )
  const payloads = kept.map(({ bytes }) => bytes)
  let end = 1
  const starts = payloads.map((payload) => (end += payload.length) - payload.length)
  await tx.run(
    `insert into location.batch (device, boot, seq, trip, event, fixes, first_fix, last_fix, received_at, content_digest, payload, key)
     select device, boot, seq, trip, event, fixes, first_fix, last_fix, $8, substring($9::bytea from 32 * place::int - 31 for 32), substring($10::bytea from start for size), key
     from unnest($1::text[], $2::int[], $3::int8[], $4::text[], $5::text[], $6::int[], $7::int8[], $11::int[], $12::int[], $13::int8[], $14::int8[]) with ordinality
       as new(device, boot, seq, trip, event, fixes, last_fix, start, size, first_fix, key, place)`,
    [
      fresh.map((arrival) => arrival.device),
      batches.map((batch) => batch.boot),
      batches.map((batch) => batch.seq),
      batches.map((batch) => batch.trip),
      batches.map((batch) => batch.event),
      batches.map((batch) => batch.fixes.length),
      batches.map((batch) => batch.fixes.at(-1)?.[0] ?? null),
      now,
      Buffer.from(fresh.map((arrival) => arrival.contentDigest).join(''), 'hex'),
      Buffer.concat(payloads),
      starts,
      payloads.map((payload) => payload.length),
      batches.map((batch) => batch.fixes[0]?.[0] ?? null),
      kept.map(({ key }) => key),
    ],
  )
}

interface StreamCount extends Record<Fate, number> {
  readonly device: DeviceId
  readonly boot: number
  readonly seqs: Set<number>
}

/** Counts every fate, by stream and in the balance of the day, and tells what each stream now holds. */
async function countFates(
  tx: Tx,
  arrivals: readonly Arrival[],
  keys: Keys,
  rulings: readonly { fate: Fate }[],
  unkept: number,
  now: Instant,
  lane: string,
): Promise<Map<string, Ranges>> {
  const streams = new Map<string, StreamCount>()
  const day = { accepted: 0, duplicate: 0, rejected: 0, fixes: 0 }
  arrivals.forEach((arrival, i) => {
    const { fate } = rulings[i]
    day[fate]++
    if (fate === 'accepted') day.fixes += batchOf(arrival)!.fixes.length
    const key = keys[i]
    if (!key) return
    const name = streamKey(arrival.device, key.boot)
    let stream = streams.get(name)
    if (!stream) {
      stream = { device: arrival.device, boot: key.boot, seqs: new Set(), accepted: 0, duplicate: 0, rejected: 0 }
      streams.set(name, stream)
    }
    stream.seqs.add(key.seq)
    stream[fate]++
  })
  const all = [...streams.values()]
  const rows = await tx.rows<{ device: string; boot: number; held: string }>(
    `with day as (
       insert into metering.balance (day, lane, received, accepted, duplicate, rejected, fixes, unkept)
       values ($7::date, $8, $9::int8 + $10::int8 + $11::int8, $9, $10, $11, $12, $13)
       on conflict (day, lane) do update set received = balance.received + excluded.received, accepted = balance.accepted + excluded.accepted,
         duplicate = balance.duplicate + excluded.duplicate, rejected = balance.rejected + excluded.rejected, fixes = balance.fixes + excluded.fixes, unkept = balance.unkept + excluded.unkept)
     update metering.stream s set held = s.held + new.held::int8multirange,
       received = s.received + new.accepted + new.duplicate + new.rejected, accepted = s.accepted + new.accepted,
       duplicate = s.duplicate + new.duplicate, rejected = s.rejected + new.rejected
     from unnest($1::text[], $2::int[], $3::text[], $4::int8[], $5::int8[], $6::int8[]) as new(device, boot, held, accepted, duplicate, rejected)
     where s.device = new.device and s.boot = new.boot
     returning s.device, s.boot, s.held::text as held`,
    [
      all.map((s) => s.device),
      all.map((s) => s.boot),
      all.map((s) => `{${[...s.seqs].map((seq) => `[${seq},${seq + 1})`).join(',')}}`),
      all.map((s) => s.accepted),
      all.map((s) => s.duplicate),
      all.map((s) => s.rejected),
      dayOf(now),
      lane,
      day.accepted,
      day.duplicate,
      day.rejected,
      day.fixes,
      unkept,
    ],
  )
  return new Map(rows.map((row) => [streamKey(row.device, row.boot), parseRanges(row.held)]))
}

/** `{[0,5),[7,9)}` as PostgreSQL writes an int8multirange. */
export const parseRanges = (text: string): [number, number][] =>
  [...text.matchAll(/\[(\d+),(\d+)\)/g)].map((m) => [Number(m[1]), Number(m[2])])

/** Forgets by which name a position came that is older than any that would still be taken in. */
export const forgetBridged = (tx: Tx, now: Instant, ageMs: number): Promise<number> =>
  tx.run('delete from location.bridged where at < $1', [instant(now - ageMs)])

/**
 * By how many arrivals the balance is out, over all days: received against its three fates, and what the days say was accepted
 * against what the streams say. 0 unless somebody has written behind the program's back.
 */
export const balanceDifference = async (tx: Tx): Promise<number> =>
  Number(
    (await tx.row<{ out: string }>(
      `select (select coalesce(sum(abs(received - accepted - duplicate - rejected)), 0) from metering.balance)
           + abs((select coalesce(sum(accepted), 0) from metering.balance) - (select coalesce(sum(accepted), 0) from metering.stream)) as out`,
    ))!.out,
  )
