import { z } from 'zod'
import { canonical, digest, type DeviceId, type Digest, type Instant } from '#kernel'

export const FIXES_PER_BATCH_MAX = 600
export const BATCH_BYTES_MAX = 64 * 1024
/** A larger message is read no further: its number stays unknown, and no receipt moves past it. */
export const READABLE_BYTES_MAX = 256 * 1024 + 1024
/** A message older than this, or further ahead than the next, is rejected as TIME. */
export const FIX_AGE_MS_MAX = 35 * 86_400_000
export const FIX_AHEAD_MS_MAX = 5 * 60_000

const epochMs = z.int().min(0).max(4_102_444_800_000)
const latitude = z.number().min(-90).max(90)
const longitude = z.number().min(-180).max(180)
const accuracyM = z.number().min(0).max(10_000)

/** One position: [epoch ms UTC, latitude, longitude, horizontal accuracy in metres (optional)]. */
export const fixSchema = z
  .tuple([epochMs, latitude, longitude], accuracyM)
  .refine((fix) => fix.length <= 4, 'expected 3 or 4 numbers')
export type WireFix = z.infer<typeof fixSchema>

/** What a device sends, on `roadmeter/v1/{device}/batch` or by HTTPS. Unknown fields are refused: no name, no plate, no speed. */
export const batchSchema = z.strictObject({
  v: z.literal(1),
  /** Counts starts of the device. */
  boot: z.int().min(0).max(2_147_483_647),
  /** Gapless from 0 within a boot: what makes a lost message visible. */
  seq: z.int().min(0).max(2_147_483_647),
  trip: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z, a-z, 0-9, _ and -'),
  event: z.enum(['start', 'run', 'end']),
  fixes: z.array(fixSchema).max(FIXES_PER_BATCH_MAX),
  /** Readings of the vehicle's own odometer: [epoch ms UTC, metres]. */
  odometer: z
    .array(z.tuple([epochMs, z.int().min(0).max(10_000_000_000)]))
    .max(20)
    .optional(),
})
export type Batch = z.infer<typeof batchSchema>

/** [from, to) of sequence numbers. */
export const seqRangeSchema = z.tuple([z.int(), z.int()])

/** What the device may delete: every batch below `upTo` + 1 of this boot except those in `missing`. Sent after our commit. */
export const receiptSchema = z.strictObject({
  v: z.literal(1),
  boot: z.int(),
  /** Highest sequence number that is covered; -1 where none is. */
  upTo: z.int().min(-1),
  missing: z.array(seqRangeSchema),
  /** Digest of the receipt without this field. */
  digest: z.string(),
})
export type Receipt = z.infer<typeof receiptSchema>

/** Makes the receipt of one boot from what is durable: ordered, disjoint [from, to) ranges of sequence numbers. */
export function receiptOf(device: DeviceId, boot: number, held: readonly (readonly [number, number])[]): Receipt {
  const missing: [number, number][] = []
  let next = 0
  for (const [from, to] of held) {
    if (from > next) missing.push([next, from])
    next = to
  }
  const body = { v: 1 as const, boot, upTo: next - 1, missing }
  return { ...body, digest: digest({ device, ...body }) }
}

/** Whether a receipt lets its device delete (boot, seq). */
export const covers = (receipt: Receipt, boot: number, seq: number): boolean =>
  receipt.boot === boot && seq <= receipt.upTo && !receipt.missing.some(([from, to]) => from <= seq && seq < to)

/** The content of a batch, as duplicates are told from reused keys. */
export const batchDigest = (batch: Batch): Digest => digest(batch)

export const batchBytes = (batch: Batch): Uint8Array => new TextEncoder().encode(canonical(batch))

/** Why a batch was not accepted. The names are part of the protocol. */
export type Rejection = 'MALFORMED' | 'TOO_LARGE' | 'TIME' | 'KEY_REUSE' | 'UNKNOWN_DEVICE'

export type Decoded =
  | { readonly ok: true; readonly batch: Batch }
  | {
      readonly ok: false
      readonly reason: Rejection
      readonly detail: string
      /** Where it could still be read: the receipt then moves past the rejected batch, so that it never loops. */
      readonly key: { readonly boot: number; readonly seq: number } | null
    }

/** Decodes and checks one message. Never throws; `now` decides what is too old or too far ahead. */
export function decodeBatch(bytes: Uint8Array, now: Instant): Decoded {
  const large = bytes.length > BATCH_BYTES_MAX
  const tooLarge = {
    ok: false,
    reason: 'TOO_LARGE',
    detail: `${bytes.length} bytes, at most ${BATCH_BYTES_MAX}`,
  } as const
  if (bytes.length > READABLE_BYTES_MAX) return { ...tooLarge, key: null }
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    if (large) return { ...tooLarge, key: null }
    return { ok: false, reason: 'MALFORMED', detail: `not JSON: ${(error as Error).message}`, key: null }
  }
  if (large) return { ...tooLarge, key: keyOf(value) }
  const parsed = batchSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return {
      ok: false,
      reason: 'MALFORMED',
      detail: `${issue.path.join('.') || 'batch'}: ${issue.message}`,
      key: keyOf(value),
    }
  }
  const batch = parsed.data
  const early = batch.fixes.find(([at]) => at < now - FIX_AGE_MS_MAX)
  const late = batch.fixes.find(([at]) => at > now + FIX_AHEAD_MS_MAX)
  if (early || late)
    return {
      ok: false,
      reason: 'TIME',
      detail: early ? 'a fix is older than 35 days' : 'a fix is more than 5 minutes ahead',
      key: { boot: batch.boot, seq: batch.seq },
    }
  return { ok: true, batch }
}

const keySchema = z.object({ boot: batchSchema.shape.boot, seq: batchSchema.shape.seq })
function keyOf(value: unknown): { boot: number; seq: number } | null {
  const parsed = keySchema.safeParse(value)
  return parsed.success ? { boot: parsed.data.boot, seq: parsed.data.seq } : null
}
