import Flatbush from 'flatbush'
import { invariant } from '#kernel'

/** GeoJSON (RFC 7946) Polygon or MultiPolygon: longitude before latitude, rings closed, none crossing another. */
export type ZoneGeometry =
  | { readonly type: 'Polygon'; readonly coordinates: readonly Ring[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly Ring[])[] }
type Ring = readonly (readonly number[])[]

/** A named part of the network: drawn, or listed by the names of roads and references of segments. */
export interface Zone {
  readonly id: string
  readonly geometry?: ZoneGeometry
  readonly roads?: readonly string[]
  readonly segments?: readonly string[]
  /** Whether inside is cheaper than outside: then a road along its boundary is inside. */
  readonly cheaper?: boolean
}

/** The boundaries of all zones as flat columns of directed edges, degrees, behind a packed index of their boxes. */
export interface ZoneEdges {
  /** Sorted; a zone's number is its place here. */
  readonly zoneIds: readonly string[]
  /** Of which zones inside is cheaper. */
  readonly cheaper: readonly boolean[]
  readonly ax: Float64Array
  readonly ay: Float64Array
  readonly bx: Float64Array
  readonly by: Float64Array
  /** Zone of each edge. */
  readonly zone: Uint32Array
  /** Calls `visit` with each edge whose box touches the given one, in no order. */
  near(west: number, south: number, east: number, north: number, visit: (edge: number) => void): void
  /**
   * Writes the numbers of the zones that hold a point to `into`, ascending, and returns how many. By even-odd count of the
   * edges that a ray to the east crosses; an edge includes its lower end and not its upper one, so a vertex counts once.
   */
  zonesAt(lon: number, lat: number, into: Uint32Array): number
}

export function zoneEdges(zones: readonly Zone[]): ZoneEdges {
  const sorted = [...zones].sort((a, b) => (a.id < b.id ? -1 : 1))
  sorted.forEach((zone, i) => invariant(i === 0 || sorted[i - 1].id !== zone.id, `two zones have the id ${zone.id}`))
  const ringsOf = ({ geometry }: Zone): readonly Ring[] =>
    !geometry ? [] : geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates.flat()

  const size = sorted.flatMap(ringsOf).reduce((sum, ring) => sum + ring.length - 1, 0)
  const [ax, ay, bx, by] = Array.from({ length: 4 }, () => new Float64Array(size))
  const zone = new Uint32Array(size)
  const index = size > 0 ? new Flatbush(size) : null
  let east = -Infinity
  let edge = 0
  sorted.forEach((z, number) => {
    for (const ring of ringsOf(z))
      for (let i = 1; i < ring.length; i++, edge++) {
        ax[edge] = ring[i - 1][0]
        ay[edge] = ring[i - 1][1]
        bx[edge] = ring[i][0]
        by[edge] = ring[i][1]
        zone[edge] = number
        east = Math.max(east, bx[edge])
        index?.add(
          Math.min(ax[edge], bx[edge]),
          Math.min(ay[edge], by[edge]),
          Math.max(ax[edge], bx[edge]),
          Math.max(ay[edge], by[edge]),
        )
      }
  })
  index?.finish()

  // Parts of a zone don't overlap and holes lie inside, so one parity per zone tells inside from outside.
  const odd = new Uint8Array(sorted.length)
  let rayLon = 0
  let rayLat = 0
  function cross(e: number): boolean {
    const up = by[e] > rayLat
    if (ay[e] > rayLat !== up) {
      // Which side of the edge the point is on; the sign turns with the direction of the edge.
      const side = (bx[e] - ax[e]) * (rayLat - ay[e]) - (by[e] - ay[e]) * (rayLon - ax[e])
      if (side > 0 === up && side !== 0) odd[zone[e]] ^= 1
    }
    return false
  }

  return {
    zoneIds: sorted.map(({ id }) => id),
    cheaper: sorted.map(({ cheaper = false }) => cheaper),
    ax,
    ay,
    bx,
    by,
    zone,
    near(w, s, e, n, visit) {
      index?.search(w, s, e, n, (item) => {
        visit(item)
        return false
      })
    },
    zonesAt(lon, lat, into) {
      if (!index || lon > east) return 0
      rayLon = lon
      rayLat = lat
      odd.fill(0)
      index.search(lon, lat, east, lat, cross)
      let count = 0
      for (let number = 0; number < odd.length; number++) if (odd[number]) into[count++] = number
      return count
    },
  }
}
