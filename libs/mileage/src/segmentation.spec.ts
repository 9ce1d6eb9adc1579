import fc from 'fast-check'
import { instant } from '#kernel'
import { contiguousEnd, gapOf, lateRanges, remainingGaps, segmentTrips, type BatchHead } from '#mileage'

const MINUTE = 60_000
const head = (seq: number, trip: string, event: BatchHead['event'] = 'run'): BatchHead => ({
  seq,
  trip,
  event,
  fixes: 10,
  lastFix: instant((seq + 1) * MINUTE),
  receivedAt: instant((seq + 1) * MINUTE),
})
const now = instant(100 * MINUTE)

describe('trip segmentation', () => {
  it('ends a trip on the word of the device, and when another begins', () => {
    const { ended, open } = segmentTrips(
      null,
      [head(0, 'a', 'start'), head(1, 'a', 'end'), head(2, 'b'), head(3, 'c')],
      now,
      200 * MINUTE,
    )
    expect(ended.map((t) => [t.name, t.firstSeq, t.lastSeq, t.fixes])).toEqual([
      ['a', 0, 1, 20],
      ['b', 2, 2, 10],
    ])
    expect(open).toMatchObject({ name: 'c', firstSeq: 3, lastSeq: 3 })
  })
  it('ends a trip that has rested, and no sooner', () => {
    expect(segmentTrips(null, [head(0, 'a')], now, 99 * MINUTE).ended).toHaveLength(0)
    expect(segmentTrips(null, [head(0, 'a')], now, 98 * MINUTE).ended).toHaveLength(1)
  })
  it('cuts the same trips however the batches come in', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom<[string, BatchHead['event']]>(['a', 'run'], ['a', 'end'], ['b', 'run'], ['b', 'start']),
          { maxLength: 30 },
        ),
        fc.array(fc.nat(30)),
        (batches, cuts) => {
          const heads = batches.map(([trip, event], seq) => head(seq, trip, event))
          const whole = segmentTrips(null, heads, now, 1000 * MINUTE)
          const ends = [...new Set(cuts.map((c) => Math.min(c, heads.length)))].sort((a, b) => a - b)
          const parts = [...ends, heads.length].reduce(
            (state, end, i, all) => {
              const next = segmentTrips(state.open, heads.slice(i ? all[i - 1] : 0, end), now, 1000 * MINUTE)
              return { ended: [...state.ended, ...next.ended], open: next.open }
            },
            { ended: [], open: null } as ReturnType<typeof segmentTrips>,
          )
          expect(parts).toEqual(whole)
        },
      ),
    )
  })
})

describe('gaps', () => {
  const stream = {
    processed: 5,
    held: [
      [0, 5],
      [7, 9],
    ] as const,
    gaps: [[2, 4]] as const,
  }
  it('reads up to a gap and names it', () => {
    expect(contiguousEnd(stream)).toBe(5)
    expect(gapOf(stream)).toEqual([5, 7])
    expect(gapOf({ ...stream, processed: 4 })).toBeNull()
    expect(gapOf({ ...stream, processed: 9 })).toBeNull()
  })
  it('finds what came in after it was given up, once', () => {
    const late = lateRanges({ held: [[0, 3]], gaps: [[2, 6]] })
    expect(late).toEqual([[2, 3]])
    expect(remainingGaps([[2, 6]], late)).toEqual([[3, 6]])
    expect(remainingGaps([[2, 6]], [[3, 4]])).toEqual([
      [2, 3],
      [4, 6],
    ])
  })
})
