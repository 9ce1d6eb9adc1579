import { apart, VEHICLES_MIN } from '#disclosure'
import { elasticityByGroup, elasticityOf, NONE, type Driven, type Elasticity, type GroupResult } from '#evaluation'
import { type RatedVehicle } from '#contracts'
import { chance, InputError, type AgencyId, type VehicleId } from '#kernel'
import { localClock } from '#policy'
import {
  drivenByPart,
  drivenByVehicle,
  memberNames,
  ratedVehicles,
  saveTold,
  toldArms,
  type ToldArm,
  type Tx,
} from '#store'
import { requireClosed } from './exports'
import { type Line } from './line'

const MONTHS_MAX = 24
const DAY_MS = 86_400_000

/** What the driving of arms can be compared by. */
export const COMPARED_BY = ['hour', 'zone', 'road-class', 'vehicle-class', 'programme'] as const
export type ComparedBy = (typeof COMPARED_BY)[number]

/** How arms changed between a baseline and a pilot, with what it was asked of. */
export interface PilotResults {
  readonly agency: AgencyId
  readonly baseline: readonly string[]
  readonly pilot: readonly string[]
  /** What the resamples follow from: the same months give the same intervals. */
  readonly seed: string
  readonly vehicles: number | null
  /** null where the arm that is compared with is of too few. */
  readonly result: Elasticity | null
  /** By hour, zone and so on, where that was asked for. */
  readonly parts: { readonly by: ComparedBy; readonly groups: readonly GroupResult[]; readonly withheld: number } | null
}

/**
 * How vehicles that drove in both spans changed, by the arm that they were in during the second, against a control arm. Of closed
 * months only, from distances and amounts: no location is read. InputError where a month isn't closed or stands in both spans, and
 * where an arm differs by a few from one that was told before: the months of a question are kept.
 */
export async function pilotResults(
  tx: Tx,
  agency: AgencyId,
  asked: {
    readonly baseline: readonly string[]
    readonly pilot: readonly string[]
    readonly control: string
    readonly by: ComparedBy | null
  },
  line: Line,
): Promise<PilotResults> {
  const [baseline, pilot] = [[...new Set(asked.baseline)].sort(), [...new Set(asked.pilot)].sort()]
  for (const [name, months] of Object.entries({ baseline, pilot }))
    if (months.length === 0 || months.length > MONTHS_MAX)
      throw new InputError('MONTHS', `${name}: name 1 to ${MONTHS_MAX} months`)
  const both = baseline.find((month) => pilot.includes(month))
  if (both) throw new InputError('MONTHS', `${both} is in the baseline and in the pilot: it can only be one`)
  for (const month of [...baseline, ...pilot]) await requireClosed(tx, agency, month)
  const timeZone = (await line.reference.tariff(tx, agency)).documents[0]?.timeZone ?? 'UTC'
  const clock = localClock(timeZone)
  const days = (months: readonly string[]) =>
    months.reduce((sum, month) => sum + Math.round((clock.spanOf(month).to - clock.spanOf(month).from) / DAY_MS), 0)
  const [before, after] = [await drivenByVehicle(tx, agency, baseline), await drivenByVehicle(tx, agency, pilot)]
  const both_ = [...after].filter(([vehicle]) => before.has(vehicle)).sort(([a], [b]) => (a < b ? -1 : 1))
  const rated = await ratedVehicles(
    tx,
    both_.map(([vehicle, { startedAt }]) => ({ vehicle, at: startedAt })),
  )
  const driven = both_.map(([vehicle, { mm, amount }], i): Driven => ({
    arm: rated[i].arm ?? NONE,
    baselineMm: before.get(vehicle)!.mm / days(baseline),
    pilotMm: mm / days(pilot),
    pilotAmount: amount / days(pilot),
  }))
  const seed = `${agency}/${baseline.join()}/${pilot.join()}`
  const result = elasticityOf(driven, asked.control, chance(seed))
  const months = `${baseline.join()}/${pilot.join()}`
  const arms = (result?.arms ?? []).map(({ arm }): ToldArm => {
    const of = both_.filter((_, i) => driven[i].arm === arm && driven[i].baselineMm > 0)
    return { months, arm, members: memberNames(of.map(([vehicle]) => vehicle)) }
  })
  refuseDifference(await toldArms(tx, agency), arms)
  await saveTold(tx, agency, arms, line.clock.now())
  const { by } = asked
  const vehicles = new Map(rated.map((one, i) => [one.vehicle, { rated: one, driven: driven[i] }]))
  const parts = async () => {
    const told = { timeZone, none: NONE }
    return by === 'vehicle-class' || by === 'programme'
      ? byVehicle(vehicles, by)
      : byPart(
          vehicles,
          perDay(await drivenByPart(tx, agency, baseline, by!, told), days(baseline)),
          perDay(await drivenByPart(tx, agency, pilot, by!, told), days(pilot)),
        )
  }
  return {
    agency,
    baseline,
    pilot,
    seed,
    vehicles: result && driven.length,
    result,
    parts: by && { by, ...elasticityByGroup(await parts(), asked.control, chance(`${seed}/${by}`)) },
  }
}

/** Whoever has two answers subtracts: where an arm of one differs from an arm of another by a few, they would learn of those. */
function refuseDifference(told: readonly ToldArm[], arms: readonly ToldArm[]): void {
  for (const next of arms)
    for (const earlier of told) {
      const differ = apart(earlier.members, next.members, VEHICLES_MIN)
      if (differ > 0 && differ < VEHICLES_MIN)
        throw new InputError(
          'EVALUATION_DIFFERS',
          `an arm of these months differs from one of ${earlier.months.replace('/', ' against ')}, which was told, by fewer than ${VEHICLES_MIN} vehicles: ask for months in which more of them changed`,
        )
    }
}

type Vehicles = ReadonlyMap<VehicleId, { readonly rated: RatedVehicle; readonly driven: Driven }>
interface Part {
  readonly vehicle: VehicleId
  readonly group: string
  readonly mm: number
  readonly amount: number
}
const perDay = (parts: readonly Part[], days: number): Part[] =>
  parts.map((part) => ({ ...part, mm: part.mm / days, amount: part.amount / days }))

/** Vehicles by what they are. */
function byVehicle(vehicles: Vehicles, by: 'vehicle-class' | 'programme'): Map<string, Driven[]> {
  const groups = new Map<string, Driven[]>()
  for (const { rated, driven } of vehicles.values()) {
    const programmes = rated.programmes?.length ? rated.programmes : [NONE]
    for (const group of by === 'programme' ? programmes : [rated.vehicleClass])
      groups.set(group, [...(groups.get(group) ?? []), driven])
  }
  return groups
}

/** What vehicles drove there before and in the pilot; who drove there in neither is no part of it. */
function byPart(vehicles: Vehicles, before: readonly Part[], after: readonly Part[]): Map<string, Driven[]> {
  const groups = new Map<string, Map<VehicleId, Driven>>()
  for (const [parts, isPilot] of [
    [before, false],
    [after, true],
  ] as const)
    for (const { vehicle, group, mm, amount } of parts) {
      const arm = vehicles.get(vehicle)?.driven.arm
      if (arm === undefined) continue
      const of = groups.get(group) ?? new Map<VehicleId, Driven>()
      groups.set(group, of)
      const known = of.get(vehicle) ?? { arm, baselineMm: 0, pilotMm: 0, pilotAmount: 0 }
      of.set(vehicle, isPilot ? { ...known, pilotMm: mm, pilotAmount: amount } : { ...known, baselineMm: mm })
    }
  return new Map([...groups].map(([group, of]) => [group, [...of.values()]]))
}
