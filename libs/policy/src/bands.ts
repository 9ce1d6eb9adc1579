import { WEEKDAYS, type PolicyDocument, type TimeBand } from '#contracts'
import { type Interval } from '#kernel'
import { dayNumberOf } from './clock'

const MINUTES_PER_DAY = 1440
const HOLIDAY = 7

/**
 * The kinds of day that time bands can tell apart: 7 weekdays, each as a holiday or not, after a holiday or not (a band that
 * began before midnight runs on). Kind = weekday + 7 where it is a holiday + 14 where the day before is one.
 */
export const DAY_KINDS = 28

const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))

/**
 * Time bands as [from, to) minutes within the days of all kinds: minute m of a day of kind k is k * 1440 + m. They may overlap.
 * A policy without holidays knows the first 7 kinds only.
 */
export function bandIntervals(bands: readonly TimeBand[], kinds = DAY_KINDS): Interval[] {
  const intervals: Interval[] = []
  for (const band of bands) {
    const from = minuteOf(band.from)
    const to = minuteOf(band.to)
    const days = new Set(band.days.map((day) => (day === 'holiday' ? HOLIDAY : WEEKDAYS.indexOf(day))))
    for (let kind = 0; kind < kinds; kind++) {
      const start = kind * MINUTES_PER_DAY
      const weekday = kind % 7
      const today = (kind % 14) - weekday > 0 ? HOLIDAY : weekday
      const yesterday = kind >= 14 ? HOLIDAY : (weekday + 6) % 7
      if (days.has(today)) intervals.push({ from: start + from, to: start + (to > from ? to : MINUTES_PER_DAY) })
      if (to <= from && to > 0 && days.has(yesterday)) intervals.push({ from: start, to: start + to })
    }
  }
  return intervals
}

/** Which kind each local day is under a policy. */
export function dayKinds(policy: Pick<PolicyDocument, 'holidays'>): (dayNumber: number) => number {
  const holidays = new Set(policy.holidays?.dates?.map(dayNumberOf))
  // 1970-01-01 was a Thursday: three days after a Monday.
  return (day) => ((((day + 3) % 7) + 7) % 7) + (holidays.has(day) ? 7 : 0) + (holidays.has(day - 1) ? 14 : 0)
}
