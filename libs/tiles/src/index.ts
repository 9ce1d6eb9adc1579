export { ChargedTiles, drivenRoads, type DrivenRoad, mainPart, type SegmentUse } from './charged'
export { ROAD_ZOOM_MIN, RoadTiles } from './roads'
export { isSquare, type Square, ZOOM_MAX } from './square'
export { ZoneTiles } from './zones'
