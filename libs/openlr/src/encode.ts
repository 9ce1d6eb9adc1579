import { metresPerDegreeLon, type RoadNetwork } from '#road-network'
import { POINTS_MAX, STEP_DEGREES_MAX, type LineReference, type LocationPoint } from './binary'
import { bearingAt, fowOf, frcOf, FRC_MAX } from './lines'
import { assertLine, type RoadLine } from './place'
import type { Reach } from './reach'

/** Longest way between two points: 255 steps of 58.6 m, with a little less. */
const LEG_MM_MAX = 14_900_000
/** A point in the middle of a segment is at least this far from another. */
const MIDDLE_MM = 3_000
/** Another way must be longer by this much and this share of the way, or a point comes before it: maps differ by that. */
const MARGIN_MM = 5_000
const MARGIN_SHARE = 0.01

/**
 * Where points are put: as few as lead the shortest way, or at each junction, or that and in the middle of each segment and at the line's own
 * ends, for roads beside their twins.
 */
export const DENSITIES = ['few', 'junctions', 'middles'] as const
export type Density = (typeof DENSITIES)[number]

/** A place on a line: on its segment number `index`. */
interface Station {
  readonly index: number
  readonly offsetMm: number
}

/**
 * The reference of a line: points such that the shortest way from each to the next is the line itself. They stand at the junctions around it,
 * with shares that say where it begins and ends; where it does so within a segment another one stands at the segment's other end, so that
 * the share is of that segment alone (within 1/512 of it). Null where it takes more than POINTS_MAX points.
 */
export function referenceOf(
  network: RoadNetwork,
  reach: Reach,
  line: RoadLine,
  density: Density,
): LineReference | null {
  assertLine(network, line)
  const { segments, fromMm, toMm } = line
  const last = segments.length - 1
  const lengthOf = (index: number) => network.lengthMm(segments[index])
  const legMmMax = legLimit(network, segments)
  // In a segment that is too long for one leg the line's own end is a point.
  const isWholeStart = density !== 'middles' && lengthOf(0) <= legMmMax
  const isWholeEnd = density !== 'middles' && lengthOf(last) <= legMmMax
  const end: Station = { index: last, offsetMm: isWholeEnd ? lengthOf(last) : toMm }

  const stations: Station[] = [{ index: 0, offsetMm: isWholeStart ? 0 : fromMm }]
  for (;;) {
    if (stations.length >= POINTS_MAX) return null
    const { index, offsetMm } = stations[stations.length - 1]
    const restMm = (index === last ? end.offsetMm : lengthOf(index)) - offsetMm
    if (restMm > legMmMax) {
      stations.push({ index, offsetMm: offsetMm + Math.round(restMm / Math.ceil(restMm / legMmMax)) })
      continue
    }
    const halfMm = lengthOf(index) >> 1
    if (density === 'middles' && offsetMm < halfMm - MIDDLE_MM && restMm > halfMm - offsetMm + MIDDLE_MM) {
      stations.push({ index, offsetMm: halfMm })
      continue
    }
    if (index === last) break
    const isPart = index === 0 && fromMm > 0
    const next =
      density === 'few' && !isPart ? farthest(network, reach, segments, index, offsetMm, legMmMax) : index + 1
    if (next > last && toMm === lengthOf(last)) break
    stations.push({ index: Math.min(next, last), offsetMm: 0 })
  }
  stations.push(end)
  const legs = stations.slice(1).map((to, i) => legBetween(network, segments, stations[i], to))
  return {
    points: stations.map((station, i) => pointOf(network, segments, station, legs[i])),
    positiveShare: isWholeStart ? fromMm / legs[0].mm : 0,
    negativeShare: isWholeEnd ? (lengthOf(last) - toMm) / legs[legs.length - 1].mm : 0,
  }
}

/**
 * The last segment to whose start the way along the line from a place on segment number `at` is surely the shortest; one more than there are
 * where it is so to the line's end. A leg begins on the segment of its point, so the next one is always reached. Ways that turn back are
 * rivals too: readers elsewhere may allow it.
 */
function farthest(
  network: RoadNetwork,
  reach: Reach,
  segments: readonly number[],
  at: number,
  offsetMm: number,
  legMmMax: number,
): number {
  /** Millimetres along the line to the start of each further segment. */
  const mm: number[] = []
  const numberOf = new Map<number, number>()
  let along = network.lengthMm(segments[at]) - offsetMm
  for (let index = at + 1; index < segments.length && along <= legMmMax; along += network.lengthMm(segments[index++])) {
    mm[index] = along
    const junction = network.from(segments[index])
    if (!numberOf.has(junction)) numberOf.set(junction, index)
  }
  const reached = mm.length - 1
  const margin = (length: number) => MARGIN_MM + MARGIN_SHARE * length
  /** By another segment than the line comes in by. */
  const rival: number[] = []
  const limits = { mmMax: mm[reached] + margin(mm[reached]), frcMax: FRC_MAX, mayTurnBack: true }
  reach.from(segments[at], mm[at + 1], limits, (segment, there) => {
    const index = numberOf.get(network.to(segment))
    if (index !== undefined && segment !== segments[index - 1]) rival[index] = Math.min(rival[index] ?? Infinity, there)
  })
  for (let index = at + 2; index <= reached; index++)
    if (reach.mmTo(network.from(segments[index])) < mm[index] || rival[index] <= mm[index] + margin(mm[index]))
      return index - 1
  const isTurn = network.reverse(segments[reached]) === segments[reached - 1]
  return reached === segments.length - 1 && along <= legMmMax && !isTurn ? reached + 1 : reached
}

interface Leg {
  readonly mm: number
  readonly frcMax: number
}

function legBetween(network: RoadNetwork, segments: readonly number[], from: Station, to: Station): Leg {
  let mm = to.offsetMm - from.offsetMm
  let frcMax = 0
  for (let index = from.index; index < to.index || (index === to.index && to.offsetMm > 0); index++) {
    if (index < to.index) mm += network.lengthMm(segments[index])
    frcMax = Math.max(frcMax, frcOf(network, segments[index]))
  }
  return { mm, frcMax }
}

/** Without a leg it is the last point. */
function pointOf(
  network: RoadNetwork,
  segments: readonly number[],
  { index, offsetMm }: Station,
  leg: Leg | undefined,
): LocationPoint {
  const segment = segments[index]
  const [lon, lat] = network.pointAt(segment, offsetMm)
  return {
    lon,
    lat,
    frc: frcOf(network, segment),
    fow: fowOf(network, segment),
    bearing: bearingAt(network, segment, offsetMm, !leg),
    lfrcnp: leg?.frcMax ?? FRC_MAX,
    distanceM: (leg?.mm ?? 0) / 1000,
  }
}

/** Longest leg whose ends are near enough for their difference in degrees to be told. */
function legLimit(network: RoadNetwork, segments: readonly number[]): number {
  const lats = [segments[0], segments[segments.length - 1]].map((segment) => Math.abs(network.pointAt(segment, 0)[1]))
  // A degree further towards the pole than the line is at its ends: more than a leg goes.
  const metres = (STEP_DEGREES_MAX - 0.01) * metresPerDegreeLon(Math.min(89.9, Math.max(...lats) + 1))
  return Math.floor(Math.min(LEG_MM_MAX, 1000 * metres))
}
