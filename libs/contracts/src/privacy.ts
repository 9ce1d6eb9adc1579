import { z } from 'zod'

/** For how many days a citizen wants what their devices sent to be kept, beyond what everybody's is. */
export const keepingSchema = z.strictObject({ keepFixesDays: z.int().min(0).max(3_650) })

/** Why somebody of an agency wants to look at where a trip went. Its citizen reads it. */
export const breakGlassSchema = z.strictObject({
  trip: z.string().min(1).max(200),
  why: z.string().trim().min(10, 'expected a reason, in ten characters or more').max(500),
})
