import type { CellSize } from './layout'

// A sparse grid over pieces of road: occupied cells in an open-addressed hash, the pieces that cross each in one list (CSR).
// A dense grid would cost 4 bytes for every hectare of empty land.

/** Slot of cell (x, y) in a table of `mask + 1` slots before probing. */
export const slotOf = (x: number, y: number, mask: number): number => {
  const h = Math.imul(x, 0x9e37_79b1) ^ Math.imul(y, 0x85eb_ca77)
  return (h ^ (h >>> 15)) & mask
}

export interface Grid {
  readonly cellX: Int32Array
  readonly cellY: Int32Array
  readonly cellFirst: Uint32Array
  readonly cellPiece: Uint32Array
}

/** Visits the cells that the piece between two points crosses, row by row. */
function forEachCell(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  cell: CellSize,
  visit: (x: number, y: number) => void,
): void {
  const row1 = Math.floor(Math.min(y1, y2) / cell.y)
  const row2 = Math.floor(Math.max(y1, y2) / cell.y)
  const slope = y1 === y2 ? 0 : (x2 - x1) / (y2 - y1)
  for (let row = row1; row <= row2; row++) {
    let a = x1
    let b = x2
    if (row1 !== row2) {
      const bottom = Math.max(Math.min(y1, y2), row * cell.y)
      const top = Math.min(Math.max(y1, y2), (row + 1) * cell.y)
      a = x1 + (bottom - y1) * slope
      b = x1 + (top - y1) * slope
    }
    const end = Math.floor(Math.max(a, b) / cell.x)
    for (let column = Math.floor(Math.min(a, b) / cell.x); column <= end; column++) visit(column, row)
  }
}

/** Indexes every piece (point i to i + 1 of the same road). */
export function buildGrid(x: Int32Array, y: Int32Array, road: Uint32Array, cell: CellSize): Grid {
  let mask = 1023
  let cellX = new Int32Array(mask + 1)
  let cellY = new Int32Array(mask + 1)
  let count = new Uint32Array(mask + 1)
  let used = 0
  const find = (cx: number, cy: number): number => {
    let slot = slotOf(cx, cy, mask)
    while (count[slot] > 0 && (cellX[slot] !== cx || cellY[slot] !== cy)) slot = (slot + 1) & mask
    return slot
  }
  const grow = () => {
    const old = { cellX, cellY, count }
    mask = mask * 2 + 1
    cellX = new Int32Array(mask + 1)
    cellY = new Int32Array(mask + 1)
    count = new Uint32Array(mask + 1)
    for (let i = 0; i < old.count.length; i++)
      if (old.count[i] > 0) {
        const slot = find(old.cellX[i], old.cellY[i])
        cellX[slot] = old.cellX[i]
        cellY[slot] = old.cellY[i]
        count[slot] = old.count[i]
      }
  }
  const eachPiece = (visit: (piece: number, cx: number, cy: number) => void) => {
    for (let i = 0; i + 1 < x.length; i++)
      if (road[i] === road[i + 1])
        forEachCell(x[i], y[i], x[i + 1], y[i + 1], cell, (cx, cy) => {
          visit(i, cx, cy)
        })
  }
  let total = 0
  eachPiece((_, cx, cy) => {
    let slot = find(cx, cy)
    if (count[slot] === 0) {
      if (++used * 5 > mask * 4) {
        grow()
        slot = find(cx, cy)
      }
      cellX[slot] = cx
      cellY[slot] = cy
    }
    count[slot]++
    total++
  })
  const cellFirst = new Uint32Array(mask + 2)
  for (let i = 0; i <= mask; i++) cellFirst[i + 1] = cellFirst[i] + count[i]
  const next = cellFirst.slice()
  const cellPiece = new Uint32Array(total)
  eachPiece((piece, cx, cy) => {
    cellPiece[next[find(cx, cy)]++] = piece
  })
  return { cellX, cellY, cellFirst, cellPiece }
}
