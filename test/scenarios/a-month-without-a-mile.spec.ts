import { openStory, recomputes, type Story } from './story'

describe('a month without a mile, and one of free miles', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
  })
  afterAll(() => story?.end())

  it('is a statement of nothing, to be paid by nobody', async () => {
    const statement = await story.close('2026-10')
    recomputes(statement)
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
    const statement = await story.close('2026-11')
    recomputes(statement)
    expect(statement.totals).toMatchObject({ due: 0n, chargedMm: 0, freeByReason: [{ reason: 'private road' }] })
    expect(statement.totals.freeMm).toBeGreaterThan(400_000)
    expect(await story.ledger(`accrued:${story.people.account}`)).toBe(0n)
    await story.sound()
  })
})
