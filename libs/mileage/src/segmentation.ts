import type { Batch } from '#contracts'
import type { Instant } from '#kernel'

type Range = readonly [number, number]

/** What is known of one boot of a device: how far it was cut into trips, what is durable, what was given up waiting for. */
export interface Stream {
  readonly processed: number
  readonly held: readonly Range[]
  readonly gaps: readonly Range[]
}

/** A batch without its fixes. */
export interface BatchHead {
  readonly seq: number
  readonly trip: string
  readonly event: Batch['event']
  readonly fixes: number
  readonly firstFix: Instant | null
  readonly lastFix: Instant | null
  readonly receivedAt: Instant
}

/** A run of batches of one trip. */
export interface TripSpan {
  /** The device's own name for it. */
  readonly name: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly fixes: number
  /** Latest fix, or arrival where it has none. */
  readonly lastFix: Instant
}

/** How far a stream can be read in the device's own order, from what is durable; a gap stops it. */
export const contiguousEnd = ({ processed, held }: Pick<Stream, 'processed' | 'held'>): number =>
  held.find(([from, to]) => from <= processed && processed < to)?.[1] ?? processed

/**
 * The gap that stops a stream, or null where nothing waits behind one: [from, to) of sequence numbers, given up where the
 * batch behind it has waited longer than `waitMs`.
 */
export const gapOf = ({ processed, held }: Pick<Stream, 'processed' | 'held'>): Range | null => {
  const next = held.find(([from]) => from > processed)
  return next && contiguousEnd({ processed, held }) === processed ? [processed, next[0]] : null
}

/** Parts of gaps that have come in after all. */
export const lateRanges = ({ held, gaps }: Pick<Stream, 'held' | 'gaps'>): Range[] =>
  gaps.flatMap(([from, to]) =>
    held.map(([a, b]): Range => [Math.max(from, a), Math.min(to, b)]).filter(([a, b]) => a < b),
  )

/** Gaps without the parts that have come in. */
export const remainingGaps = (gaps: readonly Range[], late: readonly Range[]): Range[] =>
  late.reduce<readonly Range[]>(
    (left, [a, b]) => left.flatMap(([from, to]) => parts([from, Math.min(to, a)], [Math.max(from, b), to])),
    gaps,
  ) as Range[]

const parts = (...ranges: Range[]): Range[] => ranges.filter(([from, to]) => from < to)

/**
 * Cuts batches into trips. A trip ends on the device's word, when the device begins another, or when it has rested: `restMs`
 * between one fix and the next. `open` is the trip that earlier batches left open; heads follow it in order. All of this is
 * in the batches themselves, so it doesn't matter when they came. That nothing came for a while ends a trip only where the
 * caller says that nothing more is waited for (`isOver`).
 */
export function segmentTrips(
  open: TripSpan | null,
  heads: readonly BatchHead[],
  restMs: number,
  isOver: boolean,
): { ended: TripSpan[]; open: TripSpan | null } {
  const ended: TripSpan[] = []
  for (const head of heads) {
    // Totals are of the vehicle, not of a trip.
    if (head.event === 'totals') continue
    const hasRested = open && head.firstFix !== null && head.firstFix - open.lastFix > restMs
    if (open && (open.name !== head.trip || hasRested)) {
      ended.push(open)
      open = null
    }
    open = {
      name: head.trip,
      firstSeq: open?.firstSeq ?? head.seq,
      lastSeq: head.seq,
      fixes: (open?.fixes ?? 0) + head.fixes,
      lastFix: head.lastFix ?? open?.lastFix ?? head.receivedAt,
    }
    if (head.event === 'end') {
      ended.push(open)
      open = null
    }
  }
  if (open && isOver) {
    ended.push(open)
    open = null
  }
  return { ended, open }
}
