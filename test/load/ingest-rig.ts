import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { instant, type AccountId, type AgencyId, type DeviceId, type VehicleId } from '#kernel'
import { systemClock } from '#runtime'
import { saveAccount, saveAgency, saveDevice, saveVehicle, type Store } from '#store'
import { openStore } from '../faults/cluster'
import { Servers } from '../faults/servers'
import { freePort, letIn, Process } from '../services/processes'
import { type LoadResult, type LoadRun, type LoadSetting } from './mqtt-load'

const ROOT = path.join(__dirname, '../..')
export const FIXES_PER_BATCH = 60
const FIRST_BOOT = 1

/** Servers, one ingest process and a load process, as bench:ingest measures them. */
export class Rig {
  private boot = FIRST_BOOT

  private constructor(
    private readonly servers: Servers,
    private readonly store: Store,
    private readonly ingest: Process,
    private readonly load: ChildProcess,
    private readonly folder: string,
    private readonly devices: number,
    private readonly batches: number,
  ) {}

  static async open(count: number, batches: number): Promise<Rig> {
    const servers = Servers.start('real')
    Object.assign(process.env, servers.environment)
    const folder = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-bench-'))
    const store = await openStore(servers.databaseUrl, folder)
    const devices = Array.from({ length: count }, (_, i) => ({
      id: `bench-device-${i}` as DeviceId,
      token: `token ${i}`,
    }))
    const [agency, account] = ['bench-city' as AgencyId, 'bench-account' as AccountId]
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: agency, name: 'Bench City' })
      await saveAccount(tx, { id: account, agency, name: 'Bench' })
      for (const { id, token } of devices) {
        const vehicle = `vehicle-of-${id}` as VehicleId
        await saveVehicle(tx, { vehicle, account, name: id, vehicleClass: 'car' })
        await saveDevice(tx, { id, vehicle, token })
      }
    })
    await letIn(devices)
    const { DATABASE_URL, MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD } = servers.environment
    const ingest = new Process('ingest', await freePort(), {
      DATABASE_URL,
      MQTT_URL,
      MQTT_USERNAME,
      MQTT_PASSWORD,
      ROADMETER_OPERATOR_KEY: path.join(folder, 'operator.key'),
      ROADMETER_KEY_FILE: path.join(folder, 'location.key'),
      ROADMETER_LOG: 'warn',
    })
    await ingest.start()
    const setting: LoadSetting = {
      url: servers.environment.MQTT_DEVICES_URL,
      devices,
      batches,
      fixesPerBatch: FIXES_PER_BATCH,
      from: instant(systemClock.now() - 10 * 86_400_000),
    }
    const load = fork(path.join(ROOT, 'infra/bench.cjs'), ['test/load/mqtt-load.ts', JSON.stringify(setting)], {
      cwd: ROOT,
    })
    await once(load, 'message')
    return new Rig(servers, store, ingest, load, folder, count, batches)
  }

  async run(run: Omit<LoadRun, 'boot'>): Promise<LoadResult> {
    const answer = once(this.load, 'message') as Promise<[LoadResult]>
    this.load.send({ ...run, boot: this.boot++ })
    return (await answer)[0]
  }

  /** Fixes a second of the obvious way, `messages` from each device. */
  async naive(messages: number): Promise<number> {
    await this.ingest.stop()
    const consumer = fork(path.join(ROOT, 'infra/bench.cjs'), ['test/load/naive-ingest.ts'], {
      cwd: ROOT,
      env: { ...process.env, ...this.servers.environment },
    })
    try {
      await once(consumer, 'message')
      const all = messages * this.devices
      const begun = performance.now()
      const saved = new Promise<void>((resolve) => consumer.on('message', (n) => n === all && resolve()))
      const sent = this.run({ kind: 'fixes', messages, rate: null })
      await Promise.all([saved, sent])
      return (1000 * all) / (performance.now() - begun)
    } finally {
      consumer.kill('SIGKILL')
      await this.ingest.start()
      await delay(200)
      // The process is new: its code is compiled as it runs, and keys are unwrapped once.
      for (let i = 0; i < 3; i++) await this.run({ kind: 'batches', messages: this.batches, rate: null })
    }
  }

  async bytesPerFix(): Promise<number> {
    const [row] = await this.store.read<{ bytes: string; fixes: string }>(
      `select pg_total_relation_size('location.batch') + pg_total_relation_size('metering.stream') as bytes, (select sum(fixes) from location.batch) as fixes`,
    )
    return Number(row.bytes) / Number(row.fixes)
  }

  /** Memory of the ingest process. */
  residentMb(): number {
    const status = readFileSync(`/proc/${this.ingest.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1024
  }

  async close(): Promise<void> {
    this.load.kill('SIGKILL')
    await this.ingest.kill()
    await this.store.dataSource.destroy()
    this.servers.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
