import { invariant } from '#kernel'

const SETS_MAX = 65_536

interface Node {
  number: number
  readonly next: Map<string, Node>
}

/**
 * Numbers for sets of zone ids: the same set has the same number, and the empty one 0. A set is found by walking a trie of
 * ids, so that one which was seen before costs no allocation.
 */
export class ZoneSets {
  private readonly root: Node = { number: 0, next: new Map() }
  private readonly known: (readonly string[])[] = [[]]
  private last: readonly string[] = []
  private lastNumber = 0

  /** `zones` must be sorted. */
  numberOf(zones: readonly string[]): number {
    if (zones.length === 0) return 0
    if (zones === this.last) return this.lastNumber
    let node = this.root
    for (let i = 0; i < zones.length; i++) {
      let next = node.next.get(zones[i])
      if (!next) node.next.set(zones[i], (next = { number: -1, next: new Map() }))
      node = next
    }
    if (node.number < 0) {
      invariant(this.known.length < SETS_MAX, `more than ${SETS_MAX} sets of zones`)
      invariant(
        zones.every((zone, i) => i === 0 || zones[i - 1] < zone),
        `zones are not sorted: ${zones.join(', ')}`,
      )
      node.number = this.known.push([...zones]) - 1
    }
    this.last = zones
    this.lastNumber = node.number
    return node.number
  }

  /** The zones of a set that has a number. */
  zonesOf(number: number): readonly string[] {
    return this.known[number]
  }
}
