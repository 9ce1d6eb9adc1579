import { faultsOf } from '../harness'
import { journeyMm, ROAD_M, Story } from './odometers'

describe('trips that are held because their distances do not agree', () => {
  let story: Story
  beforeAll(async () => {
    story = await Story.open('2026-10-01T12:00:00+02:00')
  })
  afterAll(() => story?.close())
  const m = Math.round(ROAD_M)
  const reviews = async () => (await story.http(`/v1/agencies/${story.people.agency}/reviews`, { as: 'agency' })).json
  const decide = (trip: string, decision: string, reason = 'the odometer was serviced that day') =>
    story.http(`/v1/agencies/${story.people.agency}/reviews/${trip}`, { as: 'agency', body: { decision, reason } })

  it('cost nothing meanwhile, and the statement says so', async () => {
    // 7.9 km of road: the first odometer agrees, the second shows a tenth less, the third a tenth more.
    await story.drive('agrees', '2026-10-05T10:00:00+02:00', [1_000_000, 1_000_000 + m])
    await story.drive('short', '2026-10-06T10:00:00+02:00', [1_000_000 + m, 1_000_000 + Math.round(1.9 * m)])
    await story.drive('long', '2026-10-07T10:00:00+02:00', [1_000_000 + Math.round(1.9 * m), 1_000_000 + 3 * m])
    const held = await reviews()
    expect(held.map((trip: { permille: number; hard: boolean }) => [trip.permille, trip.hard])).toEqual(
      expect.arrayContaining([
        [111, true],
        [-91, true],
      ]),
    )
    const october = await story.statement('2026-10')
    expect(october.journeys).toHaveLength(1)
    const [account] = october.mileage!
    expect(account.heldTrips).toBe(2)
    // Held miles are known miles: nothing is missing, so nothing is charged in their place either.
    expect(account.heldMm + journeyMm(october)).toBe(account.matchedMm + account.inferredMm)
    expect(account.lines).toEqual([])
    expect(await story.owed()).toBe(october.journeys[0].amount)
  })

  it('are released or voided by an agency that sees no place', async () => {
    const held = await reviews()
    expect(Object.keys(held[0]).sort()).toEqual(
      ['hard', 'meteredMm', 'month', 'odometerMm', 'permille', 'rawMm', 'suspect', 'trip', 'vehicle'].sort(),
    )
    expect((await story.http(`/v1/agencies/${story.people.agency}/reviews`)).status).toBe(403)
    const [over, under] = held[0].permille > 0 ? held : [...held].reverse()
    expect((await decide(over.trip, 'void', ' ')).json.code).toBe('INVALID')
    expect((await decide(over.trip, 'void')).status).toBe(200)
    expect((await decide(under.trip, 'release')).status).toBe(200)
    expect((await decide(under.trip, 'void')).json.code).toBe('NO_TRIP')
    expect(await reviews()).toEqual([])

    const november = await story.statement('2026-11')
    expect(november.journeys.map(({ month }) => month)).toEqual(['2026-10', '2026-10'])
    const lines = november.journeys.flatMap((journey) => journey.lines)
    expect(lines.map(({ freeReason, rate }) => [freeReason, rate === null])).toEqual([
      ['voided on review', true],
      [null, false],
    ])
    expect(november.totals.exact).toBe(november.totals.adjustments)
    const [revised] = november.mileage!
    expect(revised).toMatchObject({ month: '2026-10', heldTrips: 0, heldMm: 0 })
    expect(await faultsOf(story.world)).toEqual([])
  })
})
