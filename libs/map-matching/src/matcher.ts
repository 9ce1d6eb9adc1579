import { invariant } from '#kernel'
import { metresPerDegreeLat, metresPerDegreeLon, Places, RouteSearch, type RoadNetwork } from '#road-network'
import { confidenceOf, emissionMm, routeMmMax, sigmaOf } from './costs'
import { Drive, Pieces, type Traversal } from './drive'
import {
  FateQueue,
  IMPLAUSIBLE,
  INACCURATE,
  INVALID,
  MATCHED,
  NULL_ISLAND,
  OFF_NETWORK,
  STANDING,
  TIME_ORDER,
  UNDECIDED,
  type FixColumns,
} from './fixes'
import { parameters, type Parameters } from './parameters'
import { Trellis, type Visit } from './trellis'

/** Names what turns fixes into traversals: changes with anything that may change a result. */
export const ENGINE_VERSION = 'hmm-1'

export interface Match {
  /** In driving order. */
  readonly traversals: readonly Traversal[]
  /** One per fix in the order given: indexes of FATES. As many `matched` as the traversals have fixes. */
  readonly fates: Uint8Array
  /** Places where the drive could not be followed and was begun anew. */
  readonly breaks: number
  /** Decisions taken early because the undecided past reached its bound. */
  readonly forced: number
}

interface Fix {
  at: number
  lon: number
  lat: number
  accuracyM: number
  /** Fate that it already has, or UNDECIDED. */
  fate: number
}

const CARRY_MAX = 16
const RUNS_MAX = 32

/**
 * Matches one vehicle's fixes to a road network: the most likely path of a hidden Markov model (Newson & Krumm 2009), found
 * step by step. `match` takes a whole trip; `begin`, `advance`..., `finish` take it in batches, with `save` and `restore` between
 * them, and together give the same traversals and fates to the byte, however the trip is cut. An instance serves one trip at a time
 * and keeps its arrays: make one per worker.
 */
export class Matcher {
  private readonly network: RoadNetwork
  private readonly p: Parameters
  private readonly search: RouteSearch
  private readonly link: RouteSearch
  private readonly places: Places
  private readonly pieces = new Pieces()
  private readonly path: number[] = []
  private readonly emission: Float64Array

  private readonly trellis: Trellis
  private readonly drive = new Drive()
  private readonly queue = new FateQueue()
  /** Candidates of the newest kept fix. */
  private frontCount = 0
  private readonly frontSegment: Int32Array
  private readonly frontOffset: Int32Array
  private readonly frontCost: Float64Array
  private readonly frontNode: Int32Array
  private readonly targetSegment: Int32Array
  private readonly targetOffset: Int32Array

  private lastAt = -Infinity
  private kept: Fix = { at: 0, lon: 0, lat: 0, accuracyM: 0, fate: UNDECIDED }
  private keptX = 0
  private keptY = 0
  /** Newest fix thinned into the kept one, and the time of the one before it. */
  private thinned: Fix | null = null
  private thinnedBefore = 0
  private offM = 0
  private off: Fix | null = null
  private carry: Fix[] = []
  private breaks = 0
  private forced = 0
  private out: Traversal[] = []
  private readonly emit: (visit: Visit) => void

  constructor(network: RoadNetwork, overrides: Partial<Parameters> = {}) {
    this.network = network
    this.p = parameters(overrides)
    const ends = this.p.placesMax * 2
    const uTurnCost = this.p.uTurnM * 1000
    this.search = new RouteSearch(network, { uTurnCost, endsMax: ends, labelsMax: 8_000 })
    this.link = new RouteSearch(network, { uTurnCost, endsMax: 1, labelsMax: 8_000 })
    this.places = new Places(this.p.placesMax)
    this.emission = new Float64Array(this.p.placesMax)
    this.trellis = new Trellis(this.p.lagStepsMax, this.p.lagNodesMax, ends)
    this.frontSegment = new Int32Array(ends)
    this.frontOffset = new Int32Array(ends)
    this.frontCost = new Float64Array(ends)
    this.frontNode = new Int32Array(ends)
    this.targetSegment = new Int32Array(ends)
    this.targetOffset = new Int32Array(ends)
    const connect = (visit: Visit) => this.connect(visit)
    this.emit = (visit) => {
      this.drive.visit(visit, connect, this.out)
      if (this.drive.hasMoved) this.queue.decide(MATCHED)
    }
  }

  /** Matches a whole trip. Never throws for what fixes say: each gets a fate. */
  match(fixes: FixColumns): Match {
    this.begin()
    const body = this.advance(fixes)
    const tail = this.finish()
    const fates = new Uint8Array(body.fates.length + tail.fates.length)
    fates.set(body.fates)
    fates.set(tail.fates, body.fates.length)
    return {
      traversals: [...body.traversals, ...tail.traversals],
      fates,
      breaks: body.breaks + tail.breaks,
      forced: body.forced + tail.forced,
    }
  }

  /** Starts a trip. */
  begin(): void {
    this.queue.restore([])
    this.trellis.clear()
    this.drive.end([])
    this.frontCount = 0
    this.lastAt = -Infinity
    this.thinned = null
    this.off = null
    this.offM = 0
    this.carry = []
  }

  /** Takes the next fixes; returns what became certain: closed traversals, and fates from where the last answer ended. */
  advance(fixes: FixColumns): Match {
    for (let i = 0; i < fixes.length; i++) this.take(fixes.at[i], fixes.lon[i], fixes.lat[i], fixes.accuracyM[i] ?? 0)
    return this.answer()
  }

  /** Ends the trip: decides what is left. */
  finish(): Match {
    this.dropCarry()
    if (this.thinned && this.frontCount > 0) this.arrive(this.thinned)
    this.endChain()
    return this.answer()
  }

  private answer(): Match {
    const fates: number[] = []
    this.queue.take(fates)
    const answer = { traversals: this.out, fates: Uint8Array.from(fates), breaks: this.breaks, forced: this.forced }
    this.out = []
    this.breaks = 0
    this.forced = 0
    return answer
  }

  private take(rawAt: number, lon: number, lat: number, accuracyM: number): void {
    const at = Math.round(rawAt)
    const fate = !(Number.isSafeInteger(at) && Math.abs(lat) <= 90 && Math.abs(lon) <= 180)
      ? INVALID
      : lon === 0 && lat === 0
        ? NULL_ISLAND
        : at <= this.lastAt
          ? TIME_ORDER
          : accuracyM > this.p.accuracyMMax
            ? INACCURATE
            : UNDECIDED
    if (fate === UNDECIDED) {
      this.lastAt = at
      this.place(at, lon, lat, accuracyM)
    } else if (this.carry.length > 0) this.hold({ at, lon, lat, accuracyM, fate })
    else this.note(fate)
  }

  private note(fate: number): void {
    this.queue.push(fate)
    // A trip that stands for ever among strays: what has not moved by now is said to stand.
    if (this.queue.runs > RUNS_MAX) this.queue.decide(STANDING)
  }

  private fateOfChain(): number {
    return this.drive.hasMoved ? MATCHED : UNDECIDED
  }

  /** Finds a fix its place: into the kept fix, after it, on a new chain, or off the network. */
  private place(at: number, lon: number, lat: number, accuracyM: number): void {
    if (this.frontCount > 0) {
      const x = (lon - this.kept.lon) * this.keptX
      const y = (lat - this.kept.lat) * this.keptY
      if (x * x + y * y < this.p.thinM * this.p.thinM) {
        this.dropCarry()
        this.thinnedBefore = this.thinned ? this.thinned.at : this.kept.at
        this.thinned = { at, lon, lat, accuracyM, fate: UNDECIDED }
        this.trellis.stay(at)
        this.note(this.fateOfChain())
        return
      }
    }
    const fix = { at, lon, lat, accuracyM, fate: UNDECIDED }
    if (this.network.placesInto(lon, lat, this.p.radiusM, this.places) === 0) {
      this.strayOff(fix)
      return
    }
    if (this.frontCount === 0) {
      this.start(fix)
      this.note(UNDECIDED)
      return
    }
    if (this.follow(fix, at)) {
      this.dropCarry()
      this.keep(fix)
      this.note(this.fateOfChain())
    } else this.hold(fix)
  }

  private strayOff(fix: Fix): void {
    if (this.carry.length > 0) {
      this.hold(fix)
      return
    }
    const before = this.off ?? (this.frontCount > 0 ? this.kept : null)
    if (before) {
      const x = (fix.lon - before.lon) * metresPerDegreeLon(fix.lat)
      const y = (fix.lat - before.lat) * metresPerDegreeLat(fix.lat)
      const hop = Math.sqrt(x * x + y * y)
      if (hop >= this.p.thinM) {
        this.offM += hop
        this.off = fix
      }
    } else this.off = fix
    if (this.frontCount > 0 && this.offM > this.p.offNetworkM) this.breakChain()
    this.note(OFF_NETWORK)
  }

  /** Keeps a fix aside that can't be reached; too many of them break the drive, and they begin the next chain. */
  private hold(fix: Fix): void {
    this.carry.push(fix)
    const junk = this.carry.reduce((n, f) => n + Number(f.fate === UNDECIDED), 0)
    if (junk > this.p.junkFixesMax || this.carry.length > CARRY_MAX) this.giveUpCarry()
  }

  /** What was kept aside is implausible: the drive went on without it. */
  private dropCarry(): void {
    for (const fix of this.carry) this.note(fix.fate === UNDECIDED ? IMPLAUSIBLE : fix.fate)
    this.carry.length = 0
  }

  /** Breaks the drive at what was kept aside and takes it up again from there; ends, because the first of it begins a chain. */
  private giveUpCarry(): void {
    const again = this.carry
    this.carry = []
    this.breakChain()
    for (const fix of again)
      if (fix.fate === UNDECIDED) this.place(fix.at, fix.lon, fix.lat, fix.accuracyM)
      else if (this.carry.length > 0) this.hold(fix)
      else this.note(fix.fate)
  }

  private breakChain(): void {
    if (this.frontCount === 0) return
    this.breaks++
    this.endChain()
  }

  private endChain(): void {
    if (this.frontCount > 0) this.trellis.finish(this.frontNode[this.bestOfFront()], this.emit)
    this.queue.decide(this.drive.hasMoved ? MATCHED : STANDING)
    this.drive.end(this.out)
    this.frontCount = 0
    this.thinned = null
    this.off = null
    this.offM = 0
  }

  private bestOfFront(): number {
    let best = 0
    for (let i = 1; i < this.frontCount; i++) if (this.frontCost[i] < this.frontCost[best]) best = i
    return best
  }

  /** The last thinned fix is where the trip ended. */
  private arrive(fix: Fix): void {
    if (this.network.placesInto(fix.lon, fix.lat, this.p.radiusM, this.places) === 0) return
    this.trellis.leaveEarlier(this.thinnedBefore)
    if (this.follow(fix, fix.at)) this.trellis.uncount()
  }

  private keep(fix: Fix): void {
    this.kept = fix
    this.keptX = metresPerDegreeLon(fix.lat)
    this.keptY = metresPerDegreeLat(fix.lat)
    this.thinned = null
    this.off = null
    this.offM = 0
  }

  /** Begins a chain at a fix whose places are found. */
  private start(fix: Fix): void {
    const { search } = this
    search.begin(fix.lon, fix.lat, this.p.radiusM, 0)
    const targets = this.addTargets(fix)
    this.trellis.clear()
    this.trellis.openStep(fix.at)
    let best = Infinity
    for (let t = 0; t < targets; t++) best = Math.min(best, search.targetCostOf(t))
    this.frontCount = 0
    for (let t = 0; t < targets; t++) this.survive(t, search.targetCostOf(t) - best, -1, this.targetOffset[t], 1000)
    this.keep(fix)
  }

  /** Targets for both directions of each place that isn't hopelessly far. */
  private addTargets(fix: Fix): number {
    const { places, network, p } = this
    const sigma = sigmaOf(fix.accuracyM, p)
    let least = Infinity
    for (let i = 0; i < places.count; i++) {
      this.emission[i] = emissionMm(places.distanceM[i], sigma, p)
      if (this.emission[i] < least) least = this.emission[i]
    }
    let n = 0
    for (let i = 0; i < places.count; i++) {
      if (this.emission[i] > least + p.windowM * 1000) continue
      const offset = Math.round(places.roadMm[i])
      const forward = network.forwardOf(places.road[i])
      const backward = network.backwardOf(places.road[i])
      if (forward >= 0) n = this.addTarget(forward, offset, this.emission[i])
      if (backward >= 0) n = this.addTarget(backward, network.lengthMm(backward) - offset, this.emission[i])
    }
    return n
  }

  private addTarget(segment: number, offsetMm: number, cost: number): number {
    const t = this.search.addTarget(segment, offsetMm, cost)
    this.targetSegment[t] = segment
    this.targetOffset[t] = offsetMm
    return t + 1
  }

  /** Extends the trellis to a fix whose places are found; false, and nothing changed, where no candidate reaches it. */
  private follow(fix: Fix, at: number): boolean {
    const { search, p } = this
    const x = (fix.lon - this.kept.lon) * this.keptX
    const y = (fix.lat - this.kept.lat) * this.keptY
    const displacementM = Math.sqrt(x * x + y * y)
    const gapMs = at - this.kept.at
    if (displacementM > (p.speedMsMax * gapMs) / 1000 + p.radiusM) return false
    search.begin(fix.lon, fix.lat, p.radiusM, routeMmMax(gapMs, displacementM, p))
    for (let i = 0; i < this.frontCount; i++)
      search.addSource(this.frontSegment[i], this.frontOffset[i], this.frontCost[i])
    const targets = this.addTargets(fix)
    for (let i = 0; i < this.frontCount; i++)
      for (let t = 0; t < targets; t++)
        this.offerAlong(
          search,
          i,
          t,
          this.frontSegment[i],
          this.frontOffset[i],
          this.targetSegment[t],
          this.targetOffset[t],
        )
    search.run(p.windowM * 1000)
    let best = Infinity
    let bestRoad = -1
    for (let t = 0; t < targets; t++)
      if (search.targetTotal[t] < best) {
        best = search.targetTotal[t]
        bestRoad = this.network.roadOf(this.targetSegment[t])
      }
    if (best === Infinity) return false
    let rival = Infinity
    for (let t = 0; t < targets; t++)
      if (search.targetTotal[t] < rival && this.network.roadOf(this.targetSegment[t]) !== bestRoad)
        rival = search.targetTotal[t]
    if (this.trellis.isFull(targets)) this.settle()
    this.trellis.openStep(at)
    const parents = this.frontParents
    const offsets = this.frontOffsets
    for (let i = 0; i < this.frontCount; i++) {
      parents[i] = this.frontNode[i]
      offsets[i] = this.frontOffset[i]
    }
    this.frontCount = 0
    for (let t = 0; t < targets; t++) {
      const total = search.targetTotal[t]
      if (!(total <= best + p.windowM * 1000)) continue
      const source = search.targetSource[t]
      const ownRoad = this.network.roadOf(this.targetSegment[t]) === bestRoad
      // Going back buys nothing and gives nothing back: the vehicle stays where it was.
      const offset = search.targetMm[t] < 0 ? offsets[source] : this.targetOffset[t]
      this.survive(t, total - best, parents[source], offset, confidenceOf((ownRoad ? rival : best) - total, p))
    }
    return true
  }
  private readonly frontParents = new Int32Array(64)
  private readonly frontOffsets = new Int32Array(64)

  private survive(t: number, cost: number, parent: number, offsetMm: number, confidence: number): void {
    const i = this.frontCount++
    this.frontSegment[i] = this.targetSegment[t]
    this.frontOffset[i] = offsetMm
    this.frontCost[i] = cost
    this.frontNode[i] = this.trellis.addNode(this.targetSegment[t], offsetMm, parent, confidence)
  }

  /** Offers what needs no search: on along the segment, a little back on it, or turning back on its road. */
  private offerAlong(
    search: RouteSearch,
    source: number,
    target: number,
    from: number,
    fromMm: number,
    to: number,
    toMm: number,
  ): void {
    const { p } = this
    if (from === to) {
      const ahead = toMm - fromMm
      if (ahead >= 0) search.offer(target, source, ahead, ahead)
      else if (-ahead <= p.backM * 1000) search.offer(target, source, -ahead * p.backFactor, ahead)
    } else if (this.network.reverse(from) === to) {
      const mm = Math.abs(this.network.lengthMm(from) - toMm - fromMm)
      search.offer(target, source, mm + p.midUTurnM * 1000, mm)
    }
  }

  /** Pieces of road from where the vehicle was last decided to be to a visit. */
  private connect(visit: Visit): Pieces {
    const { pieces, network, drive, link } = this
    const from = drive.segment
    const to = visit.segment
    pieces.count = 0
    if (from === to && visit.offsetMm >= drive.offsetMm) {
      pieces.add(to, drive.offsetMm, visit.offsetMm)
      return pieces
    }
    if (network.turnAllowed(from, to) && network.reverse(from) !== to) {
      pieces.add(from, drive.offsetMm, network.lengthMm(from))
      pieces.add(to, 0, visit.offsetMm)
      return pieces
    }
    const [lon, lat] = network.pointAt(to, visit.offsetMm)
    link.begin(lon, lat, 1, Infinity)
    link.addSource(from, drive.offsetMm, 0)
    link.addTarget(to, visit.offsetMm, 0)
    this.offerAlong(link, 0, 0, from, drive.offsetMm, to, visit.offsetMm)
    link.run(0)
    invariant(link.targetSource[0] >= 0, 'no route between two visits that were matched')
    link.pathInto(0, this.path)
    const last = this.path.length - 1
    if (last === 1 && network.reverse(from) === to && link.isOffered(0)) {
      const length = network.lengthMm(from)
      const turnMm = Math.max(drive.offsetMm, length - visit.offsetMm)
      pieces.add(from, drive.offsetMm, turnMm)
      pieces.add(to, length - turnMm, visit.offsetMm)
      return pieces
    }
    this.path.forEach((segment, i) => {
      pieces.add(segment, i === 0 ? drive.offsetMm : 0, i === last ? visit.offsetMm : network.lengthMm(segment))
    })
    return pieces
  }

  /** Lets go of what is decided; where too much stays undecided, decides for the best candidate's past. */
  private settle(): void {
    while (!this.trellis.settle(this.frontNode, this.frontCount, this.emit)) {
      const step = this.trellis.steps >> 1
      const past = this.trellis.ancestorAt(this.frontNode[this.bestOfFront()], step)
      let n = 0
      for (let i = 0; i < this.frontCount; i++)
        if (this.trellis.ancestorAt(this.frontNode[i], step) === past) {
          this.frontSegment[n] = this.frontSegment[i]
          this.frontOffset[n] = this.frontOffset[i]
          this.frontCost[n] = this.frontCost[i]
          this.frontNode[n] = this.frontNode[i]
          n++
        }
      this.forced++
      if (n === this.frontCount && this.trellis.steps <= 2) return
      this.frontCount = n
    }
  }
}
