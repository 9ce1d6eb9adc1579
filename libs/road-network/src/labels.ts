/** Slots of a search that finds what it looks for at once; a power of two. */
const FIRST_SLOTS = 256

/**
 * Labels of a search, found by segment and state: what it costs to stand at the end of a segment. Arrays are made once and never
 * cleared; a search begins with few slots, which stay in the nearest cache.
 */
export class Labels {
  count = 0
  /** A label did not fit since `clear`. */
  isFull = false
  readonly max: number
  readonly segment: Int32Array
  readonly cost: Float64Array
  readonly mm: Float64Array
  readonly parent: Int32Array
  readonly source: Int32Array
  readonly done: Uint8Array
  /** How far along forbidden ways the label is, see `stateAfter`. */
  readonly state: Int32Array
  private mask = 0
  /** A slot of another round is empty. */
  private round = 0
  private readonly slotRound: Uint32Array
  private readonly slotLabel: Int32Array

  constructor(max: number) {
    this.max = max
    const slots = 2 ** Math.ceil(Math.log2(max * 2))
    this.slotRound = new Uint32Array(slots)
    this.slotLabel = new Int32Array(slots)
    this.segment = new Int32Array(max)
    this.cost = new Float64Array(max)
    this.mm = new Float64Array(max)
    this.parent = new Int32Array(max)
    this.source = new Int32Array(max)
    this.done = new Uint8Array(max)
    this.state = new Int32Array(max)
  }

  clear(): void {
    this.count = 0
    this.isFull = false
    this.mask = Math.min(FIRST_SLOTS, this.slotRound.length) - 1
    this.nextRound()
  }

  /** The label of a segment in a state, a new one (equal to the `count` before) where there is none; -1 where it doesn't fit. */
  of(segment: number, state: number): number {
    let slot = this.slotOf(segment, state)
    if (this.slotRound[slot] === this.round) return this.slotLabel[slot]
    if (this.count >= this.max) {
      this.isFull = true
      return -1
    }
    if (this.count * 2 > this.mask && this.mask + 1 < this.slotRound.length) {
      this.growSlots()
      slot = this.slotOf(segment, state)
    }
    const label = this.count++
    this.slotRound[slot] = this.round
    this.slotLabel[slot] = label
    this.segment[label] = segment
    this.state[label] = state
    this.done[label] = 0
    return label
  }

  /** Where the label of a segment in a state is, or belongs. */
  private slotOf(segment: number, state: number): number {
    const { slotRound, slotLabel, mask, round } = this
    let slot = Math.imul(segment, 0x9e37_79b1) >>> 7
    slot = (slot ^ (slot >>> 11)) & mask
    while (
      slotRound[slot] === round &&
      (this.segment[slotLabel[slot]] !== segment || this.state[slotLabel[slot]] !== state)
    )
      slot = (slot + 1) & mask
    return slot
  }

  private growSlots(): void {
    this.mask = Math.min(4 * this.mask + 3, this.slotRound.length - 1)
    this.nextRound()
    for (let label = 0; label < this.count; label++) {
      const slot = this.slotOf(this.segment[label], this.state[label])
      this.slotRound[slot] = this.round
      this.slotLabel[slot] = label
    }
  }

  /** Empties all slots. */
  private nextRound(): void {
    this.round++
    if (this.round <= 0xffff_fff0) return
    this.slotRound.fill(0)
    this.round = 1
  }
}
