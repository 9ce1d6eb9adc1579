import { millimetres, type Instant, type Millimetres } from '#kernel'
import { FATES, type FixColumns, type Match } from '#map-matching'
import { lengthM } from '#road-network'

/** What a device read off the vehicle's odometer during a trip, in its own order: [epoch ms, mm]. */
export type OdometerPair = readonly [at: number, mm: number]

/** How far a trip was, told three ways: by the roads it was matched to, by its fixes alone, by the odometer. */
export interface TripDistances {
  /** On roads, at fixes, and between them. */
  readonly matchedMm: Millimetres
  readonly inferredMm: Millimetres
  /** Driven where the map has no road; where both ends of it were joined by road, that was driven instead. */
  readonly offNetworkMm: Millimetres
  /** Along the fixes. Never charged: at one fix a second it reads up to 20 % long, at 30 s 3 % short. */
  readonly rawMm: Millimetres
  /** What the odometer grew by between its first and its last reading within the trip; null with fewer than two. */
  readonly odometerMm: Millimetres | null
  /** What was metered between these two readings. */
  readonly meteredMm: Millimetres | null
}

/** Hops shorter than this are jitter: summed up they would be road that nobody drove. */
const HOP_M_MIN = 15

/** The distances of a matched trip. Fixes that the matcher left out count in none of them. */
export function distancesOf(
  fixes: FixColumns,
  match: Pick<Match, 'traversals' | 'fates'>,
  pairs: readonly OdometerPair[],
): TripDistances {
  let [matchedMm, inferredMm] = [0, 0]
  for (const { fromMm, toMm, inferred } of match.traversals)
    if (inferred) inferredMm += toMm - fromMm
    else matchedMm += toMm - fromMm
  const hops = hopsOf(fixes, match)
  const sum = (of: 'metres' | 'offM') => millimetres(Math.round(hops.reduce((m, hop) => m + hop[of], 0) * 1000))
  const [first, last] = [pairs[0], pairs.at(-1)]
  const witnessed = first && last && last[0] > first[0] && last[1] >= first[1]
  return {
    matchedMm: millimetres(matchedMm),
    inferredMm: millimetres(inferredMm),
    offNetworkMm: sum('offM'),
    rawMm: sum('metres'),
    odometerMm: witnessed ? millimetres(last[1] - first[1]) : null,
    meteredMm: witnessed ? meteredBetween(match, hops, first[0], last[0]) : null,
  }
}

interface Hop {
  readonly from: number
  readonly to: number
  readonly metres: number
  /** Of it, what was driven off the network: where it ends or began there, as long as no road was driven meanwhile. */
  readonly offM: number
}

const GOOD = new Set(['matched', 'off-network'])

/** From each fix that counts to the next one that is further away than jitter. */
function hopsOf(fixes: FixColumns, { traversals, fates }: Pick<Match, 'traversals' | 'fates'>): Hop[] {
  const hops: Hop[] = []
  let next = 0
  /** Share of a time, later than any asked for before, in which no road was driven. */
  const shareOffRoad = (from: number, to: number): number => {
    while (next < traversals.length && traversals[next].leftAt <= from) next++
    let onRoadMs = 0
    for (let i = next; i < traversals.length && traversals[i].enteredAt < to; i++)
      onRoadMs += Math.min(traversals[i].leftAt, to) - Math.max(traversals[i].enteredAt, from)
    return 1 - onRoadMs / (to - from)
  }
  let last = -1
  let wasOff = false
  for (let i = 0; i < fixes.length; i++) {
    const fate = FATES[fates[i]]
    if (!GOOD.has(fate)) continue
    const off = fate === 'off-network'
    if (last >= 0) {
      const metres = lengthM(fixes.lon[last], fixes.lat[last], fixes.lon[i], fixes.lat[i])
      if (metres < HOP_M_MIN) continue
      const [from, to] = [fixes.at[last], fixes.at[i]]
      hops.push({ from, to, metres, offM: off || wasOff ? metres * shareOffRoad(from, to) : 0 })
    }
    last = i
    wasOff = off
  }
  return hops
}

/** Roads and off-network hops within [from, to), a part of one by its share of time. */
function meteredBetween(match: Pick<Match, 'traversals'>, hops: readonly Hop[], from: number, to: number): Millimetres {
  let mm = roadMmBetween(match.traversals, from, to)
  for (const hop of hops) mm += hop.offM * 1000 * shareOf(hop.from, hop.to, from, to)
  return millimetres(Math.round(mm))
}

/** Of roads what was driven within [from, to), a part of one by its share of time. */
export const roadMmBetween = (traversals: Match['traversals'], from: number, to: number): number =>
  traversals.reduce(
    (mm, { fromMm, toMm, enteredAt, leftAt }) => mm + (toMm - fromMm) * shareOf(enteredAt, leftAt, from, to),
    0,
  )

const shareOf = (start: number, end: number, from: number, to: number): number =>
  end <= start
    ? Number(from <= start && start < to)
    : Math.max(0, Math.min(end, to) - Math.max(start, from)) / (end - start)

/** The fixes that a vehicle's method allows to be read; the others are known by their number alone. */
export function readable(fixes: FixColumns, allows: (at: Instant) => boolean): FixColumns {
  const kept = Array.from({ length: fixes.length }, (_, i) => i).filter((i) => allows(fixes.at[i] as Instant))
  if (kept.length === fixes.length) return fixes
  return {
    length: kept.length,
    at: Float64Array.from(kept, (i) => fixes.at[i]),
    lon: Float64Array.from(kept, (i) => fixes.lon[i]),
    lat: Float64Array.from(kept, (i) => fixes.lat[i]),
    accuracyM: Float32Array.from(kept, (i) => fixes.accuracyM[i]),
  }
}
