import type { Digest, Instant, Micros, Millimetres, PolicyId, TripId, VehicleId } from '#kernel'
import type { Access, RoadClass } from './roads'

/** What pricing needs of a road other than the one that is said to have been driven. */
export interface OtherRoad {
  readonly roadClass: RoadClass
  readonly access: Access
  /** Of the policy in force when the stretch was entered, sorted. */
  readonly zones: readonly string[]
}

/** Whose price a distance has: its own road's, a rival's, or that of the ends of the long silence in which it was driven. */
export type PricedBy = 'road' | 'rival' | 'ends'

/** Roads other than its own that a stretch isn't to be dearer than. */
export interface OtherRoads {
  /** Another road that may as well have been driven, where it ran beside the least sure of the fixes: the cheaper of both is charged. */
  readonly rival?: OtherRoad
  /** Where the vehicle was before and after a long silence, in which it drove this: never charged at more than the dearer of both. */
  readonly between?: readonly [OtherRoad, OtherRoad]
}

/** A piece of one trip on one road segment in one set of zones: what there is to price. */
export interface Stretch extends OtherRoads {
  /** Stable reference of the directed segment (see road-network). */
  readonly segment: string
  readonly fromMm: Millimetres
  readonly toMm: Millimetres
  readonly enteredAt: Instant
  readonly leftAt: Instant
  readonly roadClass: RoadClass
  readonly access: Access
  /** Ids of the zones of the policy in force at `enteredAt`, sorted. */
  readonly zones: readonly string[]
  /** Driven between two fixes that lie on other segments, or in a long silence; nothing was measured here itself. */
  readonly inferred: boolean
  /** Thousandths. */
  readonly confidence: number
  /** How many fixes lie on it. */
  readonly fixes: number
  /** Another way that may as well have been driven is shorter by this stretch: it is not charged. Absent where nothing is in doubt. */
  readonly inDoubt?: true
}

/**
 * What a trip used, without its price. Rating sees this and never the matcher. Its digest identifies the trip's metering:
 * the same fixes on the same network by the same engine give the same bytes.
 */
export interface ChargeReport {
  readonly v: 1
  readonly trip: TripId
  readonly vehicle: VehicleId
  readonly startedAt: Instant
  readonly endedAt: Instant
  /** Digest of the network that it was matched on. */
  readonly network: Digest
  /** Version of the engine that matched it. */
  readonly engine: string
  readonly stretches: readonly Stretch[]
  /** Sum of the stretches. */
  readonly matchedMm: Millimetres
  /** One fate for every accepted fix: counts that add up to the fixes of the trip. */
  readonly fixes: {
    readonly accepted: number
    readonly matched: number
    /** By reason; `off-network` is driving where the map has no road. */
    readonly unmatched: Readonly<Record<string, number>>
  }
  /** Places where the drive could not be followed. Nothing is charged across them. */
  readonly breaks: number
  /** Decisions on a road that could not wait for what came later, because too much was undecided. Absent where none. */
  readonly forced?: number
}

/** A rate: micros for each mile or km, or a flat price for each entry into a zone, or exit from it, or for each trip. */
export interface Rate {
  readonly micros: Micros
  readonly per: 'mile' | 'km' | 'entry' | 'trip'
}

/** One line of a trip's price: all its stretches under the same rule, class, zones and local day. */
export interface Charge {
  readonly trip: TripId
  readonly policy: PolicyId
  readonly rule: string
  readonly roadClass: RoadClass
  readonly zones: readonly string[]
  /** Local day (in the policy's time zone) on which the stretches were entered. */
  readonly day: string
  readonly distanceMm: Millimetres
  /** Of which between fixes on other segments. */
  readonly inferredMm: Millimetres
  readonly fixes: number
  /** null on a free line, and then `freeReason` says why. */
  readonly rate: Rate | null
  readonly freeReason: string | null
  /** How often a flat price is due; a line of distance has none. */
  readonly count?: number
  readonly amount: Micros
}

/**
 * A span over which an accrual (a cap, an allowance, ...) counts, for one vehicle: `2026-10-25` for a day, `2026-10` for a
 * month, `2026` for a year, the trip's id for a trip.
 */
export interface Window {
  readonly policy: PolicyId
  /** Id of the accrual. */
  readonly cap: string
  readonly vehicle: VehicleId
  readonly span: string
}
