import { type MileageAccount, type MileageKind, type Statement, type StatementLine } from '#contracts'
import { micros, NO_MONEY, type Micros } from '#kernel'
import { amountOf } from '#policy'
import { ruleShares } from './breakdown'
import { count, shortDate } from './cells'
import { creditWords } from './credits'
import { isAdjustment } from './draft'
import { monthWords, wordsOf, type Words } from './words'

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
export function sectionsOf(statement: Statement): Record<SectionName, Section | null> {
  const words = wordsOf(statement)
  return {
    sum: sumSection(statement, words),
    distance: distanceSection(statement, words),
    odometer: odometerSection(statement, words),
    money: moneySection(statement, words),
    rules: rulesSection(statement, words),
    breakdown: breakdownSection(statement, words),
    limits: limitsSection(statement, words),
    corrections: correctionsSection(statement, words),
    rates: ratesSection(statement),
    comparison: comparisonSection(statement, words),
    data: dataSection(statement),
    questions: questionSection(statement),
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
  const late = [...journeys, ...capCredits, ...mileage, ...corrections].filter((item) => isAdjustment(item, statement))
  const months = [...new Set(late.map((item) => item.month))].sort()
  const current = journeys.length - journeys.filter((journey) => isAdjustment(journey, statement)).length
  const rows: Row[] = [
    {
      cells: [`Charges for ${count(current, 'journey')} in ${monthWords(month)}`, exact(totals.charges, words)],
      ...(mileage.length > 0 ? { sub: 'and what was charged by the odometer' } : {}),
    },
  ]
  if (totals.credits !== 0n)
    rows.push({
      cells: ['Limits', exact(totals.credits, words)],
      sub: 'what you did not pay because a limit was reached',
    })
  if (months.length > 0)
    rows.push({
      cells: ['Adjustments', exact(totals.adjustments, words)],
      sub: `for ${months.map(monthWords).join(', ')}`,
    })
  if (totals.rounding !== 0n)
    rows.push({
      cells: ['Rounding', exact(totals.rounding, words)],
      sub: `once, to ${words.money(amountOf(coin))}, half to even`,
    })
  rows.push({
    cells: [totals.due < 0n ? 'In your favour' : 'Amount due', exact(totals.due, words)],
    isTotal: true,
  })
  return {
    title: 'How the amount came about',
    text: [],
    tables: [{ columns: ['What', `Amount (${currency})`], rows }],
  }
}

/** Journeys of earlier statements that were priced again: what they cost now, and what they had cost. */
function correctionsSection({ corrections = [], currency }: Statement, words: Words): Section | null {
  if (corrections.length === 0) return null
  const total = (lines: readonly StatementLine[]) => micros(lines.reduce((sum, { amount }) => sum + amount, 0n))
  return {
    title: 'Corrected after your questions',
    text: ['What these journeys had cost is taken back, and what they cost now is charged.'],
    tables: [
      {
        columns: ['Journey', `Was (${currency})`, `Is now (${currency})`],
        rows: corrections.map(({ startedAt, because, was, lines }) => ({
          cells: [
            `${shortDate(words.dayOf(startedAt))}, ${words.time(startedAt)}`,
            exact(total(was), words),
            exact(total(lines), words),
          ],
          sub: because,
        })),
      },
    ],
  }
}

function distanceSection({ totals }: Statement, words: Words): Section {
  const rows: Row[] = [
    { cells: ['Charged', words.distance(totals.chargedMm)] },
    ...totals.freeByReason.map(({ reason, distanceMm }) => ({
      cells: [`Free: ${reason}`, words.distance(distanceMm)],
    })),
    { cells: ['Driven', words.distance(totals.chargedMm + totals.freeMm)], isTotal: true },
  ]
  if (totals.inferredMm > 0)
    rows.push({
      cells: ['of which estimated, between two positions of the device', words.distance(totals.inferredMm)],
      isPart: true,
    })
  if (totals.estimatedMm)
    rows.push({
      cells: ['of which estimated, without a reading of the odometer', words.distance(totals.estimatedMm)],
      isPart: true,
    })
  return {
    title: words.unit === 'mi' ? 'Your miles' : 'Your kilometres',
    text: [],
    tables: [{ columns: ['Kind', `Distance (${words.unit})`], rows }],
  }
}

/** How the odometer's end of a month is known. */
const CLOSING: Readonly<Record<MileageAccount['closingIs'], string>> = {
  read: 'read',
  reckoned: 'reckoned from the last reading and the journeys since',
  estimated: 'estimated',
  unknown: 'not known',
}

function odometerSection(statement: Statement, words: Words): Section | null {
  const { mileage = [], vehicles } = statement
  if (mileage.length === 0) return null
  const name = new Map(vehicles.map((vehicle) => [vehicle.vehicle, vehicle.name]))
  const mm = (value: number | null) =>
    value === null ? 'not known' : value < 0 ? `−${words.distance(-value)}` : words.distance(value)
  return {
    title: 'Your odometer',
    text: ['Opening reading, and everything between it and the closing reading.'],
    tables: mileage.flatMap((account): Table[] => [
      odometerTable(account),
      ...(account.lines.length > 0 ? [mileageTable(account, statement, words)] : []),
    ]),
  }

  function odometerTable(account: MileageAccount): Table {
    return {
      columns: [
        `${name.get(account.vehicle) ?? account.vehicle}${isAdjustment(account, statement) ? `, ${monthWords(account.month)}` : ''}`,
        `Distance (${words.unit})`,
      ],
      rows: [
        { cells: ['Opening odometer', mm(account.openingMm)] },
        { cells: ['Matched to roads', mm(account.matchedMm)] },
        { cells: ['Between two positions of the device', mm(account.inferredMm)] },
        { cells: ['Off the road map', mm(account.offNetworkMm)] },
        ...(account.unreconciledMm === 0
          ? []
          : [{ cells: ['Not explained by any journey', mm(account.unreconciledMm)] }]),
        ...(account.replacedMm === 0 ? [] : [{ cells: ['Odometer replaced', mm(account.replacedMm)] }]),
        { cells: ['Closing odometer', mm(account.closingMm)], sub: CLOSING[account.closingIs], isTotal: true },
        ...(account.heldTrips === 0
          ? []
          : [
              {
                cells: [`Held for review: ${account.heldTrips}`, mm(account.heldMm)],
                sub: 'the odometer and the roads do not agree; nothing is charged for them meanwhile',
              },
            ]),
      ],
    }
  }
}

const MILEAGE_NAMES: Readonly<Record<MileageKind, string>> = {
  missing: 'Not explained by any journey, beyond the tolerance',
  odometer: 'By the odometer alone',
  permit: 'Time permit',
}

/** What an account came to by the odometer: a line for each kind, and for what it changes of an earlier month. */
function mileageTable({ lines }: MileageAccount, { currency }: Statement, words: Words): Table {
  return {
    columns: ['Charged by the odometer', `Distance (${words.unit})`, `Amount (${currency})`],
    rows: lines.map((line) => ({
      cells: [MILEAGE_NAMES[line.kind], words.distance(line.distanceMm), exact(line.amount, words)],
      sub: [
        line.days > 0 ? count(line.days, 'day') : null,
        line.rate ? `${words.money(line.rate.micros)} a ${line.rate.per}` : line.freeReason,
        line.estimatedMm > 0 ? `${words.distance(line.estimatedMm)} ${words.unit} of it estimated` : null,
        line.billed === NO_MONEY ? null : `${exact(line.billed, words)} of it on earlier statements`,
      ]
        .filter((text) => text !== null)
        .join(', '),
    })),
  }
}

function moneySection({ totals, currency }: Statement, words: Words): Section | null {
  if (totals.byJurisdiction.length === 0) return null
  return {
    title: 'Where the money goes',
    text: [],
    tables: [
      {
        columns: ['Jurisdiction', `Amount (${currency})`],
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
  return {
    title: 'By rule',
    text: [],
    tables: [
      {
        columns: ['Rule', `Distance (${words.unit})`, `Amount (${statement.currency})`],
        rows: shares.map(({ name, rate, distanceMm, amount }) => ({
          cells: [name, words.distance(distanceMm), exact(amount, words)],
          ...(rate ? { sub: words.rate(rate) } : {}),
        })),
      },
    ],
  }
}

/** By zone, by kind of road, and by hours where rules tell them apart. */
function breakdownSection(statement: Statement, words: Words): Section | null {
  const zoneNames = new Map(
    statement.madeBy.policies.flatMap(({ id, zones }) =>
      Object.entries(zones).map(([zone, name]): [string, string] => [`${id}/${zone}`, name]),
    ),
  )
  const zones = (line: StatementLine) =>
    line.zones.length > 0
      ? line.zones.map((zone) => zoneNames.get(`${line.policy}/${zone}`) ?? zone).join(' and ')
      : 'Outside all zones'
  const hours = new Map(
    statement.madeBy.policies.flatMap(({ id, hours = {} }) =>
      Object.entries(hours).map(([rule, said]): [string, string] => [`${id}/${rule}`, said]),
    ),
  )
  const tables = [
    shareTable('Zone', statement, words, zones),
    shareTable('Kind of road', statement, words, (line) => capital(line.roadClass.replace('_', ' '))),
    ...(hours.size > 0
      ? [shareTable('Hours', statement, words, (line) => hours.get(`${line.policy}/${line.rule}`) ?? 'Other hours')]
      : []),
  ]
  if (tables.every(({ rows }) => rows.length === 0)) return null
  return { title: hours.size > 0 ? 'By zone, road and hours' : 'By zone and road', text: [], tables }
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
    columns: [name, `Distance (${words.unit})`, `Amount (${currency})`],
    rows: [...shares]
      .sort(([a, x], [b, y]) => y.mm - x.mm || (a < b ? -1 : 1))
      .map(([key, { mm, amount }]) => ({ cells: [key, words.distance(mm), exact(micros(amount), words)] })),
  }
}

function limitsSection({ capCredits, currency }: Statement, words: Words): Section | null {
  if (capCredits.every(({ amount }) => amount === 0n)) return null
  const saved = capCredits.reduce((sum, { amount }) => sum - amount, 0n)
  const caps = new Map<string, { name: string; limit: Micros; times: number; amount: bigint }>()
  for (const { policy, cap, capName, limit, amount } of capCredits) {
    if (amount === 0n) continue
    const key = `${policy}/${cap}`
    const known = caps.get(key) ?? { name: capName, limit, times: 0, amount: NO_MONEY }
    caps.set(key, { ...known, times: known.times + 1, amount: known.amount + amount })
  }
  return {
    title: 'Limits and credits',
    text: saved > 0n ? [`They saved you ${words.rounded(micros(saved))}.`] : [],
    tables: [
      {
        columns: ['Limit', 'Times applied', `Amount (${currency})`],
        rows: [...caps.values()].map(({ name, limit, times, amount }) => ({
          cells: [name, String(times), exact(micros(amount), words)],
          sub: creditWords({ capName: name, limit, amount: micros(amount) }, words.money).sub ?? undefined,
        })),
      },
    ],
  }
}

function ratesSection({ rateChanges = [] }: Statement): Section | null {
  if (rateChanges.length === 0) return null
  return {
    title: 'Your rate changed',
    text: rateChanges.flatMap(({ from, policy, replaced, was, now }) => [
      `On ${shortDate(from)} policy ${policy} took over from ${replaced}.`,
      ...was.map((sentence) => `Until then: ${sentence}.`),
      ...now.map((sentence) => `Since then: ${sentence}.`),
    ]),
    tables: [],
  }
}

function comparisonSection({ comparisons = [], totals, currency }: Statement, words: Words): Section | null {
  if (comparisons.length === 0) return null
  return {
    title: 'Compared with',
    text: ['What the month would have cost otherwise. Nobody is charged for it.'],
    tables: [
      {
        columns: ['Instead of this statement', `Amount (${currency})`],
        rows: [
          ...comparisons.map(({ name, because, amount }) => ({ cells: [name, words.rounded(amount)], sub: because })),
          { cells: ['This statement', words.money(totals.due)], isTotal: true },
        ],
      },
    ],
  }
}

function dataSection({ retentionDays, agency }: Statement): Section {
  return {
    title: 'What is held about you',
    text: [
      'This statement, its lines and what was paid are kept as books are. They tell the roads by kind and zone, and when a journey began and ended, but not where.',
      retentionDays === undefined
        ? `Where you drove is kept apart from it, encrypted: what your devices sent for some days, and the roads some weeks after this statement is paid. Then it is destroyed, and this statement can still be checked. ${agency.name} tells you when.`
        : `Where you drove is kept apart from it, encrypted. By the policy it is destroyed ${retentionDays} days after this statement is sealed, and what your devices sent long before; this statement can still be checked then.`,
    ],
    tables: [],
  }
}

function questionSection({ agency, reviewUntil }: Statement): Section {
  return {
    title: 'If something is wrong',
    text: [
      `Tell ${agency.name} which journey and why, until ${shortDate(reviewUntil)}${agency.contact ? `: ${agency.contact}` : ''}. The amount in question is held until it is decided; a correction is a new line that names the old one.`,
    ],
    tables: [],
  }
}

const capital = (text: string): string => text[0].toUpperCase() + text.slice(1)
