import { type Comparison, type MileageAccount, type Statement, type StatementLine } from '#contracts'
import { micros, NO_MONEY, type Micros } from '#kernel'
import { amountOf, type Language } from '#policy'
import { ruleShares } from './breakdown'
import { creditWords } from './credits'
import { isAdjustment } from './draft'
import { wordsOf, type Words } from './words'

/** A row of a table. `sub` is said smaller below the first cell. */
export interface Row {
  readonly cells: readonly string[]
  readonly sub?: string
  readonly isTotal?: boolean
  /** Of the total above it. */
  readonly isPart?: boolean
}

/** The first column names the row; all others are numbers, flush right. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly Row[]
}

/** A part of a statement that is words and tables: the same on a page and on paper. */
export interface Section {
  readonly title: string
  readonly text: readonly string[]
  readonly tables: readonly Table[]
}

/** Everything that can be said of a month in a few tables; the journeys stand elsewhere. */
export function sectionsOf(statement: Statement, language: Language = 'en'): Record<SectionName, Section | null> {
  const words = wordsOf(statement, language)
  return {
    sum: sumSection(statement, words),
    distance: distanceSection(statement, words),
    odometer: odometerSection(statement, words),
    money: moneySection(statement, words),
    rules: rulesSection(statement, words),
    breakdown: breakdownSection(statement, words),
    limits: limitsSection(statement, words),
    corrections: correctionsSection(statement, words),
    rates: ratesSection(statement, words),
    comparison: comparisonSection(statement, words),
    data: dataSection(statement, words),
    questions: questionSection(statement, words),
  }
}
export type SectionName =
  | 'sum'
  | 'distance'
  | 'odometer'
  | 'money'
  | 'rules'
  | 'breakdown'
  | 'limits'
  | 'corrections'
  | 'rates'
  | 'comparison'
  | 'data'
  | 'questions'

const exact = (amount: Micros, words: Words): string => words.exact(amount).join('')

function sumSection(statement: Statement, words: Words): Section {
  const { totals, month, coin, currency, journeys, capCredits, mileage = [], corrections = [] } = statement
  const { say } = words
  const late = [...journeys, ...capCredits, ...mileage, ...corrections].filter((item) => isAdjustment(item, statement))
  const months = [...new Set(late.map((item) => item.month))].sort()
  const current = journeys.length - journeys.filter((journey) => isAdjustment(journey, statement)).length
  const rows: Row[] = [
    {
      cells: [say.charges(words.journeys(current), words.month(month)), exact(totals.charges, words)],
      ...(mileage.length > 0 ? { sub: say.andOdometer } : {}),
    },
  ]
  if (totals.credits !== 0n)
    rows.push({
      cells: [say.limits, exact(totals.credits, words)],
      sub: say.limitsWhat,
    })
  if (months.length > 0)
    rows.push({
      cells: [say.adjustments, exact(totals.adjustments, words)],
      sub: say.adjustmentsFor(months.map(words.month).join(', ')),
    })
  if (totals.rounding !== 0n)
    rows.push({
      cells: [say.rounding, exact(totals.rounding, words)],
      sub: say.roundingWhat(words.money(amountOf(coin))),
    })
  rows.push({
    cells: [totals.due < 0n ? say.favour : say.due, exact(totals.due, words)],
    isTotal: true,
  })
  return {
    title: say.sum,
    text: [],
    tables: [{ columns: [say.what, say.amount(currency)], rows }],
  }
}

/** Journeys of earlier statements that were priced again: what they cost now, and what they had cost. */
function correctionsSection({ corrections = [], currency }: Statement, words: Words): Section | null {
  if (corrections.length === 0) return null
  const { say } = words
  const total = (lines: readonly StatementLine[]) => micros(lines.reduce((sum, { amount }) => sum + amount, 0n))
  return {
    title: say.corrections,
    text: [say.correctionsWhat],
    tables: [
      {
        columns: [say.journey, say.was(currency), say.isNow(currency)],
        rows: corrections.map(({ startedAt, because, was, lines }) => ({
          cells: [
            `${words.date(words.dayOf(startedAt))}, ${words.time(startedAt)}`,
            exact(total(was), words),
            exact(total(lines), words),
          ],
          sub: say.corrected(because),
        })),
      },
    ],
  }
}

function distanceSection({ totals }: Statement, words: Words): Section {
  const { say } = words
  const rows: Row[] = [
    { cells: [say.charged, words.distance(totals.chargedMm)] },
    ...totals.freeByReason.map(({ reason, distanceMm }) => ({
      cells: [say.freeOf(words.sealed(reason)), words.distance(distanceMm)],
    })),
    { cells: [say.driven, words.distance(totals.chargedMm + totals.freeMm)], isTotal: true },
  ]
  if (totals.inferredMm > 0)
    rows.push({
      cells: [say.estimatedBetween, words.distance(totals.inferredMm)],
      isPart: true,
    })
  if (totals.estimatedMm)
    rows.push({
      cells: [say.estimatedUnread, words.distance(totals.estimatedMm)],
      isPart: true,
    })
  return {
    title: words.unit === 'mi' ? say.miles : say.kilometres,
    text: [],
    tables: [{ columns: [say.kind, say.distance(words.unit)], rows }],
  }
}

function odometerSection(statement: Statement, words: Words): Section | null {
  const { mileage = [], vehicles } = statement
  const { say } = words
  if (mileage.length === 0) return null
  const name = new Map(vehicles.map((vehicle) => [vehicle.vehicle, vehicle.name]))
  const mm = (value: number | null) =>
    value === null ? say.unknown : value < 0 ? `−${words.distance(-value)}` : words.distance(value)
  return {
    title: say.odometer,
    text: [say.odometerWhat],
    tables: mileage.flatMap((account): Table[] => [
      odometerTable(account),
      ...(account.lines.length > 0 ? [mileageTable(account, statement, words)] : []),
    ]),
  }

  function odometerTable(account: MileageAccount): Table {
    return {
      columns: [
        `${name.get(account.vehicle) ?? account.vehicle}${isAdjustment(account, statement) ? `, ${words.month(account.month)}` : ''}`,
        say.distance(words.unit),
      ],
      rows: [
        { cells: [say.openingOdometer, mm(account.openingMm)] },
        { cells: [say.matched, mm(account.matchedMm)] },
        { cells: [say.between, mm(account.inferredMm)] },
        { cells: [say.offMap, mm(account.offNetworkMm)] },
        ...(account.unreconciledMm === 0 ? [] : [{ cells: [say.unexplained, mm(account.unreconciledMm)] }]),
        ...(account.replacedMm === 0 ? [] : [{ cells: [say.replaced, mm(account.replacedMm)] }]),
        {
          cells: [say.closingOdometer, mm(account.closingMm)],
          sub: account.closingIs === 'unknown' ? say.unknown : say.closing[account.closingIs],
          isTotal: true,
        },
        ...(account.heldTrips === 0
          ? []
          : [
              {
                cells: [say.held(account.heldTrips), mm(account.heldMm)],
                sub: say.heldWhat,
              },
            ]),
      ],
    }
  }
}

/** What an account came to by the odometer: a line for each kind, and for what it changes of an earlier month. */
function mileageTable({ lines }: MileageAccount, { currency }: Statement, words: Words): Table {
  const { say } = words
  return {
    columns: [say.byOdometer, say.distance(words.unit), say.amount(currency)],
    rows: lines.map((line) => ({
      cells: [say.mileage[line.kind], words.distance(line.distanceMm), exact(line.amount, words)],
      sub: [
        line.days > 0 ? say.days(line.days) : null,
        line.rate ? words.rate(line.rate) : line.freeReason && words.sealed(line.freeReason),
        line.estimatedMm > 0 ? say.estimatedOf(`${words.distance(line.estimatedMm)} ${words.unit}`) : null,
        line.billed === NO_MONEY ? null : say.billedOf(exact(line.billed, words)),
      ]
        .filter((text) => text !== null)
        .join(', '),
    })),
  }
}

function moneySection({ totals, currency }: Statement, words: Words): Section | null {
  if (totals.byJurisdiction.length === 0) return null
  const { say } = words
  return {
    title: say.moneyGoes,
    text: [],
    tables: [
      {
        columns: [say.jurisdiction, say.amount(currency)],
        rows: totals.byJurisdiction.map(({ jurisdiction, amount }) => ({
          cells: [jurisdiction, exact(amount, words)],
        })),
      },
    ],
  }
}

function rulesSection(statement: Statement, words: Words): Section | null {
  const shares = ruleShares(statement)
  if (shares.length === 0) return null
  const { say } = words
  return {
    title: say.byRule,
    text: [],
    tables: [
      {
        columns: [say.rule, say.distance(words.unit), say.amount(statement.currency)],
        rows: shares.map(({ name, rate, distanceMm, amount }) => ({
          cells: [words.sealed(name), words.distance(distanceMm), exact(amount, words)],
          ...(rate ? { sub: words.rate(rate) } : {}),
        })),
      },
    ],
  }
}

/** By zone, by kind of road, and by hours where rules tell them apart. */
function breakdownSection(statement: Statement, words: Words): Section | null {
  const { say } = words
  const zoneNames = new Map(
    statement.madeBy.policies.flatMap(({ id, zones }) =>
      Object.entries(zones).map(([zone, name]): [string, string] => [`${id}/${zone}`, name]),
    ),
  )
  const zones = (line: StatementLine) =>
    line.zones.length > 0
      ? say.list(line.zones.map((zone) => zoneNames.get(`${line.policy}/${zone}`) ?? zone))
      : say.outside
  const hours = new Map(
    statement.madeBy.policies.flatMap(({ id, hours = {} }) =>
      Object.entries(hours).map(([rule, said]): [string, string] => [`${id}/${rule}`, say.hours(said)]),
    ),
  )
  const tables = [
    shareTable(say.zone, statement, words, zones),
    shareTable(say.roadKind, statement, words, (line) => capital(say.roadClass(line.roadClass))),
    ...(hours.size > 0
      ? [
          shareTable(
            say.hoursTitle,
            statement,
            words,
            (line) => hours.get(`${line.policy}/${line.rule}`) ?? say.otherHours,
          ),
        ]
      : []),
  ]
  if (tables.every(({ rows }) => rows.length === 0)) return null
  return { title: hours.size > 0 ? say.breakdownHours : say.breakdown, text: [], tables }
}

function shareTable(
  name: string,
  { journeys, currency }: Statement,
  words: Words,
  of: (line: StatementLine) => string,
): Table {
  const shares = new Map<string, { mm: number; amount: bigint }>()
  for (const line of journeys.flatMap(({ lines }) => lines)) {
    const share = shares.get(of(line)) ?? { mm: 0, amount: 0n }
    shares.set(of(line), { mm: share.mm + line.distanceMm, amount: share.amount + line.amount })
  }
  return {
    columns: [name, words.say.distance(words.unit), words.say.amount(currency)],
    rows: [...shares]
      .sort(([a, x], [b, y]) => y.mm - x.mm || (a < b ? -1 : 1))
      .map(([key, { mm, amount }]) => ({ cells: [key, words.distance(mm), exact(micros(amount), words)] })),
  }
}

function limitsSection({ capCredits, currency }: Statement, words: Words): Section | null {
  if (capCredits.every(({ amount }) => amount === 0n)) return null
  const { say } = words
  const saved = capCredits.reduce((sum, { amount }) => sum - amount, 0n)
  const caps = new Map<string, { name: string; limit: Micros; times: number; amount: bigint }>()
  for (const { policy, cap, capName, limit, amount } of capCredits) {
    if (amount === 0n) continue
    const key = `${policy}/${cap}`
    const known = caps.get(key) ?? { name: capName, limit, times: 0, amount: NO_MONEY }
    caps.set(key, { ...known, times: known.times + 1, amount: known.amount + amount })
  }
  return {
    title: say.limitsTitle,
    text: saved > 0n ? [say.saved(words.rounded(micros(saved)))] : [],
    tables: [
      {
        columns: [say.limit, say.times, say.amount(currency)],
        rows: [...caps.values()].map(({ name, limit, times, amount }) => ({
          cells: [name, String(times), exact(micros(amount), words)],
          sub: creditWords({ capName: name, limit, amount: micros(amount) }, words).sub ?? undefined,
        })),
      },
    ],
  }
}

function ratesSection({ rateChanges = [] }: Statement, { say, language, date }: Words): Section | null {
  if (rateChanges.length === 0) return null
  return {
    title: say.rates,
    text: rateChanges.flatMap(({ from, policy, replaced, es, ...en }) => {
      const { was, now } = (language === 'es' && es) || en
      return [say.tookOver(date(from), policy, replaced), ...was.map(say.untilThen), ...now.map(say.sinceThen)]
    }),
    tables: [],
  }
}

function comparisonSection({ comparisons = [], totals, currency }: Statement, words: Words): Section | null {
  if (comparisons.length === 0) return null
  const { say } = words
  // Sealed in English, and as numbers for every other language.
  const reckoned = ({ because, terms }: Comparison) =>
    say.reckoned && terms
      ? say.reckoned(words.money(amountOf(terms.amount)), terms.per, words.decimal(terms.economy ?? ''))
      : because
  return {
    title: say.comparison,
    text: [say.comparisonWhat],
    tables: [
      {
        columns: [say.instead, say.amount(currency)],
        rows: [
          ...comparisons.map((one) => ({ cells: [one.name, words.rounded(one.amount)], sub: reckoned(one) })),
          { cells: [say.this, words.money(totals.due)], isTotal: true },
        ],
      },
    ],
  }
}

function dataSection({ retentionDays, agency }: Statement, { say }: Words): Section {
  return {
    title: say.data,
    text: [say.dataBooks, retentionDays === undefined ? say.dataKept(agency.name) : say.dataUntil(retentionDays)],
    tables: [],
  }
}

function questionSection({ agency, reviewUntil }: Statement, { say, date }: Words): Section {
  return {
    title: say.questions,
    text: [say.questionsWhat(agency.name, date(reviewUntil), agency.contact ?? null)],
    tables: [],
  }
}

const capital = (text: string): string => text[0].toUpperCase() + text.slice(1)
