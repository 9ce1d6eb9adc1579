import { LocalProvider } from '#payments'
import { instant, micros } from '#kernel'
import { euro, openStory, type Story } from './story'

const SECRET = 'between the provider and us'

describe('a bill is paid', () => {
  let story: Story
  let id: string
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00', {
      environment: { ROADMETER_PAYMENTS: 'local', ROADMETER_PAYMENT_SECRET: SECRET },
    })
    // 1.577 km at 10 c/km twice: 0.32 EUR
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
    await story.drive('back', 7.02, 7, '2026-10-05T13:00:00+02:00')
    const { id: statement, totals } = await story.close('2026-10')
    id = statement
    expect(totals.due).toBe(euro(0.32))
  })
  afterAll(() => story?.end())

  const balance = async () => (await story.as('citizen', 'GET', '/v1/balance')).body
  const pay = (amount?: string) =>
    story.as('citizen', 'POST', `/v1/statements/${id}/payments`, amount ? { amount } : {})
  const choose = (payment: string, outcome: string) =>
    story.as('citizen', 'POST', `/pay/${payment}`, `outcome=${outcome}`, 'application/x-www-form-urlencoded')
  /** The provider's message about a payment, with whatever is wrong about it. */
  const tell = async (
    payment: string,
    {
      event = `about ${payment}`,
      amount = 320_000n,
      secret = SECRET,
      signedAt = story.world.clock.now(),
      flip = false,
    } = {},
  ) => {
    const provider = new LocalProvider(secret, '')
    const told = {
      event,
      payment,
      kind: 'succeeded',
      amount: micros(amount),
      detail: '',
      happenedAt: story.world.clock.now(),
    } as const
    const { bytes, signature } = provider.message(told, instant(signedAt))
    if (flip) bytes[bytes.length - 20] ^= 1
    const answer = await fetch(`${story.world.httpUrl}/v1/payments/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': signature },
      body: bytes,
    })
    return { status: answer.status, ...((await answer.json()) as { code?: string; taken?: boolean }) }
  }

  it('what it asks for is due, and asking to pay twice is asking once', async () => {
    expect(await balance()).toMatchObject({
      statements: [{ statement: id, dueMicros: '320000', outstandingMicros: '320000', state: 'due' }],
      creditMicros: '0',
      availableMicros: '-320000',
    })
    const first = await pay()
    expect(first).toMatchObject({ status: 201, body: { amountMicros: '320000', currency: 'EUR' } })
    expect((await pay()).body).toEqual(first.body)
    expect((await story.as('citizen', 'GET', first.body.url)).body).toContain('no money is taken')
  })

  it('a payment that is larger than what is due, or of something else, is refused', async () => {
    expect(await pay('0.33')).toMatchObject({ status: 400, code: 'PAYMENT_TOO_LARGE' })
    expect(await pay('0.00')).toMatchObject({ status: 400, code: 'INVALID' })
    expect(await pay('-1')).toMatchObject({ status: 400, code: 'INVALID' })
    expect(await story.as('citizen', 'POST', `/v1/statements/${'0'.repeat(32)}/payments`, {})).toMatchObject({
      status: 404,
      code: 'NO_STATEMENT',
    })
    expect((await story.as('agency', 'POST', `/v1/statements/${id}/payments`, {})).status).toBe(403)
  })

  it('nothing is believed that the provider has not signed just now', async () => {
    const { payment } = (await pay()).body
    const now = story.world.clock.now()
    expect(await tell(payment, { secret: 'a guess' })).toMatchObject({ status: 400, code: 'WEBHOOK_SIGNATURE' })
    expect(await tell(payment, { flip: true })).toMatchObject({ status: 400, code: 'WEBHOOK_SIGNATURE' })
    expect(await tell(payment, { signedAt: instant(now - 301_000) })).toMatchObject({
      status: 400,
      code: 'WEBHOOK_STALE',
    })
    expect(await tell('0'.repeat(32))).toMatchObject({ status: 404, code: 'NO_PAYMENT' })
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(0n)
  })

  it('failed twice, it is still due, and each try is on record', async () => {
    for (const turn of [1, 2]) {
      const { payment } = (await pay()).body
      expect((await choose(payment, 'decline')).status).toBe(303)
      const listed = (await story.as('citizen', 'GET', '/v1/payments')).body
      expect(listed).toHaveLength(turn)
      expect(listed[0]).toMatchObject({
        state: 'failed',
        events: [{ kind: 'asked' }, { kind: 'failed', detail: 'the card was declined' }],
      })
    }
    expect((await balance()).statements[0]).toMatchObject({ outstandingMicros: '320000', state: 'due' })
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(0n)
  })

  it('paid in two parts, the second told three times, nothing is left', async () => {
    const part = (await pay('0.12')).body
    expect((await choose(part.payment, 'pay')).status).toBe(303)
    expect((await choose(part.payment, 'pay')).status).toBe(303)
    expect((await balance()).statements[0]).toMatchObject({ paidMicros: '120000', outstandingMicros: '200000' })
    const rest = (await pay()).body
    expect(rest.amountMicros).toBe('200000')
    expect(await tell(rest.payment, { amount: 200_000n })).toMatchObject({ status: 200, taken: true })
    for (let again = 0; again < 2; again++)
      expect(await tell(rest.payment, { amount: 200_000n })).toMatchObject({
        status: 200,
        taken: false,
        code: 'WEBHOOK_REPLAYED',
      })
    expect((await balance()).statements[0]).toMatchObject({ outstandingMicros: '0', state: 'paid' })
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(320_000n)
    expect(await story.ledger(`billed:${story.people.account}`)).toBe(0n)
    expect(await pay()).toMatchObject({ status: 409, code: 'PAID' })
    await story.sound()
  })

  it('what comes in too much is credit, and pays the next bill as it is sealed', async () => {
    const { payment } = (await story.as('citizen', 'POST', '/v1/wallet/top-ups', { amount: '0.50' })).body
    expect(await tell(payment, { amount: 500_000n })).toMatchObject({ taken: true })
    expect(await balance()).toMatchObject({ creditMicros: '500000', availableMicros: '500000', wallet: null })
    expect((await story.as('citizen', 'PUT', '/v1/wallet', { floor: '0.40', topUp: '1.00' })).status).toBe(200)
    expect((await balance()).wallet).toEqual({ floor: '0.40', topUp: '1.00', isLow: false })

    // 0.16 EUR driven, and not billed yet: what is available is less by it, and below the floor.
    await story.drive('november', 7, 7.02, '2026-11-15T12:00:00+01:00')
    const driven = BigInt((await balance()).drivenMicros)
    expect(driven).toBeGreaterThan(157_000n)
    expect(await balance()).toMatchObject({ availableMicros: String(500_000n - driven), wallet: { isLow: true } })
    await story.close('2026-11')
    expect(await balance()).toMatchObject({
      statements: [{ state: 'paid' }, { month: '2026-11', dueMicros: '160000', paidMicros: '160000', state: 'paid' }],
      creditMicros: '340000',
    })
    expect(await story.ledger(`wallet:${story.people.account}`)).toBe(-340_000n)
    await story.sound()
  })

  it('nothing of it is for anybody else', async () => {
    const [{ id: payment }] = (await story.as('citizen', 'GET', '/v1/payments')).body
    for (const role of ['agency', 'operator'] as const)
      for (const path of ['/v1/balance', '/v1/payments', `/pay/${payment}`])
        expect((await story.as(role, 'GET', path)).status).toBe(403)
  })
})
