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

const COLUMNS = `id, device, boot, seq, reason, detail, received_at as "receivedAt", replayed_at as "replayedAt", length(payload) as bytes`

type Raw = Omit<QuarantineRow, 'seq' | 'receivedAt' | 'replayedAt'> & {
  seq: string | null
  receivedAt: string
  replayedAt: string | null
}
const rowOf = (raw: Raw): QuarantineRow => ({
  ...raw,
  seq: raw.seq === null ? null : Number(raw.seq),
  receivedAt: instant(Number(raw.receivedAt)),
  replayedAt: raw.replayedAt === null ? null : instant(Number(raw.replayedAt)),
})

/** What was rejected and not replayed, newest first. */
export const quarantineRows = async (
  tx: Tx,
  of: { device: DeviceId | null; reason: string | null; most: number },
): Promise<QuarantineRow[]> =>
  (
    await tx.rows<Raw>(
      `select ${COLUMNS} from location.quarantine where replayed_at is null and ($1::text is null or device = $1) and ($2::text is null or reason = $2)
       order by id desc limit $3`,
      [of.device, of.reason, of.most],
    )
  ).map(rowOf)

/** One of them with its bytes. Throws InputError where there is none. */
export async function quarantined(tx: Tx, id: string): Promise<QuarantineRow & { payload: Uint8Array }> {
  const row = await tx.row<Raw & { payload: Uint8Array }>(
    `select ${COLUMNS}, payload from location.quarantine where id = $1 for update`,
    [id],
  )
  if (!row) throw new InputError('NO_QUARANTINE', `there is no message ${id} in quarantine: roadmeter quarantine list`)
  return { ...rowOf(row), payload: row.payload }
}

export const markReplayed = (tx: Tx, id: string, now: Instant): Promise<number> =>
  tx.run('update location.quarantine set replayed_at = $2 where id = $1', [id, now])

/** Makes the matcher look once more at a number that it has passed: what comes in under it is a trip of its own. */
export const reopenNumber = (tx: Tx, device: DeviceId, boot: number, seq: number): Promise<number> =>
  tx.run(
    `update metering.stream set gaps = gaps + int8multirange(int8range($3::int8, $3::int8 + 1)) where device = $1 and boot = $2 and processed > $3::int8`,
    [device, boot, seq],
  )
