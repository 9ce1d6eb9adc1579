import { z } from 'zod'
import { parseMicros } from '#kernel'
import { METHODS } from './mileage'
import { ACCESS, ROAD_CLASSES, VEHICLE_CLASSES } from './roads'
import { amountSchema, daySchema, decimalSchema, slugSchema } from './scalars'
import { PROPULSIONS } from './vehicle'

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
const title = z.string().min(1).max(120)
const reason = z.string().min(1).max(120)
const slugs = z.array(slugSchema).min(1)

/**
 * [from, to) on the named days, in the policy's time zone; where `to` is not after `from` the band runs past midnight. A
 * holiday of the policy's calendar is a `holiday` and not the weekday that it falls on; what a band began the day before
 * runs on into it.
 */
export const timeBandSchema = z.strictObject({
  days: z.array(z.enum([...WEEKDAYS, 'holiday'])).min(1),
  from: clock,
  to: clock.or(z.literal('24:00')),
})

/** [from, to): one of the two may be absent. */
const rangeSchema = z
  .strictObject({ from: z.int().min(0).optional(), to: z.int().min(1).optional() })
  .refine(
    ({ from, to }) => (from !== undefined || to !== undefined) && (from ?? 0) < (to ?? Infinity),
    'expected {"from": 1, "to": 2}, from below to, or one of them',
  )

const vehicleConditions = {
  vehicleClasses: z.array(z.enum(VEHICLE_CLASSES)).min(1).optional(),
  weightKg: rangeSchema.optional(),
  fiscalPower: rangeSchema.optional(),
  occupancy: rangeSchema.optional(),
  propulsions: z.array(z.enum(PROPULSIONS)).min(1).optional(),
  emissionClasses: slugs.optional(),
  programmes: slugs.optional(),
  arms: slugs.optional(),
  methods: z.array(z.enum(METHODS)).min(1).optional(),
}
/** Whom something is for. All that is named must hold; a list holds where one of it does. What isn't known of a vehicle doesn't hold. */
export const whomSchema = z.strictObject(vehicleConditions)

/** All that is named must hold; a list holds where one of it does. `{}` holds always. */
export const matchSchema = z.strictObject({
  /** In at least one of these zones. */
  zones: slugs.optional(),
  /** In none of these zones. */
  outside: slugs.optional(),
  /** In the first of these jurisdictions: that of the stretch's first zone, by id, that names one, else the policy's own. */
  jurisdictions: slugs.optional(),
  roadClasses: z.array(z.enum(ROAD_CLASSES)).min(1).optional(),
  access: z.array(z.enum(ACCESS)).min(1).optional(),
  times: z.array(timeBandSchema).min(1).optional(),
  /** With a price per entry: which crossing of the edge of `zones` is meant. Entering, where absent. */
  direction: z.enum(['entering', 'leaving']).optional(),
  ...vehicleConditions,
})

const positiveAmountSchema = amountSchema.refine(
  (text) => parseMicros(text) !== 0n,
  'expected an amount above zero (where nothing is charged, say {"free": "<reason>"})',
)
const percentSchema = decimalSchema.refine(
  (text) => (parseMicros(text) ?? 0n) <= 100_000_000n,
  'expected a percentage, above "0" and at most "100"',
)

const perMile = z.strictObject({ perMile: positiveAmountSchema })
const perKm = z.strictObject({ perKm: positiveAmountSchema })
/** Not charged, and why: the reason is printed on the statement. The miles count as driven under the tariff. */
const free = z.strictObject({ free: reason })
/** Outside of the tariff, and why. The miles count towards nothing: no tier, no allowance, no fuel-tax credit. */
const exempt = z.strictObject({ exempt: reason })

/** The price of a distance. */
export const distancePriceSchema = z.union([perMile, perKm, free], {
  error: 'expected one of {"perMile": "0.018"}, {"perKm": "0.011"} and {"free": "<reason>"}',
})
export type DistancePrice = z.infer<typeof distancePriceSchema>

export const priceSchema = z.union(
  [
    perMile,
    perKm,
    free,
    exempt,
    /** The price of another rule, which says it in money, times a factor; rounded to whole micros, half to even. */
    z.strictObject({ times: decimalSchema, rule: slugSchema }),
    /** For each entry into the zones that the rule names, on top of what the distance costs. */
    z.strictObject({ perEntry: positiveAmountSchema }),
    /** Once for each trip in which something matches, on top of what the distance costs. */
    z.strictObject({ perTrip: positiveAmountSchema }),
  ],
  {
    error:
      'expected one of {"perMile": "0.018"}, {"perKm": "0.011"}, {"perEntry": "5.00"}, {"perTrip": "1.00"}, {"times": "1.5", "rule": "<id>"}, {"free": "<reason>"} and {"exempt": "<reason>"}',
  },
)
export type PolicyPrice = z.infer<typeof priceSchema>

export const ruleSchema = z.strictObject({
  id: slugSchema,
  /** As printed on a statement. */
  name: title,
  match: matchSchema,
  price: priceSchema,
  /** Whose revenue it is, in parts: {"city": 7, "county": 3}. Where absent, the jurisdiction's in which it was driven. */
  revenue: z.record(slugSchema, z.int().min(1).max(1_000_000)).optional(),
})

const accrual = {
  id: slugSchema,
  name: title,
  /** Counts charges of these rules only; all of them where absent. */
  rules: slugs.optional(),
  /** Counts days on which the vehicle is one of these; every vehicle where absent. */
  for: whomSchema.optional(),
}
const PERIODS = ['trip', 'day', 'month', 'year'] as const

/** What a span comes to at most; from there on nothing more accrues. */
export const capSchema = z.strictObject({
  ...accrual,
  /** The span over which charges of one vehicle are counted. */
  per: z.enum(PERIODS),
  amount: positiveAmountSchema,
})
/** What a span in which something was charged comes to at least. */
export const minimumSchema = capSchema
/** A part of every trip's price that isn't asked for. */
export const discountSchema = z.strictObject({ ...accrual, percent: percentSchema })
/** Flat prices of trips that begin within `minutes` of the beginning of one that paid, on the same local day, aren't asked for. */
export const transferSchema = z.strictObject({ ...accrual, minutes: z.int().min(1).max(1_440) })
/** Distance of a span that is free: its share of the span's charged distance, at the average price of that distance. */
export const allowanceSchema = z.strictObject({
  ...accrual,
  per: z.enum(['day', 'month', 'year']),
  distance: decimalSchema,
  unit: z.enum(['mile', 'km']),
})
/** What the part of a span's charged distance above each step costs, in percent of the span's average price. */
export const tierSchema = z.strictObject({
  ...accrual,
  per: z.enum(['day', 'month', 'year']),
  unit: z.enum(['mile', 'km']),
  steps: z
    .array(z.strictObject({ above: decimalSchema, percent: decimalSchema }))
    .min(1)
    .max(20),
})
/** Fuel tax that was paid at the pump for the charged distance, reckoned by the vehicle's economy; never more than the charges. */
export const fuelCreditSchema = z.strictObject({
  ...accrual,
  per: z.enum(['trip', 'day', 'month', 'year']).default('month'),
  taxPerGallon: positiveAmountSchema,
})
/** On top of what a year comes to after all credits. */
export const taxSchema = z.strictObject({ ...accrual, percent: percentSchema, jurisdiction: slugSchema.optional() })

/** Days that are `holiday` in time bands. Without `dates` the calendar's are written down when the document is read. */
export const holidaysSchema = z.strictObject({
  /** ISO 3166-1, and the state and region as `date-holidays` names them. */
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, 'expected a country code such as BE')
    .optional(),
  state: z.string().max(10).optional(),
  region: z.string().max(10).optional(),
  dates: z.array(daySchema).max(2_000).optional(),
})

/** A named part of the map: drawn, or listed by road and segment. */
export const zoneSchema = z
  .strictObject({
    name: title,
    geometry: zoneGeometrySchema.optional(),
    /** Names of roads as the map has them, along their whole length. */
    roads: z.array(z.string().min(1).max(200)).min(1).max(10_000).optional(),
    /** References of segments, as charge reports have them; a road's other direction is another segment. */
    segments: z.array(z.string().min(1).max(200)).min(1).max(100_000).optional(),
    /** Whose roads these are. */
    jurisdiction: slugSchema.optional(),
  })
  .refine(
    ({ geometry, roads, segments }) => (geometry === undefined) === (roads !== undefined || segments !== undefined),
    'expected a geometry, or a list of roads or segments',
  )
export type PolicyZone = z.infer<typeof zoneSchema>

export const billingSchema = z.strictObject({
  /** The unit that statements print distances in. */
  unit: z.enum(['mile', 'km']).default('mile'),
  /** Smallest coin: statements are rounded to it once, half to even. */
  coin: positiveAmountSchema.default('0.01'),
  /** Days between the draft and the sealed statement. */
  reviewDays: z.int().min(0).max(90).default(10),
  /** Days between the sealed statement and its due date. */
  dueDays: z.int().min(0).max(180).default(30),
  /** How far odometer and metered distance may differ, in thousandths: 25 where absent, and by statute no more than 40. */
  tolerancePermille: z.int().min(0).max(40).optional(),
  /** How long locations are kept after the statement that they are on is sealed. */
  retentionDays: z.int().min(0).max(3_650).optional(),
  /** What one would pay without this tariff: printed beside the amount, and charged to nobody. */
  comparison: z
    .strictObject({
      flatFee: z.strictObject({ name: z.string().min(1).max(120), perMonth: positiveAmountSchema }).optional(),
      /** Of a vehicle that goes `economy` miles a gallon, or kilometres a litre, such as "25.4". */
      fuelTax: z
        .strictObject({
          name: z.string().min(1).max(120),
          per: z.enum(['gallon', 'litre']),
          amount: positiveAmountSchema,
          economy: positiveAmountSchema,
        })
        .optional(),
    })
    .optional(),
  /** Days after the due date until which a line can be questioned; 60 where absent. */
  disputeDays: z.int().min(0).max(730).optional(),
  /** Day of the next month on which a month's close begins, so that late trips come in before; the first where absent. */
  statementDay: z.int().min(1).max(28).optional(),
})

/**
 * What is charged by the odometer, for miles of which nobody knows the roads. Absent: nothing is, and no time permit is sold.
 */
export const mileageTermsSchema = z.strictObject({
  /** Odometer growth that no trip explains, beyond the tolerance. */
  missing: distancePriceSchema,
  /** Miles of those who chose to give no location; as `missing` where absent. */
  noLocation: distancePriceSchema.optional(),
  /** A time permit for one local day, whatever is driven in it; not for sale where absent. */
  permitPerDay: positiveAmountSchema.optional(),
  /** Of which vehicles miles are charged so; of every vehicle where absent. */
  for: whomSchema.optional(),
  /** Why nothing is charged for the others: printed on the statement. */
  otherwise: reason.optional(),
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
  /** Policies whose time this one may cut short. */
  supersedes: slugs.optional(),
  holidays: holidaysSchema.optional(),
  zones: z.record(slugSchema, zoneSchema).default({}),
  rules: z.array(ruleSchema).min(1).max(500),
  // Accruals: what is given back or added over the charges of a span, in the order of `accrualsOf` (libs/policy).
  discounts: z.array(discountSchema).max(20).optional(),
  transfers: z.array(transferSchema).max(20).optional(),
  allowances: z.array(allowanceSchema).max(20).optional(),
  tiers: z.array(tierSchema).max(20).optional(),
  minimums: z.array(minimumSchema).max(20).optional(),
  fuelCredits: z.array(fuelCreditSchema).max(20).optional(),
  caps: z.array(capSchema).max(20).default([]),
  taxes: z.array(taxSchema).max(20).optional(),
  mileage: mileageTermsSchema.optional(),
  billing: billingSchema.prefault({}),
})
export type PolicyDocument = z.infer<typeof policySchema>
export type PolicyRule = z.infer<typeof ruleSchema>
export type PolicyMatch = z.infer<typeof matchSchema>
export type PolicyWhom = z.infer<typeof whomSchema>
export type TimeBand = z.infer<typeof timeBandSchema>
export type PolicyCap = z.infer<typeof capSchema>
