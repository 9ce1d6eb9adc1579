/** A stretch of one directed segment, [fromMm, toMm). */
export interface Piece {
  readonly segment: number
  readonly fromMm: number
  readonly toMm: number
}

/** How a matched route compares with the one that was driven, in millimetres; both are sums of pieces in driving order. */
export interface Comparison {
  readonly trueMm: number
  readonly foundMm: number
  /** Of the heaviest common subsequence: what was driven and found, in this order. */
  readonly commonMm: number
}

/** Route mismatch of Newson & Krumm 2009: (d- + d+) / d0, driven but not found plus found but not driven. */
export const mismatchOf = ({ trueMm, foundMm, commonMm }: Comparison): number =>
  (trueMm - commonMm + foundMm - commonMm) / trueMm

/** Compares to the millimetre: pieces of both are cut where either begins or ends, so that each is whole in both or in one. */
export function compareRoutes(truth: readonly Piece[], found: readonly Piece[]): Comparison {
  const cuts = new Map<number, Set<number>>()
  for (const { segment, fromMm, toMm } of [...truth, ...found]) {
    if (!cuts.has(segment)) cuts.set(segment, new Set())
    cuts.get(segment)!.add(fromMm).add(toMm)
  }
  const sorted = new Map([...cuts].map(([segment, at]) => [segment, [...at].sort((a, b) => a - b)]))
  const cut = (pieces: readonly Piece[]): Piece[] =>
    pieces.flatMap(({ segment, fromMm, toMm }) => {
      const at = sorted.get(segment)!.filter((mm) => mm >= fromMm && mm <= toMm)
      return at.slice(1).map((to, i) => ({ segment, fromMm: at[i], toMm: to }))
    })
  const [a, b] = [cut(truth), cut(found)]
  const total = (pieces: readonly Piece[]) => pieces.reduce((sum, p) => sum + p.toMm - p.fromMm, 0)
  return { trueMm: total(a), foundMm: total(b), commonMm: commonMm(a, b) }
}

const isSame = (p: Piece, q: Piece): boolean => p.segment === q.segment && p.fromMm === q.fromMm

/** Weight of the heaviest common subsequence (Hirschberg 1975's recurrence; equal ends are taken off first). */
function commonMm(a: readonly Piece[], b: readonly Piece[]): number {
  let start = 0
  let [endA, endB] = [a.length, b.length]
  let total = 0
  const weight = (p: Piece) => p.toMm - p.fromMm
  while (start < endA && start < endB && isSame(a[start], b[start])) total += weight(a[start++])
  while (endA > start && endB > start && isSame(a[endA - 1], b[endB - 1])) {
    total += weight(a[--endA])
    endB--
  }
  let before = new Float64Array(endB - start + 1)
  let row = new Float64Array(endB - start + 1)
  for (let i = start; i < endA; i++) {
    for (let j = 1; j <= endB - start; j++) {
      row[j] = Math.max(before[j], row[j - 1])
      if (isSame(a[i], b[start + j - 1])) row[j] = Math.max(row[j], before[j - 1] + weight(a[i]))
    }
    ;[before, row] = [row, before]
  }
  return total + before[endB - start]
}
