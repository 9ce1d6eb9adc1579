import { instant } from '#kernel'
import { openStory, type Story } from './story'

const DAY_MS = 86_400_000

describe('a dispute after its deadline', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
    await story.drive('back', 7.02, 7, '2026-10-05T13:00:00+02:00')
  })
  afterAll(() => story?.end())

  it('is refused from the first moment after the 60th day since the bill was due, and nothing is held', async () => {
    const { id, dueOn, journeys } = await story.close('2026-10')
    const question = (journey: number) =>
      story.as('citizen', 'POST', `/v1/statements/${id}/disputes`, {
        trip: journeys[journey].trip,
        reason: 'not-driven',
        text: 'The car was in the garage that day.',
      })
    const until = Date.parse(`${dueOn}T00:00:00+01:00`) + 61 * DAY_MS
    story.world.clock.advanceTo(instant(until - 1))
    expect(await question(0)).toMatchObject({ status: 201 })
    await story.sound()
    const held = () => story.ledger(`disputed:${story.people.account}`)
    expect(await held()).toBe(160_000n)
    story.world.clock.advanceTo(instant(until))
    expect(await question(1)).toMatchObject({ status: 400, code: 'DISPUTE_LATE' })
    await story.sound()
    expect(await held()).toBe(160_000n)
    expect((await story.as('citizen', 'GET', '/v1/disputes')).body).toHaveLength(1)
  })
})
