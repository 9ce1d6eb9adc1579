import {
  type Charge,
  type MileageAccount,
  type MileageKind,
  type MileageLine,
  type Method,
  type PolicyDocument,
  type RatedVehicle,
} from '#contracts'
import {
  instant,
  KILOMETRE_MM,
  micros,
  MILE_MM,
  millimetres,
  NO_MONEY,
  priceOf,
  type Micros,
  type PolicyId,
} from '#kernel'
import { amountOf, isFor } from '#policy'
import { type AccruedTrip } from './accruals'
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
  otherVehicles: 'the tariff is for other vehicles',
} as const

/** By which method the miles of each kind are counted. */
const METHOD_OF: Record<MileageKind, Method> = { missing: 'location', odometer: 'odometer', permit: 'permit' }

/**
 * Prices what a mileage account has of one kind under one policy: unexplained and location-free miles by their rate, permits by
 * the day. `billed` and `billedMm` are what earlier statements hold of it: the line asks for the difference, so in the end the
 * same is paid in whatever order readings and trips came in. `vehicle` is what it was as the account began.
 */
export function priceMileage(
  quantity: Quantity,
  policy: PolicyDocument | null,
  vehicle: RatedVehicle,
  { billed, billedMm }: Pick<MileageLine, 'billed' | 'billedMm'>,
): MileageLine {
  const { kind, policy: id, distanceMm, estimatedMm, days } = quantity
  const { rate, freeReason, price } = priceOfQuantity(quantity, policy, { ...vehicle, method: METHOD_OF[kind] })
  return {
    kind,
    policy: id,
    distanceMm,
    estimatedMm,
    days,
    rate,
    freeReason,
    billed,
    ...(billedMm && { billedMm }),
    amount: micros(price - billed),
  }
}

/** The lines of a mileage account as accruals count them: each kind by its own method. `vehicle` as for `priceMileage`. */
export const accruedMileage = ({ month, from, lines }: MileageAccount, vehicle: RatedVehicle): AccruedTrip[] =>
  lines.map(({ kind, policy, rate, distanceMm, amount, billed, billedMm = 0 }) => ({
    trip: null,
    vehicle: { ...vehicle, method: METHOD_OF[kind] },
    startedAt: instant(from),
    charges: [
      {
        policy: policy as PolicyId,
        day: month,
        flat: rate?.per === 'day',
        distanceMm: millimetres(distanceMm - billedMm),
        amount,
        billed: { amount: billed, distanceMm: billedMm },
      },
    ],
  }))

function priceOfQuantity(
  { kind, distanceMm, days }: Quantity,
  policy: PolicyDocument | null,
  vehicle: RatedVehicle,
): Pick<MileageLine, 'rate' | 'freeReason'> & { price: Micros } {
  const free = (freeReason: string) => ({ rate: null, freeReason, price: NO_MONEY })
  if (!policy) return free(MILEAGE_FREE.noPolicy)
  const terms = policy.mileage
  if (terms?.for && !isFor(terms.for, vehicle)) return free(terms.otherwise ?? MILEAGE_FREE.otherVehicles)
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
