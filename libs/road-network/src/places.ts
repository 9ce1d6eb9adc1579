import type { CellSize, Sections } from './layout'
import { WIDE } from './layout'
import { roadOfPoint, xOf, yOf } from './points'

/** Two places of one road are kept apart where the road runs this far between them: the legs of a hairpin. */
export const SAME_PLACE_MM = 100_000

/**
 * Places found by `RoadNetwork.placesInto`: one per road and stretch of it, unordered, reused from call to call. Offsets are
 * millimetres (not rounded) from the road's first point; roads are internal numbers, see `RoadNetwork.forwardOf`.
 */
export class Places {
  count = 0
  readonly road: Uint32Array
  readonly roadMm: Float64Array
  readonly distanceM: Float64Array
  constructor(readonly capacity: number) {
    this.road = new Uint32Array(capacity)
    this.roadMm = new Float64Array(capacity)
    this.distanceM = new Float64Array(capacity)
  }

  /** Keeps a place unless a nearer one of the same stretch is there; the farthest gives way when full. */
  keep(road: number, roadMm: number, distanceM: number): void {
    let worst = 0
    for (let i = 0; i < this.count; i++) {
      if (this.road[i] === road && Math.abs(this.roadMm[i] - roadMm) < SAME_PLACE_MM) {
        if (distanceM < this.distanceM[i]) {
          this.roadMm[i] = roadMm
          this.distanceM[i] = distanceM
        }
        return
      }
      if (this.distanceM[i] > this.distanceM[worst]) worst = i
    }
    if (this.count < this.capacity) worst = this.count++
    else if (this.distanceM[worst] <= distanceM) return
    this.road[worst] = road
    this.roadMm[worst] = roadMm
    this.distanceM[worst] = distanceM
  }
}

/** A piece without length is a point; far below a millimetre squared. */
const POINT_M2 = 1e-9

/** First cell of the grid. */
export interface GridOrigin {
  readonly row0: number
  readonly column0: number
}

/**
 * Finds the places within `radiusM` of (fx, fy), in 1e-7 degrees of which each is kx, ky metres. Pieces of a run follow each other on
 * one road and are no hairpin together (see `buildGrid`), so that only the nearest of each run leaves the loop.
 */
export function scan(
  s: Sections,
  cell: CellSize,
  { row0, column0 }: GridOrigin,
  fx: number,
  fy: number,
  kx: number,
  ky: number,
  radiusM: number,
  into: Places,
): void {
  const { rowFirst, cellColumn, cellFirst, runFirst, runPieces, chunkX, chunkY, pointNear, pointMm } = s
  const reachX = radiusM / kx
  const reachY = radiusM / ky
  const radius2 = radiusM * radiusM
  const column1 = Math.max(0, Math.floor((fx - reachX) / cell.x) - column0)
  const column2 = Math.floor((fx + reachX) / cell.x) - column0
  const row1 = Math.max(0, Math.floor((fy - reachY) / cell.y) - row0)
  const row2 = Math.min(rowFirst.length - 2, Math.floor((fy + reachY) / cell.y) - row0)
  for (let row = row1; row <= row2; row++) {
    const rowEnd = rowFirst[row + 1]
    let first = rowFirst[row]
    for (let high = rowEnd; first < high;) {
      const mid = (first + high) >>> 1
      if (cellColumn[mid] < column1) first = mid + 1
      else high = mid
    }
    let end = first
    while (end < rowEnd && cellColumn[end] <= column2) end++
    const runEnd = cellFirst[end]
    for (let run = cellFirst[first]; run < runEnd; run++) {
      const start = runFirst[run]
      const last = start + runPieces[run]
      let nearest2 = radius2
      let nearestP = -1
      let nearestT = 0
      let bx = 0
      let by = 0
      for (let p = start; p <= last;) {
        const chunk = p >>> 4
        const isWide = chunkX[chunk] === WIDE
        const offX = chunkX[chunk] - fx
        const offY = chunkY[chunk] - fy
        const chunkEnd = Math.min(last, (chunk << 4) + 15)
        for (; p <= chunkEnd; p++) {
          let x = bx * kx
          let y = by * ky
          const xy = pointNear[p]
          bx = isWide ? xOf(s, p) - fx : offX + (xy >> 16)
          by = isWide ? yOf(s, p) - fy : offY + ((xy << 16) >> 16)
          if (p === start) continue
          const dx = bx * kx - x
          const dy = by * ky - y
          // Clamped to [0, 1] without a branch: which end of a piece is nearer nobody can foretell, least of all the processor.
          const share = -(x * dx + y * dy) / (dx * dx + dy * dy + POINT_M2)
          const t = 0.5 + 0.5 * (Math.abs(share) - Math.abs(share - 1))
          x += t * dx
          y += t * dy
          const distance2 = x * x + y * y
          if (distance2 > nearest2) continue
          nearest2 = distance2
          nearestP = p
          nearestT = t
        }
      }
      if (nearestP < 0) continue
      const fromMm = pointMm[nearestP - 1]
      const mm = fromMm + nearestT * (pointMm[nearestP] - fromMm)
      into.keep(roadOfPoint(s, start), mm, Math.sqrt(nearest2))
    }
  }
}
