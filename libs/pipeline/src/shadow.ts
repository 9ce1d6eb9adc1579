import { type Charge } from '#contracts'
import { canonical, type AccountId, type AgencyId, type Instant, type TripId } from '#kernel'
import { chargeReport } from '#mileage'
import { localClock } from '#policy'
import {
  addAccount,
  compareAccount,
  comparisonOf,
  noComparison,
  rate,
  type ComparedTrip,
  type Comparison,
} from '#rating'
import {
  pathOf,
  ratedVehicles,
  chargesOf,
  saveShadowTrip,
  saveToldShadow,
  shadowBound,
  shadowsOf,
  shadowTrips,
  tripById,
  type Shadow,
  type ShadowTrip,
  type Store,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'

/** The shadows that a trip which began then is rated under. */
export const shadowsAt = async (tx: Tx, agency: AgencyId, at: Instant): Promise<Shadow[]> =>
  (await shadowsOf(tx, agency)).filter(({ from, to }) => from <= at && at < to)

/**
 * Rates a trip under the drafts that run alongside, and keeps what they would have charged apart: nothing of it goes to the
 * ledger or to a statement.
 */
export async function shadow(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const id = key as TripId
  const trip = await tripById(tx, id)
  if (!trip || trip.startedAt === null || trip.network === null) return []
  const path = await pathOf(tx, id)
  // Destroyed before its turn came: then there is nothing to rate.
  if (!path) return []
  const [vehicle] = await ratedVehicles(tx, [{ vehicle: trip.vehicle, at: trip.startedAt }])
  const { network } = await line.reference.network(tx, trip.agency, trip.network)
  for (const { policy, revision, digest, document } of await shadowsAt(tx, trip.agency, trip.startedAt)) {
    const { cut, compiled } = await line.reference.draft(tx, trip.agency, trip.network, digest, document)
    const metered = {
      trip: id,
      vehicle: trip.vehicle,
      startedAt: trip.startedAt,
      endedAt: trip.endedAt!,
      engine: trip.engine!,
    }
    const charges: Charge[] = rate(
      chargeReport(metered, path, network, () => cut),
      vehicle,
      () => compiled,
    )
    await saveShadowTrip(tx, trip.agency, { policy, revision }, id, charges)
  }
  return []
}

const ACCOUNTS_PER_PAGE = 500
const MINUTES_PER_DAY = 1440

/** What a shadow came to, of trips that were matched before `until`; `comparison` as canonical JSON has it. Both null: too few drove yet. */
export interface ShadowReport {
  readonly shadow: Pick<Shadow, 'policy' | 'revision' | 'from' | 'to' | 'digest'>
  readonly until: Instant | null
  readonly comparison: Comparison | null
}

/**
 * What a shadow has come to so far beside what was charged for the same trips; null where there is no such shadow. It grows by what ten
 * vehicles or more did, never shrinks, and is kept as it was told.
 */
export async function shadowReport(
  store: Store,
  agency: AgencyId,
  policy: string,
  line: Line,
): Promise<ShadowReport | null> {
  const shadow = (await store.transaction((tx) => shadowsOf(tx, agency))).findLast((one) => one.policy === policy)
  if (!shadow) return null
  const { revision, from, to, digest } = shadow
  const named = { policy, revision, from, to, digest }
  const now = line.clock.now()
  return store.transaction(async (tx) => {
    const { told, until } = await shadowBound(tx, agency, shadow, now)
    if (until === null)
      return { shadow: named, until: told?.until ?? null, comparison: (told?.comparison ?? null) as Comparison | null }
    const comparison = JSON.parse(canonical(await compared(tx, agency, shadow, until, line))) as Comparison
    await saveToldShadow(tx, agency, shadow, { until, comparison }, now)
    return { shadow: named, until, comparison }
  })
}

async function compared(tx: Tx, agency: AgencyId, shadow: Shadow, until: Instant, line: Line): Promise<Comparison> {
  const clock = localClock(shadow.document.timeZone)
  const sums = noComparison()
  const { documents } = await line.reference.tariff(tx, agency)
  for (let after: AccountId | null = null; ;) {
    const trips: ShadowTrip[] = await shadowTrips(tx, agency, shadow, until, after, ACCOUNTS_PER_PAGE)
    if (trips.length === 0) return comparisonOf(sums)
    const booked = await chargesOf(
      tx,
      trips.map(({ trip }) => trip),
    )
    const vehicles = await ratedVehicles(
      tx,
      trips.map(({ vehicle, startedAt }) => ({ vehicle, at: startedAt })),
    )
    const accounts = new Map<AccountId, ComparedTrip[]>()
    for (const [i, { trip, account, startedAt, charges }] of trips.entries()) {
      const one: ComparedTrip = {
        vehicle: vehicles[i],
        startedAt,
        hour: Math.floor((clock.minuteOfWeek(startedAt) % MINUTES_PER_DAY) / 60),
        before: booked.get(trip)!,
        after: charges,
        roads: null,
      }
      accounts.set(account, [...(accounts.get(account) ?? []), one])
    }
    for (const those of accounts.values())
      addAccount(sums, compareAccount(those, { before: documents, after: [shadow.document] }))
    after = trips.at(-1)!.account
  }
}
