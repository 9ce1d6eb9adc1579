import type { RoadNetwork } from './network'
import { RouteSearch } from './search'

export interface RoutePoint {
  readonly segment: number
  readonly offsetMm: number
}
export interface RouteLimits {
  /** What is least: millimetres, or milliseconds at the signed (else assumed) speed. Default `length`. */
  readonly by?: 'length' | 'time'
  /** Longest route that is of use. Default 100 km. */
  readonly lengthMmMax?: number
  /** Penalty for turning back at a junction, in mm or ms. Default 0. */
  readonly uTurnCost?: number
  /** Segments looked at before giving up. Default 100,000. */
  readonly labelsMax?: number
}

/**
 * The shortest (or fastest) route between two points of the network: its segments, first and last included, or null where there is
 * none within the limits. One-ways and forbidden turns count. Allocates its arrays: for many searches keep a `RouteSearch`.
 */
export function shortestPath(
  network: RoadNetwork,
  from: RoutePoint,
  to: RoutePoint,
  limits: RouteLimits = {},
): number[] | null {
  if (from.segment === to.segment && from.offsetMm <= to.offsetMm) return [from.segment]
  const [lon, lat] = network.pointAt(to.segment, to.offsetMm)
  const bound = limits.labelsMax ?? 100_000
  // Most routes look at few segments: start with a small search and let it grow.
  for (let labelsMax = Math.min(bound, 2_000); ; labelsMax = Math.min(bound, labelsMax * 8)) {
    const search = new RouteSearch(network, { ...limits, labelsMax, endsMax: 1 })
    // A metre for what rounding to 1e-7 degrees and to whole millimetres may move.
    search.begin(lon, lat, limits.lengthMmMax ?? 100_000_000)
    search.addSource(from.segment, from.offsetMm, 0)
    search.addTarget(to.segment, to.offsetMm, 0, 1)
    search.run(0)
    if (search.labels >= labelsMax && labelsMax < bound) continue
    if (search.targetSource[0] < 0) return null
    const path: number[] = []
    search.pathInto(0, path)
    return path
  }
}
