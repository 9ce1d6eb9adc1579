import { invariant } from '#kernel'

/** As GeoJSON has it: longitude and latitude, WGS84. */
export type Geometry =
  | { readonly type: 'LineString'; readonly coordinates: readonly (readonly number[])[] }
  | { readonly type: 'Polygon'; readonly coordinates: readonly (readonly (readonly number[])[])[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly (readonly (readonly number[])[])[])[] }

const LITTLE_ENDIAN = 1
const TYPE = { LineString: 2, Polygon: 3, MultiPolygon: 6 }

/** Well-known binary (ISO 19125), little endian, two dimensions. */
export function wkb(geometry: Geometry): Uint8Array {
  const numbers: ['u8' | 'u32' | 'f64', number][] = []
  write(geometry, numbers)
  const view = new DataView(new ArrayBuffer(numbers.reduce((sum, [kind]) => sum + SIZE[kind], 0)))
  let at = 0
  for (const [kind, value] of numbers) {
    if (kind === 'u8') view.setUint8(at, value)
    else if (kind === 'u32') view.setUint32(at, value, true)
    else view.setFloat64(at, value, true)
    at += SIZE[kind]
  }
  return new Uint8Array(view.buffer)
}
const SIZE = { u8: 1, u32: 4, f64: 8 }

function write(geometry: Geometry, to: ['u8' | 'u32' | 'f64', number][]): void {
  to.push(['u8', LITTLE_ENDIAN], ['u32', TYPE[geometry.type]])
  const line = (points: readonly (readonly number[])[]) => {
    to.push(['u32', points.length])
    for (const [x, y] of points) {
      invariant(Number.isFinite(x) && Number.isFinite(y), 'a coordinate is a number')
      to.push(['f64', x], ['f64', y])
    }
  }
  switch (geometry.type) {
    case 'LineString':
      return line(geometry.coordinates)
    case 'Polygon':
      to.push(['u32', geometry.coordinates.length])
      return geometry.coordinates.forEach(line)
    case 'MultiPolygon':
      to.push(['u32', geometry.coordinates.length])
      for (const coordinates of geometry.coordinates) write({ type: 'Polygon', coordinates }, to)
  }
}
