import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'

// A room is named in many places: its folder, the aliases of Node, TypeScript and jest, the import table, the lint
// rules, the Nest projects. One that is missing in one of them works until it matters.

const ROOT = resolve(__dirname, '../..')
const LIB_README_LINES_MAX = 40

const json = (file: string) => JSON.parse(readFileSync(join(ROOT, file), 'utf8'))
const holdsFiles = (folder: string): boolean =>
  readdirSync(folder, { withFileTypes: true }).some((entry) =>
    entry.isDirectory() ? holdsFiles(join(folder, entry.name)) : true,
  )
/** Folders with something in them: git knows no others. */
const roomsOf = (kind: 'libs' | 'apps'): string[] =>
  readdirSync(join(ROOT, kind)).filter(
    (room) => statSync(join(ROOT, kind, room)).isDirectory() && holdsFiles(join(ROOT, kind, room)),
  )
const LIBS = roomsOf('libs')
const APPS = roomsOf('apps')
const WITH_MODULE = LIBS.filter((lib) => existsSync(join(ROOT, 'libs', lib, 'src/module.ts')))

/* eslint-disable @typescript-eslint/no-require-imports */
const ruleNames: string[] = require('../../.dependency-cruiser.cjs').forbidden.map(
  (rule: { name: string }) => rule.name,
)
const jestConfig = require('../jest.config.cjs')
/* eslint-enable @typescript-eslint/no-require-imports */
const ruled = (kind: string) =>
  ruleNames.flatMap((name) => new RegExp(`^${kind}/(.+)-imports$`).exec(name)?.[1] ?? []).sort()

describe('a library', () => {
  const aliases: Record<string, string> = json('package.json').imports

  it.each(LIBS)('%s has one index and its alias in Node', (lib) => {
    expect(existsSync(join(ROOT, 'libs', lib, 'src/index.ts'))).toBe(true)
    expect(aliases[`#${lib}`]).toBe(`./dist/libs/${lib}/src/index.js`)
  })
  it('is all that the aliases name', () => {
    const named = Object.keys(aliases).map((alias) => alias.slice(1))
    expect(named.filter((alias) => !alias.includes('/')).sort()).toEqual([...LIBS].sort())
    expect(named.filter((alias) => alias.includes('/')).sort()).toEqual(WITH_MODULE.map((lib) => `${lib}/module`))
  })
  it.each(WITH_MODULE)('%s has a face of its own for Nest', (lib) => {
    expect(aliases[`#${lib}/module`]).toBe(`./dist/libs/${lib}/src/module.js`)
  })
  it('goes by one alias pattern in TypeScript and jest', () => {
    expect(json('tsconfig.json').compilerOptions.paths).toEqual({
      '#*/module': ['./libs/*/src/module.ts'],
      '#*': ['./libs/*/src/index.ts'],
    })
    expect(json('test/tsconfig.json').compilerOptions.paths).toEqual({
      '#*/module': ['../libs/*/src/module.ts'],
      '#*': ['../libs/*/src/index.ts'],
    })
    for (const project of jestConfig.projects)
      expect(project.moduleNameMapper).toEqual({
        '^#([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
        '^#([a-z-]+)/module$': '<rootDir>/libs/$1/src/module.ts',
      })
  })
  it('has a row in the import table', () => {
    expect(ruled('libs')).toEqual([...LIBS].sort())
  })
  it.each(LIBS)(`%s says in a README of at most ${LIB_README_LINES_MAX} lines what it owns`, (lib) => {
    const text = readFileSync(join(ROOT, 'libs', lib, 'README.md'), 'utf8')
    expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(LIB_README_LINES_MAX)
    expect(text).toMatch(new RegExp(`^# ${lib}\\b`))
  })
})

describe('an app', () => {
  it('has a row in the import table', () => {
    expect(APPS.filter((app) => !ruled('apps').includes(app))).toEqual([])
  })
  it.each(APPS)('%s has a README', (app) => {
    expect(existsSync(join(ROOT, 'apps', app, 'README.md'))).toBe(true)
  })
})

describe('nest-cli.json', () => {
  const projects: Record<string, { type: string; root: string }> = json('nest-cli.json').projects
  const named = (type: string) => Object.keys(projects).filter((name) => projects[name].type === type)

  it('names every library and every process', () => {
    expect(named('library').sort()).toEqual([...LIBS].sort())
    expect(named('application').sort()).toEqual(APPS.filter((app) => app !== 'web').sort())
  })
})
