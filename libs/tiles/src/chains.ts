import { type RoadNetwork, segmentFeature } from '#road-network'
import { type Feature, type Properties } from './sheet'

type Line = number[][]
interface Piece {
  readonly line: Line
  readonly ends: readonly [number, number]
}

/**
 * Roads as features: pieces between junctions that look alike and meet end to end are one line, so that a name has room along
 * it and a square of a low zoom isn't full of crumbs.
 */
export function chainsOf(network: RoadNetwork, segments: readonly number[]): Feature[] {
  const alike = new Map<string, { properties: Properties; pieces: Piece[] }>()
  const features: Feature[] = []
  for (const segment of [...segments].sort((a, b) => a - b)) {
    const { geometry, properties } = segmentFeature(network, segment)
    const look = lookOf(properties)
    if (geometry.type === 'MultiLineString') {
      // Cut at the antimeridian: it stays as it is.
      features.push({ type: 'Feature', geometry, properties: look })
      continue
    }
    const key = JSON.stringify(look)
    const group = alike.get(key) ?? { properties: look, pieces: [] }
    group.pieces.push({ line: geometry.coordinates, ends: [network.from(segment), network.to(segment)] })
    alike.set(key, group)
  }
  for (const { properties, pieces } of alike.values())
    for (const coordinates of joined(pieces, properties.oneway === true))
      features.push({ type: 'Feature', geometry: { type: 'LineString', coordinates }, properties })
  return features
}

/** What a map can show of a road. */
function lookOf(all: Properties): Properties {
  const shown: Record<string, string | number | boolean> = {}
  for (const name of SHOWN) if (all[name] !== undefined && all[name] !== 'public') shown[name] = all[name]
  return shown
}
const SHOWN = ['class', 'name', 'number', 'access', 'bridge', 'tunnel', 'link', 'oneway'] as const

/** Pieces joined where exactly two of them meet; those of one-way roads head to tail only. */
function joined(pieces: readonly Piece[], isOneWay: boolean): Line[] {
  const at = new Map<number, number[]>()
  pieces.forEach(({ ends }, i) => ends.forEach((end) => at.set(end, [...(at.get(end) ?? []), i])))
  const used = new Set<number>()
  const next = (junction: number, from: number): number | null => {
    const meeting = at.get(junction)!
    const other = meeting.length === 2 ? meeting.find((i) => i !== from) : undefined
    return other === undefined || used.has(other) ? null : other
  }
  const lines: Line[] = []
  for (let first = 0; first < pieces.length; first++) {
    if (used.has(first)) continue
    used.add(first)
    const line = [...pieces[first].line]
    let [tail, head] = pieces[first].ends
    for (let i: number | null = first; (i = next(head, i!)) !== null;) {
      const { line: more, ends } = pieces[i]
      if (isOneWay && ends[0] !== head) break
      used.add(i)
      line.push(...(ends[0] === head ? more : [...more].reverse()).slice(1))
      head = ends[0] === head ? ends[1] : ends[0]
    }
    for (let i: number | null = first; (i = next(tail, i!)) !== null;) {
      const { line: more, ends } = pieces[i]
      if (isOneWay && ends[1] !== tail) break
      used.add(i)
      line.unshift(...(ends[1] === tail ? more : [...more].reverse()).slice(0, -1))
      tail = ends[1] === tail ? ends[0] : ends[1]
    }
    lines.push(line)
  }
  return lines
}
