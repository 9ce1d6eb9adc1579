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
  rate: z.strictObject({ micros: microsSchema, per: z.enum(['mile', 'km']) }).nullable(),
  /** Why nothing is charged; null where there is a rate. */
  freeReason: text.nullable(),
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
  lines: z.array(statementLineSchema).max(10_000),
  amount: microsSchema,
})

/** What a cap took off, as far as no earlier statement has done so. */
export const capCreditSchema = z.strictObject({
  policy: text,
  cap: text,
  capName: text,
  vehicle: text,
  /** The month of the span. */
  month: monthSchema,
  /** What the cap counts over, `2026-10-25` for a day. */
  span: text,
  limit: microsSchema,
  /** Charges that the cap counts in this span and that earlier statements hold; the rest of them is on this one. */
  grossBefore: microsSchema,
  /** Below zero; above where a charge of the span was taken back. */
  amount: microsSchema,
})

export const statementTotalsSchema = z.strictObject({
  trips: z.int().min(0),
  chargedMm: distanceSchema,
  freeMm: distanceSchema,
  /** Of charged and free distance together, what was estimated between fixes. */
  inferredMm: distanceSchema,
  freeByReason: z.array(z.strictObject({ reason: text, distanceMm: distanceSchema })),
  /** Lines of trips of this month. */
  charges: microsSchema,
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
  totals: statementTotalsSchema,
  /** What made it; the policies' zones by id and name. */
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
      }),
    ),
  }),
})
export type Statement = z.infer<typeof statementSchema>
export type Journey = z.infer<typeof journeySchema>
export type CapCredit = z.infer<typeof capCreditSchema>
export type StatementLine = z.infer<typeof statementLineSchema>
export type StatementTotals = z.infer<typeof statementTotalsSchema>
