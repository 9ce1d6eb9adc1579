import { digest, InputError, invariant } from '#kernel'
import { lengthM, metresPerDegreeLat, metresPerDegreeLon, UNITS_PER_DEGREE } from './geodesy'
import { hilbert } from './curve'
import { buildGrid, CELL_M } from './grid'
import {
  allocate,
  COLUMNS_MAX,
  FLAG_BANS,
  FLAG_BRIDGE,
  FLAG_LINK,
  FLAG_PRIVATE,
  FLAG_TUNNEL,
  NO_EDGE,
  open,
  seal,
  type Box,
  type CellSize,
  type Sections,
} from './layout'
import { RoadNetwork } from './network'
import { packPaths } from './paths'
import { countWide, packPoints } from './points'
import { ROAD_CLASSES, SURFACES, type RoadAttributes, type RoadClass } from './roads'

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
  readonly attributes: RoadAttributes
  /** OSM way id, or 0 where edge ids are given. */
  readonly source: number
  /** Edge id of each piece in the order of the points. */
  readonly edgesForward?: readonly number[]
  readonly edgesBackward?: readonly number[]
}

/** A draft, by index, in one of its directions. */
export interface DirectedRoad {
  readonly road: number
  readonly backward: boolean
}
/** A forbidden way on: two directed roads, or more where it leads over others. */
export type TurnDraft = readonly DirectedRoad[]

const HALF_TURN = 180 * UNITS_PER_DEGREE
const POINTS_MAX = 2 ** 31 - 1
/** What a road is at most, so that its millimetres and its degrees, counted on beyond 180, can be written. */
const ROAD_M_MAX = 4_000_000
const LON_MAX = 214

/**
 * Packs drafts into a network. Nothing but their order and content decides about it, so callers give them in an order that the map
 * fixes, and never by position: `ref` counts segments of the same name in that order. InputError NO_ROADS, ROAD_TOO_LONG.
 */
export function assemble(
  drafts: readonly RoadDraft[],
  forbidden: readonly TurnDraft[],
  attribution: string,
): RoadNetwork {
  if (drafts.length === 0) throw new InputError('NO_ROADS', 'the map has no drivable road')
  const junctions = numberJunctions(drafts)
  /** Draft of a road, road of a draft. */
  const draftOf = inOrder(drafts.length, (d) => junctions.numberOf.get(drafts[d].fromNode)!)
  const roadOf = new Uint32Array(drafts.length)
  draftOf.forEach((d, r) => (roadOf[d] = r))

  const geometry = layPoints(drafts, draftOf)
  const { x, y } = geometry
  const box = boxOf(x, y)
  const cell = cellSize(box)
  const grid = buildGrid(geometry, cell)
  const names = nameTable(drafts, attribution)
  const directions = directedDrafts(drafts, junctions.numberOf)
  const numberOfDirection = new Map(
    forbidden.length > 0 ? Array.from(directions, (direction, segment) => [direction, segment]) : [],
  )
  const turns = forbidden.map((turn) =>
    turn.map(({ road, backward }) => {
      const segment = numberOfDirection.get(2 * road + Number(backward))
      invariant(segment !== undefined, 'a forbidden turn names a direction that nobody may drive')
      return segment!
    }),
  )
  const bans = turns.filter((turn) => turn.length === 2).sort((a, b) => a[0] - b[0] || a[1] - b[1])
  const paths = packPaths(turns.filter((turn) => turn.length > 2))
  const withEdges = drafts.some((draft) => draft.edgesForward ?? draft.edgesBackward)
  const counts = {
    junctions: junctions.id.length,
    segments: directions.length,
    roads: drafts.length,
    points: x.length,
    wideChunks: countWide(x, y),
    rows: grid.rowFirst.length - 1,
    cells: grid.cellColumn.length,
    runs: grid.runFirst.length,
    bans: bans.length,
    pathSteps: paths.parent.length,
    edgePoints: withEdges ? x.length : 0,
    labels: names.labels.length / 2,
    names: names.first.length - 1,
    nameBytes: names.utf8.length,
  }
  const { bytes, sections: s } = allocate(counts, cell, box)
  s.junctionId.set(junctions.id)
  s.junctionById.set(inOrder(counts.junctions, (j) => junctions.id[j]))
  s.roadFirstPoint.set(geometry.roadFirstPoint)
  s.pointMm.set(geometry.mm)
  packPoints(s, x, y)
  s.rowFirst.set(grid.rowFirst)
  s.cellColumn.set(grid.cellColumn)
  s.cellFirst.set(grid.cellFirst)
  s.runFirst.set(grid.runFirst)
  s.runPieces.set(grid.runPieces)
  s.label.set(names.labels)
  s.nameFirst.set(names.first)
  s.nameUtf8.set(names.utf8)
  s.roadSegment.fill(-1)
  s.edgeForward.fill(NO_EDGE)
  s.edgeBackward.fill(NO_EDGE)
  draftOf.forEach((d, r) => {
    const draft = drafts[d]
    const first = geometry.roadFirstPoint[r]
    const last = geometry.roadFirstPoint[r + 1] - 1
    for (const [node, p] of [
      [draft.fromNode, first],
      [draft.toNode, last],
    ]) {
      const j = junctions.numberOf.get(node)!
      s.junctionX[j] = x[p] > HALF_TURN ? x[p] - 2 * HALF_TURN : x[p]
      s.junctionY[j] = y[p]
    }
    describe(s, r, draft)
    s.roadLabel[r] = names.roadLabel[d]
    if (!withEdges) s.roadSource[r] = draft.source
    draft.edgesForward?.forEach((edge, i) => (s.edgeForward[first + i] = edge))
    draft.edgesBackward?.forEach((edge, i) => (s.edgeBackward[first + i] = edge))
  })
  directions.forEach((direction, segment) => {
    const draft = drafts[direction >>> 1]
    const backward = direction & 1
    const r = roadOf[direction >>> 1]
    s.segmentRoad[segment] = 2 * r + backward
    s.segmentTo[segment] = junctions.numberOf.get(backward ? draft.fromNode : draft.toNode)!
    s.segmentMm[segment] = geometry.mm[geometry.roadFirstPoint[r + 1] - 1]
    s.roadSegment[2 * r + backward] = segment
    s.firstOut[junctions.numberOf.get(backward ? draft.toNode : draft.fromNode)! + 1]++
  })
  for (let j = 0; j < counts.junctions; j++) s.firstOut[j + 1] += s.firstOut[j]
  bans.forEach(([from, to], i) => {
    s.ban[2 * i] = from
    s.ban[2 * i + 1] = to
    s.roadFlags[s.segmentRoad[from] >>> 1] |= FLAG_BANS
  })
  s.pathParent.set(paths.parent)
  s.pathSegment.set(paths.segment)
  s.pathIsEnd.set(paths.isEnd)
  seal(bytes, digest(bytes))
  return new RoadNetwork(open(bytes))
}

/** 0 to n - 1 by ascending key, equal ones as they stand. */
function inOrder(n: number, key: (i: number) => number): Uint32Array {
  const keys = Float64Array.from({ length: n }, (_, i) => key(i))
  return Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => keys[a] - keys[b] || a - b)
}

/** Numbers the ends of roads along Hilbert's curve through the box that holds them. */
function numberJunctions(drafts: readonly RoadDraft[]): { id: Float64Array; numberOf: Map<number, number> } {
  const numberOf = new Map<number, number>()
  const id: number[] = []
  const lon: number[] = []
  const lat: number[] = []
  const meet = (node: number, x: number, y: number) => {
    if (numberOf.has(node)) return
    numberOf.set(node, id.length)
    id.push(node)
    lon.push(x)
    lat.push(y)
  }
  for (const { fromNode, toNode, lon, lat } of drafts) {
    meet(fromNode, lon[0], lat[0])
    meet(toNode, lon[lon.length - 1], lat[lat.length - 1])
  }
  let [west, east, south, north] = [lon[0], lon[0], lat[0], lat[0]]
  for (let j = 1; j < id.length; j++) {
    west = Math.min(west, lon[j])
    east = Math.max(east, lon[j])
    south = Math.min(south, lat[j])
    north = Math.max(north, lat[j])
  }
  const span = Math.max(east - west, north - south, 1e-7)
  const cell = (degrees: number) => Math.floor((degrees / span) * 0xffff)
  const place = Float64Array.from(id, (_, j) => hilbert(cell(lon[j] - west), cell(lat[j] - south)))
  const order = Uint32Array.from(id, (_, j) => j).sort((a, b) => place[a] - place[b] || id[a] - id[b])
  const sorted = Float64Array.from(order, (j) => id[j])
  sorted.forEach((node, j) => numberOf.set(node, j))
  return { id: sorted, numberOf }
}

/** Points of all roads in the order of roads, with how far each is along its road. */
function layPoints(drafts: readonly RoadDraft[], draftOf: Uint32Array) {
  const points = drafts.reduce((sum, draft) => sum + draft.lon.length, 0)
  invariant(points <= POINTS_MAX, 'more points than a packed network can number')
  const x = new Int32Array(points)
  const y = new Int32Array(points)
  const mm = new Uint32Array(points)
  const roadFirstPoint = new Uint32Array(drafts.length + 1)
  let at = 0
  draftOf.forEach((d, r) => {
    const { lon, lat } = drafts[d]
    roadFirstPoint[r] = at
    let travelled = 0
    let turns = 0
    for (let i = 0; i < lon.length; i++, at++) {
      if (i > 0) {
        const step = lon[i] - lon[i - 1]
        if (step > 180) turns -= 360
        else if (step < -180) turns += 360
        travelled += lengthM(lon[i - 1], lat[i - 1], lon[i], lat[i])
      }
      if (travelled > ROAD_M_MAX || Math.abs(lon[i] + turns) > LON_MAX)
        throw new InputError(
          'ROAD_TOO_LONG',
          `${nameOf(drafts[d])} goes on for more than ${ROAD_M_MAX / 1000} km or round the earth`,
        )
      x[at] = Math.round((lon[i] + turns) * UNITS_PER_DEGREE)
      y[at] = Math.round(lat[i] * UNITS_PER_DEGREE)
      mm[at] = Math.round(travelled * 1000)
    }
    // Two nodes at one place: what connects them must still be a place to be on, so it counts one millimetre.
    if (mm[at - 1] === 0) mm[at - 1] = 1
  })
  roadFirstPoint[drafts.length] = at
  return { x, y, mm, roadFirstPoint }
}

const nameOf = ({ source, fromNode, toNode, edgesForward, edgesBackward }: RoadDraft): string => {
  const edge = edgesForward?.[0] ?? edgesBackward?.[0]
  return `${edge === undefined ? `way ${source}` : `edge ${edge}`} from node ${fromNode} to ${toNode}`
}

function describe(s: Sections, road: number, draft: RoadDraft): void {
  const { access, maxSpeedKmh, lanes, surface, isBridge, isTunnel, isLink } = draft.attributes
  s.roadClass[road] = ROAD_CLASSES.indexOf(draft.roadClass)
  s.roadFlags[road] =
    (access === 'private' ? FLAG_PRIVATE : 0) |
    (isBridge ? FLAG_BRIDGE : 0) |
    (isTunnel ? FLAG_TUNNEL : 0) |
    (isLink ? FLAG_LINK : 0)
  s.roadMaxSpeed[road] = byte(maxSpeedKmh)
  s.roadLanes[road] = byte(lanes)
  s.roadSurface[road] = SURFACES.indexOf(surface)
}

const byte = (value: number): number => Math.min(255, Math.max(0, Math.round(value)))

/** Directed drafts (2 × draft + backward) sorted by the junction they leave, then as they stand. */
function directedDrafts(drafts: readonly RoadDraft[], numberOf: ReadonlyMap<number, number>): Uint32Array {
  const keys: number[] = []
  const span = drafts.length * 2
  drafts.forEach((draft, d) => {
    if (draft.forward) keys.push(numberOf.get(draft.fromNode)! * span + 2 * d)
    if (draft.backward) keys.push(numberOf.get(draft.toNode)! * span + 2 * d + 1)
  })
  return Uint32Array.from(Float64Array.from(keys).sort(), (key) => key % span)
}

/** Texts, the attribution as the last of them; labels: each pair of a name and a number that some road has. */
function nameTable(drafts: readonly RoadDraft[], attribution: string) {
  const textOf = new Map<string, number>([['', 0]])
  const labelOf = new Map<number, number>()
  const labels: number[] = []
  const number = (text: string) => {
    if (!textOf.has(text)) textOf.set(text, textOf.size)
    return textOf.get(text)!
  }
  const roadLabel = Uint32Array.from(drafts, ({ attributes }) => {
    const pair = [number(attributes.name), number(attributes.ref)]
    const key = pair[0] * 2 ** 26 + pair[1]
    if (!labelOf.has(key)) {
      labelOf.set(key, labelOf.size)
      labels.push(...pair)
    }
    return labelOf.get(key)!
  })
  const encoder = new TextEncoder()
  const encoded = [...textOf.keys(), attribution].map((name) => encoder.encode(name))
  const first = new Uint32Array(encoded.length + 1)
  encoded.forEach((name, i) => (first[i + 1] = first[i] + name.length))
  const utf8 = new Uint8Array(first[encoded.length])
  encoded.forEach((name, i) => utf8.set(name, first[i]))
  return { roadLabel, labels, first, utf8 }
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

/** Cells of about 100 m at the middle latitude; wider where a map spans more columns than can be numbered. */
function cellSize({ west, south, east, north }: Box): CellSize {
  const lat = (south + north) / 2 / UNITS_PER_DEGREE
  const x = Math.round((CELL_M / Math.max(1, metresPerDegreeLon(lat))) * UNITS_PER_DEGREE)
  return {
    x: Math.max(x, Math.ceil((east - west) / (COLUMNS_MAX - 1))),
    y: Math.round((CELL_M / metresPerDegreeLat(lat)) * UNITS_PER_DEGREE),
  }
}
