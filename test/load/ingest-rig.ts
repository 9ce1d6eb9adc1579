import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { instant, type DeviceId } from '#kernel'
import { systemClock } from '#runtime'
import { IngestStand } from './ingest-stand'
import { type LoadResult, type LoadRun, type LoadSetting } from './mqtt-load'

const ROOT = path.join(__dirname, '../..')
export const FIXES_PER_BATCH = 60
const FIRST_BOOT = 1

/** Servers, one ingest process and a load process, as bench:ingest measures them. */
export class Rig {
  private boot = FIRST_BOOT

  private constructor(
    private readonly stand: IngestStand,
    private readonly load: ChildProcess,
    private readonly devices: number,
    private readonly batches: number,
  ) {}

  static async open(count: number, batches: number): Promise<Rig> {
    const devices = Array.from({ length: count }, (_, i) => ({
      id: `bench-device-${i}` as DeviceId,
      token: `token ${i}`,
    }))
    const stand = await IngestStand.open(devices)
    const setting: LoadSetting = {
      url: stand.servers.environment.MQTT_DEVICES_URL,
      devices,
      batches,
      fixesPerBatch: FIXES_PER_BATCH,
      from: instant(systemClock.now() - 10 * 86_400_000),
    }
    const load = fork(path.join(ROOT, 'infra/bench.cjs'), ['test/load/mqtt-load.ts', JSON.stringify(setting)], {
      cwd: ROOT,
    })
    await once(load, 'message')
    return new Rig(stand, load, count, batches)
  }

  async run(run: Omit<LoadRun, 'boot'>): Promise<LoadResult> {
    const answer = once(this.load, 'message') as Promise<[LoadResult]>
    this.load.send({ ...run, boot: this.boot++ })
    return (await answer)[0]
  }

  /** Fixes a second of the obvious way, `messages` from each device. */
  async naive(messages: number): Promise<number> {
    const { ingest, servers } = this.stand
    await ingest.stop()
    const consumer = fork(path.join(ROOT, 'infra/bench.cjs'), ['test/load/naive-ingest.ts'], {
      cwd: ROOT,
      env: { ...process.env, ...servers.environment },
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
      await ingest.start()
      await delay(200)
      // The process is new: its code is compiled as it runs, and keys are unwrapped once.
      for (let i = 0; i < 3; i++) await this.run({ kind: 'batches', messages: this.batches, rate: null })
    }
  }

  async bytesPerFix(): Promise<number> {
    const [row] = await this.stand.store.read<{ bytes: string; fixes: string }>(
      `select pg_total_relation_size('location.batch') + pg_total_relation_size('metering.stream') as bytes, (select sum(fixes) from location.batch) as fixes`,
    )
    return Number(row.bytes) / Number(row.fixes)
  }

  /** Memory of the ingest process. */
  residentMb(): number {
    const status = readFileSync(`/proc/${this.stand.ingest.pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1024
  }

  async close(): Promise<void> {
    this.load.kill('SIGKILL')
    await this.stand.close()
  }
}
