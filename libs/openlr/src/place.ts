import { invariant } from '#kernel'
import { lengthM, type RoadNetwork } from '#road-network'

/** A piece of road: segments that follow each other, from a place on the first to one on the last. */
export interface RoadLine {
  readonly segments: readonly number[]
  /** On the first segment and on the last, along each in the direction of travel; on the way there is at least a millimetre. */
  readonly fromMm: number
  readonly toMm: number
}

/** Metres on the ground count as they are on the map: millimetres of the stored lengths. */
export function lineMm(network: RoadNetwork, { segments, fromMm, toMm }: RoadLine): number {
  const whole = segments.slice(0, -1).reduce((sum, segment) => sum + network.lengthMm(segment), 0)
  return whole - fromMm + toMm
}

/** What is left of a line without `startMm` at its start and `endMm` at its end; null where that is nothing. */
export function trimmed(network: RoadNetwork, line: RoadLine, startMm: number, endMm: number): RoadLine | null {
  if (startMm + endMm >= lineMm(network, line)) return null
  let first = 0
  let fromMm = line.fromMm + startMm
  while (first < line.segments.length - 1 && fromMm >= network.lengthMm(line.segments[first]))
    fromMm -= network.lengthMm(line.segments[first++])
  let last = line.segments.length - 1
  let toMm = line.toMm - endMm
  while (last > first && toMm <= 0) toMm += network.lengthMm(line.segments[--last])
  return { segments: line.segments.slice(first, last + 1), fromMm, toMm }
}

/** Longitude, latitude pairs from end to end, degrees, that run on where the line crosses the antimeridian. */
export function lineShape(network: RoadNetwork, { segments, fromMm, toMm }: RoadLine): Float64Array {
  const shape: number[] = []
  const put = ([lon, lat]: readonly [number, number]) => {
    const turn = shape.length > 0 ? 360 * Math.round((shape[shape.length - 2] - lon) / 360) : 0
    if (shape[shape.length - 2] !== lon + turn || shape[shape.length - 1] !== lat) shape.push(lon + turn, lat)
  }
  segments.forEach((segment, i) => {
    const own = network.shape(segment)
    const fromHere = i === 0 ? fromMm : 0
    const toHere = i === segments.length - 1 ? toMm : network.lengthMm(segment)
    put(network.pointAt(segment, fromHere))
    let mm = 0
    for (let p = 1; p < own.length / 2 - 1; p++) {
      mm += 1000 * lengthM(own[2 * p - 2], own[2 * p - 1], own[2 * p], own[2 * p + 1])
      if (mm > fromHere && mm < toHere) put([own[2 * p], own[2 * p + 1]])
    }
    put(network.pointAt(segment, toHere))
  })
  return Float64Array.from(shape)
}

/** Whether a line is one that can be driven on this network, forbidden turns aside; a bug of the caller where it isn't. */
export function assertLine(network: RoadNetwork, line: RoadLine): void {
  const { segments, fromMm, toMm } = line
  invariant(segments.length > 0, 'a line has a segment')
  segments.forEach((segment, i) => {
    invariant(Number.isInteger(segment) && segment >= 0 && segment < network.segmentCount, `no segment ${segment}`)
    invariant(i === 0 || network.to(segments[i - 1]) === network.from(segment), `segments ${i - 1} and ${i} don't meet`)
  })
  const isWithin = fromMm >= 0 && fromMm < network.lengthMm(segments[0]) && toMm > 0
  invariant(isWithin && toMm <= network.lengthMm(segments[segments.length - 1]), 'a line ends on its segments')
  invariant(lineMm(network, line) > 0, 'a line runs in the direction of travel')
}
