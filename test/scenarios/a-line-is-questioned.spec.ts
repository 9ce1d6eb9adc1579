import { type Statement } from '#contracts'
import { euro, openStory, type Story } from './story'

describe('a line is questioned, and the agency refuses', () => {
  let story: Story
  let statement: Statement
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00', { environment: { ROADMETER_PAYMENTS: 'local' } })
    // 0.16 EUR each
    for (const [trip, hour] of [
      ['there', 12],
      ['back', 13],
      ['again', 14],
    ] as const)
      await story.drive(trip, 7, 7.02, `2026-10-05T${hour}:00:00+02:00`)
    statement = await story.close('2026-10')
    expect(statement.totals.due).toBe(euro(0.47))
  })
  afterAll(() => story?.end())

  const open = (body: object, id = statement.id) => story.as('citizen', 'POST', `/v1/statements/${id}/disputes`, body)
  const words = { reason: 'not-driven', text: 'The car was in the garage that day.' }
  const bill = async () => (await story.as('citizen', 'GET', '/v1/balance')).body.statements[0]
  let dispute: string

  it('what can not be questioned is refused, and nothing is held', async () => {
    const { trip } = statement.journeys[0]
    expect(await open({ ...words, trip: 'no-such-trip' })).toMatchObject({ status: 400, code: 'NO_JOURNEY' })
    expect(await open({ ...words, trip, line: 7 })).toMatchObject({ status: 400, code: 'NO_LINE' })
    expect(await open({ trip, reason: 'because', text: '' })).toMatchObject({
      status: 400,
      code: 'INVALID',
      body: { faults: [{ path: 'reason' }, { path: 'text' }] },
    })
    expect((await open({ ...words, trip }, '0'.repeat(32))).status).toBe(404)
    expect(
      (await story.as('agency', 'POST', `/v1/statements/${statement.id}/disputes`, { ...words, trip })).status,
    ).toBe(403)
    expect((await story.as('citizen', 'GET', '/v1/disputes')).body).toEqual([])
    expect(await bill()).toMatchObject({ heldMicros: '0', outstandingMicros: '470000' })
  })

  it('what is questioned is held, that alone, and both sides see the same', async () => {
    const { trip } = statement.journeys[1]
    const opened = await open({ ...words, trip })
    expect(opened).toMatchObject({
      status: 201,
      body: { state: 'open', amountMicros: '160000', line: null, decideBy: expect.stringMatching(/^2026-12-1\d$/) },
    })
    dispute = opened.body.id
    await story.sound()
    expect(await bill()).toMatchObject({ heldMicros: '160000', outstandingMicros: '310000' })
    expect(await story.ledger(`disputed:${story.people.account}`)).toBe(160_000n)
    expect(await open({ ...words, trip })).toMatchObject({ status: 409, code: 'DISPUTED' })
    expect(await open({ ...words, trip, line: 0 })).toMatchObject({ status: 409, code: 'DISPUTED' })
    const seen = (await story.as('agency', 'GET', '/v1/disputes?open')).body
    expect(seen).toEqual((await story.as('citizen', 'GET', '/v1/disputes')).body)
    // What the agency sees tells what it is about, not where or when.
    expect(JSON.stringify(seen)).not.toMatch(/startedAt|endedAt|lon|lat\b/)
  })

  it('refused in writing, it is asked for again, and nothing can be added', async () => {
    expect(
      (await story.as('citizen', 'POST', `/v1/disputes/${dispute}/decision`, { outcome: 'refused', text: 'x' })).status,
    ).toBe(403)
    expect(await story.as('agency', 'POST', `/v1/disputes/${dispute}/decision`, { outcome: 'refused' })).toMatchObject({
      status: 400,
      code: 'INVALID',
    })
    await story.as('agency', 'POST', `/v1/disputes/${dispute}/notes`, { text: 'Which garage?' })
    await story.as('citizen', 'POST', `/v1/disputes/${dispute}/notes`, { text: 'Mine.' })
    const decided = await story.as('agency', 'POST', `/v1/disputes/${dispute}/decision`, {
      outcome: 'refused',
      text: 'The car reported 106 positions that day.',
    })
    expect(decided.body).toMatchObject({ state: 'refused' })
    expect(decided.body.steps.map(({ kind, by }: { kind: string; by: string }) => [kind, by])).toEqual([
      ['opened', 'citizen'],
      ['note', 'agency'],
      ['note', 'citizen'],
      ['refused', 'agency'],
    ])
    await story.sound()
    expect(await bill()).toMatchObject({ heldMicros: '0', outstandingMicros: '470000' })
    for (const [role, path, body] of [
      ['citizen', 'notes', { text: 'But!' }],
      ['citizen', 'withdrawal', {}],
      ['agency', 'decision', { outcome: 'refused', text: 'again' }],
    ] as const)
      expect(await story.as(role, 'POST', `/v1/disputes/${dispute}/${path}`, body)).toMatchObject({
        status: 409,
        code: 'DISPUTE_DECIDED',
      })
    expect((await story.as('agency', 'GET', '/v1/disputes?open')).body).toEqual([])
  })

  it('withdrawn, it is asked for again; of a paid bill nothing is held', async () => {
    const { body } = await open({ ...words, trip: statement.journeys[2].trip, line: 0 })
    await story.sound()
    expect(await bill()).toMatchObject({ heldMicros: '160000' })
    expect((await story.as('citizen', 'POST', `/v1/disputes/${body.id}/withdrawal`, {})).body).toMatchObject({
      state: 'withdrawn',
    })
    await story.sound()
    expect(await bill()).toMatchObject({ heldMicros: '0', outstandingMicros: '470000' })
    const { payment } = (await story.as('citizen', 'POST', `/v1/statements/${statement.id}/payments`, {})).body
    await story.as('citizen', 'POST', `/pay/${payment}`, 'outcome=pay', 'application/x-www-form-urlencoded')
    await open({ ...words, trip: statement.journeys[0].trip })
    await story.sound()
    expect(await bill()).toMatchObject({ heldMicros: '0', outstandingMicros: '0', state: 'paid' })
  })
})
