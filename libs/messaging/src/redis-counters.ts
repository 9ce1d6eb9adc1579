import { Redis } from 'ioredis'
import { type Log } from '#runtime'

const ANSWER_MS_MAX = 500

/** Redis for counters that several processes share. A command that isn't answered soon fails: whoever counts goes on without. */
export function redisCounters(url: string, log: Log): { readonly redis: object; close(): void } {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_MS_MAX,
    connectTimeout: 2 * ANSWER_MS_MAX,
    retryStrategy: (times) => Math.min(100 * times, 5_000),
  })
  let away = false
  redis.on('error', (error: Error) => {
    if (!away) log.error({ error: error.message }, 'Redis is away: requests are not counted until it is back')
    away = true
  })
  redis.on('ready', () => (away = false))
  return { redis, close: () => redis.disconnect() }
}
