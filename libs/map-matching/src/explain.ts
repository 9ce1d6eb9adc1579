import { instant, invariant, type Instant } from '#kernel'
import { lengthM, type Place, type RoadNetwork } from '#road-network'
import type { Traversal } from './drive'
import { FATES, type Fate, type FixColumns } from './fixes'
import type { Match } from './matcher'
import { PARAMETERS } from './parameters'

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
  { traversals, fates }: Pick<Match, 'traversals' | 'fates'>,
  radiusM: number = PARAMETERS.radiusM.value,
): ExplainedFix[] {
  invariant(fates.length === fixes.length, `${fates.length} fates of ${fixes.length} fixes`)
  let traversal = -1
  let left = 0
  return Array.from({ length: fixes.length }, (_, i) => {
    const [at, lon, lat, accuracyM] = [fixes.at[i], fixes.lon[i], fixes.lat[i], fixes.accuracyM[i]]
    const fate = FATES[fates[i]]
    const moment = Math.round(at)
    const candidates = fate === 'invalid' ? [] : network.nearest(lon, lat, radiusM)
    const fix = { at: Number.isSafeInteger(moment) ? instant(moment) : null, lon, lat, accuracyM, fate, candidates }
    if (fate !== 'matched') return { ...fix, traversal: null, place: null }
    while (left === 0) left = traversals[++traversal].fixes
    left--
    return { ...fix, traversal, place: placeOn(network, traversals[traversal], fix) }
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
