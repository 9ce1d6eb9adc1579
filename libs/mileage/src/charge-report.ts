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

/**
 * Turns the traversals of a trip into stretches, cut where zones begin and end. `zonesAt` gives the zone cut of the policy
 * in force at a moment, or null where none is: each traversal is cut by the policy in force when it was entered.
 *
 * The millimetres of the stretches add up to those of the traversals, and so do their fixes; a stretch that is part of a
 * traversal gets its share of the traversal's time and fixes by distance, in whole numbers.
 */
export function chargeReport(
  trip: MeteredTrip,
  match: MatchedTrip,
  network: RoadNetwork,
  zonesAt: (at: Instant) => ZoneCut | null,
): ChargeReport {
  const stretches: Stretch[] = []
  let matchedMm = 0
  for (const traversal of match.traversals) {
    cutTraversal(traversal, network, zonesAt(traversal.enteredAt), stretches)
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
    fixes: { accepted: matched + Object.values(unmatched).reduce((sum, n) => sum + n, 0), matched, unmatched },
    breaks: match.breaks,
  }
}

function cutTraversal(traversal: Traversal, network: RoadNetwork, zones: ZoneCut | null, into: Stretch[]): void {
  const { segment, fromMm, toMm, enteredAt, leftAt, fixes, inferred, confidence } = traversal
  const lengthMm = toMm - fromMm
  invariant(lengthMm >= 0, 'a traversal runs in the direction of its segment')
  // A vehicle that stands still covers no ground, yet its fixes lie somewhere: on a stretch of no length.
  const parts =
    lengthMm > 0
      ? (zones?.stretches(segment, fromMm, toMm) ?? [{ fromMm, toMm, zones: [] }])
      : [{ fromMm, toMm, zones: zones ? zonesOfPoint(zones, network, segment, fromMm) : [] }]
  const share = (whole: number, mm: number) => (lengthMm === 0 ? whole : Math.floor((whole * mm) / lengthMm))
  for (const part of parts) {
    const start = part.fromMm - fromMm
    const end = part.toMm - fromMm
    into.push({
      segment: network.ref(segment),
      fromMm: millimetres(part.fromMm),
      toMm: millimetres(part.toMm),
      enteredAt: instant(enteredAt + (start === 0 ? 0 : share(leftAt - enteredAt, start))),
      leftAt: instant(enteredAt + share(leftAt - enteredAt, end)),
      roadClass: network.roadClass(segment),
      access: network.access(segment),
      zones: part.zones,
      inferred,
      confidence,
      fixes: share(fixes, end) - (start === 0 ? 0 : share(fixes, start)),
    })
  }
}

function zonesOfPoint(zones: ZoneCut, network: RoadNetwork, segment: number, atMm: number): readonly string[] {
  const from = Math.min(atMm, network.lengthMm(segment) - 1)
  return from < 0 ? [] : zones.stretches(segment, from, from + 1)[0].zones
}
