import type { RoadPiece, Statement } from '#contracts'
import type { TripId } from '#kernel'
import { explainTrip } from '#pipeline'
import { buildNetwork, type RoadNetwork } from '#road-network'
import { Metrics } from '#runtime'
import { reportOf } from '#store'
import { METRES_PER_DEGREE, TARIFF } from './roads'
import { openStory, recomputes, type Story } from './story'

/** Degrees of a point so many metres east and north of where both roads begin. */
const point = (eastM: number, northM: number): [number, number] => [
  7 + eastM / METRES_PER_DEGREE,
  45 + northM / 111_130,
]

/** Main Road, 6.5 km, and a motorway 24 m to the north of it, in no zone as long as it is west of 7.05. */
function sideBySide(): RoadNetwork {
  const points = [point(-3_500, 0), point(3_000, 0), point(-3_500, 24), point(3_000, 24)]
  return buildNetwork({
    attribution: 'drawn for tests',
    nodes: points.map(([lon, lat], i) => ({ id: i + 1, lon, lat })),
    ways: [
      { id: 10, nodeIds: [1, 2], tags: { highway: 'primary', name: 'Main Road' } },
      { id: 11, nodeIds: [3, 4], tags: { highway: 'motorway', name: 'Motorway' } },
    ],
  })
}

const policy = {
  ...TARIFF,
  caps: [],
  rules: [
    { id: 'motorway', name: 'Motorways', match: { roadClasses: ['motorway'] }, price: { perKm: '0.10' } },
    { id: 'base', name: 'All other roads', match: {}, price: { perKm: '0.40' } },
  ],
}

describe('two roads side by side', () => {
  let story: Story
  let statement: Statement
  beforeAll(async () => {
    story = await openStory('2026-10-05T06:00:00Z', { roads: sideBySide(), policies: [policy] })
    const drive = (trip: string, northM: number, at: string, fromM = 200) =>
      story.driveWay(trip, [point(fromM, northM), point(1_200, northM)], at)
    await drive('doubtful', 11.5, '2026-10-05T10:00:00Z')
    await drive('sure', 0, '2026-10-05T12:00:00Z')
    await drive('long', 11.5, '2026-10-05T14:00:00Z', -3_000)
    statement = await story.close('2026-10')
  })
  afterAll(() => story.end())

  const journeyAt = (at: string) => statement.journeys.find(({ startedAt }) => startedAt === Date.parse(at))!
  const kilometre = (at: string) => {
    const { lines } = journeyAt(at)
    expect(lines).toHaveLength(1)
    return lines[0]
  }

  it('are charged as the cheaper where nobody can tell which was driven, and as what was driven where everybody can', async () => {
    const doubtful = kilometre('2026-10-05T10:00:00Z')
    expect(doubtful).toMatchObject({ rule: 'motorway', roadClass: 'motorway' })
    expect(Math.abs(doubtful.distanceMm - 1_000_000)).toBeLessThan(1_000)
    expect(kilometre('2026-10-05T12:00:00Z')).toMatchObject({ rule: 'base', roadClass: 'primary' })
    recomputes(statement, [policy])
    await story.sound()
  })

  it('are said to be so on the trip, and what was forgone is a metric', async () => {
    const piecesAt = async (at: string): Promise<RoadPiece[]> =>
      (await story.as('citizen', 'GET', `/v1/trips/${journeyAt(at).trip}`)).body.pieces
    expect(await piecesAt('2026-10-05T10:00:00Z')).toMatchObject([
      { road: 'Main Road', ruleName: 'Motorways', pricedBy: 'rival' },
    ])
    expect(await piecesAt('2026-10-05T12:00:00Z')).toMatchObject([
      { road: 'Main Road', ruleName: 'All other roads', pricedBy: 'road' },
    ])
    // 5.2 km at 0.10 in place of 0.40.
    const { values } = await story.world.app.get(Metrics).forgone.get()
    expect(values).toMatchObject([{ labels: { currency: 'EUR' } }])
    expect(Math.abs(values[0].value - 1_560_000)).toBeLessThan(600)
  })

  it('are decided between before it is sure where that takes too long, and what was charged says how often', async () => {
    const tripAt = async (at: string) => {
      const [{ id }] = await story.world.store.read<{ id: TripId }>(
        'select id from metering.trip where started_at = $1',
        [Date.parse(at)],
      )
      return story.world.store.transaction(async (tx) => {
        const { forced, isReproduced } = await explainTrip(tx, id, story.world.line)
        expect(isReproduced).toBe(true)
        return { told: forced, kept: (await reportOf(tx, id))?.forced }
      })
    }
    expect(await tripAt('2026-10-05T10:00:00Z')).toEqual({ told: 0, kept: undefined })
    const { told, kept } = await tripAt('2026-10-05T14:00:00Z')
    expect(kept).toBe(told)
    expect(told).toBeGreaterThan(0)
  })
})
