import { InputError } from '#kernel'

export interface Dimension {
  readonly name: string
  readonly type: 'string' | 'integer'
  readonly about: string
}

export interface Measure {
  readonly name: string
  readonly unit: 'mm' | 'micros' | 'count'
  readonly about: string
  /** The most of one vehicle in one cell of a month that noise hides. */
  readonly bound: bigint
}

/** A table of an analyst: what its rows are of, and what they count. */
export interface Dataset {
  readonly title: string
  readonly about: string
  /** What a row's count is of. */
  readonly counts: 'vehicles' | 'people'
  readonly dimensions: readonly Dimension[]
  /** The first is what dominance and the deviation are of. */
  readonly measures: readonly Measure[]
  /** Totals that may be known from elsewhere (another table has them, or the agency told): by which dimensions. */
  readonly margins: readonly (readonly number[])[]
  /** What a row can be drawn as, by its first dimension. */
  readonly shape: 'zone' | 'grid' | 'segment' | null
  /** Whether it is counted from where people drove: only while that is kept, which is until the month is closed. */
  readonly needsLocation: boolean
}

/** Where a dimension has no value. No name of ours begins so, and no spreadsheet takes it for a formula. */
export const NONE = '(none)'

const text = (name: string, about: string): Dimension => ({ name, type: 'string', about })
const HOUR: Dimension = { name: 'hour', type: 'integer', about: 'hour of the day on the local clock, 0 to 23' }
const DAY_KIND = text('day_kind', 'workday, saturday, or sunday (holidays of the policy too)')
const ROAD_CLASS = text('road_class', "class of the road: OpenStreetMap's highway value")
const VEHICLE_CLASS = text('vehicle_class', 'car, van, truck, bus or motorcycle')
const DISTANCE: Measure = { name: 'distance_mm', unit: 'mm', about: 'distance driven there', bound: 500_000_000n }
const TRIPS: Measure = { name: 'trips', unit: 'count', about: 'trips that drove there, each counted once', bound: 60n }
const AMOUNT: Measure = {
  name: 'amount_micros',
  unit: 'micros',
  about: 'charges as they were booked, before caps, credits and corrections',
  bound: 100_000_000n,
}
const mm = (name: string, about: string): Measure => ({ name, unit: 'mm', about, bound: 500_000_000n })

export const DATASETS = {
  'trips-by-zone': {
    title: 'Trips by zone, kind of day and hour',
    about:
      'A trip counts in every zone that it drove through, under the hour in which it came there. `(none)` is outside all zones.',
    counts: 'vehicles',
    dimensions: [text('zone', 'id of the zone in the policy of the time'), DAY_KIND, HOUR],
    measures: [DISTANCE, TRIPS],
    margins: [[0]],
    shape: 'zone',
    needsLocation: true,
  },
  'trips-by-grid': {
    title: 'Trips by grid cell, kind of day and hour',
    about:
      'As by zone, in squares of a grid: tiles of zoom 15 in the Web Mercator scheme, about 0.9 km wide at 45 degrees.',
    counts: 'vehicles',
    dimensions: [text('cell', 'tile as zoom/x/y'), DAY_KIND, HOUR],
    measures: [DISTANCE, TRIPS],
    margins: [[0]],
    shape: 'grid',
    needsLocation: true,
  },
  'miles-by-segment': {
    title: 'Distance by road segment and hour',
    about: 'Directed segments of the road network, for heat maps.',
    counts: 'vehicles',
    dimensions: [text('segment', 'stable reference of the directed segment'), ROAD_CLASS, HOUR],
    measures: [DISTANCE, TRIPS],
    margins: [[0]],
    shape: 'segment',
    needsLocation: true,
  },
  revenue: {
    title: 'Revenue by zones, road class and vehicle class',
    about: 'Charge lines of the month, by the set of zones that they were in.',
    counts: 'vehicles',
    dimensions: [text('zones', 'ids of the zones joined by +, or (none) outside all'), ROAD_CLASS, VEHICLE_CLASS],
    measures: [AMOUNT, mm('charged_mm', 'distance with a price'), mm('free_mm', 'distance that was free')],
    margins: [[0], [1], [2]],
    shape: null,
    needsLocation: false,
  },
  accuracy: {
    title: 'Charging accuracy by vehicle class',
    about: 'The three distances of trips: matched to roads, along the fixes, and by the odometer where one was read.',
    counts: 'vehicles',
    dimensions: [VEHICLE_CLASS, text('verdict', 'agrees, deviates, or unwitnessed: no odometer to compare with')],
    measures: [
      mm('matched_mm', 'matched to roads, measured'),
      mm('inferred_mm', 'matched to roads between fixes on other roads'),
      mm('off_network_mm', 'driven where the map has no road'),
      mm('raw_mm', 'along the fixes'),
      mm('metered_mm', 'metered between the odometer readings'),
      mm('odometer_mm', 'by the odometer between its readings'),
      TRIPS,
    ],
    margins: [[0]],
    shape: null,
    needsLocation: false,
  },
  behaviour: {
    title: 'Behaviour by arm of the pilot',
    about:
      'Each arm several times over: by hour and kind of day in which trips began, by zones, road class, vehicle class and programme. `(none)` is without an arm.',
    counts: 'vehicles',
    dimensions: [
      text('arm', 'arm of the pilot that the vehicle was drawn into'),
      text('by', 'all, hour, day-kind, zones, road-class, vehicle-class or programme'),
      text('group', 'the hour, class and so on'),
    ],
    measures: [DISTANCE, TRIPS, AMOUNT],
    margins: [[0, 1]],
    shape: null,
    needsLocation: false,
  },
  survey: {
    title: 'Survey answers by arm',
    about: 'Answers to the questions of a survey. Nobody must answer; free texts are not asked for.',
    counts: 'people',
    dimensions: [
      text('question', 'id of the question'),
      text('answer', 'the option that was chosen'),
      text('arm', 'arm of the pilot, or (none)'),
    ],
    measures: [{ name: 'answers', unit: 'count', about: 'how many answered so', bound: 1n }],
    margins: [
      [0, 1],
      [0, 2],
    ],
    shape: null,
    needsLocation: false,
  },
} as const satisfies Record<string, Dataset>

export type DatasetName = keyof typeof DATASETS

/** InputError NO_DATASET, with the names that there are. */
export function datasetNamed(name: string): Dataset {
  if (!Object.hasOwn(DATASETS, name))
    throw new InputError('NO_DATASET', `there is no dataset ${name}; there are ${Object.keys(DATASETS).join(', ')}`)
  return DATASETS[name as DatasetName]
}
