import { setTimeout as delay } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { invariant } from '#kernel'
import { type Log, type Metrics } from '#runtime'
import { RINGS_WAITING_MAX, type Bell, type Ring } from './bell'
import { CLOSE_WAIT_MS_MAX } from './door'
import { InFlight } from './in-flight'

const QUEUE = 'roadmeter-work'
/** Longest that ring() keeps its caller waiting for a Redis that does not answer. */
const RING_WAIT_MS_MAX = 1_000
const RETRY_MS_MAX = 2_000

/**
 * A bell between processes: one BullMQ queue. Jobs have no id of their own (one that is still held would swallow the next
 * ring) and are removed when they complete or fail. Redis may be away, restarted or flushed at any moment: rings of that time
 * are dropped, said once per outage, and ringing and listening go on when it is back.
 */
export function redisBell(url: string, log: Log, metrics?: Metrics): Bell {
  let closed = false
  let gone = false
  const retryStrategy = (times: number) => (gone ? null : Math.min(100 * times, RETRY_MS_MAX))
  // Fails a command at once, or soon, instead of keeping it for a Redis that may come back.
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: RING_WAIT_MS_MAX,
    connectTimeout: 2 * RING_WAIT_MS_MAX,
    retryStrategy,
  })
  let away = false
  let full = false
  const sayAway = (error: Error) => {
    if (away || closed) return
    away = true
    log.error({ error: error.message }, 'Redis is away: rings are dropped until it is back, the sweeper covers them')
  }
  redis.on('error', sayAway)
  redis.on('close', () => sayAway(new Error('connection closed')))
  redis.on('ready', () => {
    if (away) log.info('Redis is back')
    away = false
  })

  let opening: Promise<Queue> | null = null
  /** A queue whose first words to Redis fail never recovers, so it is thrown away and opened again at the next ring. */
  async function open(): Promise<Queue> {
    const queue = new Queue(QUEUE, {
      connection: redis,
      skipVersionCheck: true,
      defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
    })
    queue.on('error', sayAway)
    try {
      await queue.waitUntilReady()
      return queue
    } catch (error) {
      opening = null
      await queue.close().catch(() => {})
      throw error
    }
  }

  /** True once Redis answers; false where it does not within the time that a ring may take. */
  async function answers(): Promise<boolean> {
    if (redis.status === 'ready') return true
    if (away) return false
    const ready = new Promise<true>((resolve) => redis.once('ready', () => resolve(true)))
    if (await within(RING_WAIT_MS_MAX, ready)) return true
    sayAway(new Error('no answer'))
    return false
  }

  const dropped = (count: number): void => metrics?.rings.inc({ outcome: 'dropped' }, count)

  let worker: Worker | null = null
  let inHand: InFlight | null = null
  return {
    async ring(rings, waitingMax = RINGS_WAITING_MAX) {
      if (closed || rings.length === 0) return
      try {
        if (!(await answers()) || closed) return dropped(rings.length)
        opening ??= open()
        const rung = await within(
          RING_WAIT_MS_MAX,
          opening.then((queue) => addAll(queue, rings, waitingMax)),
        )
        if (rung) return
        dropped(rings.length)
        sayAway(new Error('no answer'))
      } catch (error) {
        dropped(rings.length)
        sayAway(error as Error)
      }
    },
    async listen(answer, workers) {
      invariant(!worker, 'a bell has one listener')
      const hands = (inHand = new InFlight(workers))
      worker = new Worker(
        QUEUE,
        async ({ data }) => {
          if (!isRing(data)) return log.warn('something that is no ring was in the queue')
          try {
            await hands.run(() => answer({ stage: data.stage, key: data.key }))
          } catch (error) {
            log.error({ stage: data.stage, key: data.key, error: (error as Error).message }, 'a ring was not answered')
          }
        },
        {
          connection: { url, maxRetriesPerRequest: null, retryStrategy },
          concurrency: workers,
          skipVersionCheck: true,
          removeOnComplete: { count: 0 },
          removeOnFail: { count: 0 },
        },
      )
      // Its connections fail together with ours, which says so once; a flush makes it miss the job in hand.
      worker.on('error', (error) => log.debug({ error: error.message }, 'bell worker'))
    },
    async answers() {
      await redis.ping()
    },
    async close() {
      if (closed) return
      closed = true
      // BullMQ's own orderly close waits for ever for a Redis that is away. So answers in hand are waited for here, then the
      // worker is closed by force: at worst a job stays marked active and is one ring too many later.
      await within(RING_WAIT_MS_MAX, Promise.resolve(worker?.pause(true)))
      await inHand?.drain(CLOSE_WAIT_MS_MAX)
      gone = true
      await within(RING_WAIT_MS_MAX, Promise.resolve(worker?.close(true)))
      await within(RING_WAIT_MS_MAX, Promise.resolve(opening?.then((queue) => queue.close()))).catch(() => {})
      redis.disconnect()
    },
  }

  async function addAll(queue: Queue, rings: readonly Ring[], waitingMax: number): Promise<true> {
    // An engine that is down or slow must not fill Redis with rings of the sweeper.
    if ((await queue.getWaitingCount()) >= waitingMax) {
      if (!full && waitingMax === RINGS_WAITING_MAX)
        log.warn({ waiting: RINGS_WAITING_MAX }, 'too many rings wait: the rest is left to the sweeper')
      full ||= waitingMax === RINGS_WAITING_MAX
      dropped(rings.length)
      return true
    }
    full = false
    await queue.addBulk(rings.map(({ stage, key }) => ({ name: stage, data: { stage, key } })))
    metrics?.rings.inc({ outcome: 'rung' }, rings.length)
    return true
  }
}

const isRing = (data: unknown): data is Ring =>
  typeof data === 'object' &&
  data !== null &&
  typeof (data as Ring).stage === 'string' &&
  typeof (data as Ring).key === 'string'

/** What a promise comes to, or null after `waitMs`; it may still end later, and how no longer matters. */
async function within<T>(waitMs: number, promise: Promise<T>): Promise<T | null> {
  const stop = new AbortController()
  try {
    promise.catch(() => {})
    return await Promise.race([promise, delay(waitMs, null, { signal: stop.signal })])
  } finally {
    stop.abort()
  }
}
