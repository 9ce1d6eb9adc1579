import { lonDifference, metresPerDegreeLat, metresPerDegreeLon, type RoadClass, type RoadNetwork } from '#road-network'

/** How far along the line its bearing is taken (White Paper, rule on BEARDIST). */
const BEARING_MM = 20_000

/** Functional road classes of the classes of OpenStreetMap. The standard leaves them to each map; readers allow for neighbours. */
const FRC: Readonly<Record<RoadClass, number>> = {
  motorway: 0,
  trunk: 1,
  primary: 2,
  secondary: 3,
  tertiary: 4,
  unclassified: 5,
  road: 5,
  residential: 6,
  living_street: 6,
  service: 7,
  track: 7,
  ferry: 7,
}
export const FRC_MAX = 7

export const FOW = { undefined: 0, motorway: 1, dual: 2, single: 3, slip: 6 } as const

export const frcOf = (network: RoadNetwork, segment: number): number => FRC[network.roadClass(segment)]

/** A larger road in one direction is taken for half of a dual carriageway: our network doesn't say. */
export function fowOf(network: RoadNetwork, segment: number): number {
  if (network.attributes(segment).isLink) return FOW.slip
  const frc = frcOf(network, segment)
  if (frc === 0) return FOW.motorway
  return frc <= 3 && network.reverse(segment) < 0 ? FOW.dual : FOW.single
}

/** Degrees from north, clockwise, [0, 360), of the straight line from a place to 20 m further on, or back, or to the segment's end. */
export function bearingAt(network: RoadNetwork, segment: number, offsetMm: number, isBack: boolean): number {
  // An offset beyond the segment is its end.
  const to = network.pointAt(segment, isBack ? offsetMm - BEARING_MM : offsetMm + BEARING_MM)
  return bearingBetween(network.pointAt(segment, offsetMm), to)
}

/**
 * Degrees, [0, 180], by which the road at a place turns from a bearing. Where a segment ends within 20 m it may do so on our map alone: then
 * the roads that go on from it count as well, and of all the least.
 */
export function turnFrom(
  network: RoadNetwork,
  segment: number,
  offsetMm: number,
  isBack: boolean,
  bearing: number,
): number {
  const own = turnBetween(bearingAt(network, segment, offsetMm, isBack), bearing)
  const restMm = isBack ? offsetMm : network.lengthMm(segment) - offsetMm
  if (restMm >= BEARING_MM) return own
  const here = network.pointAt(segment, offsetMm)
  const end = isBack ? network.from(segment) : network.to(segment)
  // Each road at that junction, driven away from it: those that come in are the others turned round, or one-way.
  return network.outgoing(end).reduce((least, onward) => {
    if (onward === (isBack ? segment : network.reverse(segment))) return least
    return Math.min(least, turnBetween(bearingBetween(here, network.pointAt(onward, BEARING_MM - restMm)), bearing))
  }, own)
}

function bearingBetween([lon1, lat1]: readonly [number, number], [lon2, lat2]: readonly [number, number]): number {
  const mid = (lat1 + lat2) / 2
  const east = lonDifference(lon2, lon1) * metresPerDegreeLon(mid)
  const north = (lat2 - lat1) * metresPerDegreeLat(mid)
  const degrees = (Math.atan2(east, north) * 180) / Math.PI
  return degrees < 0 ? degrees + 360 : degrees
}

/** Degrees between two bearings, [0, 180]. */
const turnBetween = (a: number, b: number): number => Math.abs(((a - b + 540) % 360) - 180)
