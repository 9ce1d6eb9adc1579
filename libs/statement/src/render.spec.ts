import fc from 'fast-check'
import { type Statement } from '#contracts'
import { digest, formatMicros, micros, MILE_MM, parseMicros, type Digest } from '#kernel'
import { merkleProof, merkleRoot } from '#ledger'
import { draftStatement, STATEMENT_STYLE, statementCsv, statementDigest, statementHtml } from '#statement'
import { html } from './markup'
import { october, octoberInput, TARIFF, tripOf } from './month.fixture'
import { sectionsOf } from './sections'
import { daysOf, wordsOf } from './words'

const statement = october()
const page = statementHtml(statement)
const text = (markup: string) =>
  markup
    .replace(/<style>.*?<\/style>/s, '')
    .replace(/<[^>]+>/g, '')
    .replace(/\s+/g, ' ')

/** RFC 4180, by the letter. */
function readCsv(csv: string): string[][] {
  const rows: string[][] = [[]]
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
  for (let m = cell.exec(csv); m; m = cell.exec(csv)) {
    rows[rows.length - 1].push(m[1] === undefined ? m[2] : m[1].replaceAll('""', '"'))
    if (m[3] === '\r\n') rows.push([])
    if (cell.lastIndex === csv.length) break
  }
  return rows.filter((row) => row.length > 0)
}

describe('the CSV', () => {
  it('has a rectangle of cells whose amounts add up to the amount due', () => {
    const [head, ...rows] = readCsv(statementCsv(statement))
    expect(rows.every((row) => row.length === head.length)).toBe(true)
    expect(rows.length).toBe(
      statement.journeys.reduce((n, { lines }) => n + lines.length, 0) + statement.capCredits.length + 1,
    )
    const amounts = rows.map((row) => parseMicros(row[head.indexOf('amount')])!)
    expect(amounts.reduce((a, b) => a + b, 0n)).toBe(statement.totals.due)
    const mm = rows.map((row) => Number(row[head.indexOf('distance mm')]))
    expect(mm.reduce((a, b) => a + b, 0)).toBe(statement.totals.chargedMm + statement.totals.freeMm)
  })
  it('neutralises formulas and keeps every other text as it is', () => {
    const names = ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', 'a "big", red\r\none', 'plain']
    for (const name of names) {
      const vehicles = octoberInput().vehicles.map((vehicle) => ({ ...vehicle, name }))
      const [head, row] = readCsv(statementCsv(draftStatement({ ...octoberInput(), vehicles })))
      expect(row[head.indexOf('vehicle')]).toBe(/^[a-z]/.test(name) ? name : `'${name}`)
    }
  })
  it('writes local time', () => {
    // 22:59 UTC on the last day of October: Stockholm has been back on winter time since the 25th.
    const trips = [tripOf('last', 'v1', Date.UTC(2026, 9, 31, 22, 59), 5, { everywhere: 1 })]
    const [head, row] = readCsv(statementCsv(draftStatement({ ...octoberInput(), trips, capCredits: [] })))
    expect(row[head.indexOf('started')]).toBe('2026-10-31T23:59')
    expect(row[head.indexOf('ended')]).toBe('2026-11-01T00:04')
  })
})

describe('the page', () => {
  it('says first what is due, for when and until when', () => {
    const words = text(page)
    const places = ['Amount due', `$${formatMicros(statement.totals.due)}`, '12 December 2026', '1 to 31 October 2026']
    const at = places.map((place) => words.indexOf(place))
    expect(at).toEqual([...at].sort((a, b) => a - b))
    expect(at[0]).toBeGreaterThan(0)
    for (const part of ['Limits', 'Adjustments', 'for September 2026', 'Free: private land', 'estimated', 'Rounding'])
      expect(words).toContain(part)
    expect(words).toContain('© OpenStreetMap contributors')
    expect(words).toContain(statementDigest(statement))
  })
  it('has every journey and every amount, to the micro', () => {
    const words = text(page)
    for (const { lines } of statement.journeys)
      for (const { amount } of lines) expect(words).toContain(`$${formatMicros(amount, 6)}`)
    expect(page.match(/scope="rowgroup"/g)).toHaveLength(statement.journeys.length)
  })
  it('adds the month up by hours, where a rule tells them apart', () => {
    const hours = sectionsOf(statement).breakdown!.tables.find(({ columns }) => columns[0] === 'Hours')!
    expect(hours.rows.map(({ cells }) => cells[0])).toEqual(['Other hours', 'Mon–Fri 07:00–10:00'])
    const peak = statement.journeys
      .flatMap(({ lines }) => lines)
      .filter(({ rule }) => rule === 'centre-peak')
      .reduce((sum, { amount }) => sum + amount, 0n)
    expect(hours.rows[1].cells[2]).toBe(`$${formatMicros(micros(peak), 6)}`)
    expect(text(page)).toContain('Mon–Fri 07:00–10:00')
    const { rules, ...rest } = TARIFF
    const always = { ...rest, rules: rules.filter(({ match }) => !match.times) }
    const bare = draftStatement({ ...octoberInput(), policies: [always], trips: [], capCredits: [] })
    expect(bare.madeBy.policies[0]).not.toHaveProperty('hours')
  })
  it('has no script, no style attribute and asks nobody for anything', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\sstyle=|\son\w+=|https?:|url\(|@import/i)
    expect(page).toContain(`<style>${STATEMENT_STYLE}</style>`)
  })
  it('is a tree of its own tags', () => {
    const open: string[] = []
    for (const [, close, tag, self] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/g)) {
      if (['meta', 'br', 'wbr'].includes(tag) || self) continue
      if (close) expect(open.pop()).toBe(tag)
      else open.push(tag)
    }
    expect(open).toEqual([])
    const ids = [...page.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(page.match(/<table/g)).toHaveLength(page.match(/<caption/g)!.length)
  })
  it('escapes whatever people wrote, wherever it stands', () => {
    const bad = `"><script>'&`
    const poisoned = JSON.parse(
      JSON.stringify(statement, (key, value) =>
        typeof value === 'bigint'
          ? `n${value}`
          : ['name', 'ruleName', 'capName', 'freeReason', 'reason', 'contact', 'id', 'jurisdiction'].includes(key) &&
              value
            ? bad
            : value,
      ),
      (_, value) => (typeof value === 'string' && /^n-?\d+$/.test(value) ? BigInt(value.slice(1)) : value),
    ) as Statement
    const written = statementHtml(poisoned, {
      root: bad as Digest,
      proof: { index: 0, size: 1, path: [bad as Digest] },
    })
    expect(written).not.toContain('<script')
    expect(written.split('&quot;&gt;&lt;script&gt;&#39;&amp;').length).toBeGreaterThan(50)
  })
  it('shows the proof, and how to use it', () => {
    const leaves = [digest('other'), statementDigest(statement)]
    const root = merkleRoot(leaves)
    const proven = text(statementHtml(statement, { root, proof: merkleProof(leaves, 1) }))
    expect(proven).toContain(`roadmeter verify statement.json --policy policies.json --proof proof.json --root ${root}`)
    expect(proven).toContain(`/v1/statements/${statement.id}/proof`)
    expect(proven).toContain('statement 2 of 2')
  })
  it('has words for a month without a journey and for a credit', () => {
    const empty = draftStatement({ ...octoberInput(), trips: [], capCredits: [] })
    expect(text(statementHtml(empty))).toContain('No journey was driven in October 2026')
    expect(text(statementHtml(empty))).toContain('Nothing to pay')
    const credit = { ...empty, totals: { ...empty.totals, due: micros(-1_230_000n) } }
    expect(text(statementHtml(credit))).toMatch(/Credit in your favour \$1\.23/)
  })
})

describe('the page in Spanish', () => {
  const spanish = statementHtml(statement, undefined, 'es')
  it('is the same statement: its digest, its amounts, its journeys', () => {
    const words = wordsOf(statement, 'es')
    expect(spanish).toContain('<html lang="es">')
    expect(text(spanish)).toContain(statementDigest(statement))
    for (const { lines } of statement.journeys)
      for (const { amount } of lines)
        expect(text(spanish)).toContain(words.exact(amount).join('').replace('\u00a0', ' '))
    const shape = (page: string) => page.match(/<(?:table|tr|td|section|h2|details)\b/g)
    expect(shape(spanish)).toEqual(shape(page))
  })
  it('has the same ids once each, and says what it says in Spanish', () => {
    const ids = [...spanish.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)
    expect(new Set(ids).size).toBe(ids.length)
    for (const said of ['Importe a pagar', '12 de diciembre de 2026', 'Gratis: private land', 'lun–vie 07:00–10:00'])
      expect(text(spanish)).toContain(said)
  })
})

describe('numbers and dates in words', () => {
  const words = wordsOf(statement)
  it('keeps every digit of an amount', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), (n) => {
        const [coins, rest] = words.exact(micros(n))
        expect(rest).toHaveLength(4)
        expect(parseMicros((coins + rest).replace('−', '-').replace(/[$,]/g, ''))).toBe(n)
      }),
    )
    expect(words.money(micros(-1_234_567_890_000n))).toBe('−$1,234,567.89')
    expect(wordsOf({ ...statement, currency: 'JPY', coin: '1' }).exact(micros(1_500_000n))).toEqual([
      '¥1',
      '.500000',
      '',
    ])
    expect(wordsOf({ ...statement, currency: 'SEK' }).money(micros(12_300_000n))).toBe('SEK\u00a012.30')
  })
  it('writes distances with two decimals', () => {
    expect(words.distance(MILE_MM)).toBe('1.00')
    expect(words.distance(1_234_567 * MILE_MM)).toBe('1,234,567.00')
    expect(words.distance(0)).toBe('0.00')
    expect(wordsOf({ ...statement, unit: 'km' }).distance(12_345_000)).toBe('12.34')
  })
  it('writes them as each language does', () => {
    const sek = wordsOf({ ...statement, currency: 'SEK' }, 'es')
    expect(wordsOf(statement, 'es').money(micros(-1_234_567_890_000n))).toBe('−1.234.567,89\u00a0US$')
    expect(sek.money(micros(1_234_500_000n))).toBe('1234,50\u00a0SEK')
    expect(sek.exact(micros(12_345_678n))).toEqual(['12,34', '5678', '\u00a0SEK'])
    expect(sek.distance(12_345 * MILE_MM)).toBe('12.345,00')
    expect(sek.rate({ micros: micros(18_000n), per: 'mile' })).toBe('0,018\u00a0SEK por milla')
    expect([sek.month('2026-10'), sek.date('2026-10-06')]).toEqual(['octubre de 2026', '6 de octubre de 2026'])
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), (n) => {
        const [coins, rest] = sek.exact(micros(n))
        expect(parseMicros((coins + rest).replace('−', '-').replaceAll('.', '').replace(',', '.'))).toBe(n)
      }),
    )
  })
  it('knows the calendar', () => {
    expect(words.weekday('2024-02-29')).toBe('Thursday 29 February 2024')
    expect(wordsOf(statement, 'es').weekday('2024-02-29')).toBe('jueves, 29 de febrero de 2024')
    expect(daysOf('2024-02')).toHaveLength(29)
    expect(daysOf('2026-12').at(-1)).toBe('2026-12-31')
  })
  it('escapes what is inserted and nothing else', () => {
    expect(html`<p>${'<b>'}${html`<i>${1}</i>`}${null}${['&', html`<br />`]}</p>`.text).toBe(
      '<p>&lt;b&gt;<i>1</i>&amp;<br /></p>',
    )
  })
})
