import { invariant } from '#kernel'
import { lengthM, metresPerDegreeLat, metresPerDegreeLon, type RoadNetwork } from '#road-network'
import { ZoneCut } from './zone-cut'
import { zoneEdges, type Zone, type ZoneEdges } from './zone-edges'

/** A road that stays this near to a boundary runs along it: an agency draws a boundary down the middle of a street. */
export const ALONG_M_MAX = 1
/** Sine of the angle up to which it does (6 degrees); steeper it crosses. */
const ALONG_SINE_MAX = 0.1
/** And for at least this far, so that a plain crossing of 4 degrees or more, near for 30 m, is none... */
const ALONG_M_MIN = 30
/** ...or nearly all the way, where the road is shorter. */
const ALONG_SHARE_MIN = 0.9

/** What of a network the cut reads. */
export type Roads = Pick<RoadNetwork, 'segmentCount' | 'lengthMm' | 'reverse' | 'shape' | 'name' | 'find'>

/**
 * Cuts a network by zones, once per policy version: at run time a drive is split by look-up and no fix is ever tested
 * against a polygon. Geometries must be valid (`policy` sees to that).
 *
 * Each place on a segment belongs to the zones that hold it. Measures are shares of the stored length: whole millimetres,
 * the last stretch ends exactly at it, and the two directions of a road are cut at the same points. Where a road runs along
 * the boundary of a zone (see ALONG_M_MAX) it is on the cheaper side, on whichever it was drawn: outside, but for zones of
 * which it is said that inside is cheaper.
 */
export function cutNetwork(network: Roads, zones: readonly Zone[]): ZoneCut {
  const edges = zoneEdges(zones)
  const cutter = new Cutter(edges)
  const n = network.segmentCount
  const listed = listedZones(network, zones)
  // Each road is cut once, in the direction that has the lower number; `start` and `count` say where its stretches are.
  const start = new Uint32Array(n)
  const count = new Uint32Array(n)
  for (let s = 0; s < n; s++) {
    const back = network.reverse(s)
    if (back >= 0 && back < s) {
      invariant(network.lengthMm(s) === network.lengthMm(back), `segments ${s} and ${back} differ in length`)
      start[s] = start[back]
      count[s] = count[back]
      continue
    }
    start[s] = cutter.endMm.length
    cutter.cut(network.shape(s), network.lengthMm(s))
    count[s] = cutter.endMm.length - start[s]
  }

  const first = new Uint32Array(n + 1)
  for (let s = 0; s < n; s++) first[s + 1] = first[s] + count[s]
  const endMm = new Uint32Array(first[n])
  const zoneSet = new Uint32Array(first[n])
  for (let s = 0; s < n; s++) {
    const back = network.reverse(s)
    const mirrored = back >= 0 && back < s
    const lengthMm = network.lengthMm(s)
    for (let i = 0; i < count[s]; i++) {
      // Mirrored, the last stretch comes first and ends where it had begun.
      const from = start[s] + (mirrored ? count[s] - 1 - i : i)
      const begin = from === start[s] ? 0 : cutter.endMm[from - 1]
      endMm[first[s] + i] = mirrored ? lengthMm - begin : cutter.endMm[from]
      zoneSet[first[s] + i] = cutter.zoneSet[from]
    }
  }
  for (const [s, ids] of listed)
    for (let i = first[s]; i < first[s + 1]; i++)
      zoneSet[i] = cutter.setOf([...cutter.zoneSets[zoneSet[i]], ...ids].sort())
  const used = new Set(cutter.zoneSets.flat())
  const roadless = edges.zoneIds.filter((id) => !used.has(id))
  return new ZoneCut(first, endMm, zoneSet, cutter.zoneSets, roadless)
}

/** The zones that list a segment, by the name of its road or by its reference. */
function listedZones(network: Roads, zones: readonly Zone[]): Map<number, string[]> {
  const listed = new Map<number, string[]>()
  const list = (segment: number, id: string) => {
    const ids = listed.get(segment)
    if (!ids) listed.set(segment, [id])
    else if (!ids.includes(id)) ids.push(id)
  }
  const byName = new Map<string, string[]>()
  for (const { id, roads = [], segments = [] } of zones) {
    for (const name of roads) byName.set(name, [...(byName.get(name) ?? []), id])
    for (const ref of segments) {
      const segment = network.find(ref)
      if (segment >= 0) list(segment, id)
    }
  }
  if (byName.size > 0)
    for (let s = 0; s < network.segmentCount; s++) for (const id of byName.get(network.name(s)) ?? []) list(s, id)
  return listed
}

/** Cuts one road after another; its buffers are reused. */
class Cutter {
  /** Stretches of all roads so far: where each ends, and its set of zones. */
  readonly endMm: number[] = []
  readonly zoneSet: number[] = []
  readonly zoneSets: (readonly string[])[] = [Object.freeze([])]
  private readonly setNumbers = new Map<string, number>([['', 0]])
  private readonly inside: Uint32Array
  /** Of the road in hand: metres from its start to each shape point, and where boundaries cut it. */
  private metres = new Float64Array(64)
  private cutsMm: number[] = []
  /** Pieces of it that run along a boundary. */
  private alongs: { zone: number; from: number; to: number }[] = []

  constructor(private readonly edges: ZoneEdges) {
    this.inside = new Uint32Array(edges.zoneIds.length)
  }

  /** Appends the stretches of a road: `shape` holds longitude, latitude pairs in degrees. */
  cut(shape: Float64Array, lengthMm: number): void {
    const points = shape.length / 2
    invariant(points >= 2, 'a road has two points at least')
    if (this.metres.length < points) this.metres = new Float64Array(2 * points)
    const { metres } = this
    metres[0] = 0
    for (let p = 1; p < points; p++)
      metres[p] = metres[p - 1] + lengthM(shape[2 * p - 2], shape[2 * p - 1], shape[2 * p], shape[2 * p + 1])
    // Stored length per measured metre: 1000, but for rounding or a length that came with the map.
    const mmPerM = metres[points - 1] > 0 ? lengthMm / metres[points - 1] : 0

    this.cutsMm = [0, lengthMm]
    this.alongs = []
    for (let p = 1; p < points; p++) this.cutPiece(shape, p, mmPerM)
    const alongs = this.mergeAlongs(ALONG_M_MAX * 1000, Math.min(ALONG_M_MIN * 1000, ALONG_SHARE_MIN * lengthMm))
    for (const { from, to } of alongs) this.cutsMm.push(Math.round(from), Math.round(to))
    this.cutsMm.sort((a, b) => a - b)

    let from = 0
    let p = 1
    const firstStretch = this.endMm.length
    for (const to of this.cutsMm) {
      if (to <= from) continue
      const middle = (from + to) / 2
      while (p < points - 1 && metres[p] * mmPerM < middle) p++
      const set = this.zonesAlong(shape, p, middle, mmPerM, alongs)
      const last = this.endMm.length - 1
      if (last >= firstStretch && this.zoneSet[last] === set) this.endMm[last] = to
      else {
        this.endMm.push(to)
        this.zoneSet.push(set)
      }
      from = to
    }
    if (lengthMm === 0) {
      this.endMm.push(0)
      this.zoneSet.push(0)
    }
  }

  /** Notes where boundaries cross the piece that ends at point p, and where they run along it. */
  private cutPiece(shape: Float64Array, p: number, mmPerM: number): void {
    const { metres, edges, cutsMm, alongs } = this
    const turn = turnOf(shape, p)
    const [x1, y1, x2, y2] = [shape[2 * p - 2] + turn, shape[2 * p - 1], shape[2 * p] + turn, shape[2 * p + 1]]
    const pieceM = metres[p] - metres[p - 1]
    if (pieceM === 0) return
    const lat = (y1 + y2) / 2
    const kx = metresPerDegreeLon(lat)
    const ky = metresPerDegreeLat(lat)
    const dx = (x2 - x1) * kx
    const dy = (y2 - y1) * ky
    const startMm = metres[p - 1] * mmPerM
    const pieceMm = pieceM * mmPerM
    const marginX = ALONG_M_MAX / kx
    const marginY = ALONG_M_MAX / ky
    edges.near(
      Math.min(x1, x2) - marginX,
      Math.min(y1, y2) - marginY,
      Math.max(x1, x2) + marginX,
      Math.max(y1, y2) + marginY,
      (e) => {
        // Metres from the start of the piece, on the plane that touches WGS84 at its middle latitude.
        const ax = (edges.ax[e] - x1) * kx
        const ay = (edges.ay[e] - y1) * ky
        const ex = (edges.bx[e] - x1) * kx - ax
        const ey = (edges.by[e] - y1) * ky - ay
        const edgeM = Math.sqrt(ex * ex + ey * ey)
        if (edgeM === 0) return
        const sine = (dx * ey - dy * ex) / (pieceM * edgeM)
        // Signed distance from the line of the edge, of the start and of the end of the piece.
        const off1 = (ax * ey - ay * ex) / edgeM
        const off2 = off1 - (dx * ey - dy * ex) / edgeM
        if (off1 > 0 !== off2 > 0 || off1 === 0 || off2 === 0) {
          const sideA = dx * ay - dy * ax
          const sideB = dx * (ay + ey) - dy * (ax + ex)
          if (off1 !== off2 && (sideA > 0 !== sideB > 0 || sideA === 0 || sideB === 0))
            cutsMm.push(Math.round(startMm + (off1 / (off1 - off2)) * pieceMm))
        }
        if (Math.abs(sine) > ALONG_SINE_MAX) return
        // Shares t of the piece within ALONG_M_MAX of the line of the edge, and beside the edge itself.
        let t1 = 0
        let t2 = 1
        const within = (at0: number, at1: number, low: number, high: number) => {
          const slope = at1 - at0
          if (slope === 0) {
            if (at0 < low || at0 > high) t2 = -1
            return
          }
          const [u, v] = [(low - at0) / slope, (high - at0) / slope]
          t1 = Math.max(t1, Math.min(u, v))
          t2 = Math.min(t2, Math.max(u, v))
        }
        within(off1, off2, -ALONG_M_MAX, ALONG_M_MAX)
        const beside = -(ax * ex + ay * ey) / edgeM
        within(beside, beside + (dx * ex + dy * ey) / edgeM, 0, edgeM)
        if (t1 < t2) alongs.push({ zone: edges.zone[e], from: startMm + t1 * pieceMm, to: startMm + t2 * pieceMm })
      },
    )
  }

  /** Joins pieces along one zone that are `gapMm` apart or less, and keeps those of `mm` or more. */
  private mergeAlongs(gapMm: number, mm: number): { zone: number; from: number; to: number }[] {
    const merged: { zone: number; from: number; to: number }[] = []
    for (const along of this.alongs.sort((a, b) => a.zone - b.zone || a.from - b.from)) {
      const last = merged.at(-1)
      if (last && last.zone === along.zone && along.from <= last.to + gapMm) last.to = Math.max(last.to, along.to)
      else merged.push({ ...along })
    }
    return merged.filter(({ from, to }) => to - from >= mm)
  }

  /** Number of the set of zones at `mm`, which lies on the piece that ends at point p. */
  private zonesAlong(
    shape: Float64Array,
    p: number,
    mm: number,
    mmPerM: number,
    alongs: readonly { zone: number; from: number; to: number }[],
  ): number {
    const { metres, inside, edges } = this
    const pieceM = metres[p] - metres[p - 1]
    const t = pieceM === 0 || mmPerM === 0 ? 0 : Math.min(1, Math.max(0, (mm / mmPerM - metres[p - 1]) / pieceM))
    const [x1, y1, x2, y2] = [shape[2 * p - 2], shape[2 * p - 1], shape[2 * p], shape[2 * p + 1]]
    const count = edges.zonesAt(x1 + t * (x2 - x1) + turnOf(shape, p), y1 + t * (y2 - y1), inside)
    if (alongs.length === 0) return this.setOf(Array.from(inside.subarray(0, count), (zone) => edges.zoneIds[zone]))
    const zones = new Set(inside.subarray(0, count))
    for (const { zone, from, to } of alongs)
      if (from <= mm && mm < to) {
        if (edges.cheaper[zone]) zones.add(zone)
        else zones.delete(zone)
      }
    return this.setOf([...zones].sort((a, b) => a - b).map((zone) => edges.zoneIds[zone]))
  }

  /** Number of a set of sorted zone ids. */
  setOf(ids: readonly string[]): number {
    if (ids.length === 0) return 0
    const key = ids.join(' ')
    let set = this.setNumbers.get(key)
    if (set === undefined) {
      set = this.zoneSets.push(Object.freeze([...ids])) - 1
      this.setNumbers.set(key, set)
    }
    return set
  }
}

/**
 * Roads that cross the antimeridian run on beyond 180 degrees, zones don't: the degrees that bring the middle of the piece
 * which ends at point p back among the zones.
 */
function turnOf(shape: Float64Array, p: number): number {
  const twice = shape[2 * p - 2] + shape[2 * p]
  return twice > 360 ? -360 : twice < -360 ? 360 : 0
}
