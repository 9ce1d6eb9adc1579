import type { MapLayer } from '../shared/map'
import type { RoadPiece } from '#contracts'

type Priced = Pick<RoadPiece, 'ruleName' | 'rate' | 'freeReason'>

/** From cheap to dear, apart from each other for those who see no red or green (after P. Tol's bright scheme); free is grey. */
const COLOURS = {
  light: ['#117a8b', '#3d8b2f', '#b8860b', '#c1502e', '#8a1c6b', '#4b3fa8'],
  dark: ['#66ccee', '#9ad87f', '#ffc845', '#ff9068', '#f28bd0', '#b3a8ff'],
}
const FREE = { light: '#66757a', dark: '#9fb0b2' }

/** A colour for each price that occurs, ordered by what a mile costs. */
export function priceColours(
  pieces: readonly Priced[],
  isDark: boolean,
): { of: (piece: Priced) => string; legend: { colour: string; piece: Priced }[] } {
  const theme = isDark ? 'dark' : 'light'
  const keyOf = ({ ruleName, rate }: Priced) => `${ruleName}\n${rate?.micros ?? ''}`
  const known = [...new Map(pieces.map((piece) => [keyOf(piece), piece])).values()].sort(
    (a, b) => Number(a.rate?.micros ?? -1) - Number(b.rate?.micros ?? -1),
  )
  const charged = known.filter(({ rate }) => rate !== null)
  const of = (piece: Priced) =>
    piece.rate === null
      ? FREE[theme]
      : COLOURS[theme][
          Math.max(
            0,
            charged.findIndex((one) => keyOf(one) === keyOf(piece)),
          ) % COLOURS[theme].length
        ]
  return { of, legend: known.map((piece) => ({ colour: of(piece), piece })) }
}

export const lineFeature = (
  line: readonly (readonly [number, number])[],
  properties: Record<string, string | number>,
): GeoJSON.Feature => ({
  type: 'Feature',
  properties,
  geometry: { type: 'LineString', coordinates: line.map(([lon, lat]) => [lon, lat]) },
})

export const pointFeature = (
  lon: number,
  lat: number,
  properties: Record<string, string | number>,
): GeoJSON.Feature => ({
  type: 'Feature',
  properties,
  geometry: { type: 'Point', coordinates: [lon, lat] },
})

export const layerOf = (id: string, kind: MapLayer['kind'], features: GeoJSON.Feature[]): MapLayer => ({
  id,
  kind,
  data: { type: 'FeatureCollection', features },
})
