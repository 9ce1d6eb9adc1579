import { type Instant } from '#kernel'
import { type ExplainedFix, type Fate, type Traversal } from '#map-matching'
import { type RoadNetwork } from '#road-network'

/** A stretch of a segment, [fromMm, toMm). */
export type Piece = Pick<Traversal, 'segment' | 'fromMm' | 'toMm'>

/** A drive, what was made of it and what it cost: what text, GeoJSON and picture are drawn from. */
export interface Explained {
  readonly title: string
  /** Name and value, for the head. */
  readonly facts: readonly (readonly [string, string])[]
  readonly network: RoadNetwork
  readonly fixes: readonly ExplainedFix[]
  readonly traversals: readonly Traversal[]
  readonly breaks: number
  readonly forced: number
  /** What was truly driven, where somebody knows. */
  readonly truth: readonly Piece[] | null
  /** Charge lines in words. */
  readonly charges: readonly string[]
  /** What the reader must know besides. */
  readonly notes: readonly string[]
  /** "07:42:10": the time of day where it was driven, or since the start where nobody knows the day. */
  time(at: Instant | null): string
}

export const metresOf = (pieces: readonly Piece[]): number =>
  pieces.reduce((sum, { fromMm, toMm }) => sum + toMm - fromMm, 0) / 1000

export const roadName = (network: RoadNetwork, segment: number): string => {
  const kind = network.roadClass(segment).replace('_', ' ')
  return network.name(segment) || (kind === 'road' ? 'road without a name' : `${kind} without a name`)
}

/** What is known of how sure a traversal is, in words: a share of certainty, not of length. */
export const sureness = ({ confidence, inferred }: Traversal): string =>
  `${(confidence / 10).toFixed(1)} % sure${inferred ? ', inferred' : ''}`

/** Whether the drive goes on from one traversal to the next without a break. */
export function joins(network: RoadNetwork, a: Piece, b: Piece): boolean {
  if (a.segment === b.segment) return a.toMm === b.fromMm
  const isWhole = a.toMm === network.lengthMm(a.segment) && b.fromMm === 0
  const turnsBack = network.reverse(a.segment) === b.segment && a.toMm === network.lengthMm(a.segment) - b.fromMm
  return turnsBack || (isWhole && network.to(a.segment) === network.from(b.segment))
}

/** What became of fixes, in the words of people. */
export const FATE_WORDS: Readonly<Record<Fate, string>> = {
  matched: 'on the road',
  'off-network': 'no road in reach',
  standing: 'standing, never moved',
  invalid: 'not a position',
  'null-island': 'a receiver without position (0, 0)',
  'time-order': 'not after the fix before it',
  inaccurate: 'said itself to be too inaccurate',
  implausible: 'cannot be reached in time',
}

/** Longitude and latitude along a piece of road. */
export function lineOf(network: RoadNetwork, { segment, fromMm, toMm }: Piece): [number, number][] {
  const shape = network.shape(segment)
  const length = network.lengthMm(segment)
  const line: [number, number][] = [network.pointAt(segment, fromMm)]
  let along = 0
  const n = shape.length / 2
  const steps = Array.from({ length: n - 1 }, (_, i) =>
    Math.hypot(
      (shape[2 * i + 2] - shape[2 * i]) * Math.cos((shape[1] * Math.PI) / 180),
      shape[2 * i + 3] - shape[2 * i + 1],
    ),
  )
  const total = steps.reduce((sum, step) => sum + step, 0)
  for (let i = 1; i < n - 1; i++) {
    along += steps[i - 1]
    const mm = total > 0 ? (along / total) * length : 0
    if (mm > fromMm && mm < toMm) line.push([shape[2 * i], shape[2 * i + 1]])
  }
  line.push(network.pointAt(segment, toMm))
  return line
}
