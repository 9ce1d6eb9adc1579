import fc from 'fast-check'
import { chance } from '#kernel'
import { buildNetwork, shortestPath, type RoadNetwork, type Tags, type TurnRestriction } from '#road-network'

/**
 *   1 -10- 2 -20- 3 -30- 4
 *          |      |
 *         50     60
 *          |      |
 *          5 -70- 6
 */
function ladder(restriction: Omit<TurnRestriction, 'fromWay' | 'toWay'> & Partial<TurnRestriction>): RoadNetwork {
  const place = { 1: [0, 1], 2: [1, 1], 3: [2, 1], 4: [3, 1], 5: [1, 0], 6: [2, 0] }
  const ways = { 10: [1, 2], 20: [2, 3], 30: [3, 4], 50: [2, 5], 60: [3, 6], 70: [5, 6] }
  return buildNetwork({
    nodes: Object.entries(place).map(([id, [x, y]]) => ({ id: Number(id), lon: 7.5 + x / 1000, lat: 47.5 + y / 1000 })),
    ways: Object.entries(ways).map(([id, nodeIds]) => ({ id: Number(id), nodeIds, tags: { highway: 'residential' } })),
    restrictions: [{ fromWay: 10, toWay: 30, ...restriction }],
  })
}
const ways = (n: RoadNetwork, from: string, to: string): string[] | undefined =>
  shortestPath(
    n,
    { segment: n.find(from), offsetMm: 0 },
    { segment: n.find(to), offsetMm: 1 },
    { uTurnCost: 1_000_000 },
  )?.map((s) => n.ref(s).split('.')[0])

describe('forbidden ways on', () => {
  it('lead round where they go over a way, and only for those who came from there', () => {
    const free = ladder({ kind: 'no_straight_on', viaNode: 99 })
    expect(ways(free, '10.1.2', '30.3.4')).toEqual(['10', '20', '30'])
    const n = ladder({ kind: 'no_straight_on', viaWays: [20] })
    expect(ways(n, '10.1.2', '30.3.4')).toEqual(['10', '50', '70', '60', '30'])
    expect(ways(n, '50.5.2', '30.3.4')).toEqual(['50', '20', '30'])
    expect(ways(n, '10.1.2', '60.3.6')).toEqual(['10', '20', '60'])
    // Someone who is found on the way between has come from anywhere.
    expect(ways(n, '20.2.3', '30.3.4')).toEqual(['20', '30'])
  })
  it('go over several ways, and forbid all but one where that is the only one', () => {
    const far = ladder({ kind: 'no_u_turn', fromWay: 10, viaWays: [50, 70], toWay: 60 })
    expect(ways(far, '10.1.2', '60.6.3')).toEqual(['10', '20', '60', '60'])
    const only = ladder({ kind: 'only_right_turn', viaWays: [20], toWay: 60 })
    expect(ways(only, '10.1.2', '60.3.6')).toEqual(['10', '20', '60'])
    expect(ways(only, '10.1.2', '30.3.4')).toEqual(['10', '50', '70', '60', '30'])
  })
  it.each([
    [{ kind: 'no_straight_on', viaWays: [20], tags: { except: 'psv;motorcar' } as Tags }],
    [{ kind: 'no_straight_on', viaWays: [20], tags: { day_on: 'Monday', day_off: 'Friday' } as Tags }],
    [{ kind: 'no_straight_on @ (07:00-09:00)', viaWays: [60] }],
    [{ kind: 'no_straight_on', viaWays: [70] }],
    [{ kind: 'give_way', viaWays: [20] }],
  ])('are left out where they hold for others, at times, or make no sense: %j', (restriction) => {
    expect(ways(ladder(restriction), '10.1.2', '30.3.4')).toEqual(['10', '20', '30'])
  })

  it('are honoured by the shortest route in any world', () => {
    let forbade = 0
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const luck = chance(seed)
        const id = Array.from({ length: 9 }, (_, i) => i + 1)
        const streets = Array.from({ length: 16 }, (_, i) => ({
          id: i + 1,
          ends: [1 + luck.below(9), 1 + luck.below(9)],
        }))
        const open = streets.filter(({ ends: [a, b] }) => a !== b)
        if (open.length < 5) return
        const restrictions = Array.from({ length: 6 }, () => ({
          kind: 'no_left_turn',
          fromWay: luck.pick(open).id,
          viaWays: [luck.pick(open).id],
          toWay: luck.pick(open).id,
        }))
        const n = buildNetwork({
          nodes: id.map((node) => ({ id: node, lon: 7.5 + luck.next() * 0.01, lat: 47.5 + luck.next() * 0.01 })),
          ways: open.map((w) => ({ id: w.id, nodeIds: w.ends, tags: { highway: 'road' } })),
          restrictions,
        })
        const wayOf = (s: number) => Number(n.ref(s).split('.')[0])
        // A restriction holds where its three streets lead on from each other in exactly one way.
        const triples = restrictions.flatMap((r) => {
          const all: string[] = []
          for (let a = 0; a < n.segmentCount; a++)
            if (wayOf(a) === r.fromWay)
              for (const b of n.outgoing(n.to(a)))
                if (wayOf(b) === r.viaWays[0] && r.viaWays[0] !== r.fromWay)
                  for (const c of n.outgoing(n.to(b))) if (wayOf(c) === r.toWay) all.push(`${a},${b},${c}`)
          return all.length === 1 ? all : []
        })
        const [from, to] = [luck.below(n.segmentCount), luck.below(n.segmentCount)]
        // Plain Dijkstra over pairs of segments, each the last two driven.
        const cost = new Map<string, number>([[`-1,${from}`, 0]])
        const done = new Set<string>()
        let least = Infinity
        for (;;) {
          const next = [...cost].filter(([k]) => !done.has(k)).sort((x, y) => x[1] - y[1])[0]
          if (!next) break
          done.add(next[0])
          const [before, here] = next[0].split(',').map(Number)
          for (const onward of n.outgoing(n.to(here))) {
            if (triples.includes(`${before},${here},${onward}`)) continue
            const key = `${here},${onward}`
            const total = next[1] + n.lengthMm(here)
            if (onward === to) least = Math.min(least, total)
            if (!(cost.get(key)! <= total)) cost.set(key, total)
          }
        }
        const path = shortestPath(n, { segment: from, offsetMm: 1 }, { segment: to, offsetMm: 0 })
        if (least === Infinity) expect(path).toBeNull()
        else expect(path!.slice(0, -1).reduce((sum, s) => sum + n.lengthMm(s), 0)).toBe(least)
        if (triples.length > 0) forbade++
      }),
      { numRuns: 300 },
    )
    expect(forbade).toBeGreaterThan(50)
  })
})
