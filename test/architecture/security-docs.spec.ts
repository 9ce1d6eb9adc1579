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
  it('of ASVS has a row for each chapter that applies, with evidence in each', () => {
    const rows = readFileSync(path.join(ROOT, 'docs/security/asvs.md'), 'utf8')
      .split('\n')
      .filter((line) => /^\| V\d/.test(line))
    expect(rows.map((row) => /V(\d+)/.exec(row)![1])).toEqual(Array.from({ length: 16 }, (_, i) => String(i + 1)))
    expect(rows.filter((row) => !row.split('|')[3].includes('`'))).toEqual([])
  })
})
