import { type Statement } from '#contracts'
import { formatMicros, type Micros } from '#kernel'
import { amountOf, localClock } from '#policy'

/** Why a statement must be looked at by a person before it is sealed. */
export interface Doubt {
  readonly reason: 'ten-times' | 'faster-than-cars' | 'two-places' | 'more-than-the-month'
  readonly detail: string
}

/** A bill is compared with the last one from this many coins on: a first full month after a first day isn't worth a look. */
const COINS_MIN = 1000n
const TIMES_MAX = 10n
/** 260 km/h: no road vehicle keeps that up over a whole journey. */
const FASTEST_MM_PER_MS = 72
/** Below this a journey is shorter than what positions are off by. */
const JOURNEY_MM_MIN = 1_000_000
/** 130 km/h around the clock for a month. */
const STEADY_MM_PER_MS = 36

/**
 * What can't well be true of a statement: a bill more than ten times the last (`lastExact`, null where there was none), more
 * distance than its hours allow, a vehicle in two places at once. Each reason once.
 */
export function doubtsOf(statement: Statement, lastExact: Micros | null): Doubt[] {
  const { coin, currency, journeys, totals } = statement
  const doubts = new Map<Doubt['reason'], string>()
  const doubt = (reason: Doubt['reason'], detail: string) => {
    if (!doubts.has(reason)) doubts.set(reason, detail)
  }
  const least = amountOf(coin) * COINS_MIN
  if (lastExact !== null && totals.exact > TIMES_MAX * (lastExact > least ? lastExact : least))
    doubt(
      'ten-times',
      `${currency} ${formatMicros(totals.exact)} after ${currency} ${formatMicros(lastExact)} the month before`,
    )
  const until = new Map<string, number>()
  const driven = new Map<string, number>()
  for (const { trip, vehicle, lines, startedAt, endedAt, month } of journeys) {
    const mm = lines.reduce((sum, line) => sum + line.distanceMm, 0)
    if (mm > JOURNEY_MM_MIN && mm > FASTEST_MM_PER_MS * (endedAt - startedAt))
      doubt('faster-than-cars', `journey ${trip}: ${mm} mm in ${endedAt - startedAt} ms`)
    if (startedAt < (until.get(vehicle) ?? -Infinity))
      doubt('two-places', `journey ${trip} began before the one before it of the same vehicle had ended`)
    until.set(vehicle, Math.max(endedAt, until.get(vehicle) ?? -Infinity))
    if (month === statement.month) driven.set(vehicle, (driven.get(vehicle) ?? 0) + mm)
  }
  for (const { vehicle, month, lines } of statement.mileage ?? [])
    if (month === statement.month)
      driven.set(vehicle, (driven.get(vehicle) ?? 0) + lines.reduce((sum, line) => sum + line.distanceMm, 0))
  const { from, to } = localClock(statement.timeZone).spanOf(statement.month)
  for (const [vehicle, mm] of driven)
    if (mm > STEADY_MM_PER_MS * (to - from)) doubt('more-than-the-month', `vehicle ${vehicle}: ${mm} mm in a month`)
  return [...doubts].map(([reason, detail]) => ({ reason, detail }))
}
