import { faultsOf } from '../harness'
import { at, KM, PHOTO, Story } from './odometers'

describe('an odometer that is replaced', () => {
  let story: Story
  beforeAll(async () => {
    story = await Story.open('2026-10-01T12:00:00+02:00')
  })
  afterAll(() => story?.close())

  it('ends where it ended, and the new one goes on from its own zero', async () => {
    const { vehicle } = story.people
    expect((await story.photo('2026-10-01T12:00:00+02:00', 84_000)).status).toBe(201)
    story.until('2026-10-01T13:00:00+02:00')
    await story.http(`/v1/vehicles/${vehicle}/method`, { body: { method: 'odometer' } })
    story.until('2026-10-12T12:00:00+02:00')
    const lower = await story.photo('2026-10-12T12:00:00+02:00', 0)
    expect([lower.status, lower.json.code]).toEqual([400, 'READING_LOWER'])
    expect(lower.json.title).toContain('if there is a new odometer, report that first')
    const replaced = { at: at('2026-10-12T12:00:00+02:00'), finalMm: 84_210 * KM, startMm: 7 * KM, photo: PHOTO }
    const path = `/v1/vehicles/${vehicle}/odometer/replacements`
    expect((await story.http(path, { body: { ...replaced, finalMm: 83_000 * KM } })).json.code).toBe('READING_LOWER')
    expect((await story.http(path, { body: replaced })).status).toBe(201)
    expect((await story.http(path, { body: replaced })).json.code).toBe('REPLACED_LATER')
    expect((await story.photo('2026-11-01T00:00:00+01:00', 307)).status).toBe(201)

    const october = await story.statement('2026-10')
    const [account] = october.mileage!
    expect(account).toMatchObject({
      openingMm: 84_000 * KM,
      closingMm: 307 * KM,
      unreconciledMm: 510 * KM,
      replacedMm: -84_203 * KM,
    })
    // 210 km on the old one and 300 km on the new one at 12 cents.
    expect(account.lines).toEqual([expect.objectContaining({ distanceMm: 510 * KM, amount: 61_200_000n })])
    expect(await story.owed()).toBe(61_200_000n)
    expect((await story.http(`/v1/agencies/${story.people.agency}/signals`, { as: 'agency' })).json).toEqual([
      { vehicle, month: '2026-10', signal: 'odometer-replaced', count: 1 },
    ])
    expect(await faultsOf(story.world)).toEqual([])
  })
})
