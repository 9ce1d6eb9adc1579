import { digest } from '#kernel'
import { lonDifference, metresPerDegreeLat, metresPerDegreeLon, type RoadNetwork } from '#road-network'
import { Chain } from './chain'
import type { Traversal } from './drive'
import {
  copyFix,
  FateQueue,
  IMPLAUSIBLE,
  INACCURATE,
  INVALID,
  newFix,
  NULL_ISLAND,
  OFF_NETWORK,
  readFix,
  saveFix,
  TIME_MAX,
  TIME_ORDER,
  UNDECIDED,
  type Fix,
  type FixColumns,
} from './fixes'
import { parameters, type Parameters } from './parameters'
import { refuse, StateReader, StateWriter } from './state'

/** Names what turns fixes into traversals: the number changes with the code's results, the rest with any parameter. */
export const ENGINE_VERSION = `hmm-11-${digest(parameters()).slice(0, 8)}`

export interface Match {
  /** In driving order. */
  readonly traversals: readonly Traversal[]
  /** One per fix in the order given: indexes of FATES. As many `matched` as the traversals have fixes. */
  readonly fates: Uint8Array
  /** Places where the drive could not be followed and was begun anew. */
  readonly breaks: number
  /** Decisions taken early because the undecided past reached its bound, or among the ways that a search found within its own. */
  readonly forced: number
}

const CARRY_MAX = 16
const RUNS_MAX = 32
const STATE_FORMAT = 2

/**
 * Matches one vehicle's fixes to a road network: the most likely path of a hidden Markov model (Newson & Krumm 2009), found
 * step by step. `match` takes a whole trip; `begin`, `advance`..., `finish` take it in batches, with `save` and `restore` between
 * them, and together give the same traversals and fates to the byte, however the trip is cut. An instance serves one trip at a time
 * and keeps its arrays: make one per worker.
 */
export class Matcher {
  private readonly p: Parameters
  private readonly chain: Chain
  private readonly queue = new FateQueue()
  /** What a state must share with the matcher that opens it. */
  private readonly mark: readonly number[]

  private lastAt = -Infinity
  /** Newest fix thinned into the kept one, and the time of the one before it. */
  private isThinned = false
  private readonly thinned = newFix()
  private thinnedBefore = 0
  /** Metres gone since the kept fix by those that were thinned for their time: near ones thereafter stand. */
  private wentM = 0
  /** Metres driven off the network since the kept fix, and where. */
  private offM = 0
  private isOff = false
  private wasOff = false
  private readonly off = newFix()
  /** Fixes kept aside until it is clear whether the drive goes on without them. */
  private carry: Fix[] = []
  /** Fixes from one on that came after a long silence, kept aside until it is clear whether its time is ahead of the others'. */
  private ahead: Fix[] = []
  private breaks = 0
  private fates: number[] = []
  private readonly fix = newFix()

  constructor(network: RoadNetwork, overrides: Partial<Parameters> = {}) {
    this.p = parameters(overrides)
    this.chain = new Chain(network, this.p, (count, fate) => this.queue.decide(count, fate))
    const short = (hex: string) => parseInt(hex.slice(0, 12), 16)
    this.mark = [STATE_FORMAT, short(digest([ENGINE_VERSION, this.p])), short(network.digest)]
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
    this.chain.clear()
    this.queue.restore([])
    this.lastAt = -Infinity
    this.carry = []
    this.ahead = []
    this.breaks = 0
    this.fates = []
    this.forget()
  }

  /** Takes the next fixes; returns what became certain: closed traversals, and fates from where the last answer ended. */
  advance(fixes: FixColumns): Match {
    for (let i = 0; i < fixes.length; i++) this.take(fixes.at[i], fixes.lon[i], fixes.lat[i], fixes.accuracyM[i] ?? 0)
    this.chain.settle()
    return this.answer()
  }

  /** Ends the trip: decides what is left. */
  finish(): Match {
    this.release()
    this.dropCarry()
    this.endChain()
    return this.answer()
  }

  /**
   * What the trip so far comes to, in bytes (some hundreds): to be kept until the next batch. What `advance` answered is not in it. The
   * state opens with the same network, the same engine and the same parameters only.
   */
  save(): Uint8Array {
    const w = new StateWriter()
    w.ints(this.mark)
    w.real(this.lastAt)
    this.chain.save(w)
    w.ints(this.queue.save())
    w.int(this.isThinned ? 1 : 0)
    if (this.isThinned) {
      saveFix(w, this.thinned)
      w.int(this.thinnedBefore)
      w.real(this.wentM)
    }
    w.int(this.wasOff ? 1 : 0)
    w.int(this.isOff ? 1 : 0)
    if (this.isOff) {
      saveFix(w, this.off)
      w.real(this.offM)
    }
    for (const held of [this.carry, this.ahead]) {
      w.int(held.length)
      for (const fix of held) saveFix(w, fix)
    }
    return w.done()
  }

  /** Takes up a trip where `save` left it. InputError MATCHER_STATE for bytes that are none, or of another network or engine. */
  restore(bytes: Uint8Array): void {
    this.begin()
    const r = new StateReader(bytes)
    if (r.ints(16).join() !== this.mark.join()) refuse('it was saved on another network, engine or parameters')
    this.lastAt = r.real()
    this.chain.restore(r)
    this.queue.restore(r.ints(4 * RUNS_MAX))
    this.isThinned = r.int() === 1
    if (this.isThinned) {
      copyFix(readFix(r), this.thinned)
      this.thinnedBefore = r.int()
      this.wentM = r.real()
    }
    this.wasOff = r.int() === 1
    this.isOff = r.int() === 1
    if (this.isOff) {
      copyFix(readFix(r), this.off)
      this.offM = r.real()
    }
    this.carry = readHeld(r)
    this.ahead = readHeld(r)
    r.end()
  }

  private answer(): Match {
    this.queue.take(this.fates)
    const { chain } = this
    const breaks = this.breaks + chain.takeBreaks()
    const answer = { traversals: chain.out, fates: new Uint8Array(this.fates), breaks, forced: chain.forced }
    chain.out = []
    chain.forced = 0
    this.fates = []
    this.breaks = 0
    return answer
  }

  private take(rawAt: number, lon: number, lat: number, accuracyM: number): void {
    const { fix } = this
    fix.at = Math.round(rawAt)
    fix.lon = lon
    fix.lat = lat
    fix.accuracyM = accuracyM >= 0 ? accuracyM : 0
    fix.fate = this.filterOf(fix)
    // It may be kept aside and saved, though nobody asks for its time.
    if (fix.fate === INVALID) fix.at = 0
    if (this.ahead.length > 0 || (fix.fate === UNDECIDED && this.isAfterSilence(fix))) this.wait(fix)
    else this.accept(fix)
  }

  private isAfterSilence(fix: Readonly<Fix>): boolean {
    return fix.at - this.lastAt >= this.p.gapMs
  }

  /**
   * Keeps a fix aside that came after a long silence, and those that follow it: one whose time is ahead would make all the others come too
   * late. They bear each other out by their number, as long as none of them goes back in time.
   */
  private wait(fix: Readonly<Fix>): void {
    const { ahead } = this
    if (fix.fate === UNDECIDED)
      for (const held of ahead) if (held.fate === UNDECIDED && held.at >= fix.at) held.fate = TIME_ORDER
    ahead.push({ ...fix })
    const borneOut = ahead.filter(({ fate }) => fate === UNDECIDED)
    if (borneOut.length > this.p.junkFixesMax || !this.isAfterSilence(borneOut[0]) || ahead.length >= CARRY_MAX)
      this.release()
  }

  private release(): void {
    const { ahead } = this
    this.ahead = []
    for (const fix of ahead) this.accept(fix)
  }

  private accept(fix: Fix): void {
    if (fix.fate === UNDECIDED) {
      this.lastAt = fix.at
      this.place(fix)
    } else if (this.carry.length > 0) this.hold(fix)
    else this.note(fix.fate)
  }

  /** The reason to leave a fix out, UNDECIDED where there is none. */
  private filterOf(fix: Fix): number {
    if (!(Math.abs(fix.at) <= TIME_MAX && Math.abs(fix.lat) <= 90 && Math.abs(fix.lon) <= 180)) return INVALID
    if (fix.lon === 0 && fix.lat === 0) return NULL_ISLAND
    if (fix.at <= this.lastAt) return TIME_ORDER
    return fix.accuracyM > this.p.accuracyMMax ? INACCURATE : UNDECIDED
  }

  /** Fixes close in space or time share their error: they add no knowledge, only its repetition. */
  private isNear(kept: Readonly<Fix>, displacementM: number, at: number): boolean {
    const { thinM, thinSoonM, soonMs } = this.p
    return displacementM < thinM || (displacementM < thinSoonM && at - kept.at < soonMs)
  }

  private note(fate: number): void {
    this.queue.push(fate)
    if (this.queue.runs <= RUNS_MAX) return
    this.queue.take(this.fates)
    if (this.queue.runs <= RUNS_MAX || !this.chain.kept) return
    do {
      this.chain.settle()
      this.queue.take(this.fates)
    } while (this.queue.runs > RUNS_MAX && this.chain.force())
    // Standing for ever among strays: the chain ends, so that the state stays small.
    if (this.queue.runs > RUNS_MAX) this.breakChain()
  }

  /** Finds a fix its place: into the kept fix, after it, on a new chain, or off the network. */
  private place(fix: Fix): void {
    const { chain } = this
    if (chain.kept && this.isNear(chain.kept, chain.displacementM(fix.lon, fix.lat), fix.at)) {
      this.dropCarry()
      if (fix.at - chain.kept.at < this.p.soonMs)
        this.wentM += chain.hopM(this.isThinned ? this.thinned : chain.kept, fix)
      this.thinnedBefore = this.isThinned ? this.thinned.at : chain.kept.at
      this.isThinned = true
      copyFix(fix, this.thinned)
      chain.stay(fix.at)
    } else if (!chain.locate(fix)) {
      this.strayOff(fix)
      return
    } else if (!chain.kept) {
      chain.start(fix)
      this.forget()
    } else if (chain.follow(fix, this.wentM, this.wasOff)) {
      this.dropCarry()
      this.forget()
    } else {
      this.hold(fix)
      return
    }
    this.note(UNDECIDED)
  }

  /** A new kept fix: what was thinned into the last one and strayed from it is past. */
  private forget(): void {
    this.isThinned = false
    this.wentM = 0
    this.isOff = false
    this.wasOff = false
    this.offM = 0
  }

  private strayOff(fix: Fix): void {
    if (this.carry.length > 0) {
      this.hold(fix)
      return
    }
    const before = this.isOff ? this.off : this.chain.kept
    if (before) {
      const x = lonDifference(fix.lon, before.lon) * metresPerDegreeLon(fix.lat)
      const y = (fix.lat - before.lat) * metresPerDegreeLat(fix.lat)
      const hopM = Math.sqrt(x * x + y * y)
      this.wasOff = true
      if (hopM >= this.p.thinM) {
        this.offM += hopM
        this.isOff = true
        copyFix(fix, this.off)
      }
      if (this.offM > this.p.offNetworkM) this.breakChain()
    }
    this.note(OFF_NETWORK)
  }

  /** Keeps a fix aside that can't be reached; too many of them break the drive, and they begin the next chain. */
  private hold(fix: Fix): void {
    this.carry.push({ ...fix })
    const junk = this.carry.reduce((n, f) => n + Number(f.fate === UNDECIDED), 0)
    if (junk > this.p.junkFixesMax || this.carry.length >= CARRY_MAX) this.giveUpCarry()
  }

  /** What was kept aside is implausible: the drive went on without it. */
  private dropCarry(): void {
    if (this.carry.length === 0) return
    for (const fix of this.carry) this.note(fix.fate === UNDECIDED ? IMPLAUSIBLE : fix.fate)
    this.carry.length = 0
  }

  /** Breaks the drive at what was kept aside and takes it up again from there; ends, because the first of it begins a chain. */
  private giveUpCarry(): void {
    const again = this.carry
    this.carry = []
    this.breakChain()
    for (const fix of again)
      if (fix.fate === UNDECIDED) this.place(fix)
      else if (this.carry.length > 0) this.hold(fix)
      else this.note(fix.fate)
  }

  private breakChain(): void {
    if (!this.chain.kept) return
    this.breaks++
    this.endChain()
  }

  /** The last that was seen of the vehicle counts, also where it was thinned. */
  private endChain(): void {
    if (this.chain.kept && this.isThinned) this.chain.arrive(this.thinned, this.thinnedBefore)
    this.chain.end()
    this.forget()
  }
}

function readHeld(r: StateReader): Fix[] {
  const length = r.int()
  if (length < 0 || length > CARRY_MAX) refuse(`${length} fixes held`)
  return Array.from({ length }, () => readFix(r))
}
