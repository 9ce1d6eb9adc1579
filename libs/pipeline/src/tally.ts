import { Tally, VEHICLES_MIN } from '#disclosure'
import { contributionsOf, DATASETS, dayKindOf, type Calendar, type DatasetName, type TripFacts } from '#evaluation'
import { instant, type AgencyId, type Instant, type VehicleId } from '#kernel'
import { dayKinds, localClock } from '#policy'
import {
  addTally,
  beginCounting,
  chargesOf,
  countedTrips,
  countingOf,
  dropTally,
  mileageOfTrips,
  ratedVehicles,
  reportOf,
  saveCounting,
  tallyOf,
  waitingExports,
  type TripRow,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'
import { type Tariff } from './reference'
import { letOut } from './release'

/** Trips that one transaction counts: what a crash repeats. Always whole accounts, so that a vehicle is counted once. */
const TRIPS_MAX = 1_000

export const tallyWork = (agency: AgencyId, month: string): WorkKey => ({ stage: 'tally', key: `${agency}/${month}` })
export const exportWork = (id: string): WorkKey => ({ stage: 'export', key: id })

/** The tables that are made of a month's trips. */
export const TRIP_TABLES = (Object.keys(DATASETS) as DatasetName[]).filter((name) => name !== 'survey')

/**
 * Counts the trips of a month that was cut off into tables for analysts, a page of accounts at a time, and lets the tables out after
 * the last. What is counted under way is then destroyed: of the month stays what stands for many. Done again it changes nothing.
 */
export async function tally(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const [agency, month] = key.split('/') as [AgencyId, string]
  await beginCounting(tx, agency, month)
  const counting = (await countingOf(tx, agency, month))!
  if (counting.finishedAt !== null) return []
  const trips = await countedTrips(tx, agency, month, counting.lastAccount, TRIPS_MAX)
  if (trips.length === 0) {
    const now = line.clock.now()
    const { gone, vehicles } = counting
    // Of how many, where that is many itself.
    const facts = {
      trips: vehicles < VEHICLES_MIN ? null : counting.done,
      tripsWithoutLocation: vehicles < VEHICLES_MIN ? null : gone,
    }
    for (const dataset of TRIP_TABLES)
      await letOut(tx, { agency, dataset, period: month, facts }, await tallyOf(tx, agency, month, dataset), now)
    await dropTally(tx, agency, month)
    await saveCounting(tx, agency, month, { ...counting, finishedAt: now })
    return (await waitingExports(tx, agency, month)).map(({ id }) => exportWork(id))
  }
  const { vehicles, gone } = await countPage(tx, agency, month, trips, line)
  await saveCounting(tx, agency, month, {
    ...counting,
    done: counting.done + trips.length,
    gone: counting.gone + gone,
    vehicles: counting.vehicles + vehicles,
    lastAccount: trips.at(-1)!.account,
  })
  return [tallyWork(agency, month)]
}

async function countPage(tx: Tx, agency: AgencyId, month: string, trips: readonly TripRow[], line: Line) {
  const ids = trips.map(({ id }) => id)
  const charges = await chargesOf(tx, ids)
  const mileage = await mileageOfTrips(tx, ids)
  const rated = await ratedVehicles(
    tx,
    trips.map(({ vehicle, startedAt }) => ({ vehicle, at: startedAt! })),
  )
  const calendar = calendarOf(await line.reference.tariff(tx, agency))
  const tables = new Map(
    TRIP_TABLES.map((name) => [name, new Tally(DATASETS[name].measures.map(({ bound }) => bound))]),
  )
  const byVehicle = new Map<VehicleId, ReturnType<typeof contributionsOf>[]>()
  let gone = 0
  for (const [i, trip] of trips.entries()) {
    const report = await reportOf(tx, trip.id)
    if (!report) gone++
    const { network } = await line.reference.network(tx, agency, trip.network!)
    const facts: TripFacts = {
      startedAt: trip.startedAt!,
      vehicle: rated[i],
      charges: charges.get(trip.id)!,
      mileage: mileage.get(trip.id) ?? null,
      stretches: report && report.stretches,
    }
    const added = contributionsOf(facts, calendar, (ref, offsetMm) => {
      const segment = network.find(ref)
      return segment < 0 ? null : network.pointAt(segment, offsetMm)
    })
    byVehicle.set(trip.vehicle, [...(byVehicle.get(trip.vehicle) ?? []), added])
  }
  for (const [name, table] of tables) {
    for (const added of byVehicle.values())
      table.add(added.flatMap((of) => of[name as keyof (typeof added)[number]] ?? []))
    await addTally(tx, agency, month, name, table.cells())
  }
  return { vehicles: byVehicle.size, gone }
}

/** Hours and kinds of days under the policy in force. */
function calendarOf(tariff: Tariff): Calendar {
  const clock = localClock(tariff.documents[0]?.timeZone ?? 'UTC')
  const kindsOf = new Map<string, (day: number) => number>()
  return {
    hour: (at) => Math.floor((clock.minuteOfWeek(at) % 1440) / 60),
    dayKind(at: Instant) {
      const policy = tariff.inForce(instant(at))
      let kinds = kindsOf.get(policy?.id ?? '')
      if (!kinds) kindsOf.set(policy?.id ?? '', (kinds = dayKinds(policy ?? {})))
      return dayKindOf(kinds(clock.dayNumber(at)))
    },
  }
}
