import { createHash } from 'node:crypto'
import { BATCH_BYTES_MAX, BRIDGED_BOOT, type Rejection } from '#contracts'
import { InputError, instant, type DeviceId, type Instant } from '#kernel'
import { type Arrival } from './fates'
import { type Tx } from './store'

/** A message that was rejected, as it is listed. */
export interface QuarantineRow {
  readonly id: string
  readonly device: DeviceId
  /** BRIDGED_BOOT where it came over a bridge: such a position has no `seq` before it is taken in. */
  readonly boot: number | null
  readonly seq: number | null
  readonly reason: Rejection
  readonly detail: string
  readonly receivedAt: Instant
  readonly replayedAt: Instant | null
  readonly bytes: number
}

/** Whose key seals what was rejected: one a day for all, since whose it is may not be known. */
const SUBJECT = 'rejected'

/** What is kept of a message that is too large to be looked at again; any other is kept whole. */
const HEAD_BYTES = 4096
/**
 * Messages of one device that are put into quarantine on one day: 32 MiB at most. Enough to see what is wrong with it; who sends
 * rubbish for ever fills no disk. What is beyond it is answered and counted as any other; of a message whose number is known that
 * number is kept, of any other nothing.
 */
export const QUARANTINED_A_DAY_MAX = 500
const DAY_MS = 86_400_000

interface Refused {
  readonly device: string
  readonly boot: number | null
  readonly seq: string | number | null
  readonly reason: string
  readonly contentDigest: string
}

const nameOf = ({ device, boot, seq, reason, contentDigest }: Refused): string =>
  `rejected ${device}/${boot}/${seq} ${reason} ${contentDigest}`

/** What is kept of messages that were rejected: why, and the message. */
export const sealRefused = (
  tx: Tx,
  rows: readonly (Refused & { readonly detail: string; readonly payload: Uint8Array })[],
  receivedAt: Instant,
): Promise<{ key: string; bytes: Buffer }[]> =>
  tx.vault.seal(
    tx,
    rows.map((row) => {
      const detail = Buffer.from(row.detail)
      const head = Buffer.alloc(2)
      head.writeUInt16LE(detail.length)
      return {
        place: { subject: SUBJECT, period: new Date(receivedAt).toISOString().slice(0, 10) },
        name: nameOf(row),
        bytes: Buffer.concat([head, detail, row.payload]),
      }
    }),
  )

/** An arrival that was rejected, and why; `key` is its number, where that can be trusted. */
interface RefusedArrival {
  readonly arrival: Arrival
  readonly key: { readonly boot: number; readonly seq: number } | null
  readonly reason: Rejection
  readonly detail: string
}

/**
 * Keeps what was rejected, once for each content of a device, number and reason: repeats don't grow the table. In the order
 * of their keys, so that two processes never wait for each other in a circle. Returns for how many there was no room.
 */
export async function keepRefused(tx: Tx, refused: readonly RefusedArrival[], now: Instant): Promise<number> {
  if (refused.length === 0) return 0
  const rows = refused.map(({ arrival: { device, bytes, source }, key, reason, detail }) => ({
    device,
    // Said here because the message can't be asked: anybody may write that boot into one.
    boot: source === undefined ? (key?.boot ?? null) : BRIDGED_BOOT,
    seq: key?.seq ?? null,
    reason,
    contentDigest: createHash('sha256').update(bytes).digest('hex'),
    detail: detail.slice(0, 300),
    payload: Buffer.from(bytes.subarray(0, reason === 'TOO_LARGE' ? HEAD_BYTES : BATCH_BYTES_MAX)),
  }))
  const closed = await sealRefused(tx, rows, now)
  // A number that a receipt covers is on record in any case (I1): without its message where there is no room for that.
  const bare = await sealRefused(
    tx,
    rows.map((row) => ({ ...row, payload: new Uint8Array() })),
    now,
  )
  const devices = [...new Set(rows.map(({ device }) => device))].sort()
  // One counts at a time: two commits at once would each find room for the last.
  await tx.run(
    `select pg_advisory_xact_lock(hashtextextended('quarantine/' || device, 0)) from unnest($1::text[]) as of(device)`,
    [devices],
  )
  const { unkept } = (await tx.row<{ unkept: string }>(
    `with new as (
       select distinct on (device, boot, seq, reason, content_digest) * from unnest($1::text[], $2::int[], $3::int8[], $4::text[], $6::text[], $7::bytea[], $8::int8[], $11::bytea[])
         as new(device, boot, seq, reason, content_digest, payload, key, bare)
       where not exists (select from location.quarantine q where q.device = new.device and q.boot is not distinct from new.boot
         and q.seq is not distinct from new.seq and q.reason = new.reason and q.content_digest = new.content_digest)),
     today as (
       select device, (select count(*) from (select from location.quarantine q where q.device = one.device and q.received_at >= $9 limit $10) as found) as kept
       from (select distinct device from new) as one),
     placed as (
       select new.*, today.kept + row_number() over (partition by device order by boot, seq, reason, content_digest) as place
       from new join today using (device)),
     kept as (
       insert into location.quarantine (device, boot, seq, reason, received_at, content_digest, payload, key)
       select device, boot, seq, reason, $5, content_digest, case when place <= $10 then payload else bare end, key
       from placed where place <= $10 or seq is not null
       order by device, boot, seq, reason, content_digest
       on conflict (device, boot, seq, reason, content_digest) do nothing)
     select count(*) as unkept from placed where place > $10`,
    [
      rows.map(({ device }) => device),
      rows.map(({ boot }) => boot),
      rows.map(({ seq }) => seq),
      rows.map(({ reason }) => reason),
      now,
      rows.map(({ contentDigest }) => contentDigest),
      closed.map(({ bytes }) => bytes),
      closed.map(({ key }) => key),
      now - (now % DAY_MS),
      QUARANTINED_A_DAY_MAX,
      bare.map(({ bytes }) => bytes),
    ],
  ))!
  return Number(unkept)
}

const COLUMNS = `id, device, boot, seq, reason, detail, received_at as "receivedAt", replayed_at as "replayedAt", content_digest as "contentDigest", key, payload`

type Raw = Refused & {
  id: string
  device: DeviceId
  reason: Rejection
  seq: string | null
  /** null where it is sealed, with the message. */
  detail: string | null
  receivedAt: string
  replayedAt: string | null
  key: string | null
  payload: Uint8Array
}

async function opened(tx: Tx, rows: readonly Raw[]): Promise<(QuarantineRow & { payload: Uint8Array })[]> {
  const bytes = await tx.vault.open(
    tx,
    rows.map((row) => ({ key: row.key, bytes: row.payload, name: nameOf(row) })),
  )
  return rows.map(({ id, device, boot, reason, ...row }, i) => {
    const from = 2 + (row.key === null ? 0 : Buffer.from(bytes[i]).readUInt16LE(0))
    const payload = row.key === null ? bytes[i] : bytes[i].subarray(from)
    return {
      id,
      device,
      boot,
      reason,
      seq: row.seq === null ? null : Number(row.seq),
      detail: row.detail ?? new TextDecoder().decode(bytes[i].subarray(2, from)),
      receivedAt: instant(Number(row.receivedAt)),
      replayedAt: row.replayedAt === null ? null : instant(Number(row.replayedAt)),
      bytes: payload.length,
      payload,
    }
  })
}

/** What was rejected and not replayed, newest first. */
export const quarantineRows = async (
  tx: Tx,
  of: { device: DeviceId | null; reason: string | null; most: number },
): Promise<QuarantineRow[]> =>
  (
    await opened(
      tx,
      await tx.rows<Raw>(
        `select ${COLUMNS} from location.quarantine where replayed_at is null and ($1::text is null or device = $1) and ($2::text is null or reason = $2)
         order by id desc limit $3`,
        [of.device, of.reason, of.most],
      ),
    )
  ).map(({ payload: _, ...row }) => row)

/** One of them with its bytes. Throws InputError where there is none. */
export async function quarantined(tx: Tx, id: string): Promise<QuarantineRow & { payload: Uint8Array }> {
  const row = await tx.row<Raw>(`select ${COLUMNS} from location.quarantine where id = $1 for update`, [id])
  if (!row) throw new InputError('NO_QUARANTINE', `there is no message ${id} in quarantine: roadmeter quarantine list`)
  return (await opened(tx, [row]))[0]
}

/** Seals up to `most` messages that are kept in plain; returns how many there were. */
export async function sealPlainRefused(tx: Tx, most: number): Promise<number> {
  const rows = await tx.rows<Raw & { detail: string }>(
    `select ${COLUMNS} from location.quarantine where key is null order by id limit ${most} for update`,
  )
  for (const row of rows) {
    const [{ key, bytes }] = await sealRefused(tx, [row], instant(Number(row.receivedAt)))
    await tx.run(`update location.quarantine set key = $2, payload = $3, detail = null where id = $1`, [
      row.id,
      key,
      bytes,
    ])
  }
  return rows.length
}

export const markReplayed = (tx: Tx, id: string, now: Instant): Promise<number> =>
  tx.run('update location.quarantine set replayed_at = $2 where id = $1', [id, now])

/** Makes the matcher look once more at a number that it has passed: what comes in under it is a trip of its own. */
export const reopenNumber = (tx: Tx, device: DeviceId, boot: number, seq: number): Promise<number> =>
  tx.run(
    `update metering.stream set gaps = gaps + int8multirange(int8range($3::int8, $3::int8 + 1)) where device = $1 and boot = $2 and processed > $3::int8`,
    [device, boot, seq],
  )

/** How many messages were rejected, by day (UTC), for which quarantine had no room: `{ '2026-10-05': 12 }`. */
export const unkeptByDay = async (tx: Tx): Promise<Record<string, number>> =>
  Object.fromEntries(
    (
      await tx.rows<{ day: string; unkept: string }>(
        'select day::text as day, sum(unkept) as unkept from metering.balance group by day having sum(unkept) > 0 order by day',
      )
    ).map(({ day, unkept }) => [day, Number(unkept)]),
  )
