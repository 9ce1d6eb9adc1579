import type { Batch, RoadPiece, Statement } from '#contracts'
import { instant, type TripId } from '#kernel'
import { explainTrip } from '#pipeline'
import { buildNetwork } from '#road-network'
import { Metrics } from '#runtime'
import { settled } from '../harness'
import { METRES_PER_DEGREE, TARIFF } from './roads'
import { at, openStory, recomputes, type Story } from './story'

/** Longitude so many metres east of where the road begins, along the 45th parallel. */
const lonAt = (metres: number) => 7 + metres / METRES_PER_DEGREE

/** A street of 2 km, an express road of 3 km, which costs four times as much and has a toll, and another street of 2 km. */
const roads = buildNetwork({
  attribution: 'drawn for tests',
  nodes: [0, 2_000, 5_000, 7_000].map((metres, i) => ({ id: i + 1, lon: lonAt(metres), lat: 45 })),
  ways: [
    { id: 10, nodeIds: [1, 2], tags: { highway: 'residential', name: 'West Street' } },
    { id: 11, nodeIds: [2, 3], tags: { highway: 'trunk', name: 'Express Road' } },
    { id: 12, nodeIds: [3, 4], tags: { highway: 'residential', name: 'East Street' } },
  ],
})
const policy = {
  ...TARIFF,
  zones: {},
  caps: [],
  rules: [
    { id: 'toll', name: 'Toll', match: { roadClasses: ['trunk'] }, price: { perTrip: '1.00' } },
    { id: 'express', name: 'Express roads', match: { roadClasses: ['trunk'] }, price: { perKm: '0.40' } },
    { id: 'base', name: 'All other roads', match: {}, price: { perKm: '0.10' } },
  ],
}

/** From 1 km to 6 km at 20 m/s, a fix each second, none of them between the metres `silentM`; the odometer grows by `grownM`. */
function drive(
  trip: string,
  seq: number,
  startsAt: string,
  silentM: readonly [number, number],
  grownM?: number,
): Batch {
  const seconds = Array.from({ length: 251 }, (_, s) => s)
  const heard = seconds.filter((s) => 1_000 + 20 * s <= silentM[0] || 1_000 + 20 * s >= silentM[1])
  const fixes = heard.map((s): [number, number, number, number] => [
    at(startsAt) + 1_000 * s,
    45,
    lonAt(1_000 + 20 * s),
    4,
  ])
  const odometer: [number, number][] = [
    [fixes[0][0], 50_000],
    [fixes.at(-1)![0], 50_000 + (grownM ?? 0)],
  ]
  return { v: 1, boot: 0, seq, trip, event: 'end', fixes, ...(grownM !== undefined && { odometer }) }
}

describe('a silence on the way', () => {
  let story: Story
  let statement: Statement
  beforeAll(async () => {
    story = await openStory('2026-10-05T06:00:00Z', { roads, policies: [policy] })
    const batches = [
      drive('heard', 0, '2026-10-05T08:00:00Z', [0, 0], 5_000),
      drive('silent', 1, '2026-10-05T10:00:00Z', [1_900, 5_100]),
      drive('driven', 2, '2026-10-05T12:00:00Z', [1_900, 5_100], 5_000),
      drive('carried', 3, '2026-10-05T14:00:00Z', [1_900, 5_100], 1_800),
    ]
    for (const batch of batches) {
      story.world.clock.advanceTo(instant(batch.fixes.at(-1)![0] + 60_000))
      await story.device.send(batch)
      await settled(story.world)
    }
    statement = await story.close('2026-10')
  })
  afterAll(() => story.end())

  const journeyAt = (moment: string) => statement.journeys.find(({ startedAt }) => startedAt === at(moment))!
  const linesAt = (moment: string) =>
    journeyAt(moment).lines.map(({ rule, distanceMm, inferredMm, count }) => [
      rule,
      Math.round(distanceMm / 1e4) / 100,
      Math.round(inferredMm / 1e4) / 100,
      count,
    ])

  it('is priced as the roads at both ends of it, not as the dearer one in between', async () => {
    expect(linesAt('2026-10-05T08:00:00Z')).toEqual([
      ['toll', 0, 0, 1],
      ['express', 3, 0, undefined],
      ['base', 2, 0, undefined],
    ])
    for (const moment of ['2026-10-05T10:00:00Z', '2026-10-05T12:00:00Z'])
      expect(linesAt(moment)).toEqual([['base', 5, 3.2, undefined]])
    recomputes(statement, [policy])
    await story.sound()
  })

  it('is said to be so on the trip, and what was forgone is a metric', async () => {
    const { trip } = journeyAt('2026-10-05T10:00:00Z')
    const pieces: RoadPiece[] = (await story.as('citizen', 'GET', `/v1/trips/${trip}`)).body.pieces
    expect(pieces.map(({ road, pricedBy, inferredMm }) => [road, pricedBy, inferredMm > 0])).toEqual([
      ['West Street', 'road', true],
      ['Express Road', 'ends', true],
      ['East Street', 'road', true],
      ['East Street', 'road', false],
    ])
    // Twice the toll, and 3 km at 0.10 in place of 0.40.
    const { values } = await story.world.app.get(Metrics).forgone.get()
    expect(Math.abs(values[0].value - 2 * 1_900_000)).toBeLessThan(600)
  })

  it('in which the odometer stood was no drive', async () => {
    expect(linesAt('2026-10-05T14:00:00Z')).toEqual([['base', 1.8, 0, undefined]])
    const { trip } = journeyAt('2026-10-05T14:00:00Z')
    await story.world.store.transaction(async (tx) => {
      expect(await explainTrip(tx, trip as TripId, story.world.line)).toMatchObject({ breaks: 1, isReproduced: true })
    })
  })
})
