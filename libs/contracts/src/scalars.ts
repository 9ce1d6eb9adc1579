import { z } from 'zod'
import {
  instant,
  micros,
  millimetres,
  parseMicros,
  type DeviceId,
  type Instant,
  type Micros,
  type Millimetres,
} from '#kernel'

/** Micros travel as decimal strings of whole micros, so that no reader loses digits; bigints are taken as they are. */
export const microsSchema = z
  .union([z.bigint(), z.string().regex(/^-?\d{1,30}$/)])
  .transform((value): Micros => micros(BigInt(value)))

/** Money as people write it: "2.50" in the currency unit, at most six decimals, never negative. */
export const amountSchema = z
  .string()
  .refine(
    (text) => (parseMicros(text) ?? -1n) >= 0n,
    'expected an amount such as "0.018" (no sign, at most six decimals)',
  )

/** An exact number above zero as people write it: a factor, a percentage, miles per gallon. At most six decimals. */
export const decimalSchema = z
  .string()
  .refine((text) => (parseMicros(text) ?? 0n) > 0n, 'expected a number above zero such as "1.5" (at most six decimals)')

export const millimetresSchema = z.int().transform((value): Millimetres => millimetres(value))
export const instantSchema = z.int().transform((value): Instant => instant(value))
export const deviceIdSchema = z
  .string()
  .regex(/^[a-z0-9-]{8,40}$/, 'expected 8 to 40 of a-z, 0-9 and -')
  .transform((value) => value as DeviceId)
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in lower-case hexadecimal')
/** A civil month, `2026-10`. */
export const monthSchema = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'expected a month such as 2026-10')
/** A civil day, `2026-10-25`. */
export const daySchema = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'expected a day such as 2026-10-25')
/** A name that we or an agency give to a thing: rules, zones, agencies. */
export const slugSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'expected 1 to 60 of a-z, 0-9 and -')
