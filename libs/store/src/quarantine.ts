import { type Rejection } from '#contracts'
import { InputError, instant, type DeviceId, type Instant } from '#kernel'
import { type Tx } from './store'

/** A message that was rejected, as it is listed. */
export interface QuarantineRow {
  readonly id: string
  readonly device: DeviceId
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
