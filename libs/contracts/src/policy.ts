import { z } from 'zod'
import { parseMicros } from '#kernel'
import { amountSchema, slugSchema } from './scalars'
import { ACCESS, ROAD_CLASSES, VEHICLE_CLASSES } from './roads'

const position = z.tuple([z.number().min(-180).max(180), z.number().min(-90).max(90)], z.number())
const ring = z.array(position).min(4)
/** GeoJSON (RFC 7946) Polygon or MultiPolygon, longitude before latitude. */
export const zoneGeometrySchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('Polygon'), coordinates: z.array(ring).min(1) }),
  z.strictObject({ type: z.literal('MultiPolygon'), coordinates: z.array(z.array(ring).min(1)).min(1) }),
])
export type ZoneGeometry = z.infer<typeof zoneGeometrySchema>

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as 07:30')

/** [from, to) on the named weekdays, in the policy's time zone; where `to` is not after `from` the band runs past midnight. */
export const timeBandSchema = z.strictObject({
  days: z.array(z.enum(WEEKDAYS)).min(1),
  from: clock,
  to: clock.or(z.literal('24:00')),
})

/** All that is named must hold; a list holds where one of it does. `{}` holds always. */
export const matchSchema = z.strictObject({
  /** In at least one of these zones. */
  zones: z.array(slugSchema).min(1).optional(),
  /** In none of these zones. */
  outside: z.array(slugSchema).min(1).optional(),
  roadClasses: z.array(z.enum(ROAD_CLASSES)).min(1).optional(),
  access: z.array(z.enum(ACCESS)).min(1).optional(),
  times: z.array(timeBandSchema).min(1).optional(),
  vehicleClasses: z.array(z.enum(VEHICLE_CLASSES)).min(1).optional(),
})

const positiveAmountSchema = amountSchema.refine(
  (text) => parseMicros(text) !== 0n,
  'expected an amount above zero (where nothing is charged, say {"free": "<reason>"})',
)

export const priceSchema = z.union(
  [
    z.strictObject({ perMile: positiveAmountSchema }),
    z.strictObject({ perKm: positiveAmountSchema }),
    /** Not charged, and why: the reason is printed on the statement. */
    z.strictObject({ free: z.string().min(1).max(120) }),
  ],
  { error: 'expected one of {"perMile": "0.018"}, {"perKm": "0.011"} and {"free": "<reason>"}' },
)
export type PolicyPrice = z.infer<typeof priceSchema>

export const ruleSchema = z.strictObject({
  id: slugSchema,
  /** As printed on a statement. */
  name: z.string().min(1).max(120),
  match: matchSchema,
  price: priceSchema,
})

export const capSchema = z.strictObject({
  id: slugSchema,
  name: z.string().min(1).max(120),
  /** The span over which charges of one vehicle are counted. */
  per: z.enum(['day']),
  amount: positiveAmountSchema,
  /** Counts charges of these rules only; all of them where absent. A rule counts towards at most one cap. */
  rules: z.array(slugSchema).min(1).optional(),
})
export type PolicyCap = z.infer<typeof capSchema>

export const billingSchema = z.strictObject({
  /** The unit that statements print distances in. */
  unit: z.enum(['mile', 'km']).default('mile'),
  /** Smallest coin: statements are rounded to it once, half to even. */
  coin: positiveAmountSchema.default('0.01'),
  /** Days between the draft and the sealed statement. */
  reviewDays: z.int().min(0).max(90).default(10),
  /** Days between the sealed statement and its due date. */
  dueDays: z.int().min(0).max(180).default(30),
  /** Days after the due date until which a line can be questioned; 60 where absent. */
  disputeDays: z.int().min(0).max(730).optional(),
})

/**
 * What is charged by the odometer, for miles of which nobody knows the roads. Absent: nothing is, and no time permit is sold.
 */
export const mileageTermsSchema = z.strictObject({
  /** Odometer growth that no trip explains, beyond the tolerance. */
  missing: priceSchema,
  /** Miles of those who chose to give no location; as `missing` where absent. */
  noLocation: priceSchema.optional(),
  /** A time permit for one local day, whatever is driven in it; not for sale where absent. */
  permitPerDay: positiveAmountSchema.optional(),
})
export type MileageTerms = z.infer<typeof mileageTermsSchema>

/**
 * A tariff: what an agency writes, publishes and never changes once it is in force. Rules are tried in order and the first
 * that matches prices the stretch; the last rule must match everything, so that each stretch has exactly one outcome.
 */
export const policySchema = z.strictObject({
  v: z.literal(1),
  id: slugSchema,
  name: z.string().min(1).max(120),
  description: z.string().max(2_000).optional(),
  /** ISO 4217. */
  currency: z.string().regex(/^[A-Z]{3}$/, 'expected a currency code such as USD'),
  /** IANA name: bands and days are read on this clock. */
  timeZone: z.string().min(1),
  /** In force from this moment on (ISO 8601 with offset), until the next policy starts or `endsAt`. */
  startsAt: z.iso.datetime({ offset: true }),
  endsAt: z.iso.datetime({ offset: true }).optional(),
  /** Whose revenue it is. */
  jurisdiction: slugSchema,
  zones: z
    .record(slugSchema, z.strictObject({ name: z.string().min(1).max(120), geometry: zoneGeometrySchema }))
    .default({}),
  rules: z.array(ruleSchema).min(1).max(500),
  caps: z.array(capSchema).max(20).default([]),
  mileage: mileageTermsSchema.optional(),
  billing: billingSchema.prefault({}),
})
export type PolicyDocument = z.infer<typeof policySchema>
export type PolicyRule = z.infer<typeof ruleSchema>
export type PolicyMatch = z.infer<typeof matchSchema>
export type TimeBand = z.infer<typeof timeBandSchema>
