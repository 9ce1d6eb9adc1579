import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { statementPdf } from '#pdf'
import { draftStatement, sectionsOf, statementHtml, wordsOf } from '#statement'
import { type Statement } from '#contracts'
import { digest, micros, millimetres } from '#kernel'
import { october, octoberInput } from '../../libs/statement/src/month.fixture'
import { englishIn } from '../portal/english'

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

/** October with all else that a statement can tell. */
function everything(): Statement {
  const made = october()
  const [journey] = made.journeys
  const [line] = journey.lines
  const policy = made.madeBy.policies[0].id
  const line0 = { policy, estimatedMm: millimetres(9_000), days: 0, rate: null, billed: micros(1n), amount: micros(5n) }
  return {
    ...made,
    totals: { ...made.totals, mileageMm: millimetres(9_000), estimatedMm: millimetres(9_000) },
    journeys: made.journeys.map((one, i) =>
      i > 0
        ? one
        : {
            ...one,
            lines: [
              {
                ...line,
                policy: '',
                ruleName: 'In doubt',
                rate: null,
                freeReason: 'in doubt: a shorter way is as likely',
              },
              ...one.lines.slice(1),
            ],
          },
    ),
    corrections: [
      {
        ...journey,
        dispute: 'dispute-1',
        revision: 1,
        because: 'dispute about wrong-road: not-driven',
        was: journey.lines,
      },
    ],
    mileage: (['read', 'reckoned', 'estimated', 'unknown'] as const).map((closingIs) => ({
      vehicle: 'v1' as never,
      month: made.month,
      from: made.draftedAt,
      to: made.draftedAt,
      openingMm: null,
      closingMm: null,
      closingIs,
      matchedMm: millimetres(1),
      inferredMm: millimetres(2),
      offNetworkMm: millimetres(3),
      unreconciledMm: millimetres(4),
      replacedMm: millimetres(5),
      heldTrips: 1,
      heldMm: millimetres(6),
      lines: [
        { ...line0, kind: 'missing', distanceMm: millimetres(9_000), freeReason: 'no policy in force' },
        { ...line0, kind: 'odometer', distanceMm: millimetres(9_000), freeReason: 'covered by a time permit' },
        {
          ...line0,
          kind: 'permit',
          distanceMm: millimetres(0),
          days: 3,
          rate: { micros: micros(7n), per: 'day' },
          freeReason: null,
        },
      ],
    })),
    rateChanges: [
      {
        from: '2026-10-20',
        policy,
        replaced: 'older',
        was: ['Centre: everywhere else, at any time'],
        now: ['Centre: free'],
        es: { was: ['Centro: en todas partes, a cualquier hora'], now: ['Centro: gratis'] },
      },
    ],
    comparisons: [
      {
        kind: 'flat-fee',
        name: 'Vignette',
        amount: micros(9_000_000n),
        because: '9.00 USD a month, whatever is driven',
        terms: { amount: '9.00', per: 'month' },
      },
      {
        kind: 'fuel-tax',
        name: 'Fuel duty',
        amount: micros(3_000_000n),
        because: '0.50 USD a gallon at 25 miles a gallon',
        terms: { amount: '0.50', per: 'gallon', economy: '25.5' },
      },
    ],
    retentionDays: 30,
  }
}

describe('a statement in Spanish', () => {
  const statement = everything()
  const proof = { root: digest('root'), proof: { index: 0, size: 2, path: [digest('other')] } }
  /** Texts as they stand between tags; what is set as code is for machines. */
  const piecesOf = (page: string): string[] =>
    page
      .replace(/<style>.*?<\/style>|<code>.*?<\/code>/gs, ' | ')
      .split(/<[^>]*>/)
      .map((piece) => piece.replace(/\s+/g, ' ').trim())
      .filter(Boolean)

  it('says nothing in English, whatever it tells; and English is found where it stands', () => {
    expect(englishIn(piecesOf(statementHtml(statement, proof, 'es')))).toEqual([])
    expect(englishIn(piecesOf(statementHtml(statement, proof, 'en'))).length).toBeGreaterThan(60)
    const sections = Object.values(sectionsOf({ ...statement, retentionDays: undefined }, 'es')).filter(
      (section) => section !== null,
    )
    expect(englishIn(sections.flatMap(({ title, text }) => [title, ...text]))).toEqual([])
    const page = statementHtml(statement, proof, 'es')
    for (const said of [
      '0,50\u00a0US$ por galón, a 25,5 millas por galón',
      'conduje por otra vía',
      'Centro: gratis',
      '3 días',
    ])
      expect(page).toContain(said)
  })

  ;(has('pdftotext') ? it : it.skip)('is a PDF in Spanish, tagged as the English one is', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'roadmeter-pdf-'))
    const structure = async (language: 'en' | 'es') => {
      const file = join(folder, `${language}.pdf`)
      const bytes = await statementPdf(statement, proof, language)
      writeFileSync(file, bytes)
      expect(Buffer.from(bytes).toString('latin1')).toContain(`/Lang (${language})`)
      const all = (nodes: readonly Node[]): Node[] => nodes.flatMap((node) => [node, ...all(node.parts)])
      const tree = all(structureOf(execFileSync('pdfinfo', ['-struct-text', file], { encoding: 'utf8' })))
      return { tree, info: execFileSync('pdfinfo', [file], { encoding: 'utf8' }), file }
    }
    const [en, es] = [await structure('en'), await structure('es')]
    const text = execFileSync('pdftotext', ['-layout', es.file, '-'], { encoding: 'utf8' })
    rmSync(folder, { recursive: true })
    expect(es.info).toMatch(/Title: +Factura por el uso de las vías, octubre de 2026 - City of Gothenburg/)
    const rows = ({ tree }: typeof en) =>
      tree.filter(({ kind }) => kind !== 'P').map(({ kind, scope }) => `${kind} ${scope}`)
    expect(rows(es)).toEqual(rows(en))
    expect(englishIn(es.tree.map(({ text }) => text).filter(Boolean))).toEqual([])
    expect(englishIn(en.tree.map(({ text }) => text).filter(Boolean)).length).toBeGreaterThan(40)
    expect(text).toMatch(/Página 1 de \d/)
    expect(text).toContain(wordsOf(statement, 'es').money(statement.totals.due).replace('\u00a0', ' '))
  })
})
