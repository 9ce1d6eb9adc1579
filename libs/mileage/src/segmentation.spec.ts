import fc from 'fast-check'
import { instant } from '#kernel'
import { contiguousEnd, gapOf, lateRanges, remainingGaps, segmentTrips, type BatchHead } from '#mileage'

const MINUTE = 60_000
const head = (seq: number, trip: string, event: BatchHead['event'] = 'run'): BatchHead => ({
  seq,
  trip,
  event,
  fixes: 10,
  firstFix: instant(seq * MINUTE + 1),
  lastFix: instant((seq + 1) * MINUTE),
  receivedAt: instant((seq + 1) * MINUTE),
})
const REST = 30 * MINUTE

describe('trip segmentation', () => {
  it('ends a trip on the word of the device, and when another begins', () => {
    const { ended, open } = segmentTrips(
      null,
      [head(0, 'a', 'start'), head(1, 'a', 'end'), head(2, 'b'), head(3, 'c')],
      REST,
      false,
    )
    expect(ended.map((t) => [t.name, t.firstSeq, t.lastSeq, t.fixes])).toEqual([
      ['a', 0, 1, 20],
      ['b', 2, 2, 10],
    ])
    expect(open).toMatchObject({ name: 'c', firstSeq: 3, lastSeq: 3 })
  })
  it('ends a trip that has rested by its fixes, and no sooner', () => {
    const later = (minutes: number) => ({ ...head(1, 'a'), firstFix: instant((1 + minutes) * MINUTE) })
    expect(segmentTrips(null, [head(0, 'a'), later(30)], REST, false).ended).toHaveLength(0)
    const { ended, open } = segmentTrips(null, [head(0, 'a'), later(30.1)], REST, false)
    expect(ended.map((t) => [t.firstSeq, t.lastSeq])).toEqual([[0, 0]])
    expect(open).toMatchObject({ name: 'a', firstSeq: 1 })
  })
  it('leaves the last trip open until nothing more is waited for', () => {
    expect(segmentTrips(null, [head(0, 'a')], REST, false).open).toMatchObject({ name: 'a' })
    expect(segmentTrips(null, [head(0, 'a')], REST, true).ended).toHaveLength(1)
  })
  it('cuts the same trips however the batches come in', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom<[string, BatchHead['event']]>(['a', 'run'], ['a', 'end'], ['b', 'run'], ['b', 'start']),
          { maxLength: 30 },
        ),
        fc.array(fc.nat(60), { minLength: 30, maxLength: 30 }),
        fc.array(fc.nat(30)),
        (batches, pauses, cuts) => {
          // Minutes until each batch, some of them long enough for a rest.
          const heads = batches.map(([trip, event], seq) => {
            const before = pauses.slice(0, seq + 1).reduce((sum, pause) => sum + pause, seq)
            const at = (minutes: number) => instant((before + minutes) * MINUTE)
            return { ...head(seq, trip, event), firstFix: at(0), lastFix: at(1) }
          })
          const whole = segmentTrips(null, heads, REST, false)
          const ends = [...new Set(cuts.map((c) => Math.min(c, heads.length)))].sort((a, b) => a - b)
          const parts = [...ends, heads.length].reduce(
            (state, end, i, all) => {
              const next = segmentTrips(state.open, heads.slice(i ? all[i - 1] : 0, end), REST, false)
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
