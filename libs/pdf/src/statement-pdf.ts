import { type Journey, type Statement } from '#contracts'
import { micros } from '#kernel'
import { type Language } from '#policy'
import {
  creditWords,
  isAdjustment,
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
 * statement in the same language gives the same bytes; what is sealed has no language.
 */
export async function statementPdf(
  statement: Statement,
  proof?: StatementProof,
  language: Language = 'en',
): Promise<Uint8Array> {
  const words = wordsOf(statement, language)
  const { say } = words
  const { agency, account, month, totals } = statement
  const title = say.title(words.month(month))
  const sheet = new Sheet({
    title: `${title} - ${agency.name}`,
    author: agency.name,
    madeAt: new Date(statement.draftedAt),
    language,
  })
  const parts = sectionsOf(statement, language)

  sheet.paragraph(agency.name, { face: 'strong', size: 10, colour: ACCENT })
  sheet.gap(6)
  sheet.heading(title, 1)
  sheet.paragraph(`${account.name}, ${say.account} ${account.id}`, { colour: SOFT })
  sheet.gap(10)
  sheet.facts([
    {
      label: totals.due > 0n ? say.due : totals.due < 0n ? say.inFavour : say.nothingDue,
      value: words.money(totals.due < 0n ? micros(-totals.due) : totals.due),
      size: 20,
    },
    { label: totals.due > 0n ? say.dueBy : say.settledBy, value: words.date(statement.dueOn) },
    { label: say.period, value: words.month(month) },
    { label: say.questionsUntil, value: words.date(statement.reviewUntil) },
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
        `${say.moneyBar}: ${earned.map(({ jurisdiction, amount }) => `${jurisdiction} ${words.rounded(amount)}`).join(', ')}`,
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
  check(sheet, statement, words, proof)
  return sheet.end(`${say.statement} ${statement.id}`, say.page)
}

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
  const { say } = words
  const names = new Map(statement.vehicles.map(({ vehicle, name }) => [vehicle, name]))
  const columns = [say.when, say.why, say.distance(words.unit), say.amount(statement.currency)]
  const rowsOf = (journey: Journey): TableRow[] =>
    journey.lines.map((line, i) => ({
      cells: [
        i === 0
          ? [
              {
                text: `${words.date(words.dayOf(journey.startedAt))}, ${words.time(journey.startedAt)}–${words.time(journey.endedAt)}`,
              },
              { text: names.get(journey.vehicle) ?? journey.vehicle, size: 7.5, colour: SOFT },
            ]
          : [],
        [
          { text: words.sealed(line.ruleName) },
          {
            text: line.rate ? words.rate(line.rate) : say.free(words.sealed(line.freeReason ?? '')),
            size: 7.5,
            colour: SOFT,
          },
        ],
        [{ text: words.distance(line.distanceMm) }],
        [{ text: words.exact(line.amount).join('') }],
      ],
      follows: i > 0,
    }))
  const startedOn = new Map(statement.journeys.map(({ trip, startedAt }) => [trip, words.dayOf(startedAt)]))
  const spanOf = (span: string) => {
    const on = span.length === 10 ? span : startedOn.get(span)
    return on === undefined ? span : words.date(on)
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
          [{ text: creditWords(credit, words).name }],
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
    sheet.heading(late ? say.late : say.allJourneys, 2)
    sheet.table(columns, [0.32, 0.36, 0.15, 0.17], rows, 2)
  }
}

function check(sheet: Sheet, statement: Statement, { say }: Words, proof: StatementProof | undefined): void {
  sheet.gap(8)
  sheet.heading(say.check, 2)
  sheet.paragraph(`${say.checkPaper} roadmeter verify statement.json --policy policies.json`)
  sheet.paragraph(`${say.digest}: ${statementDigest(statement)}`, { size: 8 })
  for (const { id, name, digest } of statement.madeBy.policies)
    sheet.paragraph(`${say.policy} ${name} (${id}): ${digest}`, { size: 8 })
  if (proof) sheet.paragraph(say.underRoot(proof.proof.index + 1, proof.proof.size, proof.root), { size: 8 })
  sheet.paragraph(say.map, {
    size: 8,
    colour: SOFT,
  })
}
