import { instant, invariant, type Instant } from '#kernel'

/** Now. Everything that asks for the time is handed one of these. */
export interface Clock {
  now(): Instant
}

export const systemClock: Clock = { now: () => instant(Date.now()) }

/**
 * A clock for time that is told rather than lived: a simulated month, a recorded drive. It goes only forwards and stands
 * still in between.
 */
export class ToldClock implements Clock {
  constructor(private at: Instant) {}

  now(): Instant {
    return this.at
  }

  advanceTo(at: Instant): void {
    invariant(at >= this.at, 'a clock does not go back')
    this.at = at
  }
}
