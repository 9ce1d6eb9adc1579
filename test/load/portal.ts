import autocannon from 'autocannon'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { InputError, instant, invariant, type AccountId, type AgencyId } from '#kernel'
import { parsePolicy } from '#policy'
import { KeyRing, readSettings } from '#runtime'
import { dataSourceOptions, filePolicy, grantAccess, openDataSource, saveAgency, Store, Vault } from '#store'
import { bench } from '../bench'
import { CITIZEN, openBrowser, portalUrl, settled, visit } from '../portal/browser'
import setup from '../portal/setup'
import teardown from '../portal/teardown'
import { freePort, Process } from '../services/processes'
import { newDatabase, newFolder } from '../databases'
import { BOOKS_TARIFF, drivenMonth } from './books'

const AGENCY = 'bench-city' as AgencyId
const TRIPS_EACH = 4
/** Citizens that ask. */
const ASKERS = 200
const REQUESTS_PER_S = 200
const PAGES = ['/v1/me', '/v1/overview', '/v1/balance', '/v1/statements', '/v1/trips?month=2026-10']

/** A real api process on a server's database that holds `trips` rated trips, asked as a portal asks. p99 over all answers, in ms. */
async function askApi(trips: number, seconds: number): Promise<{ p99: number; perS: number }> {
  const server = process.env.DATABASE_URL
  if (!server)
    throw new InputError(
      'DATABASE',
      'DATABASE_URL is not set: eval "$(infra/services.sh start FOLDER)", or add --trips 0',
    )
  const database = await newDatabase(server)
  const data = newFolder()
  const environment = {
    DATABASE_URL: database.url,
    ROADMETER_LOG: 'error',
    ROADMETER_DATA: data,
    ROADMETER_REQUESTS_PER_MINUTE: '10000000',
  }
  const settings = readSettings(environment)
  const source = await openDataSource(await dataSourceOptions(settings), true)
  const api = new Process('api', await freePort(), environment)
  try {
    const store = new Store(source, new Vault(new KeyRing(settings)))
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: AGENCY, name: 'Bench City' })
      await filePolicy(tx, AGENCY, parsePolicy(BOOKS_TARIFF), instant(0))
    })
    const accounts = Math.max(ASKERS, Math.ceil(trips / TRIPS_EACH))
    await drivenMonth(store, { agency: AGENCY, accounts, trips: TRIPS_EACH, lines: 5 })
    await store.transaction(async (tx) => {
      for (let i = 0; i < ASKERS; i++)
        await grantAccess(tx, `bench-token-${i}`, {
          role: 'citizen',
          agency: AGENCY,
          account: `account-${i}` as AccountId,
        })
      await tx.run('analyze')
    })
    await api.start()
    const ask = (duration: number) =>
      autocannon({
        url: api.url,
        connections: 20,
        duration,
        overallRate: REQUESTS_PER_S,
        requests: Array.from({ length: ASKERS }, (_, i) => ({
          path: PAGES[i % PAGES.length],
          headers: { authorization: `Bearer bench-token-${i}` },
        })),
      })
    // A new process compiles its code as it runs, and opens its connections.
    await ask(Math.ceil(seconds / 4))
    const result = await ask(seconds)
    invariant(result.non2xx === 0 && result.errors === 0, `${result.non2xx} refusals and ${result.errors} errors`)
    return { p99: result.latency.p99, perS: result.requests.average }
  } finally {
    await api.stop()
    await source.destroy()
    await database.drop()
  }
}

/** From asking for a statement's address until its totals and days can be read and chosen, the script in no cache. */
async function statementInteractiveMs(runs: number): Promise<number> {
  // The pilot has services of its own, and refuses a city's.
  for (const name of ['DATABASE_URL', 'MQTT_URL', 'REDIS_URL']) delete process.env[name]
  await setup()
  try {
    const browser = await openBrowser()
    const { page, context } = await visit(browser, CITIZEN)
    await page.goto(`${portalUrl()}/my/statements`)
    await settled(page)
    const address = (await page.locator('tbody a').first().getAttribute('href'))!
    const cookies = await context.cookies()
    const times: number[] = []
    for (let i = 0; i < runs; i++) {
      const fresh = await browser.newContext()
      await fresh.addCookies(cookies)
      const first = await fresh.newPage()
      const begun = performance.now()
      await first.goto(portalUrl() + address)
      await first.locator('tbody a').first().waitFor()
      times.push(performance.now() - begun)
      await fresh.close()
    }
    return times.sort((a, b) => a - b)[times.length >> 1]
  } finally {
    await teardown()
  }
}

/** The compressed JavaScript that index.html asks for at once. */
function firstLoadBytes(): number {
  const assets = resolve(
    __dirname,
    ['../../web/assets', '../../dist/web/assets'].find((place) => existsSync(resolve(__dirname, place)))!,
  )
  const entry = readdirSync(assets).filter((file) => /^index-.*\.js\.gz$/.test(file))
  return entry.reduce((sum, file) => sum + statSync(`${assets}/${file}`).size, 0)
}

void bench('portal', 'the api as a portal asks it, and a statement in a browser', async (b) => {
  const { values } = parseArgs({ strict: false, options: { trips: { type: 'string' } } })
  const trips = Number(values['trips'] ?? (b.quick ? 2_000 : 100_000))
  if (!Number.isSafeInteger(trips) || trips < 0)
    throw new InputError('ARGUMENT', `--trips: expected a whole number, found ${String(values['trips'])}`)
  if (trips > 0) {
    const { p99, perS } = await askApi(trips, b.quick ? 3 : 30)
    b.fact('api_p99_ms', 'ms', p99, ['<=', 50])
    b.fact('api_requests_per_s', 'requests/s', perS, ['>=', 0.98 * REQUESTS_PER_S])
  }
  b.fact('first_load_bytes', 'bytes', firstLoadBytes, ['<=', 200_000])
  if (!b.quick) b.fact('statement_interactive_ms', 'ms', () => statementInteractiveMs(5), ['<=', 1_500])
})
