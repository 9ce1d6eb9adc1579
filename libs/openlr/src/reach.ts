import { Heap, type RoadNetwork } from '#road-network'
import { frcOf } from './lines'

/** Segments that a search takes up: a way of 15 km within a city. */
const SEGMENTS_MAX = 100_000

export interface ReachLimits {
  readonly mmMax: number
  readonly frcMax: number
  /** Whether a way may turn back at a junction. A junction more on one map would else be a place to turn at. */
  readonly mayTurnBack: boolean
}

/**
 * Shortest ways by length (Dijkstra 1959) that begin on one segment, bounded in length, class and segments. One-ways count, forbidden turns
 * don't: two maps rarely agree on these, and the White Paper leaves them out. Arrays are made once and never cleared.
 */
export class Reach {
  /** Of each segment, to its end: how far, from which one, and in which round that was found. */
  private readonly mm: Float64Array
  private readonly before: Int32Array
  private readonly round: Uint32Array
  /** Of each junction: the segment by which it is reached first. */
  private readonly last: Int32Array
  private readonly lastRound: Uint32Array
  private readonly heap = new Heap(2 * SEGMENTS_MAX)
  private readonly frc: Uint8Array
  private now = 0

  constructor(private readonly network: RoadNetwork) {
    this.mm = new Float64Array(network.segmentCount)
    this.before = new Int32Array(network.segmentCount)
    this.round = new Uint32Array(network.segmentCount)
    this.last = new Int32Array(network.junctionCount)
    this.lastRound = new Uint32Array(network.junctionCount)
    this.frc = Uint8Array.from({ length: network.segmentCount }, (_, segment) => frcOf(network, segment))
  }

  /** Starts anew on a segment of which `restMm` are ahead; `met` hears of each segment that is looked at, and how far its end is. */
  from(
    first: number,
    restMm: number,
    { mmMax, frcMax, mayTurnBack }: ReachLimits,
    met: (segment: number, mm: number) => void = () => undefined,
  ): void {
    const { network, heap } = this
    this.now++
    heap.size = 0
    this.arrive(first, restMm, -1)
    for (let taken = 0; heap.size > 0 && taken < SEGMENTS_MAX;) {
      const [mm, at] = [heap.key[0], heap.item[0]]
      heap.popTop()
      if (mm > this.mm[at]) continue
      taken++
      const back = mayTurnBack ? -1 : network.reverse(at)
      const end = network.firstOutgoing(network.to(at) + 1)
      for (let segment = network.firstOutgoing(network.to(at)); segment < end; segment++) {
        const there = mm + network.lengthMm(segment)
        if (segment === back || there > mmMax || this.frc[segment] > frcMax) continue
        met(segment, there)
        if (this.round[segment] !== this.now || there < this.mm[segment]) this.arrive(segment, there, at)
      }
    }
  }

  /** To a junction; Infinity where it is out of reach. */
  mmTo(junction: number): number {
    return this.lastRound[junction] === this.now ? this.mm[this.last[junction]] : Infinity
  }

  /** Segments of the way to a junction in reach, the first one included. */
  pathTo(junction: number): number[] {
    const path: number[] = []
    for (let s = this.last[junction]; s >= 0; s = this.before[s]) path.push(s)
    return path.reverse()
  }

  private arrive(segment: number, mm: number, before: number): void {
    this.round[segment] = this.now
    this.mm[segment] = mm
    this.before[segment] = before
    const junction = this.network.to(segment)
    if (mm < this.mmTo(junction)) {
      this.last[junction] = segment
      this.lastRound[junction] = this.now
    }
    this.heap.push(mm, segment)
  }
}
