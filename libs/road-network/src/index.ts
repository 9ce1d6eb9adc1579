export { diffNetworks, successors, type Change, type ChangedSegment, type NetworkDiff } from './diff'
export { buildFromEdges, type EdgeColumns, type NodeColumns } from './edges'
export { lineGeometry, segmentFeature, type LineGeometry, type SegmentFeature } from './geojson'
export { LocalScale, lengthM, lonDifference, metresPerDegreeLat, metresPerDegreeLon, UNITS_PER_DEGREE } from './geodesy'
export { Heap } from './heap'
export { RoadNetwork, type Place } from './network'
export { Places } from './places'
export { buildNetwork, drivable, type NetworkSource, type OsmNode, type OsmWay } from './osm'
export { type TurnRestriction } from './restrictions'
export { packNetwork, unpackNetwork } from './pack'
export {
  ACCESS,
  ASSUMED_KMH,
  ROAD_CLASSES,
  type Tags,
  SURFACES,
  type Access,
  type RoadAttributes,
  type RoadClass,
  type Surface,
} from './roads'
export { Turns } from './turns'
export { RouteSearch } from './search'
export { shortestPath, type RouteLimits, type RoutePoint } from './shortest-path'
