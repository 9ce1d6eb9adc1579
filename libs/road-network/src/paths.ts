import type { Sections } from './layout'

// Forbidden ways of more than two segments, as a trie (de la Briandais 1959): a step is reached from its parent (0 for the first) by a
// segment. Steps stand by parent, then by segment. Step i is state i + 1; state 0 means that no forbidden way was begun.

export interface ForbiddenPaths {
  readonly parent: Uint32Array
  readonly segment: Uint32Array
  /** 1 where the last segment of a forbidden way is reached. */
  readonly isEnd: Uint8Array
}

/** Packs forbidden ways; one that begins with another is implied by it. */
export function packPaths(paths: readonly (readonly number[])[]): ForbiddenPaths {
  interface Node {
    readonly children: Map<number, Node>
    isEnd: boolean
  }
  const root: Node = { children: new Map(), isEnd: false }
  for (const path of paths) {
    let node = root
    for (const segment of path) {
      if (!node.children.has(segment)) node.children.set(segment, { children: new Map(), isEnd: false })
      node = node.children.get(segment)!
    }
    node.isEnd = true
  }
  const steps: { parent: number; segment: number; node: Node }[] = []
  const take = (state: number, node: Node) => {
    if (node.isEnd) return
    for (const segment of [...node.children.keys()].sort((a, b) => a - b))
      steps.push({ parent: state, segment, node: node.children.get(segment)! })
  }
  take(0, root)
  for (let i = 0; i < steps.length; i++) take(i + 1, steps[i].node)
  return {
    parent: Uint32Array.from(steps, (step) => step.parent),
    segment: Uint32Array.from(steps, (step) => step.segment),
    isEnd: Uint8Array.from(steps, (step) => Number(step.node.isEnd)),
  }
}

/** State after driving a segment in a state; -1 where that is forbidden. */
export function stateAfter(s: Sections, state: number, segment: number): number {
  const step = state > 0 ? childOf(s, state, segment) : 0
  if (step > 0) return s.pathIsEnd[step - 1] ? -1 : step
  return childOf(s, 0, segment)
}

function childOf(s: Sections, parent: number, segment: number): number {
  let low = 0
  let high = s.pathParent.length
  while (low < high) {
    const mid = (low + high) >>> 1
    const isBefore = s.pathParent[mid] < parent || (s.pathParent[mid] === parent && s.pathSegment[mid] < segment)
    if (isBefore) low = mid + 1
    else high = mid
  }
  return low < s.pathParent.length && s.pathParent[low] === parent && s.pathSegment[low] === segment ? low + 1 : 0
}
