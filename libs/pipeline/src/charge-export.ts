import { setTimeout as delay } from 'node:timers/promises'
import { writeTable, type Batch, type Column, type Format, type Sink, type Written } from '#exports'
import { type AgencyId, type TripId } from '#kernel'
import { CHARGE_KIND, chargeColumns, KIND_BETWEEN, type ChargeColumns, type Store } from '#store'

/** Trips whose lines are a batch: some tens of thousands of rows. */
const TRIPS_AT_ONCE = 5_000
const ASKED_MS = 2

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
  const read = (after: TripId | null) =>
    store.transaction((tx) => chargeColumns(tx, agency, month, after, TRIPS_AT_ONCE))
  async function* pages(): AsyncGenerator<Batch> {
    for (let page = await read(null); page;) {
      // The database looks for the next while this one is written, once the question has left: writing keeps this thread busy.
      const next = read(page.last)
      next.catch(() => undefined)
      await delay(ASKED_MS)
      if (page.rows > 0) yield columnsOf(page)
      page = await next
    }
  }
  const kinds = new Map<string, Kind>()
  function columnsOf({ kinds: lines, distanceMm: distances, inferredMm, amountMicros: amounts }: ChargeColumns): Batch {
    const ofRow = lines.split('\n').map((line) => kindOf(line, kinds))
    distanceMm += summed(distances)
    amountMicros += summed(amounts)
    return [...CHARGE_KIND.map((_, i) => ofRow.map((kind) => kind[i])), distances, inferredMm, amounts]
  }
  const written = await writeTable(CHARGE_TABLE, pages(), format, sink, progress)
  return { ...written, distanceMm, amountMicros }
}

/** What a line has in common with many: read once, and shared by all of them, which is also quicker to write. */
type Kind = readonly (string | bigint | null)[]
const KINDS_MAX = 20_000

function kindOf(line: string, known: Map<string, Kind>): Kind {
  const seen = known.get(line)
  if (seen) return seen
  // A copy: a piece of a page would keep all of it in memory.
  const own = Buffer.from(line).toString()
  const kind = own.split(KIND_BETWEEN).map((value, i) => {
    const { type, nullable } = CHARGE_TABLE[i]
    return nullable && value === '' ? null : type === 'integer' ? BigInt(value) : value
  })
  if (known.size >= KINDS_MAX) known.clear()
  known.set(own, kind)
  return kind
}

function summed(values: BigInt64Array): bigint {
  let sum = 0n
  for (const value of values) sum += value
  return sum
}
