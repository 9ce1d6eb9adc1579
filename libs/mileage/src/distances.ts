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
  /** Driven where the map has no road. */
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
  const hops = hopsOf(fixes, match.fates)
  const sum = (of: readonly Hop[]) => millimetres(Math.round(of.reduce((m, hop) => m + hop.metres, 0) * 1000))
  const [first, last] = [pairs[0], pairs.at(-1)]
  const witnessed = first && last && last[0] > first[0] && last[1] >= first[1]
  return {
    matchedMm: millimetres(matchedMm),
    inferredMm: millimetres(inferredMm),
    offNetworkMm: sum(hops.filter((hop) => hop.off)),
    rawMm: sum(hops),
    odometerMm: witnessed ? millimetres(last[1] - first[1]) : null,
    meteredMm: witnessed ? meteredBetween(match, hops, first[0], last[0]) : null,
  }
}

interface Hop {
  readonly from: number
  readonly to: number
  readonly metres: number
  /** Ends where the map has no road, or began there. */
  readonly off: boolean
}

const GOOD = new Set(['matched', 'off-network'])

/** From each fix that counts to the next one that is further away than jitter. */
function hopsOf(fixes: FixColumns, fates: Match['fates']): Hop[] {
  const hops: Hop[] = []
  let last = -1
  let wasOff = false
  for (let i = 0; i < fixes.length; i++) {
    const fate = FATES[fates[i]]
    if (!GOOD.has(fate)) continue
    const off = fate === 'off-network'
    if (last >= 0) {
      const metres = lengthM(fixes.lon[last], fixes.lat[last], fixes.lon[i], fixes.lat[i])
      if (metres < HOP_M_MIN) continue
      hops.push({ from: fixes.at[last], to: fixes.at[i], metres, off: off || wasOff })
    }
    last = i
    wasOff = off
  }
  return hops
}

/** Roads and off-network hops within [from, to), a part of one by its share of time. */
function meteredBetween(match: Pick<Match, 'traversals'>, hops: readonly Hop[], from: number, to: number): Millimetres {
  let mm = 0
  for (const { fromMm, toMm, enteredAt, leftAt } of match.traversals)
    mm += (toMm - fromMm) * shareOf(enteredAt, leftAt, from, to)
  for (const hop of hops) if (hop.off) mm += hop.metres * 1000 * shareOf(hop.from, hop.to, from, to)
  return millimetres(Math.round(mm))
}

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
