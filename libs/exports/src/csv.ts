import { stringify } from 'csv-stringify/sync'
import { type Batch, type Column, type Sink, type TableWriter } from './columns'

/** What Excel, LibreOffice and Google Sheets run as a formula, in full width as well (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]/

/** RFC 4180 with a header: CRLF, quotes where needed, an apostrophe before what looks like a formula. */
export function csvWriter(columns: readonly Column[], sink: Sink): TableWriter {
  const encoder = new TextEncoder()
  // A lone carriage return is the end of a row to some readers: what follows it would then begin a cell, perhaps as a formula.
  const form = { record_delimiter: '\r\n', quoted_match: /[\r\n]/ }
  const write = async (rows: unknown[][]) => sink(encoder.encode(stringify(rows, form)))
  let begun = false
  const header = async () => {
    if (!begun) await write([columns.map(({ name }) => name)])
    begun = true
  }
  return {
    async batch(batch: Batch) {
      await header()
      const count = batch[0].length
      const rows: unknown[][] = new Array(count)
      for (let i = 0; i < count; i++) rows[i] = columns.map(({ type }, column) => cellOf(type, batch[column][i]))
      await write(rows)
    },
    end: header,
  }
}

function cellOf(type: Column['type'], value: unknown): string {
  if (value === null) return ''
  const text = String(value)
  return type === 'string' && FORMULA.test(text) ? `'${text}` : text
}
