import { type Charge, type PolicyDocument } from '#contracts'
import { invariant, micros, type AgencyId, type TripId } from '#kernel'
import { capTransfer, tripTransfer, type Earning, type Occasion } from '#ledger'
import { capCredit, windowsOf, type WindowGross } from '#rating'
import {
  chargesOf,
  moveTrips,
  record,
  saveWindows,
  windowKey,
  windowsBefore,
  type Entry,
  type TripRow,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'

/** Posts rated trips: what they cost, and what caps give back because of them. */
export async function post(tx: Tx, keys: readonly string[], line: Line): Promise<WorkKey[]> {
  const trips = await moveTrips(tx, keys as readonly TripId[], 'rated', 'posted')
  const charges = await chargesOf(
    tx,
    trips.map(({ id }) => id),
  )
  const entries: Entry[] = []
  const windows = new Windows()
  const tariffs = new Map<AgencyId, readonly PolicyDocument[]>()
  for (const agency of new Set(trips.map((trip) => trip.agency)))
    tariffs.set(agency, (await line.reference.tariff(tx, agency)).documents)
  for (const trip of trips) {
    const documents = tariffs.get(trip.agency)!
    const policies = new Map(documents.map((policy) => [policy.id, policy]))
    const priced = charges.get(trip.id)!.filter(({ amount }) => amount !== 0n)
    if (priced.length === 0) continue
    const currencies = new Set(priced.map((charge) => policies.get(charge.policy)!.currency))
    invariant(currencies.size === 1, `trip ${trip.id} is priced in ${[...currencies].join(' and ')}`)
    const occasion: Occasion = {
      agency: trip.agency,
      currency: [...currencies][0],
      payer: trip.account,
      happenedAt: trip.endedAt!,
    }
    entries.push({
      transfer: tripTransfer(occasion, { trip: trip.id }, earningsOf(priced, policies)),
      month: trip.month!,
    })
    for (const { window, cap, gross } of windowsOf(priced, trip.vehicle, documents))
      windows.add({ window, cap, gross, trip, occasion, jurisdiction: policies.get(window.policy)!.jurisdiction })
  }
  await record(tx, [...entries, ...(await windows.post(tx))], line.clock.now())
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

/** What a trip adds to a capped window. */
interface Addition extends WindowGross {
  readonly trip: TripRow
  readonly occasion: Occasion
  readonly jurisdiction: string
}

/** What trips add to capped windows, all read and all written at once. */
class Windows {
  private readonly additions: Addition[] = []

  add(addition: Addition): void {
    this.additions.push(addition)
  }

  /** Puts the additions on record and returns what the caps give back for each of them. */
  async post(tx: Tx): Promise<Entry[]> {
    if (this.additions.length === 0) return []
    const windows = [...new Map(this.additions.map(({ window }) => [windowKey(window), window])).values()]
    const before = await windowsBefore(tx, windows)
    const sums = new Map(windows.map((window, i) => [windowKey(window), { window, ...before[i] }]))
    const entries = this.additions.flatMap(({ window, cap, gross, trip, occasion, jurisdiction }): Entry[] => {
      const sum = sums.get(windowKey(window))!
      const total = micros(sum.gross + gross)
      const credit = capCredit(total, cap)
      const amount = micros(credit - sum.credit)
      sums.set(windowKey(window), { window, gross: total, credit })
      if (amount === 0n) return []
      const transfer = capTransfer(occasion, { ...window, trip: trip.id }, { jurisdiction, amount })
      return [{ transfer, month: trip.month! }]
    })
    await saveWindows(
      tx,
      this.additions.map(({ window, trip, gross }) => ({ window, trip: trip.id, gross })),
      [...sums.values()],
    )
    return entries
  }
}
