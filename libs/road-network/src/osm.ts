import { assemble, type RoadDraft } from './assemble'
import { isOnEarth } from './geodesy'
import type { RoadNetwork } from './network'
import { forbiddenTurns, type TurnRestriction } from './restrictions'
import {
  ROAD_CLASSES,
  SURFACES,
  type Access,
  type RoadAttributes,
  type RoadClass,
  type Surface,
  type Tags,
} from './roads'

export interface OsmNode {
  readonly id: number
  readonly lon: number
  readonly lat: number
}
export interface OsmWay {
  readonly id: number
  readonly nodeIds: readonly number[]
  readonly tags: Tags
}
/** Elements of a map, whoever read them. Nodes that no drivable way uses may be left out. */
export interface NetworkSource {
  readonly nodes: Iterable<OsmNode>
  readonly ways: readonly OsmWay[]
  readonly restrictions?: readonly TurnRestriction[]
  readonly attribution?: string
}

const PRIVATE = new Set(['private', 'customers', 'permit', 'residents', 'agricultural', 'forestry', 'military'])
const CLOSED = new Set(['no', 'emergency', 'psv', 'bus'])
/** https://wiki.openstreetmap.org/wiki/Key:access: the most specific key that is set wins. */
const ACCESS_KEYS = ['motorcar', 'motor_vehicle', 'vehicle', 'access']
/** Service roads on private ground; aisles of car parks are never the road one is charged for. */
const PRIVATE_SERVICE = new Set(['parking_aisle', 'driveway', 'drive-through', 'emergency_access'])

/** What a way is to a car; null where it isn't for cars. */
export function drivable(tags: Tags): { roadClass: RoadClass; access: Access } | null {
  const rule = ACCESS_KEYS.map((key) => tags[key]).find((value) => value !== undefined) ?? 'yes'
  if (CLOSED.has(rule) || tags['area'] === 'yes') return null
  const highway = tags['highway']?.replace(/_link$/, '')
  if (tags['route'] === 'ferry' && highway === undefined) {
    const carries = ACCESS_KEYS.slice(0, 3).some((key) => tags[key] !== undefined)
    return carries ? { roadClass: 'ferry', access: PRIVATE.has(rule) ? 'private' : 'public' } : null
  }
  const roadClass = ROAD_CLASSES.find((name) => name === highway)
  if (roadClass === undefined || roadClass === 'ferry') return null
  const isPrivate = PRIVATE.has(rule) || (roadClass === 'service' && PRIVATE_SERVICE.has(tags['service'] ?? ''))
  return { roadClass, access: isPrivate ? 'private' : 'public' }
}

/** Directions a car may drive: https://wiki.openstreetmap.org/wiki/Key:oneway; motorways and roundabouts imply it. */
function directions(tags: Tags): { forward: boolean; backward: boolean } {
  const oneway = tags['oneway:motor_vehicle'] ?? tags['oneway']
  if (oneway === '-1' || oneway === 'reverse') return { forward: false, backward: true }
  if (oneway === 'yes' || oneway === 'true' || oneway === '1') return { forward: true, backward: false }
  const round = tags['junction'] === 'roundabout' || tags['junction'] === 'circular'
  const implied = oneway === undefined && (round || tags['highway'] === 'motorway')
  return { forward: true, backward: !implied }
}

/** km/h of a `maxspeed` tag, 0 where it says nothing that can be used. */
export function maxSpeedKmh(value: string | undefined): number {
  const m = /^(\d+(?:\.\d+)?)\s*(mph|km\/h|kmh)?$/.exec(value?.trim() ?? '')
  if (!m) return value === 'walk' ? 7 : 0
  return Math.round(Number(m[1]) * (m[2] === 'mph' ? 1.609344 : 1))
}

/**
 * Builds a network of OpenStreetMap elements: ways for cars, split where they meet. A piece whose node the extract doesn't hold
 * is dropped, as is one whose node is nowhere on earth. Deterministic: ways are taken by id. Throws InputError NO_ROADS.
 */
export function buildNetwork(source: NetworkSource): RoadNetwork {
  const ways = source.ways
    .map((way) => ({ ...way, kind: drivable(way.tags) }))
    .filter((way) => way.kind !== null && way.nodeIds.length > 1)
    .sort((a, b) => a.id - b.id)
  const uses = new Map<number, number>()
  for (const way of ways)
    way.nodeIds.forEach((id, i) => {
      const end = i === 0 || i === way.nodeIds.length - 1
      if (way.nodeIds[i - 1] !== id) uses.set(id, (uses.get(id) ?? 0) + (end ? 2 : 1))
    })
  const position = new Map<number, OsmNode>()
  for (const node of source.nodes) if (uses.has(node.id) && isOnEarth(node.lon, node.lat)) position.set(node.id, node)

  const roads: RoadDraft[] = []
  /** Roads that touch a node, for turn restrictions: way id and node id -> road numbers. */
  const roadsOfWay = new Map<number, number[]>()
  for (const way of ways) {
    const mine: number[] = []
    roadsOfWay.set(way.id, mine)
    let chain: OsmNode[] = []
    const finish = () => {
      if (chain.length > 1) mine.push(roads.push(draft(way, way.kind!, chain)) - 1)
      chain = []
    }
    for (const id of way.nodeIds) {
      const node = position.get(id)
      if (!node) {
        finish()
        continue
      }
      if (chain.length > 0 && chain[chain.length - 1].id === id) continue
      chain.push(node)
      if (chain.length > 1 && uses.get(id)! > 1) {
        finish()
        chain.push(node)
      }
    }
    finish()
  }
  return assemble(roads, forbiddenTurns(source.restrictions ?? [], roads, roadsOfWay), source.attribution ?? '')
}

/** What tags say of a road beside its class; `name` and `ref` as signed. */
const attributesOf = (tags: Tags, access: Access): RoadAttributes => ({
  name: tags['name'] ?? '',
  ref: tags['ref'] ?? '',
  access,
  maxSpeedKmh: maxSpeedKmh(tags['maxspeed']),
  lanes: /^\d+$/.test(tags['lanes'] ?? '') ? Number(tags['lanes']) : 0,
  surface: surfaceOf(tags['surface']),
  isBridge: (tags['bridge'] ?? 'no') !== 'no',
  isTunnel: (tags['tunnel'] ?? 'no') !== 'no' || tags['covered'] === 'yes',
  isLink: tags['highway']?.endsWith('_link') ?? false,
})

function surfaceOf(value: string | undefined): Surface {
  if (!value) return ''
  const first = value.split(/[:;]/)[0]
  return SURFACES.find((known) => known === first) ?? 'other'
}

const draft = (way: OsmWay, kind: { roadClass: RoadClass; access: Access }, chain: readonly OsmNode[]): RoadDraft => ({
  fromNode: chain[0].id,
  toNode: chain[chain.length - 1].id,
  lon: chain.map((node) => node.lon),
  lat: chain.map((node) => node.lat),
  ...directions(way.tags),
  roadClass: kind.roadClass,
  attributes: attributesOf(way.tags, kind.access),
  source: way.id,
})
