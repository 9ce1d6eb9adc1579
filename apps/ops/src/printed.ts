import { Presets, SingleBar } from 'cli-progress'
import { formatMicros, InputError, KILOMETRE_MM, MILE_MM, type Micros } from '#kernel'

export const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** Rows under each other in columns as wide as their widest cell; columns named in `right` are flush right. */
export function columns(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), [])
  return rows
    .map((row) =>
      row
        .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** For reading, not for reckoning: miles or kilometres with `decimals`. */
export const distance = (mm: number, unit: 'mile' | 'km', decimals = 2): string =>
  (mm / (unit === 'mile' ? MILE_MM : KILOMETRE_MM)).toFixed(decimals)

export const money = (amount: Micros, currency: string): string => `${formatMicros(amount)} ${currency}`

export const percent = (share: number): string => `${share < 0 ? '' : '+'}${(100 * share).toFixed(2)} %`

export const grouped = (count: number): string => count.toLocaleString('en')

export const counted = (count: number, thing: string, things = `${thing}s`): string =>
  `${grouped(count)} ${count === 1 ? thing : things}`

export const unitSign = (unit: 'mile' | 'km'): string => (unit === 'mile' ? 'mi' : 'km')

/** For `catch`: a file or folder that cannot be written is whoever named it's to mend. */
export const unwritable =
  (path: string) =>
  (error: Error): never => {
    throw new InputError('OUT_FILE', `${path}: cannot be written: ${error.message}`)
  }

export interface Progress {
  to(done: number, all: number): void
  end(): void
}

/** A bar on standard error, where that is a terminal; elsewhere nothing. */
export function progress(doing: string): Progress {
  if (!process.stderr.isTTY) return { to: () => undefined, end: () => undefined }
  const bar = new SingleBar(
    { format: `${doing.padEnd(24)} {bar} {percentage} %  {value}/{total}`, clearOnComplete: true, hideCursor: true },
    Presets.shades_classic,
  )
  let begun = false
  return {
    to(done, all) {
      if (!begun) bar.start(all, done)
      else {
        bar.setTotal(all)
        bar.update(done)
      }
      begun = true
    },
    end: () => bar.stop(),
  }
}
