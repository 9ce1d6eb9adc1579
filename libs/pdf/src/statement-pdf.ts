import { type Journey, type Statement } from '#contracts'
import { micros } from '#kernel'
import {
  dateWords,
  creditWords,
  isAdjustment,
  monthWords,
  sectionsOf,
  statementDigest,
  wordsOf,
  type Section,
  type StatementProof,
  type Words,
} from '#statement'
import { ACCENT, COLOURS, Sheet, SOFT, type CellText, type TableRow } from './sheet'

/**
 * The statement as a tagged PDF, from the sealed document alone: a page that sums it up, then every journey and line. The same
 * statement gives the same bytes.
 */
export async function statementPdf(statement: Statement, proof?: StatementProof): Promise<Uint8Array> {
  const words = wordsOf(statement)
  const { agency, account, month, totals } = statement
  const title = `Road-use statement, ${monthWords(month)}`
  const sheet = new Sheet({
    title: `${title} - ${agency.name}`,
    author: agency.name,
    madeAt: new Date(statement.draftedAt),
  })
  const parts = sectionsOf(statement)

  sheet.paragraph(agency.name, { face: 'strong', size: 10, colour: ACCENT })
  sheet.gap(6)
  sheet.heading(title, 1)
  sheet.paragraph(`${account.name}, account ${account.id}`, { colour: SOFT })
  sheet.gap(10)
  sheet.facts([
    {
      label: totals.due > 0n ? 'Amount due' : totals.due < 0n ? 'Credit in your favour' : 'Nothing to pay',
      value: words.money(totals.due < 0n ? micros(-totals.due) : totals.due),
      size: 20,
    },
    { label: totals.due > 0n ? 'Due by' : 'Settled by', value: day(statement.dueOn) },
    { label: 'Period', value: monthWords(month) },
    { label: 'Questions until', value: day(statement.reviewUntil) },
  ])
  write(sheet, parts.sum)
  write(sheet, parts.distance)
  if (parts.money) {
    sheet.gap(8)
    sheet.heading(parts.money.title, 2)
    const earned = totals.byJurisdiction.filter(({ amount }) => amount > 0n)
    const all = earned.reduce((sum, { amount }) => sum + amount, 0n)
    if (all > 0n)
      sheet.bar(
        earned.map(({ amount }, i) => ({
          share: Number((amount * 1_000_000n) / all) / 1_000_000,
          colour: COLOURS[Math.min(i, COLOURS.length - 1)],
        })),
        `Money by jurisdiction: ${earned.map(({ jurisdiction, amount }) => `${jurisdiction} ${words.rounded(amount)}`).join(', ')}`,
      )
    tables(sheet, parts.money)
  }
  for (const part of [
    parts.rates,
    parts.rules,
    parts.limits,
    parts.corrections,
    parts.odometer,
    parts.breakdown,
    parts.comparison,
  ])
    write(sheet, part)
  journeys(sheet, statement, words)
  write(sheet, parts.data)
  write(sheet, parts.questions)
  check(sheet, statement, proof)
  return sheet.end(`Statement ${statement.id}`)
}

const day = (text: string): string => dateWords(text).replace(/^\w+ /, '')

function write(sheet: Sheet, section: Section | null): void {
  if (!section) return
  sheet.gap(8)
  // A line of words between heading and table leaves neither alone.
  if (section.text.length > 0 && section.tables.length > 0) sheet.room(110)
  sheet.heading(section.title, 2)
  for (const text of section.text) sheet.paragraph(text)
  tables(sheet, section)
}

function tables(sheet: Sheet, section: Section): void {
  for (const { columns, rows } of section.tables)
    sheet.table(
      columns,
      columns.length === 2 ? [0.7, 0.3] : [0.5, 0.25, 0.25],
      rows.map(({ cells: [name, ...numbers], sub, isTotal }) => ({
        cells: [
          [{ text: name }, ...(sub ? [{ text: sub, size: 7.5, colour: SOFT }] : [])],
          ...numbers.map((text): CellText => [{ text }]),
        ],
        isTotal,
      })),
    )
}

/** Every journey with its lines, by day; what belongs to earlier months first, under its own heading. */
function journeys(sheet: Sheet, statement: Statement, words: Words): void {
  const names = new Map(statement.vehicles.map(({ vehicle, name }) => [vehicle, name]))
  const columns = ['When', 'Why', `Distance (${words.unit})`, `Amount (${statement.currency})`]
  const rowsOf = (journey: Journey): TableRow[] =>
    journey.lines.map((line, i) => ({
      cells: [
        i === 0
          ? [
              {
                text: `${day(words.dayOf(journey.startedAt))}, ${words.time(journey.startedAt)}–${words.time(journey.endedAt)}`,
              },
              { text: names.get(journey.vehicle) ?? journey.vehicle, size: 7.5, colour: SOFT },
            ]
          : [],
        [
          { text: line.ruleName },
          { text: line.rate ? words.rate(line.rate) : `free: ${line.freeReason ?? ''}`, size: 7.5, colour: SOFT },
        ],
        [{ text: words.distance(line.distanceMm) }],
        [{ text: words.exact(line.amount).join('') }],
      ],
      follows: i > 0,
    }))
  const startedOn = new Map(statement.journeys.map(({ trip, startedAt }) => [trip, words.dayOf(startedAt)]))
  const spanOf = (span: string) => {
    const on = span.length === 10 ? span : startedOn.get(span)
    return on === undefined ? span : day(on)
  }
  const limits = (late: boolean): TableRow[] =>
    statement.capCredits
      .filter((credit) => credit.amount !== 0n && isAdjustment(credit, statement) === late)
      .map((credit) => ({
        cells: [
          [
            { text: spanOf(credit.span) },
            { text: names.get(credit.vehicle) ?? credit.vehicle, size: 7.5, colour: SOFT },
          ],
          [{ text: creditWords(credit, words.money).name }],
          [],
          [{ text: words.exact(credit.amount).join('') }],
        ],
      }))
  for (const late of [true, false]) {
    const rows = [
      ...statement.journeys.filter((journey) => isAdjustment(journey, statement) === late).flatMap(rowsOf),
      ...limits(late),
    ]
    if (rows.length === 0) continue
    sheet.gap(8)
    sheet.heading(late ? 'Adjustments for earlier months' : 'Journeys', 2)
    sheet.table(columns, [0.32, 0.36, 0.15, 0.17], rows, 2)
  }
}

function check(sheet: Sheet, statement: Statement, proof: StatementProof | undefined): void {
  sheet.gap(8)
  sheet.heading('How to check it', 2)
  sheet.paragraph(
    'Each line is its distance times its rate, rounded once to a millionth. The JSON of this statement and the published policies work out to the same amount: roadmeter verify statement.json --policy policies.json',
  )
  sheet.paragraph(`Digest of this statement (SHA-256): ${statementDigest(statement)}`, { size: 8 })
  for (const { id, name, digest } of statement.madeBy.policies)
    sheet.paragraph(`Policy ${name} (${id}): ${digest}`, { size: 8 })
  if (proof)
    sheet.paragraph(
      `It is statement ${proof.proof.index + 1} of ${proof.proof.size} under the published root ${proof.root}.`,
      { size: 8 },
    )
  sheet.paragraph('Road map data © OpenStreetMap contributors, available under the Open Database Licence.', {
    size: 8,
    colour: SOFT,
  })
}
