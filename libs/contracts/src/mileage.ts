import { z } from 'zod'
import { instantSchema, millimetresSchema } from './scalars'

/**
 * How a citizen's miles are counted: by where and when (`location`), by the odometer alone (`odometer`), or not at all
 * for days that are paid as such (`permit`). All of them end in the same mileage account.
 */
export const METHODS = ['location', 'odometer', 'permit'] as const
export type Method = (typeof METHODS)[number]

/** Who read the odometer: the vehicle's own device, its owner with a photo, or an inspector. */
export const READING_SOURCES = ['device', 'photo', 'inspection'] as const
export type ReadingSource = (typeof READING_SOURCES)[number]

/** No odometer of six digits, in miles, shows more. */
export const ODOMETER_MM_MAX = 1_609_344_000_000

const odometerMmSchema = millimetresSchema.refine(
  (mm) => mm >= 0 && mm <= ODOMETER_MM_MAX,
  `expected 0 to ${ODOMETER_MM_MAX} mm`,
)

/** A reading as it is handed in: over HTTP with its photo in base64. */
export const odometerEntrySchema = z.strictObject({
  /** When it was read. */
  at: instantSchema,
  mm: odometerMmSchema,
  /** The picture: a JPEG, PNG or WebP file, or a PDF. */
  photo: z.base64().optional(),
})

/** A new odometer takes over: what the old one showed last, and the new one first. */
export const odometerReplacementSchema = z.strictObject({
  at: instantSchema,
  finalMm: odometerMmSchema,
  startMm: odometerMmSchema,
  photo: z.base64().optional(),
})

/** A vehicle becomes another account's: what it is called there, and what the odometer shows at that moment. `at`: now where absent. */
export const handOverSchema = z.strictObject({
  vehicle: z.string().regex(/^[a-z0-9-]{3,40}$/, 'expected 3 to 40 of a-z, 0-9 and -'),
  account: z.string().min(1).max(100),
  name: z.string().trim().min(1).max(100),
  at: instantSchema.optional(),
  mm: odometerMmSchema,
  photo: z.base64().optional(),
})

/** `at`: now where absent. A permit is for `days` local days, that of `at` included; then the method before it goes on. */
export const methodChoiceSchema = z
  .strictObject({ method: z.enum(METHODS), at: instantSchema.optional(), days: z.int().min(1).max(366).optional() })
  .refine((choice) => (choice.method === 'permit') === (choice.days !== undefined), {
    path: ['days'],
    error: 'expected a number of days for a permit, and for nothing else',
  })

export const reviewDecisionSchema = z.strictObject({
  decision: z.enum(['release', 'void']),
  reason: z.string().trim().min(3).max(500),
})

/**
 * What may point to a device or an odometer that was tampered with, or is broken: facts with a count, never a place.
 * - odometer-back: shows less than it did.
 * - odometer-jump: has grown by more than can be driven.
 * - odometer-without-heartbeat: has grown between trips, while the device said nothing.
 * - distance-deviation: a trip's distance and the odometer's are further apart than the statute allows.
 * - ratio-drift: the share of metered in odometer miles has moved against the months before.
 * - impossible-speed, clock-jumps: fixes that no drive explains.
 * - odometer-replaced: its owner says that there is a new one.
 */
export const SIGNALS = [
  'odometer-back',
  'odometer-jump',
  'odometer-without-heartbeat',
  'distance-deviation',
  'ratio-drift',
  'impossible-speed',
  'clock-jumps',
  'odometer-replaced',
] as const
export type Signal = (typeof SIGNALS)[number]
