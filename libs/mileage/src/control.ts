import type { Signal } from '#contracts'
import { FATES, type FixColumns, type Match } from '#map-matching'
import { HARD_LIMIT_PERMILLE, toleratedMm, TOLERANCE_PERMILLE } from './account'
import type { OdometerBook } from './book'
import type { OdometerPair, TripDistances } from './distances'

/**
 * What comparing a trip's distances says. `deviates`: metered and odometer are further apart than the tolerance, and the trip
 * is held: nothing is charged for it until somebody has looked (the driver has the benefit of the doubt).
 */
export type Verdict =
  | { readonly is: 'agrees' }
  /** No odometer to compare with, or too little of the trip between its readings. */
  | { readonly is: 'unwitnessed' }
  | {
      readonly is: 'deviates'
      /** Thousandths of the odometer's distance; above zero where more was metered. */
      readonly permille: number
      /** Beyond what the statute allows. */
      readonly hard: boolean
      /** Who stands alone: the fixes' own distance is nearer to the other one. */
      readonly suspect: 'odometer' | 'matching'
    }

/** Odometers count in tenths of a kilometre or of a mile: two readings are off by that at most. */
const TRIP_SLACK_MM = 200_000

/** By how much what was metered of a trip may be off so much odometer growth. */
export const tripToleranceMm = (odometerMm: number, permille = TOLERANCE_PERMILLE): number =>
  Math.max(TRIP_SLACK_MM, Math.floor((odometerMm * permille) / 1000))

/** Compares the three distances of a trip, within a tolerance in thousandths. */
export function controlTrip(
  { odometerMm, meteredMm, matchedMm, inferredMm, offNetworkMm, rawMm }: TripDistances,
  tolerancePermille = TOLERANCE_PERMILLE,
): Verdict {
  const wholeMm = matchedMm + inferredMm + offNetworkMm
  // Readings around less than half of what was driven don't witness the trip.
  if (odometerMm === null || meteredMm === null || meteredMm * 2 < wholeMm || odometerMm === 0)
    return { is: 'unwitnessed' }
  const apartMm = meteredMm - odometerMm
  const beyond = (permille: number) => Math.abs(apartMm) > tripToleranceMm(odometerMm, permille)
  if (!beyond(tolerancePermille)) return { is: 'agrees' }
  const rawThereMm = wholeMm === 0 ? 0 : (rawMm * meteredMm) / wholeMm
  return {
    is: 'deviates',
    permille: Math.round((apartMm * 1000) / odometerMm),
    hard: beyond(HARD_LIMIT_PERMILLE),
    suspect: Math.abs(rawThereMm - meteredMm) <= Math.abs(rawThereMm - odometerMm) ? 'odometer' : 'matching',
  }
}

export type SignalCounts = Readonly<Partial<Record<Signal, number>>>

/** A clock that goes back by more than this is not a receiver that settles. */
const CLOCK_BACK_MS_MIN = 60_000
/** Once is a cold start; this often it is a habit. */
const CLOCK_JUMPS_MIN = 3
/** Reflections make single fixes impossible: not this many, nor this share of a trip. */
const IMPLAUSIBLE_MIN = 5
const IMPLAUSIBLE_SHARE_MIN = 0.05

/** Signs of tampering within one trip. */
export function tripSignals(
  fixes: FixColumns,
  fates: Match['fates'],
  pairs: readonly OdometerPair[],
  verdict: Verdict,
): SignalCounts {
  let [clockJumps, latest, implausible, back] = [0, -Infinity, 0, 0]
  for (let i = 0; i < fixes.length; i++) {
    if (fixes.at[i] < latest - CLOCK_BACK_MS_MIN) {
      clockJumps++
      latest = fixes.at[i]
    }
    latest = Math.max(latest, fixes.at[i])
    if (FATES[fates[i]] === 'implausible') implausible++
  }
  for (let i = 1; i < pairs.length; i++) if (pairs[i][1] < pairs[i - 1][1]) back++
  return present({
    'odometer-back': back,
    'clock-jumps': clockJumps >= CLOCK_JUMPS_MIN ? clockJumps : 0,
    'impossible-speed':
      implausible >= IMPLAUSIBLE_MIN && implausible >= fixes.length * IMPLAUSIBLE_SHARE_MIN ? implausible : 0,
    'distance-deviation': verdict.is === 'deviates' && verdict.hard ? 1 : 0,
  })
}

/** Metered and odometer distance of the trips of a month that have both. */
export interface MonthRatio {
  readonly meteredMm: number
  readonly odometerMm: number
}

/** Below this a month says nothing about a ratio. */
const RATIO_MM_MIN = 50_000_000

/**
 * Signs of tampering in a vehicle's account of [from, to): the odometer going back, jumping, growing while nothing was heard
 * of the device, or drifting away from what is metered, against the months before.
 */
export function accountSignals(
  book: OdometerBook,
  span: { readonly from: number; readonly to: number },
  replaced: number,
  now: MonthRatio,
  before: MonthRatio,
): SignalCounts {
  const within = ({ at }: { readonly at: number }) => span.from <= at && at < span.to
  const contradicting = (is: 'back' | 'jump') =>
    book.contradictions.filter((reading) => reading.is === is && within(reading)).length
  let silent = 0
  for (let i = 1; i < book.readings.length; i++) {
    const [a, b] = [book.readings[i - 1], book.readings[i]]
    if (a.source !== 'device' || b.source !== 'device' || !within(b)) continue
    if (book.darkMs(a.at, b.at) > 0) continue
    const grown = b.lifeMm - a.lifeMm
    if (grown - book.knownMm(a.at, b.at) > toleratedMm(grown)) silent++
  }
  const isTelling = now.odometerMm >= RATIO_MM_MIN && before.odometerMm >= RATIO_MM_MIN
  const drift = isTelling ? Math.abs(now.meteredMm / now.odometerMm - before.meteredMm / before.odometerMm) : 0
  return present({
    'odometer-back': contradicting('back'),
    'odometer-jump': contradicting('jump'),
    'odometer-without-heartbeat': silent,
    'odometer-replaced': replaced,
    'ratio-drift': drift * 1000 > TOLERANCE_PERMILLE ? 1 : 0,
  })
}

const present = (counts: Partial<Record<Signal, number>>): SignalCounts =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))
