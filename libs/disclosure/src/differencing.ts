import { nameOf } from './tally'

/** What a release says, for holding another one against it. */
export interface Released {
  /** Names of its dimensions. */
  readonly dimensions: readonly string[]
  readonly cells: readonly {
    readonly key: readonly string[]
    readonly vehicles: number
    readonly sums: readonly bigint[]
  }[]
}

/**
 * By how many two groups differ, `k` at most: who was in one alone, or in the other alone. Both are in the same order. Sums of both, subtracted,
 * tell what so many did.
 */
export function apart(one: readonly string[], other: readonly string[], k: number): number {
  let [i, j, count] = [0, 0, 0]
  while (count < k && (i < one.length || j < other.length)) {
    if (one[i] === other[j]) {
      i++
      j++
    } else {
      if (j >= other.length || (i < one.length && one[i] < other[j])) i++
      else j++
      count++
    }
  }
  return count
}

/**
 * Why a release can't be let out beside an earlier one of the same matter; null where it can. Whoever has both subtracts: where a cell
 * of theirs is not the same in both, what differs must stand for `k` vehicles or more. Releases are comparable where the dimensions of
 * one are among those of the other; a coarser cell is then held against the sum of the finer ones within it. The answer names
 * kinds of cells, never a cell: that one has changed is itself news of a few.
 */
export function differenceRefusal(earlier: Released, next: Released, k: number): string | null {
  const coarse = next.dimensions.length <= earlier.dimensions.length ? next : earlier
  const fine = coarse === next ? earlier : next
  const places = coarse.dimensions.map((name) => fine.dimensions.indexOf(name))
  if (places.some((place) => place < 0)) return null
  const sameTable = coarse.dimensions.length === fine.dimensions.length
  const within = new Map<string, { vehicles: number; sums: bigint[] }>()
  for (const { key, vehicles, sums } of fine.cells) {
    const name = nameOf(places.map((place) => key[place]))
    const sum = within.get(name)
    if (!sum) within.set(name, { vehicles, sums: [...sums] })
    else {
      sum.vehicles += vehicles
      for (let i = 0; i < sums.length; i++) sum.sums[i] += sums[i]
    }
  }
  let refused = 0
  for (const { key, vehicles, sums } of coarse.cells) {
    const other = within.get(nameOf(key))
    if (!other || sums.every((sum, i) => sum === other.sums[i])) continue
    // Finer cells may share vehicles, so their counts are an upper bound of how many the coarser cell has in common with them.
    const apart = sameTable ? Math.abs(vehicles - other.vehicles) : vehicles - other.vehicles
    if (apart < k) refused++
  }
  if (refused === 0) return null
  const kind = coarse.dimensions.join(' x ') || 'total'
  return `cells by ${kind} differ from an earlier release by what fewer than ${k} vehicles did (${refused} of ${coarse.cells.length} cells)`
}
