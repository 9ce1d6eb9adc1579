import { type Charge, type RatedVehicle, type Stretch } from '#contracts'
import { type Contribution } from '#disclosure'
import { type Instant } from '#kernel'
import { NONE } from './datasets'
import { gridCell } from './grid'

/** What was stored of the distances of a trip. */
export interface TripMileage {
  readonly matchedMm: number
  readonly inferredMm: number
  readonly offNetworkMm: number
  readonly rawMm: number
  readonly meteredMm: number | null
  readonly odometerMm: number | null
  readonly verdict: string
}

/** A posted trip, as tables need it. */
export interface TripFacts {
  readonly startedAt: Instant
  readonly vehicle: RatedVehicle
  readonly charges: readonly Charge[]
  readonly mileage: TripMileage | null
  /** Where it drove; null where that was destroyed. */
  readonly stretches: readonly Stretch[] | null
}

/** The clock on the wall, and the days that are no workdays. */
export interface Calendar {
  hour(at: Instant): number
  dayKind(at: Instant): string
}

/** Longitude and latitude of a place on a segment; null where the map knows no such segment. */
export type PlaceOf = (segment: string, offsetMm: number) => readonly [number, number] | null

/** Kind of a day from its number among `dayKinds` of policy: weekday from Monday, + 7 where it is a holiday. */
export const dayKindOf = (kind: number): string =>
  kind % 14 >= 7 || kind % 7 === 6 ? 'sunday' : kind % 7 === 5 ? 'saturday' : 'workday'

/** What a trip adds to each table that is made of trips. */
export function contributionsOf(
  trip: TripFacts,
  calendar: Calendar,
  placeOf: PlaceOf,
): Readonly<Record<TripTable, Contribution[]>> {
  return {
    ...(trip.stretches ? byPlace(trip.stretches, calendar, placeOf) : NOWHERE),
    revenue: revenue(trip),
    accuracy: accuracy(trip),
    behaviour: behaviour(trip, calendar),
  }
}
type TripTable = 'trips-by-zone' | 'trips-by-grid' | 'miles-by-segment' | 'revenue' | 'accuracy' | 'behaviour'
const NOWHERE = { 'trips-by-zone': [], 'trips-by-grid': [], 'miles-by-segment': [] }

/** Sums by key of one trip; `visits` is counted once a key. */
class Visits {
  private readonly found = new Map<string, { key: string[]; sums: bigint[] }>()

  add(key: string[], ...sums: bigint[]): void {
    const name = key.join('\u001f')
    const before = this.found.get(name)
    if (before) for (let i = 0; i < sums.length; i++) before.sums[i] += sums[i]
    else this.found.set(name, { key, sums })
  }
  /** With one trip for each key, at `place` among the sums. */
  withTrip(place: number): Contribution[] {
    return [...this.found.values()].map(({ key, sums }) => ({ key, sums: sums.toSpliced(place, 0, 1n) }))
  }
}

function byPlace(stretches: readonly Stretch[], calendar: Calendar, placeOf: PlaceOf) {
  const [zones, grid, segments] = [new Visits(), new Visits(), new Visits()]
  for (const { segment, fromMm, toMm, enteredAt, zones: within, roadClass } of stretches) {
    const length = BigInt(toMm - fromMm)
    const hour = String(calendar.hour(enteredAt))
    const dayKind = calendar.dayKind(enteredAt)
    for (const zone of within.length > 0 ? within : [NONE]) zones.add([zone, dayKind, hour], length)
    const place = placeOf(segment, Math.round((fromMm + toMm) / 2))
    grid.add([place ? gridCell(place) : NONE, dayKind, hour], length)
    segments.add([segment, roadClass, hour], length)
  }
  return {
    'trips-by-zone': zones.withTrip(1),
    'trips-by-grid': grid.withTrip(1),
    'miles-by-segment': segments.withTrip(1),
  }
}

const zonesOf = ({ zones }: Charge): string => (zones.length > 0 ? zones.join('+') : NONE)

function revenue({ charges, vehicle }: TripFacts): Contribution[] {
  return charges.map((charge) => {
    const length = BigInt(charge.distanceMm)
    return {
      key: [zonesOf(charge), charge.roadClass, vehicle.vehicleClass],
      sums: [charge.amount, ...(charge.rate ? [length, 0n] : [0n, length])],
    }
  })
}

function accuracy({ mileage, vehicle }: TripFacts): Contribution[] {
  if (!mileage) return []
  const { matchedMm, inferredMm, offNetworkMm, rawMm, meteredMm, odometerMm, verdict } = mileage
  const sums = [matchedMm, inferredMm, offNetworkMm, rawMm, meteredMm ?? 0, odometerMm ?? 0, 1]
  return [{ key: [vehicle.vehicleClass, verdict], sums: sums.map(BigInt) }]
}

function behaviour({ charges, vehicle, startedAt }: TripFacts, calendar: Calendar): Contribution[] {
  const arm = vehicle.arm ?? NONE
  const [whole, parts] = [new Visits(), new Visits()]
  const groups = [
    ['all', 'all'],
    ['hour', String(calendar.hour(startedAt)).padStart(2, '0')],
    ['day-kind', calendar.dayKind(startedAt)],
    ['vehicle-class', vehicle.vehicleClass],
    ...(vehicle.programmes?.length ? vehicle.programmes : [NONE]).map((programme) => ['programme', programme]),
  ]
  for (const charge of charges) {
    const sums = [BigInt(charge.distanceMm), charge.amount]
    for (const group of groups) whole.add([arm, ...group], ...sums)
    parts.add([arm, 'zones', zonesOf(charge)], ...sums)
    parts.add([arm, 'road-class', charge.roadClass], ...sums)
  }
  return [...whole.withTrip(1), ...parts.withTrip(1)]
}
