import { invariant } from '#kernel'

/** What one vehicle adds to one cell. */
export interface Contribution {
  /** A value for each dimension. */
  readonly key: readonly string[]
  /** A whole number for each measure, not below zero. */
  readonly sums: readonly bigint[]
}

/** A cell of a table: how many vehicles it stands for, and what they come to together. */
export interface Cell {
  readonly key: readonly string[]
  /** Distinct. */
  readonly vehicles: number
  readonly sums: readonly bigint[]
  /** Of each sum, what single vehicles have beyond the bound of its measure: noise hides them only up to that. */
  readonly over: readonly bigint[]
  /** Sum over the vehicles of the square of their first measure: what an interval of its mean needs. */
  readonly squares: number
  /** The two largest parts of single vehicles in the first measure. */
  readonly largest: bigint
  readonly second: bigint
}

interface Growing {
  key: readonly string[]
  vehicles: number
  sums: bigint[]
  over: bigint[]
  squares: number
  largest: bigint
  second: bigint
}

/**
 * Counts vehicles into cells. Each vehicle comes once, with all that it adds, so that distinct vehicles are counted without a list of
 * them being kept; tallies of different vehicles are put together by `mergeCells`.
 */
export class Tally {
  private readonly found = new Map<string, Growing>()

  /** `bounds`: for each measure, the most that noise is to hide of one vehicle in one cell. */
  constructor(private readonly bounds: readonly bigint[]) {}

  /** All that one vehicle adds; several contributions to a cell are added up first. */
  add(contributions: Iterable<Contribution>): void {
    const own = new Map<string, { key: readonly string[]; sums: bigint[] }>()
    for (const { key, sums } of contributions) {
      const name = nameOf(key)
      const before = own.get(name)
      if (before) for (let i = 0; i < sums.length; i++) before.sums[i] += sums[i]
      else own.set(name, { key, sums: [...sums] })
    }
    for (const [name, { key, sums }] of own) this.addCell(name, key, sums)
  }

  cells(): Cell[] {
    return [...this.found.values()]
  }

  private addCell(name: string, key: readonly string[], sums: readonly bigint[]): void {
    const part = sums[0]
    let cell = this.found.get(name)
    if (!cell) {
      const none = () => this.bounds.map(() => 0n)
      this.found.set(
        name,
        (cell = { key, vehicles: 0, sums: none(), over: none(), squares: 0, largest: 0n, second: 0n }),
      )
    }
    cell.vehicles++
    for (let i = 0; i < this.bounds.length; i++) {
      invariant(sums[i] >= 0n, `a vehicle adds ${sums[i]} to a cell`)
      cell.sums[i] += sums[i]
      if (sums[i] > this.bounds[i]) cell.over[i] += sums[i] - this.bounds[i]
    }
    cell.squares += Number(part) ** 2
    if (part > cell.largest) [cell.largest, cell.second] = [part, cell.largest]
    else if (part > cell.second) cell.second = part
  }
}

/** Cells by key. A control character parts the values: no name of ours holds one. */
export const nameOf = (key: readonly string[]): string => key.join('\u001f')

/** One table from tables of different vehicles. */
export function mergeCells(parts: Iterable<readonly Cell[]>): Cell[] {
  const merged = new Map<string, Cell>()
  for (const part of parts)
    for (const cell of part) {
      const name = nameOf(cell.key)
      const before = merged.get(name)
      merged.set(name, before ? together(before, cell) : cell)
    }
  return [...merged.values()]
}

function together(a: Cell, b: Cell): Cell {
  const [largest, second] = [a.largest, a.second, b.largest, b.second].sort((x, y) => (x > y ? -1 : x < y ? 1 : 0))
  return {
    key: a.key,
    vehicles: a.vehicles + b.vehicles,
    sums: a.sums.map((sum, i) => sum + b.sums[i]),
    over: a.over.map((sum, i) => sum + b.over[i]),
    squares: a.squares + b.squares,
    largest,
    second,
  }
}
