import type { ChargeReport, OtherRoad, OtherRoads, Stretch } from '#contracts'
import type { ZoneCut } from '#geofencing'
import { instant, invariant, millimetres, type Instant, type TripId, type VehicleId } from '#kernel'
import type { RoadPlace, Traversal } from '#map-matching'
import type { RoadNetwork } from '#road-network'

export interface MeteredTrip {
  readonly trip: TripId
  readonly vehicle: VehicleId
  readonly startedAt: Instant
  readonly endedAt: Instant
  readonly engine: string
}

/** A match as metering needs it: what was driven, and how many fixes had each fate (`matched` and reasons why not). */
export interface MatchedTrip {
  readonly traversals: readonly Traversal[]
  readonly fates: Readonly<Record<string, number>>
  readonly breaks: number
  readonly forced?: number
}

/** What metering reads of a network. */
export type MeteredRoads = Pick<RoadNetwork, 'digest' | 'ref'> & DrivenRoads

/** What cutting in stretches reads of a network. */
export type DrivenRoads = Pick<RoadNetwork, 'roadClass' | 'access' | 'lengthMm' | 'roadOf'>

/**
 * Turns the traversals of a trip into stretches, cut where zones begin and end. `zonesAt` gives the zone cut of the policy
 * in force at a moment, or null where none is, and the same object for the same policy: each stretch has the zones of the
 * policy in force when it was entered, also where a policy takes over in the middle of a road.
 *
 * Where another road may as well have been driven, a stretch names what can make that one cost something else: its class, its access, and
 * the zones that it lies in beside the traversal's least sure fix.
 *
 * A stretch that was driven in a long silence says the same of the roads at both ends of it.
 *
 * What is forgone of a traversal, because a shorter way may as well have been driven, are its last millimetres: stretches in doubt.
 * The millimetres of the stretches add up to those of the traversals, and so do their fixes; a stretch that is part of a
 * traversal gets its share of the traversal's time and fixes by distance, in whole numbers.
 */
export function chargeReport(
  trip: MeteredTrip,
  match: MatchedTrip,
  network: MeteredRoads,
  zonesAt: (at: Instant) => ZoneCut | null,
): ChargeReport {
  const stretches: Stretch[] = []
  const matchedMm = eachStretch(
    match,
    network,
    zonesAt,
    (traversal, fromMm, toMm, enteredAt, leftAt, zones, fixes, inDoubt, others) =>
      stretches.push({
        segment: network.ref(traversal.segment),
        fromMm: millimetres(fromMm),
        toMm: millimetres(toMm),
        enteredAt,
        leftAt,
        roadClass: network.roadClass(traversal.segment),
        access: network.access(traversal.segment),
        zones,
        inferred: traversal.inferred,
        confidence: traversal.confidence,
        fixes,
        ...(inDoubt && { inDoubt }),
        ...others,
      }),
  )
  const { matched = 0, ...unmatched } = match.fates
  const onStretches = stretches.reduce((sum, stretch) => sum + stretch.fixes, 0)
  invariant(onStretches === matched, `trip ${trip.trip}: ${matched} fixes matched but ${onStretches} lie on stretches`)
  return {
    v: 1,
    trip: trip.trip,
    vehicle: trip.vehicle,
    startedAt: trip.startedAt,
    endedAt: trip.endedAt,
    network: network.digest,
    engine: trip.engine,
    stretches,
    matchedMm: millimetres(matchedMm),
    fixes: {
      accepted: matched + Object.values(unmatched).reduce((sum, n) => sum + n, 0),
      matched,
      unmatched,
    },
    breaks: match.breaks,
    ...(match.forced && { forced: match.forced }),
  }
}

/**
 * [fromMm, toMm) of a traversal, when it was driven, in which zones, how many of the fixes lie on it; whether it is not to be charged;
 * which other roads it isn't to be dearer than.
 */
export type VisitStretch = (
  traversal: Traversal,
  fromMm: number,
  toMm: number,
  enteredAt: Instant,
  leftAt: Instant,
  zones: readonly string[],
  fixes: number,
  inDoubt: boolean,
  others: OtherRoads | null,
) => void

/** Calls `visit` with each stretch of a trip, as `chargeReport` has them, and returns their millimetres. */
export function eachStretch(
  { traversals }: Pick<MatchedTrip, 'traversals'>,
  network: DrivenRoads,
  zonesAt: (at: Instant) => ZoneCut | null,
  visit: VisitStretch,
): number {
  let matchedMm = 0
  for (const traversal of traversals) {
    const { segment, fromMm, toMm, enteredAt, leftAt, fixes, forgoneMm } = traversal
    invariant(toMm >= fromMm, 'a traversal runs in the direction of its segment')
    matchedMm += toMm - fromMm
    const cut = zonesAt(enteredAt)
    const first = firstPart(cut, network, segment, fromMm, toMm)
    if (first.toMm === toMm && !forgoneMm) {
      const others = othersOf(traversal, network, cut, first.zones)
      visit(traversal, fromMm, toMm, enteredAt, leftAt, first.zones, fixes, false, others)
    } else cutTraversal(traversal, network, zonesAt, visit)
  }
  return matchedMm
}

function cutTraversal(
  traversal: Traversal,
  network: DrivenRoads,
  zonesAt: (at: Instant) => ZoneCut | null,
  visit: VisitStretch,
): void {
  const { segment, fromMm, toMm, enteredAt, leftAt, fixes, forgoneMm = 0 } = traversal
  const lengthMm = toMm - fromMm
  /** The part of a whole that belongs to [fromMm, mm). */
  const upTo = (whole: number, mm: number) => Math.floor((whole * (mm - fromMm)) / lengthMm)
  const momentAt = (mm: number) => (mm === fromMm ? enteredAt : instant(enteredAt + upTo(leftAt - enteredAt, mm)))
  const surelyMm = toMm - forgoneMm
  let done = 0
  for (let at = fromMm; at < toMm;) {
    const inDoubt = at >= surelyMm
    const cut = zonesAt(momentAt(at))
    const part = firstPart(cut, network, segment, at, inDoubt ? toMm : surelyMm)
    const left = part.toMm === toMm ? leftAt : momentAt(part.toMm)
    const others = othersOf(traversal, network, cut, part.zones)
    visit(traversal, at, part.toMm, momentAt(at), left, part.zones, upTo(fixes, part.toMm) - done, inDoubt, others)
    done = upTo(fixes, part.toMm)
    at = part.toMm
  }
}

/** The other roads of a part of a traversal that lies in `zones`; null where there are none. */
function othersOf(
  { segment, rival, between }: Traversal,
  network: DrivenRoads,
  cut: ZoneCut | null,
  zones: readonly string[],
): OtherRoads | null {
  if (!rival && !between) return null
  const other = rival && network.roadOf(rival.segment) !== network.roadOf(segment) ? roadAt(network, cut, rival) : null
  // A rival that can't make a difference is none.
  const isRival =
    other &&
    (other.roadClass !== network.roadClass(segment) ||
      other.access !== network.access(segment) ||
      other.zones.length !== zones.length ||
      other.zones.some((zone, i) => zone !== zones[i]))
  if (!isRival && !between) return null
  return {
    ...(isRival && { rival: other }),
    ...(between && { between: [roadAt(network, cut, between[0]), roadAt(network, cut, between[1])] as const }),
  }
}

function roadAt(network: DrivenRoads, cut: ZoneCut | null, { segment, offsetMm }: RoadPlace): OtherRoad {
  const place = Math.min(offsetMm, network.lengthMm(segment) - 1)
  const zones = cut && place >= 0 ? cut.firstStretch(segment, place, place + 1).zones : []
  return { roadClass: network.roadClass(segment), access: network.access(segment), zones }
}

/** The first piece of [fromMm, toMm) of a segment that lies in one set of zones; of no length where the whole has none. */
function firstPart(
  zones: ZoneCut | null,
  network: Pick<MeteredRoads, 'lengthMm'>,
  segment: number,
  fromMm: number,
  toMm: number,
) {
  if (!zones) return { toMm, zones: [] }
  if (fromMm < toMm) return zones.firstStretch(segment, fromMm, toMm)
  const place = Math.min(fromMm, network.lengthMm(segment) - 1)
  return { toMm, zones: place < 0 ? [] : zones.firstStretch(segment, place, place + 1).zones }
}
