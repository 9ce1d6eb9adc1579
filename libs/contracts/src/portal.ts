import { z } from 'zod'
import type { PricedBy } from './charge'
import type { RoadClass } from './roads'
import { VEHICLE_CLASSES } from './roads'
import { amountSchema, instantSchema } from './scalars'

/** Money in these documents is a decimal string of whole micros, a distance whole millimetres, a moment epoch milliseconds. */

/** A part of a drive on one road, under one rule: what its citizen sees on the map and in the table beside it. */
export interface RoadPiece {
  /** As signed; empty where unknown. */
  readonly road: string
  readonly roadClass: RoadClass
  /** Names of the zones that it lies in. */
  readonly zones: readonly string[]
  readonly enteredAt: number
  readonly leftAt: number
  readonly distanceMm: number
  /** Of which estimated between two fixes. */
  readonly inferredMm: number
  readonly rule: string
  readonly ruleName: string
  readonly rate: { readonly micros: string; readonly per: string } | null
  readonly freeReason: string | null
  /** Whose rule, rate and zones these are: of another road than this one only where that is cheaper. */
  readonly pricedBy: PricedBy
  /** This part of the price by distance, rounded for itself: the trip's lines are what is charged. */
  readonly amountMicros: string
  /** Longitude, latitude. */
  readonly line: readonly (readonly [number, number])[]
}

/** A road under a rule, with all that was driven on it in a month. */
export interface RoadUse extends Pick<RoadPiece, 'road' | 'roadClass' | 'ruleName' | 'rate' | 'freeReason'> {
  readonly trips: number
  readonly distanceMm: number
  readonly amountMicros: string
  readonly lines: readonly RoadPiece['line'][]
}

/** One line of what a trip costs, with the reason in words. */
export interface PricedLine {
  readonly day: string
  readonly roadClass: RoadClass
  readonly zones: readonly string[]
  readonly distanceMm: number
  readonly inferredMm: number
  readonly ruleName: string
  readonly rate: { readonly micros: string; readonly per: string } | null
  readonly count: number | null
  readonly freeReason: string | null
  readonly amountMicros: string
}

/** A trip in a list. */
export interface TripSummary {
  readonly trip: string
  readonly vehicle: string
  readonly vehicleName: string
  readonly startedAt: number
  readonly endedAt: number
  readonly month: string
  readonly state: string
  readonly distanceMm: number
  readonly freeMm: number
  readonly inferredMm: number
  readonly amountMicros: string
  /** The final statement, or the draft, that the trip is on. */
  readonly statement: string | null
}

/** `GET /v1/trips/{trip}`: `pieces` is null where the trip's locations were destroyed. */
export interface TripView extends TripSummary {
  readonly currency: string
  readonly lines: readonly PricedLine[]
  readonly pieces: readonly RoadPiece[] | null
}

/** `POST /v1/quote`: where from and to ([longitude, latitude]), when, in what. */
export const quoteSchema = z.strictObject({
  from: z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)]),
  to: z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)]),
  at: instantSchema,
  vehicleClass: z.enum(VEHICLE_CLASSES),
})
export interface Quote {
  readonly policy: string | null
  readonly currency: string
  readonly distanceMm: number
  readonly durationMs: number
  /** Before caps and allowances of the day and the month. */
  readonly amountMicros: string
  readonly lines: readonly PricedLine[]
  readonly pieces: readonly RoadPiece[]
}

/** What a month may cost before its citizen is told, and at which share of it already. */
export const budgetSchema = z.strictObject({
  amount: amountSchema.refine((text) => Number(text) > 0, 'expected more than nothing'),
  alertPercent: z.int().min(10).max(100),
})
export type Budget = z.infer<typeof budgetSchema>

/** What was driven on one day. */
export interface DaySum {
  readonly day: string
  readonly trips: number
  readonly distanceMm: number
  readonly amountMicros: string
}

/** `GET /v1/overview`: the month so far, against a usual month and what it will come to at that. */
export interface Overview {
  readonly month: string
  readonly today: string
  readonly days: readonly DaySum[]
  readonly soFarMicros: string
  readonly distanceMm: number
  readonly trips: number
  /** By the months before, at most three: null where there is none. */
  readonly usual: {
    readonly months: readonly string[]
    readonly byNowMicros: string
    readonly monthMicros: string
  } | null
  readonly projectedMicros: string
  readonly budget: (Budget & { readonly state: 'within' | 'near' | 'over' | 'will-be-over' }) | null
  /** Of the last month that was driven in before this one. */
  readonly before: { readonly month: string; readonly days: readonly DaySum[] } | null
}

/** A trip under way (`GET /v1/live`): provisional, until it has ended and is metered as a whole. */
export interface RunningTrip {
  readonly vehicle: string
  readonly vehicleName: string
  readonly startedAt: number
  readonly until: number
  readonly distanceMm: number
  readonly amountMicros: string
  readonly currency: string
  /** The road that it was on last; empty where unknown. */
  readonly road: string
}
export interface LiveNews {
  readonly at: number
  readonly running: readonly RunningTrip[]
}

/** A device of a citizen's vehicle. */
export interface OwnDevice {
  readonly device: string
  readonly vehicle: string
  readonly state: 'active' | 'invited' | 'revoked'
  readonly online: boolean | null
  readonly lastBatchAt: number | null
}
