/** The candidates of one kept fix that are still in question, and what the best way to each of them costs. */
export class Front {
  count = 0
  /** OFF for the candidate off the network: only the last one may be that. */
  readonly segment: Int32Array
  readonly road: Int32Array
  readonly offset: Int32Array
  readonly cost: Float64Array
  /** In the trellis. */
  readonly node: Int32Array

  constructor(capacity: number) {
    this.segment = new Int32Array(capacity)
    this.road = new Int32Array(capacity)
    this.offset = new Int32Array(capacity)
    this.cost = new Float64Array(capacity)
    this.node = new Int32Array(capacity)
  }

  /** The one that costs least. */
  best(): number {
    let best = 0
    for (let i = 1; i < this.count; i++) if (this.cost[i] < this.cost[best]) best = i
    return best
  }

  /** Moves a candidate to the place of an earlier one. */
  move(from: number, to: number): void {
    this.segment[to] = this.segment[from]
    this.road[to] = this.road[from]
    this.offset[to] = this.offset[from]
    this.cost[to] = this.cost[from]
    this.node[to] = this.node[from]
  }
}
