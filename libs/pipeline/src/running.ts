import { type Batch, type RunningTrip } from '#contracts'
import { instant, invariant, micros, NO_MONEY, type AccountId, type Instant, type Micros, type TripId } from '#kernel'
import { ENGINE_VERSION, FATES, type Matcher, type Traversal } from '#map-matching'
import { chargeReport, givesLocation, methodLine, readable } from '#mileage'
import { rate } from '#rating'
import { batchesOf, choicesOf, networkInForce, ratedVehicles, tripsWhere, vehicleById, type Tx } from '#store'
import { type Line } from './line'
import { fixColumns } from './match'

const TRIPS_MAX = 20

/** What became certain of a trip under way, and the matcher's own state: enough to go on from without what it was made from. */
interface Followed {
  /** What it was followed under: another network, or another choice of what is read, begins anew. */
  readonly under: string
  /** Number of the batch that is read next. */
  readonly nextSeq: number
  /** Fixes that were read, and the times of the first and the last of them. */
  readonly read: number
  readonly firstAt: number
  readonly lastAt: number
  readonly traversals: readonly Traversal[]
  readonly fates: Readonly<Record<string, number>>
  readonly breaks: number
  readonly state: Uint8Array | null
}

/**
 * What the trips under way of accounts came to so far. Each look reads and matches only what has come in since the last one: the
 * matcher goes on from its saved state, and gives what matching the whole trip would give, to the byte. Provisional all the same: fixes that
 * come may show that another road was driven, and caps and allowances are of longer than a trip. Kept in memory while somebody watches and
 * the trip goes on, and no longer; a process that starts anew reads a trip once from its beginning.
 */
export class RunningTrips {
  private readonly followed = new Map<AccountId, Map<TripId, Followed>>()

  constructor(private readonly line: Line) {}

  async of(tx: Tx, account: AccountId): Promise<RunningTrip[]> {
    const { reference } = this.line
    const running: RunningTrip[] = []
    const kept = this.followed.get(account) ?? new Map<TripId, Followed>()
    this.followed.set(account, kept)
    const trips = await tripsWhere(tx, `account = $1 and state = 'open' order by id limit ${TRIPS_MAX}`, [account])
    for (const id of [...kept.keys()]) if (!trips.some((trip) => trip.id === id)) kept.delete(id)
    for (const trip of trips) {
      const choices = await choicesOf(tx, trip.vehicle)
      const method = methodLine(choices)
      let before = kept.get(trip.id) ?? null
      const from = before?.nextSeq ?? trip.firstSeq
      let batches = from > trip.lastSeq ? [] : await batchesOf(tx, trip, from)
      const firstAt = before?.firstAt ?? batches.find(({ fixes }) => fixes.length > 0)?.fixes[0][0]
      if (firstAt === undefined) continue
      const digest = await networkInForce(tx, trip.agency, instant(firstAt))
      if (!digest) continue
      const under = JSON.stringify([digest, choices])
      if (before && before.under !== under) {
        before = null
        batches = await batchesOf(tx, trip)
      }
      const { network, matcher } = await reference.network(tx, trip.agency, digest)
      // From here to where it is kept nothing waits: a matcher follows one trip at a time, and two windows may look at one.
      const known = kept.get(trip.id) ?? null
      const follows = before ?? { ...NOTHING, under, nextSeq: trip.firstSeq, firstAt, lastAt: firstAt }
      // Another window was quicker, and knows as much.
      const { now, tail } =
        known && known.under === under && known.nextSeq > follows.nextSeq
          ? follow(matcher, known, [], () => true)
          : follow(matcher, follows, batches, (at) => givesLocation(method, at))
      kept.set(trip.id, now)

      if (now.read === 0) continue
      const [first, last] = [instant(now.firstAt), instant(now.lastAt)]
      const span = { trip: trip.id, vehicle: trip.vehicle, startedAt: first, endedAt: last, engine: ENGINE_VERSION }
      const report = chargeReport(span, tail, network, await reference.zonesAt(tx, trip.agency, digest))
      const tariff = await reference.tariff(tx, trip.agency)
      const [vehicle] = await ratedVehicles(tx, [{ vehicle: trip.vehicle, at: first }])
      const charges = rate(report, vehicle, (at) => tariff.compiledAt(at))
      const owned = await vehicleById(tx, trip.vehicle)
      invariant(owned, `trip ${trip.id} has a vehicle`)
      running.push({
        vehicle: trip.vehicle,
        vehicleName: owned.name,
        startedAt: first,
        until: last,
        distanceMm: report.matchedMm,
        amountMicros: String(charges.reduce<Micros>((sum, { amount }) => micros(sum + amount), NO_MONEY)),
        currency: tariff.documents[0]?.currency ?? '',
        road: tail.traversals.length > 0 ? network.name(tail.traversals.at(-1)!.segment) : '',
      })
    }
    return running
  }

  /** Nobody watches an account any more: what was known of where it drives is let go. */
  forget(account: AccountId): void {
    this.followed.delete(account)
  }
}

const NOTHING = { read: 0, traversals: [], fates: {}, breaks: 0, state: null }

/** Follows a trip through its next batches; `tail` is the whole of it as if it ended here. */
export function follow(
  matcher: Matcher,
  before: Followed,
  batches: readonly Batch[],
  isGiven: (at: Instant) => boolean,
): { now: Followed; tail: { traversals: readonly Traversal[]; fates: Record<string, number>; breaks: number } } {
  const fixes = readable(fixColumns(batches), isGiven)
  if (before.state) matcher.restore(before.state)
  else matcher.begin()
  const certain = matcher.advance(fixes)
  const now: Followed = {
    ...before,
    nextSeq: batches.length > 0 ? batches.at(-1)!.seq + 1 : before.nextSeq,
    read: before.read + fixes.length,
    firstAt: before.read > 0 || fixes.length === 0 ? before.firstAt : fixes.at[0],
    lastAt: fixes.length > 0 ? fixes.at[fixes.length - 1] : before.lastAt,
    traversals: [...before.traversals, ...certain.traversals],
    fates: counted(before.fates, certain.fates),
    breaks: before.breaks + certain.breaks,
    state: matcher.save(),
  }
  const rest = matcher.finish()
  return {
    now,
    tail: {
      traversals: [...now.traversals, ...rest.traversals],
      fates: counted(now.fates, rest.fates),
      breaks: now.breaks + rest.breaks,
    },
  }
}

function counted(before: Readonly<Record<string, number>>, fates: Uint8Array): Record<string, number> {
  const counts = { ...before }
  for (const fate of fates) counts[FATES[fate]] = (counts[FATES[fate]] ?? 0) + 1
  return counts
}
