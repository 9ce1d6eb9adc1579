import { createHash } from 'node:crypto'
import { type Batch, type Column, type Format, type Sink } from './columns'
import { csvWriter } from './csv'
import { parquetWriter } from './parquet'

export interface Written {
  readonly rows: number
  readonly bytes: number
  /** SHA-256 of the file. */
  readonly sha256: string
}

/**
 * Writes a table. Only GeoParquet has the column of a geometry; the other formats leave it out. A batch is a row group of Parquet, so
 * some 50,000 rows are a good size. `progress` is told the rows written so far.
 */
export async function writeTable(
  columns: readonly Column[],
  batches: AsyncIterable<Batch> | Iterable<Batch>,
  format: Format,
  sink: Sink,
  progress: (rows: number) => void = () => undefined,
): Promise<Written> {
  const hash = createHash('sha256')
  let [rows, bytes] = [0, 0]
  const counted: Sink = (chunk) => {
    hash.update(chunk)
    bytes += chunk.length
    return sink(chunk)
  }
  const kept = columns.flatMap((column, i) => (format === 'geoparquet' || column.type !== 'geometry' ? [i] : []))
  const own = kept.map((i) => columns[i])
  const writer = format === 'csv' ? csvWriter(own, counted) : parquetWriter(own, counted)
  for await (const batch of batches) {
    if (batch[0].length === 0) continue
    await writer.batch(kept.map((i) => batch[i]))
    rows += batch[0].length
    progress(rows)
  }
  await writer.end()
  return { rows, bytes, sha256: hash.digest('hex') }
}
