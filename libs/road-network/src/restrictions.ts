import type { DirectedRoad, RoadDraft, TurnDraft } from './assemble'
import type { Tags } from './roads'

/** A `type=restriction` relation with one `from` way, a `via` node or `via` ways, and one `to` way; `kind` is its tag's value. */
export interface TurnRestriction {
  readonly kind: string
  readonly fromWay: number
  readonly viaNode?: number
  readonly viaWays?: readonly number[]
  readonly toWay: number
  readonly tags?: Tags
}

/** Pieces that the ways between `from` and `to` may have been split into. */
const VIA_MAX = 64

/**
 * Forbidden ways on: `no_*` forbids its turn, `only_*` every other one at its end, through one node or along one or more ways. Left out,
 * so that what they say is allowed, are restrictions for other vehicles, those that hold at certain times only (`*:conditional`, and
 * day_on, hour_on: a turn that is legal at some hour is one that may have been driven), and those whose members don't lead on from each
 * other in exactly one way. https://wiki.openstreetmap.org/wiki/Relation:restriction
 */
export function forbiddenTurns(
  restrictions: readonly TurnRestriction[],
  roads: readonly RoadDraft[],
  roadsOfWay: ReadonlyMap<number, readonly number[]>,
): TurnDraft[] {
  const leaving = new Map<number, DirectedRoad[]>()
  const leave = (node: number, end: DirectedRoad) => {
    const others = leaving.get(node)
    if (others) others.push(end)
    else leaving.set(node, [end])
  }
  roads.forEach((road, r) => {
    if (road.forward) leave(road.fromNode, { road: r, backward: false })
    if (road.backward) leave(road.toNode, { road: r, backward: true })
  })
  const onward = (node: number, ways: readonly number[]) => {
    const mine = new Set(ways.flatMap((way) => roadsOfWay.get(way) ?? []))
    return (leaving.get(node) ?? []).filter((end) => mine.has(end.road))
  }
  const endOf = ({ road, backward }: DirectedRoad) => (backward ? roads[road].fromNode : roads[road].toNode)
  const startOf = ({ road, backward }: DirectedRoad) => (backward ? roads[road].toNode : roads[road].fromNode)
  /** Directed roads of a way that end at a node, or at any that the via ways touch. */
  const arriving = (way: number, nodes: ReadonlySet<number>) =>
    (roadsOfWay.get(way) ?? [])
      .flatMap((road) => [
        ...(roads[road].forward ? [{ road, backward: false }] : []),
        ...(roads[road].backward ? [{ road, backward: true }] : []),
      ])
      .filter((end) => nodes.has(endOf(end)))

  const seen = new Set<string>()
  const turns: TurnDraft[] = []
  const forbid = (turn: TurnDraft) => {
    const key = turn.map(({ road, backward }) => `${road}${backward ? '-' : '+'}`).join()
    if (!seen.has(key)) turns.push(turn)
    seen.add(key)
  }
  for (const { kind, fromWay, viaNode, viaWays = [], toWay, tags } of inFixedOrder(restrictions)) {
    if (/motorcar|motor_vehicle/.test(tags?.['except'] ?? '')) continue
    if (tags && ('day_on' in tags || 'hour_on' in tags)) continue
    if (!kind.startsWith('no_') && !kind.startsWith('only_')) continue
    const nodes = viaNode === undefined ? viaWays.flatMap((way) => onwardNodes(way)) : [viaNode]
    const paths: DirectedRoad[][] = []
    for (const first of arriving(fromWay, new Set(nodes))) follow([first])
    // Through a node that is the end of two roads of the way, or along ways that can be driven round both sides, it says nothing certain.
    if (paths.length !== 1) continue
    const path = paths[0]
    if (kind.startsWith('no_')) forbid(path)
    else
      for (const other of leaving.get(startOf(path[path.length - 1])) ?? [])
        if (other.road !== path[path.length - 1].road || other.backward !== path[path.length - 1].backward)
          forbid([...path.slice(0, -1), other])

    function onwardNodes(way: number): number[] {
      return (roadsOfWay.get(way) ?? []).flatMap((r) => [roads[r].fromNode, roads[r].toNode])
    }
    /** Goes on along the via ways as far as they lead, and takes the path where the way `to` leaves them. */
    function follow(path: DirectedRoad[]): void {
      const node = endOf(path[path.length - 1])
      if (viaNode !== undefined || path.length > 1) for (const to of onward(node, [toWay])) paths.push([...path, to])
      if (viaNode !== undefined || path.length > VIA_MAX) return
      for (const next of onward(node, viaWays))
        if (!path.some(({ road }) => road === next.road)) follow([...path, next])
    }
  }
  return turns
}

/** The order of a file must not decide about numbers. */
const inFixedOrder = (restrictions: readonly TurnRestriction[]): TurnRestriction[] => {
  const key = (r: TurnRestriction) => [r.viaNode ?? r.viaWays?.[0] ?? 0, r.fromWay, r.toWay]
  return [...restrictions].sort((a, b) => {
    const [x, y] = [key(a), key(b)]
    const i = x.findIndex((value, at) => value !== y[at])
    return i >= 0 ? x[i] - y[i] : a.kind < b.kind ? -1 : 1
  })
}
