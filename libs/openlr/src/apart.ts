import { LocalScale, lonDifference, type RoadNetwork } from '#road-network'
import { lineMm, type RoadLine } from './place'

/** Places that are compared on each line, and how far apart they are where that is fewer. */
const PLACES_MAX = 200
const STEP_M = 5

/** How far two lines, perhaps on two networks, are apart: metres of the farthest place of either from the other (Hausdorff). */
export function apartM(a: RoadNetwork, line: RoadLine, b: RoadNetwork, other: RoadLine): number {
  const scale = new LocalScale()
  const [lon0, lat0] = a.pointAt(line.segments[0], line.fromMm)
  scale.at(lat0)
  const placesOf = (network: RoadNetwork, line: RoadLine): Places => {
    const { segments, fromMm } = line
    const lengthMm = lineMm(network, line)
    const steps = Math.max(1, Math.min(PLACES_MAX, Math.ceil(lengthMm / 1000 / STEP_M)))
    const x = new Float64Array(steps + 1)
    const y = new Float64Array(steps + 1)
    let at = 0
    let startMm = -fromMm
    for (let i = 0; i <= steps; i++) {
      const mm = (i / steps) * lengthMm
      while (at < segments.length - 1 && mm > startMm + network.lengthMm(segments[at]))
        startMm += network.lengthMm(segments[at++])
      const [lon, lat] = network.pointAt(segments[at], mm - startMm)
      x[i] = lonDifference(lon, lon0) * scale.lonM
      y[i] = (lat - lat0) * scale.latM
    }
    return { x, y }
  }
  const [ours, theirs] = [placesOf(a, line), placesOf(b, other)]
  return Math.sqrt(Math.max(farthest(ours, theirs), farthest(theirs, ours)))
}

/** Columns: metres east and north of somewhere. */
interface Places {
  readonly x: Float64Array
  readonly y: Float64Array
}

/** Square of the distance of that place which is farthest from the line through the others. */
function farthest(from: Places, { x, y }: Places): number {
  let worst = 0
  for (let i = 0; i < from.x.length; i++) {
    let least = squareTo(x[0] - from.x[i], y[0] - from.y[i], 0, 0)
    for (let p = 1; p < x.length; p++) {
      const square = squareTo(x[p - 1] - from.x[i], y[p - 1] - from.y[i], x[p] - x[p - 1], y[p] - y[p - 1])
      if (square < least) least = square
    }
    if (least > worst) worst = least
  }
  return worst
}

/** From the origin to the piece that begins at (ax, ay) and goes on by (dx, dy). */
function squareTo(ax: number, ay: number, dx: number, dy: number): number {
  const length = dx * dx + dy * dy
  const share = length === 0 ? 0 : -(ax * dx + ay * dy) / length
  const t = share < 0 ? 0 : share > 1 ? 1 : share
  const x = ax + t * dx
  const y = ay + t * dy
  return x * x + y * y
}
