import Stripe from 'stripe'
import { InputError, type Instant } from '#kernel'

/** How old a signed message may be: after that somebody may have kept it. */
const AGE_S_MAX = 300

const { webhooks } = Stripe

/**
 * Checks a header `t=SECONDS,v1=HMAC-SHA256("SECONDS.BYTES")` (Stripe's form, which others have taken up). Throws InputError
 * WEBHOOK_SIGNATURE or, for what was signed long ago, WEBHOOK_STALE.
 */
export function checkSignature(bytes: Uint8Array, header: string, secret: string, now: Instant): void {
  try {
    webhooks.signature!.verifyHeader(bytes, header, secret, AGE_S_MAX, undefined, now)
  } catch (error) {
    if (/outside the tolerance/.test((error as Error).message))
      throw new InputError('WEBHOOK_STALE', `the message was signed more than ${AGE_S_MAX} seconds ago`)
    throw new InputError('WEBHOOK_SIGNATURE', 'the message is not signed by the provider')
  }
}

/** The header that `checkSignature` takes. */
export const sign = (bytes: Uint8Array, secret: string, now: Instant): string =>
  webhooks.generateTestHeaderString({
    payload: Buffer.from(bytes).toString(),
    secret,
    timestamp: Math.floor(now / 1000),
  })
