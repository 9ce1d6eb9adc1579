import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { instant, micros } from '#kernel'
import { sign } from './signature'
import { StripeProvider } from './stripe'

/** Somebody who speaks Stripe's api: keeps what was asked, and answers an idempotency key as it did before. */
class Stripeish {
  readonly asked: { path: string; key: string; authorization: string; form: URLSearchParams }[] = []
  fails = 0
  private readonly answers = new Map<string, string>()
  private readonly server: Server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const key = String(request.headers['idempotency-key'])
      const form = new URLSearchParams(Buffer.concat(parts).toString())
      const path = request.url!
      this.asked.push({ path, key, authorization: String(request.headers.authorization), form })
      if (this.fails-- > 0) return response.writeHead(503).end('{}')
      if (form.get('line_items[0][price_data][unit_amount]') === '666')
        return response
          .writeHead(402, { 'content-type': 'application/json' })
          .end(JSON.stringify({ error: { type: 'invalid_request_error', message: 'no such luck' } }))
      const id = `${path.includes('refunds') ? 're' : 'cs'}_${this.answers.size}`
      if (!this.answers.has(key)) this.answers.set(key, JSON.stringify({ id, url: `https://pay.example/${id}` }))
      response.writeHead(200, { 'content-type': 'application/json' }).end(this.answers.get(key))
    })
  })
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }
  close = () => new Promise((resolve) => this.server.close(resolve))
}

const SECRET = 'whsec_test'
const now = instant(Date.UTC(2026, 9, 5))
const ask = (payment: string, amount: bigint, currency = 'EUR') => ({
  payment,
  amount: micros(amount),
  currency,
  title: 'City of Springfield',
  returnUrl: 'https://road.example/',
})

describe('the Stripe provider', () => {
  const stripeish = new Stripeish()
  let provider: StripeProvider
  beforeAll(async () => {
    provider = new StripeProvider('sk_test', SECRET, await stripeish.listen())
  })
  afterAll(() => stripeish.close())

  it('asks for whole coins under our id, and is asked again without asking twice', async () => {
    const first = await provider.ask(ask('p1', 320_000n))
    expect(await provider.ask(ask('p1', 320_000n))).toEqual(first)
    const [{ path, key, authorization, form }] = stripeish.asked
    expect([path, key, authorization]).toEqual(['/v1/checkout/sessions', 'p1', 'Bearer sk_test'])
    expect(form.get('line_items[0][price_data][unit_amount]')).toBe('32')
    expect(form.get('line_items[0][price_data][currency]')).toBe('eur')
    expect(form.get('payment_intent_data[metadata][payment]')).toBe('p1')
    // A yen has no cents.
    await provider.ask(ask('p2', 500_000_000n, 'JPY'))
    expect(stripeish.asked.at(-1)!.form.get('line_items[0][price_data][unit_amount]')).toBe('500')
    await expect(provider.ask(ask('p3', 1n))).rejects.toThrow('whole coins')
  })
  it('tries again where the provider stumbles, and says what it refuses', async () => {
    stripeish.fails = 1
    expect((await provider.ask(ask('p4', 10_000n))).url).toMatch(/^https:/)
    await expect(provider.ask(ask('p5', 6_660_000n))).rejects.toMatchObject({
      code: 'PROVIDER',
      message: 'the payment provider refused: no such luck',
    })
  })
  it('gives back a part of a payment', async () => {
    const { reference } = await provider.refund(
      { payment: 'r1', amount: micros(120_000n), currency: 'EUR' },
      { reference: 'pi_1' },
    )
    expect(reference).toMatch(/^re_/)
    const { form } = stripeish.asked.at(-1)!
    expect([form.get('payment_intent'), form.get('amount'), form.get('metadata[payment]')]).toEqual([
      'pi_1',
      '12',
      'r1',
    ])
  })

  const told = (event: object, { secret = SECRET, at = now } = {}) => {
    const bytes = Buffer.from(JSON.stringify(event))
    return provider.told(bytes, sign(bytes, secret, at), now)
  }
  const intent = (status: 'succeeded' | 'payment_failed', more: object = {}) => ({
    id: 'evt_1',
    created: 1_790_000_000,
    type: `payment_intent.${status}`,
    data: {
      object: { id: 'pi_1', amount: 32, amount_received: 30, currency: 'eur', metadata: { payment: 'p1' }, ...more },
    },
  })
  it('reads what became of a payment: the amount that was received', () => {
    expect(told(intent('succeeded'))).toEqual({
      event: 'evt_1',
      happenedAt: 1_790_000_000_000,
      payment: 'p1',
      kind: 'succeeded',
      amount: 300_000n,
      reference: 'pi_1',
      detail: '',
    })
    expect(
      told(intent('payment_failed', { last_payment_error: { message: 'Your card was declined.' } })),
    ).toMatchObject({
      kind: 'failed',
      amount: 320_000n,
      detail: 'Your card was declined.',
    })
  })
  it('reads what became of a refund, and passes over what is not ours', () => {
    const refund = (status: string) =>
      told({
        id: 'evt_2',
        created: 1,
        type: 'refund.updated',
        data: { object: { id: 're_1', amount: 12, currency: 'eur', status, metadata: { payment: 'r1' } } },
      })
    expect(refund('succeeded')).toMatchObject({ kind: 'succeeded', amount: -120_000n, payment: 'r1' })
    expect(refund('failed')).toMatchObject({ kind: 'failed' })
    expect(refund('pending')).toBeNull()
    expect(told(intent('succeeded', { metadata: {} }))).toBeNull()
    expect(told({ id: 'evt_3', created: 1, type: 'customer.created', data: { object: {} } })).toBeNull()
  })
  it('believes nothing that is signed by somebody else, or was signed long ago', () => {
    expect(() => told(intent('succeeded'), { secret: 'whsec_other' })).toThrow('not signed by the provider')
    expect(() => told(intent('succeeded'), { at: instant(now - 301_000) })).toThrow('more than 300 seconds ago')
    expect(() => provider.told(Buffer.from('{}'), 'nonsense', now)).toThrow('not signed by the provider')
  })
})
