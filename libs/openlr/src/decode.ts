import { lengthM, type RoadNetwork } from '#road-network'
import { DISTANCE_STEP_M, type LineReference, type LocationPoint } from './binary'
import { FOW, fowOf, FRC_MAX, frcOf, turnFrom } from './lines'
import { trimmed, type RoadLine } from './place'
import type { Reach } from './reach'

/** How far a road may be from where a point is said to be: maps differ by some metres, and a junction has width. */
const RADIUS_M = 50
/** Places that are looked at for each point, the likeliest first. */
const CANDIDATES_MAX = 12
/** Against which this much more speaks than against the likeliest are not looked at. */
const DOUBT_MAX = 40
/** A road that leads elsewhere is not meant. */
const TURN_MAX = 90
// What speaks against a place, in metres that it might be further away instead.
const PER_DEGREE = 0.5
const PER_CLASS = 5
const OTHER_FORM = 5
/** Points stand at junctions, where the map has one. */
const WITHIN_SEGMENT = 8
/** And against a way: each metre by which its length is beyond what was rounded. */
const PER_METRE = 0.3
/** Longest difference in length that is still the same way: this, or this share of it. */
const LENGTH_M_MAX = 60
const LENGTH_SHARE_MAX = 0.15
/** Classes by which a road may be smaller than the code says: maps don't agree on them. */
const CLASSES_MORE = 2

/** Where a code leads on a network. What isn't found is an outcome, not an error: maps differ. */
export type Located =
  | {
      readonly found: true
      readonly line: RoadLine
      /** What speaks against it, in metres: 0 is all as the code says, see the README. */
      readonly doubtM: number
    }
  | { readonly found: false; readonly why: 'no-road' | 'no-way' | 'no-length'; readonly point: number }

interface Candidate {
  readonly segment: number
  readonly offsetMm: number
  readonly doubt: number
}
/** Best way so far to a candidate. */
interface Step {
  readonly candidate: Candidate
  readonly doubt: number
  readonly before: Step | null
  /** Segments from the candidate before to this one, both included where they are driven on. */
  readonly leg: readonly number[]
  readonly legMm: number
}

/**
 * Finds the line of a reference on a network: candidates of each point, and of all ways through them, each the shortest between two that
 * the classes allow, the one against which least speaks (Viterbi).
 */
export function locate(network: RoadNetwork, reach: Reach, reference: LineReference): Located {
  const { points, positiveShare, negativeShare } = reference
  let steps: Step[] = []
  for (let i = 0; i < points.length; i++) {
    const candidates = candidatesOf(network, points[i], i === points.length - 1)
    if (candidates.length === 0) return { found: false, why: 'no-road', point: i }
    steps =
      i === 0
        ? candidates.map((candidate) => ({ candidate, doubt: candidate.doubt, before: null, leg: [], legMm: 0 }))
        : stepsTo(network, reach, points[i - 1], steps, candidates, i === points.length - 1)
    if (steps.length === 0) return { found: false, why: 'no-way', point: i - 1 }
  }
  const end = steps.reduce((best, step) => (step.doubt < best.doubt ? step : best))
  const legs: Step[] = []
  for (let step: Step | null = end; step?.before; step = step.before) legs.unshift(step)
  const segments: number[] = []
  // A point within a segment stands at the end of one leg and at the start of the next.
  legs.forEach(({ leg, before }, i) => segments.push(...(i > 0 && before!.candidate.offsetMm > 0 ? leg.slice(1) : leg)))
  const whole = { segments, fromMm: legs[0].before!.candidate.offsetMm, toMm: end.candidate.offsetMm }
  const startMm = Math.round(positiveShare * legs[0].legMm)
  const line = trimmed(network, whole, startMm, Math.round(negativeShare * end.legMm))
  return line ? { found: true, line, doubtM: end.doubt } : { found: false, why: 'no-length', point: points.length - 1 }
}

/** Places that a point may mean: ends of segments and places within them, of the last point as seen from the line that comes in. */
function candidatesOf(network: RoadNetwork, point: LocationPoint, isLast: boolean): Candidate[] {
  const found: Candidate[] = []
  for (const place of network.nearest(point.lon, point.lat, RADIUS_M)) {
    const { segment } = place
    const lengthMm = network.lengthMm(segment)
    const node = isLast ? lengthMm : 0
    const [lon, lat] = network.pointAt(segment, node)
    const classes = Math.abs(frcOf(network, segment) - point.frc)
    const form = fowOf(network, segment)
    const isOther = form !== point.fow && point.fow !== FOW.undefined
    const road = PER_CLASS * classes + (isOther ? OTHER_FORM : 0)
    const take = (offsetMm: number, metres: number) => {
      const turn = turnFrom(network, segment, offsetMm, isLast, point.bearing)
      if (metres > RADIUS_M || turn > TURN_MAX) return
      // Within the step that it was rounded to, nothing speaks against a bearing.
      found.push({ segment, offsetMm, doubt: metres + road + PER_DEGREE * Math.max(0, turn - 5.625) })
    }
    take(node, lengthM(point.lon, point.lat, lon, lat))
    // A metre from an end is the end.
    if (place.offsetMm > 1000 && place.offsetMm < lengthMm - 1000)
      take(place.offsetMm, place.distanceM + WITHIN_SEGMENT)
  }
  found.sort((a, b) => a.doubt - b.doubt || a.segment - b.segment)
  return found.slice(0, CANDIDATES_MAX).filter(({ doubt }) => doubt <= found[0].doubt + DOUBT_MAX)
}

function stepsTo(
  network: RoadNetwork,
  reach: Reach,
  point: LocationPoint,
  from: readonly Step[],
  to: readonly Candidate[],
  isLast: boolean,
): Step[] {
  const best: (Step | null)[] = to.map(() => null)
  const beyondM = DISTANCE_STEP_M / 2 + Math.max(LENGTH_M_MAX, LENGTH_SHARE_MAX * point.distanceM)
  const frcMax = Math.min(FRC_MAX, point.lfrcnp + CLASSES_MORE)
  for (const before of from) {
    const { segment, offsetMm } = before.candidate
    const restMm = network.lengthMm(segment) - offsetMm
    const offer = (i: number, legMm: number, leg: () => number[]) => {
      const offM = Math.abs(legMm / 1000 - point.distanceM)
      if (legMm <= 0 || offM > beyondM) return
      const doubt = before.doubt + to[i].doubt + PER_METRE * Math.max(0, offM - DISTANCE_STEP_M / 2)
      if (doubt < (best[i]?.doubt ?? Infinity)) best[i] = { candidate: to[i], doubt, before, leg: leg(), legMm }
    }
    to.forEach((candidate, i) => {
      if (candidate.segment === segment) offer(i, candidate.offsetMm - offsetMm, () => [segment])
    })
    reach.from(segment, restMm, { mmMax: (point.distanceM + beyondM) * 1000, frcMax, mayTurnBack: false })
    to.forEach((candidate, i) => {
      const start = network.from(candidate.segment)
      // A segment that is only stood at the start of isn't driven on yet.
      const isOn = isLast || candidate.offsetMm > 0
      const onto = () => [...reach.pathTo(start), ...(isOn ? [candidate.segment] : [])]
      offer(i, reach.mmTo(start) + candidate.offsetMm, onto)
    })
  }
  return best.filter((step) => step !== null)
}
