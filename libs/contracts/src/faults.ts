import type { z } from 'zod'
import { InputError, type Fault } from '#kernel'

/** JSON path of a zod issue: `rules[2].price.perMile`. */
export const jsonPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    '',
  )

const SHOWN_MAX = 60
const LEVELS_MAX = 8

/** As much of a value as can be among its first characters: what came may be of megabytes, and a hundred thousand brackets deep. */
function beginning(value: unknown, levels = LEVELS_MAX): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'string') return value.slice(0, SHOWN_MAX)
  if (typeof value !== 'object' || value === null) return value
  if (levels === 0) return '...'
  if (Array.isArray(value)) return value.slice(0, SHOWN_MAX).map((item) => beginning(item, levels - 1))
  const own = Object.keys(value).slice(0, SHOWN_MAX)
  return Object.fromEntries(own.map((key) => [key, beginning((value as Record<string, unknown>)[key], levels - 1)]))
}

/** What stands at a path, short enough to be shown. */
function found(value: unknown, path: readonly PropertyKey[]): string {
  const at = path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | undefined)?.[key], value)
  const text = at === undefined ? 'nothing' : (JSON.stringify(beginning(at)) ?? typeof at)
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 3)}...` : text
}

export const faultsOf = (error: z.ZodError, value: unknown): Fault[] =>
  error.issues.map((issue) => ({
    path: jsonPath(issue.path) || '(document)',
    expected: issue.message,
    found: found(value, issue.path),
  }))

/** Parses or throws one InputError that lists every fault with its path. `what` names the document in the message. */
export function parseOrExplain<S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const faults = faultsOf(parsed.error, value)
  const first = faults[0]
  throw new InputError(
    'INVALID',
    `${what} is not valid: ${first.path}: ${first.expected}, found ${first.found}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''}`,
    faults,
  )
}
