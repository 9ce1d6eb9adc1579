import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const ROOT = path.join(__dirname, '../..')
const LOG_LINES_MAX = 200
/** Flags of Node for these processes alone: PROCESS_FLAGS='--cpu-prof --cpu-prof-dir=profiles' profiles what a bench starts. */
export const FLAGS_OF_PROCESSES = process.env.PROCESS_FLAGS?.split(' ') ?? []

/** Compiles the checkout to dist/, where nothing has changed in no time. */
export const build = (): void =>
  void execFileSync(process.execPath, ['infra/ready.cjs', 'build'], { cwd: ROOT, stdio: 'inherit' })

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Gives devices a password each at the Mosquitto of infra/services.sh. */
export async function letIn(devices: readonly { id: string; token: string }[]): Promise<void> {
  const { MOSQUITTO_PASSWORD_FILE, MOSQUITTO_PID, PATH } = process.env
  for (const { id, token } of devices)
    execFileSync('mosquitto_passwd', ['-b', MOSQUITTO_PASSWORD_FILE!, id, token], {
      env: { ...process.env, PATH: `${PATH}:/usr/sbin` },
    })
  process.kill(Number(MOSQUITTO_PID), 'SIGHUP')
  await delay(300)
}

/** One of our processes, as it runs in production: killed at any moment and started again, always on the same port. */
export class Process {
  private child: ChildProcess | null = null
  private readonly lines: string[] = []
  kills = 0

  constructor(
    readonly app: 'ingest' | 'engine' | 'api',
    readonly port: number,
    private readonly environment: Record<string, string>,
  ) {}

  get pid(): number {
    return this.child!.pid!
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Resolves when it can be sent work. */
  async start(waitMs = 90_000): Promise<void> {
    const child = this.spawn()
    for (const end = Date.now() + waitMs; !(await this.isReady()); await delay(50))
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > end)
        throw new Error(`${this.app} is not ready; status ${child.exitCode}; it says:\n${this.says()}`)
  }

  /** Starts it under another environment; resolves when it has ended by itself: by which signal, or null; undefined where it hasn't in time. */
  async live(environment: Record<string, string>, waitMs: number): Promise<NodeJS.Signals | null | undefined> {
    const child = this.spawn(environment)
    const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    return Promise.race([ended, delay(waitMs, undefined, { ref: false })])
  }

  private spawn(more: Record<string, string> = {}): ChildProcess {
    const child = spawn(process.execPath, [...FLAGS_OF_PROCESSES, `dist/apps/${this.app}/src/main.js`], {
      cwd: ROOT,
      env: {
        PATH: process.env.PATH,
        ROADMETER_HTTP_PORT: String(this.port),
        // The api shows its metrics on a port of its own, away from its pages.
        ROADMETER_HEALTH_PORT: this.app === 'api' ? '0' : String(this.port),
        ...this.environment,
        ...more,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr!.on('data', (text: Buffer) => {
      this.lines.push(...text.toString().trimEnd().split('\n'))
      this.lines.splice(0, this.lines.length - LOG_LINES_MAX)
    })
    this.child = child
    return child
  }

  says = (): string => this.lines.slice(-30).join('\n')
  private isReady = (): Promise<boolean> =>
    fetch(`${this.url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    )

  /** As the kernel, a power cut or an orchestrator out of patience would. */
  async kill(): Promise<void> {
    this.kills++
    await this.end('SIGKILL')
  }

  /** Asks it to stop; false where it doesn't in time. */
  async stop(waitMs = 20_000): Promise<boolean> {
    const stopped = await Promise.race([this.end('SIGTERM').then(() => true), delay(waitMs, false, { ref: false })])
    if (!stopped) await this.end('SIGKILL')
    return stopped
  }

  private async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { child } = this
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }
}
