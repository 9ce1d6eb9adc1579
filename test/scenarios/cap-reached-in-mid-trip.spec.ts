import { openStory, priceOf, recomputes, type Story } from './story'

describe('a cap that is reached in the middle of a trip', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
  })
  afterAll(() => story?.end())

  it('takes off what is over it and says what it saved; the next day counts anew', async () => {
    // 1.97 EUR, then 1.58 of which 0.03 are left; a ride of 0.16 that is free; another day that is not.
    await story.drive('first', 7, 7.1, '2026-10-05T07:30:00+02:00')
    await story.drive('over', 7.05, 7.1, '2026-10-05T08:30:00+02:00')
    await story.drive('beyond', 7, 7.02, '2026-10-05T12:00:00+02:00')
    await story.drive('next-day', 7, 7.02, '2026-10-06T12:00:00+02:00')
    const statement = await story.close('2026-10')
    recomputes(statement)
    const [first, over, beyond, nextDay] = statement.journeys
    for (const journey of statement.journeys) expect(priceOf(journey)).toBe(journey.amount)
    const day = first.amount + over.amount + beyond.amount
    expect(first.amount).toBeLessThan(2_000_000n)
    expect(statement.capCredits).toMatchObject([
      { cap: 'daily', span: '2026-10-05', limit: 2_000_000n, amount: 2_000_000n - day },
    ])
    expect(statement.totals.exact).toBe(2_000_000n + nextDay.amount)
    expect(statement.totals.credits).toBe(2_000_000n - day)
    await story.sound()
  })
})
