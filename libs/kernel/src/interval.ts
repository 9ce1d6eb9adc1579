/** Half-open [from, to): intervals that meet share no point and leave no gap. */
export interface Interval<T extends number = number> {
  readonly from: T
  readonly to: T
}

export const contains = <T extends number>(interval: Interval<T>, at: T): boolean =>
  interval.from <= at && at < interval.to
