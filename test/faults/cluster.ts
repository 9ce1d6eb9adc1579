import { fork } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { batchDigest, wireBatch, type Batch, type Receipt } from '#contracts'
import { Fleet, sendingsOf, SOME_TROUBLE } from '#fleet'
import { chance, instant, type AccountId, type AgencyId, type DeviceId, type Instant, type VehicleId } from '#kernel'
import { requestClose } from '#pipeline'
import { parsePolicy } from '#policy'
import { type RoadNetwork } from '#road-network'
import { KeyRing, readSettings, systemClock, type CrashPoint } from '#runtime'
import {
  dataSourceOptions,
  filePolicy,
  openDataSource,
  saveAccount,
  saveAgency,
  saveDevice,
  saveNetwork,
  saveVehicle,
  Store,
  Vault,
} from '#store'
import { enrolCast, networkOf, type Cast } from '../../apps/ops/src/simulate/cast'
import { type SimulationResult } from '../../apps/ops/src/simulate/drive'
import { TARIFF } from '../scenarios/roads'
import { freePort, letIn, Process } from '../services/processes'
import { type Event } from './checker'
import { CommitCutter } from './commit-cutter'
import { type LoadOrder } from './load'
import { type Servers } from './servers'

const ROOT = path.join(__dirname, '../..')
const DAY_MS = 86_400_000
export const AGENCY = 'fault-city' as AgencyId

/** A busy machine has to do what is before it first. */
const REACHED_MS_MAX = 180_000
const STARTS_MAX = 20
/** Of one batch, four a second: longer than any outage, with restarts on a busy machine around it. */
const POSTS_MAX = 2_400
/** Agencies without a vehicle, each with a month that is drafted and then waits for its review: its close is tried at every sweep. */
const CLOSING = 6

export type Name = 'ingest1' | 'ingest2' | 'ownIngest' | 'engine1' | 'engine2' | 'calmEngine' | 'api'

/** A line of a history: what the checker reads, and the batch itself. */
export type Line = Event & { readonly batch?: Batch }

interface Load {
  readonly history: string
  /** Resolves when its first batch is on its way. */
  readonly driving: Promise<unknown>
  stop(): void
  /** At once, whatever it has in hand. */
  end(): void
  readonly done: Promise<SimulationResult | null>
}

const POLICY = parsePolicy({ ...TARIFF, startsAt: '2020-01-01T00:00:00+01:00' })

/** An agency with the demo city and a tariff, in a new database. */
export async function foundCity(store: Store, network: RoadNetwork): Promise<void> {
  await store.transaction(async (tx) => {
    await saveAgency(tx, { id: AGENCY, name: 'Fault City' })
    await saveNetwork(tx, AGENCY, network, { name: 'demo', activeFrom: instant(0) })
    await filePolicy(tx, AGENCY, POLICY, instant(0))
  })
}

/** Lets the last month of all agencies close, that of the city too, which waits for what its devices have yet to send. */
async function closeLastMonth(store: Store): Promise<void> {
  const now = new Date(systemClock.now())
  const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 15)).toISOString().slice(0, 7)
  for (let i = 1; i <= CLOSING; i++) {
    const id = `closing-city-${i}` as AgencyId
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id, name: `Closing City ${i}` })
      await filePolicy(tx, id, POLICY, instant(0))
    })
    await requestClose(store, id, month)
  }
  await requestClose(store, AGENCY, month)
}

/** Devices that speak HTTPS, each with a vehicle of an account of its own. */
export async function httpDevices(
  store: Store,
  seed: string,
  count: number,
): Promise<{ device: DeviceId; token: string }[]> {
  const devices = Array.from({ length: count }, (_, i) => ({
    device: `http-device-${i}` as DeviceId,
    token: `token ${seed} ${i}`,
  }))
  await store.transaction(async (tx) => {
    for (const [i, { device, token }] of devices.entries()) {
      const [account, vehicle] = [`http-account-${i}` as AccountId, `http-vehicle-${i}` as VehicleId]
      await saveAccount(tx, { id: account, agency: AGENCY, name: account })
      await saveVehicle(tx, { vehicle, account, name: vehicle, vehicleClass: 'car' })
      await saveDevice(tx, { id: device, vehicle, token })
    }
  })
  return devices
}

/** `folder` keeps the key that locations are sealed with. */
export async function openStore(url: string, folder: string): Promise<Store> {
  const settings = readSettings({ DATABASE_URL: url, ROADMETER_KEY_FILE: path.join(folder, 'location.key') })
  const source = await openDataSource(await dataSourceOptions(settings), true)
  return new Store(source, new Vault(new KeyRing(settings)))
}

/**
 * Roadmeter as it runs in production, on servers of its own: two ingests behind Mosquitto, one with a broker of its own, two
 * engines, the api; every one of them reaches the database through a `CommitCutter`. Three fleets drive: over Mosquitto,
 * through our own broker with signed batches, and over HTTPS.
 */
export class Cluster {
  readonly processes: Record<Name, Process>
  private readonly loads: Load[] = []

  private constructor(
    readonly servers: Servers,
    readonly cutter: CommitCutter,
    readonly store: Store,
    readonly network: RoadNetwork,
    readonly casts: { mosquitto: Cast; own: Cast; http: { device: DeviceId; token: string }[] },
    processes: Cluster['processes'],
    private readonly ownUrl: string,
    private readonly folder: string,
    readonly seed: string,
  ) {
    this.processes = processes
  }

  static async open(servers: Servers, folder: string, seed: string, devices: number): Promise<Cluster> {
    Object.assign(process.env, servers.environment)
    const network = await networkOf(undefined)
    const store = await openStore(servers.databaseUrl, folder)
    await foundCity(store, network)
    await closeLastMonth(store)
    const real = new URL(servers.databaseUrl)
    const cutter = await CommitCutter.open(real.hostname, Number(real.port))
    const throughCutter = Object.assign(new URL(real), { port: String(cutter.port) }).toString()
    const common = {
      DATABASE_URL: throughCutter,
      REDIS_URL: servers.environment.REDIS_URL,
      ROADMETER_OPERATOR_KEY: path.join(folder, 'operator.key'),
      ROADMETER_KEY_FILE: path.join(folder, 'location.key'),
      ROADMETER_SWEEP_MS: '500',
      ROADMETER_LEASE_MS: '3000',
      ROADMETER_LOG: 'warn',
    }
    const subscriber = (name: string) => ({
      ...common,
      MQTT_URL: servers.environment.MQTT_URL,
      MQTT_USERNAME: servers.environment.MQTT_USERNAME,
      MQTT_PASSWORD: servers.environment.MQTT_PASSWORD,
      ROADMETER_MQTT_INSTANCE: name,
      ROADMETER_MQTT_CONNECTIONS: '8',
    })
    const ownPort = await freePort()
    const processes = {
      ingest1: new Process('ingest', await freePort(), subscriber('one')),
      ingest2: new Process('ingest', await freePort(), subscriber('two')),
      ownIngest: new Process('ingest', await freePort(), { ...common, ROADMETER_MQTT_PORT: String(ownPort) }),
      engine1: new Process('engine', await freePort(), common),
      engine2: new Process('engine', await freePort(), common),
      // Nobody kills it: what others drop is picked up, as by an orchestrator's other replicas.
      calmEngine: new Process('engine', await freePort(), common),
      api: new Process('api', await freePort(), common),
    }
    // One makes the operator's key, which the fleets then know receipts by.
    await processes.ingest1.start()
    const cast = (kind: string, signed: boolean) =>
      enrolCast(
        store,
        AGENCY,
        { seed: `${seed} ${kind}`, size: devices, signed, file: path.join(folder, `${kind}.json`) },
        systemClock.now(),
      )
    const casts = {
      mosquitto: await cast('mosquitto', false),
      own: await cast('own', true),
      http: await httpDevices(store, seed, Math.ceil(devices / 2)),
    }
    await letIn(casts.mosquitto.devices.map(({ device, token }) => ({ id: device, token })))
    const others = Object.entries(processes).filter(([name]) => name !== 'ingest1')
    await Promise.all(others.map(([, one]) => one.start()))
    return new Cluster(servers, cutter, store, network, casts, processes, `mqtt://127.0.0.1:${ownPort}`, folder, seed)
  }

  /** Lets all three fleets drive, at some `rate` fixes a second all together, until `stopDriving`. Resolves when all are under way. */
  async drive(rate: number, days: number): Promise<void> {
    const until = systemClock.now()
    const order = (kind: string, url: string): LoadOrder => ({
      cast: path.join(this.folder, `${kind}.json`),
      url,
      days,
      until,
      rate: 0.43 * rate,
      history: path.join(this.folder, `${kind}.history`),
    })
    this.loads.push(
      fleetProcess(order('mosquitto', this.servers.environment.MQTT_DEVICES_URL)),
      fleetProcess(order('own', this.ownUrl)),
      this.driveOverHttp(0.14 * rate, days, until),
    )
    await Promise.all(this.loads.map(({ driving, done }) => Promise.race([driving, done])))
  }

  /** Resolves when every device has a receipt for all that it sent; what the fleets say of themselves. */
  async stopDriving(waitMs: number): Promise<SimulationResult[]> {
    for (const load of this.loads) load.stop()
    const all = Promise.all(this.loads.map(({ done }) => done))
    const results = await Promise.race([all, delay(waitMs, null, { ref: false })])
    if (!results) throw new Error(`not every batch had its receipt within ${waitMs / 1000} s`)
    return results.flatMap((result) => result ?? [])
  }

  /** Starts a process that has ended, again and again where it gives up because a server is away, as an orchestrator does. */
  async revive(name: Name): Promise<void> {
    for (let triesLeft = STARTS_MAX; ; triesLeft--)
      try {
        return await this.processes[name].start()
      } catch (error) {
        await this.processes[name].kill()
        if (triesLeft === 0) throw error
      }
  }

  /** Starts a process and kills it `lifeMs` after it is ready. */
  async isKilled(name: Name, lifeMs: number): Promise<void> {
    await this.revive(name)
    await delay(lifeMs)
    await this.processes[name].kill()
  }

  /** Starts a process that kills itself at a crash point; throws where it doesn't come there. */
  async diesAt(name: Name, point: CrashPoint): Promise<void> {
    const end = Date.now() + REACHED_MS_MAX
    for (let triesLeft = STARTS_MAX; triesLeft > 0; triesLeft--) {
      const signal = await this.processes[name].live({ CRASH_AT: point }, end - Date.now())
      if (signal === 'SIGKILL') return
      if (signal === undefined) break
    }
    throw new Error(`${name} did not pass ${point} within ${REACHED_MS_MAX / 1000} s`)
  }

  /** Whether a fleet has ended by itself: nothing is left to disturb. */
  async isOver(): Promise<boolean> {
    return (await Promise.race([...this.loads.map(({ done }) => done.then(() => true)), delay(0, false)])) === true
  }

  async *history(): AsyncGenerator<Line> {
    for (const { history } of this.loads)
      for await (const line of createInterface({ input: createReadStream(history) })) yield JSON.parse(line) as Line
  }

  /** Devices that post each batch until it is answered, one after the other. */
  private driveOverHttp(rate: number, days: number, until: Instant): Load {
    const history = path.join(this.folder, 'http.history')
    const file = createWriteStream(history)
    const write = (line: unknown) => void file.write(`${JSON.stringify(line)}\n`)
    let stopped = false
    const fleet = new Fleet(this.network, `${this.seed} http`, this.casts.http.length)
    const pauseMs = (60_000 * this.casts.http.length) / rate
    const drive = async ({ device, token }: { device: DeviceId; token: string }, vehicle: number): Promise<void> => {
      const dice = chance(`${this.seed}/http/${vehicle}`)
      let counter = { boot: 1, seq: 0 }
      for (let day = 0; day < days && !stopped; day++) {
        const from = instant(until - (until % DAY_MS) - (days - day) * DAY_MS)
        const name = new Date(from).toISOString().slice(0, 10)
        const trips = fleet.trips(vehicle, { name, from, weekday: new Date(from).getUTCDay() % 6 !== 0 })
        const { sendings, next } = sendingsOf(trips, counter, 60, SOME_TROUBLE, 0, dice.fork(name))
        counter = next
        for (const { batch } of sendings) {
          const { boot, seq } = batch
          const digest = batchDigest(device, batch)
          write({ device, did: 'sent', boot, seq, digest, fixes: batch.fixes.length, batch: wireBatch(batch) })
          const receipt = await this.post(device, token, batch)
          write({ device, did: 'heard', boot: receipt.boot, upTo: receipt.upTo, missing: receipt.missing })
          if (!stopped) await delay(pauseMs)
        }
      }
    }
    const done = Promise.all(this.casts.http.map(drive)).then(async () => {
      await new Promise<void>((resolve) => file.end(resolve))
      return null
    })
    done.catch(() => undefined)
    return {
      history,
      driving: Promise.resolve(),
      stop: () => void (stopped = true),
      end: () => void (stopped = true),
      done,
    }
  }

  private async post(device: DeviceId, token: string, batch: Batch): Promise<Receipt> {
    for (let triesLeft = POSTS_MAX; ; triesLeft--) {
      const answer = await fetch(`${this.processes.api.url}/v1/devices/${device}/batches`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(wireBatch(batch)),
        signal: AbortSignal.timeout(5_000),
      }).catch(() => null)
      // Its body may be cut off as well.
      const receipt = answer?.ok ? ((await answer.json().catch(() => null)) as Receipt | null) : null
      if (receipt) return receipt
      if (triesLeft === 0) throw new Error(`${device} got no receipt over HTTPS; last answer: ${answer?.status}`)
      await delay(250)
    }
  }

  /** The last words of every process. */
  says(): string {
    return Object.entries(this.processes)
      .map(([name, one]) => `--- ${name}, killed ${one.kills} times:\n${one.says()}`)
      .join('\n')
  }

  async close(): Promise<void> {
    for (const load of this.loads) load.end()
    for (const one of Object.values(this.processes)) await one.kill()
    this.cutter.close()
    await this.store.dataSource.destroy().catch(() => undefined)
  }
}

function fleetProcess(order: LoadOrder): Load {
  const child = fork(path.join(ROOT, 'infra/bench.cjs'), ['test/faults/load.ts', JSON.stringify(order)], { cwd: ROOT })
  let result: SimulationResult | null = null
  let driving = (): void => undefined
  const drives = new Promise<void>((resolve) => (driving = resolve))
  child.on('message', (message) => {
    if (message === 'driving') driving()
    else result = message as SimulationResult
  })
  const done = new Promise<SimulationResult | null>((resolve, reject) => {
    child.once('exit', (status) =>
      result ? resolve(result) : reject(new Error(`a fleet gave up with status ${status}`)),
    )
  })
  done.catch(() => undefined)
  return {
    history: order.history,
    driving: drives,
    stop: () => child.connected && void child.send('stop'),
    end: () => void child.kill('SIGKILL'),
    done,
  }
}
