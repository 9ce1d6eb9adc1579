import type { VehicleClass } from '#contracts'
import {
  chance,
  InputError,
  instant,
  invariant,
  type AccountId,
  type Chance,
  type DeviceId,
  type Instant,
  type VehicleId,
} from '#kernel'
import { shortestPath, type RoadNetwork, type RoutePoint } from '#road-network'
import { drive, RECEIVER, routeBetween, type DrivenTrip, type Receiver, type Route } from './drive'

export interface FleetVehicle {
  readonly account: AccountId
  readonly accountName: string
  readonly vehicle: VehicleId
  readonly vehicleName: string
  readonly vehicleClass: VehicleClass
  readonly device: DeviceId
}

export interface FleetDay {
  /** `2026-10-05`: names the day's chance and its trips. */
  readonly name: string
  /** Midnight where the fleet lives. */
  readonly from: Instant
  readonly weekday: boolean
}

export interface FleetTrip extends DrivenTrip {
  /** As the device calls it. */
  readonly name: string
}

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const PLACES_TRIED_MAX = 400
/** A trip shorter than this is walked. */
const TRIP_MM_MIN = 400_000
const PLACE_MM_MIN = 20_000
const SETTLINGS_MAX = 20
const HOME_ROADS = new Set(['residential', 'living_street', 'unclassified', 'road'])
const THROUGH_ROADS = new Set(['motorway', 'trunk', 'ferry'])
const TURN_BACK_MS = 120_000

const FIRST_NAMES = [
  'Alva',
  'Björn',
  'Carmen',
  'David',
  'Elsa',
  'Farid',
  'Greta',
  'Hugo',
  'Ines',
  'Jonas',
  'Karin',
  'Liam',
  'Maja',
  'Nils',
  'Olga',
  'Petra',
  'Quentin',
  'Rosa',
  'Samir',
  'Tove',
]
const LAST_NAMES = [
  'Andersson',
  'Berg',
  'Carlsson',
  'Dahl',
  'Eriksson',
  'Fors',
  'Garcia',
  'Holm',
  'Isaksson',
  'Johansson',
  'Kaya',
  'Lind',
  'Moreno',
  'Nyberg',
  'Olsen',
  'Persson',
  'Quist',
  'Rossi',
  'Sand',
  'Tran',
]
const CLASSES: readonly VehicleClass[] = ['car', 'car', 'car', 'car', 'van', 'car', 'motorcycle', 'car', 'car', 'truck']

/** `size` vehicles that live and work in a network. Equal seed and network: the same people, trips and errors. */
export class Fleet {
  readonly vehicles: readonly FleetVehicle[]
  private readonly homes: readonly Home[]
  private readonly mainland: readonly number[]

  /** Throws InputError where the network is too small to live and work in. */
  constructor(
    private readonly network: RoadNetwork,
    private readonly seed: string,
    size: number,
    private readonly receiver: Receiver = RECEIVER,
  ) {
    invariant(Number.isInteger(size) && size > 0 && size <= 100_000, `a fleet has 1 to 100,000 vehicles, found ${size}`)
    this.mainland = mainlandOf(network)
    this.vehicles = Array.from({ length: size }, (_, i) => vehicleOf(seed, i))
    this.homes = this.vehicles.map((_, i) => this.settle(chance(`${seed}/home/${i}`)))
  }

  /** What one vehicle drives on one day, in order of time. */
  trips(vehicle: number, day: FleetDay): FleetTrip[] {
    const dice = chance(`${this.seed}/${vehicle}/${day.name}`)
    const { home, toWork, toHome } = this.homes[vehicle]
    const trips: FleetTrip[] = []
    let free = day.from as number
    const go = (route: Route | null, atMs: number): boolean => {
      if (!route) return false
      const startedAt = instant(Math.max(atMs, free))
      const name = `${day.name}-${trips.length + 1}`
      const driven = drive(this.network, route, startedAt, this.receiver, dice.fork(name))
      trips.push({ ...driven, name })
      free = driven.endedAt + 5 * MINUTE_MS
      return true
    }
    const at = (hour: number, spreadHours: number) =>
      Math.round(day.from + (hour + spreadHours * dice.next()) * HOUR_MS)
    if (day.weekday && dice.next() < 0.9 && go(toWork, at(6.5, 2.2))) go(toHome, at(15.5, 2.5))
    for (let left = day.weekday ? (dice.next() < 0.3 ? 1 : 0) : dice.below(3); left > 0; left--) {
      const errand = this.place(dice, () => true)
      if (errand && go(this.route(home, errand), at(day.weekday ? 18.5 : 10, day.weekday ? 1.5 : 6)))
        go(this.route(errand, home), free + dice.below(60) * MINUTE_MS)
    }
    return trips
  }

  /** A home, a workplace and the ways between them: the same every day. */
  private settle(dice: Chance): Home {
    for (let tried = 0; tried < SETTLINGS_MAX; tried++) {
      const home = this.place(dice, (s) => HOME_ROADS.has(this.network.roadClass(s)))
      const work = this.place(dice, () => true)
      const toWork = home && work && this.route(home, work)
      const toHome = toWork && this.route(work, home)
      if (toHome) return { home, toWork, toHome }
    }
    throw new InputError('NETWORK_TOO_SMALL', 'no two places of this network have a way from each to the other')
  }

  /** A place on a road where people live or go. */
  private place(dice: Chance, fits: (segment: number) => boolean): RoutePoint | null {
    for (let tried = 0; tried < PLACES_TRIED_MAX; tried++) {
      const segment = dice.pick(this.mainland)
      if (THROUGH_ROADS.has(this.network.roadClass(segment)) || !fits(segment)) continue
      const lengthMm = this.network.lengthMm(segment)
      if (lengthMm > PLACE_MM_MIN) return { segment, offsetMm: Math.round(lengthMm * (0.2 + 0.6 * dice.next())) }
    }
    return null
  }

  /** The quickest way; it may leave and arrive on either side of the road. */
  private route(from: RoutePoint, to: RoutePoint): Route | null {
    for (const start of this.sides(from))
      for (const goal of this.sides(to)) {
        const segments = shortestPath(this.network, start, goal, {
          by: 'time',
          uTurnCost: TURN_BACK_MS,
          lengthMmMax: 60_000_000,
        })
        if (!segments) continue
        const lengthMm = segments.reduce((sum, s) => sum + this.network.lengthMm(s), 0)
        if (lengthMm >= TRIP_MM_MIN && segments.length > 1) return routeBetween(segments, start, goal)
      }
    return null
  }

  private sides(place: RoutePoint): RoutePoint[] {
    const back = this.network.reverse(place.segment)
    return back < 0 ? [place] : [place, { segment: back, offsetMm: this.network.lengthMm(back) - place.offsetMm }]
  }
}

interface Home {
  readonly home: RoutePoint
  readonly toWork: Route
  readonly toHome: Route
}

/**
 * Segments that all lead to each other, but for forbidden turns: where people can live without being cut off. Maps are full
 * of islands, where a search for a way would look at everything in vain.
 */
function mainlandOf(network: RoadNetwork): number[] {
  const into: number[][] = Array.from({ length: network.junctionCount }, () => [])
  for (let segment = 0; segment < network.segmentCount; segment++) into[network.to(segment)].push(network.from(segment))
  const spread = (from: number, next: (junction: number) => readonly number[]): Set<number> => {
    const reached = new Set([from])
    for (const junction of reached) for (const neighbour of next(junction)) reached.add(neighbour)
    return reached
  }
  let mainland = new Set<number>()
  const seen = new Set<number>()
  for (let junction = 0; junction < network.junctionCount && mainland.size * 2 < network.junctionCount; junction++) {
    if (seen.has(junction)) continue
    const ahead = spread(junction, (j) => network.outgoing(j).map((segment) => network.to(segment)))
    const behind = spread(junction, (j) => into[j])
    const both = new Set([...ahead].filter((j) => behind.has(j)))
    for (const j of both) seen.add(j)
    if (both.size > mainland.size) mainland = both
  }
  return Array.from({ length: network.segmentCount }, (_, segment) => segment).filter(
    (s) => mainland.has(network.from(s)) && mainland.has(network.to(s)),
  )
}

function vehicleOf(seed: string, index: number): FleetVehicle {
  const dice = chance(`${seed}/name/${index}`)
  const number = String(index + 1).padStart(4, '0')
  const vehicleClass = CLASSES[index % CLASSES.length]
  return {
    account: `account-${number}` as AccountId,
    accountName: `${dice.pick(FIRST_NAMES)} ${dice.pick(LAST_NAMES)}`,
    vehicle: `vehicle-${number}` as VehicleId,
    vehicleName: `${dice.pick(['blue', 'red', 'white', 'grey', 'green'])} ${vehicleClass}`,
    vehicleClass,
    device: `obe-${number}` as DeviceId,
  }
}
