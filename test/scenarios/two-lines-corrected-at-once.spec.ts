import { openStory, recomputes, type Story } from './story'

describe('two lines of a journey that are corrected at once', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T05:00:00+02:00')
    // In rush hour through the east, under the day's cap: 0.39 + 1.58 EUR.
    await story.drive('there', 7, 7.1, '2026-10-05T07:20:00+02:00')
  })
  afterAll(() => story?.end())

  it('are both corrected, one after the other, and each comes back once', async () => {
    const october = await story.close('2026-10')
    const [{ trip, lines, amount }] = october.journeys
    expect(lines).toHaveLength(2)
    const disputes: string[] = []
    for (const line of lines.keys()) {
      const words = { trip, line, reason: 'wrong-road', text: 'That was not so.' }
      disputes.push((await story.as('citizen', 'POST', `/v1/statements/${october.id}/disputes`, words)).body.id)
    }
    const decided = { outcome: 'upheld', text: 'So it was.', correction: { kind: 'exempt', reason: 'ambulance' } }
    const answers = await Promise.all(
      disputes.map((id) => story.as('agency', 'POST', `/v1/disputes/${id}/decision`, decided)),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    await story.sound()
    expect(await story.ledger(`accrued:${story.people.account}`)).toBe(-amount)
    const november = await story.close('2026-11')
    recomputes(november)
    expect(november.corrections).toHaveLength(2)
    expect(november.totals.exact).toBe(-amount)
    await story.sound()
  })
})
