import { type Budget, type DaySum, type Overview } from '#contracts'
import { divideHalfEven, micros, parseMicros, type Micros } from '#kernel'

/** Months before this one that say what is usual. */
const USUAL_MONTHS_MAX = 3

/** A day of an account, as it was charged. */
export interface DrivenDay extends Omit<DaySum, 'amountMicros'> {
  readonly amount: Micros
}

/**
 * The month of `today` (`2026-10-25`), so far: against the mean of at most three months before it in which something was driven, and
 * what it comes to if its rest is as usual; where nothing is known to be usual, if its rest is as its beginning.
 */
export function outlook(days: readonly DrivenDay[], today: string, budget: Budget | null): Overview {
  const month = today.slice(0, 7)
  const ofMonth = (name: string) => days.filter(({ day }) => day.startsWith(name))
  const current = ofMonth(month)
  const earlier = [...new Set(days.map(({ day }) => day.slice(0, 7)))].filter((name) => name < month).sort()
  const months = earlier.slice(-USUAL_MONTHS_MAX)
  const soFar = sum(current)
  const dayOfMonth = today.slice(8)
  const mean = (of: readonly DrivenDay[]) => divideHalfEven(sum(of), BigInt(months.length))
  const usual =
    months.length === 0
      ? null
      : {
          whole: mean(months.flatMap(ofMonth)),
          byNow: mean(months.flatMap(ofMonth).filter(({ day }) => day.slice(8) <= dayOfMonth)),
        }
  const projected = usual
    ? soFar + usual.whole - usual.byNow
    : divideHalfEven(soFar * BigInt(daysIn(month)), BigInt(Number(dayOfMonth)))
  const last = earlier.at(-1)
  return {
    month,
    today,
    days: current.map(shown),
    soFarMicros: String(soFar),
    distanceMm: current.reduce((mm, day) => mm + day.distanceMm, 0),
    trips: current.reduce((n, day) => n + day.trips, 0),
    usual: usual && { months, byNowMicros: String(usual.byNow), monthMicros: String(usual.whole) },
    projectedMicros: String(projected),
    budget: budget && { ...budget, state: standing(budget, micros(soFar), micros(projected)) },
    before: last === undefined ? null : { month: last, days: ofMonth(last).map(shown) },
  }
}

/** How a month stands to its budget. */
function standing({ amount, alertPercent }: Budget, soFar: Micros, projected: Micros) {
  const limit = parseMicros(amount)!
  if (soFar > limit) return 'over'
  if (soFar * 100n >= limit * BigInt(alertPercent)) return 'near'
  return projected > limit ? 'will-be-over' : 'within'
}

const sum = (days: readonly DrivenDay[]): bigint => days.reduce((total, { amount }) => total + amount, 0n)
const shown = ({ amount, ...day }: DrivenDay): DaySum => ({ ...day, amountMicros: String(amount) })

/** Days of a month `2026-02`. */
const daysIn = (month: string): number => {
  const [year, number] = month.split('-').map(Number)
  return number === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : [4, 6, 9, 11].includes(number)
      ? 30
      : 31
}
