import { z } from 'zod'
import { slugSchema } from './scalars'

const questionSchema = z.strictObject({
  id: slugSchema,
  text: z.string().min(1).max(300),
  /** What can be chosen, by id. No free text is asked for: it can say who wrote it. */
  options: z
    .record(slugSchema, z.string().min(1).max(100))
    .refine(
      (options) => Object.keys(options).length >= 2 && Object.keys(options).length <= 12,
      'expected 2 to 12 options',
    ),
})

/** A short survey of an agency's citizens: up to ten questions with given answers, open for [from, until). */
export const surveySchema = z
  .strictObject({
    id: slugSchema,
    title: z.string().min(1).max(200),
    from: z.iso.datetime({ offset: true }),
    until: z.iso.datetime({ offset: true }),
    questions: z.array(questionSchema).min(1).max(10),
  })
  .refine(({ from, until }) => Date.parse(until) > Date.parse(from), {
    path: ['until'],
    error: 'it ends before it begins',
  })
  .refine(({ questions }) => new Set(questions.map(({ id }) => id)).size === questions.length, {
    path: ['questions'],
    error: 'two questions have the same id',
  })
export type Survey = z.infer<typeof surveySchema>

/** Chosen options by question; a question may be left out. */
export const answersSchema = z.strictObject({ answers: z.record(slugSchema, slugSchema) })

export const EXPORT_FORMATS = ['csv', 'parquet', 'geoparquet'] as const
/** What an analyst asks a file of. */
export const exportRequestSchema = z.strictObject({
  dataset: z.string().max(60),
  /** A month, or the id of a survey. */
  period: slugSchema,
  format: z.enum(EXPORT_FORMATS).default('csv'),
  noise: z
    .strictObject({
      kind: z.enum(['laplace', 'gaussian']),
      /** Epsilon of each number (laplace), or rho (gaussian): at most three decimals. */
      of: z.number().min(0.001).max(10),
    })
    .optional(),
})
export type ExportRequest = z.infer<typeof exportRequestSchema>
