import { instant, type Instant } from '#kernel'
import { MATCHED, OFF_NETWORK, STANDING } from './fixes'
import { NO_RIVAL, rivalPlace, type RoadPlace } from './rival'
import { OFF, type Visit } from './trellis'

/** A stretch of one directed segment that was driven in one go, [fromMm, toMm). */
export interface Traversal {
  readonly segment: number
  readonly fromMm: number
  readonly toMm: number
  readonly enteredAt: Instant
  readonly leftAt: Instant
  /** Fixes that lie on it. */
  readonly fixes: number
  /** No fix lies on it, as it is the route between its neighbours; or it was driven in a long silence. */
  readonly inferred: boolean
  /** How sure the road is against its best rival on another road, by what was before and after it, thousandths. */
  readonly confidence: number
  /** Of its length, what another way that may as well have been driven is shorter by: not to be charged. Absent where none. */
  readonly forgoneMm?: number
  /**
   * A place on another road, beside the least sure fix that has one: it may as well have been driven, and the dearer of the two is not to be
   * charged. Absent where the road is sure.
   */
  readonly rival?: RoadPlace
  /** Where the vehicle was before and after the long silence in which it drove here. Absent where it was heard. */
  readonly between?: Ends
}

/** The places at both ends of a long silence. */
export type Ends = readonly [RoadPlace, RoadPlace]

/** Pieces of segments in driving order, reused: what leads from one visit to the next. */
export class Pieces {
  count = 0
  readonly segment: number[] = []
  readonly fromMm: number[] = []
  readonly toMm: number[] = []
  add(segment: number, fromMm: number, toMm: number): void {
    this.segment[this.count] = segment
    this.fromMm[this.count] = fromMm
    this.toMm[this.count] = toMm
    this.count++
  }
}

interface Open {
  segment: number
  fromMm: number
  toMm: number
  enteredAt: number
  leftAt: number
  fixes: number
  /** Visits on it, and how sure they are in all. */
  visits: number
  sure: number
  /** Of the less sure of the visits around it, where none is on it. */
  around: number
  /** That of the least sure visit that has one, and how sure it is; of the less sure around it where none is on it. */
  rival: number
  least: number
  forgoneMm: number
  /** Of the long silence in which it was driven; null where there was none. */
  between: Ends | null
}

/** More than any confidence. */
const UNVISITED = 1001
/** What a saved drive is at most. */
export const DRIVE_NUMBERS_MAX = 24

/**
 * Joins decided visits into traversals; time is spread evenly over the distance between two visits. Where the vehicle was off the
 * network between two roads, what leads from one to the other is driven too if there is such a way, else the drive begins anew.
 */
export class Drive {
  /** Where the vehicle was last decided to be on a road; segment OFF before the first such visit. */
  segment = OFF
  offsetMm = 0
  until = 0
  confidence = 1000
  /** Its rival there. */
  private rival = NO_RIVAL
  /** It has been off the network since. */
  wasOff = false
  /** Times that the drive began anew. */
  breaks = 0
  /** Fixes at `segment` as long as nothing was driven from there on. */
  private waiting = 0
  private open: Open | null = null
  /** Not to be charged, of what is driven next. */
  private lessMm = 0

  /**
   * `connect` gives the pieces from the last visit on a road to this one, null where nothing leads there; `decide` is told the fate
   * of fixes in their order.
   */
  constructor(
    private readonly connect: (visit: Visit) => Pieces | null,
    private readonly decide: (fixes: number, fate: number) => void,
    private readonly confidenceOf: (marginM: number) => number,
    /** From this confidence on there is no rival. */
    private readonly sureAt: number,
    private readonly isSilence: (ms: number, mm: number) => boolean,
  ) {}

  visit(visit: Visit, out: Traversal[]): void {
    if (visit.segment === OFF) {
      this.settleWaiting()
      this.decide(visit.fixes, OFF_NETWORK)
      this.wasOff = true
      return
    }
    const confidence = this.confidenceOf(visit.marginM)
    const pieces = this.segment === OFF ? null : this.connect(visit)
    if (pieces) {
      let total = 0
      for (let i = 0; i < pieces.count; i++) total += pieces.toMm[i] - pieces.fromMm[i]
      // Nothing was measured in between: what leads from end to end are traversals of their own.
      const between: Ends | null = this.isSilence(visit.at - this.until, total) ? [placeOf(this), placeOf(visit)] : null
      let done = 0
      const around = Math.min(this.confidence, confidence)
      const rival = confidence < this.confidence ? visit.rival : this.rival
      // The road on which the ways part is driven on both.
      const parted = pieces.count === 1 ? 0 : 1
      let { lessMm } = visit
      for (let i = 0; i < pieces.count; i++) {
        const length = pieces.toMm[i] - pieces.fromMm[i]
        if (length <= 0) continue
        if (i >= parted) {
          this.lessMm = Math.max(this.lessMm, lessMm)
          lessMm = 0
        }
        const enteredAt = this.until + Math.round(((visit.at - this.until) * done) / total)
        done += length
        const leftAt = this.until + Math.round(((visit.at - this.until) * done) / total)
        this.extend(pieces.segment[i], pieces.fromMm[i], pieces.toMm[i], enteredAt, leftAt, around, rival, between, out)
      }
    }
    if (!pieces && this.segment !== OFF) {
      this.end(out)
      this.breaks++
    }
    this.wasOff = false
    if (this.open && !this.open.between) {
      this.decide(visit.fixes, MATCHED)
      this.open.fixes += visit.fixes
      if (this.open.visits++ === 0) this.open.rival = NO_RIVAL
      this.open.sure += confidence
      if (visit.rival >= 0 && confidence < this.open.least) {
        this.open.least = confidence
        this.open.rival = visit.rival
      }
      this.open.leftAt = visit.until
    } else this.waiting += visit.fixes
    this.segment = visit.segment
    this.offsetMm = visit.offsetMm
    this.until = visit.until
    this.confidence = confidence
    this.rival = visit.rival
  }

  /** Forgets everything. */
  clear(): void {
    this.segment = OFF
    this.wasOff = false
    this.breaks = 0
    this.waiting = 0
    this.lessMm = 0
    this.open = null
  }

  /** Ends the chain: the next visit starts a new one. */
  end(out: Traversal[]): void {
    this.settleWaiting()
    this.close(out)
    this.segment = OFF
    this.lessMm = 0
  }

  /** What has waited drives on nowhere: it lies on what was driven in the silence before it, else it stood. */
  private settleWaiting(): void {
    if (this.open?.between) {
      this.open.fixes += this.waiting
      this.decideWaiting(MATCHED)
    } else this.decideWaiting(STANDING)
  }

  private decideWaiting(fate: number): void {
    if (this.waiting > 0) this.decide(this.waiting, fate)
    this.waiting = 0
  }

  private extend(
    segment: number,
    fromMm: number,
    toMm: number,
    enteredAt: number,
    leftAt: number,
    around: number,
    rival: number,
    between: Ends | null,
    out: Traversal[],
  ): void {
    const forgoneMm = Math.min(this.lessMm, toMm - fromMm)
    this.lessMm -= forgoneMm
    const { open } = this
    if (open && open.segment === segment && open.toMm === fromMm && open.between === between) {
      open.forgoneMm += forgoneMm
      open.toMm = toMm
      open.leftAt = leftAt
      return
    }
    this.close(out)
    const isVisited = this.waiting > 0 && !between
    this.open = {
      segment,
      fromMm,
      toMm,
      enteredAt,
      leftAt,
      fixes: this.waiting,
      visits: Number(isVisited),
      sure: isVisited ? this.confidence : 0,
      around,
      rival: isVisited ? this.rival : rival,
      least: isVisited && this.rival >= 0 ? this.confidence : UNVISITED,
      forgoneMm,
      between,
    }
    this.decideWaiting(MATCHED)
  }

  private close(out: Traversal[]): void {
    if (!this.open) return
    const { segment, fromMm, toMm, fixes, enteredAt, leftAt, visits, sure, around, rival, forgoneMm, between } =
      this.open
    const inferred = fixes === 0 || between !== null
    const confidence = inferred ? around : Math.round(sure / visits)
    const driven: { -readonly [Member in keyof Traversal]: Traversal[Member] } = {
      segment,
      fromMm,
      toMm,
      enteredAt: instant(enteredAt),
      leftAt: instant(leftAt),
      fixes,
      inferred,
      confidence,
    }
    if (forgoneMm > 0) driven.forgoneMm = forgoneMm
    if (confidence < this.sureAt && rival >= 0) driven.rival = rivalPlace(rival)
    if (between) driven.between = between
    out.push(driven)
    this.open = null
  }

  save(): readonly number[] {
    const o = this.open
    return [
      Number(this.wasOff),
      this.segment,
      this.offsetMm,
      this.until,
      this.confidence,
      this.waiting,
      this.lessMm,
      this.rival,
      ...(o
        ? [o.segment, o.fromMm, o.toMm, o.enteredAt, o.leftAt, o.fixes, o.visits, o.sure, o.around, o.forgoneMm, o.rival, o.least] // prettier-ignore
        : []),
      ...(o?.between ?? []).flatMap(({ segment, offsetMm }) => [segment, offsetMm]),
    ]
  }

  restore([wasOff, segment, offsetMm, until, confidence, waiting, lessMm, rival, ...open]: readonly number[]): void {
    this.wasOff = wasOff === 1
    this.segment = segment
    this.offsetMm = offsetMm
    this.until = until
    this.confidence = confidence
    this.waiting = waiting
    this.lessMm = lessMm
    this.rival = rival
    this.open = open.length
      ? {
          segment: open[0],
          fromMm: open[1],
          toMm: open[2],
          enteredAt: open[3],
          leftAt: open[4],
          fixes: open[5],
          visits: open[6],
          sure: open[7],
          around: open[8],
          forgoneMm: open[9],
          rival: open[10],
          least: open[11],
          between: open.length > 12 ? [placeAt(open, 12), placeAt(open, 14)] : null,
        }
      : null
  }
}

const placeOf = ({ segment, offsetMm }: RoadPlace): RoadPlace => ({ segment, offsetMm })
const placeAt = (numbers: readonly number[], i: number): RoadPlace => ({
  segment: numbers[i],
  offsetMm: numbers[i + 1],
})
