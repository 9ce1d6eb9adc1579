import type { NetworkSource, OsmNode, OsmWay } from '#road-network'

/** OpenStreetMap ways as GeoJSON features, as overpass-turbo exports them: tags in the properties, `@id` such as `way/123`. */
export interface OsmFeatures {
  readonly features: readonly {
    readonly id?: string | number
    readonly properties: Readonly<Record<string, string>> | null
    readonly geometry: { readonly type: string; readonly coordinates: unknown }
  }[]
}

/** Reads ways from features that kept their shared vertices: equal coordinates are the same node. Areas and points are passed over. */
export function demoCity(map: OsmFeatures): NetworkSource {
  const nodes: OsmNode[] = []
  const idAt = new Map<string, number>()
  const nodeAt = ([lon, lat]: readonly [number, number]): number => {
    const key = `${lon} ${lat}`
    const known = idAt.get(key)
    if (known !== undefined) return known
    nodes.push({ id: nodes.length + 1, lon, lat })
    idAt.set(key, nodes.length)
    return nodes.length
  }
  const ways: OsmWay[] = []
  for (const { properties, geometry } of map.features) {
    const id = Number(/^way\/(\d+)$/.exec(properties?.['@id'] ?? '')?.[1])
    if (!id || geometry.type !== 'LineString') continue
    ways.push({ id, nodeIds: (geometry.coordinates as [number, number][]).map(nodeAt), tags: properties! })
  }
  return { nodes, ways, attribution: '© OpenStreetMap contributors' }
}
