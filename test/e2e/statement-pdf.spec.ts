import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { statementPdf } from '#pdf'
import { draftStatement, sectionsOf, wordsOf } from '#statement'
import { october, octoberInput } from '../../libs/statement/src/month.fixture'

const has = (program: string): boolean => {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

interface Node {
  readonly kind: string
  scope: string
  text: string
  readonly parts: Node[]
}

/** The tags of a PDF as poppler sees them: indented by their depth, with their attributes and the text that they hold. */
function structureOf(said: string): Node[] {
  const roots: Node[] = []
  const open: { depth: number; node: Node }[] = []
  for (const line of said.split('\n')) {
    const [, indent, tag, scope, text] = /^( *)(?:([A-Z]\w*)(?: \(\w+\))?:?|\/Scope \/(\w+)|"(.*)")$/.exec(line) ?? []
    if (tag) {
      while (open.length > 0 && open.at(-1)!.depth >= indent.length) open.pop()
      const node: Node = { kind: tag, scope: '', text: '', parts: [] }
      ;(open.at(-1)?.node.parts ?? roots).push(node)
      open.push({ depth: indent.length, node })
    } else if (scope) open.at(-1)!.node.scope = scope
    else if (text) open.at(-1)!.node.text += text
  }
  return roots
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

  ;(has('pdftotext') ? it : it.skip)(
    'reads aloud in its order: headings, whole tables, sentences; its fonts say what they draw',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'roadmeter-pdf-'))
      const file = join(folder, 'statement.pdf')
      writeFileSync(file, bytes)
      const tree = structureOf(execFileSync('pdfinfo', ['-struct-text', file], { encoding: 'utf8' }))
      const fonts = execFileSync('pdffonts', [file], { encoding: 'utf8' }).trim().split('\n').slice(2)
      rmSync(folder, { recursive: true })
      const all = (kind: string, of = tree): Node[] =>
        of.flatMap((node) => [...(node.kind === kind ? [node] : []), ...all(kind, node.parts)])

      expect(tree.map(({ kind }) => kind)).toEqual(['Document'])
      const [{ parts }] = tree
      const headings = parts.filter(({ kind }) => /^H\d/.test(kind))
      expect(headings.map(({ kind }) => kind)).toEqual(['H1', ...headings.slice(1).map(() => 'H2')])
      expect(headings[0].text).toBe('Road-use statement, October 2026')
      expect(new Set(parts.map(({ kind }) => kind))).toEqual(new Set(['P', 'H1', 'H2', 'Table', 'Figure']))
      expect(raw()).toMatch(/\/Alt \(Money by jurisdiction: gothenburg \$[\d.]+\)/)
      expect(raw()).toMatch(/\/O \/Layout\n\/Placement \/Block\n\/BBox \[/)

      const tables = all('Table')
      expect(tables.length).toBeGreaterThan(8)
      for (const { parts: rows } of tables) {
        const [head, ...body] = rows
        expect(new Set(rows.map(({ kind }) => kind))).toEqual(new Set(['TR']))
        // A table's head is said once, however many pages it has.
        expect(head.parts.map(({ kind, scope }) => [kind, scope])).toEqual(head.parts.map(() => ['TH', 'Column']))
        for (const { parts: cells } of body) {
          expect(cells).toHaveLength(head.parts.length)
          expect(cells.slice(1).map(({ kind }) => kind)).toEqual(cells.slice(1).map(() => 'TD'))
          expect([cells[0].kind, cells[0].scope]).toEqual(cells[0].text ? ['TH', 'Row'] : ['TD', ''])
        }
      }
      expect(all('TH').map(({ text }) => text)).toContain('Limits what you did not pay because a limit was reached')
      // A paragraph of several lines is one.
      expect(all('P').map(({ text }) => text)).toContain(sectionsOf(statement).questions!.text[0])
      // Page numbers are nobody's text.
      expect(all('P').filter(({ text }) => text.startsWith('Page 1'))).toEqual([])
      expect(fonts.length).toBeGreaterThan(0)
      // emb sub uni: embedded, in parts, each sign with what it means
      for (const font of fonts) expect(font).toMatch(/ yes yes yes /)
    },
  )

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
