import { createHash } from 'node:crypto'
import rateLimit from '@fastify/rate-limit'
import { type NestFastifyApplication } from '@nestjs/platform-fastify'
import { type FastifyRequest } from 'fastify'
import { redisCounters } from '#messaging'
import { type Log, type Settings } from '#runtime'
import { basicPassword, bearer, isForwarder } from './access'
import { sessionCookie } from './identity/cookies'

const BRIDGE = /^\/v1\/traccar(\?|$)/
/** Where secrets are tried: counted by address, and fewer. */
const DOORS = /^\/(auth\/|enter|idp\/|v1\/enrolments)/
const REQUESTS_OF_A_DOOR = 1 / 20
/** Of a Traccar server, which speaks for a whole fleet: 5,000 positions a second, where it shows the password that we gave it. */
const REQUESTS_OF_A_BRIDGE = 100
/** Of one address, whatever it shows: whoever makes up tokens isn't somebody new with each. */
const REQUESTS_OF_AN_ADDRESS = 10

/**
 * Counts the requests of a minute by whoever asks (token or session), by address for who shows neither, in Redis where there is one, so
 * that several processes count together. Redis away: nobody is kept out.
 */
export async function limitRates(app: NestFastifyApplication, settings: Settings, log: Log): Promise<void> {
  const { requestsPerMinute, redisUrl } = settings
  const counters = redisUrl ? redisCounters(redisUrl, log) : null
  const fastify = app.getHttpAdapter().getInstance()
  if (counters) fastify.addHook('onClose', async () => counters.close())
  const isDoor = (request: FastifyRequest) => DOORS.test(request.url)
  const isBridge = (request: FastifyRequest) =>
    BRIDGE.test(request.url) && isForwarder(bearer(request) ?? basicPassword(request), settings)
  const shareOf = (request: FastifyRequest): number =>
    isDoor(request) ? REQUESTS_OF_A_DOOR : isBridge(request) ? REQUESTS_OF_A_BRIDGE : 1
  const keyOf = (request: FastifyRequest): string => {
    if (isDoor(request)) return `door ${request.ip}`
    const shown = request.headers.authorization ?? request.cookies[sessionCookie(settings).name]
    return shown ? `who ${createHash('sha256').update(shown).digest('base64url')}` : `address ${request.ip}`
  }
  await app.register(rateLimit, {
    max: (request: FastifyRequest) => Math.max(1, Math.floor(requestsPerMinute * shareOf(request))),
    timeWindow: 60_000,
    keyGenerator: keyOf,
    redis: counters?.redis,
    nameSpace: 'roadmeter-rate-',
    skipOnError: true,
    cache: 20_000,
    errorResponseBuilder: (_, { ttl }) => ({
      statusCode: 429,
      message: `too many requests: try again in ${Math.ceil(ttl / 1000)} seconds`,
    }),
  })
  const address = fastify.createRateLimit({
    max: requestsPerMinute * REQUESTS_OF_AN_ADDRESS,
    timeWindow: 60_000,
    keyGenerator: (request: FastifyRequest) => `all ${request.ip}`,
  })
  fastify.addHook('onRequest', async (request, reply) => {
    if (isBridge(request)) return
    const counted = await address(request)
    if (!counted.isAllowed && counted.isExceeded)
      await reply
        .code(429)
        .header('retry-after', counted.ttlInSeconds)
        .type('application/problem+json; charset=utf-8')
        .send({
          type: 'about:blank',
          title: `too many requests: try again in ${counted.ttlInSeconds} seconds`,
          status: 429,
          code: 'TOO_MANY',
        })
  })
}
