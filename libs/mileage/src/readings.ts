import type { ReadingSource } from '#contracts'
import { InputError, MILE_MM, millimetres, type Instant, type Millimetres } from '#kernel'

/** What an odometer showed. */
export interface Reading {
  readonly at: Instant
  readonly mm: Millimetres
  readonly source: ReadingSource
}

/** From `at` on another odometer counts: the old one ended at `finalMm`, the new one began at `startMm`. */
export interface Replacement {
  readonly at: Instant
  readonly finalMm: Millimetres
  readonly startMm: Millimetres
  readonly source: ReadingSource
}

/** A reading that holds, on the one scale that goes on through every odometer of the vehicle. */
export interface SoundReading extends Reading {
  /** What the first odometer would show, had it never been replaced. */
  readonly lifeMm: number
}

export interface Readings {
  /** In order of time. */
  readonly sound: readonly SoundReading[]
  /** Device readings that contradict the others: lower than before, or higher than can be driven. */
  readonly contradictions: readonly { readonly at: Instant; readonly is: 'back' | 'jump' }[]
}

/** People read whole miles: two readings of different kinds may differ by one without contradiction. */
export const READING_SLACK_MM = MILE_MM
/** 252 km/h: nobody drives a month at that. */
const SPEED_MM_PER_MS_MAX = 70
/** A clock of ours that is behind must not refuse a reading of just now. */
const AHEAD_MS_MAX = 5 * 60_000

const RANK: Record<ReadingSource, number> = { device: 0, photo: 1, inspection: 2 }

const byTime = (a: SoundReading, b: SoundReading) =>
  a.at - b.at || a.lifeMm - b.lifeMm || RANK[b.source] - RANK[a.source]

/** What the odometer in use at a moment shows less than the scale of the vehicle's life. */
export function odometerOffsetMm(replacements: readonly Replacement[], at: Instant): number {
  let offset = 0
  for (const { at: from, finalMm, startMm } of inOrder(replacements)) if (from <= at) offset += finalMm - startMm
  return offset
}

const inOrder = (replacements: readonly Replacement[]) =>
  [...replacements].sort((a, b) => a.at - b.at || a.finalMm - b.finalMm)

/** Whether one reading can follow another: time and road go forward, no faster than a car. */
function follows(before: SoundReading, after: SoundReading): boolean {
  const grown = after.lifeMm - before.lifeMm
  return grown >= lowest(before, after) && grown <= highest(before, after)
}
const lowest = (a: Reading, b: Reading) => (a.source === b.source ? 0 : -READING_SLACK_MM)
const highest = (a: Reading, b: Reading) => (b.at - a.at) * SPEED_MM_PER_MS_MAX + 2 * READING_SLACK_MM

/**
 * The readings that hold together, whatever the order in which they came in: inspections before photos before what devices
 * say, and of one kind the most that don't contradict each other.
 */
export function soundReadings(readings: readonly Reading[], replacements: readonly Replacement[] = []): Readings {
  const all = [
    ...readings.map((reading): SoundReading => ({
      ...reading,
      lifeMm: reading.mm + odometerOffsetMm(replacements, reading.at),
    })),
    // Both ends of a replacement are one point of the vehicle's life.
    ...replacements.map(({ at, startMm, source }): SoundReading => ({
      at,
      mm: startMm,
      source: source === 'device' ? 'photo' : source,
      lifeMm: startMm + odometerOffsetMm(replacements, at),
    })),
  ].sort(byTime)
  let sound: SoundReading[] = []
  for (const source of ['inspection', 'photo', 'device'] as const) {
    const fitting = all.filter((reading) => reading.source === source && fits(sound, reading))
    sound = [...sound, ...longestChain(fitting)].sort(byTime)
  }
  const held = new Set(sound)
  const contradictions = all
    .filter((reading) => reading.source === 'device' && !held.has(reading))
    .map((reading) => {
      const before = sound[firstAfter(sound, reading.at) - 1]
      return { at: reading.at, is: before && reading.lifeMm < before.lifeMm ? ('back' as const) : ('jump' as const) }
    })
  return { sound, contradictions }
}

/** Index of the first reading later than a moment. */
function firstAfter(readings: readonly Reading[], at: Instant): number {
  let [low, high] = [0, readings.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (readings[middle].at <= at) low = middle + 1
    else high = middle
  }
  return low
}

function fits(sound: readonly SoundReading[], reading: SoundReading): boolean {
  const next = firstAfter(sound, reading.at)
  const [before, after] = [sound[next - 1], sound[next]]
  return (!before || follows(before, reading)) && (!after || follows(reading, after))
}

/** The most readings of which each can follow the one before; of equally many, those that were lowest. */
function longestChain(readings: readonly SoundReading[]): readonly SoundReading[] {
  if (readings.every((reading, i) => i === 0 || follows(readings[i - 1], reading))) return readings
  const length = new Array<number>(readings.length).fill(1)
  const before = new Array<number>(readings.length).fill(-1)
  let last = 0
  for (let i = 0; i < readings.length; i++) {
    for (let j = 0; j < i; j++)
      if (length[j] + 1 > length[i] && follows(readings[j], readings[i])) {
        length[i] = length[j] + 1
        before[i] = j
      }
    if (length[i] > length[last] || (length[i] === length[last] && readings[i].lifeMm < readings[last].lifeMm)) last = i
  }
  const chain: SoundReading[] = []
  for (let i = last; i >= 0; i = before[i]) chain.push(readings[i])
  return chain.reverse()
}

/**
 * Checks a reading by a person against those that are known: a photo against all that hold, an inspection against
 * inspections alone, since it is what settles a dispute. Throws InputError READING_FUTURE, READING_LOWER, READING_HIGHER or
 * READING_SPEED.
 */
export function admitReading(
  reading: Reading,
  known: readonly Reading[],
  replacements: readonly Replacement[],
  now: Instant,
): void {
  if (reading.at > now + AHEAD_MS_MAX)
    throw new InputError('READING_FUTURE', `the reading is of ${iso(reading.at)}, which is still to come`)
  const witnesses = reading.source === 'inspection' ? known.filter(({ source }) => source === 'inspection') : known
  const { sound } = soundReadings(witnesses, replacements)
  const offset = odometerOffsetMm(replacements, reading.at)
  const own: SoundReading = { ...reading, lifeMm: reading.mm + offset }
  const next = firstAfter(sound, reading.at)
  const [before, after] = [sound[next - 1], sound[next]]
  const said = `the reading of ${iso(reading.at)} is ${kilometres(reading.mm)}`
  if (before && own.lifeMm - before.lifeMm < lowest(before, own))
    throw new InputError(
      'READING_LOWER',
      `${said}, lower than the ${kilometres(before.lifeMm - offset)} of ${iso(before.at)}; if there is a new odometer, report that first`,
    )
  if (after && after.lifeMm - own.lifeMm < lowest(own, after))
    throw new InputError(
      'READING_HIGHER',
      `${said}, higher than the ${kilometres(after.lifeMm - offset)} of ${iso(after.at)}, which is later`,
    )
  if ((before && !follows(before, own)) || (after && !follows(own, after)))
    throw new InputError('READING_SPEED', `${said}: no car gets there from the reading next to it in that time`)
}

/** Checks that a new odometer takes over where the old one can have ended; the codes of admitReading. */
export function admitReplacement(
  { at, finalMm, source }: Replacement,
  known: readonly Reading[],
  replacements: readonly Replacement[],
  now: Instant,
): void {
  const later = replacements.find((other) => other.at >= at)
  if (later)
    throw new InputError('REPLACED_LATER', `the odometer was replaced on ${iso(later.at)} already, which is no earlier`)
  // What was read since is of the new odometer, and judged when the replacement is known.
  const before = known.filter((reading) => reading.at <= at)
  admitReading({ at, mm: finalMm, source }, before, replacements, now)
}

const iso = (at: Instant) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')
const kilometres = (mm: number) => `${(millimetres(mm) / 1_000_000).toFixed(1)} km`
