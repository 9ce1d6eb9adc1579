import { type Charge, type PolicyDocument, type RatedVehicle } from '#contracts'
import { invariant, micros, type Instant } from '#kernel'
import { accrue, type Windows } from './accruals'
import { byKind, CELL_KINDS, type CellKind, type ComparedAccount } from './comparison'

/** What some of a trip's distance costs, whole micros. */
export interface RoadCost {
  readonly name: string
  readonly distanceMm: number
  readonly amount: number
}

/** A trip with what it costs under two tariffs. */
export interface ComparedTrip {
  readonly vehicle: RatedVehicle
  readonly startedAt: Instant
  /** Local hour in which it began, 0 to 23. */
  readonly hour: number
  readonly before: readonly Charge[]
  readonly after: readonly Charge[]
  /** What its distance costs by the name of the road, in any number of parts, where that was asked for. */
  readonly roads: Readonly<Record<Side, readonly RoadCost[]>> | null
}
type Side = 'before' | 'after'
const SIDES = ['before', 'after'] as const

/**
 * What the trips of one account, in the order in which they were driven, come to under two tariffs. Accruals begin empty with
 * the first trip. Zones are those of `after`; what was charged before is told by the zones of its own time.
 */
export function compareAccount(
  trips: readonly ComparedTrip[],
  tariffs: { readonly before: readonly PolicyDocument[]; readonly after: readonly PolicyDocument[] },
): ComparedAccount {
  const cells = new Cells()
  const bill = { before: 0n, after: 0n }
  let distanceMm = 0
  const byVehicle = new Map<string, ComparedTrip[]>()
  for (const trip of trips) {
    const { vehicle } = trip.vehicle
    const those = byVehicle.get(vehicle)
    if (those) those.push(trip)
    else byVehicle.set(vehicle, [trip])
  }
  // Accruals are by vehicle, so vehicles may come one after the other; each is then counted once in a cell.
  for (const [name, those] of byVehicle) {
    cells.vehicle = name
    const windows = { before: new Map() as Windows, after: new Map() as Windows }
    for (const trip of those) {
      const { vehicle, startedAt, hour } = trip
      for (const side of SIDES) {
        const charges = trip[side]
        let amountOfTrip = 0
        let mmOfTrip = 0
        for (const { amount: exact, distanceMm: chargedMm, roadClass, zones } of charges) {
          bill[side] += exact
          const amount = Number(exact)
          // Distance is counted once.
          const mm = side === 'after' ? chargedMm : 0
          amountOfTrip += amount
          mmOfTrip += mm
          cells.add('roadClass', roadClass, side, amount, mm)
          if (zones.length === 0) cells.add('zone', OUTSIDE, side, amount, mm)
          else for (const zone of zones) cells.add('zone', zone, side, amount, mm)
        }
        if (charges.length > 0) {
          cells.add('hour', HOURS[hour], side, amountOfTrip, mmOfTrip)
          cells.add('vehicleClass', vehicle.vehicleClass, side, amountOfTrip, mmOfTrip)
          const { trip: id } = charges[0]
          for (const { amount } of accrue({ trip: id, vehicle, startedAt, charges }, tariffs[side], windows[side]))
            bill[side] += amount
        }
        distanceMm += mmOfTrip
        if (trip.roads)
          for (const { name, distanceMm: mm, amount } of trip.roads[side])
            cells.add('road', name, side, amount, side === 'after' ? mm : 0)
      }
    }
  }
  const vehicles = new Map(trips.map(({ vehicle }) => [vehicle.vehicle, vehicle]))
  return {
    trips: trips.length,
    vehicles: vehicles.size,
    distanceMm,
    before: micros(bill.before),
    after: micros(bill.after),
    groups: {
      vehicleClass: [...new Set([...vehicles.values()].map(({ vehicleClass }) => vehicleClass))].sort(),
      programme: programmesOf([...vehicles.values()]),
      area: [cells.largest('zone')],
    },
    cells: cells.all(),
  }
}

const HOURS = Array.from({ length: 24 }, (_, hour) => `${String(hour).padStart(2, '0')}:00`)
/** Where no zone of a tariff is. */
const OUTSIDE = '(outside all zones)'

const programmesOf = (vehicles: readonly RatedVehicle[]): string[] =>
  [...new Set(vehicles.flatMap(({ programmes }) => programmes ?? []))].sort()

interface Cell {
  vehicles: number
  /** The last vehicle that was counted. */
  last: string
  before: number
  after: number
  distanceMm: number
}

/** Sums of one account in doubles: exact up to 9,000 million coins. */
class Cells {
  /** Of whom the sums are that come next. Vehicles come one after the other. */
  vehicle = ''
  private readonly cells = byKind(CELL_KINDS, () => new Map<string, Cell>())

  add(kind: CellKind, name: string, side: Side, amount: number, mm: number): void {
    const those = this.cells[kind]
    let cell = those.get(name)
    if (!cell) those.set(name, (cell = { vehicles: 0, last: '', before: 0, after: 0, distanceMm: 0 }))
    if (cell.last !== this.vehicle) {
      cell.last = this.vehicle
      cell.vehicles++
    }
    if (side === 'before') cell.before += amount
    else cell.after += amount
    cell.distanceMm += mm
  }

  /** Where most of the distance was driven. */
  largest(kind: CellKind): string {
    const those = [...this.cells[kind]]
    invariant(those.length > 0, `nothing was driven in any ${kind}`)
    return those.reduce((most, cell) =>
      cell[1].distanceMm > most[1].distanceMm || (cell[1].distanceMm === most[1].distanceMm && cell[0] < most[0])
        ? cell
        : most,
    )[0]
  }

  all(): ComparedAccount['cells'] {
    return CELL_KINDS.flatMap((kind) =>
      [...this.cells[kind]].map(([name, { vehicles, before, after, distanceMm }]) => {
        invariant(Number.isSafeInteger(before) && Number.isSafeInteger(after), `too much money in one ${kind}`)
        return { kind, name, vehicles, before, after, distanceMm }
      }),
    )
  }
}
