import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

// What `npm start` does before it starts, in a small checkout of its own.

const ROOT = resolve(__dirname, '../..')

describe('ready', () => {
  const checkout = mkdtempSync(join(tmpdir(), 'roadmeter-ready-'))
  const write = (file: string, text: string) => writeFileSync(join(checkout, file), text)
  const ready = (...nodeArguments: string[]) => {
    const run = spawnSync(process.execPath, [...nodeArguments, 'infra/ready.cjs', 'build'], {
      cwd: checkout,
      encoding: 'utf8',
    })
    return { status: run.status, said: run.stdout + run.stderr }
  }

  beforeAll(() => {
    for (const folder of ['infra', 'apps/ops/src', 'libs/kernel/src'])
      mkdirSync(join(checkout, folder), { recursive: true })
    for (const file of ['infra/ready.cjs', 'infra/bundle.cjs', 'package.json', 'package-lock.json', 'tsconfig.json'])
      cpSync(join(ROOT, file), join(checkout, file))
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'))
    write('infra/web.cjs', '')
    write('infra/verify-page.js', `import { word } from '#kernel'\nconsole.log(word)`)
    write('libs/kernel/src/index.ts', 'export const word = "mile"')
    write('apps/ops/src/main.ts', `import { word } from '#kernel'\nconsole.log(word)`)
  })
  afterAll(() => rmSync(checkout, { recursive: true, force: true }))

  it('refuses an old Node in one sentence', () => {
    write('old.cjs', `Object.defineProperty(process, 'versions', { value: { node: '20.18.3' } })`)
    expect(ready('--require', './old.cjs')).toEqual({
      status: 2,
      said: 'Roadmeter needs Node 20.19 or newer, and this is Node 20.18.3.\n',
    })
  })

  it('builds once, says so in a line for each step, and is quiet while nothing changes', () => {
    expect(ready()).toEqual({
      status: 0,
      said: expect.stringMatching(/^(roadmeter: (building|bundling)[a-z ]* \.\.\. \d+\.\d s\n){3}$/),
    })
    const run = spawnSync(process.execPath, ['dist/apps/ops/src/main.js'], { cwd: checkout, encoding: 'utf8' })
    expect(run.stdout).toBe('mile\n')
    expect(ready()).toEqual({ status: 0, said: '' })
  })

  it('builds again after a change, and not for a test', () => {
    write('libs/kernel/src/word.spec.ts', 'not even TypeScript')
    expect(ready()).toEqual({ status: 0, said: '' })
    write('libs/kernel/src/index.ts', 'export const word = "kilometre"')
    expect(ready().said).toContain('building')
  })

  it('stops at a type error, names it, and stops again until it is mended', () => {
    write('apps/ops/src/main.ts', `import { word } from '#kernel'\nconst n: number = word\nconsole.log(n)`)
    for (const attempt of [ready(), ready()]) {
      expect(attempt.status).toBeGreaterThan(0)
      expect(attempt.said).toContain('apps/ops/src/main.ts(2,7)')
    }
    write('apps/ops/src/main.ts', `import { word } from '#kernel'\nconsole.log(word)`)
    expect(ready().status).toBe(0)
  })
})

it('finds in the image all that it reads there', () => {
  const linesOf = (file: string) => readFileSync(join(ROOT, file), 'utf8').split('\n')
  const matches = (file: string, pattern: string) =>
    file === pattern ||
    file.startsWith(`${pattern}/`) ||
    new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace(/[*]/g, '[^/]*')}$`).test(file)
  // Of the first stage, which builds.
  const copied = linesOf('infra/Dockerfile')
    .join('\n')
    .split(/^FROM/m)[1]
    .split('\n')
    .flatMap((line) => (line.startsWith('COPY ') ? line.split(' ').slice(1, -1) : []))
  const sent = linesOf('.dockerignore').flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []))
  type Build = { folders: string[]; files: string[]; steps: string[][] }
  const { BUILDS } = jest.requireActual<{ BUILDS: Build[] }>(join(ROOT, 'infra/ready.cjs'))
  const read = BUILDS.flatMap(({ folders, files, steps }) => [
    ...folders,
    ...files,
    ...steps.map(([, script]) => script),
  ])
  expect(read).toContain('infra/bundle.cjs')
  for (const file of ['infra/ready.cjs', ...read.filter((name) => !name.startsWith('node_modules/'))])
    expect({
      file,
      isCopied: copied.some((one) => matches(file, one)),
      isSent: sent.some((one) => matches(file, one)),
    }).toEqual({ file, isCopied: true, isSent: true })
})
