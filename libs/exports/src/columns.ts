import { type Geometry } from './wkb'

/** One column of a table, as the data dictionary has it. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'geometry'
  readonly about: string
  readonly unit?: string
  readonly nullable?: boolean
}

/** Some rows: the values of each column, in the order of the columns. Integers are bigint. */
export type Batch = readonly (BigInt64Array | Float64Array | readonly (string | bigint | number | Geometry | null)[])[]

export const FORMATS = ['csv', 'parquet', 'geoparquet'] as const
export type Format = (typeof FORMATS)[number]
export const extensionOf = (format: Format): string => (format === 'csv' ? 'csv' : 'parquet')

/** Takes bytes as they come; what it returns is waited for, so that nothing piles up. */
export type Sink = (bytes: Uint8Array) => void | Promise<void>

/** One format being written: a batch at a time, then its end. */
export interface TableWriter {
  batch(batch: Batch): Promise<void>
  end(): Promise<void>
}
