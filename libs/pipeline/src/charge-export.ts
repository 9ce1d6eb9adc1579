import { writeTable, type Batch, type Column, type Format, type Sink, type Written } from '#exports'
import { type AgencyId, type TripId } from '#kernel'
import { CHARGE_COLUMNS, chargeColumns, type Store } from '#store'

/** Trips whose lines are a batch: some tens of thousands of rows. */
const TRIPS_AT_ONCE = 5_000

const text = (name: string, about: string, nullable = false): Column => ({ name, type: 'string', about, nullable })
const whole = (name: string, unit: string, about: string, nullable = false): Column => ({
  name,
  type: 'integer',
  unit,
  about,
  nullable,
})

/** The books of a month line by line, for whoever audits them: no person, vehicle, trip or moment, but rows that stand for one. */
export const CHARGE_TABLE: readonly Column[] = [
  text('day', 'local day on which it was driven'),
  text('policy', 'policy that priced it'),
  text('rule', 'rule of that policy'),
  text('road_class', "OpenStreetMap's highway value"),
  text('zones', 'ids of the zones joined by +'),
  whole('rate_micros', 'micros', 'price of a mile, km, entry or trip; empty where it was free', true),
  text('rate_per', 'mile, km, entry or trip', true),
  text('free_reason', 'why it was free', true),
  whole('distance_mm', 'mm', 'distance of the line'),
  whole('inferred_mm', 'mm', 'of which between fixes on other roads'),
  whole('amount_micros', 'micros', 'price, rounded half to even'),
]

/**
 * Writes the charge lines of a month's close, in no order of anybody's driving. Not for analysts: a row stands for one vehicle, so it is
 * for whoever keeps the books and has the database anyway. Pages of whole trips, each read in a transaction of its own: the
 * set of a cut-off never changes. Returns what was written and the sums, which are those of the books.
 */
export async function writeCharges(
  store: Store,
  agency: AgencyId,
  month: string,
  format: Exclude<Format, 'geoparquet'>,
  sink: Sink,
  progress?: (rows: number) => void,
): Promise<Written & { readonly distanceMm: bigint; readonly amountMicros: bigint }> {
  let [distanceMm, amountMicros] = [0n, 0n]
  async function* pages(): AsyncGenerator<Batch> {
    for (let after: TripId | null = null; ;) {
      const page = await store.transaction((tx) => chargeColumns(tx, agency, month, after, TRIPS_AT_ONCE))
      if (!page) return
      after = page.last
      if (page.rows === 0) continue
      const batch = page.columns.map((values, i) => columnOf(CHARGE_TABLE[i], values.split('\n')))
      distanceMm += summed(batch[CHARGE_COLUMNS.indexOf('distance_mm')] as BigInt64Array)
      amountMicros += summed(batch[CHARGE_COLUMNS.indexOf('amount')] as BigInt64Array)
      yield batch
    }
  }
  const written = await writeTable(CHARGE_TABLE, pages(), format, sink, progress)
  return { ...written, distanceMm, amountMicros }
}

function columnOf({ type, nullable }: Column, values: string[]): Batch[number] {
  if (nullable) return values.map((value) => (value === '' ? null : type === 'integer' ? BigInt(value) : value))
  return type === 'integer' ? BigInt64Array.from(values, BigInt) : values
}

function summed(values: BigInt64Array): bigint {
  let sum = 0n
  for (const value of values) sum += value
  return sum
}
