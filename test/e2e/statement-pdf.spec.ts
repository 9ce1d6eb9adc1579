import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { statementPdf } from '#pdf'
import { draftStatement, wordsOf } from '#statement'
import { october, octoberInput } from '../../libs/statement/src/month.fixture'

const has = (program: string): boolean => {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('a statement as PDF', () => {
  const statement = october()
  const words = wordsOf(statement)
  let bytes: Uint8Array
  beforeAll(async () => {
    bytes = await statementPdf(statement)
  })
  const raw = () => Buffer.from(bytes).toString('latin1')

  it('is tagged, in a language, with a title, its fonts in it', () => {
    for (const mark of [
      '/MarkInfo',
      '/StructTreeRoot',
      '/Lang (en)',
      '/DisplayDocTitle true',
      'pdfuaid:part',
      '/FontFile2',
    ])
      expect([mark, raw().includes(mark)]).toEqual([mark, true])
    expect(raw()).not.toContain('/BaseFont /Helvetica')
    const kinds = (kind: string) => raw().split(new RegExp(`/S /${kind}\\b`)).length - 1
    expect(kinds('H1')).toBe(1)
    expect(kinds('H2')).toBeGreaterThan(5)
    expect(kinds('Figure')).toBe(1)
    expect(kinds('TR')).toBeGreaterThan(statement.journeys.length)
    expect(kinds('TH')).toBeGreaterThan(0)
  })
  it('is the same bytes each time', async () => {
    expect(Buffer.from(await statementPdf(october())).equals(bytes)).toBe(true)
  })
  it('has words for an empty month and for a name that does not fit', async () => {
    const input = { ...octoberInput(), trips: [], capCredits: [] }
    await expect(statementPdf(draftStatement(input))).resolves.toBeDefined()
    const name = 'Long'.repeat(40)
    const long = { ...octoberInput(), vehicles: octoberInput().vehicles.map((vehicle) => ({ ...vehicle, name })) }
    await expect(statementPdf(draftStatement(long))).resolves.toBeDefined()
  })

  if (!has('pdftotext')) console.warn('SKIPPED: no pdftotext (poppler-utils), so no PDF was read back')
  ;(has('pdftotext') ? it : it.skip)('says, read back, what the JSON says: every amount of every line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'roadmeter-pdf-'))
    const file = join(folder, 'statement.pdf')
    writeFileSync(file, bytes)
    const text = execFileSync('pdftotext', ['-layout', file, '-'], { encoding: 'utf8' })
    const pages = execFileSync('pdfinfo', [file], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    expect(pages).toMatch(/Tagged: +yes/)
    const { totals, journeys, capCredits, account } = statement
    const first = text.split('\f')[0]
    for (const said of [words.money(totals.due), '12 December 2026', 'October 2026', account.name, 'Amount due'])
      expect(first).toContain(said)
    const amounts = (all: string) => all.match(/−?\$[\d,]+\.\d{6}/g)!.sort()
    const from = text.indexOf('Adjustments for earlier months')
    const expected = [...journeys.flatMap(({ lines }) => lines), ...capCredits].map(({ amount }) =>
      words.exact(amount).join(''),
    )
    expect(amounts(text.slice(from))).toEqual(expected.sort())
    expect(amounts(text)).toEqual(
      expect.arrayContaining([
        words.exact(totals.exact + totals.rounding === totals.due ? totals.charges : totals.due).join(''),
      ]),
    )
  })
})
