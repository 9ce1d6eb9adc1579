import { invariant } from '#kernel'
import type { StateReader, StateWriter } from './state'

/** Positions of one vehicle in columns, `length` of them. */
export interface FixColumns {
  readonly length: number
  /** Epoch milliseconds. */
  readonly at: Float64Array
  /** Degrees, WGS84. */
  readonly lon: Float64Array
  readonly lat: Float64Array
  /** Radius of 68 % in metres, 0 where unknown. */
  readonly accuracyM: Float32Array
}

/**
 * What became of a fix; `Match.fates` holds indexes of this list.
 * - matched: lies on a traversal.
 * - off-network: no road within reach, or none that explains the drive better than no road.
 * - standing: its stretch of the trip never moved along a road.
 * - invalid: not a position (NaN, out of range) or not a time.
 * - null-island: exactly 0, 0: what a receiver without a position says.
 * - time-order: not after the fix before it.
 * - inaccurate: says itself that it is worse than the limit.
 * - implausible: cannot be reached from its neighbours in time.
 */
export const FATES = [
  'matched',
  'off-network',
  'standing',
  'invalid',
  'null-island',
  'time-order',
  'inaccurate',
  'implausible',
] as const
export type Fate = (typeof FATES)[number]

export const MATCHED = 0
export const OFF_NETWORK = 1
export const STANDING = 2
export const INVALID = 3
export const NULL_ISLAND = 4
export const TIME_ORDER = 5
export const INACCURATE = 6
export const IMPLAUSIBLE = 7
/** Not a fate yet: on a chain, of which it isn't decided where it was, nor whether it ever moved. */
export const UNDECIDED = 8

/** Beyond it, 70,000 years from now, a number is no time: dates end later, and a saved state can write whole numbers of twice as much. */
export const TIME_MAX = 2 ** 51

/** One fix, and the fate that it already has or UNDECIDED. */
export interface Fix {
  at: number
  lon: number
  lat: number
  accuracyM: number
  fate: number
}

export const newFix = (): Fix => ({ at: 0, lon: 0, lat: 0, accuracyM: 0, fate: UNDECIDED })

export function copyFix(from: Fix, into: Fix): void {
  into.at = from.at
  into.lon = from.lon
  into.lat = from.lat
  into.accuracyM = from.accuracyM
  into.fate = from.fate
}

/** Of a fix that has its fate nothing else is asked for any more. */
export function saveFix(w: StateWriter, fix: Fix): void {
  w.int(fix.fate)
  if (fix.fate !== UNDECIDED) return
  w.int(fix.at)
  w.real(fix.lon)
  w.real(fix.lat)
  w.real(fix.accuracyM)
}

export function readFix(r: StateReader): Fix {
  const fate = r.int()
  if (fate !== UNDECIDED) return { ...newFix(), fate }
  return { fate, at: r.int(), lon: r.real(), lat: r.real(), accuracyM: r.real() }
}

/** Fates in the order of the fixes, decided or not, as runs: hours of parking are one run. */
export class FateQueue {
  private readonly fate: number[] = []
  private readonly count: number[] = []
  /** Runs before it are decided. */
  private first = 0

  push(fate: number, count = 1): void {
    if (count === 0) return
    const last = this.fate.length - 1
    if (this.fate[last] === fate) this.count[last] += count
    else {
      this.fate.push(fate)
      this.count.push(count)
    }
  }

  /** Decides the first `count` undecided ones. */
  decide(count: number, fate: number): void {
    let left = count
    while (left > 0) {
      const i = this.first
      if (i >= this.fate.length) invariant(false, 'more fates decided than fixes taken')
      if (this.fate[i] !== UNDECIDED) {
        this.first++
        continue
      }
      const decided = Math.min(left, this.count[i])
      left -= decided
      if (decided === this.count[i]) this.fate[i] = fate
      else {
        this.count[i] -= decided
        if (this.fate[i - 1] === fate) this.count[i - 1] += decided
        else {
          this.fate.splice(i, 0, fate)
          this.count.splice(i, 0, decided)
        }
      }
    }
  }

  get runs(): number {
    return this.fate.length
  }

  /** Takes what is decided off the front. */
  take(into: number[]): void {
    let runs = 0
    while (runs < this.fate.length && this.fate[runs] !== UNDECIDED) {
      for (let n = 0; n < this.count[runs]; n++) into.push(this.fate[runs])
      runs++
    }
    this.fate.splice(0, runs)
    this.count.splice(0, runs)
    this.first = 0
  }

  save(): number[] {
    return this.fate.flatMap((fate, i) => [fate, this.count[i]])
  }

  restore(runs: readonly number[]): void {
    this.fate.length = 0
    this.count.length = 0
    this.first = 0
    for (let i = 0; i < runs.length; i += 2) {
      this.fate.push(runs[i])
      this.count.push(runs[i + 1])
    }
  }
}
