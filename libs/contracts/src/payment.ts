import { z } from 'zod'
import { amountSchema } from './scalars'

const positiveSchema = amountSchema.refine((text) => Number(text) > 0, 'expected more than nothing')

/** Asks to pay a statement: all that it still asks for, or part of it. */
export const payStatementSchema = z.strictObject({ amount: positiveSchema.optional() })

/** Asks to pay ahead. */
export const topUpSchema = z.strictObject({ amount: positiveSchema })

/** Paying ahead: below `floor` the payer is asked to top up by `topUp`. */
export const walletPlanSchema = z.strictObject({ floor: amountSchema, topUp: positiveSchema })
export type WalletPlan = z.infer<typeof walletPlanSchema>
