export { LocalProvider } from './local'
export { PaymentsModule, providerOf } from './payments.module'
export { PAYMENT_PROVIDER, minorMicros, type Ask, type Asked, type PaymentProvider, type Told } from './provider'
export { StripeProvider } from './stripe'
