import area from '@turf/area'
import bbox from '@turf/bbox'
import booleanClockwise from '@turf/boolean-clockwise'
import booleanPointInPolygon from '@turf/boolean-point-in-polygon'
import { polygon } from '@turf/helpers'
import Flatbush from 'flatbush'
import { type PolicyDocument, type PolicyRule, type ZoneGeometry } from '#contracts'
import { KILOMETRE_MM, MILE_MM, type Fault } from '#kernel'
import { isEvent, rateOfRule } from './rules'

/** More than any boundary that somebody drew: a country's coast from OpenStreetMap has as many. */
export const ZONE_VERTICES_MAX = 100_000
/** Smaller than any car park: a slip of the pen. */
const ZONE_M2_MIN = 10
/** Legal time strays from the sun's by less than this nearly everywhere (Spain 24 degrees; western China 45). */
const MERIDIAN_DEGREES_MAX = 25

/**
 * The zones of a policy as a network is cut by them. Inside is said to be cheaper where every rule of distance that names the
 * zone charges less than the rule that matches everything.
 */
export function cuttingZones({ zones, rules }: Pick<PolicyDocument, 'zones' | 'rules'>) {
  const perKm = (rule: PolicyRule) => {
    const rate = rateOfRule(rule, rules)
    return rate ? Number(rate.micros) / (rate.per === 'mile' ? MILE_MM / KILOMETRE_MM : 1) : 0
  }
  const distances = rules.filter((rule) => !isEvent(rule, rules))
  const usual = perKm(distances[distances.length - 1])
  return Object.entries(zones).map(([id, { geometry, roads, segments }]) => {
    const own = distances.filter(({ match }) => match.zones?.includes(id))
    return { id, geometry, roads, segments, cheaper: own.length > 0 && own.every((rule) => perKm(rule) < usual) }
  })
}

type Ring = number[][]

/** A shape in place of one that is too large to be read. */
export const PLACEHOLDER = { type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] } // prettier-ignore

/** Zones of a document, whatever else it is, that have more vertices than anybody will look at: found before they are read. */
export function largeZones(document: unknown): Map<string, Fault> {
  const zones = (document as { zones?: unknown } | null)?.zones
  const large = new Map<string, Fault>()
  for (const [id, zone] of Object.entries(typeof zones === 'object' && zones !== null ? zones : {})) {
    const coordinates = (zone as { geometry?: { coordinates?: unknown } } | null)?.geometry?.coordinates
    const vertices = positionsIn(coordinates, 3)
    if (vertices > ZONE_VERTICES_MAX)
      large.set(id, {
        path: `zones.${id}.geometry.coordinates`,
        expected: `expected at most ${ZONE_VERTICES_MAX} vertices (simplify zone ${id})`,
        found: `${vertices} vertices`,
      })
  }
  return large
}

/** Lists in lists of `depth` levels at most that hold no list themselves: positions, if this is GeoJSON. */
function positionsIn(value: unknown, depth: number): number {
  if (!Array.isArray(value)) return 0
  if (depth === 0 || !Array.isArray(value[0])) return 1
  if (depth === 1 || !Array.isArray((value[0] as unknown[])[0])) return value.length
  return value.reduce<number>((sum, member) => sum + positionsIn(member, depth - 1), 0)
}

/**
 * What is wrong with the shape of a zone: open or self-crossing rings, no area, holes outside, parts that overlap, across
 * the antimeridian, latitude before longitude. `meridian` is the longitude of the time zone's noon,
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
      const kink = ring.length < 4 ? null : crossingIn([ring])
      const spike = [...ring, ring[1]].findIndex((p, i, way) => i > 1 && doublesBack(way[i - 2], way[i - 1], p))
      if (kink)
        faults.push(fault(`${path}[${r}]`, `${what} not to cross or touch itself`, `a crossing at ${place(kink)}`))
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

  const meeting = vertices === polygons[0].rings[0].length ? null : crossingIn(polygons.flatMap((part) => part.rings))
  if (meeting)
    return [fault(root, `the rings of zone ${id} not to cross or touch each other`, `both at ${place(meeting)}`)]
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

/**
 * A place where edges of rings cross or touch, other than neighbours where they meet; null where there is none. turf's `kinks`
 * compares every pair of edges (0.5 s at 10,000 vertices); behind an index of their boxes 100,000 take a fraction of that.
 */
function crossingIn(rings: readonly Ring[]): readonly number[] | null {
  const size = rings.reduce((sum, ring) => sum + ring.length - 1, 0)
  const edges = new Float64Array(size * 4)
  const ringOf = new Uint32Array(size)
  const next = new Uint32Array(size)
  const index = new Flatbush(size)
  let e = 0
  rings.forEach((ring, r) => {
    const first = e
    for (let i = 1; i < ring.length; i++, e++) {
      const [a, b] = [ring[i - 1], ring[i]]
      edges.set([a[0], a[1], b[0], b[1]], e * 4)
      ringOf[e] = r
      next[e] = i === ring.length - 1 ? first : e + 1
      index.add(Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1]))
    }
  })
  index.finish()
  let found: readonly number[] | null = null
  for (let i = 0; i < size && !found; i++) {
    const [ax, ay, bx, by] = edges.subarray(i * 4, i * 4 + 4)
    index.search(Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by), (j) => {
      if (found || j <= i || next[i] === j || next[j] === i) return false
      const [cx, cy, dx, dy] = edges.subarray(j * 4, j * 4 + 4)
      const [c, d] = [side(ax, ay, bx, by, cx, cy), side(ax, ay, bx, by, dx, dy)]
      const [a, b] = [side(cx, cy, dx, dy, ax, ay), side(cx, cy, dx, dy, bx, by)]
      // Boxes meet, so edges on one line touch.
      if ((c > 0 && d > 0) || (c < 0 && d < 0) || (a > 0 && b > 0) || (a < 0 && b < 0)) return false
      const share = a === b ? 0 : a / (a - b)
      found = a === b ? [cx, cy] : [ax + share * (bx - ax), ay + share * (by - ay)]
      return false
    })
  }
  return found
}

/** On which side of the line from a to b a point lies: above zero on the left. */
const side = (ax: number, ay: number, bx: number, by: number, px: number, py: number): number =>
  (bx - ax) * (py - ay) - (by - ay) * (px - ax)

/**
 * A shape as RFC 7946 wants it, for maps and exchange: outer rings counterclockwise, holes clockwise, no position twice in a
 * row. The place that it describes is the same.
 */
export function repairedZone(geometry: ZoneGeometry): ZoneGeometry {
  const rings = (of: Ring[]) =>
    of.map((ring, r) => {
      const clean = ring.filter((p, i) => i === 0 || p[0] !== ring[i - 1][0] || p[1] !== ring[i - 1][1])
      const closed = clean[0][0] === clean.at(-1)![0] && clean[0][1] === clean.at(-1)![1] ? clean : [...clean, clean[0]]
      return booleanClockwise(closed) === r > 0 ? closed : closed.reverse()
    })
  const coordinates =
    geometry.type === 'Polygon' ? rings(geometry.coordinates) : geometry.coordinates.map((part) => rings(part))
  return { type: geometry.type, coordinates } as ZoneGeometry
}

const place = (p: readonly number[]): string => `[${p[0]}, ${p[1]}]`

const degreesApart = (a: number, b: number): number => Math.abs(((((a - b) % 360) + 540) % 360) - 180)

/** Whether the way a-b-c returns upon itself at b: two edges that overlap have no crossing point for turf to find. */
function doublesBack(a: readonly number[], b: readonly number[], c: readonly number[]): boolean {
  const [ux, uy, vx, vy] = [b[0] - a[0], b[1] - a[1], c[0] - b[0], c[1] - b[1]]
  return ux * vy === uy * vx && ux * vx + uy * vy < 0
}
