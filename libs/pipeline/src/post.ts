import { type PolicyDocument } from '#contracts'
import { invariant, type AgencyId, type TripId } from '#kernel'
import { capTransfer, tripTransfer, type Occasion } from '#ledger'
import { accrue, earningsOf, windowKey, windowsOf, type AccruedTrip } from '#rating'
import {
  moveTrips,
  pricedLinesOf,
  ratedVehicles,
  record,
  saveWindows,
  windowsBefore,
  type Entry,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'

/** Posts rated trips: what they cost, and what accruals give back or add because of them. */
export async function post(tx: Tx, keys: readonly string[], line: Line): Promise<WorkKey[]> {
  const trips = await moveTrips(tx, keys as readonly TripId[], 'rated', 'posted')
  const [charges, vehicles] = await Promise.all([
    pricedLinesOf(
      tx,
      trips.map(({ id }) => id),
    ),
    ratedVehicles(
      tx,
      trips.map(({ vehicle, startedAt }) => ({ vehicle, at: startedAt! })),
    ),
  ])
  const tariffs = new Map<AgencyId, readonly PolicyDocument[]>()
  for (const agency of new Set(trips.map((trip) => trip.agency)))
    tariffs.set(agency, (await line.reference.tariff(tx, agency)).documents)
  const priced = trips.map((trip, i) => {
    const accrued: AccruedTrip = {
      trip: trip.id,
      vehicle: vehicles[i],
      startedAt: trip.startedAt!,
      charges: charges.get(trip.id)!,
    }
    return { trip, accrued, documents: tariffs.get(trip.agency)! }
  })
  // Agencies' policies have ids of their own.
  const touched = priced.flatMap(({ accrued, documents }) => windowsOf([accrued], documents))
  const windows = await windowsBefore(tx, [...new Map(touched.map((window) => [windowKey(window), window])).values()])
  const entries: Entry[] = []
  for (const { trip, accrued, documents } of priced) {
    if (accrued.charges.length === 0) continue
    const policies = new Map(documents.map((policy) => [policy.id, policy]))
    const currencies = new Set(accrued.charges.map((charge) => policies.get(charge.policy)!.currency))
    invariant(currencies.size === 1, `trip ${trip.id} is priced in ${[...currencies].join(' and ')}`)
    const occasion: Occasion = {
      agency: trip.agency,
      currency: [...currencies][0],
      payer: trip.account,
      happenedAt: trip.endedAt!,
    }
    const month = trip.month!
    const earnings = charges.get(trip.id)!.flatMap((charge) => earningsOf(charge, policies.get(charge.policy)!))
    entries.push({ transfer: tripTransfer(occasion, { trip: trip.id }, earnings), month })
    for (const { window, ...earning } of accrue(accrued, documents, windows))
      entries.push({ transfer: capTransfer(occasion, { ...window, trip: trip.id }, earning), month })
  }
  await saveWindows(tx, windows)
  await record(tx, entries, line.clock.now())
  return []
}
