import type { CellSize } from './layout'
import { SAME_PLACE_MM } from './places'

// A sparse grid over pieces of road. The cells of a row stand by column, so that neighbours are found together; pieces of a road that
// follow each other in a cell are one run, as long as the road doesn't come back: so a run has one nearest place. A dense grid would cost 4 bytes for every hectare of empty land.

/** Most pieces of a run: its length is one byte. */
const RUN_MAX = 255
/** Size of a cell, about. */
export const CELL_M = 100
/** A stretch whose ends are nearer to each other than this share of its length may hold the legs of a hairpin. */
const CHORD_MIN = 0.8

export interface Grid {
  /** Rows and columns are counted from these. */
  readonly row0: number
  readonly column0: number
  readonly rowFirst: Uint32Array
  readonly cellColumn: Uint16Array
  readonly cellFirst: Uint32Array
  readonly runFirst: Uint32Array
  readonly runPieces: Uint8Array
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
export function buildGrid(
  { x, y, mm, roadFirstPoint }: Readonly<Record<'x' | 'y', Int32Array> & Record<'mm' | 'roadFirstPoint', Uint32Array>>,
  cell: CellSize,
): Grid {
  let [west, east, south, north] = [Infinity, -Infinity, Infinity, -Infinity]
  for (let p = 0; p < x.length; p++) {
    west = Math.min(west, x[p])
    east = Math.max(east, x[p])
    south = Math.min(south, y[p])
    north = Math.max(north, y[p])
  }
  const row0 = Math.floor(south / cell.y)
  const column0 = Math.floor(west / cell.x)
  const rows = Math.floor(north / cell.y) - row0 + 1
  const eachPiece = (visit: (row: number, column: number, piece: number) => void) => {
    for (let r = 0; r + 1 < roadFirstPoint.length; r++)
      for (let p = roadFirstPoint[r]; p + 1 < roadFirstPoint[r + 1]; p++)
        forEachCell(x[p], y[p], x[p + 1], y[p + 1], cell, (cx, cy) => {
          visit(cy - row0, cx - column0, p)
        })
  }
  // By row (counted), then by column and piece (sorted: 16 and at most 31 bits in a number of 53).
  const rowEntry = new Uint32Array(rows + 1)
  eachPiece((row) => rowEntry[row + 1]++)
  for (let row = 0; row < rows; row++) rowEntry[row + 1] += rowEntry[row]
  const entries = rowEntry[rows]
  const pieceSpan = x.length
  const keys = new Float64Array(entries)
  const next = rowEntry.slice()
  eachPiece((row, column, piece) => {
    keys[next[row]++] = column * pieceSpan + piece
  })
  const comesBack = (from: number, to: number): boolean => {
    const chordCells = Math.hypot((x[to] - x[from]) / cell.x, (y[to] - y[from]) / cell.y)
    const along = mm[to] - mm[from]
    return along >= SAME_PLACE_MM && chordCells * CELL_M * 1000 < along * CHORD_MIN
  }
  const isRoadStart = new Uint8Array(x.length)
  for (let r = 0; r + 1 < roadFirstPoint.length; r++) isRoadStart[roadFirstPoint[r]] = 1
  const rowFirst = new Uint32Array(rows + 1)
  const cellColumn = new Uint16Array(entries)
  const cellFirst = new Uint32Array(entries + 1)
  const runFirst = new Uint32Array(entries)
  const runPieces = new Uint8Array(entries)
  let cells = 0
  let runs = 0
  for (let row = 0; row < rows; row++) {
    rowFirst[row] = cells
    keys.subarray(rowEntry[row], rowEntry[row + 1]).sort()
    let lastColumn = -1
    let lastPiece = -1
    for (let i = rowEntry[row]; i < rowEntry[row + 1]; i++) {
      const column = Math.floor(keys[i] / pieceSpan)
      const piece = keys[i] - column * pieceSpan
      const isSameCell = column === lastColumn
      if (!isSameCell) {
        cellFirst[cells] = runs
        cellColumn[cells++] = column
      }
      const goesOn =
        isSameCell &&
        piece === lastPiece + 1 &&
        !isRoadStart[piece] &&
        runPieces[runs - 1] < RUN_MAX &&
        !comesBack(runFirst[runs - 1], piece + 1)
      if (goesOn) runPieces[runs - 1]++
      else {
        runFirst[runs] = piece
        runPieces[runs++] = 1
      }
      lastColumn = column
      lastPiece = piece
    }
  }
  rowFirst[rows] = cells
  cellFirst[cells] = runs
  return {
    row0,
    column0,
    rowFirst,
    cellColumn: cellColumn.subarray(0, cells),
    cellFirst: cellFirst.subarray(0, cells + 1),
    runFirst: runFirst.subarray(0, runs),
    runPieces: runPieces.subarray(0, runs),
  }
}
