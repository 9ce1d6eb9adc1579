import { InputError } from '#kernel'
import { linesOf } from './files'

/** Where columns stand in a CSV file with a header line. */
export interface Table {
  readonly path: string
  /** Index of each wanted column, -1 where an optional one is missing. */
  readonly at: Readonly<Record<string, number>>
}

/** Calls `row` with the cells of each line (no quoting: the formats read here are numbers and plain ids). */
export async function eachRow(
  path: string,
  columns: { required: readonly string[]; optional?: readonly string[] },
  row: (cells: readonly string[], line: number, table: Table) => void,
): Promise<void> {
  let table: Table | null = null
  for await (const [line, text] of linesOf(path)) {
    const cells = text.split(',')
    if (table) {
      row(cells, line, table)
      continue
    }
    const header = cells.map((cell) => cell.replace(/^\uFEFF/, '').trim())
    const missing = columns.required.find((name) => !header.includes(name))
    if (missing !== undefined)
      throw new InputError(
        'BROKEN_ROW',
        `${path}: line ${line}: expected a header with ${columns.required.join(',')}, found no ${missing}`,
      )
    const at = Object.fromEntries(
      [...columns.required, ...(columns.optional ?? [])].map((name) => [name, header.indexOf(name)]),
    )
    table = { path, at }
  }
  if (!table)
    throw new InputError('BROKEN_ROW', `${path}: expected a header with ${columns.required.join(',')}, found nothing`)
}

/** The number in a column; InputError BROKEN_ROW names file, line and column where there is none. */
export function numberIn(cells: readonly string[], name: string, line: number, table: Table): number {
  const text = cells[table.at[name]]
  const value = Number(text)
  if (text === undefined || text.trim() === '' || !Number.isFinite(value))
    throw new InputError(
      'BROKEN_ROW',
      `${table.path}: line ${line}: expected a number for ${name}, found ${text === undefined ? 'the end of the line' : JSON.stringify(text)}`,
    )
  return value
}

/** A column of numbers that grows. */
export class Column {
  length = 0
  private values = new Float64Array(1024)
  push(value: number): void {
    if (this.length === this.values.length) {
      const grown = new Float64Array(this.length * 2)
      grown.set(this.values)
      this.values = grown
    }
    this.values[this.length++] = value
  }
  get(i: number): number {
    return this.values[i]
  }
  done(): Float64Array {
    return this.values.slice(0, this.length)
  }
}
