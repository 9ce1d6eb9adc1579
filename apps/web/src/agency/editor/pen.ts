import { type Map as MapLibre } from 'maplibre-gl'
import { TerraDraw, TerraDrawPolygonMode, TerraDrawSelectMode } from 'terra-draw'
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter'
import type { PolicyZone, ZoneGeometry } from '#contracts'
import { isPlain } from '../zone-shapes'

/** A pen on a map: shows plain zones, lets their corners be moved, and draws new ones. */
export interface Pen {
  /** What the zones are now: where that isn't what the pen shows already. */
  show(zones: Readonly<Record<string, PolicyZone>>): void
  draw(isDrawing: boolean): void
  close(): void
}

const ZONE = '#0b6b64'
const NEW = '#d18b00'

export function openPen(
  map: MapLibre,
  tell: {
    drawn: (geometry: ZoneGeometry) => void
    reshaped: (zone: string, geometry: ZoneGeometry) => void
  },
): Pen {
  const pen = new TerraDraw({
    adapter: new TerraDrawMapLibreGLAdapter({ map, coordinatePrecision: 7 }),
    modes: [
      new TerraDrawSelectMode({
        flags: {
          polygon: {
            feature: { draggable: true, coordinates: { midpoints: true, draggable: true, deletable: true } },
          },
        },
        styles: { selectedPolygonColor: NEW, selectedPolygonOutlineColor: NEW, selectionPointColor: NEW },
      }),
      new TerraDrawPolygonMode({
        styles: { fillColor: ZONE, fillOpacity: 0.2, outlineColor: ZONE, outlineWidth: 2, closingPointColor: NEW },
      }),
    ],
  })
  pen.start()
  pen.setMode('select')
  const zoneOf = new Map<string | number, string>()
  /** The shapes as the pen shows them: what it told comes back, and must not be drawn over again. */
  let shown = ''

  const shapeOf = (id: string | number): ZoneGeometry | null => {
    const geometry = pen.getSnapshotFeature(id)?.geometry
    return geometry?.type === 'Polygon'
      ? ({ type: 'Polygon', coordinates: geometry.coordinates } as ZoneGeometry)
      : null
  }
  const shapesNow = (): string =>
    JSON.stringify([...zoneOf].map(([id, zone]) => [zone, shapeOf(id)?.coordinates]).sort())
  pen.on('finish', (id, { action }) => {
    const geometry = shapeOf(id)
    if (!geometry) return
    const zone = zoneOf.get(id)
    if (zone !== undefined) {
      shown = shapesNow()
      tell.reshaped(zone, geometry)
    } else if (action === 'draw') {
      pen.removeFeatures([id])
      pen.setMode('select')
      tell.drawn(geometry)
    }
  })
  return {
    show(zones) {
      const plain = Object.entries(zones).filter(([, { geometry }]) => isPlain(geometry))
      const wanted = JSON.stringify(plain.map(([zone, { geometry }]) => [zone, geometry!.coordinates]).sort())
      if (wanted === shown) return
      pen.clear()
      zoneOf.clear()
      for (const [zone, { geometry }] of plain) {
        const [added] = pen.addFeatures([
          { type: 'Feature', geometry: geometry as never, properties: { mode: 'polygon' } },
        ])
        // What can't be drawn, such as a shape that crosses itself, is said beside its name.
        if (added?.valid && added.id !== undefined) zoneOf.set(added.id, zone)
      }
      shown = wanted
    },
    draw: (isDrawing) => pen.setMode(isDrawing ? 'polygon' : 'select'),
    close: () => pen.stop(),
  }
}
