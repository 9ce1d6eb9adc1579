/** What one invariant came to: how many things were looked at, and a sentence for each that is wrong (at most ten). */
export interface Finding {
  readonly id: string
  readonly holds: string
  readonly checked: number
  /** Of what was to be checked: how much of it was destroyed after its time, and so can't be. */
  readonly destroyed?: number
  readonly faults: readonly string[]
}
