import { type Charge, type MileageLine, type PolicyDocument } from '#contracts'
import { KILOMETRE_MM, micros, MILE_MM, NO_MONEY, priceOf, type Micros } from '#kernel'
import { amountOf } from '#policy'
import { NO_POLICY } from './rate'

/** The rule of lines that a review has made free, whatever the tariff says. */
export const VOIDED = { rule: 'voided', freeReason: 'voided on review' } as const

/** The charges of a trip that a review voided: the same miles, none of them charged. */
export const voided = (charges: readonly Charge[]): Charge[] =>
  charges.map((charge) => ({ ...charge, policy: NO_POLICY.policy, ...VOIDED, rate: null, amount: NO_MONEY }))

type Quantity = Pick<MileageLine, 'kind' | 'policy' | 'distanceMm' | 'estimatedMm' | 'days'>

/** Why miles by the odometer are free where a policy doesn't price them. */
export const MILEAGE_FREE = {
  noPolicy: 'no policy in force',
  noTerms: 'the policy has no price for miles by the odometer',
  permit: 'covered by a time permit',
} as const

/**
 * Prices what a mileage account has of one kind under one policy: unexplained and location-free miles by their rate, permits by
 * the day. `billed` is what earlier statements hold of it: the line asks for the difference, so in the end the same is paid
 * in whatever order readings and trips came in.
 */
export function priceMileage(quantity: Quantity, policy: PolicyDocument | null, billed: Micros): MileageLine {
  const priced = priceOfQuantity(quantity, policy)
  const { kind, policy: id, distanceMm, estimatedMm, days } = quantity
  const { rate, freeReason, price } = priced
  return { kind, policy: id, distanceMm, estimatedMm, days, rate, freeReason, billed, amount: micros(price - billed) }
}

function priceOfQuantity(
  { kind, distanceMm, days }: Quantity,
  policy: PolicyDocument | null,
): Pick<MileageLine, 'rate' | 'freeReason'> & { price: Micros } {
  const free = (freeReason: string) => ({ rate: null, freeReason, price: NO_MONEY })
  if (!policy) return free(MILEAGE_FREE.noPolicy)
  const terms = policy.mileage
  if (kind === 'permit') {
    if (!terms?.permitPerDay) return free(MILEAGE_FREE.permit)
    const perDay = amountOf(terms.permitPerDay)
    return { rate: { micros: perDay, per: 'day' }, freeReason: null, price: micros(perDay * BigInt(days)) }
  }
  if (!terms) return free(MILEAGE_FREE.noTerms)
  const price = (kind === 'odometer' ? terms.noLocation : undefined) ?? terms.missing
  if ('free' in price) return free(price.free)
  const [rate, perMm] =
    'perMile' in price
      ? [{ micros: amountOf(price.perMile), per: 'mile' as const }, MILE_MM]
      : [{ micros: amountOf(price.perKm), per: 'km' as const }, KILOMETRE_MM]
  return { rate, freeReason: null, price: priceOf(distanceMm, rate.micros, perMm) }
}
