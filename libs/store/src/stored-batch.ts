import { type Batch } from '#contracts'
import { instant, type DeviceId, type Instant } from '#kernel'
import { batchKey } from './fates'
import { packBatch, unpackBatch } from './packed-batch'
import { type Tx } from './store'

const DAY_MS = 86_400_000

/** A batch as it is stored: packed, and sealed with the key of its device and the day on which it came. */
export interface BatchRow {
  readonly device: string
  readonly boot: number
  readonly seq: string
  readonly trip: string
  readonly event: Batch['event']
  readonly key: string | null
  readonly payload: Uint8Array
}
export const BATCH_ROW = 'device, boot, seq, trip, event, key, payload'

const batchName = ({
  device,
  boot,
  seq,
  trip,
  event,
}: Omit<BatchRow, 'key' | 'payload' | 'seq'> & { seq: string | number }) =>
  `batch ${device}/${boot}/${seq} ${event} ${trip}`

/** Batches of the inbox as they came in. */
export async function openBatches(tx: Tx, rows: readonly BatchRow[]): Promise<Batch[]> {
  const opened = await tx.vault.open(
    tx,
    rows.map((row) => ({ key: row.key, bytes: row.payload, name: batchName(row) })),
  )
  return rows.map(({ boot, seq, trip, event }, i) => unpackBatch({ boot, seq: Number(seq), trip, event }, opened[i]))
}

/** The day of a moment, in UTC. */
export const dayOf = (at: Instant): string => new Date(at - (at % DAY_MS)).toISOString().slice(0, 10)

/** What is kept of batches; those that hold no place (totals) in plain, so that they keep no key alive. */
export async function sealBatches(
  tx: Tx,
  rows: readonly { device: DeviceId; batch: Batch; receivedAt: Instant; packed: Buffer }[],
): Promise<{ key: string | null; bytes: Buffer }[]> {
  const places = rows.filter(({ batch }) => batch.event !== 'totals')
  const closed = await tx.vault.seal(
    tx,
    places.map(({ device, batch, receivedAt, packed }) => ({
      place: { subject: device, period: dayOf(receivedAt) },
      name: batchName({ ...batch, device }),
      bytes: packed,
    })),
  )
  let next = 0
  return rows.map(({ batch, packed }) => (batch.event === 'totals' ? { key: null, bytes: packed } : closed[next++]))
}

/** Seals up to `most` batches that are kept in plain; returns how many there were. */
export async function sealPlainBatches(tx: Tx, most: number): Promise<number> {
  const rows = await tx.rows<BatchRow & { device: DeviceId; received_at: string }>(
    `select ${BATCH_ROW}, received_at from location.batch where key is null and event <> 'totals' order by device, boot, seq limit ${most} for update`,
  )
  const batches = await openBatches(tx, rows)
  const kept = await sealBatches(
    tx,
    rows.map(({ device, received_at }, i) => ({
      device,
      batch: batches[i],
      receivedAt: instant(Number(received_at)),
      packed: packBatch(batches[i]),
    })),
  )
  await tx.run(
    `update location.batch b set key = n.key, payload = n.payload
     from unnest($1::text[], $2::int[], $3::int8[], $4::int8[], $5::bytea[]) as n(device, boot, seq, key, payload)
     where b.device = n.device and b.boot = n.boot and b.seq = n.seq`,
    [
      rows.map(({ device }) => device),
      rows.map(({ boot }) => boot),
      rows.map(({ seq }) => seq),
      kept.map(({ key }) => key),
      kept.map(({ bytes }) => bytes),
    ],
  )
  return rows.length
}

/** Which of these numbers were accepted once and destroyed since, by `batchKey`. */
export async function destroyedAmong(
  tx: Tx,
  asked: readonly { readonly device: DeviceId; readonly boot: number; readonly seq: number }[],
): Promise<Set<string>> {
  if (asked.length === 0) return new Set()
  const rows = await tx.rows<{ device: string; boot: number; seq: string }>(
    `select device, boot, seq from metering.stream join unnest($1::text[], $2::int[], $3::int8[]) as asked(device, boot, seq) using (device, boot)
     where destroyed @> seq`,
    [asked.map(({ device }) => device), asked.map(({ boot }) => boot), asked.map(({ seq }) => seq)],
  )
  return new Set(rows.map(({ device, boot, seq }) => batchKey(device, boot, Number(seq))))
}
