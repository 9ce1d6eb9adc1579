import { lineString, nearestPointOnLine } from '@turf/turf'
import Flatbush from 'flatbush'
import { metresPerDegreeLat, metresPerDegreeLon, type RoadNetwork } from '#road-network'
import type { FixColumns } from '#map-matching'

const RADIUS_M = 60

/**
 * What anybody would write first: the nearest road of each fix by itself, turf's nearestPointOnLine behind a flatbush of the
 * roads' boxes. It is what the matcher's speed is compared with; it knows no routes and jumps between roads as the noise does.
 */
export function naiveMatcher(network: RoadNetwork): (fixes: FixColumns) => Int32Array {
  const segments: number[] = []
  for (let s = 0; s < network.segmentCount; s++) if (network.reverse(s) < 0 || s < network.reverse(s)) segments.push(s)
  const lines = segments.map((s) => {
    const shape = network.shape(s)
    return lineString(Array.from({ length: shape.length / 2 }, (_, i) => [shape[2 * i], shape[2 * i + 1]]))
  })
  const index = new Flatbush(lines.length)
  for (const { geometry } of lines) {
    const x = geometry.coordinates.map(([lon]) => lon)
    const y = geometry.coordinates.map(([, lat]) => lat)
    index.add(Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y))
  }
  index.finish()
  return (fixes) => {
    const found = new Int32Array(fixes.length).fill(-1)
    for (let i = 0; i < fixes.length; i++) {
      const [lon, lat] = [fixes.lon[i], fixes.lat[i]]
      const dx = RADIUS_M / metresPerDegreeLon(lat)
      const dy = RADIUS_M / metresPerDegreeLat(lat)
      let least = RADIUS_M
      for (const line of index.search(lon - dx, lat - dy, lon + dx, lat + dy)) {
        const distance = nearestPointOnLine(lines[line], [lon, lat], { units: 'meters' }).properties.pointDistance
        if (distance >= least) continue
        least = distance
        found[i] = segments[line]
      }
    }
    return found
  }
}
