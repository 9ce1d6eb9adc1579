import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { KILOMETRE_MM, MILE_MM } from '#kernel'
import { useMaybeMe } from './me'

/** How one reads money, distances and times here: in the reader's language, and the city's currency, unit and time zone. */
export function formats(language: string, currency: string, unit: 'mile' | 'km', timeZone: string) {
  const date = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(language, { timeZone, ...options })
  const inMoney = { style: 'currency', currency, currencyDisplay: 'narrowSymbol' } as const
  const money = new Intl.NumberFormat(language, inMoney)
  const fine = new Intl.NumberFormat(language, { ...inMoney, maximumFractionDigits: 4 })
  const exact = new Intl.NumberFormat(language, { ...inMoney, minimumFractionDigits: 4, maximumFractionDigits: 4 })
  const number = new Intl.NumberFormat(language)
  const unitNumber = (digits: number) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: unit === 'mile' ? 'mile' : 'kilometer',
      unitDisplay: 'short',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    })
  const long = unitNumber(1)
  const short = unitNumber(2)
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 })
  const dayName = date({ weekday: 'long', day: 'numeric', month: 'long' })
  const dayShort = new Intl.DateTimeFormat(language, {
    timeZone: 'UTC',
    weekday: 'short',
    day: 'numeric',
    month: 'short',
  })
  const dayLong = new Intl.DateTimeFormat(language, { timeZone: 'UTC', weekday: 'long', day: 'numeric', month: 'long' })
  const dayYear = new Intl.DateTimeFormat(language, { timeZone: 'UTC', day: 'numeric', month: 'long', year: 'numeric' })
  const month = new Intl.DateTimeFormat(language, { timeZone: 'UTC', month: 'long', year: 'numeric' })
  const clock = date({ hour: '2-digit', minute: '2-digit' })
  const moment = date({ day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit' })
  const perMm = unit === 'mile' ? MILE_MM : KILOMETRE_MM
  return {
    unit,
    currency,
    timeZone,
    /** Of whole micros, as the api writes them. */
    money: (micros: string | bigint | number) => money.format(Number(micros) / 1e6),
    /** To the last hundredth of a coin: amounts of a stretch, one below the other. */
    exact: (micros: string | bigint | number) => exact.format(Number(micros) / 1e6),
    /** As many of these decimals as there are: what a mile costs. */
    price: (micros: string | bigint | number) => fine.format(Number(micros) / 1e6),
    number: (value: number) => number.format(value),
    share: (value: number) => share.format(value),
    distance: (mm: number) => (mm < 10 * perMm ? short : long).format(mm / perMm),
    /** `2026-10-05` as a weekday and a day. */
    day: (day: string) => dayLong.format(Date.parse(`${day}T12:00:00Z`)),
    dayShort: (day: string) => dayShort.format(Date.parse(`${day}T12:00:00Z`)),
    date: (day: string) => dayYear.format(Date.parse(`${day}T12:00:00Z`)),
    month: (name: string) => month.format(Date.parse(`${name}-15T12:00:00Z`)),
    dayOf: (at: number) => dayName.format(at),
    time: (at: number) => clock.format(at),
    moment: (at: number) => moment.format(at),
    minutes: (ms: number) =>
      new Intl.NumberFormat(language, { style: 'unit', unit: 'minute', unitDisplay: 'short' }).format(
        Math.max(1, Math.round(ms / 60_000)),
      ),
  }
}
export type Formats = ReturnType<typeof formats>

export function useFormats(): Formats {
  const { i18n } = useTranslation()
  const tariff = useMaybeMe()?.tariff
  const { currency = 'USD', unit = 'mile', timeZone = 'UTC' } = tariff ?? {}
  return useMemo(() => formats(i18n.language, currency, unit, timeZone), [i18n.language, currency, unit, timeZone])
}

/** The local day of a moment, `2026-10-05`. */
export const dayOf = (at: number, timeZone: string): string => new Intl.DateTimeFormat('sv-SE', { timeZone }).format(at)
