import { z } from 'zod'
import { ROAD_CLASSES } from './roads'
import { daySchema, digestSchema, instantSchema, microsSchema, millimetresSchema, monthSchema } from './scalars'

export const statementLineSchema = z.strictObject({
  policy: z.string(),
  rule: z.string(),
  ruleName: z.string(),
  roadClass: z.enum(ROAD_CLASSES),
  zones: z.array(z.string()),
  day: daySchema,
  distanceMm: millimetresSchema,
  /** Of which between fixes on other segments. */
  inferredMm: millimetresSchema,
  rate: z.strictObject({ micros: microsSchema, per: z.enum(['mile', 'km']) }).nullable(),
  freeReason: z.string().nullable(),
  amount: microsSchema,
})

export const journeySchema = z.strictObject({
  trip: z.string(),
  vehicle: z.string(),
  /** The trip's own month: not the statement's where the trip arrived late. */
  month: monthSchema,
  startedAt: instantSchema,
  endedAt: instantSchema,
  lines: z.array(statementLineSchema),
  amount: microsSchema,
})

/** What a cap took off (negative), as far as no earlier statement has done so. */
export const capCreditSchema = z.strictObject({
  policy: z.string(),
  cap: z.string(),
  capName: z.string(),
  vehicle: z.string(),
  month: monthSchema,
  /** The capped span, `2026-10-25` for a day. */
  span: z.string(),
  amount: microsSchema,
})

/**
 * A month of one account: all that is needed to recompute the amount. Journeys and credits whose month is not the
 * statement's are adjustments for trips that arrived after their own month was closed.
 */
export const statementSchema = z.strictObject({
  v: z.literal(1),
  id: z.string(),
  agency: z.strictObject({ id: z.string(), name: z.string() }),
  account: z.string(),
  accountName: z.string(),
  month: monthSchema,
  currency: z.string(),
  coin: z.string(),
  unit: z.enum(['mile', 'km']),
  timeZone: z.string(),
  draftedAt: instantSchema,
  dueOn: daySchema,
  journeys: z.array(journeySchema),
  capCredits: z.array(capCreditSchema),
  totals: z.strictObject({
    trips: z.int(),
    chargedMm: millimetresSchema,
    freeMm: millimetresSchema,
    inferredMm: millimetresSchema,
    freeByReason: z.array(z.strictObject({ reason: z.string(), distanceMm: millimetresSchema })),
    /** Sum of the lines of trips of this month. */
    charges: microsSchema,
    /** Sum of the cap credits of this month; zero or negative. */
    credits: microsSchema,
    /** Lines and credits of earlier months. */
    adjustments: microsSchema,
    /** charges + credits + adjustments, exact. */
    exact: microsSchema,
    /** due - exact: what rounding to the coin added. */
    rounding: microsSchema,
    due: microsSchema,
  }),
  /** What made it. */
  madeBy: z.strictObject({
    engine: z.array(z.string()),
    networks: z.array(digestSchema),
    policies: z.array(z.strictObject({ id: z.string(), name: z.string(), digest: digestSchema })),
  }),
})
export type Statement = z.infer<typeof statementSchema>
export type Journey = z.infer<typeof journeySchema>
export type CapCredit = z.infer<typeof capCreditSchema>
export type StatementLine = z.infer<typeof statementLineSchema>
