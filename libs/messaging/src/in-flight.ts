import { setTimeout as delay } from 'node:timers/promises'

/** Work that runs at most `runningMax` at once, first come first served, and that can be waited for. */
export class InFlight {
  private running = 0
  private closed = false
  private readonly waiting: (() => void)[] = []
  private readonly idle: (() => void)[] = []

  constructor(private readonly runningMax: number) {}

  get isClosed(): boolean {
    return this.closed
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= this.runningMax) await new Promise<void>((resolve) => this.waiting.push(resolve))
    else this.running++
    try {
      if (this.closed) throw new Error('closing')
      return await work()
    } finally {
      const next = this.waiting.shift()
      // A place is handed on, not given back, so that nobody overtakes.
      if (next) next()
      else if (--this.running === 0) for (const resolve of this.idle.splice(0)) resolve()
    }
  }

  /** Refuses what is new or still waits; resolves when what runs has ended, or after `waitMsMax`. */
  async drain(waitMsMax: number): Promise<void> {
    this.closed = true
    if (this.running === 0) return
    const stop = new AbortController()
    await Promise.race([
      new Promise<void>((resolve) => this.idle.push(resolve)),
      delay(waitMsMax, undefined, { signal: stop.signal }).catch(() => {}),
    ])
    stop.abort()
    // What just ended still has its acknowledgement to write.
    await delay(20)
  }
}
