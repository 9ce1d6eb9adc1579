import { createHmac } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { askBack, recordAtDesk } from '#pipeline'
import { euro, openStory, type Story } from './story'

const SECRET = 'whsec_of_this_story'
type Mood = 'gives' | 'refuses' | 'breaks'

/** Somebody who speaks Stripe's api, as far as asking for money and giving it back, in a mood that the story sets. */
class Provider {
  mood: Mood = 'gives'
  readonly refunds: { readonly key: string; readonly form: URLSearchParams }[] = []
  private readonly server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => (body += part))
    request.on('end', () => {
      const json = { 'content-type': 'application/json' }
      if (!request.url!.includes('refunds'))
        return response.writeHead(200, json).end(JSON.stringify({ id: 'cs_1', url: 'https://pay.example/cs_1' }))
      this.refunds.push({ key: String(request.headers['idempotency-key']), form: new URLSearchParams(body) })
      if (this.mood === 'breaks') return request.socket.destroy()
      if (this.mood === 'gives') return response.writeHead(200, json).end(JSON.stringify({ id: 're_1' }))
      const error = { type: 'invalid_request_error', message: 'the card is gone' }
      response.writeHead(400, json).end(JSON.stringify({ error }))
    })
  })
  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }
  end(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}

/** Who pays comes back to an address that is known before anybody listens there. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('a refund that the provider refuses', () => {
  const provider = new Provider()
  let story: Story
  beforeAll(async () => {
    const port = await freePort()
    story = await openStory('2026-10-05T07:00:00+02:00', {
      environment: {
        ROADMETER_HTTP_PORT: String(port),
        ROADMETER_PAYMENTS: 'stripe',
        ROADMETER_PAYMENT_SECRET: SECRET,
        ROADMETER_PUBLIC_URL: `http://127.0.0.1:${port}`,
        STRIPE_SECRET_KEY: 'sk_test',
        STRIPE_API_URL: await provider.listen(),
      },
    })
  })
  afterAll(async () => {
    provider.end()
    await story?.end()
  })

  /** The provider tells something, signed. */
  const tell = (id: string, type: string, object: object) => {
    const seconds = Math.floor(story.world.clock.now() / 1000)
    const bytes = JSON.stringify({ id, created: seconds, type, data: { object } })
    const signature = `t=${seconds},v1=${createHmac('sha256', SECRET).update(`${seconds}.${bytes}`).digest('hex')}`
    return fetch(`${story.world.httpUrl}/v1/payments/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'stripe-signature': signature },
      body: bytes,
    })
  }
  const topUp = async (amount: string, event: string): Promise<string> => {
    const { payment } = (await story.as('citizen', 'POST', '/v1/wallet/top-ups', { amount })).body
    const cents = Math.round(Number(amount) * 100)
    await tell(event, 'payment_intent.succeeded', {
      ...{ id: `pi_${event}`, amount: cents, amount_received: cents, currency: 'eur', metadata: { payment } },
    })
    return payment
  }
  const refund = (payment: string, amount: string) =>
    story.as('citizen', 'POST', `/v1/payments/${payment}/refunds`, { amount })
  const credit = async () => (await story.as('citizen', 'GET', '/v1/balance')).body.creditMicros
  let first: string

  it('is credit again, and can be asked for anew', async () => {
    first = await topUp('5.00', 'evt_1')
    expect(await credit()).toBe('5000000')
    provider.mood = 'refuses'
    for (let again = 0; again < 2; again++) {
      expect(await refund(first, '4.00')).toMatchObject({ status: 502, code: 'PROVIDER' })
      expect(await credit()).toBe('5000000')
    }
    const listed = (await story.as('citizen', 'GET', '/v1/payments')).body as { state: string; events: object[] }[]
    const failed = listed.filter(({ state }) => state === 'failed')
    expect(failed).toHaveLength(2)
    for (const { events } of failed)
      expect(events.at(-1)).toMatchObject({ detail: 'the payment provider refused: the card is gone' })
    await story.sound()
  })

  it('of which nobody knows what became is put aside once, and asked for under the same key until it is known', async () => {
    provider.mood = 'breaks'
    expect(await refund(first, '3.00')).toMatchObject({ status: 503, code: 'PROVIDER_AWAY' })
    expect(await credit()).toBe('2000000')
    provider.mood = 'gives'
    const given = await refund(first, '3.00')
    expect(given).toMatchObject({ status: 201, body: { amountMicros: '-3000000' } })
    const { payment } = given.body
    const asked = provider.refunds.filter(({ form }) => form.get('amount') === '300')
    expect(asked.length).toBeGreaterThan(2)
    expect(new Set(asked.map(({ key }) => key))).toEqual(new Set([payment]))
    const told = { id: 're_1', amount: 300, currency: 'eur', status: 'succeeded', metadata: { payment } }
    await tell('evt_2', 'refund.updated', told)
    expect(await credit()).toBe('2000000')
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(2_000_000n)
    await story.sound()
  })

  it('gives back no more of a payment than was paid, whatever credit there is', async () => {
    await topUp('5.00', 'evt_3')
    expect(await credit()).toBe('7000000')
    const count = provider.refunds.length
    expect(await refund(first, '2.01')).toMatchObject({ status: 400, code: 'REFUND_TOO_LARGE' })
    expect(provider.refunds).toHaveLength(count)
    expect(await refund(first, '2.00')).toMatchObject({ status: 201 })
    expect(await refund('0'.repeat(32), '0.01')).toMatchObject({ status: 404 })
    await story.sound()
  })

  it('at the desk, cut off between two commits, is entered again under its reference', async () => {
    const { store, clock } = story.world
    const desk = { statement: null, amount: euro(-4), currency: 'EUR', reference: 'cut-off' }
    await askBack(store, story.people.account, euro(4), 'EUR', { provider: 'desk', now: clock.now() })
    expect(await credit()).toBe('1000000')
    expect(await recordAtDesk(store, story.people.account, desk, clock.now())).toBe(true)
    expect(await credit()).toBe('1000000')
    await story.sound()
  })
})
