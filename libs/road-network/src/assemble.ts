import { digest, InputError, invariant } from '#kernel'
import { lengthM, metresPerDegreeLat, metresPerDegreeLon, UNITS_PER_DEGREE } from './geodesy'
import { buildGrid } from './grid'
import { allocate, FLAG_BANS, FLAG_PRIVATE, NO_EDGE, open, seal, type Box, type CellSize } from './layout'
import { RoadNetwork } from './network'
import { ACCESS, ROAD_CLASSES, type Access, type RoadClass } from './roads'

/** A chain of points between two junctions, before it is packed. */
export interface RoadDraft {
  readonly fromNode: number
  readonly toNode: number
  /** Degrees. */
  readonly lon: readonly number[]
  readonly lat: readonly number[]
  readonly forward: boolean
  readonly backward: boolean
  readonly roadClass: RoadClass
  readonly access: Access
  readonly name: string
  readonly maxSpeedKmh: number
  /** OSM way id, or 0 where edge ids are given. */
  readonly source: number
  /** Edge id of each piece in the order of the points. */
  readonly edgesForward?: readonly number[]
  readonly edgesBackward?: readonly number[]
}

/** Node ids and road drafts (by index) of a forbidden turn. */
export interface BanDraft {
  readonly from: { readonly road: number; readonly backward: boolean }
  readonly to: { readonly road: number; readonly backward: boolean }
}

const CELL_M = 100
const SEGMENTS_MAX = 2 ** 31 - 1

/** Packs drafts into a network. The drafts' order decides numbers, so callers give them in an order that input fixes. */
export function assemble(roads: readonly RoadDraft[], bans: readonly BanDraft[], attribution: string): RoadNetwork {
  if (roads.length === 0) throw new InputError('NO_ROADS', 'the map has no drivable road')
  const ids = new Set<number>()
  let points = 0
  let segments = 0
  for (const road of roads) {
    ids.add(road.fromNode)
    ids.add(road.toNode)
    points += road.lon.length
    segments += Number(road.forward) + Number(road.backward)
  }
  invariant(segments <= SEGMENTS_MAX && points <= SEGMENTS_MAX, 'more segments than a packed network can number')
  const junctionId = Float64Array.from(ids).sort()
  const junctionOf = new Map<number, number>()
  junctionId.forEach((id, i) => junctionOf.set(id, i))

  const x = new Int32Array(points)
  const y = new Int32Array(points)
  const mm = new Uint32Array(points)
  const pointRoad = new Uint32Array(points)
  const roadFirstPoint = new Uint32Array(roads.length + 1)
  const withEdges = roads.some((road) => road.edgesForward ?? road.edgesBackward)
  const edgeForward = new Uint32Array(withEdges ? points : 0).fill(NO_EDGE)
  const edgeBackward = new Uint32Array(withEdges ? points : 0).fill(NO_EDGE)
  let at = 0
  roads.forEach((road, r) => {
    roadFirstPoint[r] = at
    let travelled = 0
    let turns = 0
    for (let i = 0; i < road.lon.length; i++, at++) {
      if (i > 0) {
        const step = road.lon[i] - road.lon[i - 1]
        if (step > 180) turns -= 360
        else if (step < -180) turns += 360
        travelled += lengthM(road.lon[i - 1], road.lat[i - 1], road.lon[i], road.lat[i])
      }
      x[at] = Math.round((road.lon[i] + turns) * UNITS_PER_DEGREE)
      y[at] = Math.round(road.lat[i] * UNITS_PER_DEGREE)
      mm[at] = Math.round(travelled * 1000)
      pointRoad[at] = r
      edgeForward[at] = road.edgesForward?.[i] ?? NO_EDGE
      edgeBackward[at] = road.edgesBackward?.[i] ?? NO_EDGE
    }
    // Two nodes at one place: what connects them must still be a place to be on, so it counts one millimetre.
    if (mm[at - 1] === 0) mm[at - 1] = 1
  })
  roadFirstPoint[roads.length] = at

  const box = boxOf(x, y)
  const cell = cellSize((box.south + box.north) / 2 / UNITS_PER_DEGREE)
  const grid = buildGrid(x, y, pointRoad, cell)
  const names = nameTable(roads, attribution)
  const order = directedOrder(roads, junctionOf)
  const counts = {
    junctions: junctionId.length,
    segments,
    roads: roads.length,
    points,
    slots: grid.cellX.length,
    cellPieces: grid.cellPiece.length,
    bans: bans.length,
    edgePoints: edgeForward.length,
    names: names.first.length - 1,
    nameBytes: names.utf8.length,
  }
  const { bytes, sections: s } = allocate(counts, cell, box)
  s.junctionId.set(junctionId)
  s.pointX.set(x)
  s.pointY.set(y)
  s.pointMm.set(mm)
  s.pointRoad.set(pointRoad)
  s.roadFirstPoint.set(roadFirstPoint)
  s.edgeForward.set(edgeForward)
  s.edgeBackward.set(edgeBackward)
  s.cellX.set(grid.cellX)
  s.cellY.set(grid.cellY)
  s.cellFirst.set(grid.cellFirst)
  s.cellPiece.set(grid.cellPiece)
  s.nameFirst.set(names.first)
  s.nameUtf8.set(names.utf8)
  s.roadForward.fill(-1)
  s.roadBackward.fill(-1)
  roads.forEach((road, r) => {
    s.roadSource[r] = road.source
    s.roadName[r] = names.numberOf.get(road.name)!
    s.roadClass[r] = ROAD_CLASSES.indexOf(road.roadClass)
    s.roadFlags[r] = road.access === ACCESS[1] ? FLAG_PRIVATE : 0
    s.roadMaxSpeed[r] = Math.min(255, Math.max(0, Math.round(road.maxSpeedKmh)))
  })
  order.forEach((directed, segment) => {
    const r = directed >>> 1
    const backward = directed & 1
    s.segmentRoad[segment] = directed
    s.segmentFrom[segment] = junctionOf.get(backward ? roads[r].toNode : roads[r].fromNode)!
    s.segmentTo[segment] = junctionOf.get(backward ? roads[r].fromNode : roads[r].toNode)!
    s.segmentMm[segment] = mm[roadFirstPoint[r + 1] - 1]
    ;(backward ? s.roadBackward : s.roadForward)[r] = segment
    s.firstOut[s.segmentFrom[segment] + 1]++
  })
  for (let j = 0; j < counts.junctions; j++) s.firstOut[j + 1] += s.firstOut[j]
  const directed = (end: BanDraft['from']) => (end.backward ? s.roadBackward : s.roadForward)[end.road]
  const pairs = bans.map((ban) => [directed(ban.from), directed(ban.to)] as const)
  pairs.sort((a, b) => a[0] - b[0] || a[1] - b[1])
  pairs.forEach(([from, to], i) => {
    invariant(from >= 0 && to >= 0, 'a forbidden turn names a direction that nobody may drive')
    s.ban[2 * i] = from
    s.ban[2 * i + 1] = to
    s.roadFlags[s.segmentRoad[from] >>> 1] |= FLAG_BANS
  })
  seal(bytes, digest(bytes))
  return new RoadNetwork(open(bytes))
}

/** Directed roads (2 × road + backward) sorted by the junction they leave, then by road. */
function directedOrder(roads: readonly RoadDraft[], junctionOf: ReadonlyMap<number, number>): Uint32Array {
  const keys: number[] = []
  const span = roads.length * 2
  roads.forEach((road, r) => {
    if (road.forward) keys.push(junctionOf.get(road.fromNode)! * span + 2 * r)
    if (road.backward) keys.push(junctionOf.get(road.toNode)! * span + 2 * r + 1)
  })
  return Uint32Array.from(Float64Array.from(keys).sort(), (key) => key % span)
}

/** Names of roads, then the attribution as the last entry. */
function nameTable(roads: readonly RoadDraft[], attribution: string) {
  const numberOf = new Map<string, number>([['', 0]])
  for (const road of roads) if (!numberOf.has(road.name)) numberOf.set(road.name, numberOf.size)
  const encoder = new TextEncoder()
  const encoded = [...numberOf.keys(), attribution].map((name) => encoder.encode(name))
  const first = new Uint32Array(encoded.length + 1)
  encoded.forEach((name, i) => (first[i + 1] = first[i] + name.length))
  const utf8 = new Uint8Array(first[encoded.length])
  encoded.forEach((name, i) => utf8.set(name, first[i]))
  return { numberOf, first, utf8 }
}

function boxOf(x: Int32Array, y: Int32Array): Box {
  let [west, east, south, north] = [x[0], x[0], y[0], y[0]]
  for (let i = 1; i < x.length; i++) {
    west = Math.min(west, x[i])
    east = Math.max(east, x[i])
    south = Math.min(south, y[i])
    north = Math.max(north, y[i])
  }
  return { west, south, east, north }
}

/** Cells of about 100 m at the middle latitude. */
const cellSize = (lat: number): CellSize => ({
  x: Math.round((CELL_M / Math.max(1, metresPerDegreeLon(lat))) * UNITS_PER_DEGREE),
  y: Math.round((CELL_M / metresPerDegreeLat(lat)) * UNITS_PER_DEGREE),
})
