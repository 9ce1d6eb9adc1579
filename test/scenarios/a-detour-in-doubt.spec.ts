import { buildNetwork, type RoadNetwork } from '#road-network'
import { MAIN_ROAD, METRES_PER_DEGREE } from './roads'
import { openStory, recomputes, type Story } from './story'

/** Degrees of a point so many metres east and north of where Main Road begins. */
const point = (eastM: number, northM: number): [number, number] => [
  7 + eastM / METRES_PER_DEGREE,
  45 + northM / 111_130,
]

/** Main Road, straight, and an old road that swings beside it from kilometre 1.0 to 1.4, 12 m to the north at most. */
function twoWays(): RoadNetwork {
  const swings = Array.from({ length: 19 }, (_, i) => point(1_020 + 20 * i, i % 2 === 0 ? 12 : 0))
  const points = [point(0, 0), point(1_000, 0), point(1_400, 0), point(2_400, 0), ...swings]
  return buildNetwork({
    attribution: MAIN_ROAD.attribution,
    nodes: points.map(([lon, lat], i) => ({ id: i + 1, lon, lat })),
    ways: [
      { id: 10, nodeIds: [1, 2], tags: { highway: 'primary', name: 'Main Road' } },
      { id: 11, nodeIds: [2, 3], tags: { highway: 'primary', name: 'Main Road' } },
      { id: 12, nodeIds: [3, 4], tags: { highway: 'primary', name: 'Main Road' } },
      { id: 13, nodeIds: [2, ...swings.map((_, i) => i + 5), 3], tags: { highway: 'primary', name: 'Old Road' } },
    ],
  })
}

describe('a detour in doubt', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T06:00:00Z', { roads: twoWays() })
  })
  afterAll(() => story.end())

  it('is charged as the shorter way, and the statement says what was forgone', async () => {
    // 12 m north of Main Road where the old road is beside it: a little more likely on the old one, which is 66 m longer.
    const way = [point(100, 0), point(1_000, 0), point(1_010, 12), point(1_390, 12), point(1_400, 0), point(2_300, 0)]
    await story.driveWay('t', way, '2026-10-05T10:00:00Z')
    const statement = await story.close('2026-10')
    const { lines } = statement.journeys[0]
    const forgone = lines.filter(({ rule }) => rule === 'in-doubt')
    expect(forgone).toMatchObject([
      { ruleName: 'In doubt', rate: null, amount: 0n, freeReason: 'in doubt: a shorter way is as likely' },
    ])
    const charged = lines.filter(({ rate }) => rate).reduce((sum, { distanceMm }) => sum + distanceMm, 0)
    expect(Math.abs(charged - 2_200_000)).toBeLessThan(5_000)
    expect(Math.abs(forgone[0].distanceMm - 66_478)).toBeLessThan(200)
    expect(statement.totals.freeByReason).toEqual([
      { reason: forgone[0].freeReason, distanceMm: forgone[0].distanceMm },
    ])
    recomputes(statement)
    await story.sound()
  })
})
