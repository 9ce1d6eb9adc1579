import {
  VEHICLE_CLASSES,
  type Access,
  type PolicyDocument,
  type PolicyWhom,
  type RatedVehicle,
  type RoadClass,
} from '#contracts'
import { type Fault, type VehicleId } from '#kernel'
import { type Question } from '#policy'
import { compilePolicy } from './compile'

/** All segments of a network that no tariff can tell apart: of one class and access, in the same zones. */
export interface Place {
  readonly roadClass: RoadClass
  readonly access: Access
  /** Sorted. */
  readonly zones: readonly string[]
  readonly lengthMm: number
}

export interface Coverage {
  /** How many (place, kind of vehicle, band of the week) were asked for their outcome. */
  readonly cells: number
  /** Distance of the map on which each rule comes first for some vehicle and hour, by id. */
  readonly lengthMm: ReadonlyMap<string, number>
  readonly faults: readonly Fault[]
  readonly questions: readonly Question[]
}

/**
 * Asks a policy for the outcome of every place of a map for every kind of vehicle and every hour of the week: each has exactly
 * one (a policy without one is a bug). Faults are zones without a road (`roadless`) and roads of two jurisdictions; a rule that
 * never comes first is a question: a map without ferries may have a rule for them.
 */
export function coverageOf(
  policy: PolicyDocument,
  places: readonly Place[],
  roadless: readonly string[] = [],
): Coverage {
  const tables = compilePolicy(policy)
  const lengthMm = new Map(policy.rules.map(({ id }) => [id, 0]))
  const faults: Fault[] = roadless.map((zone) => ({
    path: `zones.${zone}`,
    expected: 'expected a zone that holds a road of the map',
    found: 'none: it lies elsewhere, or between roads',
  }))
  const vehicles = kindsOfVehicle(policy)
  let cells = 0
  for (const { roadClass, access, zones, lengthMm: mm } of places) {
    const set = tables.zoneSets.numberOf(zones)
    const here = new Set<number>()
    for (const vehicle of vehicles) {
      tables.turnTo(vehicle)
      cells += tables.rulesAllWeek(roadClass, access, set, here)
    }
    for (const rule of here) {
      const { id } = policy.rules[rule]
      lengthMm.set(id, lengthMm.get(id)! + mm)
    }
    const jurisdictions = new Set(zones.flatMap((zone) => policy.zones[zone]?.jurisdiction ?? []))
    if (jurisdictions.size > 1 && !faults.some(({ path }) => path === `zones.${zones.at(-1)}.jurisdiction`))
      faults.push({
        path: `zones.${zones.at(-1)}.jurisdiction`,
        expected: 'expected each road in one jurisdiction',
        found: `${zones.join(' and ')}, of ${[...jurisdictions].join(' and ')}, share roads`,
      })
  }
  const questions = policy.rules.flatMap(({ id, name, match }, r): Question[] => {
    const isCrossed = tables.isEntryRule(r)
      ? match.zones!.some((zone) => places.some(({ zones }) => zones.includes(zone)))
      : lengthMm.get(id)! > 0
    return isCrossed
      ? []
      : [
          {
            path: `rules[${r}]`,
            question: `Is "${name}" wanted? It comes first nowhere on the map, for no vehicle at no hour.`,
          },
        ]
  })
  return { cells, lengthMm, faults, questions }
}

/** A vehicle of each class, and for each whom that a rule names one of each class that is just so. */
function kindsOfVehicle({ rules }: PolicyDocument): RatedVehicle[] {
  const whoms = new Map<string, PolicyWhom>()
  for (const { match } of rules) {
    const { weightKg, fiscalPower, occupancy, propulsions, emissionClasses, programmes, arms, methods } = match
    const whom = { weightKg, fiscalPower, occupancy, propulsions, emissionClasses, programmes, arms, methods }
    whoms.set(JSON.stringify(whom), whom)
  }
  return [...whoms.values()].flatMap((whom) =>
    VEHICLE_CLASSES.map((vehicleClass): RatedVehicle => ({
      vehicle: 'any' as VehicleId,
      vehicleClass,
      weightKg: within(whom.weightKg),
      fiscalPower: within(whom.fiscalPower),
      occupancy: within(whom.occupancy),
      propulsion: whom.propulsions?.[0],
      emissionClass: whom.emissionClasses?.[0],
      programmes: whom.programmes?.slice(0, 1),
      arm: whom.arms?.[0],
      method: whom.methods?.[0],
    })),
  )
}

const within = (range: PolicyWhom['weightKg']): number | undefined => range && (range.from ?? range.to! - 1)
