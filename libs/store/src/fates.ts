import { type Batch, type Decoded, type Rejection } from '#contracts'
import { type DeviceId } from '#kernel'

/** A message as it came in, and what decoding made of it. */
export interface Arrival {
  readonly device: DeviceId
  readonly bytes: Uint8Array
  readonly decoded: Decoded
  /** False where the device must sign and this isn't signed by a key of its: not even the number is its word. */
  readonly authentic: boolean
  /** SHA-256 of the batch's content; null where it is no batch. */
  readonly contentDigest: string | null
  /** Of a position that came without a number of the device's own (OwnTracks, Traccar): names it at its source. */
  readonly source?: string
  /** An operator sends it once more: a number that a rejection has used up is given back to it. */
  readonly replayed?: boolean
}

export type Fate = 'accepted' | 'duplicate' | 'rejected'

/** What an operator should look at. KEY_REUSE and CHAIN are what a clone of a device, or a device that forgot, looks like. */
export type AlarmKind = 'KEY_REUSE' | 'CLONE' | 'CHAIN' | 'SIGNATURE' | 'SESSIONS'

export interface Ruling {
  readonly fate: Fate
  readonly reason: Rejection | null
  readonly detail: string
  readonly alarm: AlarmKind | null
}

export type Ranges = readonly (readonly [number, number])[]
export const holds = (ranges: Ranges, seq: number): boolean => ranges.some(([from, to]) => from <= seq && seq < to)

export const streamKey = (device: string, boot: number) => `${device}/${boot}`
export const batchKey = (device: string, boot: number, seq: number) => `${device}/${boot}/${seq}`

/** A batch of the inbox, as far as an arrival beside it is judged by it. */
export interface Neighbour {
  readonly digest: string
  readonly prev: string | null
  readonly signed: boolean
}

export interface Ledger {
  /** What was durable of each stream of a device that may send; a stream that isn't here is nobody's. */
  readonly held: ReadonlyMap<string, Ranges>
  readonly stored: ReadonlyMap<string, Neighbour>
  /** Accepted once and destroyed since: what comes again under their numbers can't be compared any more. */
  readonly destroyed: ReadonlySet<string>
}

/**
 * The fate of each arrival, in order: a group has the fates that its messages would have one by one, whoever shares a commit
 * with whom (I9). `keys` are their numbers, null where there is none to be had.
 */
export function rule(
  arrivals: readonly Arrival[],
  keys: readonly ({ readonly boot: number; readonly seq: number } | null)[],
  known: ReadonlySet<DeviceId>,
  { held, stored, destroyed }: Ledger,
): Ruling[] {
  const fresh = new Map<string, Neighbour>()
  const refused = new Set<string>()
  const before = (key: string) => stored.get(key) ?? fresh.get(key)
  return arrivals.map((arrival, i): Ruling => {
    const { device, decoded } = arrival
    const key = keys[i]
    if (!known.has(device)) return rejected('UNKNOWN_DEVICE', 'no such device, or a revoked one')
    if (!decoded.ok) {
      if (key) refused.add(batchKey(device, key.boot, key.seq))
      return rejected(decoded.reason, decoded.detail)
    }
    // What comes over a bridge can't be signed, by whomever it is: nothing to look at.
    if (!key) return rejected('SIGNATURE', 'not signed by a key of the device', arrival.source ? null : 'SIGNATURE')
    const name = batchKey(device, key.boot, key.seq)
    const twin = before(name)
    const digest = arrival.contentDigest!
    if (destroyed.has(name)) return { fate: 'duplicate', reason: null, detail: '', alarm: null }
    if (twin?.digest === digest) return { fate: 'duplicate', reason: null, detail: '', alarm: null }
    if (twin) {
      const both = twin.signed && decoded.signed !== null
      return rejected(
        'KEY_REUSE',
        `batch ${key.boot}/${key.seq} was other content before`,
        both ? 'CLONE' : 'KEY_REUSE',
      )
    }
    const usedUp = refused.has(name) || holds(held.get(streamKey(device, key.boot))!, key.seq)
    if (usedUp && !arrival.replayed) return rejected('KEY_REUSE', 'the batch of this number was rejected before')
    const one = { digest, prev: decoded.batch.prev ?? null, signed: decoded.signed !== null }
    fresh.set(name, one)
    const last = before(batchKey(device, key.boot, key.seq - 1))
    const next = before(batchKey(device, key.boot, key.seq + 1))
    // Told, not refused: which of the two is the device's own can't be seen from here, and order must not decide it.
    const broken = (last && one.prev && one.prev !== last.digest) || (next?.prev && next.prev !== digest)
    return { fate: 'accepted', reason: null, detail: '', alarm: broken ? 'CHAIN' : null }
  })
}

const rejected = (reason: Rejection, detail: string, alarm: AlarmKind | null = null): Ruling => ({
  fate: 'rejected',
  reason,
  detail,
  alarm,
})

export const batchOf = ({ decoded }: Arrival): Batch | null => (decoded.ok ? decoded.batch : null)
