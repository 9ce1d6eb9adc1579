/** What a road is: the same words as the contracts use, in the order in which a packed network counts them. */
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
export type Access = (typeof ACCESS)[number]

/**
 * Speed in km/h assumed where no limit is signed: about the free-flow speeds of OSRM's car profile. Only choices between
 * routes depend on it, never a length.
 */
export const ASSUMED_KMH: Readonly<Record<RoadClass, number>> = {
  motorway: 100,
  trunk: 85,
  primary: 65,
  secondary: 55,
  tertiary: 45,
  unclassified: 40,
  residential: 30,
  living_street: 15,
  service: 15,
  track: 15,
  road: 40,
  ferry: 15,
}

/** What a road is paved with: the common values of https://wiki.openstreetmap.org/wiki/Key:surface; '' where unknown, 'other' else. */
export const SURFACES = [
  '',
  'other',
  'asphalt',
  'paved',
  'concrete',
  'paving_stones',
  'sett',
  'cobblestone',
  'compacted',
  'fine_gravel',
  'gravel',
  'ground',
  'dirt',
  'unpaved',
] as const
export type Surface = (typeof SURFACES)[number]

/** What is known of a road beside its class; an empty text and 0 mean unknown. */
export interface RoadAttributes {
  readonly name: string
  /** Number of the road, as B 3. */
  readonly ref: string
  readonly access: Access
  readonly maxSpeedKmh: number
  /** Of both directions together. */
  readonly lanes: number
  readonly surface: Surface
  readonly isBridge: boolean
  readonly isTunnel: boolean
  /** Leads on or off a larger road. */
  readonly isLink: boolean
}
export const PLAIN: RoadAttributes = {
  name: '',
  ref: '',
  access: 'public',
  maxSpeedKmh: 0,
  lanes: 0,
  surface: '',
  isBridge: false,
  isTunnel: false,
  isLink: false,
}

/** Tags of an OpenStreetMap element. */
export type Tags = Readonly<Record<string, string>>
