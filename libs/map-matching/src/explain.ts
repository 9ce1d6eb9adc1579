import { instant, invariant, type Instant } from '#kernel'
import { lengthM, type Place, type RoadNetwork } from '#road-network'
import type { Traversal } from './drive'
import { FATES, MATCHED, TIME_MAX, type Fate, type FixColumns } from './fixes'
import type { Match } from './matcher'
import { PARAMETERS } from './parameters'

type Located = Pick<Match, 'traversals' | 'fates'>

/** A fix, what became of it, and what it might have been. */
export interface ExplainedFix {
  /** null where the fix says no time. */
  readonly at: Instant | null
  readonly lon: number
  readonly lat: number
  /** 0 where unknown. */
  readonly accuracyM: number
  readonly fate: Fate
  /** Number of the traversal on which it counts; null unless it is matched. */
  readonly traversal: number | null
  /** Where on that traversal it is nearest: longitude, latitude and how far off. */
  readonly place: { readonly lon: number; readonly lat: number; readonly distanceM: number } | null
  /** Segments within the radius, nearest first: what it was chosen from. */
  readonly candidates: readonly Place[]
}

/**
 * Says of each fix of a match where it went. Fixes lie on traversals in their order, as many on each as it counts, so this needs
 * nothing of the matcher's insides. `match` must be of these fixes on this network.
 */
export function explainFixes(
  network: RoadNetwork,
  fixes: FixColumns,
  match: Located,
  radiusM: number = PARAMETERS.radiusM.value,
): ExplainedFix[] {
  const { traversals, fates } = match
  invariant(fates.length === fixes.length, `${fates.length} fates of ${fixes.length} fixes`)
  const traversalOf = traversalsOf(match)
  return Array.from({ length: fixes.length }, (_, i) => {
    const [at, lon, lat, accuracyM] = [fixes.at[i], fixes.lon[i], fixes.lat[i], fixes.accuracyM[i]]
    const fate = FATES[fates[i]]
    const moment = Math.round(at)
    const candidates = fate === 'invalid' ? [] : network.nearest(lon, lat, radiusM)
    const fix = { at: Math.abs(moment) <= TIME_MAX ? instant(moment) : null, lon, lat, accuracyM, fate, candidates }
    if (fate !== 'matched') return { ...fix, traversal: null, place: null }
    const traversal = traversalOf[i]
    return { ...fix, traversal, place: placeOn(network, traversals[traversal], fix) }
  })
}

/** Fixes that are enough to say how far they scatter. */
const SAMPLE = 1_000
/** Standard deviation by the median of distances, of a normal density: robust against what strays. */
const SIGMA_BY_MEDIAN = 1.4826

/** How far the matched fixes of a match scatter across what was driven: standard deviation in metres; 0 where none is matched. */
export function scatterM(network: RoadNetwork, fixes: FixColumns, match: Located): number {
  const every = Math.ceil(fixes.length / SAMPLE)
  const distances: number[] = []
  traversalsOf(match).forEach((traversal, i) => {
    if (traversal < 0 || i % every !== 0) return
    const [lon, lat] = [fixes.lon[i], fixes.lat[i]]
    const candidates = network.nearest(lon, lat, PARAMETERS.radiusM.value)
    distances.push(placeOn(network, match.traversals[traversal], { lon, lat, candidates }).distanceM)
  })
  return SIGMA_BY_MEDIAN * (distances.sort((a, b) => a - b)[distances.length >> 1] ?? 0)
}

/** Number of the traversal on which each fix counts, -1 where it is not matched: fixes lie on traversals in their order. */
export function traversalsOf({ traversals, fates }: Located): Int32Array {
  let traversal = -1
  let left = 0
  return Int32Array.from(fates, (fate) => {
    if (fate !== MATCHED) return -1
    while (left === 0) left = traversals[++traversal].fixes
    left--
    return traversal
  })
}

/** The place on a traversal that is nearest to a fix: where the fix projects, kept within what was driven; else its nearer end. */
function placeOn(
  network: RoadNetwork,
  { segment, fromMm, toMm }: Traversal,
  { lon, lat, candidates }: Pick<ExplainedFix, 'lon' | 'lat' | 'candidates'>,
) {
  const projected = candidates.find((c) => c.segment === segment)
  const offsets = projected ? [Math.min(toMm, Math.max(fromMm, projected.offsetMm))] : [fromMm, toMm]
  const places = offsets.map((offsetMm) => {
    const [x, y] = network.pointAt(segment, offsetMm)
    return { lon: x, lat: y, distanceM: lengthM(lon, lat, x, y) }
  })
  return places.reduce((a, b) => (b.distanceM < a.distanceM ? b : a))
}
