import { WEEKDAYS, type TimeBand } from '#contracts'
import { type Interval } from '#kernel'
import { MINUTES_PER_WEEK } from './clock'

const MINUTES_PER_DAY = 1440

const minuteOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))

/**
 * Time bands as [from, to) minutes of the week, within [0, MINUTES_PER_WEEK); a band that runs past Sunday midnight comes
 * as two. They may overlap.
 */
export function weekIntervals(bands: readonly TimeBand[]): Interval[] {
  return bands.flatMap((band) => {
    const from = minuteOf(band.from)
    const to = minuteOf(band.to)
    const length = to > from ? to - from : to + MINUTES_PER_DAY - from
    return band.days.flatMap((day) => {
      const start = WEEKDAYS.indexOf(day) * MINUTES_PER_DAY + from
      const end = start + length
      return end <= MINUTES_PER_WEEK
        ? [{ from: start, to: end }]
        : [
            { from: start, to: MINUTES_PER_WEEK },
            { from: 0, to: end - MINUTES_PER_WEEK },
          ]
    })
  })
}
