import { type AgencyId, type StatementId } from '#kernel'
import { releaseStatement } from '#pipeline'
import { openStory, recomputes, type Story } from './story'

describe('a bill that can hardly be right', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
  })
  afterAll(() => story?.end())

  it('is not sealed before somebody has looked at it and said why it may be', async () => {
    // One car on two roads at once: a device's clock is wrong, or a plate was copied.
    await story.drive('here', 7, 7.1, '2026-11-02T10:00:00+01:00')
    await story.drive('and-there', 7.1, 7, '2026-11-02T10:05:00+01:00')
    const draft = await story.draft('2026-11')
    story.world.clock.advanceTo((story.world.clock.now() + 30 * 86_400_000) as never)
    await new Promise((resolve) => setTimeout(resolve, 800))
    const period = () => story.as('citizen', 'GET', `/v1/agencies/${story.people.agency}/periods/2026-11`)
    expect((await period()).body).toMatchObject({ state: 'drafted', root: null })

    const release = (by: string, why: string) =>
      releaseStatement(story.world.store, story.people.agency as AgencyId, draft.id as StatementId, {
        by,
        why,
        at: story.world.clock.now(),
      })
    await expect(release('A. Clerk', ' ')).rejects.toMatchObject({ code: 'RELEASE' })
    await release('A. Clerk', 'Two cars took turns with one device.')
    await expect(release('A. Clerk', 'again')).rejects.toMatchObject({ code: 'NOT_HELD' })
    const sealed = await story.close('2026-11')
    recomputes(sealed)
    expect(sealed.totals.due).toBeGreaterThan(1_500_000n)
    await story.sound()
  })
})
