import fc from 'fast-check'
import { chance, type Chance } from '#kernel'
import { buildNetwork, lengthM, Turns, type RoadNetwork, type TurnRestriction } from '#road-network'
import { Chain } from './chain'
import { emissionMm, offEmissionMm, weightOf } from './costs'
import { newFix, UNDECIDED, type Fix } from './fixes'
import { parameters, type Parameters } from './parameters'

// A textbook Viterbi with plain Dijkstra over the same costs: no windows, no goal, no sharing of searches, forbidden turns by their text; off
// the network is a state like any other. Where the matcher's bounds are opened wide, both must find the same least cost, and by the same way.
const wide = parameters({
  placesMax: 24,
  windowM: 5_000,
  searchWindowM: 5_000,
  nearWindowM: 5_000,
  speedMsMax: 150,
  routeSlackM: 5_000,
  routeFactorMax: 50,
  routeFloorM: 50_000,
  lagStepsMax: 1_000,
  lagNodesMax: 4_000,
})

interface World {
  readonly network: RoadNetwork
  /** Ways in driving order, of which the last one may not be driven after the others. */
  readonly forbidden: readonly (readonly number[])[]
}

/** A stretch [from, to) of a segment. */
type Piece = readonly [segment: number, from: number, to: number]

interface State {
  readonly segment: number
  offsetMm: number
  cost: number
  way: readonly Piece[]
  /** Another way costs as much, so that either may be found. */
  isTie: boolean
}

const TIE_MM = 500
const wayOf = (n: RoadNetwork, segment: number): number => Number(n.ref(segment).split('.')[0])

/** Least cost to stand at the start of each segment, having left `segment` at its end, and which segments lead there. */
function dijkstra({ network: n, forbidden }: World, segment: number, p: Parameters) {
  const turns = new Turns(n)
  // A forbidden way over another one depends on where one came from: that is part of where one is.
  interface At {
    readonly before: number
    readonly segment: number
    readonly cost: number
    readonly path: readonly number[]
    readonly isTie: boolean
  }
  const mayGo = (before: number, from: number, next: number) => {
    const [b, f, t] = [before < 0 ? -1 : wayOf(n, before), wayOf(n, from), wayOf(n, next)]
    return !forbidden.some((ways) => (ways.length === 2 ? ways[0] === f && ways[1] === t : ways[0] === b && ways[1] === f && ways[2] === t)) // prettier-ignore
  }
  const queue: At[] = []
  const done = new Set<string>()
  const best = new Map<number, At>()
  const relax = ({ before, segment: from, path }: At, atEnd: number, isTie: boolean) => {
    for (const next of n.outgoing(n.to(from))) {
      const turned = atEnd + 1000 * (next === n.reverse(from) ? p.uTurnM : p.turnM * turns.sharpness(from, next))
      if (mayGo(before, from, next))
        queue.push({ before: from, segment: next, cost: turned, path: [...path, next], isTie })
    }
  }
  relax({ before: -1, segment, cost: 0, path: [], isTie: false }, 0, false)
  while (queue.length > 0) {
    const nearest = queue.reduce((a, b) => (b.cost < a.cost ? b : a))
    queue.splice(queue.indexOf(nearest), 1)
    const key = `${nearest.before} ${nearest.segment}`
    if (done.has(key)) continue
    done.add(key)
    const isTie =
      nearest.isTie ||
      queue.some((o) => `${o.before} ${o.segment}` === key && o.cost < nearest.cost + TIE_MM && o.path.join() !== nearest.path.join()) // prettier-ignore
    const known = best.get(nearest.segment)
    if (!known) best.set(nearest.segment, { ...nearest, isTie })
    else if (nearest.cost < known.cost + TIE_MM) best.set(nearest.segment, { ...known, isTie: true })
    relax(nearest, nearest.cost + n.lengthMm(nearest.segment), isTie)
  }
  return best
}

/** The pieces of a way without empty ones, and one where it goes on along a segment. */
function joined(pieces: readonly Piece[]): Piece[] {
  const way: Piece[] = []
  for (const [segment, from, to] of pieces) {
    if (to <= from) continue
    const last = way.at(-1)
    if (last && last[0] === segment && last[2] === from) way[way.length - 1] = [segment, last[1], to]
    else way.push([segment, from, to])
  }
  return way
}

/** `way` is null where it isn't the only one of its cost, or leads off the network. */
function viterbi(world: World, fixes: readonly Fix[], displacements: readonly number[], p: Parameters) {
  const { network: n } = world
  const statesOf = (fix: Fix, weight: number): State[] =>
    n.nearest(fix.lon, fix.lat, p.radiusM).map(({ segment, offsetMm, distanceM }) => ({
      segment,
      offsetMm,
      cost: weight * emissionMm(distanceM, p.sigmaM, p),
      way: [],
      isTie: false,
    }))
  const enter = p.offEnterM * 1000
  const offEmission = offEmissionMm(p.sigmaM, p)
  let states = statesOf(fixes[0], p.endWeight)
  let off = enter + p.endWeight * offEmission
  for (let i = 1; i < fixes.length; i++) {
    const weight = weightOf(displacements[i], p)
    const straight = displacements[i] * 1000 * p.offFactor
    const onward = states.map(({ segment }) => dijkstra(world, segment, p))
    const next = statesOf(fixes[i], weight).map((to): State => {
      const ways: State[] = [{ ...to, cost: off + enter + straight + to.cost, isTie: true }]
      states.forEach((from, k) => {
        const length = n.lengthMm(from.segment)
        const add = (mm: number, more: readonly Piece[], isTie: boolean, offsetMm = to.offsetMm) =>
          ways.push({ segment: to.segment, offsetMm, cost: from.cost + mm + to.cost, way: joined([...from.way, ...more]), isTie: from.isTie || isTie }) // prettier-ignore
        const far = onward[k].get(to.segment)
        if (far) {
          const through = far.path.slice(0, -1).map((s): Piece => [s, 0, n.lengthMm(s)])
          const ends: Piece[] = [[from.segment, from.offsetMm, length], ...through, [to.segment, 0, to.offsetMm]]
          add(length - from.offsetMm + far.cost + to.offsetMm, ends, far.isTie)
        }
        const aheadMm = to.offsetMm - from.offsetMm
        if (to.segment === from.segment && aheadMm >= 0) add(aheadMm, [[to.segment, from.offsetMm, to.offsetMm]], false)
        else if (to.segment === from.segment && -aheadMm <= p.backM * 1000)
          // Going back is jitter: the vehicle stays where it was.
          add(-aheadMm * p.backFactor, [], false, from.offsetMm)
        if (to.segment === n.reverse(from.segment)) {
          const turnMm = Math.max(from.offsetMm, length - to.offsetMm)
          const back: Piece[] = [[from.segment, from.offsetMm, turnMm], [to.segment, length - turnMm, to.offsetMm]] // prettier-ignore
          add(Math.abs(length - from.offsetMm - to.offsetMm) + p.midUTurnM * 1000, back, false)
        }
      })
      return least(ways)
    })
    off = Math.min(off, ...states.map((s) => s.cost + enter)) + straight + weight * offEmission
    states = next.filter((s) => s.cost < Infinity)
  }
  const found = Math.min(off, ...states.map((s) => s.cost))
  const last = fixes[fixes.length - 1]
  const more = fixes.length > 1 ? p.endWeight - weightOf(displacements[fixes.length - 1], p) : 0
  const ended = states.map((s) => {
    const [lon, lat] = n.pointAt(s.segment, s.offsetMm)
    return { ...s, cost: s.cost + more * emissionMm(lengthM(last.lon, last.lat, lon, lat), p.sigmaM, p) }
  })
  const end = least([...ended, { segment: -1, offsetMm: 0, cost: off + more * offEmission, way: [], isTie: true }])
  return { cost: found, way: end.isTie ? null : end.way }
}

/** The cheapest one; a tie where another one is by another way and hardly dearer. */
function least(states: readonly State[]): State {
  const best = states.reduce((a, b) => (b.cost < a.cost ? b : a))
  const rivals = states.filter((s) => s !== best && s.cost < best.cost + TIE_MM)
  return { ...best, isTie: best.isTie || rivals.some((s) => s.isTie || s.way.join() !== best.way.join()) }
}

/** Crossings strewn about, roads between them, some one way, and ways on that are forbidden, some over another road. */
function anyWorld(luck: Chance): World {
  const nodes = Array.from({ length: 12 }, (_, id) => ({
    id,
    lon: 7.5 + luck.next() * 0.004,
    lat: 47.5 + luck.next() * 0.003,
  }))
  const ends: [number, number][] = []
  while (ends.length < 18) {
    const [a, b] = [luck.below(12), luck.below(12)]
    if (a !== b) ends.push([a, b])
  }
  // Ways of different names are never made one road.
  const ways = ends.map((nodeIds, id) => ({
    id,
    nodeIds,
    tags: { highway: 'residential', name: `${id}`, oneway: luck.next() < 0.4 ? 'yes' : 'no' },
  }))
  const plain = buildNetwork({ nodes, ways })
  const segments = Array.from({ length: plain.segmentCount }, (_, s) => s)
  const forbidden: number[][] = []
  const restrictions: TurnRestriction[] = []
  for (let tries = 0; tries < 8; tries++) {
    const [from, via, to] = [luck.below(18), luck.below(18), luck.below(18)]
    const isOverRoad = luck.next() < 0.5
    const chains = segments
      .filter((s) => wayOf(plain, s) === from)
      .flatMap((a) =>
        isOverRoad
          ? plain.outgoing(plain.to(a)).filter((b) => wayOf(plain, b) === via && via !== from).map((b) => [a, b])
          : [[a]],
      )
      .flatMap((chain) => plain.outgoing(plain.to(chain.at(-1)!)).filter((c) => wayOf(plain, c) === to).map((c) => [...chain, c])) // prettier-ignore
    if (chains.length !== 1 || new Set(chains[0]).size < chains[0].length) continue
    const names = chains[0].map((s) => wayOf(plain, s))
    const viaNode = Number(plain.ref(chains[0][1]).split('.')[1])
    forbidden.push(names)
    restrictions.push({ kind: 'no_turn', fromWay: from, toWay: to, ...(isOverRoad ? { viaWays: [via] } : { viaNode }) })
  }
  return { network: buildNetwork({ nodes, ways, restrictions }), forbidden }
}

/** A walk of fixes near roads, each some way from the last one. */
function anyFixes({ network: n }: World, luck: Chance, count: number): Fix[] {
  return Array.from({ length: count }, (_, i) => {
    const s = luck.below(n.segmentCount)
    const [x, y] = n.pointAt(s, luck.below(n.lengthMm(s)))
    const scatter = luck.next() < 0.2 ? 4e-4 : 1e-4
    return { ...newFix(), at: i * 60_000, lon: x + luck.normal() * scatter, lat: y + luck.normal() * scatter, fate: UNDECIDED } // prettier-ignore
  })
}

/** Worlds to compare in; `WORLDS=3000` is the long form. */
const WORLDS = Number(process.env['WORLDS'] ?? 500)

it('finds the least cost that a textbook Viterbi finds, and its way, on small worlds of any shape', () => {
  const counted = { worlds: 0, ways: 0, forbidding: 0 }
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 2, max: 8 }), (seed, count) => {
      const luck = chance(seed)
      const world = anyWorld(luck)
      const fixes = anyFixes(world, luck, count)
      const chain = new Chain(world.network, wide, () => {})
      const displacements = [0]
      for (const [i, fix] of fixes.entries()) {
        // Only drives that both can follow; more places than the matcher looks at would be another question.
        const near = world.network.nearest(fix.lon, fix.lat, wide.radiusM)
        const places = new Set(near.map(({ segment }) => world.network.roadOf(segment)))
        if (places.size > wide.placesMax / 2 || !chain.locate(fix)) return
        if (i > 0) displacements[i] = chain.displacementM(fix.lon, fix.lat)
        if (i === 0) chain.start(fix)
        else if (!chain.follow(fix)) return
      }
      const { cost, way } = viterbi(world, fixes, displacements, wide)
      expect(Math.abs(chain.costMm - cost)).toBeLessThan(1)
      counted.worlds++
      counted.forbidding += Number(world.forbidden.length > 0)
      chain.end()
      if (!way) return
      expect(chain.out.map(({ segment, fromMm, toMm }) => [segment, fromMm, toMm])).toEqual(way)
      counted.ways++
    }),
    { numRuns: WORLDS },
  )
  // The others have no way that both could follow, or two that cost the same.
  expect(counted.worlds).toBeGreaterThan(WORLDS / 5)
  expect(counted.forbidding).toBeGreaterThan(WORLDS / 10)
  expect(counted.ways).toBeGreaterThan(WORLDS / 10)
}, 3_600_000)
