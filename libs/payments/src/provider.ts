import { InputError, type Instant, type Micros } from '#kernel'

/** What a payer is asked for. */
export interface Ask {
  /** Ours; the provider is asked for the same thing under the same id as often as need be, and takes the money once. */
  readonly payment: string
  readonly amount: Micros
  /** ISO 4217. */
  readonly currency: string
  /** What the payer reads: "City of Springfield, October 2026". */
  readonly title: string
  /** Where the payer's browser goes when it is done. */
  readonly returnUrl: string
}

export interface Asked {
  /** What the provider calls it. */
  readonly reference: string
  /** Where the payer pays. */
  readonly url: string
}

/** What a provider tells of a payment: the amount as it was taken. */
export interface Told {
  readonly event: string
  readonly payment: string
  readonly kind: 'succeeded' | 'failed'
  readonly amount: Micros
  readonly reference: string
  readonly detail: string
  readonly happenedAt: Instant
}

/** Takes money from people's cards and accounts, and tells later what became of it. */
export interface PaymentProvider {
  readonly name: string
  ask(ask: Ask): Promise<Asked>
  /** Gives `amount` of a payment that succeeded back; told of like a payment, under the id of `ask`, below zero. */
  refund(ask: Omit<Ask, 'title' | 'returnUrl'>, of: { readonly reference: string }): Promise<Pick<Asked, 'reference'>>
  /**
   * Reads a message that claims to be the provider's: null where it tells of nothing that we asked for. Throws InputError
   * WEBHOOK_SIGNATURE where the provider has not signed these very bytes, WEBHOOK_STALE where it did so long ago.
   */
  told(bytes: Uint8Array, signature: string, now: Instant): Told | null
}

export const PAYMENT_PROVIDER = Symbol('PaymentProvider')

/** Micros of the smallest unit that money is transferred in: a cent, a yen. */
export function minorMicros(currency: string): bigint {
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions()
  return 10n ** BigInt(6 - maximumFractionDigits)
}

/** Whole minor units, as providers count money. Throws InputError AMOUNT for a part of one. */
export function minorUnits(amount: Micros, currency: string): number {
  const unit = minorMicros(currency)
  if (amount % unit !== 0n) throw new InputError('AMOUNT', `money in ${currency} is paid in whole coins`)
  return Number(amount / unit)
}
