/** A square of the web's map: zoom, column, row (XYZ, OGC Two Dimensional Tile Matrix Set, WebMercatorQuad). */
export interface Square {
  readonly z: number
  readonly x: number
  readonly y: number
}

/** Beyond it a map shows the squares of this zoom larger. */
export const ZOOM_MAX = 14

/** Whether there is such a square. */
export const isSquare = ({ z, x, y }: Square): boolean =>
  [z, x, y].every(Number.isSafeInteger) && z >= 0 && z <= ZOOM_MAX && x >= 0 && x < 2 ** z && y >= 0 && y < 2 ** z

/** The square of a lower zoom that a square lies in. */
export const within = ({ z, x, y }: Square, zoom: number): Square => ({
  z: zoom,
  x: x >> (z - zoom),
  y: y >> (z - zoom),
})

/** Degrees: west, south, east, north of a square, widened on every side by a share of its width. */
export function boundsOf({ z, x, y }: Square, margin: number): [number, number, number, number] {
  const size = 2 ** z
  const lon = (column: number) => (column / size) * 360 - 180
  const lat = (row: number) => (Math.atan(Math.sinh(Math.PI * (1 - (2 * row) / size))) * 180) / Math.PI
  return [lon(x - margin), lat(y + 1 + margin), lon(x + 1 + margin), lat(y - margin)]
}
