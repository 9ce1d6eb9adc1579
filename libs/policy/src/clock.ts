import { Temporal } from 'temporal-polyfill'
import { InputError, instant, invariant, type Instant, type Interval } from '#kernel'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
export const MINUTES_PER_WEEK = 7 * 24 * 60

/**
 * The clock on the wall of one IANA time zone. The span between two changes of its offset is kept, so reading it costs a
 * comparison and an addition; Temporal is asked once per span.
 */
export interface LocalClock {
  readonly timeZone: string
  /** Local time minus UTC, in milliseconds. */
  offsetMs(at: Instant): number
  /** Local calendar days since 1970-01-01. */
  dayNumber(at: Instant): number
  /** Minutes since Monday 00:00 on the wall, in [0, MINUTES_PER_WEEK): an hour that a DST change repeats repeats here. */
  minuteOfWeek(at: Instant): number
  /** `2026-10-25`. */
  day(at: Instant): string
  /** `2026-10`. */
  month(at: Instant): string
  /** [from, to) of a local day (`2026-10-25`, 23 to 25 hours long) or month (`2026-10`). */
  spanOf(period: string): Interval<Instant>
}

const clocks = new Map<string, LocalClock>()

/** Throws InputError where `timeZone` is no IANA name. */
export function localClock(timeZone: string): LocalClock {
  let clock = clocks.get(timeZone)
  if (!clock) {
    if (!isTimeZone(timeZone))
      throw new InputError('TIME_ZONE', `expected an IANA time zone such as Europe/Brussels, found "${timeZone}"`)
    clock = makeClock(timeZone)
    clocks.set(timeZone, clock)
  }
  return clock
}

/** Whether it is an IANA name; a bare offset such as `+01:00` is none, since it knows no summer time. */
export function isTimeZone(timeZone: string): boolean {
  if (!/^[A-Za-z]/.test(timeZone)) return false
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(timeZone)
    return true
  } catch {
    return false
  }
}

/** The text of a local day: `2026-10-25`. After H. Hinnant, "chrono-compatible low-level date algorithms". */
export function dayText(dayNumber: number): string {
  const z = dayNumber + 719_468
  const era = Math.floor(z / 146_097)
  const doe = z - era * 146_097
  const yoe = Math.floor((doe - Math.floor(doe / 1_460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365)
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100))
  const mp = Math.floor((5 * doy + 2) / 153)
  const month = mp < 10 ? mp + 3 : mp - 9
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0)
  const two = (n: number) => String(n).padStart(2, '0')
  return `${String(year).padStart(4, '0')}-${two(month)}-${two(doy - Math.floor((153 * mp + 2) / 5) + 1)}`
}

/** Local calendar days since 1970-01-01 of a day that is written as `2026-10-25`. */
export const dayNumberOf = (day: string): number => Math.round(Date.parse(`${day}T00:00Z`) / DAY_MS)

/** Days and months that are kept: those of some years, asked for again and again while a month is closed. */
const PERIODS_MAX = 1000

/** A stretch of time without a change of offset. */
interface Span {
  readonly from: number
  readonly to: number
  readonly offsetMs: number
}

function makeClock(timeZone: string): LocalClock {
  // As many spans as the zone has had changes of offset in the years asked for: two a year at most.
  const spans: Span[] = []
  let span: Span = { from: 0, to: 0, offsetMs: 0 }
  const periods = new Map<string, Interval<Instant>>()

  function offsetMs(at: Instant): number {
    if (at < span.from || at >= span.to) {
      let known = spans.find((s) => s.from <= at && at < s.to)
      if (!known) spans.push((known = spanAround(timeZone, at)))
      span = known
    }
    return span.offsetMs
  }
  const dayNumber = (at: Instant) => Math.floor((at + offsetMs(at)) / DAY_MS)
  const day = (at: Instant) => dayText(dayNumber(at))

  return {
    timeZone,
    offsetMs,
    dayNumber,
    minuteOfWeek(at) {
      // 1970-01-01 was a Thursday: three days after a Monday.
      const minute = Math.floor((at + offsetMs(at)) / MINUTE_MS + 3 * 1440) % MINUTES_PER_WEEK
      return minute < 0 ? minute + MINUTES_PER_WEEK : minute
    },
    day,
    month: (at) => day(at).slice(0, 7),
    spanOf(period) {
      const known = periods.get(period)
      if (known) return known
      invariant(/^\d{4}-\d\d(-\d\d)?$/.test(period), `expected a local day or month, found ${period}`)
      const isDay = period.length === 10
      const first = Temporal.PlainDate.from(isDay ? period : `${period}-01`)
      const next = first.add(isDay ? { days: 1 } : { months: 1 })
      const startOf = (date: Temporal.PlainDate) => instant(date.toZonedDateTime(timeZone).epochMilliseconds)
      const found = { from: startOf(first), to: startOf(next) }
      if (periods.size >= PERIODS_MAX) periods.clear()
      periods.set(period, found)
      return found
    },
  }
}

function spanAround(timeZone: string, at: Instant): Span {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone)
  // "previous" is strictly before, so asking one millisecond later includes a change at this very moment.
  const before = local.add({ milliseconds: 1 }).getTimeZoneTransition('previous')
  const after = local.getTimeZoneTransition('next')
  return {
    from: before?.epochMilliseconds ?? -Infinity,
    to: after?.epochMilliseconds ?? Infinity,
    offsetMs: local.offsetNanoseconds / 1e6,
  }
}
