import type Holidays from 'date-holidays'
import { type PolicyDocument } from '#contracts'
import { type Fault } from '#kernel'

/** Calendar years, the first included, for which a policy without an end knows its holidays. */
export const HOLIDAY_YEARS = 10

type Calendar = NonNullable<PolicyDocument['holidays']>

/** Loaded when a calendar is first read: it takes 100 ms, and most who read policies need none. */
// eslint-disable-next-line @typescript-eslint/no-require-imports
const calendars = (): typeof Holidays => require('date-holidays')

/** Reading the rules of all countries takes long, and reckoning years longer: both are done once. */
let places: Holidays | null = null
const reckoned = new Map<string, readonly string[]>()

/** What is wrong with where a calendar is of. */
export function calendarFaults({ country, state, region, dates }: Calendar): Fault[] {
  const fault = (path: string, expected: string, found: string): Fault[] => [
    { path: `holidays.${path}`, expected, found },
  ]
  if (!country) return dates ? [] : fault('country', 'expected a country code such as BE, or dates', 'nothing')
  places ??= new (calendars())()
  const oneOf = (known: Record<string, string> | undefined) =>
    known ? `expected one of ${Object.keys(known).slice(0, 60).join(', ')}` : 'expected none'
  if (!places.getCountries()[country]) return fault('country', 'expected a country whose holidays are known', country)
  const states = places.getStates(country) as Record<string, string> | undefined
  if (state !== undefined && !states?.[state]) return fault('state', oneOf(states), state)
  const regions =
    state === undefined ? undefined : (places.getRegions(country, state) as Record<string, string> | undefined)
  if (region !== undefined && !regions?.[region]) return fault('region', oneOf(regions), region)
  return []
}

/**
 * The calendar with its dates written down: public holidays of the years from `from` up to `to` (at most HOLIDAY_YEARS). They
 * are part of the policy from then on, so that no later version of the calendar's rules changes what was published. A
 * calendar that has dates is what it is.
 */
export function datedHolidays(calendar: Calendar, fromYear: number, toYear: number): Calendar {
  if (calendar.dates || !calendar.country) return calendar
  const { country, state, region } = calendar
  const last = Math.min(toYear, fromYear + HOLIDAY_YEARS - 1)
  const key = [country, state, region, fromYear, last].join()
  let dates = reckoned.get(key)
  if (!dates) {
    if (reckoned.size > 1_000) reckoned.clear()
    reckoned.set(key, (dates = reckon(place(country, state, region), fromYear, last)))
  }
  return { ...calendar, dates: [...dates] }
}

function place(country: string, state?: string, region?: string): Holidays {
  const Calendar = calendars()
  if (state === undefined) return new Calendar(country)
  return region === undefined ? new Calendar(country, state) : new Calendar(country, state, region)
}

function reckon(calendar: Holidays, fromYear: number, toYear: number): string[] {
  const dates = new Set<string>()
  for (let year = fromYear; year <= toYear; year++)
    for (const { type, date } of calendar.getHolidays(year)) if (type === 'public') dates.add(date.slice(0, 10))
  return [...dates].sort()
}
