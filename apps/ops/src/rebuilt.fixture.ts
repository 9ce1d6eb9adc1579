import type { Chance } from '#kernel'
import {
  buildNetwork,
  metresPerDegreeLat,
  metresPerDegreeLon,
  type OsmNode,
  type OsmWay,
  type RoadNetwork,
  type Tags,
} from '#road-network'
import type { RoadLine } from '#openlr'

/**
 * The same roads on another map: all ids anew, each point moved by up to `moveM` metres, near ones alike but for a tenth of it, and now and then a driveway that meets a road where
 * nothing met it before, so that the road is cut there.
 */
export function rebuilt(network: RoadNetwork, dice: Chance, moveM: number): RoadNetwork {
  const nodes: OsmNode[] = []
  const ways: OsmWay[] = []
  const phase = 2 * Math.PI * dice.next()
  const node = (lon: number, lat: number) => {
    const [x, y] = [lon * metresPerDegreeLon(lat), lat * metresPerDegreeLat(lat)]
    const shift = (wave: number) => 0.6 * moveM * Math.sin(wave + phase) + 0.1 * moveM * (2 * dice.next() - 1)
    const id = 9_000_001 + nodes.length
    const moved = {
      lon: (x + shift(y / 60)) / metresPerDegreeLon(lat),
      lat: (y + shift(x / 60)) / metresPerDegreeLat(lat),
    }
    nodes.push({ id, ...moved })
    return id
  }
  const way = (nodeIds: number[], tags: OsmWay['tags']) => ways.push({ id: 5_000_001 + ways.length, nodeIds, tags })
  const junctions = Array.from({ length: network.junctionCount }, () => 0)
  for (let s = 0; s < network.segmentCount; s++) {
    const back = network.reverse(s)
    if (back >= 0 && back < s) continue
    const shape = network.shape(s)
    const ids: number[] = []
    for (let p = 0; p < shape.length / 2; p++) {
      const end = p === 0 ? network.from(s) : p === shape.length / 2 - 1 ? network.to(s) : -1
      const id = (end >= 0 && junctions[end]) || node(shape[2 * p], shape[2 * p + 1])
      if (end >= 0) junctions[end] = id
      ids.push(id)
      if (end >= 0 || dice.next() > 0.15) continue
      const foot = nodes[nodes.length - 1]
      way([id, node(foot.lon + 15 / metresPerDegreeLon(foot.lat), foot.lat)], { highway: 'service' })
    }
    const isLink = network.attributes(s).isLink
    const highway = `${network.roadClass(s)}${isLink ? '_link' : ''}`
    const road: Tags = network.roadClass(s) === 'ferry' ? { route: 'ferry', motor_vehicle: 'yes' } : { highway }
    way(ids, { ...road, oneway: back < 0 ? 'yes' : 'no' })
  }
  return buildNetwork({ nodes, ways, restrictions: [], attribution: '' })
}

/** A drive without turning back, from a place on one segment to one on another, or on the same. */
export function randomLine(network: RoadNetwork, dice: Chance, segmentsMax: number): RoadLine {
  const segments = [dice.below(network.segmentCount)]
  for (let n = dice.below(segmentsMax); n > 0; n--) {
    const last = segments[segments.length - 1]
    const onward = network.outgoing(network.to(last)).filter((s) => s !== network.reverse(last))
    if (onward.length === 0) break
    segments.push(dice.pick(onward))
  }
  const [first, last] = [segments[0], segments[segments.length - 1]].map((s) => network.lengthMm(s))
  const isWhole = dice.next() < 0.3 || first < 10
  const fromMm = isWhole ? 0 : dice.below(segments.length === 1 ? first >> 1 : first)
  const toMm = isWhole || last < 10 ? last : segments.length === 1 ? last - dice.below(last >> 1) : 1 + dice.below(last)
  return { segments, fromMm, toMm }
}
