import type { RoadNetwork } from './network'

/** What may have become of a segment that both builds have: its own words, or `cut` where it now is several. */
export type Change =
  | 'cut'
  | 'length'
  | 'shape'
  | 'class'
  | 'name'
  | 'ref'
  | 'access'
  | 'maxSpeedKmh'
  | 'lanes'
  | 'surface'
  | 'isBridge'
  | 'isTunnel'
  | 'isLink'

export interface ChangedSegment {
  readonly before: number
  /** More than one where it was cut. */
  readonly after: readonly number[]
  readonly what: readonly Change[]
}

/** Two builds of a map, by reference. Segments are directed: a street that became one-way has lost one. */
export interface NetworkDiff {
  /** Segments of the later build that nothing of the earlier one became. */
  readonly added: readonly number[]
  /** Segments of the earlier build of which nothing is left under their reference. */
  readonly removed: readonly number[]
  readonly changed: readonly ChangedSegment[]
  readonly unchanged: number
}

/** Junctions that a way may have won between two of its nodes before it is another way. */
const CUTS_MAX = 1_000

/**
 * Segments of a network that a reference of another build names: the one that still has it, or, where the way has won junctions since,
 * those that now lead along it from its first node to its last. Empty where the way or one of the nodes is gone.
 */
export function successors(ref: string, network: RoadNetwork): number[] {
  const exact = network.find(ref)
  if (exact >= 0) return [exact]
  const [way, from, to] = ref.split('.')
  const along = (node: number) => network.outgoing(node).filter((s) => network.ref(s).startsWith(`${way}.`))
  const start = network.junction(Number(from))
  const end = network.junction(Number(to))
  if (start < 0 || end < 0 || !/^\d+$/.test(way)) return []
  for (const first of along(start)) {
    const path = [first]
    while (network.to(path[path.length - 1]) !== end && path.length < CUTS_MAX) {
      const last = path[path.length - 1]
      const onward = along(network.to(last)).filter((s) => s !== network.reverse(last) && !path.includes(s))
      if (onward.length === 0) break
      path.push(onward[0])
    }
    if (network.to(path[path.length - 1]) === end) return path
  }
  return []
}

/** Compares two builds. */
export function diffNetworks(before: RoadNetwork, after: RoadNetwork): NetworkDiff {
  const met = new Uint8Array(after.segmentCount)
  const removed: number[] = []
  const changed: ChangedSegment[] = []
  let unchanged = 0
  for (let s = 0; s < before.segmentCount; s++) {
    const now = successors(before.ref(s), after)
    for (const segment of now) met[segment] = 1
    const what = now.length === 1 ? changes(before, s, after, now[0]) : (['cut'] as const)
    if (now.length === 0) removed.push(s)
    else if (what.length === 0) unchanged++
    else changed.push({ before: s, after: now, what })
  }
  const added: number[] = []
  for (let s = 0; s < after.segmentCount; s++) if (!met[s]) added.push(s)
  return { added, removed, changed, unchanged }
}

function changes(before: RoadNetwork, a: number, after: RoadNetwork, b: number): Change[] {
  const what: Change[] = []
  if (before.lengthMm(a) !== after.lengthMm(b)) what.push('length')
  const [was, is] = [before.shape(a), after.shape(b)]
  if (was.length !== is.length || was.some((degrees, i) => degrees !== is[i])) what.push('shape')
  if (before.roadClass(a) !== after.roadClass(b)) what.push('class')
  const [had, has] = [before.attributes(a), after.attributes(b)]
  for (const key of Object.keys(had) as (keyof typeof had)[]) if (had[key] !== has[key]) what.push(key)
  return what
}
