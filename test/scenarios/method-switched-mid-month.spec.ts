import { faultsOf } from '../harness'
import { at, journeyMm, KM, ROAD_M, Story } from './odometers'

describe('a method that is switched in mid-month', () => {
  let story: Story
  const choose = (body: object) => story.http(`/v1/vehicles/${story.people.vehicle}/method`, { body })
  beforeAll(async () => {
    story = await Story.open('2026-10-01T12:00:00+02:00')
  })
  afterAll(() => story?.close())

  it('bills each part by its own method, and the odometer balances over all of them', async () => {
    // With location: one drive of 7.9 km, its odometer read by the car.
    await story.drive('first', '2026-10-05T10:00:00+02:00', [1_000_000, 1_000_000 + Math.round(ROAD_M)])
    const endKm = (1_000_000 + Math.round(ROAD_M)) / 1000
    // From noon of the 10th on without.
    expect((await story.photo('2026-10-10T11:00:00+02:00', endKm)).status).toBe(201)
    expect((await choose({ method: 'odometer', at: at('2026-10-10T12:00:00+02:00') })).status).toBe(201)
    await story.drive('unread', '2026-10-12T10:00:00+02:00')
    expect((await story.photo('2026-10-20T12:00:00+02:00', endKm + 100)).status).toBe(201)
    // Then a permit for three days, from the middle of the 20th to the end of the 22nd, in which 50 km are driven.
    expect((await choose({ method: 'permit', days: 3 })).json).toEqual([
      { from: at('2026-10-20T12:00:00+02:00'), method: 'permit' },
      { from: at('2026-10-23T00:00:00+02:00'), method: 'odometer' },
    ])
    expect((await story.photo('2026-10-23T00:00:00+02:00', endKm + 150)).status).toBe(201)
    // And with location again to the end of the month.
    expect((await choose({ method: 'location' })).status).toBe(201)
    await story.drive('last', '2026-10-25T10:00:00+01:00')

    const october = await story.statement('2026-10')
    expect(october.journeys.map(({ startedAt }) => new Date(startedAt).getUTCDate())).toEqual([5, 25])
    const [account] = october.mileage!
    expect(account.matchedMm + account.inferredMm).toBe(journeyMm(october))
    expect(account.lines).toEqual([
      expect.objectContaining({ kind: 'odometer', distanceMm: 100 * KM, amount: 12_000_000n }),
      expect.objectContaining({ kind: 'permit', distanceMm: 50 * KM, days: 3, amount: 9_000_000n }),
    ])
    const journeys = october.journeys.reduce((sum, { amount }) => sum + amount, 0n)
    expect(october.totals.exact).toBe(journeys + 21_000_000n)
    expect(october.totals.freeByReason).toEqual([{ reason: 'time permit', distanceMm: 50 * KM }])
    expect(await story.owed()).toBe(october.totals.exact)
    expect(await faultsOf(story.world)).toEqual([])
  })

  it('is chosen for the future, once, and not within a choice that was made', async () => {
    const code = async (body: object) => (await choose(body)).json.code
    expect(await code({ method: 'odometer', at: at('2026-10-02T00:00:00Z') })).toBe('PERIOD_CLOSED')
    story.until('2026-11-02T00:00:00+01:00')
    expect(await code({ method: 'odometer', at: at('2026-11-01T12:00:00Z') })).toBe('METHOD_PAST')
    expect(await code({ method: 'location' })).toBe('METHOD_SAME')
    expect(await code({ method: 'permit' })).toBe('INVALID')
    expect(await code({ method: 'odometer', at: at('2026-11-20T12:00:00Z') })).toBe('METHOD_READING')
  })
})
