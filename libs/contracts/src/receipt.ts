import { z } from 'zod'
import { canonical, digest, type DeviceId } from '#kernel'

/** Gaps that one receipt names. What lies behind more of them is covered when the first have closed. */
export const RECEIPT_GAPS_MAX = 100

/** [from, to) of sequence numbers. */
export const seqRangeSchema = z.tuple([z.int(), z.int()])

/** What the device may delete: every batch below `upTo` + 1 of this boot except those in `missing`. Sent after our commit. */
export const receiptSchema = z.strictObject({
  v: z.literal(1),
  boot: z.int(),
  /** Highest sequence number that is covered; -1 where none is. */
  upTo: z.int().min(-1),
  missing: z.array(seqRangeSchema),
  /** Digest of the receipt without this field and `sig`, with the device's id. */
  digest: z.string(),
  /** Ed25519 over `receiptContent`, by a key of the operator's. */
  sig: z.string().optional(),
})
export type Receipt = z.infer<typeof receiptSchema>

/** Makes the receipt of one boot, unsigned, from what is durable: ordered, disjoint [from, to) ranges of sequence numbers. */
export function receiptOf(device: DeviceId, boot: number, held: readonly (readonly [number, number])[]): Receipt {
  const missing: [number, number][] = []
  let next = 0
  for (const [from, to] of held) {
    if (from > next && missing.length === RECEIPT_GAPS_MAX) break
    if (from > next) missing.push([next, from])
    next = to
  }
  const body = { v: 1 as const, boot, upTo: next - 1, missing }
  return { ...body, digest: digest({ device, ...body }) }
}

/** What the digest and the signature of a receipt are of. */
export const receiptContent = (device: DeviceId, { v, boot, upTo, missing }: Receipt): string =>
  canonical({ device, v, boot, upTo, missing })

/** Whether a receipt is whole and of this device. Who signed it is another question. */
export const isReceiptOf = (device: DeviceId, receipt: Receipt): boolean =>
  receipt.digest === digest(new TextEncoder().encode(receiptContent(device, receipt)))

/** Whether a receipt lets its device delete (boot, seq). */
export const covers = (receipt: Receipt, boot: number, seq: number): boolean =>
  receipt.boot === boot && seq <= receipt.upTo && !receipt.missing.some(([from, to]) => from <= seq && seq < to)
