/** Tiles of zoom 15: 0.86 km wide at 45 degrees. */
const ZOOM = 15
const TILES = 2 ** ZOOM
/** Web Mercator ends here: the map is a square. */
const LAT_MAX = 85.0511

/** The tile that a place lies in, as `15/x/y` (Web Mercator, y from the north). */
export function gridCell([lon, lat]: readonly [number, number]): string {
  const phi = (Math.max(-LAT_MAX, Math.min(LAT_MAX, lat)) * Math.PI) / 180
  const x = Math.floor(((lon + 180) / 360) * TILES)
  const y = Math.floor(((1 - Math.asinh(Math.tan(phi)) / Math.PI) / 2) * TILES)
  // A road may run on beyond the antimeridian.
  return `${ZOOM}/${((x % TILES) + TILES) % TILES}/${Math.max(0, Math.min(TILES - 1, y))}`
}

/** The square of a tile as a ring of [longitude, latitude], counter-clockwise; null for what is no tile. */
export function gridPolygon(cell: string): [number, number][] | null {
  const found = /^15\/(\d{1,5})\/(\d{1,5})$/.exec(cell)
  if (!found) return null
  const [west, north] = corner(Number(found[1]), Number(found[2]))
  const [east, south] = corner(Number(found[1]) + 1, Number(found[2]) + 1)
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
}

const corner = (x: number, y: number): [number, number] => [
  (x / TILES) * 360 - 180,
  (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / TILES))) * 180) / Math.PI,
]
