import fc from 'fast-check'
import { type Batch } from '#contracts'
import { FATES, Matcher } from '#map-matching'
import { columns, world } from '../../../test/worlds/world'
import { follow } from './running'

const street = world(`
A-----------B-----------C-----------D
|           |           |           |
E-----------F-----------G-----------H`)

const counted = (fates: Uint8Array) => {
  const counts: Record<string, number> = {}
  for (const fate of fates) counts[FATES[fate]] = (counts[FATES[fate]] ?? 0) + 1
  return counts
}
const NOTHING = { under: '', nextSeq: 0, read: 0, firstAt: 0, lastAt: 0, traversals: [], fates: {}, breaks: 0 }

describe('a trip under way, followed batch by batch', () => {
  const drive = street.drive('A B F G C D')
  const fixes = Array.from({ length: drive.length }, (_, i) => [drive.at[i], drive.lat[i], drive.lon[i]] as const)
  const batchOf = (seq: number, some: typeof fixes): Batch =>
    ({ v: 1, boot: 0, seq, trip: 'one', event: 'run', fixes: some }) as unknown as Batch

  it('comes at each look to what matching all of it would, however it is cut and whoever is matched in between', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: fixes.length - 1 }), { maxLength: 6 })
    fc.assert(
      fc.property(cuts, (places) => {
        const matcher = new Matcher(street.network)
        let now: Parameters<typeof follow>[1] = { ...NOTHING, state: null }
        let from = 0
        for (const [seq, end] of [...places.sort((a, b) => a - b), fixes.length].entries()) {
          const looked = follow(matcher, now, [batchOf(seq, fixes.slice(from, end))], () => true)
          const whole = new Matcher(street.network).match(
            columns(fixes.slice(0, end).map(([at, lat, lon]) => [at, lon, lat] as const)),
          )
          expect(looked.tail.traversals).toEqual(whole.traversals)
          expect([looked.tail.fates, looked.tail.breaks]).toEqual([counted(whole.fates), whole.breaks])
          expect([looked.now.nextSeq, looked.now.read]).toEqual([seq + 1, end])
          matcher.match(drive)
          expect(follow(matcher, looked.now, [], () => true).tail).toEqual(looked.tail)
          ;[now, from] = [looked.now, end]
        }
      }),
      { numRuns: 40 },
    )
  })
})
