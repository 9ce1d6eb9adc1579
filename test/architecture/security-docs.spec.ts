import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const ROOT = path.join(__dirname, '../..')

describe('the evidence in docs/security', () => {
  it.each(['asvs.md', 'threat-model.md'])('%s names files that exist', (name) => {
    const text = readFileSync(path.join(ROOT, 'docs/security', name), 'utf8')
    const named = [...text.matchAll(/`([\w.-]+(?:\/[\w.-]+)*\.(?:ts|cjs|yml|conf|md))`/g)].map(([, file]) => file)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([])
  })
  const rowsOf = (name: string, row: RegExp) =>
    readFileSync(path.join(ROOT, 'docs/security', name), 'utf8')
      .split('\n')
      .filter((line) => row.test(line))
  const isTested = (row: string) => /`[\w./-]+\.(spec|suite)\.ts` *[|`]/.test(row)

  it('of ASVS has a row for each section that applies, with a test in each', () => {
    const rows = rowsOf('asvs.md', /^\| V\d/)
    const named = rows.map((row) => /V\d+\.\d+/.exec(row)![0])
    const text = readFileSync(path.join(ROOT, 'docs/security/asvs.md'), 'utf8')
    const excluded = [...text.slice(text.indexOf('Not applicable')).matchAll(/V\d+\.\d+/g)].map(([section]) => section)
    // Sections of the chapters V1 to V16 of ASVS 5.0.0.
    const sections = [5, 4, 7, 4, 4, 8, 6, 4, 2, 7, 7, 3, 4, 3, 4, 5].flatMap((count, chapter) =>
      Array.from({ length: count }, (_, i) => `V${chapter + 1}.${i + 1}`),
    )
    expect([...named, ...excluded].sort()).toEqual(sections.sort())
    expect(rows.filter((row) => !isTested(row))).toEqual([])
  })
  it('of threats names a test in each row', () => {
    const rows = rowsOf('threat-model.md', /^\| [STRIDELNU] \|/)
    expect(rows.length).toBeGreaterThan(25)
    expect(rows.filter((row) => !isTested(row))).toEqual([])
  })
})
