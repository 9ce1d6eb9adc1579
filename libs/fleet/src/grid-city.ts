import { invariant, type Chance } from '#kernel'
import { buildFromEdges, metresPerDegreeLat, metresPerDegreeLon, type RoadNetwork } from '#road-network'
import type { Route } from './drive'

const ORIGIN = { lon: -76.6, lat: 39.3 }
const BLOCK_M = 110
/** How far a crossing is from where a ruler would put it, and which share of streets is one way or missing. */
const CROOKED_M = 18
const ONE_WAY_SHARE = 0.15
const MISSING_SHARE = 0.06

/**
 * A city of any size that needs no map: crooked blocks, some streets one way, some missing, each with a bend. About 3.5 `side`² directed
 * segments, `side`² crossings. It shows how time and memory grow, not how real streets confuse.
 */
export function gridCity(side: number, chance: Chance): RoadNetwork {
  invariant(Number.isInteger(side) && side >= 2 && side <= 4_000, `a grid city has 2 to 4,000 streets, found ${side}`)
  const crossings = side * side
  const streets = 2 * side * (side - 1)
  const lon = new Float64Array(crossings + streets)
  const lat = new Float64Array(crossings + streets)
  const from: number[] = []
  const to: number[] = []
  const perLat = metresPerDegreeLat(ORIGIN.lat)
  const off = () => CROOKED_M * (2 * chance.next() - 1)
  for (let row = 0; row < side; row++) {
    const y = ORIGIN.lat + (row * BLOCK_M) / perLat
    const perLon = metresPerDegreeLon(y)
    for (let column = 0; column < side; column++) {
      const i = row * side + column
      lat[i] = y + off() / perLat
      lon[i] = ORIGIN.lon + (column * BLOCK_M + off()) / perLon
    }
  }
  let bends = crossings
  const street = (a: number, b: number) => {
    if (chance.next() < MISSING_SHARE) return
    const bend = bends++
    lon[bend] = (lon[a] + lon[b]) / 2 + off() / 3 / metresPerDegreeLon(lat[a])
    lat[bend] = (lat[a] + lat[b]) / 2 + off() / 3 / perLat
    const ways = chance.next()
    for (const [p, q, isOpen] of [
      [a, b, ways >= ONE_WAY_SHARE / 2],
      [b, a, ways < 1 - ONE_WAY_SHARE / 2],
    ] as const) {
      if (!isOpen) continue
      from.push(p, bend)
      to.push(bend, q)
    }
  }
  for (let i = 0; i < crossings; i++) {
    if ((i + 1) % side > 0) street(i, i + 1)
    if (i + side < crossings) street(i, i + side)
  }
  const ids = (count: number) => Uint32Array.from({ length: count }, (_, i) => i)
  return buildFromEdges(
    { id: ids(bends), lon: lon.subarray(0, bends), lat: lat.subarray(0, bends) },
    { id: ids(from.length), from, to },
    'generated',
  )
}

/** A way of at least `lengthMm` from a segment on, that turns where chance has it, back only where nothing else is allowed. */
export function wander(network: RoadNetwork, start: number, lengthMm: number, chance: Chance): Route {
  const segments = [start]
  let driven = network.lengthMm(start)
  while (driven < lengthMm) {
    const here = segments[segments.length - 1]
    const allowed = network.outgoing(network.to(here)).filter((next) => network.turnAllowed(here, next))
    const onward = allowed.filter((next) => next !== network.reverse(here))
    if (allowed.length === 0) break
    const next = chance.pick(onward.length > 0 ? onward : allowed)
    segments.push(next)
    driven += network.lengthMm(next)
  }
  return { segments, fromMm: 0, toMm: network.lengthMm(segments[segments.length - 1]) }
}
