import { recordAtDesk } from '#pipeline'
import { euro, openStory, recomputes, type Story } from './story'

describe('a refund that is larger than the bill', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
    for (const hour of ['12', '13', '14'])
      await story.drive(`at-${hour}`, hour === '13' ? 7.02 : 7, hour === '13' ? 7 : 7.02, `2026-10-05T${hour}:00:00+02:00`) // prettier-ignore
  })
  afterAll(() => story?.end())

  it('makes a statement below zero, which is credit and pays what comes after', async () => {
    const october = await story.close('2026-10')
    expect(october.totals.due).toBe(euro(0.47))
    const desk = { statement: october.id, amount: euro(0.47), currency: 'EUR', reference: 'desk-1' }
    await recordAtDesk(story.world.store, story.people.account, desk, story.world.clock.now())
    // Two of the three journeys were not driven: 0.32 EUR come back on a statement of 0.16 EUR.
    for (const { trip } of october.journeys.slice(0, 2)) {
      const words = { trip, reason: 'not-driven', text: 'The car was in the garage.' }
      const opened = await story.as('citizen', 'POST', `/v1/statements/${october.id}/disputes`, words)
      expect(opened.status).toBe(201)
      const decided = { outcome: 'upheld', text: 'So it was.', correction: { kind: 'not-driven' } }
      const { status } = await story.as('agency', 'POST', `/v1/disputes/${opened.body.id}/decision`, decided)
      expect(status).toBe(200)
    }
    await story.drive('november', 7, 7.02, '2026-11-20T12:00:00+01:00')
    const november = await story.close('2026-11')
    recomputes(november)
    expect(november.totals.due).toBe(euro(-0.16))
    await story.sound()
    const balance = (await story.as('citizen', 'GET', '/v1/balance')).body
    expect(balance.creditMicros).toBe('160000')
    expect(balance.statements.map(({ outstandingMicros }: { outstandingMicros: string }) => outstandingMicros)).toEqual(['0', '0']) // prettier-ignore
    const back = (amount: number, reference: string) =>
      recordAtDesk(story.world.store, story.people.account, { statement: null, amount: euro(-amount), currency: 'EUR', reference }, story.world.clock.now()) // prettier-ignore
    await expect(back(0.17, 'back-1')).rejects.toMatchObject({ code: 'REFUND_TOO_LARGE' })

    await story.drive('december', 7, 7.02, '2026-12-20T12:00:00+01:00')
    const december = await story.close('2026-12')
    expect(december.totals.due).toBe(euro(0.16))
    await story.sound()
    const settled = (await story.as('citizen', 'GET', '/v1/balance')).body
    expect(settled).toMatchObject({ creditMicros: '0', statements: [{}, {}, { state: 'paid', outstandingMicros: '0' }] }) // prettier-ignore
    expect(await story.ledger(`wallet:${story.people.account}`)).toBe(0n)
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(euro(0.47))
  })
})
