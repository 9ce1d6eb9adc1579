import { invariant, type Digest } from '#kernel'
import { LocalScale, UNITS_PER_DEGREE } from './geodesy'
import {
  FLAG_BANS,
  FLAG_BRIDGE,
  FLAG_LINK,
  FLAG_PRIVATE,
  FLAG_TUNNEL,
  NO_EDGE,
  type Opened,
  type Sections,
} from './layout'
import { Places, scan, type GridOrigin } from './places'
import { xOf, yOf } from './points'
import { Turns } from './turns'
import { ACCESS, ROAD_CLASSES, SURFACES, type Access, type RoadAttributes, type RoadClass } from './roads'

/** Where a point may lie on a segment. */
export interface Place {
  readonly segment: number
  /** Along the segment in the direction of travel. */
  readonly offsetMm: number
  readonly distanceM: number
}

/** Beyond it a degree of longitude has no useful length. */
const LAT_MAX = 89.9

/**
 * A road network in one buffer: directed segments between junctions. Segments and junctions are numbers, dense from 0, that
 * mean something only with this network's `digest`; `ref` is what may be stored.
 */
export class RoadNetwork {
  /** SHA-256 of the content: names this build. */
  readonly digest: Digest
  /** To be shown wherever the network is. */
  readonly attribution: string
  readonly segmentCount: number
  readonly junctionCount: number
  /** Degrees: west, south, east, north (RFC 7946). */
  readonly bounds: readonly [number, number, number, number]
  /** The packed form, as `unpackNetwork` reads it. Not to be written to. */
  readonly bytes: Uint8Array
  /** For the searches of this library. */
  readonly sections: Sections
  private readonly s: Sections
  private readonly scale = new LocalScale()
  private readonly origin: GridOrigin
  private readonly opened: Opened
  private turnTable: Turns | null = null

  constructor(opened: Opened) {
    this.opened = opened
    this.bytes = opened.bytes
    this.s = this.sections = opened.sections
    this.digest = opened.digest as Digest
    this.segmentCount = opened.counts.segments
    this.junctionCount = opened.counts.junctions
    this.attribution = this.text(opened.counts.names - 1)
    const { west, south, east, north } = opened.box
    this.origin = { row0: Math.floor(south / opened.cell.y), column0: Math.floor(west / opened.cell.x) }
    this.bounds = [west / UNITS_PER_DEGREE, south / UNITS_PER_DEGREE, east / UNITS_PER_DEGREE, north / UNITS_PER_DEGREE]
  }

  lengthMm(segment: number): number {
    return this.s.segmentMm[segment]
  }
  /** Of all directed segments together, in millimetres. */
  totalMm(): number {
    return this.s.segmentMm.reduce((sum, mm) => sum + mm, 0)
  }
  roadClass(segment: number): RoadClass {
    return ROAD_CLASSES[this.s.roadClass[this.s.segmentRoad[segment] >>> 1]]
  }
  access(segment: number): Access {
    return ACCESS[this.s.roadFlags[this.s.segmentRoad[segment] >>> 1] & FLAG_PRIVATE]
  }
  /** As signed, else the road's number; empty where both are unknown. */
  name(segment: number): string {
    const label = this.s.roadLabel[this.s.segmentRoad[segment] >>> 1]
    return this.text(this.s.label[2 * label] || this.s.label[2 * label + 1])
  }
  /** Signed limit, 0 where unknown. */
  maxSpeedKmh(segment: number): number {
    return this.s.roadMaxSpeed[this.s.segmentRoad[segment] >>> 1]
  }
  /** All that the map says of the road. */
  attributes(segment: number): RoadAttributes {
    const road = this.s.segmentRoad[segment] >>> 1
    const flags = this.s.roadFlags[road]
    return {
      name: this.text(this.s.label[2 * this.s.roadLabel[road]]),
      ref: this.text(this.s.label[2 * this.s.roadLabel[road] + 1]),
      access: ACCESS[flags & FLAG_PRIVATE],
      maxSpeedKmh: this.s.roadMaxSpeed[road],
      lanes: this.s.roadLanes[road],
      surface: SURFACES[this.s.roadSurface[road]],
      isBridge: (flags & FLAG_BRIDGE) !== 0,
      isTunnel: (flags & FLAG_TUNNEL) !== 0,
      isLink: (flags & FLAG_LINK) !== 0,
    }
  }
  /** Junction that the segment leaves: the one whose segments it is among. */
  from(segment: number): number {
    const { firstOut } = this.s
    let low = 0
    let high = this.junctionCount - 1
    while (low < high) {
      const mid = (low + high + 1) >>> 1
      if (firstOut[mid] <= segment) low = mid
      else high = mid - 1
    }
    return low
  }
  /** Junction that the segment leads to. */
  to(segment: number): number {
    return this.s.segmentTo[segment]
  }
  /** The same road driven the other way, -1 where that is forbidden. */
  reverse(segment: number): number {
    return this.s.roadSegment[this.s.segmentRoad[segment] ^ 1]
  }
  /** Segments that leave a junction, ascending. */
  outgoing(junction: number): readonly number[] {
    const first = this.s.firstOut[junction]
    return Array.from({ length: this.s.firstOut[junction + 1] - first }, (_, i) => first + i)
  }
  /** The same without allocation: the segments [firstOutgoing(j), firstOutgoing(j + 1)) leave junction j. */
  firstOutgoing(junction: number): number {
    return this.s.firstOut[junction]
  }

  /** Whether `next` starts where `segment` ends and no sign forbids the turn. */
  turnAllowed(segment: number, next: number): boolean {
    const junction = this.s.segmentTo[segment]
    if (next < this.s.firstOut[junction] || next >= this.s.firstOut[junction + 1]) return false
    if ((this.s.roadFlags[this.s.segmentRoad[segment] >>> 1] & FLAG_BANS) === 0) return true
    const { ban } = this.s
    let low = 0
    let high = ban.length / 2
    while (low < high) {
      const mid = (low + high) >>> 1
      if (ban[2 * mid] < segment || (ban[2 * mid] === segment && ban[2 * mid + 1] < next)) low = mid + 1
      else high = mid
    }
    return low >= ban.length / 2 || ban[2 * low] !== segment || ban[2 * low + 1] !== next
  }

  /** How sharp turns are: one table for all who search here. */
  get turns(): Turns {
    return (this.turnTable ??= new Turns(this))
  }

  /**
   * Stable name of a segment, `source.from.to[.k]`: OSM way id, or id of its first edge, then the ids of its end nodes; k counts
   * further segments with the same three. Survives a rebuild as long as the map keeps those ids.
   */
  ref(segment: number): string {
    const base = this.refBase(segment)
    const k = this.twinsBefore(segment, base)
    return k === 0 ? base : `${base}.${k}`
  }

  /** Segment of a reference, -1 where this network has none. */
  find(ref: string): number {
    const m = /^(-?\d+)\.(-?\d+)\.(-?\d+)(?:\.(\d+))?$/.exec(ref)
    if (!m) return -1
    const junction = this.junction(Number(m[2]))
    if (junction < 0) return -1
    const base = `${m[1]}.${m[2]}.${m[3]}`
    let k = Number(m[4] ?? 0)
    for (let s = this.s.firstOut[junction]; s < this.s.firstOut[junction + 1]; s++)
      if (this.refBase(s) === base && k-- === 0) return s
    return -1
  }

  /** Longitude, latitude pairs in the direction of travel, degrees; beyond 180 where the road crosses the antimeridian. */
  shape(segment: number): Float64Array {
    const { first, last, backward } = this.pointsOf(segment)
    const n = last - first + 1
    const shape = new Float64Array(2 * n)
    for (let i = 0; i < n; i++) {
      const p = backward ? last - i : first + i
      shape[2 * i] = xOf(this.s, p) / UNITS_PER_DEGREE
      shape[2 * i + 1] = yOf(this.s, p) / UNITS_PER_DEGREE
    }
    return shape
  }

  /** Point at an offset (clamped to the segment): [longitude, latitude]. */
  pointAt(segment: number, offsetMm: number): [number, number] {
    const { backward } = this.pointsOf(segment)
    const p = this.pieceAt(segment, offsetMm)
    const { pointMm } = this.s
    const length = this.s.segmentMm[segment]
    const roadMm = Math.min(length, Math.max(0, backward ? length - offsetMm : offsetMm))
    const piece = pointMm[p + 1] - pointMm[p]
    const t = piece === 0 ? 0 : (roadMm - pointMm[p]) / piece
    const [x, y] = [xOf(this.s, p), yOf(this.s, p)]
    return [
      (x + t * (xOf(this.s, p + 1) - x)) / UNITS_PER_DEGREE,
      (y + t * (yOf(this.s, p + 1) - y)) / UNITS_PER_DEGREE,
    ]
  }

  /** How far two roads lead the same way at two places that are near each other: the cosine of the angle between their lines, 0 to 1. */
  alignment(segment: number, offsetMm: number, other: number, otherMm: number): number {
    const p = this.pieceAt(segment, offsetMm)
    const q = this.pieceAt(other, otherMm)
    const { s } = this
    this.scale.at(yOf(s, p) / UNITS_PER_DEGREE)
    const narrow = this.scale.lonM / this.scale.latM
    const [x1, y1] = [(xOf(s, p + 1) - xOf(s, p)) * narrow, yOf(s, p + 1) - yOf(s, p)]
    const [x2, y2] = [(xOf(s, q + 1) - xOf(s, q)) * narrow, yOf(s, q + 1) - yOf(s, q)]
    const norm = Math.sqrt((x1 * x1 + y1 * y1) * (x2 * x2 + y2 * y2))
    return norm > 0 ? Math.abs(x1 * x2 + y1 * y2) / norm : 0
  }

  /** Segments within `radiusM`, nearest first (then by number), both directions of a road. At most 128. */
  nearest(lon: number, lat: number, radiusM: number): Place[] {
    const places = new Places(64)
    this.placesInto(lon, lat, radiusM, places)
    const found: Place[] = []
    for (let i = 0; i < places.count; i++) {
      const road = places.road[i]
      const offset = Math.round(places.roadMm[i])
      const distanceM = places.distanceM[i]
      const forward = this.forwardOf(road)
      const backward = this.backwardOf(road)
      if (forward >= 0) found.push({ segment: forward, offsetMm: offset, distanceM })
      if (backward >= 0) found.push({ segment: backward, offsetMm: this.s.segmentMm[backward] - offset, distanceM })
    }
    return found.sort((a, b) => a.distanceM - b.distanceM || a.segment - b.segment)
  }

  /**
   * The nearest places to a point, without allocation, unordered; where more than `into.capacity` are in reach the nearest are
   * kept. Distances are metres on the plane that touches WGS84 at the point. A point that isn't on the map finds none.
   */
  placesInto(lon: number, lat: number, radiusM: number, into: Places): number {
    into.count = 0
    if (!(Math.abs(lat) <= LAT_MAX && Math.abs(lon) <= 360)) return 0
    this.scale.at(lat)
    const kx = this.scale.lonM / UNITS_PER_DEGREE
    const ky = this.scale.latM / UNITS_PER_DEGREE
    const { west, east, south, north } = this.opened.box
    const fy = lat * UNITS_PER_DEGREE
    const reachY = radiusM / ky
    if (fy < south - reachY || fy > north + reachY) return 0
    const reachX = radiusM / kx
    const turn = 360 * UNITS_PER_DEGREE
    for (let fx = lon * UNITS_PER_DEGREE - turn; fx <= 540 * UNITS_PER_DEGREE; fx += turn)
      if (fx >= west - reachX && fx <= east + reachX)
        scan(this.s, this.opened.cell, this.origin, fx, fy, kx, ky, radiusM, into)
    return into.count
  }

  /** Directed segment along (or against) the points of a road found by `placesInto`; -1 where forbidden. */
  forwardOf(road: number): number {
    return this.s.roadSegment[2 * road]
  }
  backwardOf(road: number): number {
    return this.s.roadSegment[2 * road + 1]
  }
  /** Road of a segment, as `Places` counts roads. */
  roadOf(segment: number): number {
    return this.s.segmentRoad[segment] >>> 1
  }

  /**
   * Edge ids (as given to `buildFromEdges`) of the pieces that [fromMm, toMm) touches, in order, with the piece's own extent on
   * the segment. Empty for networks that weren't built from edges.
   */
  edges(segment: number, fromMm: number, toMm: number): { edge: number; fromMm: number; toMm: number }[] {
    const { first, last, backward } = this.pointsOf(segment)
    const ids = backward ? this.s.edgeBackward : this.s.edgeForward
    const out: { edge: number; fromMm: number; toMm: number }[] = []
    if (ids.length === 0) return out
    const length = this.s.segmentMm[segment]
    for (let i = 0; i < last - first; i++) {
      const p = backward ? last - 1 - i : first + i
      const a = backward ? length - this.s.pointMm[p + 1] : this.s.pointMm[p]
      const b = backward ? length - this.s.pointMm[p] : this.s.pointMm[p + 1]
      // A piece without length is touched where it lies within.
      const isTouched = a < toMm && (b > fromMm || (a === b && a >= fromMm))
      if (ids[p] !== NO_EDGE && isTouched) out.push({ edge: ids[p], fromMm: a, toMm: b })
    }
    return out
  }

  /** Whether edge ids are kept, see `edges`. */
  get hasEdges(): boolean {
    return this.s.edgeForward.length > 0
  }

  private pointsOf(segment: number): { first: number; last: number; backward: boolean } {
    // Its text is made only where it is said.
    if (!(segment >= 0 && segment < this.segmentCount)) invariant(false, `no segment ${segment} in this network`)
    const directed = this.s.segmentRoad[segment]
    const road = directed >>> 1
    return {
      first: this.s.roadFirstPoint[road],
      last: this.s.roadFirstPoint[road + 1] - 1,
      backward: (directed & 1) === 1,
    }
  }

  /** First point (in road order) of the piece that holds an offset. */
  private pieceAt(segment: number, offsetMm: number): number {
    const { first, last, backward } = this.pointsOf(segment)
    const roadMm = backward ? this.s.segmentMm[segment] - offsetMm : offsetMm
    let low = first
    let high = last - 1
    while (low < high) {
      const mid = (low + high + 1) >>> 1
      if (this.s.pointMm[mid] <= roadMm) low = mid
      else high = mid - 1
    }
    return low
  }

  private refBase(segment: number): string {
    const directed = this.s.segmentRoad[segment]
    const road = directed >>> 1
    const { edgeForward, edgeBackward, roadFirstPoint } = this.s
    const source =
      edgeForward.length === 0
        ? this.s.roadSource[road]
        : directed & 1
          ? edgeBackward[roadFirstPoint[road + 1] - 2]
          : edgeForward[roadFirstPoint[road]]
    return `${source}.${this.s.junctionId[this.from(segment)]}.${this.s.junctionId[this.s.segmentTo[segment]]}`
  }

  private twinsBefore(segment: number, base: string): number {
    let k = 0
    for (let s = this.s.firstOut[this.from(segment)]; s < segment; s++)
      if (this.s.segmentTo[s] === this.s.segmentTo[segment] && this.refBase(s) === base) k++
    return k
  }

  /** Junction at a node of the map, -1 where the node is none. */
  junction(nodeId: number): number {
    const { junctionById, junctionId } = this.s
    let low = 0
    let high = junctionById.length
    while (low < high) {
      const mid = (low + high) >>> 1
      if (junctionId[junctionById[mid]] < nodeId) low = mid + 1
      else high = mid
    }
    return low < junctionById.length && junctionId[junctionById[low]] === nodeId ? junctionById[low] : -1
  }

  private text(name: number): string {
    const { nameFirst, nameUtf8 } = this.s
    // TextDecoder refuses views of shared memory; names are short.
    return new TextDecoder().decode(nameUtf8.slice(nameFirst[name], nameFirst[name + 1]))
  }
}
