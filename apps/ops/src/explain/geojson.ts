import { lineOf, metresOf, roadName, type Explained } from './explained'

/**
 * A drive as GeoJSON (RFC 7946), one feature a line: `kind` is `road` (a traversal), `fix`, `off` (from a fix to its place on
 * the road) or `truth`. For QGIS, geojson.io and the like.
 */
export function explainGeojson({ network, traversals, fixes, truth, time }: Explained): string {
  const feature = (type: string, coordinates: unknown, properties: object) =>
    JSON.stringify({ type: 'Feature', geometry: { type, coordinates }, properties })
  const features = [
    ...(truth ?? []).map((piece) =>
      feature('LineString', lineOf(network, piece).map(rounded), {
        kind: 'truth',
        segment: network.ref(piece.segment),
      }),
    ),
    ...traversals.map((t, number) =>
      feature('LineString', lineOf(network, t).map(rounded), {
        kind: 'road',
        number,
        segment: network.ref(t.segment),
        name: roadName(network, t.segment),
        class: network.roadClass(t.segment),
        metres: metresOf([t]),
        entered: time(t.enteredAt),
        left: time(t.leftAt),
        fixes: t.fixes,
        inferred: t.inferred,
        confidence: t.confidence / 1000,
      }),
    ),
    ...fixes
      .filter(({ fate }) => fate !== 'invalid')
      .flatMap((fix) => {
        const here = rounded([fix.lon, fix.lat])
        const candidates = fix.candidates.map((c) => ({
          segment: network.ref(c.segment),
          metres: Number(c.distanceM.toFixed(1)),
        }))
        const point = feature('Point', here, {
          kind: 'fix',
          at: time(fix.at),
          fate: fix.fate,
          road: fix.traversal,
          accuracy: fix.accuracyM || null,
          candidates,
        })
        if (!fix.place) return [point]
        const off = { kind: 'off', metres: Number(fix.place.distanceM.toFixed(1)) }
        return [point, feature('LineString', [here, rounded([fix.place.lon, fix.place.lat])], off)]
      }),
  ]
  return `{"type":"FeatureCollection","features":[\n${features.join(',\n')}\n]}\n`
}

const rounded = ([lon, lat]: readonly [number, number]): [number, number] => [
  Math.round(lon * 1e7) / 1e7,
  Math.round(lat * 1e7) / 1e7,
]
