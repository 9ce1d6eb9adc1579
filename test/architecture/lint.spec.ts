import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'

// Pure libraries must run in a browser and give the same bytes twice. The lint rules say so; this says that they bite.

const ROOT = resolve(__dirname, '../..')

interface Case {
  readonly file: string
  readonly code: string
}
/** Lints in a process of its own: jest cannot load the configuration, which is an ES module. One list of rule names a case. */
function rulesBrokenBy(cases: readonly Case[]): string[][] {
  const script = `
    import { ESLint } from 'eslint'
    const cases = JSON.parse(process.argv[1])
    const eslint = new ESLint()
    const broken = []
    for (const { file, code } of cases) {
      const [result] = await eslint.lintText(code, { filePath: file })
      broken.push(result.messages.map((message) => message.ruleId))
    }
    console.log(JSON.stringify(broken))`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(cases)], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (run.status !== 0) throw new Error(`ESLint said: ${run.stderr}`)
  return JSON.parse(run.stdout)
}

const REFUSED: readonly (readonly [file: string, code: string, rule: string])[] = [
  ['libs/rating/src/seed.ts', 'export const at = Date.now()', 'no-restricted-syntax'],
  ['libs/rating/src/seed.ts', 'export const at = new Date()', 'no-restricted-syntax'],
  ['libs/rating/src/seed.ts', 'export const at = Date()', 'no-restricted-syntax'],
  ['libs/ledger/src/seed.ts', 'export const salt = Math.random()', 'no-restricted-properties'],
  ['libs/map-matching/src/seed.ts', `console.log('here')`, 'no-restricted-globals'],
  ['libs/policy/src/seed.ts', 'export const home = process.env.HOME', 'no-restricted-globals'],
  ['libs/statement/src/seed.ts', `export const bytes = Buffer.from('x')`, 'no-restricted-globals'],
  ['libs/fleet/src/seed.ts', 'setTimeout(() => undefined, 5)', 'no-restricted-globals'],
  ['libs/store/src/seed.ts', 'export const url = process.env.DATABASE_URL', 'no-restricted-syntax'],
  ['libs/pipeline/src/seed.ts', 'export const at = Date.now()', 'no-restricted-syntax'],
  ['apps/api/src/seed.ts', 'export const url = process.env.DATABASE_URL', 'no-restricted-syntax'],
  ['libs/rating/src/seed.ts', 'export const sum = (a: any) => a', '@typescript-eslint/no-explicit-any'],
]
const ALLOWED: readonly (readonly [string, string])[] = [
  ['libs/rating/src/seed.ts', 'export const day = (at: number) => new Date(at).getUTCDate()'],
  ['libs/rating/src/seed.spec.ts', 'export const at = Date.now()'],
  ['libs/runtime/src/seed.ts', 'export const at = Date.now()'],
  ['libs/runtime/src/seed.ts', 'export const url = process.env.DATABASE_URL'],
]

describe('the lint rules', () => {
  const broken = rulesBrokenBy([...REFUSED, ...ALLOWED].map(([file, code]) => ({ file, code })))

  it.each(REFUSED.map(([file, code, rule], index) => ({ file, code, rule, index })))(
    'refuse in $file: $code',
    ({ rule, index }) => {
      expect(broken[index]).toEqual([rule])
    },
  )
  it.each(ALLOWED.map(([file, code], index) => ({ file, code, index })))('allow in $file: $code', ({ index }) => {
    expect(broken[REFUSED.length + index]).toEqual([])
  })
})
