/** A broken assumption of ours, never of a user: it is a bug and ends the work in hand. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Throws InvariantError unless `condition` holds. For expected outcomes return a value of a union instead. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/**
 * Somebody else's mistake: one sentence that names what was wrong and where. Shells turn it into exit status 2 or into a
 * problem+json answer with `code`; the message must be fit to be shown to whoever sent the input.
 */
export class InputError extends Error {
  override readonly name = 'InputError'
  constructor(
    readonly code: string,
    message: string,
    /** Every single fault where there are several, each with its path. */
    readonly faults: readonly Fault[] = [],
  ) {
    super(message)
  }
}

/** One fault of a document: where (a JSON path such as `rules[2].charge.perMile`), what was expected and what was found. */
export interface Fault {
  readonly path: string
  readonly expected: string
  readonly found: string
}
