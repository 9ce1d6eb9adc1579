import { invariant } from '#kernel'
import { type Log, type Metrics } from '#runtime'
import { CLOSE_WAIT_MS_MAX } from './door'
import { InFlight } from './in-flight'

/** There may be work: which stage, and of what (a vehicle, an account). Nothing else travels: the work is in the database. */
export interface Ring {
  readonly stage: string
  readonly key: string
}

/** Losing a ring loses nothing: a sweeper rings again for work that is due. So a bell may drop, repeat and reorder. */
export interface Bell {
  /**
   * Never throws and never waits long, whatever became of the rings. They are dropped where `waitingMax` wait already: who rings
   * again and again for the same work says a small one, or its rings come in faster than they are answered.
   */
  ring(rings: readonly Ring[], waitingMax?: number): Promise<void>
  /** Answers rings, `workers` at once, until the bell is closed. An answer that rejects is logged; its work stays due. */
  listen(answer: (ring: Ring) => Promise<void>, workers: number): Promise<void>
  /** Resolves where rings are carried just now; rejects, within about a second, where they would be dropped. */
  answers(): Promise<void>
  /** Takes no more rings and waits for the answers in hand. */
  close(): Promise<void>
}

export const BELL = Symbol('Bell')

/** Rings that may wait; more are dropped and logged, and the sweeper finds their work later. */
export const RINGS_WAITING_MAX = 100_000

/** A bell within the process: first come first served; a ring equal to one that still waits is the same ring. */
export function localBell(log: Log, metrics?: Metrics): Bell {
  const waiting = new Map<string, Ring>()
  let inHand: InFlight | null = null
  let answer: ((ring: Ring) => Promise<void>) | null = null
  let idle = 0
  let full = false
  let closed = false

  const serve = () => {
    while (!closed && answer && inHand && idle > 0 && waiting.size > 0) {
      const [name, ring] = waiting.entries().next().value as [string, Ring]
      waiting.delete(name)
      full = false
      idle--
      const answered = answer
      inHand
        .run(() => answered(ring))
        .catch((error: Error) => log.error({ ...ring, error: error.message }, 'a ring was not answered'))
        .finally(() => {
          idle++
          serve()
        })
    }
  }

  return {
    async ring(rings, waitingMax = RINGS_WAITING_MAX) {
      if (closed) return
      for (const [i, ring] of rings.entries()) {
        const name = `${ring.stage}\n${ring.key}`
        if (waiting.has(name)) continue
        if (waiting.size >= waitingMax) {
          if (!full && waitingMax === RINGS_WAITING_MAX)
            log.warn({ waiting: waiting.size }, 'too many rings wait: the rest is left to the sweeper')
          full = true
          metrics?.rings.inc({ outcome: 'dropped' }, rings.length - i)
          return
        }
        metrics?.rings.inc({ outcome: 'rung' })
        waiting.set(name, { stage: ring.stage, key: ring.key })
      }
      serve()
    },
    async listen(toAnswer, workers) {
      invariant(!answer, 'a bell has one listener')
      invariant(Number.isInteger(workers) && workers > 0, `workers must be a positive whole number, found ${workers}`)
      answer = toAnswer
      inHand = new InFlight(workers)
      idle = workers
      serve()
    },
    async answers() {
      if (closed) throw new Error('the bell is closed')
    },
    async close() {
      closed = true
      waiting.clear()
      await inHand?.drain(CLOSE_WAIT_MS_MAX)
    },
  }
}
