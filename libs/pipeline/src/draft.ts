import { mileageAccountSchema } from '#contracts'
import {
  canonical,
  digestOfCanonical,
  invariant,
  type AccountId,
  type Instant,
  type StatementId,
  type TripId,
  type VehicleId,
} from '#kernel'
import { accruedMileage, undone, windowsOf, type AccruedTrip, type Windows } from '#rating'
import { creditsOf, doubtsOf, draftStatement, profileOf } from '#statement'
import {
  agencyById,
  bookedMileage,
  chargesOf,
  cutoffCorrections,
  cutoffTrips,
  ratedVehicles,
  saveBilled,
  saveDrafts,
  tripsById,
  vehiclesOfAll,
  windowsBilled,
  type AccountPage,
  type Period,
  type Tx,
} from '#store'
import { type Tariff } from './reference'

/** Drafts the statements of a period for some accounts: all that they need is read at once, and all is written at once. */
export async function draftPage(
  tx: Tx,
  period: Period,
  accounts: readonly AccountPage[],
  tariff: Tariff,
  now: Instant,
): Promise<void> {
  const { agency, month } = period
  const owner = await agencyById(tx, agency)
  invariant(owner, `no agency ${agency}`)
  const ids = accounts.map(({ id }) => id)
  const trips = await cutoffTrips(tx, period, ids)
  const tripIds = trips.map(({ id }) => id)
  const charges = await chargesOf(tx, tripIds)
  const tripsOf = groupBy(trips, ({ account }) => account)
  const mileage = (await bookedMileage(tx, agency, month, ids)).map(({ account, document }) => ({
    account,
    document: mileageAccountSchema.parse(document),
  }))
  const mileageOf = groupBy(mileage, ({ account }) => account)
  const vehiclesThen = await ratedVehicles(
    tx,
    trips.map(({ vehicle, startedAt }) => ({ vehicle, at: startedAt! })),
  )
  const accruedOf = new Map(
    trips.map((trip, i): [TripId, AccruedTrip] => [
      trip.id,
      { trip: trip.id, vehicle: vehiclesThen[i], startedAt: trip.startedAt!, charges: charges.get(trip.id)! },
    ]),
  )
  const corrected = await correctedOf(tx, period, ids)
  const correctionsOf = groupBy(corrected, ({ account }) => account)
  const vehicles = await vehiclesOfAll(tx, ids)
  const read = mileage.map(({ account, document }) => {
    const { vehicleClass } = vehicles.find(({ vehicle }) => vehicle === document.vehicle)!
    return {
      account,
      trips: accruedMileage(document, { ...document.profile, vehicle: document.vehicle as VehicleId, vehicleClass }),
    }
  })
  const touched = [
    ...accruedOf.values(),
    ...corrected.flatMap(({ before, after }) => [before, after]),
    ...read.flatMap(({ trips }) => trips),
  ]
  const before = await windowsBilled(tx, month, windowsOf(touched, tariff.documents))
  const after: Windows = new Map(before)
  const vehiclesOf = groupBy(vehicles, ({ account }) => account)
  const readOf = groupBy(read, ({ account }) => account)

  const files = accounts.map(({ id, name, lastExact }) => {
    const statement = draftStatement({
      agency: owner,
      account: { id, name },
      month,
      policies: tariff.documents,
      vehicles: vehiclesOf.get(id) ?? [],
      trips: (tripsOf.get(id) ?? []).map((trip) => ({
        trip: trip.id,
        vehicle: trip.vehicle,
        startedAt: trip.startedAt!,
        endedAt: trip.endedAt!,
        report: trip.reportDigest!,
        engine: trip.engine!,
        network: trip.network!,
        profile: profileOf(accruedOf.get(trip.id)!.vehicle),
        charges: charges.get(trip.id)!,
      })),
      capCredits: creditsOf(
        [
          ...(tripsOf.get(id) ?? []).map((trip) => accruedOf.get(trip.id)!),
          ...(correctionsOf.get(id) ?? []).flatMap(({ before, after }) => [before, after]),
          ...(readOf.get(id) ?? []).flatMap((account) => account.trips),
        ],
        tariff.documents,
        after,
      ),
      corrections: (correctionsOf.get(id) ?? []).map(({ trip }) => trip),
      mileage: (mileageOf.get(id) ?? []).map(({ document }) => document),
      draftedAt: now,
    })
    const document = canonical(statement)
    return {
      id: statement.id as StatementId,
      account: id,
      document,
      digest: digestOfCanonical(document),
      due: statement.totals.due,
      exact: statement.totals.exact,
      holds: doubtsOf(statement, lastExact),
    }
  })
  await saveDrafts(tx, period, files, now)
  await saveBilled(tx, month, new Map([...after].filter(([key, { state }]) => before.get(key)?.state !== state)))
}

/** The corrections of a period as a statement says them, and as windows count them: the trip as it was, undone, and as it is. */
async function correctedOf(tx: Tx, period: Period, accounts: readonly AccountId[]) {
  const rows = await cutoffCorrections(tx, period, accounts)
  if (rows.length === 0) return []
  const trips = await tripsById(
    tx,
    rows.map(({ trip }) => trip),
  )
  const vehicles = await ratedVehicles(
    tx,
    trips.map(({ vehicle, startedAt }) => ({ vehicle, at: startedAt! })),
  )
  return rows.map(({ account, dispute, revision, because, vehicleClass, was, now }, i) => {
    const { id, startedAt, endedAt, reportDigest, engine, network } = trips[i]
    const vehicle = vehicles[i]
    const accrued = { trip: id, vehicle, startedAt: startedAt! }
    return {
      account,
      before: undone({ ...accrued, charges: was }),
      after: { ...accrued, vehicle: { ...vehicle, vehicleClass: vehicleClass ?? vehicle.vehicleClass }, charges: now },
      trip: {
        ...accrued,
        vehicle: vehicle.vehicle,
        endedAt: endedAt!,
        report: reportDigest!,
        engine: engine!,
        network: network!,
        profile: profileOf(vehicle),
        dispute,
        revision,
        because,
        ...(vehicleClass && { vehicleClass }),
        charges: now,
        was,
      },
    }
  })
}

function groupBy<Key, Item>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}
