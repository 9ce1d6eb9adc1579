import { InputError } from '#kernel'
import { assemble, type RoadDraft } from './assemble'
import { isOnEarth } from './geodesy'
import { NO_EDGE } from './layout'
import type { RoadNetwork } from './network'
import { PLAIN } from './roads'

/** Columns of nodes.csv: ids are whole numbers, degrees on WGS84. */
export interface NodeColumns {
  readonly id: ArrayLike<number>
  readonly lon: ArrayLike<number>
  readonly lat: ArrayLike<number>
}

/** Columns of edges.csv: an edge is one directed straight piece, its id a whole number below 2^32 - 1. */
export interface EdgeColumns {
  readonly id: ArrayLike<number>
  readonly from: ArrayLike<number>
  readonly to: ArrayLike<number>
}

/**
 * Builds a network of directed straight pieces. Chains of nodes with two neighbours become one segment; `RoadNetwork.edges`
 * leads back to edge ids. Nothing is known of classes, so that every road is of class `road`. An edge that names an unknown
 * node is an InputError EDGE_NODE, one whose node is nowhere on earth NODE_PLACE, an id that is none or that two nodes have BAD_ID; no
 * edge at all is NO_ROADS.
 */
export function buildFromEdges(nodes: NodeColumns, edges: EdgeColumns, attribution = ''): RoadNetwork {
  const graph = new PieceGraph(nodes, edges)
  const roads: RoadDraft[] = []
  const draft = (first: number) => {
    const chain = graph.chainFrom(first)
    const back = graph.reversed(chain)
    const points = [graph.from[first], ...chain.map((e) => graph.to[e])]
    for (const e of chain) graph.used[e] = 1
    for (const e of back ?? []) graph.used[e] = 1
    roads.push({
      fromNode: nodes.id[points[0]],
      toNode: nodes.id[points[points.length - 1]],
      lon: points.map((n) => nodes.lon[n]),
      lat: points.map((n) => nodes.lat[n]),
      forward: true,
      backward: back !== null,
      roadClass: 'road',
      attributes: PLAIN,
      source: 0,
      edgesForward: chain.map((e) => edges.id[e]),
      edgesBackward: back?.map((e) => edges.id[e]),
    })
  }
  const eachUnused = (visit: (edge: number) => void) => {
    for (let n = 0; n < nodes.id.length; n++)
      if (graph.isJunction[n])
        for (let i = graph.first[n]; i < graph.first[n + 1]; i++) if (!graph.used[graph.out[i]]) visit(graph.out[i])
  }
  eachUnused(draft)
  // What is left are rings without a junction: their first node becomes one.
  for (let e = 0; e < edges.id.length; e++)
    if (!graph.used[e]) {
      graph.isJunction[graph.from[e]] = 1
      draft(e)
    }
  return assemble(roads, [], attribution)
}

/** Pieces by the node they leave, and which nodes are junctions. */
class PieceGraph {
  readonly from: Uint32Array
  readonly to: Uint32Array
  /** Edges that leave node n: out[first[n] .. first[n + 1]). */
  readonly first: Uint32Array
  readonly out: Uint32Array
  readonly isJunction: Uint8Array
  readonly used: Uint8Array

  constructor(nodes: NodeColumns, edges: EdgeColumns) {
    const n = nodes.id.length
    const m = edges.id.length
    const indexOf = new Map<number, number>()
    for (let i = 0; i < n; i++) {
      const id = nodes.id[i]
      if (!Number.isSafeInteger(id)) throw new InputError('BAD_ID', `node id ${id} is not a whole number within 2^53`)
      if (indexOf.has(id)) throw new InputError('BAD_ID', `two nodes have the id ${id}`)
      indexOf.set(id, i)
    }
    const index = (edge: number, node: number): number => {
      const i = indexOf.get(node)
      if (i === undefined)
        throw new InputError('EDGE_NODE', `edge ${edges.id[edge]} names node ${node}, which the nodes don't have`)
      if (!isOnEarth(nodes.lon[i], nodes.lat[i]))
        throw new InputError(
          'NODE_PLACE',
          `node ${node} is at longitude ${nodes.lon[i]}, latitude ${nodes.lat[i]}, which is nowhere; are they swapped?`,
        )
      return i
    }
    this.from = new Uint32Array(m)
    this.to = new Uint32Array(m)
    this.first = new Uint32Array(n + 1)
    for (let e = 0; e < m; e++) {
      const id = edges.id[e]
      if (!(Number.isInteger(id) && id >= 0 && id < NO_EDGE))
        throw new InputError('BAD_ID', `edge id ${id} is not a whole number from 0 to ${NO_EDGE - 1}`)
      this.from[e] = index(e, edges.from[e])
      this.to[e] = index(e, edges.to[e])
      this.first[this.from[e] + 1]++
    }
    for (let i = 0; i < n; i++) this.first[i + 1] += this.first[i]
    const fill = this.first.slice()
    this.out = new Uint32Array(m)
    for (let e = 0; e < m; e++) this.out[fill[this.from[e]]++] = e
    this.used = new Uint8Array(m)
    this.isJunction = this.junctions(n, m)
  }

  /** A node is no junction where exactly two neighbours meet at it, either both ways with both or straight through. */
  private junctions(n: number, m: number): Uint8Array {
    const a = new Int32Array(n).fill(-1)
    const b = new Int32Array(n).fill(-1)
    const incoming = new Uint8Array(n)
    const junction = new Uint8Array(n)
    const meet = (node: number, other: number) => {
      if (node === other) junction[node] = 1
      else if (a[node] < 0 || a[node] === other) a[node] = other
      else if (b[node] < 0 || b[node] === other) b[node] = other
      else junction[node] = 1
    }
    for (let e = 0; e < m; e++) {
      meet(this.from[e], this.to[e])
      meet(this.to[e], this.from[e])
      if (incoming[this.to[e]] < 255) incoming[this.to[e]]++
    }
    for (let i = 0; i < n; i++) {
      if (junction[i] || b[i] < 0) {
        junction[i] = 1
        continue
      }
      const leaving = this.first[i + 1] - this.first[i]
      const heads = new Set<number>()
      for (let k = this.first[i]; k < this.first[i + 1]; k++) heads.add(this.to[this.out[k]])
      const bothWays = leaving === 2 && incoming[i] === 2 && heads.size === 2
      const through = leaving === 1 && incoming[i] === 1
      if (!bothWays && !through) junction[i] = 1
      // Both ways needs both to come in as well, not one of them twice.
      else if (bothWays && !(this.edgeTo(a[i], i) >= 0 && this.edgeTo(b[i], i) >= 0)) junction[i] = 1
    }
    return junction
  }

  /** Unused edge between two nodes, -1 where there is none. */
  private edgeTo(from: number, to: number): number {
    for (let i = this.first[from]; i < this.first[from + 1]; i++)
      if (this.to[this.out[i]] === to && !this.used[this.out[i]]) return this.out[i]
    return -1
  }

  /** Edges from one junction to the next, starting with `edge`. */
  chainFrom(edge: number): number[] {
    const chain = [edge]
    for (let e = edge; !this.isJunction[this.to[e]]; chain.push(e)) {
      const node = this.to[e]
      const onward = this.first[node]
      const straight =
        this.to[this.out[onward]] === this.from[e] && this.first[node + 1] - onward === 2 ? onward + 1 : onward
      e = this.out[straight]
    }
    return chain
  }

  /** The chain driven the other way, listed in the order of the chain; null where any piece of it is one-way. */
  reversed(chain: readonly number[]): number[] | null {
    const back = chain.map((e) => this.edgeTo(this.to[e], this.from[e]))
    return back.every((e, i) => e >= 0 && e !== chain[i]) ? back : null
  }
}
