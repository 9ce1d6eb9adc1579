import { randomUUID } from 'node:crypto'
import { Module } from '@nestjs/common'
import { InputError } from '#kernel'
import { SETTINGS_OF_PROCESS, type Settings } from '#runtime'
import { LocalProvider } from './local'
import { PAYMENT_PROVIDER, type PaymentProvider } from './provider'
import { StripeProvider } from './stripe'

/** The provider that the settings name; null where payments are recorded at a desk only. */
export function providerOf(settings: Settings): PaymentProvider | null {
  const { payments, paymentSecret, publicUrl, stripeKey, stripeUrl } = settings
  switch (payments) {
    case 'local':
      return new LocalProvider(paymentSecret || randomUUID(), publicUrl)
    case 'stripe':
      if (!stripeKey || !paymentSecret || !publicUrl)
        throw new InputError(
          'SETTING',
          'ROADMETER_PAYMENTS=stripe needs STRIPE_SECRET_KEY, ROADMETER_PAYMENT_SECRET (the secret of its webhook) and ROADMETER_PUBLIC_URL',
        )
      return new StripeProvider(stripeKey, paymentSecret, stripeUrl)
    default:
      return null
  }
}

@Module({
  providers: [{ provide: PAYMENT_PROVIDER, inject: [SETTINGS_OF_PROCESS], useFactory: providerOf }],
  exports: [PAYMENT_PROVIDER],
})
export class PaymentsModule {}
