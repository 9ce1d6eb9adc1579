import { instant, type AgencyId } from '#kernel'
import { requestClose, STAGES } from '#pipeline'
import { openStory, recomputes, at, type Story } from './story'

describe('two closers at once', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
    await story.drive('there', 7, 7.1, '2026-10-05T08:00:00+02:00')
  })
  afterAll(() => story?.end())

  it('give one statement, one transfer and one root, however often they step', async () => {
    const { world, people } = story
    world.clock.advanceTo(at('2026-11-01T00:00:01+01:00'))
    await Promise.all([1, 2, 3].map(() => requestClose(world.store, people.agency, '2026-10')))
    const key = `${people.agency}/2026-10`
    const step = () =>
      world.store.transaction(async (tx) => {
        const parts = (await STAGES.close.work(tx, [key], world.line)).filter(({ stage }) => stage === 'draft')
        for (const part of parts) await STAGES.draft.work(tx, [part.key], world.line)
      })
    for (let i = 0; i < 12; i++) {
      await Promise.all([step(), step(), step()])
      if (i === 6) world.clock.advanceTo(instant(at('2026-11-12T00:00:00+01:00')))
    }
    const statement = await story.close('2026-10')
    recomputes(statement)
    const [counts] = await world.store.read(
      `select (select count(*)::int from money.statement) as statements, (select count(*)::int from money.transfer where kind = 'statement') as transfers,
         (select count(*)::int from money.period where root is not null) as roots`,
    )
    expect(counts).toEqual({ statements: 1, transfers: 1, roots: 1 })
    expect(await story.ledger(`billed:${people.account}`)).toBe(statement.totals.due)
    await story.sound()
    // Nor does anybody begin a month after it, or of a city that there is none of: nothing is written of that.
    const close = (agency: AgencyId, month: string) => requestClose(world.store, agency, month)
    await expect(close(people.agency, '2026-09')).rejects.toMatchObject({ code: 'CLOSE_ORDER' })
    await expect(close('city-of-nobody' as AgencyId, '2026-11')).rejects.toMatchObject({ code: 'NO_AGENCY' })
    expect(await world.store.read('select month from money.period')).toEqual([{ month: '2026-10' }])
  })
})
