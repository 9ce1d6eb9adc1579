import { euro, openStory, priceOf, recomputes, type Story } from './story'

describe('a trip that arrives after the seal of its month', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-20T07:00:00+02:00')
  })
  afterAll(() => story?.end())

  it('becomes an adjustment on the next statement, named by its own month, under its own cap', async () => {
    // 0.39 and 1.58 EUR in rush hour: 1.97, under the cap of 2.00.
    await story.drive('in-time', 7, 7.1, '2026-10-20T08:00:00+02:00')
    const october = await story.close('2026-10')
    expect(october.totals.due).toBe(euro(1.97))
    const sealed = await story.as('citizen', 'GET', `/v1/statements/${october.id}.json`)

    // The device was in a garage for weeks: the way back of that day, 1.97 again, of which 0.03 fit under the cap.
    await story.drive('weeks-late', 7.1, 7, '2026-10-20T08:30:00+02:00')
    const november = await story.close('2026-11')
    recomputes(november)
    expect(november.journeys).toMatchObject([{ month: '2026-10' }])
    expect(november.totals).toMatchObject({ charges: 0n, credits: 0n, adjustments: november.totals.exact })
    expect(november.totals.exact).toBe(2_000_000n - october.totals.exact)
    expect(november.capCredits).toMatchObject([{ span: '2026-10-20', grossBefore: october.totals.exact }])
    expect((await story.as('citizen', 'GET', `/v1/statements/${october.id}.json`)).body).toEqual(sealed.body)
    expect(await story.ledger(`accrued:${story.people.account}`)).toBe(0n)
    expect(priceOf(november.journeys[0])).toBe(november.journeys[0].amount)
    await story.sound()
  })
})
