import { InputError, instant, invariant, millimetres, type Chance, type Instant, type Millimetres } from '#kernel'
import type { WireFix } from '#contracts'
import { ASSUMED_KMH, metresPerDegreeLat, metresPerDegreeLon, type RoadNetwork, type RoutePoint } from '#road-network'

/** A way through the network: its segments, entered at `fromMm` of the first and left at `toMm` of the last. */
export interface Route {
  readonly segments: readonly number[]
  readonly fromMm: number
  readonly toMm: number
}

export interface DrivenTrip {
  readonly startedAt: Instant
  readonly endedAt: Instant
  readonly fixes: readonly WireFix[]
  /** What was driven. */
  readonly route: Route
  readonly lengthMm: Millimetres
}

/** How a receiver errs. */
export interface Receiver {
  /** Seconds between fixes. */
  readonly periodS: number
  /** Standard deviation of the wandering error, metres, and the time over which it wanders. */
  readonly sigmaM: number
  readonly wanderS: number
  /** Standard deviation of what is drawn anew at every fix, metres. */
  readonly jitterM: number
  /** Chance that a trip has a silence, and its longest. */
  readonly silenceShare: number
  readonly silenceSMax: number
  /**
   * Between high buildings a receiver hears reflections: share of the way where it does, and the standard deviation of the error
   * that then stays the same for a whole block, metres (Groves 2013, ch. 10: tens of metres in urban canyons).
   */
  readonly canyonShare: number
  readonly canyonM: number
}

/** A consumer receiver in a city: errors of a few metres that last for half a minute. */
export const RECEIVER: Receiver = {
  periodS: 5,
  sigmaM: 3.5,
  wanderS: 30,
  jitterM: 0.8,
  silenceShare: 0.05,
  silenceSMax: 60,
  canyonShare: 0,
  canyonM: 0,
}

/** A bad one among high buildings, every second: what a matcher must live with. */
export const URBAN_RECEIVER: Receiver = {
  periodS: 1,
  sigmaM: 8,
  wanderS: 30,
  jitterM: 0.8,
  silenceShare: 0.5,
  silenceSMax: 90,
  canyonShare: 0.15,
  canyonM: 10,
}

const ACCELERATION = 1.8
const BRAKING = 2.2
/** How often the end of a segment makes one wait: lights, crossings, people. */
const STOP_SHARE = 0.15
const STOP_S_MAX = 35
const DRIVE_S_MAX = 4 * 3600
const BLOCK_M = 150
const TAKE_ON_S = 4

/** Millimetres of a route. */
export const routeLength = (network: RoadNetwork, route: Route): Millimetres =>
  millimetres(
    route.segments.reduce((sum, s) => sum + network.lengthMm(s), 0) -
      route.fromMm -
      (network.lengthMm(route.segments.at(-1)!) - route.toMm),
  )

export const routeBetween = (segments: readonly number[], from: RoutePoint, to: RoutePoint): Route => ({
  segments,
  fromMm: from.offsetMm,
  toMm: to.offsetMm,
})

/** Drives a route second by second and returns what the receiver reports, with the truth. */
export function drive(
  network: RoadNetwork,
  route: Route,
  startedAt: Instant,
  receiver: Receiver,
  chance: Chance,
): DrivenTrip {
  const lengthMm = routeLength(network, route)
  invariant(lengthMm >= 0, 'a route runs forwards')
  const positions = motion(network, route, lengthMm, chance.fork('motion'))
  const fixes = report(positions, startedAt, receiver, chance.fork('receiver'))
  return { startedAt, endedAt: instant(startedAt + (positions.length - 1) * 1000), fixes, route, lengthMm }
}

/** Where the vehicle is at each full second: [longitude, latitude]. */
function motion(network: RoadNetwork, route: Route, lengthMm: number, chance: Chance): [number, number][] {
  const haste = 0.85 + 0.2 * chance.next()
  const ends = segmentEnds(network, route)
  const stopS = route.segments.map((_, i) =>
    i < route.segments.length - 1 && chance.next() < STOP_SHARE ? 3 + chance.below(STOP_S_MAX) : 0,
  )
  const speeds = route.segments.map(
    (s) => ((network.maxSpeedKmh(s) || ASSUMED_KMH[network.roadClass(s)]) / 3.6) * haste,
  )
  const positions: [number, number][] = []
  let at = 0
  let speed = 0
  let index = 0
  for (let second = 0; second < DRIVE_S_MAX; second++) {
    while (index < route.segments.length - 1 && at >= ends[index]) index++
    const start = index === 0 ? 0 : ends[index - 1]
    positions.push(network.pointAt(route.segments[index], at - start + (index === 0 ? route.fromMm : 0)))
    if (at >= lengthMm) return positions
    const stopAt = stopS[index] > 0 || index === route.segments.length - 1 ? ends[index] : Infinity
    const leftM = (stopAt - at) / 1000
    speed = Math.max(0.5, Math.min(speed + ACCELERATION, speeds[index], Math.sqrt(2 * BRAKING * Math.max(leftM, 0))))
    at = Math.min(at + Math.round(speed * 1000), stopAt, lengthMm)
    if (at === stopAt && stopS[index] > 0) {
      // It waits at the line, then goes on from standing.
      for (let s = 0; s < stopS[index]; s++)
        positions.push(network.pointAt(route.segments[index], at - start + (index === 0 ? route.fromMm : 0)))
      speed = 0
    }
  }
  throw new InputError('TRIP_TOO_LONG', `a drive of ${lengthMm} mm takes more than ${DRIVE_S_MAX / 3600} hours`)
}

/** Distance along the route at which each of its segments ends. */
function segmentEnds(network: RoadNetwork, route: Route): number[] {
  let at = -route.fromMm
  return route.segments.map((s, i) => (at += i === route.segments.length - 1 ? route.toMm : network.lengthMm(s)))
}

function report(
  positions: readonly [number, number][],
  startedAt: Instant,
  receiver: Receiver,
  chance: Chance,
): WireFix[] {
  const { periodS, sigmaM, wanderS, jitterM } = receiver
  const memory = Math.exp(-1 / wanderS)
  const fresh = sigmaM * Math.sqrt(1 - memory * memory)
  let east = sigmaM * chance.normal()
  let north = sigmaM * chance.normal()
  const silent = chance.next() < receiver.silenceShare
  const silentFrom = silent ? chance.below(positions.length) : Infinity
  const silentTo = silentFrom + chance.below(receiver.silenceSMax)
  const canyon = canyonsOf(positions, receiver, chance.fork('canyon'))
  const fixes: WireFix[] = []
  positions.forEach(([lon, lat], second) => {
    east = memory * east + fresh * chance.normal()
    north = memory * north + fresh * chance.normal()
    const last = second === positions.length - 1
    if ((second % periodS !== 0 && !last) || (second >= silentFrom && second < silentTo && second > 0 && !last)) return
    const [biasEast, biasNorth] = canyon[second]
    const x = lon + (east + biasEast + jitterM * chance.normal()) / metresPerDegreeLon(lat)
    const y = lat + (north + biasNorth + jitterM * chance.normal()) / metresPerDegreeLat(lat)
    fixes.push([startedAt + second * 1000, round(y, 6), round(x, 6), round(sigmaM * (0.8 + 0.6 * chance.next()), 1)])
  })
  return fixes
}

/** The bias at each second, [east, north] in metres: drawn anew every block of the way, and taken on and lost within seconds. */
function canyonsOf(
  positions: readonly [number, number][],
  { canyonShare, canyonM }: Receiver,
  chance: Chance,
): [number, number][] {
  let driven = 0
  let block = -1
  let target = [0, 0]
  let bias: [number, number] = [0, 0]
  return positions.map(([lon, lat], second) => {
    const [lonBefore, latBefore] = positions[Math.max(0, second - 1)]
    driven += Math.hypot((lon - lonBefore) * metresPerDegreeLon(lat), (lat - latBefore) * metresPerDegreeLat(lat))
    if (Math.floor(driven / BLOCK_M) !== block) {
      block = Math.floor(driven / BLOCK_M)
      target = chance.next() < canyonShare ? [canyonM * chance.normal(), canyonM * chance.normal()] : [0, 0]
    }
    bias = [bias[0] + (target[0] - bias[0]) / TAKE_ON_S, bias[1] + (target[1] - bias[1]) / TAKE_ON_S]
    return bias
  })
}

const round = (value: number, decimals: number): number => Math.round(value * 10 ** decimals) / 10 ** decimals
