import { type FeatureCollection } from 'geojson'
import type { PolicyDocument, ZoneGeometry } from '#contracts'

type Zones = PolicyDocument['zones']

/** The drawn zones of a policy, for a map. */
export const zoneFeatures = (zones: Zones): FeatureCollection => ({
  type: 'FeatureCollection',
  features: Object.entries(zones).flatMap(([id, { name, geometry }]) =>
    geometry ? [{ type: 'Feature' as const, geometry: geometry as never, properties: { id, name } }] : [],
  ),
})

/** Corners of a shape, the first not counted twice. */
export const cornersOf = (geometry: ZoneGeometry): number =>
  (geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.coordinates)
    .flat()
    .reduce((sum, ring) => sum + ring.length - 1, 0)

/** One polygon without a hole: what can be drawn and changed with a pen. */
export const isPlain = (geometry: ZoneGeometry | undefined): boolean =>
  geometry?.type === 'Polygon' && geometry.coordinates.length === 1

/** Polygons in whatever GeoJSON somebody has, each with a name where it brings one; empty where there are none. */
export function polygonsIn(value: unknown): { name: string | null; geometry: ZoneGeometry }[] {
  const json = value as {
    type?: string
    features?: unknown[]
    geometry?: unknown
    properties?: { name?: unknown } | null
  }
  if (typeof value !== 'object' || value === null) return []
  if (json.type === 'FeatureCollection') return (json.features ?? []).flatMap(polygonsIn)
  if (json.type === 'Feature')
    return polygonsIn(json.geometry).map(({ geometry }) => ({
      name: typeof json.properties?.name === 'string' ? json.properties.name : null,
      geometry,
    }))
  if (json.type === 'Polygon' || json.type === 'MultiPolygon') {
    const { type, coordinates } = value as ZoneGeometry
    return Array.isArray(coordinates) ? [{ name: null, geometry: { type, coordinates } as ZoneGeometry }] : []
  }
  return []
}

/** An id for a zone from its name: small letters, digits and hyphens, and not taken. */
export function zoneId(name: string, taken: readonly string[]): string {
  const base =
    name
      .normalize('NFD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+|-+$/g, '')
      .slice(0, 40) || 'zone'
  let id = base
  for (let n = 2; taken.includes(id); n++) id = `${base}-${n}`
  return id
}
