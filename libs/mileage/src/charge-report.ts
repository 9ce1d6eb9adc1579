import type { ChargeReport, Stretch } from '#contracts'
import type { ZoneCut } from '#geofencing'
import { instant, invariant, millimetres, type Instant, type TripId, type VehicleId } from '#kernel'
import type { Traversal } from '#map-matching'
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
}

/** What metering reads of a network. */
export type MeteredRoads = Pick<RoadNetwork, 'digest' | 'ref' | 'roadClass' | 'access' | 'lengthMm'>

/**
 * Turns the traversals of a trip into stretches, cut where zones begin and end. `zonesAt` gives the zone cut of the policy
 * in force at a moment, or null where none is, and the same object for the same policy: each stretch has the zones of the
 * policy in force when it was entered, also where a policy takes over in the middle of a road.
 *
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
  let matchedMm = 0
  for (const traversal of match.traversals) {
    cutTraversal(traversal, network, zonesAt, stretches)
    matchedMm += traversal.toMm - traversal.fromMm
  }
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
  }
}

function cutTraversal(
  traversal: Traversal,
  network: MeteredRoads,
  zonesAt: (at: Instant) => ZoneCut | null,
  into: Stretch[],
): void {
  const { segment, fromMm, toMm, enteredAt, leftAt, fixes, inferred, confidence } = traversal
  const lengthMm = toMm - fromMm
  invariant(lengthMm >= 0, 'a traversal runs in the direction of its segment')
  /** The part of a whole that belongs to [fromMm, mm). A vehicle that stands still has all of it at its one place. */
  const upTo = (whole: number, mm: number) => (lengthMm === 0 ? whole : Math.floor((whole * (mm - fromMm)) / lengthMm))
  const momentAt = (mm: number) => (mm === fromMm ? enteredAt : instant(enteredAt + upTo(leftAt - enteredAt, mm)))
  let done = 0
  for (let at = fromMm; ;) {
    const zones = zonesAt(momentAt(at))
    const part = firstPart(zones, network, segment, at, toMm)
    into.push({
      segment: network.ref(segment),
      fromMm: millimetres(at),
      toMm: millimetres(part.toMm),
      enteredAt: momentAt(at),
      leftAt: part.toMm === toMm ? leftAt : momentAt(part.toMm),
      roadClass: network.roadClass(segment),
      access: network.access(segment),
      zones: part.zones,
      inferred,
      confidence,
      fixes: upTo(fixes, part.toMm) - done,
    })
    done = upTo(fixes, part.toMm)
    at = part.toMm
    if (at === toMm) return
  }
}

/** The first piece of [fromMm, toMm) of a segment that lies in one set of zones; of no length where the whole has none. */
function firstPart(zones: ZoneCut | null, network: MeteredRoads, segment: number, fromMm: number, toMm: number) {
  if (!zones) return { toMm, zones: [] }
  if (fromMm < toMm) return zones.firstStretch(segment, fromMm, toMm)
  const place = Math.min(fromMm, network.lengthMm(segment) - 1)
  return { toMm, zones: place < 0 ? [] : zones.firstStretch(segment, place, place + 1).zones }
}
