import { z } from 'zod'
import { ACCESS, ROAD_CLASSES, VEHICLE_CLASSES } from './roads'
import { slugSchema } from './scalars'

export const DISPUTE_REASONS = [
  'not-driven',
  'wrong-road',
  'private-road',
  'wrong-vehicle',
  'wrong-price',
  'other',
] as const
export type DisputeReason = (typeof DISPUTE_REASONS)[number]

const textSchema = z.string().trim().min(1, 'expected some words').max(2_000)

/** What a citizen questions: a journey of a statement, or one line of it (counted from 0). */
export const openDisputeSchema = z.strictObject({
  trip: z.string().min(1).max(200),
  line: z.int().min(0).max(9_999).optional(),
  reason: z.enum(DISPUTE_REASONS),
  text: textSchema,
})
export type OpenDispute = z.infer<typeof openDisputeSchema>

/** What was wrong about what was questioned: the facts that it is priced by again. */
export const correctionSchema = z.discriminatedUnion('kind', [
  /** It wasn't driven at all: free, and said so. */
  z.strictObject({ kind: z.literal('not-driven') }),
  /** Driven, but not to be paid for. */
  z.strictObject({ kind: z.literal('exempt'), reason: z.string().trim().min(1).max(80) }),
  /** Driven on another road than the one that it was matched to. */
  z.strictObject({
    kind: z.literal('road'),
    roadClass: z.enum(ROAD_CLASSES).optional(),
    access: z.enum(ACCESS).optional(),
    zones: z.array(slugSchema).max(500).optional(),
  }),
  /** Driven by a vehicle of another class. */
  z.strictObject({ kind: z.literal('vehicle'), vehicleClass: z.enum(VEHICLE_CLASSES) }),
])
export type Correction = z.infer<typeof correctionSchema>

export const decisionSchema = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('upheld'), correction: correctionSchema, text: textSchema }),
  z.strictObject({ outcome: z.literal('refused'), text: textSchema }),
])
export type Decision = z.infer<typeof decisionSchema>

export const noteSchema = z.strictObject({ text: textSchema })
