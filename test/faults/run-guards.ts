import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { GUARDS, type Guard } from './guards'

// npm run test:guards -- [--only TEXT]: takes each guard away once, in a copy of the tree, and runs the smallest suite that must
// then fail. A guard whose loss no suite notices is no guard.

const ROOT = path.join(__dirname, '../..')

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
