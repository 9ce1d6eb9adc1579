import { z } from 'zod'
import { BATCH_BYTES_MAX, FIXES_PER_BATCH_MAX } from './batch'
import { FIX_AGE_MS_MAX, FIX_AHEAD_MS_MAX } from './decode'
import { deviceIdSchema } from './scalars'
import { canonical, type DeviceId } from '#kernel'

/** What a device says of itself on `.../state`, and what its will says when it is gone. */
export const stateSchema = z.strictObject({ v: z.literal(1), online: z.boolean() })

export const stateBytes = (online: boolean): Uint8Array => new TextEncoder().encode(JSON.stringify({ v: 1, online }))

/** Whether the device is online; null where the bytes are no state. */
export function readState(bytes: Uint8Array): boolean | null {
  try {
    return stateSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))).online
  } catch {
    return null
  }
}

const key = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'expected an Ed25519 public key in base64url: 43 characters')

/** What the operator leaves for a device on `.../context`: what it must keep to, and by whose keys it knows a receipt. */
export const contextSchema = z.strictObject({
  v: z.literal(1),
  device: deviceIdSchema,
  /** Whether batches must be signed. */
  mustSign: z.boolean(),
  fixesPerBatchMax: z.int(),
  batchBytesMax: z.int(),
  fixAgeMsMax: z.int(),
  fixAheadMsMax: z.int(),
  /** Oldest first, those of before too: what any of them has signed is the operator's. */
  operatorKeys: z.array(key),
  /** Ed25519 over the canonical JSON of the other fields, by the key that signs now: one of the operator's, seldom the first. */
  sig: z.string(),
})
export type DeviceContext = z.infer<typeof contextSchema>

export const contextOf = (
  device: DeviceId,
  mustSign: boolean,
  operatorKeys: readonly string[],
): Omit<DeviceContext, 'sig'> => ({
  v: 1,
  device,
  mustSign,
  fixesPerBatchMax: FIXES_PER_BATCH_MAX,
  batchBytesMax: BATCH_BYTES_MAX,
  fixAgeMsMax: FIX_AGE_MS_MAX,
  fixAheadMsMax: FIX_AHEAD_MS_MAX,
  operatorKeys: [...operatorKeys],
})

export const contextContent = (context: DeviceContext): string => canonical({ ...context, sig: undefined })

/** What a device brings to be let in: its voucher, its public key, and by signing the voucher the proof that the key is its. */
export const enrolmentSchema = z.strictObject({
  v: z.literal(1),
  voucher: z.string().min(16).max(200),
  key,
  /** Ed25519 over `enrolmentContent` by that key. */
  sig: z.string().regex(/^[A-Za-z0-9_-]{86}$/, 'expected an Ed25519 signature in base64url: 86 characters'),
})
export type Enrolment = z.infer<typeof enrolmentSchema>

export const enrolmentContent = ({ voucher, key }: Pick<Enrolment, 'voucher' | 'key'>): string =>
  canonical({ voucher, key, purpose: 'roadmeter enrolment' })

/** What it gets: who it is, and the token that it signs in with. */
export const enrolledSchema = z.strictObject({
  v: z.literal(1),
  device: deviceIdSchema,
  token: z.string(),
  operatorKeys: z.array(key),
})
export type Enrolled = z.infer<typeof enrolledSchema>
