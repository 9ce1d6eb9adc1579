import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { covers, type Batch, type Receipt } from '#contracts'
import { chance, instant, type AccountId, type AgencyId, type DeviceId, type VehicleId } from '#kernel'
import { DeviceClient } from '#messaging'
import { parsePolicy } from '#policy'
import {
  backtestStandings,
  checkDraft,
  draftPolicy,
  reconcile,
  Reference,
  requestBacktest,
  type BacktestReport,
} from '#pipeline'
import { KeyRing, readSettings, systemClock } from '#runtime'
import {
  backlog,
  dataSourceOptions,
  openDataSource,
  saveAccount,
  saveAgency,
  saveDevice,
  saveNetwork,
  filePolicy,
  nameOfficer,
  saveVehicle,
  Store,
  Vault,
} from '#store'
import { newDatabase, newFolder } from '../databases'
import { driveAlong, MAIN_ROAD, TARIFF } from '../scenarios/roads'
import { build, freePort, letIn, Process } from './processes'

// The production form: ingest, two engines and the api as processes of their own, on PostgreSQL, Redis and Mosquitto.
const NEEDS = ['DATABASE_URL', 'REDIS_URL', 'MQTT_URL', 'MQTT_PASSWORD', 'MOSQUITTO_PASSWORD_FILE', 'MOSQUITTO_PID']
const missing = NEEDS.filter((name) => !process.env[name])
if (missing.length) console.warn(`SKIPPED: no ${missing.join(', ')}, so the production form was not run`)

const VEHICLES = 20
const DAY_MS = 86_400_000
const KILL_PAUSE_MS = 700
const SETTLE_MS_MAX = 60_000
const AGENCY = 'line-city' as AgencyId

;(missing.length ? describe.skip : describe)('the line as processes on real servers', () => {
  const run = randomBytes(4).toString('hex')
  const fleet = Array.from({ length: VEHICLES }, (_, i) => ({
    id: `line-${run}-${i}` as DeviceId,
    token: randomBytes(16).toString('hex'),
    vehicle: `vehicle-${i}` as VehicleId,
    account: `account-${i % 5}` as AccountId,
  }))
  const dice = chance('kill the line')
  let database: Awaited<ReturnType<typeof newDatabase>>
  let store: Store
  let folder: string
  let redis: Redis
  let processes: Process[] = []
  const clients: DeviceClient[] = []
  const sent = new Map<DeviceId, { batches: Batch[]; receipts: Receipt[] }>()

  beforeAll(async () => {
    build()
    database = await newDatabase(process.env.DATABASE_URL!)
    // A Redis database of our own: it is emptied on the way.
    const redisUrl = Object.assign(new URL(process.env.REDIS_URL!), { pathname: '/14' }).toString()
    redis = new Redis(redisUrl)
    folder = newFolder()
    const keyFile = path.join(folder, 'location.key')
    const settings = readSettings({ DATABASE_URL: database.url, ROADMETER_KEY_FILE: keyFile })
    store = new Store(await openDataSource(await dataSourceOptions(settings), true), new Vault(new KeyRing(settings)))
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: AGENCY, name: 'Line City' })
      await saveNetwork(tx, AGENCY, MAIN_ROAD, { name: 'drawn', activeFrom: instant(0) })
      await filePolicy(tx, AGENCY, parsePolicy({ ...TARIFF, startsAt: '2020-01-01T00:00:00+01:00' }), instant(0))
      for (const { id, token, vehicle, account } of fleet) {
        await saveAccount(tx, { id: account, agency: AGENCY, name: account })
        await saveVehicle(tx, { vehicle, account, name: vehicle, vehicleClass: 'car' })
        await saveDevice(tx, { id, vehicle, token })
      }
    })
    await letIn(fleet)
    const environment = {
      DATABASE_URL: database.url,
      REDIS_URL: redisUrl,
      MQTT_URL: process.env.MQTT_URL!,
      MQTT_USERNAME: process.env.MQTT_USERNAME ?? 'ingest',
      MQTT_PASSWORD: process.env.MQTT_PASSWORD!,
      ROADMETER_SWEEP_MS: '500',
      ROADMETER_LEASE_MS: '3000',
      // A page of a backtest is of one account.
      ROADMETER_BACKTEST_TRIPS: '1',
      ROADMETER_KEY_FILE: keyFile,
      ROADMETER_LOG: 'warn',
    }
    for (const app of ['ingest', 'engine', 'engine', 'api'] as const)
      processes.push(new Process(app, await freePort(), environment))
    await Promise.all(processes.map((one) => one.start()))
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    for (const one of processes) await one.kill()
    processes = []
    await redis?.flushdb()
    redis?.disconnect()
    await store?.dataSource.destroy()
    await database?.drop()
    if (folder) fs.rmSync(folder, { recursive: true })
  })

  /** Yesterday and today, each a trip of its own; some come back on a road that they know. */
  const drives = (i: number): Batch[] => {
    const now = systemClock.now()
    const yesterday = driveAlong('yesterday', 7, 7.03 + (i % 5) / 100, instant(now - DAY_MS - i * 60_000), 0)
    const today = driveAlong('today', 7.08, 7.02, instant(now - 3_600_000 - i * 60_000), yesterday.length)
    return [...yesterday, ...today]
  }

  it('takes in what twenty vehicles send while its processes are killed and Redis is emptied', async () => {
    let driving = true
    const driven = Promise.all(
      fleet.map(async ({ id, token }, i) => {
        const client = await DeviceClient.connect({
          url: process.env.MQTT_URL!,
          device: id,
          token,
          protocolVersion: i % 2 ? 5 : 4,
          resendMs: 1_000,
        })
        clients.push(client)
        const batches = drives(i)
        const pauses = chance(id.slice(-2))
        const receipts: Promise<Receipt>[] = []
        for (const batch of batches) {
          receipts.push(client.send(batch))
          await delay(pauses.below(2_000))
        }
        sent.set(id, { batches, receipts: await Promise.all(receipts) })
      }),
    ).finally(() => (driving = false))

    const killing = (async () => {
      for (let turn = 0; driving || turn < processes.length; turn++) {
        // Each of them at least once, then whom it hits.
        const victim = turn < processes.length ? processes[turn] : dice.pick(processes)
        await victim.kill()
        if (turn === 2) await redis.flushdb()
        await delay(dice.below(300))
        await victim.start()
        await delay(dice.below(KILL_PAUSE_MS))
      }
    })()
    await Promise.all([driven, killing])
    expect(processes.every(({ kills }) => kills > 0)).toBe(true)

    expect(sent.size).toBe(VEHICLES)
    for (const { batches, receipts } of sent.values())
      batches.forEach((batch, i) => expect(covers(receipts[i], batch.boot, batch.seq)).toBe(true))
  })

  it('has every batch in the inbox, once, and every trip priced and posted', async () => {
    for (const end = Date.now() + SETTLE_MS_MAX; ; await delay(100)) {
      const { pieces } = await store.transaction((tx) => backlog(tx))
      if (pieces === 0) break
      if (Date.now() > end)
        throw new Error(
          `work is left: ${JSON.stringify(await store.read('select stage, key, attempts, last_error from metering.work where wanted > done'))}`,
        )
    }
    const all = [...sent.values()].flatMap(({ batches }) => batches)
    const [inbox] = await store.read<{ n: string; fixes: string }>(
      `select count(*) as n, sum(fixes) as fixes from location.batch`,
    )
    expect(Number(inbox.n)).toBe(all.length)
    expect(Number(inbox.fixes)).toBe(all.reduce((sum, batch) => sum + batch.fixes.length, 0))
    expect(
      await store.read(
        `select state, count(*)::int as trips, count(distinct device)::int as devices from metering.trip group by state`,
      ),
    ).toEqual([{ state: 'posted', trips: 2 * VEHICLES, devices: VEHICLES }])
    expect(
      await store.read(`select count(distinct trip)::int as priced, bool_and(amount > 0) as dear from money.charge`),
    ).toEqual([{ priced: 2 * VEHICLES, dear: true }])
  })

  it('keeps every invariant', async () => {
    const line = {
      clock: systemClock,
      settings: readSettings({}),
      reference: new Reference(),
    }
    const findings = await reconcile(store, line)
    expect(findings.flatMap(({ id, faults }) => faults.map((fault) => `${id}: ${fault}`))).toEqual([])
    expect(findings.find(({ id }) => id === 'I6')!.checked).toBe(2 * VEHICLES)
  })

  it('rates a backtest to its end, each trip once, though its engines are killed in the middle', async () => {
    const ada = { agency: AGENCY, person: 'ada', role: 'editor', now: systemClock.now() } as const
    const dearer = {
      ...TARIFF,
      id: 'dearer',
      startsAt: '2099-01-01T00:00:00+01:00',
      rules: TARIFF.rules.map((rule) => (rule.id === 'base' ? { ...rule, price: { perKm: '0.20' } } : rule)),
    }
    // Five accounts, so five pages: with this there is time to kill somebody in the middle of one.
    await store.read(
      `create function slow_page() returns trigger language plpgsql as $$ begin perform pg_sleep(1); return new; end $$`,
    )
    await store.read(
      `create trigger slow_page before insert on tariff.backtest_part for each row execute function slow_page()`,
    )
    const asked = await store.transaction(async (tx) => {
      await nameOfficer(tx, { agency: AGENCY, person: 'ada', role: 'editor', name: 'Ada' }, ada.now)
      await draftPolicy(tx, ada, dearer, 'roads')
      expect((await checkDraft(tx, ada, 'dearer', 'as drawn')).faults).toEqual([])
      return requestBacktest(tx, ada, 'dearer', null)
    })
    expect(asked.trips).toBe(2 * VEHICLES)
    const pages = async () =>
      Number((await store.read<{ n: string }>(`select count(*) as n from tariff.backtest_part`))[0].n)
    for (const end = Date.now() + SETTLE_MS_MAX; (await pages()) < 2; await delay(20))
      if (Date.now() > end) throw new Error('nobody rates pages')
    const engines = processes.filter(({ app }) => app === 'engine')
    await Promise.all(engines.map((engine) => engine.kill()))
    const done = await pages()
    expect(done).toBeLessThan(5)
    await Promise.all(engines.map((engine) => engine.start()))
    let result: BacktestReport | undefined
    for (const end = Date.now() + SETTLE_MS_MAX; !result; await delay(100)) {
      const [standing] = await store.transaction((tx) => backtestStandings(tx, AGENCY, 'dearer'))
      // What was rated before the kill stays rated.
      if (!standing.report) expect(standing.tripsDone).toBeGreaterThanOrEqual(done)
      result = standing.report ?? undefined
      if (Date.now() > end) throw new Error('the backtest does not end')
    }
    const [{ booked }] = await store.read<{ booked: string }>(`select sum(amount)::text as booked from money.charge`)
    expect(result).toMatchObject({
      gone: 0,
      books: { booked, recomputed: booked, agree: true },
      comparison: { trips: 2 * VEHICLES, accounts: 5 },
    })
  })

  it('keeps no coordinate in plain: not in a file of PostgreSQL, Redis or Mosquitto, nor in what its processes say', async () => {
    // As they stand in JSON: long enough to be nothing else.
    const driven = new Set(
      [...sent.values()].flatMap(({ batches }) =>
        batches.flatMap(({ fixes }) => fixes.map(([, , lon]) => String(lon))),
      ),
    )
    const found = (text: string) => [...text.matchAll(/7\.0\d{9,}/g)].filter(([word]) => driven.has(word)).length
    expect(found(JSON.stringify([...sent.values()].map(({ batches }) => batches)))).toBeGreaterThan(1_000)
    await store.dataSource.query('checkpoint')
    await redis.save()
    process.kill(Number(process.env.MOSQUITTO_PID), 'SIGUSR1')
    await delay(500)
    const servers = path.dirname(process.env.MOSQUITTO_PASSWORD_FILE!)
    let files = 0
    for (const entry of fs.readdirSync(servers, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const file = path.join(entry.parentPath, entry.name)
      // Servers take files away while this looks.
      const text = await fs.promises.readFile(file, 'latin1').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return ''
        throw error
      })
      files++
      expect([file, found(text)]).toEqual([file, 0])
    }
    expect(files).toBeGreaterThan(100)
    for (const one of processes) expect(found(one.says())).toBe(0)
  })

  it('answers for itself: alive, ready, measured, described', async () => {
    for (const { app, url } of processes) {
      expect([app, await (await fetch(`${url}/healthz`)).json()]).toEqual([app, { status: 'alive' }])
      expect([app, await (await fetch(`${url}/readyz`)).json()]).toEqual([app, { status: 'ready' }])
      const metrics = await fetch(`${url}/metrics`)
      if (app === 'api') expect(metrics.status).toBe(401)
      else expect(await metrics.text()).toMatch(/^roadmeter_oldest_work_seconds \d/m)
    }
    const api = processes.find(({ app }) => app === 'api')!
    expect((await fetch(`${api.url}/docs`)).headers.get('content-type')).toMatch(/text\/html/)
    const openapi = (await (await fetch(`${api.url}/openapi.json`)).json()) as { paths: Record<string, unknown> }
    expect(Object.keys(openapi.paths)).toContain('/v1/devices/{device}/batches')
    const { id, token } = fleet[3]
    const receipt = (await (
      await fetch(`${api.url}/v1/devices/${id}/receipt`, { headers: { authorization: `Bearer ${token}` } })
    ).json()) as Receipt
    expect(receipt).toMatchObject({ boot: 0, upTo: sent.get(id)!.batches.length - 1, missing: [] })
  })

  it('stops when it is asked to', async () => {
    expect(await Promise.all(processes.map((one) => one.stop()))).toEqual(processes.map(() => true))
  })
})
