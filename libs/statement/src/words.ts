import { type Rate, type Statement } from '#contracts'
import { divideHalfEven, formatMicros, KILOMETRE_MM, micros, MILE_MM, toCoin, type Instant, type Micros } from '#kernel'
import { amountOf, dayText, localClock, type Language } from '#policy'
import { en, type Says } from './says'
import { es } from './says-es'

/**
 * How a statement speaks, and writes numbers, money and time: in its own unit, currency and clock, the same on every machine. The language
 * is the reader's and no part of what is sealed.
 */
export interface Words {
  readonly language: Language
  readonly say: Says
  /** "12.34", half to even, without the unit. */
  distance(mm: number): string
  /** "12.5" */
  decimal(decimal: string): string
  /** "mi" or "km". */
  readonly unit: string
  /** "$12.34": at least the coin's decimals, and as many more as the amount has. */
  money(amount: Micros): string
  /** "$12.34": rounded to the coin, where the exact amount stands elsewhere. */
  rounded(amount: Micros): string
  /** With all six decimals: the part that a coin can pay, the part that it can't, and the sign of the currency where it comes last. */
  exact(amount: Micros): readonly [coins: string, rest: string, sign: string]
  /** "$0.018 a mile" */
  rate(rate: Pick<Rate, 'micros'> & { readonly per: Rate['per'] | 'day' }): string
  /** "1 journey", "2 journeys" */
  journeys(n: number): string
  /** "October 2026" */
  month(month: string): string
  /** "6 October 2026" */
  date(day: string): string
  /** "Tuesday 6 October 2026" */
  weekday(day: string): string
  /** What the program sealed in English where no city wrote anything: "In doubt". */
  sealed(text: string): string
  /** "07:42" on the statement's clock. */
  time(at: Instant): string
  /** "2026-10-06T07:42" on the statement's clock. */
  stamp(at: Instant): string
  /** "2026-10-06" on the statement's clock. */
  dayOf(at: Instant): string
}

/** How numbers are written: the signs between digits, and from how many digits on thousands are told apart. */
const NUMBERS = {
  en: { point: '.', group: ',', groupedFrom: 4 },
  es: { point: ',', group: '.', groupedFrom: 5 },
} satisfies Record<Language, unknown>
const SAYS: Readonly<Record<Language, Says>> = { en, es }

export function wordsOf({ unit, currency, coin, timeZone }: Statement, language: Language = 'en'): Words {
  const clock = localClock(timeZone)
  const say = SAYS[language]
  const [before, after] = signOf(currency, language)
  const decimals = coin.split('.')[1]?.length ?? 0
  const written = (decimal: string) => grouped(decimal, language)
  const number = (amount: Micros, places: number) =>
    `${amount < 0n ? '−' : ''}${before}${written(formatMicros(micros(amount < 0n ? -amount : amount), places))}`
  const signed = (amount: Micros, places: number) => number(amount, places) + after
  const time = (at: Instant) => {
    const minute = Math.floor((at + clock.offsetMs(at)) / 60_000) % 1440
    return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`
  }
  const month = (name: string) => say.ofMonth(say.months[+name.slice(5) - 1], name.slice(0, 4))
  const date = (day: string) => say.ofDay(+day.slice(8), month(day.slice(0, 7)))
  return {
    language,
    say,
    decimal: written,
    distance: (mm) => written(distanceDecimal(mm, unit)),
    unit: unit === 'mile' ? 'mi' : 'km',
    money: (amount) => signed(amount, decimals),
    rounded: (amount) => signed(toCoin(amount, amountOf(coin)), decimals),
    exact(amount) {
      const text = number(amount, 6)
      const cut = text.length - 6 + decimals - (decimals === 0 ? 1 : 0)
      return [text.slice(0, cut), text.slice(cut), after]
    },
    rate: ({ micros: amount, per }) => say.rate(signed(amount, decimals), per),
    journeys: (n) => say.journeys(n, written(String(n))),
    month,
    date,
    weekday(day) {
      const number = Math.round(Date.UTC(+day.slice(0, 4), +day.slice(5, 7) - 1, +day.slice(8)) / 86_400_000)
      // The first day of all was a Thursday.
      return say.onWeekday(say.weekdays[(number + 4) % 7], date(day))
    },
    sealed: (text) => say.sealed[text] ?? text,
    time,
    dayOf: (at) => clock.day(at),
    stamp: (at) => `${clock.day(at)}T${time(at)}`,
  }
}

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
function grouped(decimal: string, language: Language): string {
  const { point, group, groupedFrom } = NUMBERS[language]
  const [whole, fraction] = decimal.split('.')
  const thousands = whole.length < groupedFrom ? whole : whole.replace(/\d(?=(\d{3})+$)/g, `$&${group}`)
  return fraction === undefined ? thousands : thousands + point + fraction
}

/** What stands before and after an amount: "$", "12,34 US$". */
function signOf(currency: string, language: Language): readonly [before: string, after: string] {
  const parts = new Intl.NumberFormat(language, { style: 'currency', currency }).formatToParts(0)
  const at = parts.findIndex(({ type }) => type === 'currency')
  const sign = parts[at]?.value ?? currency
  if (at > 0) return ['', `\u00a0${sign}`]
  return [/[A-Z]$/i.test(sign) ? `${sign}\u00a0` : sign, '']
}
