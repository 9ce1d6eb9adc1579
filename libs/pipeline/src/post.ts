import { type Charge, type PolicyDocument } from '#contracts'
import { invariant, micros, type Micros, type TripId } from '#kernel'
import { capTransfer, tripTransfer, type Earning, type Occasion, type Transfer } from '#ledger'
import { capCredit, windowsOf } from '#rating'
import {
  chargesOf,
  moveTrip,
  record,
  saveWindow,
  tripById,
  windowBefore,
  type TripRow,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'

/** Posts a rated trip: what it costs, and what caps give back because of it. */
export async function post(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const id = key as TripId
  const trip = await tripById(tx, id)
  if (!trip || !(await moveTrip(tx, id, 'rated', 'posted'))) return []
  const charges = (await chargesOf(tx, [id])).get(id)!
  const { documents } = await line.reference.tariff(tx, trip.agency)
  const policies = new Map(documents.map((policy) => [policy.id, policy]))
  const priced = charges.filter((charge) => charge.amount !== 0n)
  if (priced.length === 0) return []
  const currencies = new Set(priced.map((charge) => policies.get(charge.policy)!.currency))
  invariant(currencies.size === 1, `trip ${id} is priced in ${[...currencies].join(' and ')}`)
  const occasion: Occasion = {
    agency: trip.agency,
    currency: [...currencies][0],
    payer: trip.account,
    happenedAt: trip.endedAt!,
  }
  const transfers = [
    tripTransfer(occasion, { trip: id }, earningsOf(priced, policies)),
    ...(await capTransfers(tx, trip, charges, documents, occasion)),
  ]
  await record(
    tx,
    trip.account,
    transfers.map((transfer) => ({ transfer, month: trip.month! })),
    line.clock.now(),
  )
  return []
}

/** What each jurisdiction has earned, in the order of their names. */
function earningsOf(charges: readonly Charge[], policies: ReadonlyMap<string, PolicyDocument>): Earning[] {
  const sums = new Map<string, bigint>()
  for (const charge of charges) {
    const { jurisdiction } = policies.get(charge.policy)!
    sums.set(jurisdiction, (sums.get(jurisdiction) ?? 0n) + charge.amount)
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([jurisdiction, amount]) => ({ jurisdiction, amount: micros(amount) }))
}

async function capTransfers(
  tx: Tx,
  trip: TripRow,
  charges: readonly Charge[],
  policies: readonly PolicyDocument[],
  occasion: Occasion,
): Promise<Transfer[]> {
  const transfers: Transfer[] = []
  for (const { window, cap, gross } of windowsOf(charges, trip.vehicle, policies)) {
    const before = await windowBefore(tx, window)
    const total = micros(before.gross + gross)
    const after = { gross: total, credit: capCredit(total, cap) }
    await saveWindow(tx, window, trip.id, gross, after)
    const change: Micros = micros(after.credit - before.credit)
    const { jurisdiction } = policies.find((policy) => policy.id === window.policy)!
    if (change !== 0n)
      transfers.push(capTransfer(occasion, { ...window, trip: trip.id }, { jurisdiction, amount: change }))
  }
  return transfers
}
