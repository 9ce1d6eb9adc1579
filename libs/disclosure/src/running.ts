/** How many vehicles something new of came in within one step of time; which, where they are fewer than enough. */
export interface Step {
  readonly at: number
  readonly vehicles: number
  readonly few: readonly string[] | null
}

/**
 * Up to which step a sum that still grows may be told, that step left out; null where it may not. Whoever looks twice subtracts, so it grows by
 * what `k` vehicles or more did: steps are taken together, oldest first, until they have that many, and the newest such lot is held back, so
 * that what is told in the end differs by as many, too. Steps are in order of time; of a later look the same steps are the same.
 */
export function runningBound(steps: readonly Step[], k: number): number | null {
  let bound: number | null = null
  let begun: number | null = null
  let together = new Set<string>()
  for (const { at, vehicles, few } of steps) {
    begun ??= at
    for (const vehicle of few ?? []) together.add(vehicle)
    if (vehicles < k && together.size < k) continue
    // Where the lot before it ended, this one begins.
    bound = begun
    begun = null
    together = new Set()
  }
  return bound === steps[0]?.at ? null : bound
}
