import { euro, openStory, recomputes, type Story } from './story'

describe('a question during the review', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
    await story.drive('back', 7.02, 7, '2026-10-05T13:00:00+02:00')
  })
  afterAll(() => story?.end())

  it('is held from the moment of the seal, and the statement is sealed all the same', async () => {
    const draft = await story.draft('2026-10')
    const opened = await story.as('citizen', 'POST', `/v1/statements/${draft.id}/disputes`, {
      trip: draft.journeys[0].trip,
      reason: 'not-driven',
      text: 'I was on a bicycle.',
    })
    expect(opened).toMatchObject({ status: 201, body: { amountMicros: '160000' } })
    await story.sound()
    expect(await story.ledger(`disputed:${story.people.account}`)).toBe(0n)
    const sealed = await story.close('2026-10')
    recomputes(sealed)
    expect(sealed.totals.due).toBe(euro(0.32))
    await story.sound()
    expect(await story.ledger(`disputed:${story.people.account}`)).toBe(160_000n)
    expect(await story.ledger(`billed:${story.people.account}`)).toBe(160_000n)
  })
})
