import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { Client } from 'pg'

const ROOT = path.join(__dirname, '../..')
const SERVICES = path.join(ROOT, 'infra/services.sh')
/** Of memory: the database must run full within seconds, and nothing of it is worth a disk. */
const DISK_MB = 900
const WAIT_MS_MAX = 60_000
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`
const run = promisify(execFile)

/** PostgreSQL, Redis and Mosquitto of one's own, to do one's worst to. */
export class Servers {
  private constructor(
    readonly folder: string,
    readonly environment: Record<string, string>,
    /** Whether the folder is a small disk of its own, which can be filled. */
    readonly hasOwnDisk: boolean,
  ) {}

  /** On a small disk in memory, where one can be had, or on the disk that is there. */
  static start(disk: 'small' | 'real' = 'small'): Servers {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-servers-'))
    let hasOwnDisk = disk === 'small'
    try {
      if (hasOwnDisk)
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MB}m`, 'tmpfs', folder], { stdio: 'ignore' })
    } catch {
      hasOwnDisk = false
    }
    try {
      const exports = execFileSync(SERVICES, ['start', folder], { encoding: 'utf8' })
      const environment = Object.fromEntries([...exports.matchAll(/^export (\w+)=(.*)$/gm)].map(([, k, v]) => [k, v]))
      return new Servers(folder, environment, hasOwnDisk)
    } catch (error) {
      if (hasOwnDisk) execFileSync('umount', ['-l', folder])
      throw error
    }
  }

  get databaseUrl(): string {
    return this.environment.DATABASE_URL
  }

  /** One statement, on a connection of its own. */
  async sql<Row>(text: string): Promise<Row[]> {
    const client = new Client({ connectionString: this.databaseUrl, connectionTimeoutMillis: 2_000 })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return (await client.query(text)).rows as Row[]
    } finally {
      await client.end().catch(() => undefined)
    }
  }

  /** Resolves when the database answers; starts it where it has given up. */
  async postgresIsBack(): Promise<void> {
    const end = Date.now() + WAIT_MS_MAX
    for (let tries = 1; ; tries++) {
      try {
        return void (await this.sql('select 1'))
      } catch (error) {
        if (Date.now() > end) throw error
        if (tries % 20 === 0) await this.pgCtl('start').catch(() => undefined)
        await delay(100)
      }
    }
  }

  /** Ends every connection of ours, as an administrator would. */
  async terminateBackends(): Promise<void> {
    await this.sql(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'roadmeter'`)
  }

  /** Kills one backend at work: PostgreSQL then ends all of them and recovers from its log. */
  async killBackend(): Promise<void> {
    const [backend] = await this.sql<{ pid: number }>(
      `select pid from pg_stat_activity where application_name = 'roadmeter' order by state = 'idle', random() limit 1`,
    )
    if (backend) process.kill(backend.pid, 'SIGKILL')
    await this.postgresIsBack()
  }

  /** Pulls the plug: no checkpoint, recovery from the log. */
  async restartPostgres(): Promise<void> {
    await this.pgCtl('restart', '-m', 'immediate')
    await this.postgresIsBack()
  }

  private async pgCtl(...act: string[]): Promise<void> {
    const data = path.join(this.folder, 'postgres')
    const bin = readFileSync(path.join(this.folder, 'postgres.bin'), 'utf8').trim()
    const command = [`${bin}/pg_ctl`, '-D', data, '-l', `${data}/server.log`, '-w', '-t', '60', ...act]
    const [program, ...rest] = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--', ...command] : command
    await run(program, rest, { cwd: '/', env: { ...process.env, PATH } })
  }

  /** Kills the broker and takes away all that it had kept: sessions, retained messages, what waited. */
  async killBroker(): Promise<void> {
    this.killByFile('mosquitto.pid')
    rmSync(path.join(this.folder, 'mosquitto.db'), { force: true })
    await this.startBroker()
  }

  private async startBroker(): Promise<void> {
    const { folder } = this
    for (let tries = 0; ; tries++)
      try {
        await run('mosquitto', ['-d', '-c', path.join(folder, 'mosquitto.conf')], { env: { ...process.env, PATH } })
        break
      } catch (error) {
        // Its port may not be free at once.
        if (tries === 50) throw error
        await delay(100)
      }
  }

  async flushRedis(): Promise<void> {
    const redis = new Redis(this.environment.REDIS_URL)
    await redis.flushall()
    redis.disconnect()
  }

  /** Kills Redis, which keeps nothing, and leaves it away for a while. */
  async redisAway(seconds: number): Promise<void> {
    this.killByFile('redis.pid')
    await delay(1000 * seconds)
    await run('redis-server', [path.join(this.folder, 'redis.conf')])
  }

  /** Leaves not a block on the disk of the database, for a while. */
  async diskFull(seconds: number): Promise<void> {
    const filler = path.join(this.folder, 'filler')
    await run('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k']).catch(() => undefined)
    await delay(1000 * seconds)
    rmSync(filler)
    await this.postgresIsBack()
  }

  private killByFile(name: string): void {
    const file = path.join(this.folder, name)
    if (!existsSync(file)) return
    process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL')
    writeFileSync(file, '')
  }

  stop(): void {
    try {
      execFileSync(SERVICES, ['stop', this.folder], { stdio: 'ignore' })
    } finally {
      if (this.hasOwnDisk) execFileSync('umount', ['-l', this.folder])
      rmSync(this.folder, { recursive: true, force: true })
    }
  }
}
