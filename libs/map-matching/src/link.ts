import { invariant } from '#kernel'
import { lengthM, RouteSearch, type RoadNetwork } from '#road-network'
import { routeMmMax } from './costs'
import { Pieces, type Drive } from './drive'
import type { Parameters } from './parameters'
import type { Visit } from './trellis'

export const LABELS_MAX = 8_000

/** Millimetres between two places as the crow flies. */
export function apartMm(n: RoadNetwork, segment: number, offsetMm: number, other: number, otherMm: number): number {
  const [lon, lat] = n.pointAt(segment, offsetMm)
  const [lon2, lat2] = n.pointAt(other, otherMm)
  return Math.round(1000 * lengthM(lon, lat, lon2, lat2))
}

/** Offers the way on along the segment, or a little back on it: that buys no road, so its length is given as negative. */
export function offerAhead(search: RouteSearch, source: number, target: number, aheadMm: number, p: Parameters): void {
  if (aheadMm >= 0) search.offer(target, source, aheadMm, aheadMm)
  else if (-aheadMm <= p.backM * 1000) search.offer(target, source, -aheadMm * p.backFactor, aheadMm)
}

/** Offers to turn back between junctions: `apartMm` is the road between both ends, of either sign. */
export function offerBack(search: RouteSearch, source: number, target: number, apartMm: number, p: Parameters): void {
  const mm = Math.abs(apartMm)
  search.offer(target, source, mm + p.midUTurnM * 1000, mm)
}

/** The way from where a vehicle was last decided to be to where it was decided to be next. */
export class Link {
  private readonly search: RouteSearch
  private readonly pieces = new Pieces()
  private readonly path: number[] = []

  constructor(
    private readonly network: RoadNetwork,
    private readonly p: Parameters,
  ) {
    const costs = { uTurnCost: p.uTurnM * 1000, turnCost: p.turnM * 1000 }
    this.search = new RouteSearch(network, { ...costs, endsMax: 1, labelsMax: LABELS_MAX })
  }

  /**
   * Pieces of road from where the vehicle was last decided to be to a visit; null where it was off the network in between, and the
   * way by road is a detour.
   */
  between(drive: Drive, visit: Visit): Pieces | null {
    const { pieces, network, search, p } = this
    const from = drive.segment
    const to = visit.segment
    pieces.count = 0
    const mmMax = drive.wasOff ? this.crossingMmMax(drive, visit) : Infinity
    if (from === to && visit.offsetMm >= drive.offsetMm) {
      if (visit.offsetMm - drive.offsetMm > mmMax) return null
      pieces.add(to, drive.offsetMm, visit.offsetMm)
      return pieces
    }
    if (network.turnAllowed(from, to) && network.reverse(from) !== to) {
      if (network.lengthMm(from) - drive.offsetMm + visit.offsetMm > mmMax) return null
      pieces.add(from, drive.offsetMm, network.lengthMm(from))
      pieces.add(to, 0, visit.offsetMm)
      return pieces
    }
    const [lon, lat] = network.pointAt(to, visit.offsetMm)
    search.begin(lon, lat, mmMax)
    search.addSource(from, drive.offsetMm, 0)
    // A metre for what rounding to 1e-7 degrees and to whole millimetres may move.
    search.addTarget(to, visit.offsetMm, 0, 1)
    if (network.reverse(from) === to)
      offerBack(search, 0, 0, network.lengthMm(from) - drive.offsetMm - visit.offsetMm, p)
    search.run(0)
    if (search.targetSource[0] < 0 || search.targetMm[0] > mmMax) {
      invariant(drive.wasOff, 'no route between two visits that were matched')
      return null
    }
    search.pathInto(0, this.path)
    const last = this.path.length - 1
    if (last === 1 && network.reverse(from) === to && search.isOffered(0)) {
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

  /** Longest way by road between the ends of a way off the network that may be what was driven. */
  private crossingMmMax(drive: Drive, visit: Visit): number {
    const mm = apartMm(this.network, drive.segment, drive.offsetMm, visit.segment, visit.offsetMm)
    return routeMmMax(visit.at - drive.until, 0, mm / 1000, true, this.p)
  }
}
