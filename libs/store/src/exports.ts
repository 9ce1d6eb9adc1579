import { type AgencyId, type Instant, type TripId } from '#kernel'
import { type Tx } from './store'

/** A file that was asked for. */
export interface ExportJob {
  readonly id: string
  readonly agency: AgencyId
  readonly dataset: string
  readonly period: string
  readonly format: 'csv' | 'parquet' | 'geoparquet'
  readonly noise: string
  readonly askedBy: string
  readonly askedAt: Instant
  readonly release: string | null
  readonly rows: number | null
  readonly bytes: number | null
  readonly sha256: string | null
  /** Why there is none, for whoever asked. */
  readonly refused: string | null
  readonly finishedAt: Instant | null
}

export const addExport = (tx: Tx, job: ExportJob): Promise<number> =>
  tx.run(
    `insert into results.export (id, agency, dataset, period, format, noise, asked_by, asked_at) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing`,
    [job.id, job.agency, job.dataset, job.period, job.format, job.noise, job.askedBy, job.askedAt],
  )

export const finishExport = (tx: Tx, job: ExportJob): Promise<number> =>
  tx.run(
    `update results.export set release = $2, rows = $3, bytes = $4, sha256 = $5, refused = $6, finished_at = $7 where id = $1`,
    [job.id, job.release, job.rows, job.bytes, job.sha256, job.refused, job.finishedAt],
  )

async function exportsWhere(tx: Tx, condition: string, parameters: readonly (string | number)[]): Promise<ExportJob[]> {
  const rows = await tx.rows<Record<string, string | null>>(
    `select id, agency, dataset, period, format, noise, asked_by, asked_at, release, rows, bytes, sha256, refused, finished_at from results.export where ${condition}`,
    parameters,
  )
  const whole = (value: string | null) => (value === null ? null : Number(value))
  return rows.map((row) => ({
    id: row.id!,
    agency: row.agency as AgencyId,
    dataset: row.dataset!,
    period: row.period!,
    format: row.format as ExportJob['format'],
    noise: row.noise!,
    askedBy: row.asked_by!,
    askedAt: Number(row.asked_at) as Instant,
    release: row.release,
    rows: whole(row.rows),
    bytes: whole(row.bytes),
    sha256: row.sha256,
    refused: row.refused,
    finishedAt: whole(row.finished_at) as Instant | null,
  }))
}

export const exportById = async (tx: Tx, id: string): Promise<ExportJob | null> =>
  (await exportsWhere(tx, 'id = $1', [id]))[0] ?? null

/** The latest exports of an agency, newest first. */
export const exportsOf = (tx: Tx, agency: AgencyId, most: number): Promise<ExportJob[]> =>
  exportsWhere(tx, 'agency = $1 order by asked_at desc, id limit $2', [agency, most])

/** Exports that wait for a month to be counted. */
export const waitingExports = (tx: Tx, agency: AgencyId, month: string): Promise<ExportJob[]> =>
  exportsWhere(tx, 'agency = $1 and period = $2 and finished_at is null', [agency, month])

export const addExportPart = (tx: Tx, id: string, file: string, part: number, bytes: Uint8Array): Promise<number> =>
  tx.run(`insert into results.export_part (export, file, part, bytes) values ($1, $2, $3, $4)`, [id, file, part, bytes])

/** One part of a file; null after its last. */
export const exportPart = async (tx: Tx, id: string, file: string, part: number): Promise<Uint8Array | null> =>
  (
    await tx.row<{ bytes: Uint8Array }>(
      `select bytes from results.export_part where export = $1 and file = $2 and part = $3`,
      [id, file, part],
    )
  )?.bytes ?? null

/** Charge lines of a booked month as the books export reads them in bulk: of each row its kind and three numbers. */
export interface ChargeColumns {
  readonly last: TripId
  readonly rows: number
  /** What many rows have in common, a line of it each row: its values in the order of CHARGE_KIND, parted by KIND_BETWEEN. */
  readonly kinds: string
  readonly distanceMm: BigInt64Array
  readonly inferredMm: BigInt64Array
  readonly amountMicros: BigInt64Array
}

/** What a charge line says besides its numbers, and nothing of whom it is. */
export const CHARGE_KIND = ['day', 'policy', 'rule', 'road_class', 'zones', 'rate', 'rate_per', 'free_reason'] as const
export const KIND_BETWEEN = '\u001f'

/**
 * The charge lines of the `most` trips that follow `after` in a booked month, by trip. One value for each column, whatever the rows: a
 * value of its own for each line costs ten times as much to read. null after the last.
 */
export async function chargeColumns(
  tx: Tx,
  agency: AgencyId,
  month: string,
  after: TripId | null,
  most: number,
): Promise<ChargeColumns | null> {
  const row = await tx.row<{ last: TripId | null; rows: string; kinds: string } & Record<NumberColumn, Uint8Array>>(
    `with page as materialized (select trip from money.period_trip where agency = $1 and month = $2 and trip > $3 order by trip limit $4)
     select (select max(trip) from page) as last, count(*) as rows,
       coalesce(string_agg(c.day || e'\\x1f' || c.policy || e'\\x1f' || c.rule || e'\\x1f' || c.road_class || e'\\x1f' || array_to_string(c.zones, '+') || e'\\x1f'
         || coalesce(c.rate::text, '') || e'\\x1f' || coalesce(c.rate_per, '') || e'\\x1f' || translate(coalesce(c.free_reason, ''), e'\\n\\x1f', '  '), e'\\n'), '') as kinds,
       ${NUMBERS.map((name) => `coalesce(string_agg(int8send(c.${name}), ''), '') as ${name}`).join(', ')}
     from page join money.charge c on c.trip = page.trip`,
    [agency, month, after ?? '', most],
  )
  if (!row?.last) return null
  const [distanceMm, inferredMm, amountMicros] = NUMBERS.map((name) => wholeNumbers(row[name]))
  return { last: row.last, rows: Number(row.rows), kinds: row.kinds, distanceMm, inferredMm, amountMicros }
}
const NUMBERS = ['distance_mm', 'inferred_mm', 'amount'] as const
type NumberColumn = (typeof NUMBERS)[number]

/** Eight bytes each, as int8send writes them: the highest first. */
function wholeNumbers(sent: Uint8Array): BigInt64Array {
  const view = new DataView(sent.buffer, sent.byteOffset, sent.length)
  const numbers = new BigInt64Array(sent.length / 8)
  for (let i = 0; i < numbers.length; i++) numbers[i] = view.getBigInt64(8 * i)
  return numbers
}

export const countCharges = async (tx: Tx, agency: AgencyId, month: string): Promise<number> =>
  Number(
    (await tx.row<{ n: string }>(
      `select count(*) as n from money.period_trip p join money.charge c on c.trip = p.trip where p.agency = $1 and p.month = $2`,
      [agency, month],
    ))!.n,
  )
