import type { Batch } from '#contracts'
import { invariant, type Chance } from '#kernel'
import { batchesOf } from './batches'
import type { FleetTrip } from './fleet'

/** How badly a device's day goes. Shares are chances, 0 to 1. */
export interface Trouble {
  /** The device's clock is off by up to this, for good. Under the 5 minutes that are allowed ahead. */
  readonly skewMsMax: number
  /** A day on which part of what was driven is kept on the device and sent at its end. */
  readonly offlineShare: number
  /** What was kept is sent with the latest boot first, not in its order. */
  readonly shuffleShare: number
  /** The device starts anew after a trip. */
  readonly rebootShare: number
  /** A batch is sent twice or three times, unasked. */
  readonly repeatShare: number
}

export const NO_TROUBLE: Trouble = { skewMsMax: 0, offlineShare: 0, shuffleShare: 0, rebootShare: 0, repeatShare: 0 }
export const SOME_TROUBLE: Trouble = {
  skewMsMax: 90_000,
  offlineShare: 0.3,
  shuffleShare: 0.5,
  rebootShare: 0.3,
  repeatShare: 0.1,
}

/** A batch in the order in which its device sends it for the first time. */
export interface Sending {
  readonly batch: Batch
  /** Times it is sent at once, whatever the receipts say. */
  readonly copies: number
  /** The connection was away before this one. */
  readonly reconnects: boolean
}

/** Where a device's numbers stand. */
export interface Counter {
  readonly boot: number
  readonly seq: number
}

/** How far a device's clock is off: the same at every call. */
export const skewMsOf = (trouble: Trouble, device: Chance): number =>
  Math.round((2 * device.fork('clock').next() - 1) * trouble.skewMsMax)

/** What a device sends of the trips of one day, and where its numbers stand afterwards. Equal chance: the same to the byte. */
export function sendingsOf(
  trips: readonly FleetTrip[],
  from: Counter,
  fixesPerBatch: number,
  trouble: Trouble,
  skewMs: number,
  chance: Chance,
): { sendings: Sending[]; next: Counter } {
  let { boot, seq } = from
  const batches: Batch[] = []
  for (const trip of trips) {
    const fixes = trip.fixes.map((fix) => [fix[0] + skewMs, ...fix.slice(1)] as (typeof trip.fixes)[number])
    const made = batchesOf({ name: trip.name, fixes }, boot, seq, fixesPerBatch)
    batches.push(...made)
    seq += made.length
    if (chance.next() < trouble.rebootShare) {
      boot++
      seq = 0
    }
  }
  const plain = (batch: Batch, reconnects = false): Sending => ({
    batch,
    copies: chance.next() < trouble.repeatShare ? 2 + chance.below(2) : 1,
    reconnects,
  })
  const next = { boot, seq }
  if (batches.length < 2 || chance.next() >= trouble.offlineShare)
    return { sendings: batches.map((batch) => plain(batch)), next }
  const first = chance.below(batches.length)
  const kept = batches.slice(first, first + 1 + chance.below(batches.length - first))
  if (chance.next() < trouble.shuffleShare) kept.sort((a, b) => b.boot - a.boot || a.seq - b.seq)
  const sent = [...batches.slice(0, first), ...batches.slice(first + kept.length)]
  invariant(sent.length + kept.length === batches.length, 'every batch is sent')
  return { sendings: [...sent.map((batch) => plain(batch)), ...kept.map((batch, i) => plain(batch, i === 0))], next }
}
