import { invariant } from '#kernel'
import { LocalScale, UNITS_PER_DEGREE } from './geodesy'
import { Heap } from './heap'
import { Labels } from './labels'
import { FLAG_BANS, type Sections } from './layout'
import type { RoadNetwork } from './network'
import { stateAfter } from './paths'
import { ASSUMED_KMH } from './roads'
import type { Turns } from './turns'

const NONE = -1
const TARGET_SLOTS = 64
const HALF_TURN = 180 * UNITS_PER_DEGREE
/** Straight lines are measured on a plane: this much shorter than they seem, so that no route is underestimated. */
const PLANE_SAFETY = 0.998
const msPerMm = (kmh: number): number => 3.6 / kmh
const kmhOf = (network: RoadNetwork, segment: number): number =>
  network.maxSpeedKmh(segment) || ASSUMED_KMH[network.roadClass(segment)]

function fastestKmh(network: RoadNetwork): number {
  let fastest = 1
  for (let segment = 0; segment < network.segmentCount; segment++) fastest = Math.max(fastest, kmhOf(network, segment))
  return fastest
}

/**
 * Bounded best-first search over directed segments (A*, Hart, Nilsson & Raphael 1968), from several weighted sources to several
 * targets at once, honouring forbidden turns. Arrays are made once and never cleared. Usage: `begin`, `addSource`..., `addTarget`...,
 * `run`, then read `targetTotal`, `targetSource`, `targetMm` and `pathInto` before the next `begin`.
 *
 * A label is a segment with what it costs to stand at its end. Where it is taken up, the targets on the segments that leave from
 * there are reached at once; an onward segment becomes a label only if its own end is still within the bound. That looks one
 * segment further than labels at starts and halves them. Turning back is put off in the queue by what it costs. Costs are millimetres
 * of road (or milliseconds, `by: 'time'`).
 */
export class RouteSearch {
  /** Best total of each target: source cost + route + target cost; Infinity where out of reach. */
  readonly targetTotal: Float64Array
  readonly targetSource: Int32Array
  /** Length of the route in millimetres, without any penalty. */
  readonly targetMm: Float64Array

  private readonly network: RoadNetwork
  private readonly s: Sections
  private readonly byTime: boolean
  /** The bound that keeps A* exact when time is the cost: nothing in this network is faster. */
  private readonly msPerMmMin: number
  private readonly uTurnCost: number
  /** Of the sharpest turn into another road. */
  private readonly turnCost: number
  private readonly turns: Turns | null

  private readonly known: Labels
  private readonly hasPaths: boolean

  /** Labels by key; ~label is to turn back at its end. */
  private readonly heap: Heap

  private sources = 0
  private readonly sourceSegment: Int32Array
  private readonly sourceMm: Float64Array
  private readonly sourceCost: Float64Array
  private targets = 0
  /** Targets by segment modulo TARGET_SLOTS: the newest of each, which leads to the one before it. */
  private readonly targetNewest = new Int32Array(TARGET_SLOTS).fill(NONE)
  private readonly targetBefore: Int32Array
  readonly targetSegment: Int32Array
  readonly targetOffset: Float64Array
  private readonly targetCost: Float64Array
  /** Least cost found of standing at the start of a target's segment. */
  private readonly targetStart: Float64Array
  private readonly targetLabel: Int32Array
  private best = Infinity
  private limit = Infinity
  private worstIsStale = true
  private window = 0

  private readonly scale = new LocalScale()
  private goalX = 0
  private goalY = 0
  private kx = 0
  private ky = 0
  /** A way to any target costs at least this, and its straight line to the goal less the slack. */
  private leastCost = Infinity
  private slack = -Infinity
  private lengthMmMax = Infinity

  constructor(
    network: RoadNetwork,
    options: Partial<Record<'uTurnCost' | 'turnCost' | 'labelsMax' | 'endsMax', number>> & {
      by?: 'length' | 'time'
    } = {},
  ) {
    this.network = network
    this.s = network.sections
    this.byTime = options.by === 'time'
    this.msPerMmMin = this.byTime ? msPerMm(fastestKmh(network)) : 0
    this.uTurnCost = options.uTurnCost ?? 0
    this.turnCost = options.turnCost ?? 0
    this.turns = this.turnCost > 0 ? network.turns : null
    const labelsMax = options.labelsMax ?? 20_000
    const endsMax = options.endsMax ?? 64
    this.known = new Labels(labelsMax)
    this.hasPaths = this.s.pathParent.length > 0
    // Each improvement of a label pushes once more, and a full heap ends the search.
    this.heap = new Heap(labelsMax * 3)
    this.sourceSegment = new Int32Array(endsMax)
    this.sourceMm = new Float64Array(endsMax)
    this.sourceCost = new Float64Array(endsMax)
    this.targetSegment = new Int32Array(endsMax)
    this.targetBefore = new Int32Array(endsMax)
    this.targetOffset = new Float64Array(endsMax)
    this.targetCost = new Float64Array(endsMax)
    this.targetStart = new Float64Array(endsMax)
    this.targetLabel = new Int32Array(endsMax)
    this.targetTotal = new Float64Array(endsMax)
    this.targetSource = new Int32Array(endsMax)
    this.targetMm = new Float64Array(endsMax)
  }

  /** Labels taken up since `begin`; where it reaches the bound, the search ended early. */
  get labels(): number {
    return this.known.count
  }

  /** Starts a search towards a point that the targets are near to; routes up to `lengthMmMax`. */
  begin(goalLon: number, goalLat: number, lengthMmMax: number): void {
    this.known.clear()
    this.heap.size = 0
    this.sources = 0
    for (let t = 0; t < this.targets; t++) this.targetNewest[this.targetSegment[t] % TARGET_SLOTS] = NONE
    this.targets = 0
    this.best = Infinity
    this.worstIsStale = true
    this.goalX = goalLon * UNITS_PER_DEGREE
    this.goalY = goalLat * UNITS_PER_DEGREE
    this.scale.at(goalLat)
    this.kx = (this.scale.lonM * 1000 * PLANE_SAFETY) / UNITS_PER_DEGREE
    this.ky = (this.scale.latM * 1000 * PLANE_SAFETY) / UNITS_PER_DEGREE
    this.leastCost = Infinity
    this.slack = -Infinity
    this.lengthMmMax = lengthMmMax
  }

  addSource(segment: number, fromMm: number, cost: number): number {
    if (this.sources >= this.sourceSegment.length) invariant(false, 'too many sources')
    this.sourceSegment[this.sources] = segment
    this.sourceMm[this.sources] = fromMm
    this.sourceCost[this.sources] = cost
    return this.sources++
  }

  /** `awayM`: the target is no farther from the goal. What it costs by itself counts against that. */
  addTarget(segment: number, toMm: number, cost: number, awayM: number): number {
    if (this.targets >= this.targetSegment.length) invariant(false, 'too many targets')
    const t = this.targets++
    const slot = segment % TARGET_SLOTS
    this.targetBefore[t] = this.targetNewest[slot]
    this.targetNewest[slot] = t
    this.targetSegment[t] = segment
    this.targetOffset[t] = toMm
    this.targetCost[t] = cost
    this.targetTotal[t] = Infinity
    this.targetStart[t] = Infinity
    this.targetSource[t] = NONE
    this.targetMm[t] = 0
    this.targetLabel[t] = NONE
    const slack = awayM * 1000 * (this.byTime ? this.msPerMmMin : 1) - cost
    if (slack > this.slack) this.slack = slack
    if (cost < this.leastCost) this.leastCost = cost
    return t
  }

  /** Offers a target a way that needs no search (along one segment); `cost` is without the source's and the target's own. */
  offer(target: number, source: number, cost: number, mm: number): void {
    const total = this.sourceCost[source] + cost + this.targetCost[target]
    if (total < this.targetTotal[target]) this.settle(target, total, source, mm, NONE)
  }

  /** What a target costs by itself, as given. */
  targetCostOf(target: number): number {
    return this.targetCost[target]
  }
  /** Whether the best way to a target is one that was offered. */
  isOffered(target: number): boolean {
    return this.targetLabel[target] === NONE
  }

  /** The last search ended at its bound of labels: there may be ways that it did not find. */
  get isCut(): boolean {
    return this.known.isFull
  }

  /** Searches until no target can come within `window` of the best one. */
  run(window: number): void {
    this.window = window
    for (let i = 0; i < this.sources; i++) {
      const segment = this.sourceSegment[i]
      const left = Math.max(0, this.s.segmentMm[segment] - this.sourceMm[i])
      const state = this.hasPaths ? stateAfter(this.s, 0, segment) : 0
      this.reach(segment, this.sourceCost[i] + this.cost(segment, left), left, NONE, i, state)
    }
    const { heap } = this
    while (heap.size > 0 && heap.key[0] < this.bound()) {
      const key = heap.key[0]
      const entry = heap.item[0]
      heap.popTop()
      if (entry < 0) this.turnBack(~entry)
      else if (this.known.done[entry] === 0) this.expand(entry, key)
    }
  }

  /**
   * Takes up every allowed turn at the end of a label's segment: reaches the targets on the next ones, and their ends. In one piece,
   * because most of a search is spent here, on segments that lead out of the bound.
   */
  private expand(label: number, key: number): void {
    this.known.done[label] = 1
    const { segmentTo, segmentMm, firstOut, segmentRoad, roadFlags } = this.s
    const { uTurnCost, turnCost, turns } = this
    const segment = this.known.segment[label]
    const directed = segmentRoad[segment]
    const hasBans = (roadFlags[directed >>> 1] & FLAG_BANS) !== 0
    const junction = segmentTo[segment]
    const end = firstOut[junction + 1]
    for (let next = firstOut[junction]; next < end; next++) {
      if (hasBans && !this.network.turnAllowed(segment, next)) continue
      if (uTurnCost > 0 && segmentRoad[next] === (directed ^ 1)) {
        if (key + uTurnCost < this.bound() && this.isBackOfUse(label, next)) this.heap.push(key + uTurnCost, ~label)
        continue
      }
      const cost = this.known.cost[label] + (turns ? turnCost * turns.sharpness(segment, next) : 0)
      if (this.hasTargets(next) || this.hasPaths) {
        this.take(next, cost, label)
        continue
      }
      const length = segmentMm[next]
      const atEnd = cost + this.cost(next, length)
      const bound = this.bound()
      if (atEnd + this.leastCost >= bound) continue
      const keyAtEnd = atEnd + this.remaining(segmentTo[next])
      if (keyAtEnd < bound)
        this.arrive(next, keyAtEnd, atEnd, this.known.mm[label] + length, label, this.known.source[label], 0)
    }
  }

  /** Whether turning back at the end of a label leads to a target, or to another end within the bound: mostly neither. */
  private isBackOfUse(label: number, back: number): boolean {
    if (this.hasTargets(back)) return true
    const cost = this.known.cost[label] + this.uTurnCost + this.cost(back, this.s.segmentMm[back])
    return cost + this.remaining(this.s.segmentTo[back]) < this.bound()
  }

  private turnBack(label: number): void {
    const back = this.network.reverse(this.known.segment[label])
    this.take(back, this.known.cost[label] + this.uTurnCost, label)
  }

  /** False for most segments without a target. */
  private hasTargets(segment: number): boolean {
    return this.targetNewest[segment % TARGET_SLOTS] !== NONE
  }

  /** Stands at the start of a segment: reaches the targets on it, and its end. */
  private take(next: number, cost: number, label: number): void {
    const state = this.hasPaths ? stateAfter(this.s, this.known.state[label], next) : 0
    if (state < 0) return
    const mm = this.known.mm[label]
    const source = this.known.source[label]
    for (let t = this.targetNewest[next % TARGET_SLOTS]; t !== NONE; t = this.targetBefore[t]) {
      if (this.targetSegment[t] !== next || !(cost < this.targetStart[t])) continue
      this.targetStart[t] = cost
      const total = cost + this.cost(next, this.targetOffset[t]) + this.targetCost[t]
      const length = mm + this.targetOffset[t]
      if (total < this.targetTotal[t] && length <= this.lengthMmMax) this.settle(t, total, source, length, label)
    }
    const length = this.s.segmentMm[next]
    this.reach(next, cost + this.cost(next, length), mm + length, label, source, state)
  }

  private settle(t: number, total: number, source: number, mm: number, label: number): void {
    this.targetTotal[t] = total
    this.targetSource[t] = source
    this.targetMm[t] = mm
    this.targetLabel[t] = label
    if (total < this.best) this.best = total
    this.worstIsStale = true
  }

  /** Keys from here on change nothing: beyond the window, or beyond what every target already has. */
  private bound(): number {
    if (this.worstIsStale) this.limit = this.tightened()
    return this.limit
  }

  private tightened(): number {
    let worst = 0
    for (let t = 0; t < this.targets; t++) if (this.targetTotal[t] > worst) worst = this.targetTotal[t]
    this.worstIsStale = false
    return Math.min(this.best + this.window, worst)
  }

  /** Stands at the end of a segment, unless that is beyond the bound. */
  private reach(segment: number, cost: number, mm: number, parent: number, source: number, state: number): void {
    // Most ends are too dear as they are, wherever they lie.
    const bound = this.bound()
    if (cost + this.leastCost >= bound) return
    const key = cost + this.remaining(this.s.segmentTo[segment])
    if (key < bound) this.arrive(segment, key, cost, mm, parent, source, state)
  }

  /** Labels the end of a segment, unless it was reached at less. */
  private arrive(
    segment: number,
    key: number,
    cost: number,
    mm: number,
    parent: number,
    source: number,
    state: number,
  ): void {
    const { known: labels } = this
    const before = labels.count
    const label = labels.of(segment, state)
    if (label < 0) return
    if (label !== before && (labels.done[label] === 1 || labels.cost[label] <= cost)) return
    labels.cost[label] = cost
    labels.mm[label] = mm
    labels.parent[label] = parent
    labels.source[label] = source
    // Beyond the longest route of use it is not gone on from; it still stands in the way of dearer ones.
    if (mm <= this.lengthMmMax) this.heap.push(key, label)
    else labels.done[label] = 1
  }

  private cost(segment: number, mm: number): number {
    if (!this.byTime) return mm
    return mm * msPerMm(kmhOf(this.network, segment))
  }

  /** A bound from below on the cost from the end of a segment to any target. */
  private remaining(junction: number): number {
    let x = this.s.junctionX[junction] - this.goalX
    if (x > HALF_TURN) x -= 2 * HALF_TURN
    else if (x < -HALF_TURN) x += 2 * HALF_TURN
    const dx = x * this.kx
    const dy = (this.s.junctionY[junction] - this.goalY) * this.ky
    const straight = Math.sqrt(dx * dx + dy * dy)
    return Math.max(this.leastCost, (this.byTime ? straight * this.msPerMmMin : straight) - this.slack)
  }

  /**
   * Segments of the route to a target from the source's to the target's, both included. An offered way is one segment where both
   * are the same, else the two.
   */
  pathInto(target: number, into: number[]): void {
    into.length = 0
    const source = this.targetSource[target]
    invariant(source !== NONE, 'a target out of reach has no path')
    const label = this.targetLabel[target]
    if (label === NONE) {
      into.push(this.sourceSegment[source])
      if (this.targetSegment[target] !== this.sourceSegment[source]) into.push(this.targetSegment[target])
      return
    }
    into.push(this.targetSegment[target])
    for (let l = label; l !== NONE; l = this.known.parent[l]) into.push(this.known.segment[l])
    into.reverse()
  }
}
