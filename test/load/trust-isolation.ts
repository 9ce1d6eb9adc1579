import { elapsedMs, type Bench } from '../bench'
import { openTenants } from '../security/city'

const REQUESTS = 400
const AT_ONCE = 8
const PATHS = ['/v1/statements', '/v1/vehicles', '/v1/balance', '/v1/payments', '/v1/disputes'] as const

/**
 * What citizens read, over HTTP, on the server of DATABASE_URL or on an embedded database: under row-level security, as whoever asks, and in turn as its owner, with the same
 * routes, queries and transactions.
 */
export async function isolation(b: Bench): Promise<void> {
  if (!b.wants('walled_requests_per_s', 'open_requests_per_s', 'rls_cost_ratio')) return
  // On a server where there is one, as a city has it.
  const server = process.env['ROADMETER_TEST_DATABASE_URL'] ?? process.env['DATABASE_URL']
  if (server !== undefined) process.env['ROADMETER_TEST_DATABASE_URL'] = server
  const { world, tokens } = await openTenants()
  b.atEnd(() => world.close())
  const many = b.quick ? 20 : REQUESTS
  const asked = async () => {
    let next = 0
    const worker = async () => {
      for (let i = next++; i < many; i = next++) {
        const answer = await fetch(`${world.httpUrl}${PATHS[i % PATHS.length]}`, {
          headers: { authorization: `Bearer ${tokens.citizen}` },
        })
        await answer.arrayBuffer()
        if (!answer.ok) throw new Error(`${PATHS[i % PATHS.length]}: ${answer.status}`)
      }
    }
    return (1000 * many) / (await elapsedMs(() => Promise.all(Array.from({ length: AT_ONCE }, worker))))
  }
  const within = world.store.within.bind(world.store)
  // On both sides, as for citizens: what is compared are the walls, not plans that are kept and plans that aren't.
  world.store.keepsPlans = () => true
  b.measure('walled_requests_per_s', 'requests/s', () => {
    world.store.within = within
    return asked()
  })
  b.measure('open_requests_per_s', 'requests/s', async () => {
    // As the login itself, which owns everything here: no role is taken and no policy asked.
    world.store.within = (_, work) => within(null, work)
    try {
      return await asked()
    } finally {
      world.store.within = within
    }
  })
  b.ratio('rls_cost_ratio', 'open_requests_per_s', 'walled_requests_per_s', ['<', 1.15])
}
