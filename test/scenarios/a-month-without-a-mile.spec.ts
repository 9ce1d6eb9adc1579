import { requestClose } from '#pipeline'
import { settled } from '../harness'
import { TARIFF } from './roads'
import { at, openStory, recomputes, type Story } from './story'

const policies = [{ ...TARIFF, billing: { ...TARIFF.billing, statementDay: 5 } }]

describe('a month without a mile, and one of free miles', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00', { policies })
  })
  afterAll(() => story?.end())

  it('is not closed before the day that the policy names', async () => {
    const { world, people } = story
    const state = async () =>
      (await story.as('citizen', 'GET', `/v1/agencies/${people.agency}/periods/2026-10`)).body.state as string
    await requestClose(world.store, people.agency, '2026-10')
    world.clock.advanceTo(at('2026-11-04T23:59:59+01:00'))
    // A sweep or two, each of which tries again.
    await new Promise((resolve) => setTimeout(resolve, 500))
    await settled(world)
    expect(await state()).toBe('open')
    world.clock.advanceTo(at('2026-11-05T00:00:00+01:00'))
    for (const end = Date.now() + 20_000; (await state()) === 'open' && Date.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await state()).not.toBe('open')
  })

  it('is a statement of nothing, to be paid by nobody', async () => {
    const statement = await story.close('2026-10')
    recomputes(statement, policies)
    expect(statement).toMatchObject({ journeys: [], totals: { trips: 0, chargedMm: 0, due: 0n, exact: 0n } })
    expect((await story.as('citizen', 'GET', '/v1/balance')).body.statements).toMatchObject([
      { state: 'paid', dueMicros: '0' },
    ])
    expect(await story.as('citizen', 'POST', `/v1/statements/${statement.id}/payments`, {})).toMatchObject({
      status: 404,
      code: 'NO_PROVIDER',
    })
    await story.sound()
  })

  it('a drive up a private road costs nothing, and is on the statement with its reason', async () => {
    await story.driveWay(
      'home',
      [
        [7.05, 45.0002],
        [7.05, 45.0043],
      ],
      '2026-11-10T12:00:00+01:00',
    )
    story.world.clock.advanceTo(at('2026-12-05T00:00:00+01:00'))
    const statement = await story.close('2026-11')
    recomputes(statement, policies)
    expect(statement.totals).toMatchObject({ due: 0n, chargedMm: 0, freeByReason: [{ reason: 'private road' }] })
    expect(statement.totals.freeMm).toBeGreaterThan(400_000)
    expect(await story.ledger(`accrued:${story.people.account}`)).toBe(0n)
    await story.sound()
  })
})
