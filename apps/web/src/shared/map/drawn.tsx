import { AttributionControl, type GeoJSONSource, Map, NavigationControl, setWorkerUrl } from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import worker from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { useMe } from '../me'
import { useIsDark } from '../theme'
import { baseStyle, drawnLayers } from './style'

// A worker from a file: one from a blob would need a hole in the content security policy.
setWorkerUrl(worker)

/** Features with a paint of their own: `colour` and `width` of a line, `colour` and `radius` of a point, `colour` of an area. */
export interface MapLayer {
  readonly id: string
  readonly kind: 'line' | 'point' | 'area'
  readonly data: GeoJSON.FeatureCollection
}

export interface MapProps {
  /** What the map shows, for those who don't see it. */
  readonly label: string
  readonly layers: readonly MapLayer[]
  /** Whether what is drawn later is gone to where it isn't in sight. */
  readonly isFollowed?: boolean
  /** What to show at first, [west, south, east, north]; the layers' extent where absent. */
  readonly bounds?: readonly [number, number, number, number]
  readonly onClick?: (lon: number, lat: number) => void
  /** Told of the feature that was clicked, of the layer on top. */
  readonly onPick?: (layer: string, feature: GeoJSON.Feature) => void
  /** For what draws on the map by itself, such as an editor of zones. What it returns is called before the map goes. */
  readonly onReady?: (map: Map) => () => void
  readonly onBroken: () => void
}

function extentOf(layers: readonly MapLayer[]): [number, number, number, number] | null {
  let [west, south, east, north] = [180, 90, -180, -90]
  const walk = (place: unknown): void => {
    if (!Array.isArray(place)) return
    if (typeof place[0] !== 'number') return place.forEach(walk)
    const [lon, lat] = place as [number, number]
    west = Math.min(west, lon)
    east = Math.max(east, lon)
    south = Math.min(south, lat)
    north = Math.max(north, lat)
  }
  for (const { data } of layers)
    for (const { geometry } of data.features) if (geometry && 'coordinates' in geometry) walk(geometry.coordinates)
  return west <= east ? [west, south, east, north] : null
}

export default function Drawn({
  label,
  layers,
  bounds,
  isFollowed = false,
  onClick,
  onPick,
  onReady,
  onBroken,
}: MapProps) {
  const { t } = useTranslation('shared')
  const place = useRef<HTMLDivElement>(null)
  const [map, setMap] = useState<Map | null>(null)
  const isDark = useIsDark()
  const { agency } = useMe()
  const calls = useRef({ onClick, onPick, onReady, onBroken, layers })
  calls.current = { onClick, onPick, onReady, onBroken, layers }

  useEffect(() => {
    let drawn: Map
    try {
      drawn = new Map({
        container: place.current!,
        style: baseStyle(isDark, agency.id),
        bounds: (bounds ? [...bounds] : extentOf(layers)) as [number, number, number, number],
        fitBoundsOptions: { padding: 36, maxZoom: 16 },
        attributionControl: false,
        cooperativeGestures: false,
        dragRotate: false,
        pitchWithRotate: false,
        canvasContextAttributes: { preserveDrawingBuffer: true },
      })
    } catch {
      return calls.current.onBroken()
    }
    drawn.addControl(new NavigationControl({ showCompass: false }), 'top-right')
    drawn.on('click', ({ point, lngLat }) => {
      const hit = drawn
        .queryRenderedFeatures([
          [point.x - 5, point.y - 5],
          [point.x + 5, point.y + 5],
        ])
        .find(({ source }) => source.startsWith('drawn-'))
      if (hit && calls.current.onPick) calls.current.onPick(hit.source.slice('drawn-'.length), hit)
      else calls.current.onClick?.(lngLat.lng, lngLat.lat)
    })
    let leave: (() => void) | undefined
    drawn.once('load', () => {
      setMap(drawn)
      leave = calls.current.onReady?.(drawn)
    })
    drawn.on('idle', () => place.current?.setAttribute('data-drawn', 'yes'))
    const canvas = place.current!
    return () => {
      setMap(null)
      canvas.removeAttribute('data-drawn')
      leave?.()
      drawn.remove()
    }
    // The place that it opened on stays its reader's: new layers don't move it.
  }, [isDark])

  useEffect(() => {
    if (!map) return
    const thanks = new AttributionControl({ customAttribution: t('map.attribution'), compact: false })
    map.addControl(thanks)
    return () => {
      // A map that was taken away took its controls along.
      if (map.hasControl(thanks)) map.removeControl(thanks)
    }
  }, [map, t])

  useEffect(() => map?.getCanvas().setAttribute('aria-label', label), [map, label])

  useEffect(() => {
    if (!map) return
    for (const layer of layers) {
      const id = `drawn-${layer.id}`
      const source = map.getSource<GeoJSONSource>(id)
      if (source) source.setData(layer.data)
      else {
        map.addSource(id, { type: 'geojson', data: layer.data, attribution: '' })
        for (const drawn of drawnLayers(id, layer.kind, isDark)) map.addLayer(drawn)
      }
    }
    const extent = isFollowed ? extentOf(layers) : null
    if (!extent) return
    const [west, south, east, north] = extent
    const seen = map.getBounds()
    if (!seen.contains([west, south]) || !seen.contains([east, north]))
      map.fitBounds(seen.extend([west, south, east, north]), { padding: 36, maxZoom: 16, animate: false })
  }, [map, layers, isDark, isFollowed])

  // MapLibre's canvas is the region that has the name: one place is not to be announced twice.
  return <div className="rm-map__canvas" ref={place} />
}
