/**
 * Road classes: OpenStreetMap's `highway` values that a motor vehicle may be found on, links counted with the road that
 * they lead to. `road` is a road of which nothing more is known, `ferry` a vehicle deck.
 */
export const ROAD_CLASSES = [
  'motorway',
  'trunk',
  'primary',
  'secondary',
  'tertiary',
  'unclassified',
  'residential',
  'living_street',
  'service',
  'track',
  'road',
  'ferry',
] as const
export type RoadClass = (typeof ROAD_CLASSES)[number]

export const ACCESS = ['public', 'private'] as const
/** Who may drive there: everybody, or those whom the owner of the land lets in (`access=private`, `customers`, car parks). */
export type Access = (typeof ACCESS)[number]

export const VEHICLE_CLASSES = ['car', 'van', 'truck', 'bus', 'motorcycle'] as const
export type VehicleClass = (typeof VEHICLE_CLASSES)[number]
