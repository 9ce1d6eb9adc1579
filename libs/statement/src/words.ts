import { type Rate, type Statement } from '#contracts'
import { divideHalfEven, formatMicros, KILOMETRE_MM, micros, MILE_MM, toCoin, type Instant, type Micros } from '#kernel'
import { amountOf, dayText, localClock } from '#policy'

/** How a statement writes numbers, money and time: its own unit, currency and clock, the same on every machine. */
export interface Words {
  /** "12.34", half to even, without the unit. */
  distance(mm: number): string
  /** "mi" or "km". */
  readonly unit: string
  /** "$12.34": at least the coin's decimals, and as many more as the amount has. */
  money(amount: Micros): string
  /** "$12.34": rounded to the coin, where the exact amount stands elsewhere. */
  rounded(amount: Micros): string
  /** With all six decimals, as the part that a coin can pay and the part that it can't. */
  exact(amount: Micros): readonly [coins: string, rest: string]
  /** "$0.018 a mile" */
  rate(rate: Rate): string
  /** "07:42" on the statement's clock. */
  time(at: Instant): string
  /** "2026-10-06T07:42" on the statement's clock. */
  stamp(at: Instant): string
  /** "2026-10-06" on the statement's clock. */
  dayOf(at: Instant): string
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ')
const WEEKDAYS = 'Thursday Friday Saturday Sunday Monday Tuesday Wednesday'.split(' ')

export function wordsOf({ unit, currency, coin, timeZone }: Statement): Words {
  const clock = localClock(timeZone)
  const sign = signOf(currency)
  const decimals = coin.split('.')[1]?.length ?? 0
  const signed = (amount: Micros, places: number) =>
    `${amount < 0n ? '−' : ''}${sign}${grouped(formatMicros(micros(amount < 0n ? -amount : amount), places))}`
  const time = (at: Instant) => {
    const minute = Math.floor((at + clock.offsetMs(at)) / 60_000) % 1440
    return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
  }
  return {
    distance: (mm) => grouped(hundredths(divideHalfEven(BigInt(mm) * 100n, BigInt(perMm(unit))))),
    unit: unit === 'mile' ? 'mi' : 'km',
    money: (amount) => signed(amount, decimals),
    rounded: (amount) => signed(toCoin(amount, amountOf(coin)), decimals),
    exact(amount) {
      const text = signed(amount, 6)
      const cut = text.length - 6 + decimals - (decimals === 0 ? 1 : 0)
      return [text.slice(0, cut), text.slice(cut)]
    },
    rate: ({ micros: amount, per }) => `${signed(amount, decimals)} a ${per}`,
    time,
    dayOf: (at) => clock.day(at),
    stamp: (at) => `${clock.day(at)}T${time(at)}`,
  }
}

/** "Tuesday 6 October 2026" */
export function dateWords(day: string): string {
  const number = Math.round(Date.UTC(+day.slice(0, 4), +day.slice(5, 7) - 1, +day.slice(8)) / 86_400_000)
  return `${WEEKDAYS[number % 7]} ${+day.slice(8)} ${monthWords(day.slice(0, 7))}`
}

/** "October 2026" */
export const monthWords = (month: string): string => `${MONTHS[+month.slice(5) - 1]} ${month.slice(0, 4)}`

/** Every day of a month. */
export function daysOf(month: string): string[] {
  const first = Date.UTC(+month.slice(0, 4), +month.slice(5) - 1, 1) / 86_400_000
  const days: string[] = []
  for (let day = first; dayText(day).startsWith(month); day++) days.push(dayText(day))
  return days
}

/** Distance as a plain decimal, two places, for cells that are read by machines. */
export const distanceDecimal = (mm: number, unit: Statement['unit']): string =>
  hundredths(divideHalfEven(BigInt(mm) * 100n, BigInt(perMm(unit))))

const perMm = (unit: Statement['unit']): number => (unit === 'mile' ? MILE_MM : KILOMETRE_MM)
const two = (n: number): string => String(n).padStart(2, '0')
const hundredths = (n: bigint): string => `${n / 100n}.${two(Number(n % 100n))}`
const grouped = (decimal: string): string => decimal.replace(/\d(?=(\d{3})+(?!\d))(?<!\.\d*)/g, '$&,')

function signOf(currency: string): string {
  const parts = new Intl.NumberFormat('en', { style: 'currency', currency }).formatToParts(0)
  const sign = parts.find(({ type }) => type === 'currency')?.value ?? currency
  return /[A-Z]$/i.test(sign) ? `${sign}\u00a0` : sign
}
