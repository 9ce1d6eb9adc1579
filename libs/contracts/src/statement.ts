import { z } from 'zod'
import { ROAD_CLASSES, VEHICLE_CLASSES } from './roads'
import {
  amountSchema,
  daySchema,
  digestSchema,
  instantSchema,
  microsSchema,
  millimetresSchema,
  monthSchema,
} from './scalars'
import { vehicleProfileSchema } from './vehicle'

export const JOURNEYS_PER_STATEMENT_MAX = 20_000

const text = z.string().max(200)
const distanceSchema = millimetresSchema.refine((mm) => mm >= 0, 'expected no distance below zero')

/** One charge of a journey, with the reason for its amount. */
export const statementLineSchema = z.strictObject({
  /** Empty where no policy was in force. */
  policy: text,
  rule: text,
  ruleName: text,
  roadClass: z.enum(ROAD_CLASSES),
  zones: z.array(text).max(500),
  day: daySchema,
  distanceMm: distanceSchema,
  /** Of which between fixes on other segments. */
  inferredMm: distanceSchema,
  rate: z.strictObject({ micros: microsSchema, per: z.enum(['mile', 'km', 'entry', 'trip']) }).nullable(),
  /** Why nothing is charged; null where there is a rate. */
  freeReason: text.nullable(),
  /** How often a flat price (per entry or trip) is due; absent on a line of distance. */
  count: z.int().min(1).optional(),
  amount: microsSchema,
})

export const journeySchema = z.strictObject({
  trip: text,
  vehicle: text,
  /** The month in which the trip began: before the statement's where the trip arrived late. */
  month: monthSchema,
  startedAt: instantSchema,
  endedAt: instantSchema,
  /** Digest of the charge report that was priced. */
  report: digestSchema,
  engine: text,
  network: digestSchema,
  /** What was known of the vehicle when the trip began, where a tariff may ask for it. */
  profile: vehicleProfileSchema.optional(),
  lines: z.array(statementLineSchema).max(10_000),
  amount: microsSchema,
})

/**
 * A journey of an earlier statement that was priced again because a dispute was upheld. Its `lines` are what holds now, `was` what
 * had been charged, its amount the difference.
 */
export const correctedJourneySchema = journeySchema.extend({
  dispute: text,
  /** 1 for the first correction of the journey. */
  revision: z.int().min(1),
  because: z.string().max(2_000),
  /** What the vehicle was found to be. */
  vehicleClass: z.enum(VEHICLE_CLASSES).optional(),
  was: z.array(statementLineSchema).max(10_000),
})

/** `missing`: odometer growth beyond tolerance that no trip explains. `odometer`, `permit`: what the citizen chose. */
export const MILEAGE_KINDS = ['missing', 'odometer', 'permit'] as const

/** What an accrual (a cap, an allowance, a tax, ...) took off or added, as far as no earlier statement has done so. */
export const capCreditSchema = z.strictObject({
  policy: text,
  cap: text,
  capName: text,
  vehicle: text,
  /** The month that it belongs to. */
  month: monthSchema,
  /** What it counts over: `2026-10-25` for a day, `2026-10` for a month, `2026` for a year, a trip's id for a trip. */
  span: text,
  /** The most of a cap, the least of a minimum; 0 for others. */
  limit: microsSchema,
  /** What it counts in this span and earlier statements hold; the rest of it is on this one. */
  grossBefore: microsSchema,
  /** Of that, by distance; the fuel tax that was paid for it; flat prices by the beginning of their trip. Absent where none. */
  distanceBeforeMm: distanceSchema.optional(),
  fuelTaxBefore: microsSchema.optional(),
  flatsBefore: z
    .array(z.tuple([instantSchema, microsSchema]))
    .max(10_000)
    .optional(),
  /** What earlier statements hold of the credit itself. */
  creditBefore: microsSchema.optional(),
  /** Below zero for what is given back. */
  amount: microsSchema,
})

/** By the odometer: what was driven where nobody knows, and days under a time permit. */
export const mileageLineSchema = z.strictObject({
  kind: z.enum(MILEAGE_KINDS),
  policy: text,
  /** All that the account of the month has of this kind under this policy, also where earlier statements hold a part of it. */
  distanceMm: millimetresSchema,
  /** Of which from no reading, but from what is usual for the vehicle. A later reading corrects it. */
  estimatedMm: millimetresSchema,
  /** Local days under a permit; 0 for distances. */
  days: z.int().min(0),
  rate: z.strictObject({ micros: microsSchema, per: z.enum(['mile', 'km', 'day']) }).nullable(),
  /** Why nothing is charged; null where there is a rate. */
  freeReason: text.nullable(),
  /** What earlier statements hold of it, and of its distance; absent where they hold no distance. */
  billed: microsSchema,
  billedMm: millimetresSchema.optional(),
  /** Its price less what is billed: below zero where a reading or a late trip showed that too much was estimated. */
  amount: microsSchema,
})

/**
 * The odometer of a vehicle over a month, or the part of it in which the account had the vehicle, as a bookkeeper would:
 * opening + matched + off-network + inferred + unreconciled + replaced = closing, in whole millimetres.
 */
export const mileageAccountSchema = z.strictObject({
  vehicle: text,
  /** Before the statement's where readings or trips came in after the month was closed. */
  month: monthSchema,
  from: instantSchema,
  to: instantSchema,
  /** What was known of the vehicle as it began, where a tariff may ask for it. */
  profile: vehicleProfileSchema.optional(),
  /** null where no reading of the odometer is known. */
  openingMm: millimetresSchema.nullable(),
  closingMm: millimetresSchema.nullable(),
  /** `read` from the odometer about then, `reckoned` from the last reading and the trips since, or `estimated`. */
  closingIs: z.enum(['read', 'reckoned', 'estimated', 'unknown']),
  matchedMm: distanceSchema,
  inferredMm: distanceSchema,
  offNetworkMm: distanceSchema,
  unreconciledMm: millimetresSchema,
  /** What a new odometer shows more than the old one did: below zero as a rule. */
  replacedMm: millimetresSchema,
  /** Trips that are held for review: nothing is charged for them meanwhile. */
  heldTrips: z.int().min(0),
  heldMm: distanceSchema,
  lines: z.array(mileageLineSchema).max(100),
})

const sentences = z.array(z.string().max(2_000)).max(1_000)

/** A policy that took over within the month: the sentences of the one before that no longer hold, and those that hold instead. */
export const rateChangeSchema = z.strictObject({
  /** First day on which it is in force. */
  from: daySchema,
  policy: text,
  replaced: text,
  was: sentences,
  now: sentences,
  /** The same in Spanish; absent in statements from before it was said. */
  es: z.strictObject({ was: sentences, now: sentences }).optional(),
})
export type RateChange = z.infer<typeof rateChangeSchema>

/** What the month would have cost otherwise. */
export const comparisonSchema = z.strictObject({
  kind: z.enum(['flat-fee', 'fuel-tax']),
  name: text,
  amount: microsSchema,
  /** How it is reckoned, in words. */
  because: text,
  /** And in numbers, for words of other languages: money per month or unit of fuel, and how far one of those goes. */
  terms: z
    .strictObject({
      amount: amountSchema,
      per: z.enum(['month', 'gallon', 'litre']),
      economy: amountSchema.optional(),
    })
    .optional(),
})
export type Comparison = z.infer<typeof comparisonSchema>

export const statementTotalsSchema = z.strictObject({
  trips: z.int().min(0),
  chargedMm: distanceSchema,
  freeMm: distanceSchema,
  /** Of charged and free distance together, what was estimated between fixes. */
  inferredMm: distanceSchema,
  freeByReason: z.array(z.strictObject({ reason: text, distanceMm: distanceSchema })),
  /** Lines of trips of this month. */
  charges: microsSchema,
  /** By the odometer, of vehicles without location or beyond what trips explain; absent where the statement has no mileage. */
  mileageMm: millimetresSchema.optional(),
  /** Of which estimated. */
  estimatedMm: millimetresSchema.optional(),
  /** Cap credits of this month. */
  credits: microsSchema,
  /** Lines and credits of earlier months. */
  adjustments: microsSchema,
  /** charges + credits + adjustments, exact. */
  exact: microsSchema,
  /** due - exact: what rounding to the coin added. */
  rounding: microsSchema,
  due: microsSchema,
  /** Whose revenue the exact amount is. */
  byJurisdiction: z.array(z.strictObject({ jurisdiction: text, amount: microsSchema })),
})

/**
 * A month of one account: all that is needed to print it and, with the published policies, to recompute it. Journeys and
 * credits of months before the statement's are adjustments for trips that arrived after their own month was closed.
 */
export const statementSchema = z.strictObject({
  v: z.literal(1),
  id: text,
  agency: z.strictObject({
    id: text,
    name: text,
    /** Whom to ask: an address, a telephone number, a page. */
    contact: text.optional(),
  }),
  account: z.strictObject({ id: text, name: text }),
  month: monthSchema,
  currency: z.string().regex(/^[A-Z]{3}$/, 'expected a currency code such as USD'),
  /** Smallest coin in the currency unit: what `due` is rounded to. */
  coin: amountSchema,
  /** The unit that distances are printed in. */
  unit: z.enum(['mile', 'km']),
  timeZone: text,
  draftedAt: instantSchema,
  /** Last day on which a line can be questioned before the statement is sealed. */
  reviewUntil: daySchema,
  dueOn: daySchema,
  vehicles: z.array(z.strictObject({ vehicle: text, name: text, vehicleClass: z.enum(VEHICLE_CLASSES) })),
  journeys: z.array(journeySchema).max(JOURNEYS_PER_STATEMENT_MAX),
  capCredits: z.array(capCreditSchema).max(JOURNEYS_PER_STATEMENT_MAX),
  /** Accounts of vehicles of which an odometer reading is known or that gave no location; absent where there is none. */
  mileage: z.array(mileageAccountSchema).max(10_000).optional(),
  /** Absent where there is none. */
  corrections: z.array(correctedJourneySchema).max(JOURNEYS_PER_STATEMENT_MAX).optional(),
  totals: statementTotalsSchema,
  /** Absent where no policy took over within the month. */
  rateChanges: z.array(rateChangeSchema).optional(),
  /** Absent where the policy names nothing to compare with. */
  comparisons: z.array(comparisonSchema).optional(),
  /** Days after the seal after which locations are destroyed; absent where the policy says none. */
  retentionDays: z.int().min(0).optional(),
  /** What made it; the policies' zones by id and name, and in words the hours of rules that have some. */
  madeBy: z.strictObject({
    engines: z.array(text),
    networks: z.array(digestSchema),
    policies: z.array(
      z.strictObject({
        id: text,
        name: text,
        digest: digestSchema,
        jurisdiction: text,
        zones: z.record(text, text),
        hours: z.record(text, text).optional(),
      }),
    ),
  }),
})
export type Statement = z.infer<typeof statementSchema>
export type Journey = z.infer<typeof journeySchema>
export type CorrectedJourney = z.infer<typeof correctedJourneySchema>
export type CapCredit = z.infer<typeof capCreditSchema>
export type StatementLine = z.infer<typeof statementLineSchema>
export type MileageLine = z.infer<typeof mileageLineSchema>
export type MileageAccount = z.infer<typeof mileageAccountSchema>
export type MileageKind = (typeof MILEAGE_KINDS)[number]
export type StatementTotals = z.infer<typeof statementTotalsSchema>
