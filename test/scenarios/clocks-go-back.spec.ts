import { openStory, priceOf, recomputes, type Story } from './story'

// On 25 October 2026 clocks in Turin go from 03:00 back to 02:00; on 28 March 2027 from 02:00 on to 03:00.
describe('a month in which the clocks are changed', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-24T20:00:00+02:00')
  })
  afterAll(() => story?.end())

  it('the day of 25 hours is one day under its cap, and the hour that comes twice is driven twice', async () => {
    await story.drive('before-two', 7, 7.1, '2026-10-25T00:30:00+02:00')
    await story.drive('half-past-two', 7.1, 7, '2026-10-25T02:30:00+02:00')
    await story.drive('half-past-two-again', 7, 7.1, '2026-10-25T02:30:00+01:00')
    await story.drive('last-hour', 7.1, 7, '2026-10-25T23:30:00+01:00')
    await story.drive('monday', 7, 7.02, '2026-10-26T00:05:00+01:00')
    const statement = await story.close('2026-10')
    recomputes(statement)
    // 7.88 km at 10 c/km, four times: 3.15 EUR, capped; nobody pays for rush hour on a Sunday.
    expect(statement.journeys.map(({ lines }) => lines[0].day)).toEqual([
      ...Array<string>(4).fill('2026-10-25'),
      '2026-10-26',
    ])
    for (const journey of statement.journeys) {
      expect(journey.lines.map(({ rule }) => rule)).not.toContain('east-peak')
      expect(priceOf(journey)).toBe(journey.amount)
    }
    expect(statement.capCredits).toHaveLength(1)
    expect(statement.totals.exact).toBe(2_000_000n + statement.journeys[4].amount)
    await story.sound()
  })

  it('the day of 23 hours, too; and its month ends an hour earlier by the clock of the world', async () => {
    await story.drive('early', 7, 7.02, '2027-03-28T01:30:00+01:00')
    await story.drive('an-hour-later-by-the-clock', 7.02, 7, '2027-03-28T03:10:00+02:00')
    await story.drive('last-minutes', 7, 7.02, '2027-03-31T23:50:00+02:00')
    await story.drive('april', 7.02, 7, '2027-04-01T00:10:00+02:00')
    const statement = await story.close('2027-03')
    recomputes(statement)
    expect(statement.journeys.map(({ lines }) => lines[0].day)).toEqual(['2027-03-28', '2027-03-28', '2027-03-31'])
    await story.sound()
  })
})
