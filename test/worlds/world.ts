import { chance } from '#kernel'
import type { FixColumns, Match } from '#map-matching'
import { buildFromEdges, metresPerDegreeLat, metresPerDegreeLon, type RoadNetwork } from '#road-network'

/** A road map that was drawn, and drives over it. */
export interface World {
  readonly network: RoadNetwork
  /** Longitude and latitude of a named point. */
  at(name: string): [number, number]
  /** Fixes of a drive along straight lines from point to point, such as `A B F`; every `stepM` metres at `speedMs`. */
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

const ORIGIN: [number, number] = [7.5, 47.5]

/**
 * Reads a drawing. Capital letters, digits and `+` are points; `-` and `|` are roads both ways, with a `>`, `<`, `v` or `^` in them
 * one way; `/` and `\` run diagonally, and at `#` two roads cross without meeting. A character is `cellM` metres wide and high, so that `A---B` are 4 cells apart.
 */
export function world(drawing: string, cellM = 25): World {
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
  const network = buildFromEdges(
    { id: points.map((_, i) => i), lon: points.map((p) => place(p)[0]), lat: points.map((p) => place(p)[1]) },
    { id: edges.map((_, i) => i), from: edges.map((e) => e.from), to: edges.map((e) => e.to) },
    'drawn',
  )
  const at = (name: string): [number, number] => {
    const found = points.find((p) => p.name === name)
    if (!found) throw new Error(`the drawing has no point ${name}`)
    return place(found)
  }
  return {
    network,
    at,
    drive: (path, options) => driveAlong(path.split(' ').map(at), options),
    driven(match) {
      const passed: string[] = []
      let last = -1
      const driven = match.traversals.flatMap((t) =>
        network
          .edges(t.segment, t.fromMm, t.toMm)
          .filter((e) => 2 * (Math.min(e.toMm, t.toMm) - Math.max(e.fromMm, t.fromMm)) >= e.toMm - e.fromMm)
          .map((e) => edges[e.edge]),
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
