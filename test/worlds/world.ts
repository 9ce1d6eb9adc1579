import { chance } from '#kernel'
import type { FixColumns, Match } from '#map-matching'
import {
  buildFromEdges,
  buildNetwork,
  metresPerDegreeLat,
  metresPerDegreeLon,
  type RoadNetwork,
  type Tags,
} from '#road-network'

/** A road map that was drawn, and drives over it. */
export interface World {
  readonly network: RoadNetwork
  /** Longitude and latitude of a named point, or of the middle between two: `B~C`. */
  at(name: string): [number, number]
  /** Fixes of a drive along straight lines from point to point, such as `A B F B~C`; every `stepM` metres at `speedMs`. */
  drive(path: string, options?: DriveOptions): FixColumns
  /** Points passed, in order: what of the pieces was driven by at least half. `|` marks a place where the drive is not continuous. */
  driven(match: Match): string
}

export interface DriveOptions {
  stepM?: number
  speedMs?: number
  /** Standard deviation of independent noise on each axis, metres. */
  noiseM?: number
  seed?: string | number
  /** Moves every fix, metres east and north. */
  shiftM?: [number, number]
}

/** What stands at the roads of a drawing. */
export interface Signs {
  /** Tags as OpenStreetMap has them, of the roads along some points: `{ 'A B C': { highway: 'motorway' } }`. */
  readonly roads?: Readonly<Record<string, Tags>>
  /** Turns that are forbidden: `A B C`. */
  readonly forbidden?: readonly string[]
}

const ORIGIN: [number, number] = [7.5, 47.5]

/**
 * Reads a drawing. Capital letters, digits and `+` are points; `-` and `|` are roads both ways, with a `>`, `<`, `v` or `^` in them
 * one way; `/` and `\` run diagonally, and at `#` two roads cross without meeting. Dots are empty land. A character is `cellM` metres wide and high, so that `A---B` are 4 cells apart.
 * With `signs` it is a map of streets with classes, names of tags and forbidden turns; without, of roads of no class.
 */
export function world(drawing: string, cellM = 25, signs?: Signs): World {
  const rows = drawing.split('\n').filter((row) => row.trim() !== '')
  const isPoint = (c: string | undefined) => c !== undefined && /[A-Z0-9+]/.test(c)
  const points: { name: string; row: number; column: number }[] = []
  rows.forEach((row, r) =>
    [...row].forEach((c, column) => {
      if (isPoint(c)) points.push({ name: c === '+' ? `+${points.length}` : c, row: r, column })
    }),
  )
  const numberAt = (r: number, c: number) => points.findIndex((p) => p.row === r && p.column === c)
  const edges: { from: number; to: number }[] = []
  const runs: [number, number, string][] = [
    [0, 1, '-<>#'],
    [1, 0, '|v^#'],
    [1, 1, '\\'],
    [1, -1, '/'],
  ]
  points.forEach((point, from) => {
    for (const [down, right, signs] of runs) {
      let r = point.row + down
      let c = point.column + right
      let seen = ''
      while (rows[r]?.[c] !== undefined && signs.includes(rows[r][c])) {
        seen += rows[r][c]
        r += down
        c += right
      }
      if (seen === '' || !isPoint(rows[r]?.[c])) continue
      const to = numberAt(r, c)
      if (!/[<^]/.test(seen)) edges.push({ from, to })
      if (!/[>v]/.test(seen)) edges.push({ from: to, to: from })
    }
  })
  const place = (p: { row: number; column: number }): [number, number] => [
    ORIGIN[0] + (p.column * cellM) / metresPerDegreeLon(ORIGIN[1]),
    ORIGIN[1] - (p.row * cellM) / metresPerDegreeLat(ORIGIN[1]),
  ]
  const places = points.map(place)
  const network = signs
    ? streets(
        points.map(({ name }) => name),
        places,
        edges,
        signs,
      )
    : bare(places, edges)
  const at = (name: string): [number, number] => {
    const [a, b = a] = name.split('~').map((part) => {
      const found = points.findIndex((p) => p.name === part)
      if (found < 0) throw new Error(`the drawing has no point ${part}`)
      return places[found]
    })
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
  }
  /** The drawn pieces of a stretch, each with its extent on the segment. */
  const piecesOf = ({ segment, fromMm, toMm }: Match['traversals'][number]) => {
    if (network.hasEdges)
      return network.edges(segment, fromMm, toMm).map((piece) => ({ ...piece, ...edges[piece.edge] }))
    const [, from, to] = network.ref(segment).split('.').map(Number)
    return [{ from: from - 1, to: to - 1, fromMm: 0, toMm: network.lengthMm(segment) }]
  }
  return {
    network,
    at,
    drive: (path, options) => driveAlong(path.split(' ').map(at), options),
    driven(match) {
      const passed: string[] = []
      let last = -1
      const driven = match.traversals.flatMap((t) =>
        piecesOf(t).filter((p) => 2 * (Math.min(p.toMm, t.toMm) - Math.max(p.fromMm, t.fromMm)) >= p.toMm - p.fromMm),
      )
      for (const edge of driven) {
        if (edge.from !== last) passed.push(...(last < 0 ? [] : ['|']), points[edge.from].name)
        passed.push(points[edge.to].name)
        last = edge.to
      }
      return passed.join(' ')
    },
  }
}

interface Edge {
  readonly from: number
  readonly to: number
}

const bare = (places: readonly [number, number][], edges: readonly Edge[]): RoadNetwork =>
  buildFromEdges(
    { id: places.map((_, i) => i), lon: places.map(([lon]) => lon), lat: places.map(([, lat]) => lat) },
    { id: edges.map((_, i) => i), from: edges.map((e) => e.from), to: edges.map((e) => e.to) },
    'drawn',
  )

/** Every drawn road is a way of its own, of two nodes: point i is node i + 1. */
function streets(
  names: readonly string[],
  places: readonly [number, number][],
  edges: readonly Edge[],
  { roads = {}, forbidden = [] }: Signs,
): RoadNetwork {
  const isBetween = (path: string, { from, to }: Edge) =>
    path
      .split(' ')
      .some((name, i, all) => [names[from], names[to]].sort().join() === [name, all[i + 1] ?? ''].sort().join())
  const drawn = edges.filter(({ from, to }) => from < to || !edges.some((e) => e.from === to && e.to === from))
  const ways = drawn.map((edge, i) => {
    const tags = Object.entries(roads).find(([path]) => isBetween(path, edge))?.[1]
    const oneway = edges.some((e) => e.from === edge.to && e.to === edge.from) ? 'no' : 'yes'
    return {
      id: i + 1,
      nodeIds: [edge.from + 1, edge.to + 1],
      tags: { ...(tags?.['route'] ? {} : { highway: 'residential' }), oneway, ...tags },
    }
  })
  const wayOf = (a: string, b: string) => drawn.findIndex((edge) => isBetween(`${a} ${b}`, edge)) + 1
  return buildNetwork({
    nodes: places.map(([lon, lat], i) => ({ id: i + 1, lon, lat })),
    ways,
    restrictions: forbidden.map((turn) => {
      const [a, b, c] = turn.split(' ')
      return { kind: 'no_left_turn', fromWay: wayOf(a, b), viaNode: names.indexOf(b) + 1, toWay: wayOf(b, c) }
    }),
    attribution: 'drawn',
  })
}

/** Fixes along straight lines between positions. */
function driveAlong(
  stops: readonly [number, number][],
  { stepM = 10, speedMs = 10, noiseM = 0, seed = 1, shiftM = [0, 0] }: DriveOptions = {},
): FixColumns {
  const noise = chance(seed)
  const kx = metresPerDegreeLon(ORIGIN[1])
  const ky = metresPerDegreeLat(ORIGIN[1])
  const found: [number, number, number][] = []
  let travelled = 0
  let next = 0
  const note = (lon: number, lat: number) =>
    found.push([
      (next / speedMs) * 1000,
      lon + (shiftM[0] + noiseM * noise.normal()) / kx,
      lat + (shiftM[1] + noiseM * noise.normal()) / ky,
    ])
  for (let i = 1; i < stops.length; i++) {
    const [a, b] = [stops[i - 1], stops[i]]
    const length = Math.hypot((b[0] - a[0]) * kx, (b[1] - a[1]) * ky)
    for (; next <= travelled + length; next += stepM) {
      const t = length === 0 ? 0 : (next - travelled) / length
      note(a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]))
    }
    travelled += length
  }
  return columns(found)
}

/** Columns of [epoch ms, longitude, latitude] rows. */
export const columns = (fixes: readonly (readonly [number, number, number])[]): FixColumns => ({
  length: fixes.length,
  at: Float64Array.from(fixes, (f) => Math.round(f[0])),
  lon: Float64Array.from(fixes, (f) => f[1]),
  lat: Float64Array.from(fixes, (f) => f[2]),
  accuracyM: new Float32Array(fixes.length),
})

/** One drive after another, `gapMs` between them. */
export function join(gapMs: number, ...parts: readonly FixColumns[]): FixColumns {
  const rows: [number, number, number][] = []
  for (const part of parts) {
    const start = rows.length ? rows[rows.length - 1][0] + gapMs - part.at[0] : 0
    for (let i = 0; i < part.length; i++) rows.push([part.at[i] + start, part.lon[i], part.lat[i]])
  }
  return columns(rows)
}

/** The fixes that are kept, by their number. */
export function only(fixes: FixColumns, keeps: (i: number) => boolean): FixColumns {
  const kept = Array.from({ length: fixes.length }, (_, i) => i).filter(keeps)
  return columns(kept.map((i) => [fixes.at[i], fixes.lon[i], fixes.lat[i]] as const))
}
