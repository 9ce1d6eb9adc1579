import { UNITS_PER_DEGREE } from './geodesy'
import type { RoadNetwork } from './network'

type Line = [number, number][]

export type LineGeometry =
  | { readonly type: 'LineString'; readonly coordinates: Line }
  | { readonly type: 'MultiLineString'; readonly coordinates: Line[] }

/** A segment as GeoJSON (RFC 7946). */
export interface SegmentFeature {
  readonly type: 'Feature'
  readonly geometry: LineGeometry
  readonly properties: Readonly<Record<string, string | number | boolean>>
}

/**
 * A segment with all that is known of it, drawn in the direction of travel; cut where it crosses the antimeridian (RFC 7946, 3.1.9).
 * Unknown properties are left out.
 */
export function segmentFeature(network: RoadNetwork, segment: number): SegmentFeature {
  const { name, ref, access, maxSpeedKmh, lanes, surface, isBridge, isTunnel, isLink } = network.attributes(segment)
  const back = network.reverse(segment)
  const known = { name, number: ref, maxspeed_kmh: maxSpeedKmh, lanes, surface }
  const marks = { bridge: isBridge, tunnel: isTunnel, link: isLink, oneway: back < 0 }
  return {
    type: 'Feature',
    geometry: lineGeometry(network.shape(segment)),
    properties: {
      ref: network.ref(segment),
      class: network.roadClass(segment),
      access,
      length_mm: network.lengthMm(segment),
      ...Object.fromEntries(Object.entries({ ...known, ...marks }).filter(([, value]) => Boolean(value))),
    },
  }
}

/** Longitude, latitude pairs, as `shape` has them, as a line of GeoJSON: cut where it crosses the antimeridian. */
export function lineGeometry(shape: Float64Array): LineGeometry {
  const lines = linesOf(shape)
  return lines.length === 1
    ? { type: 'LineString', coordinates: lines[0] }
    : { type: 'MultiLineString', coordinates: lines }
}

/** Longitudes back in [-180, 180]; a line that leaves it is cut there. */
function linesOf(shape: Float64Array): Line[] {
  const lines: Line[] = [[]]
  for (let i = 0; i < shape.length; i += 2) {
    const [lon, lat] = [shape[i], shape[i + 1]]
    const before = i > 0 ? shape[i - 2] : lon
    const edge = [180, -180].find((at) => (before - at) * (lon - at) < 0)
    if (edge !== undefined) {
      const cut = shape[i - 1] + ((edge - before) / (lon - before)) * (lat - shape[i - 1])
      lines[lines.length - 1].push([wrapped(edge, before), whole(cut)])
      lines.push([[wrapped(edge, lon), whole(cut)]])
    }
    lines[lines.length - 1].push([wrapped(lon, lon), lat])
  }
  return lines
}

/** A longitude as it is written on the side of the antimeridian where `inside` is. */
const wrapped = (lon: number, inside: number): number => (inside > 180 ? lon - 360 : inside < -180 ? lon + 360 : lon)
/** As fine as the map's own coordinates. */
const whole = (degrees: number): number => Math.round(degrees * UNITS_PER_DEGREE) / UNITS_PER_DEGREE
