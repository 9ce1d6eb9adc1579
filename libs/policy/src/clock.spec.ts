import fc from 'fast-check'
import { instant } from '#kernel'
import { dayText, localClock, MINUTES_PER_WEEK } from '#policy'

const at = (iso: string) => instant(Date.parse(iso))
const HOUR = 3_600_000

describe('local clock', () => {
  it('gives a day of 25 hours one day and repeats its hour on the wall', () => {
    const clock = localClock('Europe/Brussels')
    const day = clock.spanOf('2026-10-25')
    expect(day).toEqual({ from: at('2026-10-24T22:00Z'), to: at('2026-10-25T23:00Z') })
    expect([day.from, day.to - 1].map((t) => clock.day(instant(t)))).toEqual(['2026-10-25', '2026-10-25'])
    expect(clock.day(instant(day.to))).toBe('2026-10-26')
    // 02:30 summer time and 02:30 winter time, an hour apart: the same minute of a Sunday.
    const summer = at('2026-10-25T02:30+02:00')
    const winter = at('2026-10-25T02:30+01:00')
    expect(winter - summer).toBe(HOUR)
    expect(clock.minuteOfWeek(summer)).toBe(6 * 1440 + 150)
    expect(clock.minuteOfWeek(winter)).toBe(6 * 1440 + 150)
  })

  it('skips the hour that a day of 23 hours does not have', () => {
    const clock = localClock('America/New_York')
    const { from, to } = clock.spanOf('2026-03-08')
    expect((to - from) / HOUR).toBe(23)
    const before = at('2026-03-08T01:59:59-05:00')
    expect(clock.minuteOfWeek(instant(before + 1000)) - clock.minuteOfWeek(before)).toBe(61)
  })

  it('spans a month from local midnight to local midnight', () => {
    const clock = localClock('America/Los_Angeles')
    expect(clock.spanOf('2026-12')).toEqual({ from: at('2026-12-01T08:00Z'), to: at('2027-01-01T08:00Z') })
    expect(clock.month(at('2027-01-01T07:59:59Z'))).toBe('2026-12')
  })

  it('refuses what is no time zone', () => {
    expect(() => localClock('Mars/Base')).toThrow(
      'expected an IANA time zone such as Europe/Brussels, found "Mars/Base"',
    )
    expect(() => localClock('+01:00')).toThrow('expected an IANA time zone')
  })

  it('agrees with Intl on the day and the time of day, in any order of asking', () => {
    const zones = [
      'Europe/Brussels',
      'America/New_York',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'Pacific/Apia',
      'UTC',
    ]
    const oracles = zones.map(
      (timeZone) =>
        new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short', hourCycle: 'h23' }),
    )
    const weekdays = zones.map((timeZone) => new Intl.DateTimeFormat('en-US', { timeZone, weekday: 'short' }))
    fc.assert(
      fc.property(fc.nat(zones.length - 1), fc.integer({ min: 0, max: 2_200_000_000 }), (z, s) => {
        const t = instant(s * 1000)
        const clock = localClock(zones[z])
        const minute = clock.minuteOfWeek(t)
        const two = (n: number) => String(n).padStart(2, '0')
        const time = `${two(Math.floor((minute % 1440) / 60))}:${two(minute % 60)}`
        expect(`${clock.day(t)} ${time}`).toBe(oracles[z].format(t))
        expect(minute).toBeLessThan(MINUTES_PER_WEEK)
        const weekday = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'][Math.floor(minute / 1440)]
        expect(weekday).toBe(weekdays[z].format(t))
      }),
      { numRuns: 500 },
    )
  })

  it('writes days as ISO 8601 does, leap days and days before 1970 included', () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 700_000 }), (day) => {
        const date = new Date(day * 86_400_000)
        fc.pre(date.getUTCFullYear() >= 0)
        expect(dayText(day)).toBe(date.toISOString().slice(0, 10))
      }),
    )
  })
})
