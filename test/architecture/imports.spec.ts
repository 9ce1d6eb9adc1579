import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

// The import table is worth what its checker finds. So: nothing in the repository breaks it, and in a small tree of
// seeded violations, one for each rule, every rule finds its own.

const ROOT = resolve(__dirname, '../..')
interface Rule {
  readonly name: string
}
// eslint-disable-next-line @typescript-eslint/no-require-imports
const RULES: readonly string[] = require('../../.dependency-cruiser.cjs').forbidden.map((rule: Rule) => rule.name)

interface Violation {
  readonly from: string
  readonly rule: Rule
}
function violationsIn(folder: string): Violation[] {
  const cruise = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const run = spawnSync(
    process.execPath,
    [cruise, '--config', '.dependency-cruiser.cjs', '--output-type', 'json', 'apps', 'libs'],
    { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 },
  )
  if (!run.stdout.startsWith('{')) throw new Error(`dependency-cruiser said: ${run.stderr || run.stdout}`)
  return JSON.parse(run.stdout).summary.violations
}

const rooms = (kind: string) => RULES.flatMap((name) => new RegExp(`^${kind}/(.+)-imports$`).exec(name)?.[1] ?? [])
const LIBS = rooms('libs')
const APPS = rooms('apps')

/** A file of the package that a rule about it is seeded with. */
const ENTRY: Readonly<Record<string, string>> = {
  '@turf': '@turf/turf',
  '@noble': '@noble/hashes/sha2.js',
  '@electric-sql': '@electric-sql/pglite',
}

/** Rule -> files that break it. Each is a small file of its own, named after nothing but its path. */
function seedsOf(rule: string): Record<string, string> {
  const room = /^(libs|apps)\/(.+)-imports$/.exec(rule)
  if (room?.[1] === 'libs') {
    const forbidden = room[2] === 'pipeline' ? '../../../apps/api/src/main' : '#pipeline'
    const seeds = { [`libs/${room[2]}/src/seed-of-room.ts`]: `import '${forbidden}'` }
    // Past the index of a room that it may import: forbidden as well. The kernel may import nobody.
    if (room[2] !== 'kernel') seeds[`libs/${room[2]}/src/seed-of-index.ts`] = `import '../../kernel/src/part'`
    return seeds
  }
  if (room?.[1] === 'apps') {
    const neighbour = room[2] === 'api' ? 'ops' : 'api'
    return {
      [`apps/${room[2]}/src/seed-of-room.ts`]: `import '../../${neighbour}/src/main'`,
      [`apps/${room[2]}/src/seed-of-index.ts`]: `import '../../../libs/kernel/src/part'`,
    }
  }
  const granted = /^(.+)-only-where-granted$/.exec(rule)
  if (granted) return { [`libs/map-matching/src/seed-${granted[1].replace('@', '')}.ts`]: importOf(granted[1]) }
  const confined = /^(.+)-only-in-(store|messaging|payments|pdf|exports)$/.exec(rule)
  if (confined)
    return Object.fromEntries(
      confined[1].split('|').flatMap((name) => [
        [`libs/runtime/src/seed-${name.replace('@', '')}.ts`, importOf(name)],
        [`apps/api/src/seed-${name.replace('@', '')}.ts`, importOf(name)],
      ]),
    )
  switch (rule) {
    case 'no-unresolved':
      return { 'libs/ledger/src/seed-nowhere.ts': `import '#nowhere'`, 'apps/ops/src/seed-nowhere.ts': `import './no'` }
    case 'no-cycles':
      return { 'libs/ledger/src/seed-a.ts': `import './seed-b'`, 'libs/ledger/src/seed-b.ts': `import './seed-a'` }
    case 'no-orphans':
      return { 'libs/ledger/src/seed-lone.ts': 'export const lone = 1' }
    case 'pure-is-pure':
      return {
        'libs/rating/src/seed-core.ts': `import 'node:fs'`,
        'libs/rating/src/seed-npm.ts': `import 'pino'`,
        'libs/rating/src/seed-type.ts': `export type { Logger } from 'pino'`,
      }
    case 'nest-only-in-apps-and-module-files':
      return {
        'libs/pipeline/src/seed-nest.ts': `import '@nestjs/common'`,
        'libs/rating/src/seed.module.ts': `import '@nestjs/common'`,
      }
    case 'no-tests-in-the-product':
      return { 'libs/ledger/src/seed-test.ts': `import '../../../test/worlds/world'` }
    case 'no-benches-in-the-product':
      return { 'libs/ledger/src/seed-bench.ts': `import '../../ledger/bench/ledger'` }
    case 'no-dev-packages-in-the-product':
      return { 'apps/api/src/seed-dev.ts': `import 'fast-check'` }
    case 'no-undeclared-packages':
      return { 'apps/api/src/seed-undeclared.ts': `import 'escape-html'` }
    default:
      throw new Error(`The rule ${rule} has no seeded violation: add one here, so that it is known to find something.`)
  }
}
const importOf = (name: string) => `import '${ENTRY[name] ?? name}'`

describe('the import table', () => {
  it('holds in the repository', () => {
    expect(violationsIn(ROOT).map(({ rule, from }) => `${rule.name}: ${from}`)).toEqual([])
  })

  describe('in a tree of seeded violations', () => {
    const tree = mkdtempSync(join(tmpdir(), 'roadmeter-imports-'))
    const lay = (file: string, text: string) => {
      mkdirSync(dirname(join(tree, file)), { recursive: true })
      writeFileSync(join(tree, file), text)
    }
    let found: Violation[]

    beforeAll(() => {
      for (const file of ['.dependency-cruiser.cjs', 'package.json', 'tsconfig.json'])
        cpSync(join(ROOT, file), join(tree, file))
      symlinkSync(join(ROOT, 'node_modules'), join(tree, 'node_modules'))
      for (const lib of LIBS) {
        lay(`libs/${lib}/src/index.ts`, `export * from './part'`)
        lay(`libs/${lib}/src/part.ts`, 'export const part = 1')
      }
      for (const app of APPS) lay(`apps/${app}/src/main.ts`, `import '#kernel'`)
      lay('libs/store/src/store.module.ts', `import '@nestjs/common'; import './part'`)
      lay('libs/rating/src/rating.spec.ts', `import 'node:fs'; import 'fast-check'; import '#rating'`)
      lay('test/worlds/world.ts', 'export const world = 1')
      lay('libs/ledger/bench/ledger.ts', `import '#fleet'; import '../../../test/worlds/world'`)
      for (const rule of RULES) for (const [file, text] of Object.entries(seedsOf(rule))) lay(file, text)
      found = violationsIn(tree)
    }, 60_000)
    afterAll(() => rmSync(tree, { recursive: true, force: true }))

    it.each(RULES)('%s finds its own', (rule) => {
      const files = Object.keys(seedsOf(rule))
      const finders = new Set(found.filter((violation) => violation.rule.name === rule).map(({ from }) => from))
      // A cycle is reported once, from whichever end was met first.
      if (rule === 'no-cycles') expect(files.some((file) => finders.has(file))).toBe(true)
      else expect(files.filter((file) => !finders.has(file))).toEqual([])
    })

    it('leaves alone what is allowed', () => {
      expect(found.filter(({ from }) => !from.includes('/seed'))).toEqual([])
    })
  })
})
