import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { digest } from '#kernel'

export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
if (!CHROMIUM) console.warn('SKIPPED: the portal needs Chromium (Debian: apt-get install chromium)')

const ROOT = resolve(__dirname, '../..')
/**
 * A pilot city that was driven and closed before: made once, copied for every run, because people do things in it. Made anew where
 * what makes the demo has changed: an older city would lack what the tests look for.
 */
const MADE = process.env.ROADMETER_PORTAL_DATA ?? join(tmpdir(), `roadmeter-portal-pilot-${demoDigest()}`)
const START_MS_MAX = 8 * 60_000

export interface Pilot {
  readonly url: string
  readonly folder: string
  readonly process: ChildProcess
}

function demoDigest(): string {
  const files = ['apps/pilot/src', 'libs/fleet/src', 'libs/store/src/migrations'].flatMap((folder) =>
    readdirSync(join(ROOT, folder)).map((file) => join(ROOT, folder, file)),
  )
  return digest(files.sort().map((file) => readFileSync(file, 'utf8'))).slice(0, 12)
}

async function start(folder: string, ...options: string[]): Promise<Pilot> {
  const child = spawn(process.execPath, ['dist/apps/pilot/src/main.js', ...options], {
    cwd: ROOT,
    env: {
      ...process.env,
      ROADMETER_DATA: folder,
      ROADMETER_HTTP_PORT: '0',
      ROADMETER_MQTT_PORT: '0',
      ROADMETER_REQUESTS_PER_MINUTE: '10000000',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`the pilot did not start:\n${said}`))
    }, START_MS_MAX)
    const hear = (bytes: Buffer) => {
      said += bytes.toString()
      const url = /^Serving on (\S+):/m.exec(said)?.[1]
      if (url) {
        clearTimeout(timer)
        resolve({ url, folder, process: child })
      }
    }
    child.stdout!.on('data', hear)
    child.stderr!.on('data', hear)
    child.on('exit', (status) => {
      clearTimeout(timer)
      if (status === 0 && options.includes('--exit')) resolve({ url: '', folder, process: child })
      else reject(new Error(`the pilot ended with ${status}:\n${said}`))
    })
  })
}

/** Serves a pilot city on a free port, on data of its own. The build must be there: `npm run test:e2e` sees to it. */
export async function openPilot(): Promise<Pilot> {
  if (!existsSync(MADE)) {
    // Under another name until it is whole.
    const making = mkdtempSync(`${MADE}-`)
    await start(making, '--exit')
    renameSync(making, MADE)
  }
  const folder = mkdtempSync(join(tmpdir(), 'roadmeter-portal-'))
  cpSync(MADE, folder, { recursive: true })
  return start(folder)
}

export async function closePilot({ process: child, folder }: Pilot): Promise<void> {
  await new Promise((done) => {
    child.once('exit', done)
    child.kill('SIGKILL')
  })
  rmSync(folder, { recursive: true, force: true })
}
