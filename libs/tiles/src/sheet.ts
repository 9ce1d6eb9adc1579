import GeoJSONVT from 'geojson-vt'
import { fromGeojsonVt } from 'vt-pbf'
import { type Square, ZOOM_MAX } from './square'

/** Units of a tile's own grid along one side. */
const EXTENT = 4096
/** How far a tile reaches beyond its edges, so that lines and labels have no seam. */
export const BUFFER = 64
export const MARGIN = BUFFER / EXTENT

/** What a tile shows: plain properties, no nesting. */
export type Properties = Readonly<Record<string, string | number | boolean>>
export type Shape =
  | { readonly type: 'Point'; readonly coordinates: readonly number[] }
  | { readonly type: 'LineString'; readonly coordinates: readonly (readonly number[])[] }
  | { readonly type: 'MultiLineString' | 'Polygon'; readonly coordinates: readonly (readonly (readonly number[])[])[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: readonly (readonly (readonly (readonly number[])[])[])[] }
export interface Feature {
  readonly type: 'Feature'
  readonly geometry: Shape
  readonly properties: Properties
}

/** Features by layer, from which squares are cut: simplified for their zoom and clipped, as Mapbox Vector Tile 2.1. */
export class Sheet {
  private readonly layers: readonly (readonly [string, GeoJSONVT])[]

  constructor(layers: Readonly<Record<string, readonly Feature[]>>) {
    this.layers = Object.entries(layers).map(([name, features]) => [
      name,
      new GeoJSONVT({ type: 'FeatureCollection', features } as ConstructorParameters<typeof GeoJSONVT>[0], {
        maxZoom: ZOOM_MAX,
        indexMaxZoom: 0,
        extent: EXTENT,
        buffer: BUFFER,
      }),
    ])
  }

  /** A square as protobuf; null where nothing is in it. `shows` may leave features out. */
  tile({ z, x, y }: Square, shows: (properties: Properties) => boolean = () => true): Uint8Array | null {
    const layers = this.layers.flatMap(([name, index]) => {
      const features = index.getTile(z, x, y)?.features.filter(({ tags }) => shows(tags as Properties)) ?? []
      return features.length > 0 ? [[name, { features }] as const] : []
    })
    return layers.length > 0 ? fromGeojsonVt(Object.fromEntries(layers), { version: 2, extent: EXTENT }) : null
  }
}
