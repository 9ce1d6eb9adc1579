import { type PolicyDocument } from '#contracts'
import { micros, type DeviceId, type Micros, type TripId } from '#kernel'
import { PARAMETERS } from '#map-matching'
import { chargesOf, statementsFor, tripsWhere, type StatementRow, type Store } from '#store'
import { columns, counted, distance, grouped, money, percent, unitSign } from '../printed'
import { type Part } from './run'

/** What became of one drive. */
export interface Result {
  readonly part: Part
  /** Fixes on charged or free lines. */
  readonly matched: number
  /** Of all lines, free ones included. */
  readonly distanceMm: number
  readonly freeMm: number
  /** What its statements ask for. */
  readonly due: Micros
  readonly statements: readonly StatementRow[]
  /** Batches that were sent and are not in the inbox. */
  readonly lost: number
  readonly duplicate: number
  readonly rejected: number
}

export async function resultsOf(store: Store, cast: readonly Part[]): Promise<Result[]> {
  const devices = cast.map((part) => part.device)
  const { trips, charges } = await store.transaction(async (tx) => {
    const trips = await tripsWhere(tx, 'device = any($1::text[])', [devices])
    return {
      trips,
      charges: await chargesOf(
        tx,
        trips.map((trip) => trip.id),
      ),
    }
  })
  const streams = await store.read<{ device: DeviceId; accepted: string; duplicate: string; rejected: string }>(
    'select device, accepted, duplicate, rejected from metering.stream where device = any($1::text[]) and boot = 0',
    [devices],
  )
  const tripsOf = new Map<DeviceId, TripId[]>()
  for (const trip of trips) tripsOf.set(trip.device, [...(tripsOf.get(trip.device) ?? []), trip.id])
  const results: Result[] = []
  for (const part of cast) {
    const lines = (tripsOf.get(part.device) ?? []).flatMap((trip) => charges.get(trip) ?? [])
    const stream = streams.find((row) => row.device === part.device)
    const statements = await statementsFor(store, { role: 'citizen', agency: part.agency, account: part.account })
    results.push({
      part,
      matched: lines.reduce((sum, charge) => sum + charge.fixes, 0),
      distanceMm: lines.reduce((sum, charge) => sum + charge.distanceMm, 0),
      freeMm: lines.reduce((sum, charge) => sum + (charge.rate ? 0 : charge.distanceMm), 0),
      due: micros(statements.reduce((sum, statement) => sum + statement.due, 0n)),
      statements,
      lost: part.batches.length - Number(stream?.accepted ?? 0) - Number(stream?.rejected ?? 0),
      duplicate: Number(stream?.duplicate ?? 0),
      rejected: Number(stream?.rejected ?? 0),
    })
  }
  return results
}

const NONE_NEAR = (fixes: number) =>
  `0 of ${fixes} fixes lie within ${PARAMETERS.radiusM.value} m of a road of the network`

/** Sums over all drives; truth and error over those whose truth is known. */
function totalsOf(results: readonly Result[]) {
  const known = results.flatMap(({ part, distanceMm }) =>
    part.drive.trueMm ? [{ distanceMm, trueMm: part.drive.trueMm }] : [],
  )
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0)
  const trueMm = known.reduce((total, { trueMm }) => total + trueMm, 0)
  return {
    fixes: sum(({ part }) => part.drive.fixes.length),
    distanceMm: sum((result) => result.distanceMm),
    freeMm: sum((result) => result.freeMm),
    due: micros(results.reduce((total, result) => total + result.due, 0n)),
    batches: sum(({ part }) => part.batches.length),
    lost: sum((result) => result.lost),
    duplicate: sum((result) => result.duplicate),
    rejected: sum((result) => result.rejected),
    statements: sum((result) => result.statements.length),
    truth: known.length
      ? {
          drives: known.length,
          trueMm,
          difference: known.reduce((total, { distanceMm }) => total + distanceMm, 0) / trueMm - 1,
          meanAbsoluteError:
            known.reduce((total, { distanceMm, trueMm }) => total + Math.abs(distanceMm / trueMm - 1), 0) /
            known.length,
        }
      : null,
  }
}

export function asTable(results: readonly Result[], policy: PolicyDocument, seconds: number): string {
  const { unit } = policy.billing
  const sign = unitSign(unit)
  const head = ['drive', 'fixes', `metered ${sign}`, `true ${sign}`, 'difference', 'amount', '']
  const totals = totalsOf(results)
  const rows = results.map(({ part, distanceMm, due }) => {
    const { name, fixes, trueMm, onRoad } = part.drive
    return [
      name,
      grouped(fixes.length),
      distance(distanceMm, unit),
      trueMm === null ? '' : distance(trueMm, unit),
      trueMm ? percent(distanceMm / trueMm - 1) : '',
      money(due, policy.currency),
      onRoad ? '' : NONE_NEAR(fixes.length),
    ]
  })
  const { truth } = totals
  const last = [
    'all',
    grouped(totals.fixes),
    distance(totals.distanceMm, unit),
    truth ? distance(truth.trueMm, unit) : '',
    truth ? percent(truth.difference) : '',
    money(totals.due, policy.currency),
  ]
  const other = unit === 'mile' ? 'km' : 'mile'
  return [
    columns([head, ...rows, last], [1, 2, 3, 4, 5]),
    '',
    `${counted(results.length, 'drive')}, ${distance(totals.distanceMm, unit, 1)} ${sign} (${distance(totals.distanceMm, other, 1)} ${unitSign(other)}) metered, of which ${distance(totals.freeMm, unit, 1)} ${sign} free, under policy ${policy.id}`,
    ...(truth
      ? [
          `against the truth of ${truth.drives}: ${percent(truth.difference)} in total, ${(100 * truth.meanAbsoluteError).toFixed(2)} % mean absolute error per drive`,
        ]
      : []),
    `${grouped(totals.batches)} batches over MQTT: ${totals.lost} lost, ${totals.duplicate} duplicated, ${totals.rejected} rejected`,
    `${counted(totals.statements, 'statement')} sealed; ${seconds.toFixed(1)} s in all`,
  ].join('\n')
}

/** The same for programs; keys carry their unit. */
export function asJson(results: readonly Result[], policy: PolicyDocument, seconds: number) {
  const totals = totalsOf(results)
  return {
    policy: policy.id,
    currency: policy.currency,
    drives: results.map(({ part, ...result }) => ({
      name: part.drive.name,
      network: part.suite.network.digest,
      fixes: part.drive.fixes.length,
      matched_fixes: result.matched,
      batches: part.batches.length,
      distance_mm: result.distanceMm,
      free_mm: result.freeMm,
      true_mm: part.drive.trueMm,
      due_micros: String(result.due),
      statements: result.statements.map((statement) => statement.id),
      ...(part.drive.onRoad ? {} : { note: NONE_NEAR(part.drive.fixes.length) }),
    })),
    totals: {
      drives: results.length,
      fixes: totals.fixes,
      distance_mm: totals.distanceMm,
      free_mm: totals.freeMm,
      true_mm: totals.truth?.trueMm ?? null,
      difference_percent: totals.truth ? 100 * totals.truth.difference : null,
      mean_absolute_error_percent: totals.truth ? 100 * totals.truth.meanAbsoluteError : null,
      due_micros: String(totals.due),
      batches: totals.batches,
      lost_batches: totals.lost,
      duplicate_batches: totals.duplicate,
      rejected_batches: totals.rejected,
      statements: totals.statements,
    },
    seconds,
  }
}
