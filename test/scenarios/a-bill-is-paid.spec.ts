import { openBill, type BillStory } from './bills'
import { type Story } from './story'

describe('a bill is paid', () => {
  let bill: BillStory
  let story: Story
  let id: string
  beforeAll(async () => {
    bill = await openBill()
    story = bill.story
    id = bill.statement
  })
  afterAll(() => story?.end())

  const balance = () => bill.balance()
  const pay = (amount?: string) => bill.pay(amount)

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

  it('paid in two parts, the second told three times, nothing is left', async () => {
    const part = (await pay('0.12')).body
    expect((await bill.choose(part.payment, 'pay')).status).toBe(303)
    expect((await bill.choose(part.payment, 'pay')).status).toBe(303)
    expect((await balance()).statements[0]).toMatchObject({ paidMicros: '120000', outstandingMicros: '200000' })
    const rest = (await pay()).body
    expect(rest.amountMicros).toBe('200000')
    expect(await bill.tell(rest.payment, { amount: 200_000n })).toMatchObject({ status: 200, taken: true })
    for (let again = 0; again < 2; again++)
      expect(await bill.tell(rest.payment, { amount: 200_000n })).toMatchObject({
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
    expect(await bill.tell(payment, { amount: 500_000n })).toMatchObject({ taken: true })
    expect(await balance()).toMatchObject({ creditMicros: '500000', availableMicros: '500000', wallet: null })
    expect((await story.as('citizen', 'PUT', '/v1/wallet', { floor: '0.40', topUp: '1.00' })).status).toBe(200)
    expect((await balance()).wallet).toEqual({ floor: '0.40', topUp: '1.00', isLow: false })

    // 0.16 EUR driven, and not billed yet: what is available is less by it, and below the floor.
    await story.drive('november', 7, 7.02, '2026-11-15T12:00:00+01:00')
    const driven = BigInt(String((await balance()).drivenMicros))
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
