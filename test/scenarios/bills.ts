import { instant, micros, type Instant } from '#kernel'
import { LocalProvider } from '#payments'
import { euro, openStory, type Story } from './story'

export const SECRET = 'between the provider and us'

/** What a message of the provider says, and what is wrong with it. */
interface Message {
  readonly event?: string
  readonly amount?: bigint
  readonly secret?: string
  readonly signedAt?: Instant
  readonly flip?: boolean
}

/** A story with a bill of 0.32 EUR for two drives in October, sealed, and a provider to pay it at. */
export interface BillStory {
  readonly story: Story
  readonly statement: string
  balance(): Promise<{ statements: Record<string, unknown>[] } & Record<string, unknown>>
  pay(amount?: string): ReturnType<Story['as']>
  /** What the payer does on the provider's page. */
  choose(payment: string, outcome: 'pay' | 'decline'): ReturnType<Story['as']>
  /** The provider's message about a payment. */
  tell(payment: string, message?: Message): Promise<{ status: number; code?: string; taken?: boolean }>
}

export async function openBill(): Promise<BillStory> {
  const story = await openStory('2026-10-05T07:00:00+02:00', {
    environment: { ROADMETER_PAYMENTS: 'local', ROADMETER_PAYMENT_SECRET: SECRET },
  })
  // 1.577 km at 10 c/km twice: 0.32 EUR
  await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
  await story.drive('back', 7.02, 7, '2026-10-05T13:00:00+02:00')
  const { id: statement, totals } = await story.close('2026-10')
  expect(totals.due).toBe(euro(0.32))
  const { clock, httpUrl } = story.world
  return {
    story,
    statement,
    balance: async () => (await story.as('citizen', 'GET', '/v1/balance')).body,
    pay: (amount) =>
      story.as('citizen', 'POST', `/v1/statements/${statement}/payments`, amount === undefined ? {} : { amount }),
    choose: (payment, outcome) =>
      story.as('citizen', 'POST', `/pay/${payment}`, `outcome=${outcome}`, 'application/x-www-form-urlencoded'),
    async tell(
      payment,
      { event = `about ${payment}`, amount = 320_000n, secret = SECRET, signedAt = clock.now(), flip = false } = {},
    ) {
      const said = { event, payment, kind: 'succeeded', amount: micros(amount), detail: '' } as const
      const message = new LocalProvider(secret, '').message({ ...said, happenedAt: clock.now() }, instant(signedAt))
      const { bytes, signature } = message
      if (flip) bytes[bytes.length - 20] ^= 1
      const answer = await fetch(`${httpUrl}/v1/payments/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'stripe-signature': signature },
        body: bytes,
      })
      return { status: answer.status, ...((await answer.json()) as { code?: string; taken?: boolean }) }
    },
  }
}
