import fc from 'fast-check'
import { chance } from '#kernel'
import { buildFromEdges, Turns, type RoadNetwork } from '#road-network'
import { Chain } from './chain'
import { emissionMm, offEmissionMm, weightOf } from './costs'
import { newFix, UNDECIDED, type Fix } from './fixes'
import { parameters } from './parameters'

// A textbook Viterbi with plain Dijkstra over the same costs: no windows, no goal, no sharing of searches; off the network is a state like any other. The matcher's bounds are
// opened wide, so that both must find the same least cost.
const p = parameters({
  placesMax: 24,
  windowM: 5_000,
  searchWindowM: 5_000,
  nearWindowM: 5_000,
  backM: 0,
  speedMsMax: 150,
  routeSlackM: 5_000,
  routeFactorMax: 50,
  routeFloorM: 50_000,
  lagStepsMax: 1_000,
  lagNodesMax: 4_000,
})

interface State {
  segment: number
  offsetMm: number
  cost: number
}

/** Cost of standing at the start of every segment, having left `segment` at its end. */
function dijkstra(n: RoadNetwork, segment: number): number[] {
  const turns = new Turns(n)
  const cost = new Array<number>(n.segmentCount).fill(Infinity)
  const done = new Set<number>()
  const relax = (from: number, at: number) => {
    for (const next of n.outgoing(n.to(from))) {
      const turned = at + 1000 * (next === n.reverse(from) ? p.uTurnM : p.turnM * turns.sharpness(from, next))
      if (n.turnAllowed(from, next) && turned < cost[next]) cost[next] = turned
    }
  }
  relax(segment, 0)
  for (;;) {
    let nearest = -1
    for (let s = 0; s < cost.length; s++)
      if (!done.has(s) && cost[s] < Infinity && (nearest < 0 || cost[s] < cost[nearest])) nearest = s
    if (nearest < 0) return cost
    done.add(nearest)
    relax(nearest, cost[nearest] + n.lengthMm(nearest))
  }
}

const statesOf = (n: RoadNetwork, fix: Fix, weight: number): State[] =>
  n.nearest(fix.lon, fix.lat, p.radiusM).map(({ segment, offsetMm, distanceM }) => ({
    segment,
    offsetMm,
    cost: weight * emissionMm(distanceM, p.sigmaM, p),
  }))

function viterbi(n: RoadNetwork, fixes: readonly Fix[], displacements: readonly number[]): number {
  const enter = p.offEnterM * 1000
  const offEmission = offEmissionMm(p.sigmaM, p)
  let states = statesOf(n, fixes[0], p.endWeight)
  let off = enter + p.endWeight * offEmission
  for (let i = 1; i < fixes.length; i++) {
    const weight = weightOf(displacements[i], p)
    const straight = displacements[i] * 1000 * p.offFactor
    const next = statesOf(n, fixes[i], weight).map((s) => ({ ...s, total: off + enter + straight + s.cost }))
    for (const from of states) {
      const length = n.lengthMm(from.segment)
      const onward = dijkstra(n, from.segment)
      for (const to of next) {
        const ways = [length - from.offsetMm + onward[to.segment] + to.offsetMm]
        if (to.segment === from.segment && to.offsetMm >= from.offsetMm) ways.push(to.offsetMm - from.offsetMm)
        if (to.segment === n.reverse(from.segment))
          ways.push(Math.abs(length - from.offsetMm - to.offsetMm) + p.midUTurnM * 1000)
        to.total = Math.min(to.total, from.cost + Math.min(...ways) + to.cost)
      }
    }
    off = Math.min(off, ...states.map((s) => s.cost + enter)) + straight + weight * offEmission
    states = next.filter((s) => s.total < Infinity).map(({ total, ...s }) => ({ ...s, cost: total }))
  }
  return Math.min(off, ...states.map((s) => s.cost))
}

/** Worlds to compare in; `WORLDS=3000` is the long form. */
const WORLDS = Number(process.env['WORLDS'] ?? 500)

it('finds the least cost that a textbook Viterbi finds, on small worlds of any shape', () => {
  let compared = 0
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 2, max: 8 }), (seed, count) => {
      const luck = chance(seed)
      const id = Array.from({ length: 12 }, (_, i) => i)
      const lon = id.map(() => 7.5 + luck.next() * 0.004)
      const lat = id.map(() => 47.5 + luck.next() * 0.003)
      const edges: [number, number][] = []
      for (let i = 0; i < 18; i++) {
        const [a, b] = [luck.below(12), luck.below(12)]
        if (a === b) continue
        edges.push([a, b])
        if (luck.next() < 0.6) edges.push([b, a])
      }
      const n = buildFromEdges(
        { id, lon, lat },
        { id: edges.map((_, i) => i), from: edges.map((e) => e[0]), to: edges.map((e) => e[1]) },
      )
      // A walk of fixes near roads, each some way from the last one.
      const fixes: Fix[] = []
      for (let i = 0; i < count; i++) {
        const s = luck.below(n.segmentCount)
        const [x, y] = n.pointAt(s, luck.below(n.lengthMm(s)))
        const scatter = luck.next() < 0.2 ? 4e-4 : 1e-4
        const noise = () => luck.normal() * scatter
        fixes.push({ ...newFix(), at: i * 60_000, lon: x + noise(), lat: y + noise(), fate: UNDECIDED })
      }
      const chain = new Chain(n, p, () => {})
      const displacements = [0]
      for (const [i, fix] of fixes.entries()) {
        // Only drives that both can follow; more places than the matcher looks at would be another question.
        const places = new Set(n.nearest(fix.lon, fix.lat, p.radiusM).map((place) => n.roadOf(place.segment)))
        if (places.size > p.placesMax / 2 || !chain.locate(fix)) return
        if (i > 0) displacements[i] = chain.displacementM(fix.lon, fix.lat)
        if (i === 0) chain.start(fix)
        else if (!chain.follow(fix)) return
      }
      const least = viterbi(n, fixes, displacements)
      expect(Math.abs(chain.costMm - least)).toBeLessThan(1)
      compared++
    }),
    { numRuns: WORLDS },
  )
  // The others have no way that both could follow.
  expect(compared).toBeGreaterThan(WORLDS / 5)
}, 3_600_000)
