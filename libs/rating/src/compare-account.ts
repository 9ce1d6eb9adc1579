import { type Charge, type PolicyDocument, type RatedVehicle } from '#contracts'
import { invariant, micros, type Instant, type Micros } from '#kernel'
import { accrue, type Windows } from './accruals'
import { type CellKind, type ComparedAccount } from './comparison'

/** A trip with what it costs under two tariffs. */
export interface ComparedTrip {
  readonly vehicle: RatedVehicle
  readonly startedAt: Instant
  /** Local hour in which it began, 0 to 23. */
  readonly hour: number
  readonly before: readonly Charge[]
  readonly after: readonly Charge[]
  /** What its distance costs by the name of the road, where that was asked for. */
  readonly roads: readonly {
    readonly name: string
    readonly distanceMm: number
    readonly before: Micros
    readonly after: Micros
  }[]
}

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
  for (const side of ['before', 'after'] as const) {
    const windows: Windows = new Map()
    for (const { vehicle, startedAt, hour, roads, [side]: charges } of trips) {
      const hourName = `${String(hour).padStart(2, '0')}:00`
      for (const charge of charges) {
        // Distance is counted once.
        const mm = side === 'after' ? charge.distanceMm : 0
        distanceMm += mm
        bill[side] += charge.amount
        cells.add('hour', hourName, vehicle, side, charge.amount, mm)
        cells.add('vehicleClass', vehicle.vehicleClass, vehicle, side, charge.amount, mm)
        cells.add('roadClass', charge.roadClass, vehicle, side, charge.amount, mm)
        for (const zone of charge.zones.length ? charge.zones : [OUTSIDE])
          cells.add('zone', zone, vehicle, side, charge.amount, mm)
      }
      for (const { name, distanceMm: mm, [side]: amount } of roads)
        cells.add('road', name, vehicle, side, amount, side === 'after' ? mm : 0)
      if (charges.length > 0)
        for (const { amount } of accrue({ trip: charges[0].trip, vehicle, startedAt, charges }, tariffs[side], windows))
          bill[side] += amount
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

/** Where no zone of a tariff is. */
const OUTSIDE = '(outside all zones)'

const programmesOf = (vehicles: readonly RatedVehicle[]): string[] =>
  [...new Set(vehicles.flatMap(({ programmes }) => programmes ?? []))].sort()

interface Cell {
  readonly kind: CellKind
  readonly name: string
  readonly vehicles: Set<string>
  before: bigint
  after: bigint
  distanceMm: number
}

class Cells {
  private readonly cells = new Map<string, Cell>()

  add(
    kind: CellKind,
    name: string,
    { vehicle }: RatedVehicle,
    side: 'before' | 'after',
    amount: bigint,
    mm: number,
  ): void {
    const key = `${kind} ${name}`
    let cell = this.cells.get(key)
    if (!cell) this.cells.set(key, (cell = { kind, name, vehicles: new Set(), before: 0n, after: 0n, distanceMm: 0 }))
    cell.vehicles.add(vehicle)
    cell[side] += amount
    cell.distanceMm += mm
  }

  /** Where most of the distance was driven. */
  largest(kind: CellKind): string {
    const those = [...this.cells.values()].filter((cell) => cell.kind === kind)
    invariant(those.length > 0, `nothing was driven in any ${kind}`)
    return those.reduce((most, cell) =>
      cell.distanceMm > most.distanceMm || (cell.distanceMm === most.distanceMm && cell.name < most.name) ? cell : most,
    ).name
  }

  all(): ComparedAccount['cells'] {
    return [...this.cells.values()].map(({ vehicles, before, after, ...cell }) => ({
      ...cell,
      vehicles: vehicles.size,
      before: micros(before),
      after: micros(after),
    }))
  }
}
