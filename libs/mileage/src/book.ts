import { invariant, type Instant } from '#kernel'
import { givesLocation, methodLine, type MethodChoice } from './methods'
import {
  odometerOffsetMm,
  soundReadings,
  type Reading,
  type Readings,
  type Replacement,
  type SoundReading,
} from './readings'

/** A trip as the mileage account knows it: how far, never where. */
export interface KnownTrip {
  readonly startedAt: Instant
  /** On roads, at fixes; between fixes; and where the map has no road. Millimetres. */
  readonly matchedMm: number
  readonly inferredMm: number
  readonly offNetworkMm: number
  /** Held for review: nothing is charged for it. */
  readonly held: boolean
}

/** All that is known of a vehicle's miles, in any order but that of choices, which is that of recording. */
export interface VehicleFacts {
  readonly readings: readonly Reading[]
  readonly replacements: readonly Replacement[]
  readonly trips: readonly KnownTrip[]
  readonly methods: readonly MethodChoice[]
}

/** Where the odometer stood. `read`: somebody read it about then; `reckoned` from a reading and trips; or `estimated`. */
export interface Standing {
  /** On the scale of the vehicle's life. */
  readonly lifeMm: number
  /** As the odometer in use then shows it. */
  readonly mm: number
  readonly basis: 'read' | 'reckoned' | 'estimated'
  /** Of lifeMm, what is estimated since the last reading. */
  readonly estimatedMm: number
}

export interface KnownMiles {
  readonly matchedMm: number
  readonly inferredMm: number
  readonly offNetworkMm: number
  readonly heldTrips: number
  readonly heldMm: number
}

const DAY_MS = 86_400_000
/** Usual miles are those of the last three months that were read. */
const USUAL_MS = 92 * DAY_MS
const USUAL_MS_MIN = 7 * DAY_MS
/**
 * 20 miles a day where nothing is known of a vehicle: 7,300 a year, on purpose below the 13,476 that an average driver in the
 * United States drives (FHWA): who is estimated must not be charged for more than they drove.
 */
export const UNKNOWN_USUAL_MM = 20 * 1_609_344

/**
 * Where a vehicle's odometer stood at any moment, from its readings and trips. Between two readings it has gone by the trips
 * of that time, and by what no trip explains evenly over the time without location, or over all of it where there is none.
 * Before the first reading it is reckoned back by trips, after the last one on by trips and, for time without location, by
 * what is usual for the vehicle. A function of the facts alone: their order of arrival changes nothing.
 */
export class OdometerBook {
  readonly readings: readonly SoundReading[]
  readonly contradictions: Readings['contradictions']
  private readonly line: readonly MethodChoice[]
  private readonly trips: readonly KnownTrip[]
  /** Sum of all trips before each one. */
  private readonly sums: Float64Array
  private readonly usualMmPerDay: number

  constructor(private readonly facts: VehicleFacts) {
    const { sound, contradictions } = soundReadings(facts.readings, facts.replacements)
    this.readings = sound
    this.contradictions = contradictions
    this.line = methodLine(facts.methods)
    this.trips = [...facts.trips].sort((a, b) => a.startedAt - b.startedAt)
    this.sums = new Float64Array(this.trips.length + 1)
    this.trips.forEach((trip, i) => (this.sums[i + 1] = this.sums[i] + lengthOf(trip)))
    this.usualMmPerDay = this.usual()
  }

  /** null where the odometer was never read. */
  at(at: Instant): Standing | null {
    const { readings } = this
    if (readings.length === 0) return null
    const offset = odometerOffsetMm(this.facts.replacements, at)
    const stood = (lifeMm: number, basis: Standing['basis'], estimatedMm = 0): Standing => ({
      lifeMm,
      mm: lifeMm - offset,
      basis,
      estimatedMm,
    })
    const next = readings.findIndex((reading) => reading.at > at)
    const before = readings[next < 0 ? readings.length - 1 : next - 1]
    if (!before) return stood(readings[0].lifeMm - this.knownMm(at, readings[0].at), 'reckoned')
    const gone = this.knownMm(before.at, at)
    const darkMs = this.darkMs(before.at, at)
    if (next < 0) {
      const estimatedMm = Number((BigInt(this.usualMmPerDay) * BigInt(darkMs)) / BigInt(DAY_MS))
      const basis = estimatedMm > 0 ? 'estimated' : gone > 0 ? 'reckoned' : 'read'
      return stood(before.lifeMm + gone + estimatedMm, basis, estimatedMm)
    }
    const after = readings[next]
    const rest = after.lifeMm - before.lifeMm - this.knownMm(before.at, after.at)
    const allDarkMs = this.darkMs(before.at, after.at)
    const [part, whole] = allDarkMs > 0 ? [darkMs, allDarkMs] : [at - before.at, after.at - before.at]
    const share = Number((BigInt(rest) * BigInt(part)) / BigInt(whole))
    return stood(before.lifeMm + gone + share, gone === 0 && share === 0 ? 'read' : 'reckoned')
  }

  /** What trips that began in [from, to) come to. */
  known(from: Instant, to: Instant): KnownMiles {
    let [matchedMm, inferredMm, offNetworkMm, heldTrips, heldMm] = [0, 0, 0, 0, 0]
    for (const trip of this.trips.slice(this.firstFrom(from), this.firstFrom(to))) {
      matchedMm += trip.matchedMm
      inferredMm += trip.inferredMm
      offNetworkMm += trip.offNetworkMm
      if (trip.held) {
        heldTrips++
        heldMm += lengthOf(trip)
      }
    }
    return { matchedMm, inferredMm, offNetworkMm, heldTrips, heldMm }
  }

  knownMm(from: Instant, to: Instant): number {
    invariant(from <= to, 'time goes forward')
    return this.sums[this.firstFrom(to)] - this.sums[this.firstFrom(from)]
  }

  /** Of [from, to), how long the vehicle gave no location. */
  darkMs(from: Instant, to: Instant): number {
    let dark = 0
    for (let at = from; at < to;) {
      const end = Math.min(to, this.line.find((choice) => choice.from > at)?.from ?? to) as Instant
      if (!givesLocation(this.line, at)) dark += end - at
      at = end
    }
    return dark
  }

  /** Index of the first trip that began at a moment or later. */
  private firstFrom(at: Instant): number {
    let [low, high] = [0, this.trips.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.trips[middle].startedAt < at) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Whole millimetres a day over the last months that were read. */
  private usual(): number {
    const last = this.readings.at(-1)
    const first = last && this.readings.find((reading) => reading.at >= last.at - USUAL_MS)
    if (!last || !first || last.at - first.at < USUAL_MS_MIN) return UNKNOWN_USUAL_MM
    const grown = Math.max(0, last.lifeMm - first.lifeMm)
    return Number((BigInt(grown) * BigInt(DAY_MS)) / BigInt(last.at - first.at))
  }
}

const lengthOf = (trip: KnownTrip): number => trip.matchedMm + trip.inferredMm + trip.offNetworkMm
