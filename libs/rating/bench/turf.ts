import {
  booleanPointInPolygon,
  feature,
  lineSplit,
  lineString,
  length,
  polygonToLine,
  type AllGeoJSON,
} from '@turf/turf'
import type { PolicyDocument } from '#contracts'

type Zoned = ReturnType<typeof zonesOf>
const zonesOf = (zones: PolicyDocument['zones']) => Object.values(zones).map(({ geometry }) => feature(geometry!))

/**
 * The obvious way to know how far a stretch goes through which zones: ask of each of its fixes and each zone whether it is
 * inside, split the stretch by the boundary of each zone that holds some and not all, and measure the pieces.
 */
export function byTurf(zones: PolicyDocument['zones']): (line: [number, number][]) => number {
  const shapes: Zoned = zonesOf(zones)
  const boundaries = shapes.map((shape) => polygonToLine(shape as never) as AllGeoJSON)
  return (line) => {
    let inside = 0
    shapes.forEach((shape, z) => {
      const held = line.filter((fix) => booleanPointInPolygon(fix, shape as never)).length
      if (held === 0) return
      const whole = lineString(line)
      if (held === line.length) inside += length(whole)
      else
        for (const piece of lineSplit(whole, boundaries[z] as never).features)
          if (booleanPointInPolygon(piece.geometry.coordinates[0], shape as never)) inside += length(piece)
    })
    return inside
  }
}
