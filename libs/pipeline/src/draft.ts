import { mileageAccountSchema } from '#contracts'
import { canonical, digestOfCanonical, invariant, micros, type Instant, type StatementId } from '#kernel'
import { amountOf } from '#policy'
import { capCredit } from '#rating'
import { doubtsOf, draftStatement } from '#statement'
import {
  agencyById,
  bookedMileage,
  chargesOf,
  cutoffTrips,
  cutoffWindows,
  saveDrafts,
  vehiclesOfAll,
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
  const windowsOf = groupBy(await cutoffWindows(tx, period, tripIds), ({ account }) => account)
  const mileageOf = groupBy(await bookedMileage(tx, agency, month, ids), ({ account }) => account)
  const vehiclesOf = groupBy(await vehiclesOfAll(tx, ids), ({ account }) => account)

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
        charges: charges.get(trip.id)!,
      })),
      capCredits: (windowsOf.get(id) ?? []).map(({ account: _, gross, ...window }) => {
        const policy = tariff.documents.find((document) => document.id === window.policy)!
        const cap = amountOf(policy.caps.find((one) => one.id === window.cap)!.amount)
        return {
          ...window,
          amount: micros(capCredit(micros(window.grossBefore + gross), cap) - capCredit(window.grossBefore, cap)),
        }
      }),
      mileage: (mileageOf.get(id) ?? []).map(({ document }) => mileageAccountSchema.parse(document)),
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
