import type { z } from 'zod'
import { InputError, type Fault } from '#kernel'

/** JSON path of a zod issue: `rules[2].price.perMile`. */
export const jsonPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    '',
  )

/** What stands at a path, short enough to be shown. */
function found(value: unknown, path: readonly PropertyKey[]): string {
  const at = path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | undefined)?.[key], value)
  const text =
    at === undefined ? 'nothing' : (JSON.stringify(at, (_, v) => (typeof v === 'bigint' ? String(v) : v)) ?? typeof at)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
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
