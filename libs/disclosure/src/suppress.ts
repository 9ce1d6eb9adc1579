import { invariant } from '#kernel'
import { nameOf, type Cell } from './tally'

/** No cell of a result stands for fewer vehicles than this. */
export const VEHICLES_MIN = 10

export interface Protection {
  /** The fewest vehicles that a cell may stand for. */
  readonly k: number
  /**
   * p % rule: a cell is withheld where its second largest vehicle could tell the largest's part to within this percentage of it.
   * 0: not asked.
   */
  readonly dominancePercent: number
  /**
   * Totals that can be known from elsewhere, each by the dimensions that it is told by: cells that agree in all of them are a line, and
   * what a line lacks is never of fewer than k vehicles. The total of all cells, by no dimension, is always among them.
   */
  readonly margins: readonly (readonly number[])[]
}

export interface Disclosed {
  /** In the order of their keys. */
  readonly published: readonly Cell[]
  /** How many cells are withheld, and why. */
  readonly suppressed: { readonly few: number; readonly dominated: number; readonly complementary: number }
  /** Of all cells, withheld ones as well; null where the difference to what is published would stand for a few. */
  readonly totals: readonly bigint[] | null
}

/**
 * Withholds what stands for a few. Each cell of fewer than `k` vehicles, or dominated by one, is suppressed; then in every line
 * that has lost a cell the smallest cells of `k` or more vehicles are suppressed as well, until it lacks two at least and one of those.
 * So the difference between the known total of a line and its published cells stands for `k` vehicles or more, and is of several
 * cells. A line that has nothing left to give is all withheld.
 */
export function disclose(cells: readonly Cell[], protection: Protection): Disclosed {
  const { k, dominancePercent, margins } = protection
  invariant(Number.isInteger(k) && k >= 2, `k is at least 2, found ${k}`)
  const sorted = [...cells].sort((a, b) => order(a.key, b.key))
  const few = new Set<Cell>()
  const dominated = new Set<Cell>()
  const complementary = new Set<Cell>()
  for (const cell of sorted)
    if (cell.vehicles < k) few.add(cell)
    else if (isDominated(cell, dominancePercent)) dominated.add(cell)
  const isWithheld = (cell: Cell) => few.has(cell) || dominated.has(cell) || complementary.has(cell)

  const lines = linesOf(sorted, margins)
  // Each round withholds at least one more cell, or is the last.
  for (let round = 0; round <= sorted.length; round++) {
    let changed = false
    for (const line of lines) {
      const withheld = line.filter(isWithheld)
      // A single one, even of many vehicles, is the line's total less the rest: and may be what hides another in a line across.
      const isHidden = withheld.length > 1 && withheld.some((cell) => complementary.has(cell))
      if (withheld.length === 0 || isHidden) continue
      const given = smallest(line.filter((cell) => !isWithheld(cell)))
      if (!given) continue
      complementary.add(given)
      changed = true
    }
    if (!changed) break
  }
  const published = sorted.filter((cell) => !isWithheld(cell))
  const hides = few.size + dominated.size === 0 || complementary.size > 0
  return {
    published,
    suppressed: { few: few.size, dominated: dominated.size, complementary: complementary.size },
    totals: hides ? addedUp(sorted) : null,
  }
}

/** The second largest knows its own part and the sum: what is left but for it and the largest must hide the largest. */
function isDominated({ sums, largest, second }: Cell, percent: number): boolean {
  if (percent === 0 || largest === 0n) return false
  return (sums[0] - largest - second) * 100n < largest * BigInt(percent)
}

/** Cells that share a total, for each margin; and all cells together. */
function linesOf(cells: readonly Cell[], margins: readonly (readonly number[])[]): Cell[][] {
  const lines: Cell[][] = [[...cells]]
  for (const margin of margins) {
    const byTotal = new Map<string, Cell[]>()
    for (const cell of cells) {
      const total = nameOf(margin.map((dimension) => cell.key[dimension]))
      const line = byTotal.get(total)
      if (line) line.push(cell)
      else byTotal.set(total, [cell])
    }
    lines.push(...byTotal.values())
  }
  return lines
}

function smallest(cells: readonly Cell[]): Cell | null {
  let found: Cell | null = null
  for (const cell of cells)
    if (!found || cell.vehicles < found.vehicles || (cell.vehicles === found.vehicles && cell.sums[0] < found.sums[0]))
      found = cell
  return found
}

function addedUp(cells: readonly Cell[]): bigint[] | null {
  if (cells.length === 0) return null
  const totals = cells[0].sums.map(() => 0n)
  for (const { sums } of cells) for (let i = 0; i < totals.length; i++) totals[i] += sums[i]
  return totals
}

function order(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] < b[i] ? -1 : 1
  return 0
}
