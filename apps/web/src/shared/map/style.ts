import { type LayerSpecification, type StyleSpecification } from 'maplibre-gl'

const LIGHT = {
  land: '#eef2ee',
  casing: '#cdd8d3',
  street: '#ffffff',
  main: '#ffffff',
  motorway: '#f8e3b4',
  text: '#46595b',
  halo: '#ffffff',
  zone: '#0b6b64',
  outline: '#ffffff',
}
const DARK: typeof LIGHT = {
  land: '#152224',
  casing: '#0d1718',
  street: '#2a3d40',
  main: '#374f52',
  motorway: '#5c4d26',
  text: '#a3b8b6',
  halo: '#152224',
  zone: '#7fd3c6',
  outline: '#0d1718',
}

const BIG = ['motorway', 'trunk']
const MAIN = ['primary', 'secondary']

/** Width of a road by its class, wider the closer one looks. */
const width = (extra: number): LayerSpecification['paint'] & object =>
  ({
    'line-width': [
      'interpolate',
      ['exponential', 1.5],
      ['zoom'],
      9,
      ['match', ['get', 'class'], BIG, 1.4, MAIN, 0.7, 0.2],
      13,
      ['match', ['get', 'class'], BIG, 4 + extra, MAIN, 2.6 + extra, 1 + extra],
      17,
      ['match', ['get', 'class'], BIG, 14 + extra, MAIN, 11 + extra, 7 + extra],
    ],
  }) as never

/** Our own roads from our own tiles (`/tiles/roads/...`, with `class` and `name`), and nobody else's anything. Letters are the browser's. */
export function baseStyle(isDark: boolean, agency: string): StyleSpecification {
  const c = isDark ? DARK : LIGHT
  return {
    version: 8,
    sources: {
      roads: {
        type: 'vector',
        tiles: [`${location.origin}/tiles/roads/{z}/{x}/{y}.pbf?agency=${encodeURIComponent(agency)}`],
        minzoom: 8,
        maxzoom: 14,
      },
    },
    layers: [
      { id: 'land', type: 'background', paint: { 'background-color': c.land } },
      {
        id: 'road-casing',
        type: 'line',
        source: 'roads',
        'source-layer': 'roads',
        minzoom: 12,
        layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: { 'line-color': c.casing, ...width(1.5) },
      },
      {
        id: 'road',
        type: 'line',
        source: 'roads',
        'source-layer': 'roads',
        layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: {
          'line-color': ['match', ['get', 'class'], BIG, c.motorway, MAIN, c.main, c.street],
          ...width(0),
        },
      },
      {
        id: 'road-name',
        type: 'symbol',
        source: 'roads',
        'source-layer': 'roads',
        minzoom: 13,
        filter: ['has', 'name'],
        layout: {
          'symbol-placement': 'line',
          'text-field': ['get', 'name'],
          'text-font': ['Public Sans Variable'],
          'text-size': 12,
          'symbol-spacing': 350,
        },
        paint: { 'text-color': c.text, 'text-halo-color': c.halo, 'text-halo-width': 1.5 },
      },
    ],
  }
}

/** How features of our own are drawn on it: in the colour that each of them brings. */
export function drawnLayers(source: string, kind: 'line' | 'point' | 'area', isDark: boolean): LayerSpecification[] {
  const c = isDark ? DARK : LIGHT
  const colour = ['coalesce', ['get', 'colour'], c.zone] as never
  if (kind === 'area')
    return [
      { id: source, type: 'fill', source, paint: { 'fill-color': colour, 'fill-opacity': 0.18 } },
      { id: `${source}-edge`, type: 'line', source, paint: { 'line-color': colour, 'line-width': 2 } },
    ]
  if (kind === 'point')
    return [
      {
        id: source,
        type: 'circle',
        source,
        paint: {
          'circle-color': colour,
          'circle-radius': ['coalesce', ['get', 'radius'], 5] as never,
          'circle-stroke-color': c.outline,
          'circle-stroke-width': 1.5,
        },
      },
    ]
  const layout = { 'line-cap': 'round', 'line-join': 'round' } as const
  const size = ['coalesce', ['get', 'width'], 5] as never
  return [
    {
      id: `${source}-edge`,
      type: 'line',
      source,
      layout,
      paint: { 'line-color': c.outline, 'line-width': ['+', size, 3] as never },
    },
    { id: source, type: 'line', source, layout, paint: { 'line-color': colour, 'line-width': size } },
  ]
}
