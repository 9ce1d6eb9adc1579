import { LocalScale, Places, RouteSearch, type RoadNetwork } from '#road-network'
import { confidenceOf, emissionMm, offEmissionMm, routeMmMax, sigmaOf, weightOf } from './costs'
import { Drive, DRIVE_NUMBERS_MAX, type Traversal } from './drive'
import { Front } from './front'
import { copyFix, newFix, readFix, saveFix, type Fix } from './fixes'
import { apartMm, LABELS_MAX, Link, offerAhead, offerBack } from './link'
import type { Parameters } from './parameters'
import { isBeside, NO_RIVAL } from './rival'
import { refuse, type StateReader, type StateWriter } from './state'
import { OFF, Trellis, type Visit } from './trellis'

/**
 * One unbroken piece of a drive: the candidates of its newest kept fix (the front) with the cost of the best path to each, and the
 * trellis behind them. Traversals appear in `out` as they become certain.
 */
export class Chain {
  /** Traversals that became certain; the caller takes them. */
  out: Traversal[] = []
  /** Decisions taken early because the undecided past reached its bound, or among the ways that a search found within its own. */
  forced = 0
  /** Cost of the best path since the chain began, or since `restore`; for tests. */
  costMm = 0
  /** The newest fix that has a step of its own. */
  kept: Readonly<Fix> | null = null
  private readonly keptFix = newFix()

  private readonly search: RouteSearch
  private readonly link: Link
  private readonly places: Places
  private readonly emission: Float64Array
  /** Places that cost more by themselves are no targets. */
  private emissionMax = 0
  private readonly trellis: Trellis
  private readonly drive: Drive
  /** Cost of being off the network at the fix in hand, and which of the front it comes from. */
  private offCost = 0
  private offSource = -1
  private readonly scale = new LocalScale()

  private front: Front
  /** That of the fix before, as long as the new one is made. */
  private former: Front
  private readonly targetRoad: Int32Array
  private readonly emit: (visit: Visit) => void

  /** `decide` is told the fate of the chain's fixes, in their order. */
  constructor(
    private readonly network: RoadNetwork,
    private readonly p: Parameters,
    decide: (fixes: number, fate: number) => void,
  ) {
    const ends = p.placesMax * 2
    const uTurnCost = p.uTurnM * 1000
    const turnCost = p.turnM * 1000
    this.search = new RouteSearch(network, { uTurnCost, turnCost, endsMax: ends, labelsMax: LABELS_MAX })
    this.link = new Link(network, p)
    this.places = new Places(p.placesMax)
    this.emission = new Float64Array(p.placesMax)
    this.trellis = new Trellis(
      p.lagStepsMax,
      p.lagNodesMax,
      ends + 1,
      (segment) => network.roadOf(segment),
      p.rivalM,
      p.forgoM,
      p.sureM,
      (segment, offsetMm, other, otherMm) => apartMm(network, segment, offsetMm, other, otherMm),
    )
    this.front = new Front(ends + 1)
    this.former = new Front(ends + 1)
    this.targetRoad = new Int32Array(ends)
    this.drive = new Drive(
      (visit) => this.link.between(this.drive, visit),
      decide,
      (marginM) => confidenceOf(marginM, p),
      confidenceOf(p.sureM, p),
      (ms, mm) => ms >= p.gapMs && mm >= p.gapM * 1000,
    )
    this.emit = (visit) => {
      if (visit.rival >= 0 && !isBeside(network, visit.rival, visit.segment, visit.offsetMm)) visit.rival = NO_RIVAL
      this.drive.visit(visit, this.out)
    }
  }

  /** Times that the drive began anew since this was last asked. */
  takeBreaks(): number {
    const { breaks } = this.drive
    this.drive.breaks = 0
    return breaks
  }

  /** Metres from the kept fix, on the plane that touches the earth there. */
  displacementM(lon: number, lat: number): number {
    return this.scale.distanceM(this.keptFix.lon, this.keptFix.lat, lon, lat)
  }

  /** Metres between fixes that are near the kept one. */
  hopM(from: Readonly<Fix>, to: Readonly<Fix>): number {
    return this.scale.distanceM(from.lon, from.lat, to.lon, to.lat)
  }

  /** Finds the roads near a fix, for `start` or `follow`; false where there is none. */
  locate(fix: Fix): boolean {
    return this.network.placesInto(fix.lon, fix.lat, this.p.radiusM, this.places) > 0
  }

  clear(): void {
    this.trellis.clear()
    this.drive.clear()
    this.front.count = 0
    this.kept = null
    this.out = []
    this.forced = 0
  }

  /** A fix was thinned into the kept one. */
  stay(until: number): void {
    this.trellis.stay(until)
  }

  /** Gives the newest thinned fix, already counted, a step of its own: the drive ended there. */
  arrive(fix: Fix, thinnedBefore: number): void {
    if (!this.locate(fix)) return
    this.trellis.leaveEarlier(thinnedBefore)
    if (this.follow(fix)) this.trellis.uncount()
  }

  /** Decides everything by the best candidate; ready for `start`. */
  end(): void {
    if (this.front.count > 0) {
      this.weighLast()
      const best = this.front.best()
      this.leave((i) => i === best)
      this.trellis.finish(this.front.node[0], this.emit)
    }
    this.front.count = 0
    this.kept = null
    this.drive.end(this.out)
  }

  /**
   * No fix follows that would correct the last one, so it weighs more. Without this a drive ends short: a road that it has just
   * turned into costs more than one fix was worth, which is one of many elsewhere.
   */
  private weighLast(): void {
    this.weighKept(this.p.endWeight - weightOf(this.trellis.hopOfNewestM(), this.p))
  }

  /** Errors change while a vehicle stands: where it stood for minutes is known as well as where it began. */
  private weighStay(): void {
    const { p, trellis } = this
    const stayed = Math.min(p.endWeight, (trellis.untilOfNewest() - trellis.newestAt()) / p.stayMs)
    if (stayed <= p.weightMin) return
    const hopM = trellis.hopOfNewestM()
    const more = stayed - (hopM > 0 ? weightOf(hopM, p) : p.endWeight)
    if (more > 0) this.weighKept(more)
  }

  /** Adds so much of what the kept fix costs to all of the front. */
  private weighKept(more: number): void {
    const { p, front, keptFix: kept } = this
    const sigma = sigmaOf(kept.accuracyM, p)
    for (let i = 0; i < front.count; i++) {
      const isOff = front.segment[i] === OFF
      const [lon, lat] = isOff ? [0, 0] : this.network.pointAt(front.segment[i], front.offset[i])
      const emission = isOff ? offEmissionMm(sigma, p) : emissionMm(this.displacementM(lon, lat), sigma, p)
      front.cost[i] += more * emission
    }
  }

  /** To be called when all is settled. */
  save(w: StateWriter): void {
    w.ints(this.drive.save())
    w.int(this.kept ? this.front.count : 0)
    if (!this.kept) return
    for (let i = 0; i < this.front.count; i++) w.real(this.front.cost[i])
    this.trellis.save(w)
    saveFix(w, this.kept)
  }

  restore(r: StateReader): void {
    this.clear()
    this.drive.restore(r.ints(DRIVE_NUMBERS_MAX))
    const count = r.int()
    if (count < 0 || count > this.front.cost.length) refuse(`${count} candidates`)
    this.front.count = count
    if (count === 0) return
    for (let i = 0; i < count; i++) this.front.cost[i] = r.real()
    this.trellis.restore(r, this.network.segmentCount)
    this.trellis.frontInto(this.front.segment, this.front.offset, this.front.node, count)
    for (let i = 0; i < count; i++)
      this.front.road[i] = this.front.segment[i] === OFF ? OFF : this.network.roadOf(this.front.segment[i])
    this.keep(readFix(r))
  }

  private keep(fix: Fix): void {
    copyFix(fix, this.keptFix)
    this.kept = this.keptFix
    this.scale.at(fix.lat)
  }

  /** Begins a chain at a fix whose places are found. */
  start(fix: Fix): void {
    const { search } = this
    this.weigh(fix, this.p.endWeight)
    search.begin(fix.lon, fix.lat, 0)
    const targets = this.addTargets()
    for (let t = 0; t < targets; t++) search.targetTotal[t] = search.targetCostOf(t)
    this.offCost = this.p.offEnterM * 1000 + this.p.endWeight * offEmissionMm(sigmaOf(fix.accuracyM, this.p), this.p)
    this.offSource = -1
    this.trellis.clear()
    this.front.count = 0
    this.costMm = 0
    this.extend(fix, targets, 0)
  }

  /** What each place found costs by itself. */
  private weigh(fix: Fix, weight: number): void {
    const { places, p } = this
    const sigma = sigmaOf(fix.accuracyM, p)
    let least = Infinity
    for (let i = 0; i < places.count; i++) {
      this.emission[i] = weight * emissionMm(places.distanceM[i], sigma, p)
      if (this.emission[i] < least) least = this.emission[i]
    }
    this.emissionMax = least + p.windowM * 1000
  }

  /** Targets for both directions of each place that isn't hopelessly far. */
  private addTargets(): number {
    const { places, network } = this
    let n = 0
    for (let i = 0; i < places.count; i++) {
      if (this.emission[i] > this.emissionMax) continue
      const offset = Math.round(places.roadMm[i])
      const forward = network.forwardOf(places.road[i])
      const backward = network.backwardOf(places.road[i])
      if (forward >= 0) n = this.addTarget(i, forward, offset)
      if (backward >= 0) n = this.addTarget(i, backward, network.lengthMm(backward) - offset)
    }
    return n
  }

  private addTarget(place: number, segment: number, offsetMm: number): number {
    // A metre for what rounding to 1e-7 degrees and to whole millimetres may move.
    const t = this.search.addTarget(segment, offsetMm, this.emission[place], this.places.distanceM[place] + 1)
    this.targetRoad[t] = this.places.road[place]
    return t + 1
  }

  /**
   * Extends the trellis to a fix whose places are found; false, and nothing changed, where no candidate reaches it. `wentM`: by the fixes
   * that were thinned.
   */
  follow(fix: Fix, wentM = 0, wasOff = false): boolean {
    const { search, p } = this
    const displacementM = this.displacementM(fix.lon, fix.lat)
    // From the last fix that was still about there.
    const gapMs = fix.at - this.trellis.untilOfNewest()
    if (displacementM > (p.speedMsMax * gapMs) / 1000 + p.radiusM) return false
    this.weighStay()
    const weight = weightOf(displacementM, p)
    this.weigh(fix, weight)
    search.begin(fix.lon, fix.lat, routeMmMax(gapMs, wentM, displacementM, wasOff, p))
    // The one that is off the network, if any, is the last.
    const { front } = this
    const roads = front.count - Number(front.segment[front.count - 1] === OFF)
    for (let i = 0; i < roads; i++) search.addSource(front.segment[i], front.offset[i], front.cost[i])
    const targets = this.addTargets()
    this.offerOnRoads(roads, targets)
    search.run(1000 * (gapMs < 2 * p.soonMs ? p.nearWindowM : p.searchWindowM))
    if (search.isCut) this.forced++
    this.crossOff(fix, targets, roads, displacementM, weight)
    if (!this.extend(fix, targets, displacementM)) return false
    if (this.trellis.isOver()) this.settle()
    return true
  }

  /** Offers the ways between two places of one road. */
  private offerOnRoads(sources: number, targets: number): void {
    const { search, p, front, targetRoad } = this
    const { targetSegment, targetOffset } = search
    for (let i = 0; i < sources; i++) {
      const road = front.road[i]
      for (let t = 0; t < targets; t++) {
        if (targetRoad[t] !== road) continue
        const segment = front.segment[i]
        if (targetSegment[t] === segment) offerAhead(search, i, t, targetOffset[t] - front.offset[i], p)
        else offerBack(search, i, t, this.network.lengthMm(segment) - front.offset[i] - targetOffset[t], p)
      }
    }
  }

  /** Ways over land without roads: straight, at the cost of leaving the network and of coming back. */
  private crossOff(fix: Fix, targets: number, roads: number, displacementM: number, weight: number): void {
    const { search, p } = this
    const enterMm = p.offEnterM * 1000
    let nearest = -1
    let least = Infinity
    for (let i = 0; i < this.front.count; i++) {
      const cost = this.front.cost[i] + (i < roads ? enterMm : 0)
      if (cost < least) {
        least = cost
        nearest = i
      }
    }
    const emission = weight * offEmissionMm(sigmaOf(fix.accuracyM, p), p)
    this.offCost = least + displacementM * 1000 * p.offFactor + emission
    this.offSource = nearest
    if (roads === this.front.count) return
    const back = this.front.cost[roads] + enterMm + displacementM * 1000 * p.offFactor
    for (let t = 0; t < targets; t++) {
      const total = back + search.targetCostOf(t)
      if (total >= search.targetTotal[t]) continue
      search.targetTotal[t] = total
      search.targetSource[t] = roads
      search.targetMm[t] = 0
    }
  }

  /** Makes the targets that were reached the new front, as a step of the trellis; false, and nothing changed, where none was. */
  private extend(fix: Fix, targets: number, hopM: number): boolean {
    const { search, p } = this
    let best = this.offCost
    let bestSource = this.offSource
    for (let t = 0; t < targets; t++)
      if (search.targetTotal[t] < best) {
        best = search.targetTotal[t]
        bestSource = search.targetSource[t]
      }
    if (best === Infinity) return false
    const { trellis, front: former } = this
    this.front = this.former
    this.former = former
    this.front.count = 0
    trellis.openStep(fix.at, hopM)
    const isFirst = former.count === 0
    const most = best + p.windowM * 1000
    const { targetSegment, targetOffset, targetTotal, targetSource, targetMm } = search
    for (let t = 0; t < targets; t++) {
      const total = targetTotal[t]
      if (!(total <= most)) continue
      const source = targetSource[t]
      const mm = targetMm[t]
      // Going back buys nothing and gives nothing back: the vehicle stays where it was.
      const offset = mm < 0 ? former.offset[source] : targetOffset[t]
      this.survive(targetSegment[t], this.targetRoad[t], total - best, isFirst ? -1 : former.node[source], offset, mm)
    }
    if (this.offCost <= most)
      this.survive(OFF, OFF, this.offCost - best, isFirst ? -1 : former.node[this.offSource], 0, 0)
    for (let i = 0; i < former.count; i++)
      if (!trellis.goesOn(former.node[i]))
        trellis.end(
          former.node[i],
          trellis.steps - 2,
          (former.cost[i] - former.cost[bestSource]) / 1000,
          former.node[bestSource],
        )
    this.costMm += best
    this.keep(fix)
    return true
  }

  private survive(segment: number, road: number, cost: number, parent: number, offsetMm: number, hopMm: number): void {
    const { front, trellis } = this
    const i = front.count++
    front.segment[i] = segment
    front.road[i] = road
    front.offset[i] = offsetMm
    front.cost[i] = cost
    front.node[i] = trellis.addNode(segment, road, offsetMm, parent, Math.max(0, Math.round(hopMm)))
  }

  /** Lets go of what is decided; where too much stays undecided, decides for the best candidate's past. */
  settle(): void {
    while (!this.trellis.settle(this.front.node, this.front.count, this.emit)) if (!this.force()) return
  }

  /** Decides the older half of what is undecided by the best candidate; false where there is next to nothing. To be followed by `settle`. */
  force(): boolean {
    if (this.trellis.steps <= 2) return false
    const step = this.trellis.steps >> 1
    const past = this.trellis.ancestorAt(this.front.node[this.front.best()], step)
    this.leave((i) => this.trellis.ancestorAt(this.front.node[i], step) === past)
    this.forced++
    return true
  }

  /** Gives up those of the front that aren't among `kept`, of which the best one is. */
  private leave(kept: (i: number) => boolean): void {
    const { front, trellis } = this
    const best = front.best()
    const [least, bestNode] = [front.cost[best], front.node[best]]
    let n = 0
    for (let i = 0; i < front.count; i++)
      if (kept(i)) front.move(i, n++)
      else trellis.end(front.node[i], trellis.steps - 1, (front.cost[i] - least) / 1000, bestNode)
    front.count = n
  }
}
