import { z } from 'zod'
import { digest, instant, type DeviceId, type Digest, type Instant } from '#kernel'
import { batchBytes, BRIDGED_BOOT, fixSchema, type Batch } from './batch'
import { decodeBatch, type Decoded } from './decode'
import { deviceIdSchema } from './scalars'

/** What came over a bridge: a position, a device's state, or something that is neither, and why. */
export type Bridged =
  | { readonly kind: 'position'; readonly device: DeviceId; readonly batch: Batch }
  | { readonly kind: 'state'; readonly device: DeviceId; readonly online: boolean }
  | { readonly kind: 'ignored'; readonly why: string }
  | { readonly kind: 'refused'; readonly why: string }

/** Bridged batches are of one fix each; the inbox gives them their numbers, and silence ends their trips. */
const position = (device: DeviceId, trip: string, fix: readonly number[]): Bridged => {
  const parsed = fixSchema.safeParse(fix)
  if (!parsed.success) return { kind: 'refused', why: parsed.error.issues[0].message }
  return {
    kind: 'position',
    device,
    batch: { v: 1, boot: BRIDGED_BOOT, seq: 0, trip, event: 'run', fixes: [parsed.data] },
  }
}

/** Names a bridged position at its source, where it has no number: the same one is taken in once, however often it comes. */
export const sourceOf = (device: DeviceId, { trip, fixes }: Batch): Digest => digest({ device, trip, fix: fixes[0] })

/** Checks a bridged position as any other batch, but for its boot, which no device may name. `now` as of `decodeBatch`. */
export function decodeBridged(device: DeviceId, batch: Batch, now: Instant | null): Decoded {
  const decoded = decodeBatch(device, batchBytes({ ...batch, boot: 0 }), now)
  // The number is not the sender's, so what is refused takes none.
  return decoded.ok ? { ...decoded, batch } : { ...decoded, key: null }
}

/** OwnTracks' own names (its "JSON" page): a location, or a transition into or out of a region, which is a position, too. */
const ownTracks = z.looseObject({
  _type: z.string(),
  lat: z.number().optional(),
  lon: z.number().optional(),
  /** Seconds since 1970. */
  tst: z.number().optional(),
  /** Metres. */
  acc: z.number().optional(),
})

/**
 * Reads what the OwnTracks app publishes, on behalf of `device`. Of a location only time, place and accuracy are taken:
 * battery, speed, altitude, connection and regions stay unread.
 */
export function readOwnTracks(device: DeviceId, bytes: Uint8Array): Bridged {
  const parsed = ownTracks.safeParse(json(bytes))
  if (!parsed.success) return { kind: 'refused', why: 'not a message of OwnTracks' }
  const { _type, lat, lon, tst, acc } = parsed.data
  if (_type === 'lwt') return { kind: 'state', device, online: false }
  if (_type === 'encrypted') return { kind: 'refused', why: 'encrypted by the app: leave its encryption key empty' }
  if (_type !== 'location' && _type !== 'transition') return { kind: 'ignored', why: `_type ${_type.slice(0, 30)}` }
  if (lat === undefined || lon === undefined || tst === undefined)
    return { kind: 'refused', why: `a ${_type} without lat, lon or tst` }
  return position(device, 'owntracks', fixOf(Math.round(tst * 1000), lat, lon, acc))
}

/** Traccar's position forwarding as JSON: `{ position, device }` with the fields of its API's models. */
const traccar = z.looseObject({
  position: z.looseObject({
    fixTime: z.string().or(z.number()),
    valid: z.boolean().optional(),
    outdated: z.boolean().optional(),
    latitude: z.number(),
    longitude: z.number(),
    /** Metres; 0 where the device doesn't say. */
    accuracy: z.number().optional(),
  }),
  device: z.looseObject({ uniqueId: z.string() }),
})

/** Reads what a Traccar server forwards. Its `uniqueId` (most often an IMEI), in lower case, is our device's id. */
export function readTraccar(bytes: Uint8Array): Bridged {
  const parsed = traccar.safeParse(json(bytes))
  if (!parsed.success) return { kind: 'refused', why: 'not a position that Traccar forwards' }
  const { position: at, device } = parsed.data
  const id = deviceIdSchema.safeParse(device.uniqueId.toLowerCase())
  if (!id.success) return { kind: 'refused', why: 'the uniqueId is no device id: 8 to 40 of a-z, 0-9 and -' }
  // What it repeats of an earlier fix, and what the receiver itself doesn't trust, was not measured now.
  if (at.valid === false || at.outdated === true) return { kind: 'ignored', why: 'not valid, or outdated' }
  const time = typeof at.fixTime === 'number' ? at.fixTime : Date.parse(at.fixTime)
  if (!Number.isSafeInteger(time)) return { kind: 'refused', why: 'a fixTime that is no time' }
  return position(id.data, 'traccar', fixOf(instant(time), at.latitude, at.longitude, at.accuracy || undefined))
}

const fixOf = (at: Instant | number, lat: number, lon: number, accuracyM?: number): number[] =>
  accuracyM === undefined ? [at, lat, lon] : [at, lat, lon, Math.min(accuracyM, 10_000)]

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return null
  }
}
