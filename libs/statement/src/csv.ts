import { type Journey, type Statement, type StatementLine } from '#contracts'
import { formatMicros, micros, type Micros } from '#kernel'
import { isAdjustment } from './draft'
import { distanceDecimal, wordsOf } from './words'

const COLUMNS = [
  'kind',
  'month',
  'day',
  'started',
  'ended',
  'trip',
  'vehicle',
  'policy',
  'rule',
  'rule name',
  'road class',
  'zones',
  'distance mm',
  'estimated mm',
  'distance',
  'unit',
  'rate',
  'rate per',
  'free because',
  'amount',
  'currency',
] as const
type Column = (typeof COLUMNS)[number]
/** Texts come from people and are neutralised; numbers are ours. */
type Cell = string | { readonly number: string }

/**
 * The statement as CSV (RFC 4180: CRLF, quotes where needed): a row for each line, each correction, each cap credit and the rounding, so
 * that the column `amount` adds up to the amount due. Amounts are exact decimals of the currency unit. A text that a
 * spreadsheet would run as a formula gets an apostrophe before it (OWASP, "CSV Injection").
 */
export function statementCsv(statement: Statement): string {
  const { capCredits, corrections = [], totals, currency, month, unit } = statement
  const words = wordsOf(statement)
  const names = new Map(statement.vehicles.map(({ vehicle, name }) => [vehicle, name]))
  const money = (amount: Micros): Cell => ({ number: formatMicros(amount) })

  const lineRow = (
    journey: Journey,
    line: StatementLine,
    kind = isAdjustment(journey, statement) ? 'adjustment' : 'charge',
  ): Partial<Record<Column, Cell>> => ({
    kind,
    month: journey.month,
    day: line.day,
    started: words.stamp(journey.startedAt),
    ended: words.stamp(journey.endedAt),
    trip: journey.trip,
    vehicle: names.get(journey.vehicle) ?? journey.vehicle,
    policy: line.policy,
    rule: line.rule,
    'rule name': line.ruleName,
    'road class': line.roadClass,
    zones: line.zones.join(' '),
    'distance mm': { number: String(line.distanceMm) },
    'estimated mm': { number: String(line.inferredMm) },
    distance: { number: distanceDecimal(line.distanceMm, unit) },
    unit,
    ...(line.rate ? { rate: money(line.rate.micros), 'rate per': line.rate.per } : {}),
    'free because': line.freeReason ?? '',
    amount: money(line.amount),
    currency,
  })
  const rows: Partial<Record<Column, Cell>>[] = [
    ...statement.journeys.flatMap((journey) => journey.lines.map((line) => lineRow(journey, line))),
    ...corrections.flatMap((journey) => [
      ...journey.was.map((line) => ({
        ...lineRow(journey, line, 'taken back'),
        amount: money(micros(-line.amount)),
      })),
      ...journey.lines.map((line) => lineRow(journey, line, 'corrected')),
    ]),
    ...(statement.mileage ?? []).flatMap((account) =>
      account.lines.map((line) => ({
        kind: isAdjustment(account, statement) ? 'odometer, adjustment' : 'odometer',
        month: account.month,
        vehicle: names.get(account.vehicle) ?? account.vehicle,
        policy: line.policy,
        rule: line.kind,
        'distance mm': { number: String(line.distanceMm) },
        'estimated mm': { number: String(line.estimatedMm) },
        distance: { number: distanceDecimal(line.distanceMm, unit) },
        unit,
        ...(line.rate ? { rate: money(line.rate.micros), 'rate per': line.rate.per } : {}),
        'free because': line.freeReason ?? '',
        amount: money(line.amount),
        currency,
      })),
    ),
    ...capCredits.map((credit) => ({
      kind: isAdjustment(credit, statement) ? 'limit, adjustment' : 'limit',
      month: credit.month,
      day: credit.span,
      vehicle: names.get(credit.vehicle) ?? credit.vehicle,
      policy: credit.policy,
      rule: credit.cap,
      'rule name': credit.capName,
      amount: money(credit.amount),
      currency,
    })),
    { kind: 'rounding', month, amount: money(totals.rounding), currency },
  ]
  const written = rows.map((row) => COLUMNS.map((column) => cellText(row[column] ?? '')).join(','))
  return [COLUMNS.join(','), ...written, ''].join('\r\n')
}

function cellText(cell: Cell): string {
  if (typeof cell !== 'string') return cell.number
  const safe = /^[=+\-@\t\r\n]/.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
