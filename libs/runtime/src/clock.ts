import { instant, invariant, type Instant } from '#kernel'

/** Now. Everything that asks for the time is handed one of these. */
export interface Clock {
  now(): Instant
}

export const CLOCK = Symbol('Clock')

export const systemClock: Clock = { now: () => instant(Date.now()) }

/**
 * A clock for time that is told rather than lived: a simulated month, a recorded drive. It goes only forwards and stands
 * still in between, until it is let run.
 */
export class ToldClock implements Clock {
  private from: Clock | null = null

  constructor(private at: Instant) {}

  now(): Instant {
    return instant(Math.max(this.at, this.from?.now() ?? 0))
  }

  /** From here on it shows the time of `clock`, once that is past what it was told. */
  letRun(clock: Clock): void {
    this.from = clock
  }

  advanceTo(at: Instant): void {
    invariant(at >= this.at, 'a clock does not go back')
    this.at = at
  }
}
