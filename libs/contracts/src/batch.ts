import { z } from 'zod'
import { digest, type DeviceId, type Digest } from '#kernel'

export const FIXES_PER_BATCH_MAX = 600
export const BATCH_BYTES_MAX = 64 * 1024
const BOOT_MAX = 2_147_483_646
/** The boot under which positions are numbered that came without a number of a device's own: none can have it. */
export const BRIDGED_BOOT = BOOT_MAX + 1

const epochMs = z.int().min(0).max(4_102_444_800_000)
const latitude = z.number().min(-90).max(90)
const longitude = z.number().min(-180).max(180)
const accuracyM = z.number().min(0).max(10_000)

/** One position: [epoch ms UTC, latitude, longitude, horizontal accuracy in metres (optional)]. */
export const fixSchema = z
  .tuple([epochMs, latitude, longitude], accuracyM)
  .refine((fix) => fix.length <= 4, 'expected 3 or 4 numbers')
export type WireFix = z.infer<typeof fixSchema>

/** 64 bytes leave four bits of the last character over, which are zero: two texts are never one signature. */
const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/

const wireFields = z.strictObject({
  v: z.literal(1),
  /** Counts starts of the device. */
  boot: z.int().min(0).max(BOOT_MAX),
  /** Gapless from 0 within a boot: what makes a lost message visible. */
  seq: z.int().min(0).max(2_147_483_647),
  /** The device's own name for the trip. Absent from totals. */
  trip: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'expected 1 to 64 of A-Z, a-z, 0-9, _ and -')
    .optional(),
  event: z.enum(['start', 'run', 'end', 'totals']),
  /** Absent from totals: a vehicle that is metered without location sends none. */
  fixes: z.array(fixSchema).max(FIXES_PER_BATCH_MAX).optional(),
  /** Readings of the vehicle's own odometer: [epoch ms UTC, metres]. Totals carry two. */
  odometer: z
    .array(z.tuple([epochMs, z.int().min(0).max(10_000_000_000)]))
    .max(20)
    .optional(),
  /** Digest of the batch before it in the same boot: a chain that nobody can cut or splice unseen. */
  prev: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in lower-case hexadecimal')
    .optional(),
  /** Ed25519 over `batchContent`, by the device's key. */
  sig: z.string().regex(SIGNATURE, 'expected an Ed25519 signature in base64url: 86 characters').optional(),
})
type WireBatch = z.infer<typeof wireFields>

const absent = (value: unknown) => value === undefined
const message = (path: string, text: string) => ({ code: 'custom' as const, path: [path], message: text, input: null })

/**
 * What a device sends, on `roadmeter/v1/{device}/batch` or by HTTPS, in JSON or CBOR. Unknown fields are refused: no name, no
 * plate, no speed. Totals come without `trip` and `fixes`, and are read as having none.
 */
export const batchSchema = wireFields
  .check(({ value, issues }) => {
    if (value.event === 'totals') {
      for (const name of ['trip', 'fixes'] as const)
        if (!absent(value[name])) issues.push(message(name, 'expected no such field in totals'))
      if (value.odometer?.length !== 2) issues.push(message('odometer', 'expected two readings in totals'))
    } else
      for (const name of ['trip', 'fixes'] as const)
        if (absent(value[name])) issues.push(message(name, 'expected in every batch but totals'))
  })
  .transform(({ trip = '', fixes = [], ...rest }) => ({ ...rest, trip, fixes }))
export type Batch = z.infer<typeof batchSchema>

/** The fields of a batch as they travel: totals without `trip` and `fixes`. */
export const wireBatch = ({ trip, fixes, ...rest }: Batch): WireBatch =>
  rest.event === 'totals' ? rest : { ...rest, trip, fixes }

/**
 * The canonical form of a batch: what its device signs and what its digest is of. The canonical JSON (keys sorted, no white
 * space) of its fields without `sig`, and of the device's id, so that nobody's batch can be sent as another's.
 */
export function batchContent(device: DeviceId, batch: Batch): string {
  const { boot, event, odometer, prev, seq, v } = batch
  const totals = event === 'totals'
  // The members in the order of their names: what `canonical` would write, at the speed of JSON.stringify.
  return JSON.stringify({
    boot,
    device,
    event,
    fixes: totals ? undefined : batch.fixes,
    odometer,
    prev,
    seq,
    trip: totals ? undefined : batch.trip,
    v,
  })
}

/** The content of a batch, as duplicates are told from reused keys, and what the next batch names as `prev`. */
export const batchDigest = (device: DeviceId, batch: Batch): Digest =>
  digest(new TextEncoder().encode(batchContent(device, batch)))

export const batchBytes = (batch: Batch): Uint8Array => new TextEncoder().encode(JSON.stringify(wireBatch(batch)))

/** Whether a value is a batch, told without zod: says yes only where `batchSchema` does, and is a hundred times as fast. */
export function isPlainBatch(value: unknown): value is Batch {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  let known = 0
  for (const name in value) {
    if (!FIELDS.has(name) || !Object.hasOwn(value, name)) return false
    known++
  }
  const batch = value as Record<keyof WireBatch, unknown>
  if (known !== Object.keys(value).length || batch.v !== 1 || !isWhole(batch.boot, BOOT_MAX)) return false
  if (!isWhole(batch.seq, 2_147_483_647) || typeof batch.trip !== 'string' || !TRIP.test(batch.trip)) return false
  if (batch.event !== 'run' && batch.event !== 'start' && batch.event !== 'end') return false
  if (batch.prev !== undefined && (typeof batch.prev !== 'string' || !DIGEST.test(batch.prev))) return false
  if (batch.sig !== undefined && (typeof batch.sig !== 'string' || !SIGNATURE.test(batch.sig))) return false
  // Odometers are few: zod may look at them.
  if (batch.odometer !== undefined || !Array.isArray(batch.fixes)) return false
  return batch.fixes.length <= FIXES_PER_BATCH_MAX && batch.fixes.every(isFix)
}

const FIELDS: ReadonlySet<string> = new Set(Object.keys(wireFields.shape))
const TRIP = /^[A-Za-z0-9_-]{1,64}$/
const DIGEST = /^[0-9a-f]{64}$/
const isWhole = (value: unknown, max: number): boolean => Number.isInteger(value) && 0 <= +value! && +value! <= max
const within = (value: unknown, from: number, to: number) => typeof value === 'number' && from <= value && value <= to
const isFix = (fix: unknown): boolean =>
  Array.isArray(fix) &&
  (fix.length === 3 || (fix.length === 4 && within(fix[3], 0, 10_000))) &&
  isWhole(fix[0], 4_102_444_800_000) &&
  within(fix[1], -90, 90) &&
  within(fix[2], -180, 180)

/** Where it can be read: the number under which a message came, whatever else is wrong with it. */
export const batchKeySchema = z.object({ boot: wireFields.shape.boot, seq: wireFields.shape.seq })

const NO_BOOT = `expected a whole number from 0 to ${BOOT_MAX}`

/** Which boot a receipt is asked for, as an address says it; absent: the latest. */
export const receiptQuerySchema = z.object({
  boot: z
    .string(NO_BOOT)
    .regex(/^\d{1,10}$/, NO_BOOT)
    .transform(Number)
    .refine((boot) => boot <= BOOT_MAX, NO_BOOT)
    .optional(),
})
