import { type RoadNetwork, segmentFeature } from '#road-network'
import { type Feature, Sheet } from './sheet'
import { type Square } from './square'

/** What was driven on a segment in a month, by at least as many vehicles as may be shown. */
export interface SegmentUse {
  /** Reference of the directed segment. */
  readonly segment: string
  readonly vehicles: number
  readonly chargedMm: number
}

/**
 * The tiles of charged miles, layer `charged`: both directions of a road are one line with `miles`, `perMile` (how often each mile
 * of it was driven) and `vehicles`, the fewer of the two directions. Segments that the network doesn't know are left out.
 */
export class ChargedTiles {
  private readonly sheet: Sheet

  constructor(network: RoadNetwork, uses: readonly SegmentUse[]) {
    const roads = new Map<number, { segment: number; chargedMm: number; vehicles: number }>()
    for (const { segment: ref, vehicles, chargedMm } of uses) {
      const segment = network.find(ref)
      if (segment < 0) continue
      const road = network.roadOf(segment)
      const known = roads.get(road)
      roads.set(road, {
        segment,
        chargedMm: chargedMm + (known?.chargedMm ?? 0),
        vehicles: Math.min(vehicles, known?.vehicles ?? Infinity),
      })
    }
    const features = [...roads.values()].map(({ segment, chargedMm, vehicles }): Feature => {
      const { geometry, properties } = segmentFeature(network, segment)
      return {
        type: 'Feature',
        geometry,
        properties: {
          miles: Math.round(chargedMm / 16_093.44) / 100,
          passes: Math.round(chargedMm / network.lengthMm(segment)),
          vehicles,
          class: properties.class,
          ...(properties.name ? { name: properties.name } : {}),
        },
      }
    })
    this.sheet = new Sheet({ charged: features })
  }

  tile(square: Square): Uint8Array | null {
    return this.sheet.tile(square)
  }
}

/** A road, as far as enough vehicles drove on it. */
export interface DrivenRoad {
  /** As signed; empty for roads without a name, which are together by their class. */
  readonly name: string
  readonly class: string
  readonly segments: number
  readonly chargedMm: number
  /** On the segment that most of them drove on. */
  readonly vehicles: number
}

const ROADS_SHOWN_MAX = 200

/** The same by road, for a table: most driven first, at most ROADS_SHOWN_MAX. */
export function drivenRoads(network: RoadNetwork, uses: readonly SegmentUse[]): DrivenRoad[] {
  const roads = new Map<string, DrivenRoad>()
  for (const { segment: ref, vehicles, chargedMm } of uses) {
    const segment = network.find(ref)
    if (segment < 0) continue
    const [name, roadClass] = [network.name(segment), network.roadClass(segment)]
    const key = `${name}\n${roadClass}`
    const known = roads.get(key)
    roads.set(key, {
      name,
      class: roadClass,
      segments: (known?.segments ?? 0) + 1,
      chargedMm: (known?.chargedMm ?? 0) + chargedMm,
      vehicles: Math.max(known?.vehicles ?? 0, vehicles),
    })
  }
  return [...roads.values()]
    .sort((a, b) => b.chargedMm - a.chargedMm || (a.name < b.name ? -1 : 1))
    .slice(0, ROADS_SHOWN_MAX)
}

/** The network on which most of a month was driven, with its part of what was counted; null where nothing was. */
export function mainPart<Use extends SegmentUse & { readonly network: string }>(
  uses: readonly Use[],
): { readonly network: Use['network']; readonly uses: readonly Use[] } | null {
  const driven = new Map<Use['network'], number>()
  for (const { network, chargedMm } of uses) driven.set(network, (driven.get(network) ?? 0) + chargedMm)
  const [main] = [...driven].sort(([, a], [, b]) => b - a)
  return main ? { network: main[0], uses: uses.filter(({ network }) => network === main[0]) } : null
}
