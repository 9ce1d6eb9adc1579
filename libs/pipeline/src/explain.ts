import { type Charge, type PolicyDocument } from '#contracts'
import { digest, InputError, type TripId } from '#kernel'
import { ENGINE_VERSION, explainFixes, type ExplainedFix, type Traversal } from '#map-matching'
import { type RoadNetwork } from '#road-network'
import { chargesOf, pathOf, tripById, type TripRow, type Tx } from '#store'
import { type Line } from './line'
import { rematch } from './match'

/** A trip with all that says why it costs what it costs. It holds locations: for the citizen, and for whoever answers them. */
export interface ExplainedTrip {
  readonly trip: TripRow
  readonly network: RoadNetwork
  readonly fixes: readonly ExplainedFix[]
  readonly traversals: readonly Traversal[]
  readonly breaks: number
  readonly forced: number
  readonly charges: readonly Charge[]
  readonly policies: readonly PolicyDocument[]
  /**
   * Whether the same engine, run again, drives the same roads as are stored. Where it doesn't (the trip was matched by another engine), `traversals`
   * and `fixes` are this engine's, and the charges those of the stored ones.
   */
  readonly isReproduced: boolean
}

/** InputError NO_TRIP, or TRIP_OPEN where it has not been matched yet, or FIXES_GONE where its locations were destroyed. */
export async function explainTrip(tx: Tx, id: TripId, line: Line): Promise<ExplainedTrip> {
  const trip = await tripById(tx, id)
  if (!trip) throw new InputError('NO_TRIP', `there is no trip ${id}`)
  if (!trip.network)
    throw new InputError('TRIP_OPEN', `trip ${id} is ${trip.state}: it has not been matched to roads yet`)
  const stored = await pathOf(tx, id)
  const { network, matcher } = await line.reference.network(tx, trip.agency, trip.network)
  const { sent, fixes, match } = await rematch(tx, trip, matcher)
  if (!stored || sent !== trip.fixes)
    throw new InputError('FIXES_GONE', `the locations of trip ${id} are not kept any more`)
  const { documents } = await line.reference.tariff(tx, trip.agency)
  return {
    trip,
    network,
    fixes: explainFixes(network, fixes, match),
    traversals: match.traversals,
    breaks: match.breaks,
    forced: match.forced,
    charges: (await chargesOf(tx, [id])).get(id) ?? [],
    policies: documents,
    isReproduced: trip.engine === ENGINE_VERSION && digest(match.traversals) === digest(stored.traversals),
  }
}
