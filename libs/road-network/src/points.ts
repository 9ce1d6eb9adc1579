import { CHUNK, chunksOf, WIDE, type Sections } from './layout'

// Coordinates are 1e-7 degrees. Sixteen points in a row are mostly within some 700 m, because roads are stored along a space-filling
// curve: each is then two bytes a coordinate from an anchor they share. Nothing is rounded: where a chunk is too wide for that, these
// are the lower two bytes, and the upper ones are kept beside.

/** Longitude of a point. */
export function xOf(s: Sections, point: number): number {
  const anchor = s.chunkX[point >>> 4]
  const near = s.pointNear[point]
  return anchor === WIDE ? (s.pointUpper[upperAt(s, point)] << 16) | (near >>> 16) : anchor + (near >> 16)
}

/** Latitude of a point. */
export function yOf(s: Sections, point: number): number {
  const chunk = point >>> 4
  const near = s.pointNear[point]
  return s.chunkX[chunk] === WIDE
    ? (s.pointUpper[upperAt(s, point) + 1] << 16) | (near & 0xffff)
    : s.chunkY[chunk] + ((near << 16) >> 16)
}

const upperAt = (s: Sections, point: number): number => 2 * (s.chunkY[point >>> 4] * CHUNK + (point & (CHUNK - 1)))

/** Road that a point belongs to: from the chunk's first one on, a few steps. */
export function roadOfPoint(s: Sections, point: number): number {
  let road = s.chunkRoad[point >>> 4]
  while (s.roadFirstPoint[road + 1] <= point) road++
  return road
}

/** How many chunks don't fit two bytes. */
export function countWide(x: Int32Array, y: Int32Array): number {
  let wide = 0
  for (let chunk = 0; chunk < chunksOf(x.length); chunk++) if (!anchorOf(x, y, chunk)) wide++
  return wide
}

/** Writes the coordinates; roads' first points must be there. */
export function packPoints(s: Sections, x: Int32Array, y: Int32Array): void {
  let wide = 0
  let road = 0
  for (let chunk = 0; chunk < chunksOf(x.length); chunk++) {
    const first = chunk * CHUNK
    const end = Math.min(x.length, first + CHUNK)
    while (s.roadFirstPoint[road + 1] <= first) road++
    s.chunkRoad[chunk] = road
    const anchor = anchorOf(x, y, chunk)
    s.chunkX[chunk] = anchor ? anchor[0] : WIDE
    s.chunkY[chunk] = anchor ? anchor[1] : wide++
    for (let p = first; p < end; p++) {
      s.pointNear[p] = ((anchor ? x[p] - anchor[0] : x[p]) << 16) | ((anchor ? y[p] - anchor[1] : y[p]) & 0xffff)
      if (anchor) continue
      s.pointUpper[upperAt(s, p)] = x[p] >> 16
      s.pointUpper[upperAt(s, p) + 1] = y[p] >> 16
    }
  }
}

/** The middle of a chunk, null where its points are too far apart. */
function anchorOf(x: Int32Array, y: Int32Array, chunk: number): [number, number] | null {
  const first = chunk * CHUNK
  const end = Math.min(x.length, first + CHUNK)
  let [west, east, south, north] = [x[first], x[first], y[first], y[first]]
  for (let p = first + 1; p < end; p++) {
    west = Math.min(west, x[p])
    east = Math.max(east, x[p])
    south = Math.min(south, y[p])
    north = Math.max(north, y[p])
  }
  if (east - west > 0xffff || north - south > 0xffff) return null
  return [west + 0x8000, south + 0x8000]
}
