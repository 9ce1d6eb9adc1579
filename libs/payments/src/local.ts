import { z } from 'zod'
import { instantSchema, microsSchema, parseOrExplain } from '#contracts'
import { type Instant } from '#kernel'
import { type Ask, type Asked, type PaymentProvider, type Told } from './provider'
import { checkSignature, sign } from './signature'

const toldSchema = z.strictObject({
  event: z.string().max(100),
  payment: z.string().max(100),
  kind: z.enum(['succeeded', 'failed']),
  amount: microsSchema,
  detail: z.string().max(200),
  happenedAt: instantSchema,
})

/**
 * Money of no worth, for demonstrations and tests: whoever is asked to pay chooses on a page of ours whether the card works. It is
 * told by the same signed message as a real provider's, through the same door.
 */
export class LocalProvider implements PaymentProvider {
  readonly name = 'local'

  constructor(
    private readonly secret: string,
    private readonly publicUrl: string,
  ) {}

  ask({ payment }: Pick<Ask, 'payment'>): Promise<Asked> {
    return Promise.resolve({ reference: `local-${payment}`, url: `${this.publicUrl}/pay/${payment}` })
  }

  refund(ask: Pick<Ask, 'payment'>): Promise<Asked> {
    return this.ask(ask)
  }

  told(bytes: Uint8Array, signature: string, now: Instant): Told {
    checkSignature(bytes, signature, this.secret, now)
    const told = parseOrExplain(toldSchema, JSON.parse(Buffer.from(bytes).toString()), 'the message')
    return { ...told, reference: `local-${told.payment}` }
  }

  /** What such a provider sends. */
  message(told: Omit<Told, 'reference'>, now: Instant): { bytes: Buffer; signature: string } {
    const bytes = Buffer.from(JSON.stringify({ ...told, amount: String(told.amount) }))
    return { bytes, signature: sign(bytes, this.secret, now) }
  }
}
