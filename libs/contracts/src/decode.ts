import { decode as decodeCbor, encode as encodeCbor, type DecodeOptions } from 'cbor2'
import { canonical, type DeviceId, type Instant } from '#kernel'
import {
  BATCH_BYTES_MAX,
  batchContent,
  batchKeySchema,
  batchSchema,
  isPlainBatch,
  wireBatch,
  type Batch,
} from './batch'

/** A larger message is read no further: its number stays unknown, and no receipt moves past it. */
export const READABLE_BYTES_MAX = 256 * 1024 + 1024
/** A message older than this, or further ahead than the next, is rejected as TIME. */
export const FIX_AGE_MS_MAX = 35 * 86_400_000
export const FIX_AHEAD_MS_MAX = 5 * 60_000

/** Why a batch was not accepted. The names are part of the protocol. */
export const REJECTIONS = ['MALFORMED', 'TOO_LARGE', 'TIME', 'KEY_REUSE', 'SIGNATURE', 'UNKNOWN_DEVICE'] as const
export type Rejection = (typeof REJECTIONS)[number]

/** What a device says that it has signed, and its signature in base64url. */
export interface Signed {
  readonly content: string
  readonly sig: string
}

export type Decoded =
  | { readonly ok: true; readonly batch: Batch; readonly content: string; readonly signed: Signed | null }
  | {
      readonly ok: false
      readonly reason: Rejection
      readonly detail: string
      /** Where it could still be read: the receipt then moves past the rejected batch, so that it never loops. */
      readonly key: { readonly boot: number; readonly seq: number } | null
      readonly signed: Signed | null
    }

/**
 * Decodes and checks one message of `device`, in JSON or CBOR: a batch in CBOR begins with the byte of a map, which begins no
 * JSON text. Never throws. `now` decides what is too old or too far ahead; null lets every time pass.
 */
export function decodeBatch(device: DeviceId, bytes: Uint8Array, now: Instant | null): Decoded {
  const large = bytes.length > BATCH_BYTES_MAX
  const refuse = (reason: Rejection, detail: string, value?: unknown): Decoded => ({
    ok: false,
    reason,
    detail,
    key: keyOf(value),
    signed: signedOf(device, value),
  })
  const size = `${bytes.length} bytes, at most ${BATCH_BYTES_MAX}`
  if (bytes.length > READABLE_BYTES_MAX) return refuse('TOO_LARGE', size)
  let value: unknown
  try {
    value = isCbor(bytes) ? readCbor(bytes) : JSON.parse(UTF8.decode(bytes))
  } catch (error) {
    if (large) return refuse('TOO_LARGE', size)
    return refuse('MALFORMED', `not ${isCbor(bytes) ? 'CBOR' : 'JSON'}: ${(error as Error).message}`)
  }
  if (large) return refuse('TOO_LARGE', size, value)
  let batch: Batch
  if (isPlainBatch(value)) batch = value
  else {
    const parsed = batchSchema.safeParse(value)
    if (!parsed.success) {
      const issue = parsed.error.issues[0]
      return refuse('MALFORMED', `${issue.path.join('.') || 'batch'}: ${issue.message}`, value)
    }
    batch = parsed.data
  }
  if (now !== null) {
    const times = [...batch.fixes, ...(batch.odometer ?? [])]
    if (times.some(([at]) => at < now - FIX_AGE_MS_MAX))
      return refuse('TIME', 'a fix or reading is older than 35 days', value)
    if (times.some(([at]) => at > now + FIX_AHEAD_MS_MAX))
      return refuse('TIME', 'a fix or reading is more than 5 minutes ahead', value)
  }
  const content = batchContent(device, batch)
  return { ok: true, batch, content, signed: batch.sig === undefined ? null : { content, sig: batch.sig } }
}

/** A batch in CBOR, as a device may send it in place of JSON. */
export const batchCbor = (batch: Batch): Uint8Array => encodeCbor(wireBatch(batch))

// A byte order mark is not JSON (RFC 8259, section 8.1), so it is kept and found.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The byte of a map of up to 23 pairs, or of one whose size follows (RFC 8949, appendix B). */
const isCbor = (bytes: Uint8Array): boolean => bytes.length > 0 && bytes[0] >= 0xa0 && bytes[0] <= 0xbf

const STRICT: DecodeOptions = {
  maxDepth: 8,
  preferMap: true,
  rejectDuplicateKeys: true,
  rejectStreaming: true,
  rejectUndefined: true,
  rejectSimple: true,
  tags: new Map(),
}

function readCbor(bytes: Uint8Array): unknown {
  const value = decodeCbor(bytes, STRICT)
  // A Map, so that a key can't be taken for the object's prototype; every member of a batch is a plain value or an array.
  if (!(value instanceof Map)) return value
  // The same name in bytes would become the name in text on the way into an object.
  for (const key of value.keys()) if (typeof key !== 'string') throw new Error('a key that is not text')
  return Object.fromEntries(value as Map<string, unknown>)
}

function keyOf(value: unknown): { boot: number; seq: number } | null {
  const parsed = batchKeySchema.safeParse(value)
  return parsed.success ? { boot: parsed.data.boot, seq: parsed.data.seq } : null
}

/** The signature of something that is no good batch: it says whether its number may be taken for the device's word. */
function signedOf(device: DeviceId, value: unknown): Signed | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { sig, ...rest } = value as Record<string, unknown>
  if (typeof sig !== 'string') return null
  try {
    return { content: canonical({ ...rest, device }), sig }
  } catch {
    return null
  }
}
