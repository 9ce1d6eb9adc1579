import { invariant } from '#kernel'
import { NO_RIVAL, readRival, rivalAt, saveRival } from './rival'
import { refuse, type StateReader, type StateWriter } from './state'

const FINAL = -1
/** Instead of a segment: the vehicle is off the network. */
export const OFF = -1

/** A decided position of the vehicle at a kept fix; `segment` may be OFF. */
export interface Visit {
  segment: number
  offsetMm: number
  at: number
  /** Time of the last fix that was thinned into this one. */
  until: number
  fixes: number
  /** Least cost by which a way over another road was dearer, metres; MARGIN_MAX where there was none. */
  marginM: number
  /** Where that way was (`rivalAt`); NO_RIVAL where it was dearer by `sureM` or more, or off the network. */
  rival: number
  /** From the visit before on, a way that was hardly dearer is shorter by so much. */
  lessMm: number
}

export const MARGIN_MAX = 0xffff

/**
 * The undecided past: for each kept fix (step) its surviving candidates (nodes) with their predecessors. Whatever all survivors
 * share is decided and leaves through `settle`. The newest step is never settled, because later fixes may be thinned into it.
 */
export class Trellis {
  steps = 0
  nodes = 0
  private readonly firstNode: Int32Array
  private readonly at: Float64Array
  private readonly until: Float64Array
  private readonly fixes: Int32Array
  /** Metres from the fix of the step before. */
  private readonly hopM: Uint16Array
  private readonly segment: Int32Array
  private readonly road: Int32Array
  private readonly offset: Int32Array
  private readonly parent: Int32Array
  /** Millimetres of road from the parent. */
  private readonly hopMm: Int32Array
  private readonly lessMm: Int32Array
  private readonly marginM: Uint16Array
  /** The place by which the margin is what it is. */
  private readonly rival: Float64Array
  /** Least margin of the ways through a node that have ended. */
  private readonly endedM: Uint16Array
  /** Nodes of the next step that descend from a node: where none is left, its way has ended. */
  private readonly children: Uint8Array
  private readonly alive: Uint8Array
  private readonly moved: Int32Array
  private readonly path: Int32Array
  /** Reused: whoever is given it copies what must last. */
  private readonly visit: Visit = {
    segment: -1,
    offsetMm: 0,
    at: 0.5,
    until: 0.5,
    fixes: 0,
    marginM: 0,
    rival: NO_RIVAL,
    lessMm: 0,
  }

  constructor(
    private readonly stepsMax: number,
    private readonly nodesMax: number,
    candidatesMax: number,
    /** Tells roads apart; both directions of a road are one. */
    private readonly roadOf: (segment: number) => number,
    /** Ways apart for less than this are the same, metres. */
    private readonly rivalM: number,
    /** What is dearer by less may have been driven as well, metres. */
    private readonly doubtM: number,
    /** A way that is dearer by as much is nobody's rival, metres. */
    private readonly sureM: number,
    /** Millimetres between two places. */
    private readonly apartMm: (segment: number, offsetMm: number, other: number, otherMm: number) => number,
  ) {
    const steps = stepsMax + 2
    const nodes = nodesMax + candidatesMax * 2
    this.firstNode = new Int32Array(steps + 1)
    this.at = new Float64Array(steps)
    this.until = new Float64Array(steps)
    this.fixes = new Int32Array(steps)
    this.hopM = new Uint16Array(steps)
    this.segment = new Int32Array(nodes)
    this.road = new Int32Array(nodes)
    this.offset = new Int32Array(nodes)
    this.parent = new Int32Array(nodes)
    this.hopMm = new Int32Array(nodes)
    this.lessMm = new Int32Array(nodes)
    this.marginM = new Uint16Array(nodes)
    this.rival = new Float64Array(nodes)
    this.endedM = new Uint16Array(nodes)
    this.children = new Uint8Array(nodes)
    this.alive = new Uint8Array(nodes)
    this.moved = new Int32Array(nodes)
    this.path = new Int32Array(steps)
  }

  clear(): void {
    this.steps = 0
    this.nodes = 0
  }

  /** Whether more than the bound may be undecided: `settle` is due. */
  isOver(): boolean {
    return this.steps > this.stepsMax || this.nodes > this.nodesMax
  }

  openStep(at: number, hopM: number): void {
    this.firstNode[this.steps] = this.nodes
    this.at[this.steps] = at
    this.until[this.steps] = at
    this.fixes[this.steps] = 1
    this.hopM[this.steps] = Math.min(MARGIN_MAX, Math.round(hopM))
    this.steps++
    this.firstNode[this.steps] = this.nodes
  }

  /** Adds a node to the newest step; `parent`, from where `hopMm` of road lead to it, is a node or -1 where the past is decided. Returns its number. */
  addNode(segment: number, road: number, offsetMm: number, parent: number, hopMm: number): number {
    const node = this.nodes++
    this.segment[node] = segment
    this.road[node] = road
    this.offset[node] = offsetMm
    this.parent[node] = parent
    this.hopMm[node] = hopMm
    this.lessMm[node] = 0
    this.marginM[node] = MARGIN_MAX
    this.rival[node] = NO_RIVAL
    this.endedM[node] = MARGIN_MAX
    this.children[node] = 0
    if (parent >= 0) this.children[parent]++
    this.firstNode[this.steps] = this.nodes
    return node
  }

  /** Whether any node of the next step descends from a node. */
  goesOn(node: number): boolean {
    return this.children[node] > 0
  }

  /**
   * The way of a node ends at the step of that node, `marginM` dearer than the best way there: what lies on another road at any step of
   * it was surer by no more than that (the soft output of Hagenauer & Hoeher 1989, with the roads of a step as its symbols). `best`
   * is the best node of that step.
   */
  end(node: number, step: number, marginM: number, best: number): void {
    const { children, parent, firstNode, marginM: margins, rival: rivals, road: roads, endedM, hopM } = this
    let margin = Math.min(MARGIN_MAX, Math.max(0, Math.round(marginM)))
    let apartM = 0
    for (let n = node, s = step, left = 0; n >= 0 && children[n] === left; n = parent[n], left = 1) apartM += hopM[s--]
    const isApart = apartM >= this.rivalM
    if (isApart && margin < this.doubtM && node !== best) this.compare(node, best)
    for (let n = node, s = step; n >= 0 && children[n] === 0; s--) {
      if (endedM[n] < margin) margin = endedM[n]
      if (isApart) {
        const road = roads[n]
        const end = firstNode[s + 1]
        for (let other = firstNode[s]; other < end; other++)
          if (margins[other] > margin && roads[other] !== road) {
            margins[other] = margin
            rivals[other] = rivalAt(this.segment[n], this.offset[n])
          }
      }
      n = parent[n]
      if (n < 0) return
      children[n]--
      if (margin < endedM[n]) endedM[n] = margin
    }
  }

  /**
   * A way that ends was hardly dearer than the best one of its step: if it is shorter from where they part, even with what lies between
   * their ends, the best one keeps in mind by how much.
   */
  private compare(ended: number, best: number): void {
    const { parent, hopMm } = this
    let lessMm = 0
    let first = best
    for (let n = ended, b = best; n !== b && n >= 0; n = parent[n], b = parent[b]) {
      lessMm += hopMm[b] - hopMm[n]
      first = b
    }
    if (lessMm <= this.lessMm[first]) return
    const isOff = this.segment[ended] === OFF || this.segment[best] === OFF
    if (!isOff) lessMm -= this.apartMm(this.segment[ended], this.offset[ended], this.segment[best], this.offset[best])
    if (lessMm > this.lessMm[first]) this.lessMm[first] = lessMm
  }

  /** A fix was thinned into the newest step. */
  stay(until: number): void {
    this.until[this.steps - 1] = until
    this.fixes[this.steps - 1]++
  }

  /** Metres from the fix of the step before the newest. */
  hopOfNewestM(): number {
    return this.hopM[this.steps - 1]
  }

  newestAt(): number {
    return this.at[this.steps - 1]
  }

  untilOfNewest(): number {
    return this.until[this.steps - 1]
  }

  /** The newest step's vehicle left at `until`, because its last fix becomes a step of its own... */
  leaveEarlier(until: number): void {
    this.until[this.steps - 1] = until
  }
  /** ...which was already counted. */
  uncount(): void {
    this.fixes[this.steps - 1]--
  }

  /**
   * Emits what all nodes of the newest step share and forgets what none descends from. `front` lists the newest step's nodes and is
   * renumbered. Returns whether what is left is within the limits.
   */
  settle(front: Int32Array, frontCount: number, emit: (visit: Visit) => void): boolean {
    const last = this.steps - 1
    if (last < 0) return true
    const { alive, parent } = this
    alive.fill(0, 0, this.nodes)
    for (let i = 0; i < frontCount; i++) alive[front[i]] = 1
    let shared = FINAL
    for (let step = last; step > 0; step--) {
      let count = 0
      for (let node = this.firstNode[step]; node < this.firstNode[step + 1]; node++)
        if (alive[node] && parent[node] >= 0 && !alive[parent[node]]) alive[parent[node]] = 1
      let only = FINAL
      for (let node = this.firstNode[step - 1]; node < this.firstNode[step]; node++)
        if (alive[node]) {
          count++
          only = node
        }
      if (count === 1 && shared === FINAL) shared = only
    }
    let settled = 0
    if (shared !== FINAL) settled = this.emitTo(shared, emit)
    this.compact(settled)
    for (let i = 0; i < frontCount; i++) front[i] = this.moved[front[i]]
    return this.steps <= this.stepsMax && this.nodes <= this.nodesMax
  }

  /** The ancestor of a node at a step. */
  ancestorAt(node: number, step: number): number {
    let n = node
    while (n >= this.firstNode[step + 1]) n = this.parent[n]
    return n
  }

  /** Emits the whole past of a node, and the node, and forgets everything. */
  finish(node: number, emit: (visit: Visit) => void): void {
    this.emitTo(node, emit)
    this.clear()
  }

  save(w: StateWriter): void {
    w.int(this.steps)
    let at = 0
    for (let step = 0; step < this.steps; step++) {
      w.int(this.at[step] - at)
      w.int(this.until[step] - this.at[step])
      w.int(this.fixes[step])
      w.int(this.hopM[step])
      w.int(this.firstNode[step + 1] - this.firstNode[step])
      at = this.at[step]
    }
    for (let node = 0; node < this.nodes; node++) {
      // Roads near each other have numbers near each other: most differences are a byte or two.
      w.int(this.segment[node] - (node > 0 ? this.segment[node - 1] : 0))
      w.int(this.offset[node])
      w.int(this.parent[node] < 0 ? 0 : node - this.parent[node])
      w.int(this.hopMm[node])
      w.int(this.lessMm[node])
      w.int(this.marginM[node] === MARGIN_MAX ? -1 : this.marginM[node])
      if (this.marginM[node] < this.sureM) saveRival(w, this.rival[node], this.segment[node])
      w.int(this.endedM[node] === MARGIN_MAX ? -1 : this.endedM[node])
    }
  }

  restore(r: StateReader, segments: number): void {
    this.clear()
    const steps = r.int()
    if (steps < 1 || steps > this.stepsMax + 1) refuse(`${steps} undecided steps`)
    let at = 0
    for (let step = 0; step < steps; step++) {
      at += r.int()
      this.at[step] = at
      this.until[step] = at + r.int()
      this.fixes[step] = r.int()
      this.hopM[step] = r.int()
      this.firstNode[step] = this.nodes
      this.nodes += r.int()
      if (!(this.nodes > this.firstNode[step] && this.nodes <= this.segment.length)) refuse(`${this.nodes} candidates`)
    }
    this.steps = steps
    this.firstNode[steps] = this.nodes
    for (let node = 0; node < this.nodes; node++) {
      this.segment[node] = r.int() + (node > 0 ? this.segment[node - 1] : 0)
      this.offset[node] = r.int()
      const back = r.int()
      this.parent[node] = back === 0 ? FINAL : node - back
      this.hopMm[node] = r.int()
      this.lessMm[node] = r.int()
      const marginM = r.int()
      this.marginM[node] = marginM < 0 ? MARGIN_MAX : marginM
      const rival = (this.rival[node] = this.marginM[node] < this.sureM ? readRival(r, this.segment[node]) : NO_RIVAL)
      if (!(rival < rivalAt(segments, 0))) refuse('a rival road that the network does not have')
      const endedM = r.int()
      this.endedM[node] = endedM < 0 ? MARGIN_MAX : endedM
      this.children[node] = 0
      if (back > 0) this.children[node - back]++
      if (!(this.segment[node] >= OFF && this.segment[node] < segments && back >= 0 && back <= node))
        refuse('a candidate that the network does not have')
      this.road[node] = this.segment[node] === OFF ? OFF : this.roadOf(this.segment[node])
    }
  }

  /** The newest step's nodes, which are what a matcher goes on from. */
  frontInto(segment: Int32Array, offset: Int32Array, node: Int32Array, count: number): void {
    const first = this.firstNode[this.steps - 1]
    if (this.nodes - first !== count) refuse('its candidates contradict each other')
    for (let i = 0; i < count; i++) {
      segment[i] = this.segment[first + i]
      offset[i] = this.offset[first + i]
      node[i] = first + i
    }
  }

  private emitTo(node: number, emit: (visit: Visit) => void): number {
    const { path, visit } = this
    let steps = 0
    for (let n = node; n >= 0; n = this.parent[n]) path[steps++] = n
    for (let step = 0; step < steps; step++) {
      const n = path[steps - 1 - step]
      visit.segment = this.segment[n]
      visit.offsetMm = this.offset[n]
      visit.at = this.at[step]
      visit.until = this.until[step]
      visit.fixes = this.fixes[step]
      visit.marginM = this.marginM[n]
      visit.rival = visit.marginM < this.sureM ? this.rival[n] : NO_RIVAL
      visit.lessMm = this.lessMm[n]
      emit(visit)
    }
    return steps
  }

  /** Drops the first `settled` steps and all dead nodes. */
  private compact(settled: number): void {
    const from = this.firstNode[settled]
    let to = 0
    for (let step = settled; step < this.steps; step++) {
      const first = to
      const end = this.firstNode[step + 1]
      for (let node = this.firstNode[step]; node < end; node++) {
        if (!this.alive[node]) continue
        this.moved[node] = to
        this.segment[to] = this.segment[node]
        this.road[to] = this.road[node]
        this.offset[to] = this.offset[node]
        this.hopMm[to] = this.hopMm[node]
        this.lessMm[to] = this.lessMm[node]
        this.marginM[to] = this.marginM[node]
        this.rival[to] = this.rival[node]
        this.endedM[to] = this.endedM[node]
        this.children[to] = this.children[node]
        this.parent[to] = this.parent[node] < from ? FINAL : this.moved[this.parent[node]]
        to++
      }
      const target = step - settled
      this.firstNode[target] = first
      this.at[target] = this.at[step]
      this.until[target] = this.until[step]
      this.fixes[target] = this.fixes[step]
      this.hopM[target] = this.hopM[step]
    }
    this.steps -= settled
    this.nodes = to
    this.firstNode[this.steps] = to
    invariant(this.steps >= 1, 'the newest step was settled')
  }
}
