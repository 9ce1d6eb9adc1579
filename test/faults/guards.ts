import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { TARIFF_GUARDS } from './tariff-guards'

// npm run test:guards -- [--only TEXT]: takes each guard away once, in a copy of the tree, and runs the smallest suite that must
// then fail. A guard whose loss no suite notices is no guard.

const ROOT = path.join(__dirname, '../..')

export interface Guard {
  readonly name: string
  readonly file: string
  /** What is there, once, and what it becomes. */
  readonly from: string
  readonly to: string
  readonly suite: string
  readonly test: string
  /** Whether the suite needs the servers of infra/services.sh. */
  readonly onServers?: boolean
}

const GUARDS: readonly Guard[] = [
  {
    name: 'receipt: a device keeps what none covers',
    file: 'libs/messaging/src/device-client.ts',
    from: 'if (!covers(receipt, entry.batch.boot, entry.batch.seq)) continue',
    to: '',
    suite: 'libs/messaging/src/broker.spec.ts',
    test: 'is held until a receipt covers it',
  },
  {
    name: 'receipt: none before the commit',
    file: 'libs/messaging/src/broker.ts',
    from: "          done(new Error('not committed'))\n        },\n      )\n  }\n\n  const told",
    to: '          done()\n        },\n      )\n  }\n\n  const told',
    suite: 'libs/messaging/src/broker.spec.ts',
    test: 'a batch at our own broker',
  },
  {
    name: 'unique key: a number has one content',
    file: 'libs/store/src/fates.ts',
    from: "if (twin?.digest === digest) return { fate: 'duplicate', reason: null, detail: '', alarm: null }",
    to: '',
    suite: 'test/scenarios/every-input-gets-its-answer.spec.ts',
    test: 'the same again',
  },
  {
    name: "lease: work in hand is nobody else's",
    file: 'libs/store/src/work.ts',
    from: 'wanted > done and parked_at is null and lease_until < clock_timestamp()`\nconst ONE',
    to: 'wanted > done and parked_at is null`\nconst ONE',
    suite: 'test/store/store.spec.ts',
    test: 'is claimed once, and done once',
  },
  {
    name: 'fence: who lost the lease can not save',
    file: 'libs/store/src/work.ts',
    from: 'w.key = c.key and w.fence = c.fence returning',
    to: 'w.key = c.key returning',
    suite: 'test/store/store.spec.ts',
    test: 'whose lease ran out is taken over',
  },
  {
    name: 'epoch: no acknowledgement on a later connection',
    file: 'libs/messaging/src/subscriber.ts',
    from: '      epoch++\n      acknowledgements.forget()\n',
    to: '      epoch++\n',
    suite: 'test/services/messaging.spec.ts',
    test: 'does not acknowledge on a later connection',
    onServers: true,
  },
  {
    name: 'advisory lock: one worker at a device at a time',
    file: 'libs/store/src/trips.ts',
    from: "tx.run(`select pg_advisory_xact_lock(hashtextextended('device/' || $1, 0))`, [device])",
    to: 'tx.run(`select $1::text`, [device])',
    suite: 'test/services/store.spec.ts',
    test: 'lets one worker at a device at a time',
    onServers: true,
  },
  {
    name: 'sequence prefix: nothing behind a gap is read',
    file: 'libs/mileage/src/segmentation.ts',
    from: 'held.find(([from, to]) => from <= processed && processed < to)?.[1] ?? processed',
    to: 'held.at(-1)?.[1] ?? processed',
    suite: 'libs/mileage/src/segmentation.spec.ts',
    test: 'reads up to a gap and names it',
  },
  {
    name: 'row lock: a stream is counted by one at a time',
    file: 'libs/store/src/inbox.ts',
    from: 'on conflict (device, boot) do update set received = stream.received',
    to: 'on conflict (device, boot) do nothing',
    suite: 'test/scenarios/every-input-gets-its-answer.spec.ts',
    test: 'the same again',
  },
  ...TARIFF_GUARDS,
]

/** The tree as it is in the working copy, with the packages of the checkout. */
function copyOfTree(): string {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-guards-'))
  const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' })
  for (const file of files.trim().split('\n')) {
    mkdirSync(path.dirname(path.join(copy, file)), { recursive: true })
    cpSync(path.join(ROOT, file), path.join(copy, file))
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(copy, 'node_modules'))
  return copy
}

/** Whether the suite is green; throws where it did not run at all. */
function isGreen(copy: string, { suite, test, onServers }: Guard, environment: NodeJS.ProcessEnv): boolean {
  const args = ['node_modules/jest/bin/jest.js', '--config', 'test/jest.config.cjs', '--forceExit', suite, '-t', test]
  const run = spawnSync(process.execPath, onServers ? [...args, '--selectProjects', 'services'] : args, {
    cwd: copy,
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...environment, npm_lifecycle_event: onServers ? 'test:services' : 'test' },
  })
  const said = `${run.stdout}${run.stderr}`
  if (!/^Tests: .*(passed|failed)/m.test(said)) throw new Error(`${suite} did not run:\n${said.slice(-2_000)}`)
  return run.status === 0
}

function main(): void {
  const { values } = parseArgs({ options: { only: { type: 'string' } } })
  const guards = GUARDS.filter(({ name }) => name.includes(values.only ?? ''))
  const copy = copyOfTree()
  const servers = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-guards-servers-'))
  let environment: NodeJS.ProcessEnv = { ...process.env }
  const missed: string[] = []
  try {
    if (guards.some(({ onServers }) => onServers)) {
      const said = execFileSync(path.join(ROOT, 'infra/services.sh'), ['start', servers], { encoding: 'utf8' })
      const started = [...said.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name, value])
      environment = { ...environment, ...Object.fromEntries(started) }
    }
    for (const guard of guards) {
      const file = path.join(copy, guard.file)
      const whole = readFileSync(file, 'utf8')
      if (whole.split(guard.from).length !== 2) throw new Error(`${guard.file} has not once: ${guard.from}`)
      const before = isGreen(copy, guard, environment)
      writeFileSync(
        file,
        whole.replace(guard.from, () => guard.to),
      )
      const after = isGreen(copy, guard, environment)
      writeFileSync(file, whole)
      const verdict = !before ? 'is red as it is' : after ? 'STAYS GREEN' : 'goes red'
      if (!before || after) missed.push(guard.name)
      process.stdout.write(`${guard.name.padEnd(52)} ${verdict.padEnd(16)} ${guard.suite} -t '${guard.test}'\n`)
    }
  } finally {
    spawnSync(path.join(ROOT, 'infra/services.sh'), ['stop', servers])
    rmSync(copy, { recursive: true, force: true })
    rmSync(servers, { recursive: true, force: true })
  }
  process.stdout.write(`${guards.length - missed.length} of ${guards.length} guards are noticed\n`)
  process.exitCode = missed.length === 0 ? 0 : 1
}

main()
