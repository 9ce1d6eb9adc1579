import { area, bbox, booleanPointInPolygon, kinks, multiPolygon, polygon } from '@turf/turf'
import { type ZoneGeometry } from '#contracts'
import { type Fault } from '#kernel'

/** turf's search for kinks compares every pair of edges: about a second at this size. */
export const ZONE_VERTICES_MAX = 10_000
/** Smaller than any car park: a slip of the pen. */
const ZONE_M2_MIN = 10
/** Legal time strays from the sun's by less than this nearly everywhere (Spain 24 degrees; western China 45). */
const MERIDIAN_DEGREES_MAX = 25

type Ring = number[][]

/**
 * What is wrong with the shape of a zone: open or self-crossing rings, no area, holes outside, parts that overlap, across
 * the antimeridian, too many vertices, latitude before longitude. `meridian` is the longitude of the time zone's noon,
 * null where that is unknown.
 */
export function zoneFaults(id: string, geometry: ZoneGeometry, meridian: number | null): Fault[] {
  const root = `zones.${id}.geometry.coordinates`
  // A position that is repeated at once is harmless, but turf takes it for a kink.
  const clean = (ring: Ring) => ring.filter((p, i) => i === 0 || p[0] !== ring[i - 1][0] || p[1] !== ring[i - 1][1])
  const polygons: { path: string; rings: Ring[] }[] =
    geometry.type === 'Polygon'
      ? [{ path: root, rings: geometry.coordinates.map(clean) }]
      : geometry.coordinates.map((rings, i) => ({ path: `${root}[${i}]`, rings: rings.map(clean) }))
  const fault = (path: string, expected: string, found: string): Fault => ({
    path,
    expected: `expected ${expected}`,
    found,
  })

  const vertices = polygons.flatMap((p) => p.rings).reduce((sum, ring) => sum + ring.length, 0)
  if (vertices > ZONE_VERTICES_MAX)
    return [fault(root, `at most ${ZONE_VERTICES_MAX} vertices (simplify zone ${id})`, `${vertices} vertices`)]

  const faults: Fault[] = []
  for (const { path, rings } of polygons)
    rings.forEach((ring, r) => {
      const at = `${path}[${r}]`
      const [first, last] = [ring[0], ring[ring.length - 1]]
      if (first[0] !== last[0] || first[1] !== last[1])
        faults.push(
          fault(
            at,
            `ring ${r} of zone ${id} to end where it starts`,
            `${place(first)} at the start, ${place(last)} at the end`,
          ),
        )
      const jump = ring.findIndex((p, i) => i > 0 && Math.abs(p[0] - ring[i - 1][0]) > 180)
      if (jump > 0)
        faults.push(
          fault(
            `${at}[${jump}]`,
            `zone ${id} not to cross the antimeridian (split it there into a MultiPolygon)`,
            `${place(ring[jump - 1])} to ${place(ring[jump])}`,
          ),
        )
    })
  if (faults.length > 0) return faults

  for (const { path, rings } of polygons)
    rings.forEach((ring, r) => {
      const what = `ring ${r} of zone ${id}`
      const m2 = ring.length < 4 ? 0 : area(polygon([ring]))
      const kink = ring.length < 4 ? undefined : kinks(polygon([ring])).features[0]
      const spike = [...ring, ring[1]].findIndex((p, i, way) => i > 1 && doublesBack(way[i - 2], way[i - 1], p))
      if (kink)
        faults.push(
          fault(
            `${path}[${r}]`,
            `${what} not to cross or touch itself`,
            `a crossing at ${place(kink.geometry.coordinates)}`,
          ),
        )
      else if (spike > 0)
        faults.push(
          fault(
            `${path}[${r}]`,
            `${what} not to double back`,
            `a spike at ${place(ring[(spike - 1) % (ring.length - 1)])}`,
          ),
        )
      else if (m2 < ZONE_M2_MIN)
        faults.push(fault(`${path}[${r}]`, `${what} to enclose at least ${ZONE_M2_MIN} m2`, `${m2.toFixed(1)} m2`))
    })
  if (faults.length > 0) return faults

  const [meeting] =
    vertices === polygons[0].rings[0].length ? [] : kinks(multiPolygon(polygons.map((p) => p.rings))).features
  if (meeting)
    return [
      fault(
        root,
        `the rings of zone ${id} not to cross or touch each other`,
        `both at ${place(meeting.geometry.coordinates)}`,
      ),
    ]
  // No two rings meet, so one point of a ring tells on which side of another all of it lies.
  polygons.forEach(({ path, rings }, i) => {
    const outer = polygon([rings[0]])
    rings.slice(1).forEach((hole, h) => {
      const loose = !booleanPointInPolygon(hole[0], outer)
      const nested = rings.findIndex(
        (other, o) => o > 0 && o !== h + 1 && booleanPointInPolygon(hole[0], polygon([other])),
      )
      if (loose || nested > 0)
        faults.push(
          fault(
            `${path}[${h + 1}]`,
            `hole ${h + 1} of zone ${id} to lie inside its outer ring and in no other hole`,
            `${place(hole[0])} ${loose ? 'outside' : `in hole ${nested}`}`,
          ),
        )
    })
    const within = polygons.findIndex((other, o) => o !== i && booleanPointInPolygon(rings[0][0], polygon(other.rings)))
    if (within >= 0)
      faults.push(fault(path, `part ${i} of zone ${id} not to lie in part ${within}`, place(rings[0][0])))
  })
  if (faults.length > 0) return faults

  const [west, south, east, north] = bbox({ type: 'Feature', properties: {}, geometry })
  if (meridian !== null) {
    const [lon, lat] = [(west + east) / 2, (south + north) / 2]
    if (
      degreesApart(lon, meridian) > MERIDIAN_DEGREES_MAX &&
      degreesApart(lat, meridian) < degreesApart(lon, meridian) / 2
    )
      faults.push(
        fault(
          root,
          `zone ${id} in longitude, latitude order and within its time zone`,
          `${place([lon, lat])}, which fits if read as latitude, longitude`,
        ),
      )
  }
  return faults
}

const place = (p: readonly number[]): string => `[${p[0]}, ${p[1]}]`

const degreesApart = (a: number, b: number): number => Math.abs(((((a - b) % 360) + 540) % 360) - 180)

/** Whether the way a-b-c returns upon itself at b: two edges that overlap have no crossing point for turf to find. */
function doublesBack(a: readonly number[], b: readonly number[], c: readonly number[]): boolean {
  const [ux, uy, vx, vy] = [b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]]
  return ux * vy === uy * vx && ux * vx + uy * vy < 0
}
