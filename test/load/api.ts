import autocannon from 'autocannon'
import { InputError, instant, invariant, type AccountId, type AgencyId } from '#kernel'
import { parsePolicy } from '#policy'
import { KeyRing, readSettings } from '#runtime'
import {
  dataSourceOptions,
  filePolicy,
  grantAccess,
  openDataSource,
  saveAgency,
  saveNetwork,
  Store,
  Vault,
} from '#store'
import { bench } from '../bench'
import { MAIN_ROAD } from '../scenarios/roads'
import { freePort, Process } from '../services/processes'
import { newDatabase } from '../store/databases'
import { BOOKS_TARIFF, drivenMonth } from './books'

const AGENCY = 'bench-city' as AgencyId
const RATE_PER_S = 200
const CONNECTIONS = 20
const TRIPS = 4
const LINES = 5

/** What the portal's pages ask most: who is signed in, statements, vehicles, the tariff, the map. */
const ADDRESSES = [
  '/v1/me',
  '/v1/statements',
  '/v1/vehicles',
  `/v1/agencies/${AGENCY}/feed`,
  `/v1/agencies/${AGENCY}/map`,
  `/tiles/roads/10/532/368.pbf?agency=${AGENCY}`,
]

void bench('api', 'the api under the load of a city, as a process of its own on PostgreSQL', async (b) => {
  const server = process.env.DATABASE_URL
  if (!server) throw new InputError('DATABASE', 'DATABASE_URL is not set: eval "$(infra/services.sh start FOLDER)"')
  const accounts = (b.quick ? 1_000 : 100_000) / TRIPS
  const database = await newDatabase(server)
  b.atEnd(() => database.drop())
  const settings = readSettings({ DATABASE_URL: database.url, ROADMETER_LOG: 'error' })
  const source = await openDataSource(await dataSourceOptions(settings), true)
  const store = new Store(source, new Vault(new KeyRing(settings)))
  const tokens = Array.from({ length: 100 }, (_, i) => `bench-citizen-${i}`)
  await store.transaction(async (tx) => {
    await saveAgency(tx, { id: AGENCY, name: 'Bench City' })
    await saveNetwork(tx, AGENCY, MAIN_ROAD, { name: 'bench', activeFrom: instant(0) })
    await filePolicy(tx, AGENCY, parsePolicy(BOOKS_TARIFF), instant(0))
  })
  await drivenMonth(store, { agency: AGENCY, accounts, trips: TRIPS, lines: LINES })
  await store.transaction(async (tx) => {
    for (const [i, token] of tokens.entries())
      await grantAccess(tx, token, { role: 'citizen', agency: AGENCY, account: `account-${i}` as AccountId })
  })
  await source.destroy()

  const api = new Process('api', await freePort(), { DATABASE_URL: database.url, ROADMETER_LOG: 'error' })
  await api.start()
  b.atEnd(() => api.kill())
  b.measure(
    'api_p99_ms',
    'ms',
    async () => {
      const result = await autocannon({
        url: api.url,
        connections: CONNECTIONS,
        overallRate: RATE_PER_S,
        duration: b.quick ? 3 : 20,
        requests: ADDRESSES.flatMap((path, i) =>
          tokens.slice(i * 10, i * 10 + 10).map((token) => ({ path, headers: { authorization: `Bearer ${token}` } })),
        ),
      })
      const { non2xx, errors, latency, requests } = result
      invariant(errors === 0 && non2xx === 0, `${errors} requests failed, ${non2xx} were refused`)
      process.stderr.write(`${requests.average} requests/s, p50 ${latency.p50} ms, p99 ${latency.p99} ms\n`)
      return latency.p99
    },
    ['<', 50],
  )
})
