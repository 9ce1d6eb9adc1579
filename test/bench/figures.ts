/** What a figure is expected to reach: at least, or at most. */
export type Bar = readonly ['>=' | '<=' | '<' | '>', number]

export interface Figure {
  readonly key: string
  readonly unit: string
  readonly bar?: Bar
  /** One per round. */
  readonly values: readonly number[]
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const mid = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[mid] : (sorted[mid - 1] + sorted[mid]) / 2
}

const reached = (value: number, [sign, bar]: Bar): boolean =>
  sign === '>=' ? value >= bar : sign === '<=' ? value <= bar : sign === '<' ? value < bar : value > bar

/** Four significant digits, whole from 1000 on. */
const rounded = (value: number): number => (Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(4)))
const shown = (value: number): string => rounded(value).toLocaleString('en', { maximumFractionDigits: 6 })

/** One object: the head, then the median of each key. */
export const asJson = (head: Readonly<Record<string, unknown>>, figures: readonly Figure[]): string =>
  `${JSON.stringify({ ...head, ...Object.fromEntries(figures.map((f) => [f.key, rounded(median(f.values))])) })}\n`

/** A table for people: median, spread and bar of each key. */
export function asTable(
  head: { readonly bench: string; readonly seed: string; readonly runs: number },
  about: string,
  figures: readonly Figure[],
): string {
  const rows = figures.map(({ key, unit, bar, values }) => {
    const mid = median(values)
    const spread = values.length > 1 ? `${shown(Math.min(...values))} to ${shown(Math.max(...values))}` : ''
    const verdict = bar ? `${reached(mid, bar) ? 'reaches' : 'MISSES'} ${bar[0]} ${shown(bar[1])}` : ''
    return [key, shown(mid), unit, spread, verdict]
  })
  const table = [['', 'median', '', 'all rounds', ''], ...rows]
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 1 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd()
  const isTimed = figures.some(({ values }) => values.length > 1)
  const rounds = isTimed ? `median of ${head.runs} rounds` : 'measured once'
  return `${head.bench}: ${about} (${rounds}, seed ${head.seed})\n\n${table.map(line).join('\n')}\n`
}
