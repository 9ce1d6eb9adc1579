import { invariant } from './invariant'

declare const unit: unique symbol
type Unit<Base, Name extends string> = Base & { readonly [unit]: Name }

/** Money: 1e-6 of the currency unit, exact. */
export type Micros = Unit<bigint, 'micros'>
/** Distance: whole millimetres. */
export type Millimetres = Unit<number, 'mm'>
/** A moment: milliseconds since 1970-01-01T00:00Z, UTC. */
export type Instant = Unit<number, 'ms'>

export const micros = (value: bigint): Micros => value as Micros
export const NO_MONEY = 0n as Micros

export function millimetres(value: number): Millimetres {
  // The text is made only where it is needed: this is called for every stretch of every trip.
  if (!Number.isSafeInteger(value)) invariant(false, `distance must be whole millimetres, found ${value}`)
  return value as Millimetres
}

export function instant(value: number): Instant {
  if (!Number.isSafeInteger(value)) invariant(false, `instant must be whole milliseconds, found ${value}`)
  return value as Instant
}

/** International mile, exact by definition (1959). */
export const MILE_MM = 1_609_344
export const KILOMETRE_MM = 1_000_000

/** `value / divisor` rounded half to even: the one rounding of Roadmeter. */
export function divideHalfEven(value: bigint, divisor: bigint): bigint {
  invariant(divisor > 0n, 'divisor must be positive')
  const negative = value < 0n
  const size = negative ? -value : value
  let quotient = size / divisor
  const twice = (size % divisor) * 2n
  if (twice > divisor || (twice === divisor && quotient % 2n === 1n)) quotient += 1n
  return negative ? -quotient : quotient
}

/** Price of a distance at `rate` micros per `perMm` millimetres (MILE_MM or KILOMETRE_MM), rounded once, half to even. */
export function priceOf(distance: Millimetres, rate: Micros, perMm: number): Micros {
  // Nearly every price: exact in a double, and a fifth of the time.
  const price = priceInDouble(distance, Number(rate), perMm)
  return micros(price === null ? divideHalfEven(BigInt(distance) * rate, BigInt(perMm)) : BigInt(price))
}

/** The same in a double; null where it is not exact there. */
export function priceInDouble(distanceMm: number, rate: number, perMm: number): number | null {
  const product = distanceMm * rate
  if (!(product >= 0 && product <= Number.MAX_SAFE_INTEGER)) return null
  const quotient = Math.floor(product / perMm)
  const twice = (product - quotient * perMm) * 2
  return twice > perMm || (twice === perMm && quotient % 2 === 1) ? quotient + 1 : quotient
}

const DECIMAL = /^(-?)(\d{1,12})(?:\.(\d{1,6}))?$/

/** Reads "12.345678" (at most six decimals) exactly; null where it is no such number. */
export function parseMicros(text: string): Micros | null {
  const m = DECIMAL.exec(text)
  if (!m) return null
  const size = BigInt(m[2]) * 1_000_000n + BigInt((m[3] ?? '').padEnd(6, '0'))
  return micros(m[1] ? -size : size)
}

/** Writes micros as a decimal with at least `decimals` digits after the point and no digit lost. */
export function formatMicros(value: Micros, decimals = 2): string {
  const size = value < 0n ? -value : value
  const fraction = (size % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '').padEnd(decimals, '0')
  return `${value < 0n ? '-' : ''}${size / 1_000_000n}${fraction ? `.${fraction}` : ''}`
}

/** Rounds to the smallest coin, `coin` micros (a cent: 10_000), half to even. */
export const toCoin = (value: Micros, coin: bigint): Micros => micros(divideHalfEven(value, coin) * coin)
