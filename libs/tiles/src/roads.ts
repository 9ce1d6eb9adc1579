import Flatbush from 'flatbush'
import { type RoadClass, type RoadNetwork } from '#road-network'
import { chainsOf } from './chains'
import { type Feature, MARGIN, Sheet } from './sheet'
import { boundsOf, type Square, within } from './square'

/** From which zoom on roads of a class are drawn: a city's streets would be one blot on a map of the country. */
export const ROAD_ZOOM_MIN: Readonly<Record<RoadClass, number>> = {
  motorway: 4,
  trunk: 5,
  ferry: 7,
  primary: 7,
  secondary: 9,
  tertiary: 10,
  unclassified: 11,
  residential: 12,
  living_street: 12,
  road: 12,
  service: 13,
  track: 13,
}
/** Squares of this zoom are prepared as a whole; a road map of any size costs what is looked at. */
const BLOCK_ZOOM = 10
const BLOCKS_MAX = 24

/**
 * The tiles of a road network, layer `roads`: lines of one name and class as long as they run, with `class`, `name`, `number`,
 * `access`, `bridge`, `tunnel`, `link`, `oneway`, those that are known.
 */
export class RoadTiles {
  private readonly index: Flatbush
  /** The segment that stands for each road: both directions are one line. */
  private readonly segments: number[] = []
  private readonly blocks = new Map<string, Sheet>()

  constructor(private readonly network: RoadNetwork) {
    for (let segment = 0; segment < network.segmentCount; segment++) {
      const road = network.roadOf(segment)
      const forward = network.forwardOf(road)
      if (segment === (forward >= 0 ? forward : network.backwardOf(road))) this.segments.push(segment)
    }
    this.index = new Flatbush(this.segments.length)
    for (const segment of this.segments) {
      const shape = network.shape(segment)
      let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
      for (let i = 0; i < shape.length; i += 2) {
        west = Math.min(west, shape[i])
        east = Math.max(east, shape[i])
        south = Math.min(south, shape[i + 1])
        north = Math.max(north, shape[i + 1])
      }
      this.index.add(west, south, east, north)
    }
    this.index.finish()
  }

  tile(square: Square): Uint8Array | null {
    return this.blockOf(square).tile(
      square,
      ({ class: roadClass }) => ROAD_ZOOM_MIN[roadClass as RoadClass] <= square.z,
    )
  }

  private blockOf(square: Square): Sheet {
    const block = square.z < BLOCK_ZOOM ? null : within(square, BLOCK_ZOOM)
    const key = block ? `${block.x}/${block.y}` : 'far'
    const known = this.blocks.get(key) ?? new Sheet({ roads: this.featuresIn(block) })
    this.blocks.delete(key)
    this.blocks.set(key, known)
    if (this.blocks.size > BLOCKS_MAX) this.blocks.delete(this.blocks.keys().next().value!)
    return known
  }

  /** The roads of a block, or the large ones of everywhere. */
  private featuresIn(block: Square | null): Feature[] {
    const { network, segments } = this
    const roads = block
      ? this.index.search(...boundsOf(block, MARGIN)).map((i) => segments[i])
      : segments.filter((segment) => ROAD_ZOOM_MIN[network.roadClass(segment)] < BLOCK_ZOOM)
    return chainsOf(network, roads)
  }
}
