import { Presets, SingleBar } from 'cli-progress'
import { inspect, parseArgs } from 'node:util'
import { InputError } from '#kernel'
import { asJson, asTable, type Bar, type Figure } from './figures'

export { median, type Bar } from './figures'

/** What a bench is told and where it says what it measures. */
export interface Bench {
  /** All chance of a bench comes from it (`--seed`). */
  readonly seed: string
  /** A run that only shows that everything works (`--quick`): choose small sizes, expect no useful figures. */
  readonly quick: boolean
  /** Whether any of these keys is to be shown: what none asks for need not be prepared. */
  wants(...keys: readonly string[]): boolean
  /** Whether `--name` was given. */
  has(name: string): boolean
  /** `run` measures once and returns the figure; it is called once in each round, and the median is reported. */
  measure(key: string, unit: string, run: () => number | Promise<number>, bar?: Bar): void
  /** Figure `of` divided by `to`, each round by itself, so that a busy machine harms neither side more. */
  ratio(key: string, of: string, to: string, bar?: Bar): void
  /** A figure that does not vary: counted, not timed, and only where it is wanted. */
  fact(key: string, unit: string, value: number | (() => number | Promise<number>), bar?: Bar): void
  /** What is to be closed or deleted after the last round, also where one failed. */
  atEnd(close: () => unknown): void
}

/**
 * Runs a bench as the command line says: `[--json] [--runs 5] [--seed 1] [--quick] [--only KEY,...]` and flags of its own. `set`
 * prepares and names the measures; they are then run in turns, a round of all of them at a time and one round before
 * that counts for nothing, so that drift of the machine reaches all alike. Progress goes to standard error, the figures to
 * standard output: a table, or with `--json` one object. Never throws; exit status 2 for bad input, 1 for any other failure.
 */
export async function bench(name: string, about: string, set: (b: Bench) => void | Promise<void>): Promise<void> {
  try {
    await run(name, about, set)
  } catch (error) {
    process.exitCode = error instanceof InputError ? 2 : 1
    process.stderr.write(`bench:${name}: ${error instanceof InputError ? error.message : inspect(error)}\n`)
  }
}

/** What was named: one of `measure`, `ratio` and `fact`. */
interface Entry {
  readonly key: string
  readonly unit: string
  readonly bar?: Bar
  readonly measure?: () => number | Promise<number>
  readonly ratio?: readonly [string, string]
  readonly fact?: () => number | Promise<number>
}

async function run(name: string, about: string, set: (b: Bench) => void | Promise<void>): Promise<void> {
  const { values } = parseArgs({
    strict: false,
    options: { runs: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
  })
  const quick = values['quick'] === true
  const runs = Number(values['runs'] ?? (quick ? 1 : 5))
  if (!Number.isSafeInteger(runs) || runs < 1 || runs > 1000)
    throw new InputError('ARGUMENT', `--runs: expected a whole number from 1 to 1000, found ${String(values['runs'])}`)
  const seed = String(values['seed'] ?? 1)
  const wanted = values['only'] === undefined ? null : new Set(String(values['only']).split(','))
  const entries: Entry[] = []
  const closing: (() => unknown)[] = []
  const b: Bench = {
    seed,
    quick,
    wants: (...keys) => wanted === null || keys.some((key) => wanted.has(key)),
    has: (flag) => values[flag] === true,
    measure: (key, unit, run, bar) => void entries.push({ key, unit, bar, measure: run }),
    ratio: (key, of, to, bar) => void entries.push({ key, unit: 'times', bar, ratio: [of, to] }),
    fact: (key, unit, value, bar) =>
      void entries.push({ key, unit, bar, fact: typeof value === 'number' ? () => value : value }),
    atEnd: (close) => void closing.push(close),
  }
  const figures: Figure[] = []
  try {
    await set(b)
    const keys = new Set(entries.map(({ key }) => key))
    for (const key of wanted ?? [])
      if (!keys.has(key)) throw new InputError('ARGUMENT', `--only: no ${key}; there are ${[...keys].join(', ')}`)
    const shown = entries.filter(({ key }) => wanted === null || wanted.has(key))
    const needed = new Set(shown.flatMap(({ key, ratio }) => ratio ?? [key]))
    const found = await inTurns(
      entries.filter(({ key }) => needed.has(key)),
      runs,
      quick ? 0 : 1,
    )
    for (const { key, unit, bar, ratio, fact } of shown) {
      const of = ratio && found.get(ratio[0])!.map((value, round) => value / found.get(ratio[1])![round])
      figures.push({ key, unit, bar, values: of ?? (fact ? [await fact()] : found.get(key)!) })
    }
  } finally {
    for (const close of closing) await close()
  }
  const head = { bench: name, seed, runs }
  process.stdout.write(values['json'] === true ? asJson(head, figures) : asTable(head, about, figures))
}

async function inTurns(entries: readonly Entry[], runs: number, forNothing: number): Promise<Map<string, number[]>> {
  const measures = entries.filter(({ measure }) => measure)
  const found = new Map<string, number[]>(measures.map(({ key }) => [key, []]))
  const bar = new SingleBar(
    { format: '{bar} {percentage} %  {key}', clearOnComplete: true, hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  )
  bar.start(measures.length * (runs + forNothing), 0, { key: '' })
  try {
    for (let round = -forNothing; round < runs; round++)
      for (const { key, measure } of measures) {
        bar.update({ key })
        const value = await measure!()
        if (round >= 0) found.get(key)!.push(value)
        bar.increment()
      }
  } finally {
    bar.stop()
  }
  return found
}

/** How many of `count` things a second `work` does. */
export async function perSecond(count: number, work: () => unknown): Promise<number> {
  return (1000 * count) / (await elapsedMs(work))
}

/** How long `work` takes. */
export async function elapsedMs(work: () => unknown): Promise<number> {
  const begun = performance.now()
  const going = work()
  if (going instanceof Promise) await going
  return performance.now() - begun
}

/** The p-th (0 to 1) of many values, the nearest rank. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))]
}
