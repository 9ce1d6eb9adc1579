import Stripe from 'stripe'
import { InputError, instant, micros, type Instant } from '#kernel'
import { minorMicros, minorUnits, type Ask, type Asked, type PaymentProvider, type Told } from './provider'
import { checkSignature } from './signature'

const TIMEOUT_MS = 20_000

/** Stripe, or whoever speaks its api: a Checkout page for the payer, and signed events about what became of it. */
export class StripeProvider implements PaymentProvider {
  readonly name = 'stripe'
  private readonly stripe: Stripe

  /** `apiUrl` is empty for Stripe itself. */
  constructor(
    secretKey: string,
    private readonly webhookSecret: string,
    apiUrl: string,
  ) {
    const url = apiUrl ? new URL(apiUrl) : null
    this.stripe = new Stripe(secretKey, {
      timeout: TIMEOUT_MS,
      maxNetworkRetries: 2,
      telemetry: false,
      ...(url && {
        protocol: url.protocol === 'http:' ? ('http' as const) : ('https' as const),
        host: url.hostname,
        port: url.port || (url.protocol === 'http:' ? 80 : 443),
      }),
    })
  }

  async ask({ payment, amount, currency, title, returnUrl }: Ask): Promise<Asked> {
    const unit_amount = minorUnits(amount, currency)
    const session = await this.calling(() =>
      this.stripe.checkout.sessions.create(
        {
          mode: 'payment',
          line_items: [
            {
              quantity: 1,
              price_data: { currency: currency.toLowerCase(), unit_amount, product_data: { name: title } },
            },
          ],
          success_url: returnUrl,
          cancel_url: returnUrl,
          client_reference_id: payment,
          metadata: { payment },
          payment_intent_data: { metadata: { payment } },
        },
        { idempotencyKey: payment },
      ),
    )
    if (!session.url) throw new InputError('PROVIDER', 'the payment provider gave no page to pay on')
    return { reference: session.id, url: session.url }
  }

  async refund(
    { payment, amount, currency }: Omit<Ask, 'title' | 'returnUrl'>,
    of: { readonly reference: string },
  ): Promise<Pick<Asked, 'reference'>> {
    const units = minorUnits(amount, currency)
    const { id } = await this.calling(() =>
      this.stripe.refunds.create(
        { payment_intent: of.reference, amount: units, metadata: { payment } },
        { idempotencyKey: payment },
      ),
    )
    return { reference: id }
  }

  told(bytes: Uint8Array, signature: string, now: Instant): Told | null {
    checkSignature(bytes, signature, this.webhookSecret, now)
    const { id, created, type, data } = JSON.parse(Buffer.from(bytes).toString()) as Stripe.Event
    const event = { event: id, happenedAt: instant(created * 1000) }
    switch (type) {
      case 'payment_intent.succeeded':
      case 'payment_intent.payment_failed': {
        const intent = data.object
        const { payment } = intent.metadata
        if (!payment) return null
        const isPaid = type === 'payment_intent.succeeded'
        const units = isPaid ? intent.amount_received : intent.amount
        return {
          ...event,
          payment,
          kind: isPaid ? 'succeeded' : 'failed',
          amount: micros(BigInt(units) * minorMicros(intent.currency.toUpperCase())),
          reference: intent.id,
          detail: intent.last_payment_error?.message ?? '',
        }
      }
      case 'refund.updated':
      case 'refund.failed': {
        const refund = data.object
        const payment = refund.metadata?.payment
        if (!payment || !['succeeded', 'failed', 'canceled'].includes(refund.status ?? '')) return null
        return {
          ...event,
          payment,
          kind: refund.status === 'succeeded' ? 'succeeded' : 'failed',
          amount: micros(-BigInt(refund.amount) * minorMicros(refund.currency.toUpperCase())),
          reference: refund.id,
          detail: refund.failure_reason ?? '',
        }
      }
      default:
        return null
    }
  }

  /** What Stripe refuses is for whoever asked to know; its own troubles are for trying again. */
  private async calling<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call()
    } catch (error) {
      const { message } = error as Error
      // Stripe's own faults, and those of the way there: whether it did what it was asked to nobody knows.
      if (error instanceof Stripe.errors.StripeConnectionError || error instanceof Stripe.errors.StripeAPIError)
        throw new InputError('PROVIDER_AWAY', `the payment provider did not answer: ${message}`)
      throw new InputError('PROVIDER', `the payment provider refused: ${message}`)
    }
  }
}
