import booleanPointInPolygon from '@turf/boolean-point-in-polygon'
import centerOfMass from '@turf/center-of-mass'
import pointOnFeature from '@turf/point-on-feature'
import { type PolicyDocument } from '#contracts'
import { type Feature, Sheet } from './sheet'
import { type Square } from './square'

/** The tiles of a policy's drawn zones: layer `zones`, the areas, and `zone-labels`, a point for each name; both with `id`, `name`. */
export class ZoneTiles {
  private readonly sheet: Sheet

  constructor({ zones }: Pick<PolicyDocument, 'zones'>) {
    const areas = Object.entries(zones).flatMap(([id, { name, geometry }]): Feature[] =>
      geometry ? [{ type: 'Feature', geometry, properties: { id, name } }] : [],
    )
    this.sheet = new Sheet({ zones: areas, 'zone-labels': areas.map(labelled) })
  }

  tile(square: Square): Uint8Array | null {
    return this.sheet.tile(square)
  }
}

/** Where a zone's name stands: amid it, or, where its middle isn't in it, on it. */
function labelled({ geometry, properties }: Feature): Feature {
  const area = { type: 'Feature', geometry, properties: {} } as Parameters<typeof centerOfMass>[0]
  const middle = centerOfMass(area)
  const inside = booleanPointInPolygon(middle, area as Parameters<typeof booleanPointInPolygon>[1])
  return {
    type: 'Feature',
    geometry: (inside ? middle : pointOnFeature(area)).geometry as Feature['geometry'],
    properties,
  }
}
