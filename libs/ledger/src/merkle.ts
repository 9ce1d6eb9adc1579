import { digest, invariant, type Digest } from '#kernel'

/** That one leaf is in a tree of `size` leaves: the siblings on its way up. */
export interface MerkleProof {
  readonly index: number
  readonly size: number
  readonly path: readonly Digest[]
}

export interface MerkleTree {
  readonly root: Digest
  proof(index: number): MerkleProof
}

/**
 * Merkle tree of RFC 6962, section 2.1, over digests as leaf data: leaves and nodes are hashed under different prefixes,
 * so that no node can pass for a leaf; a node without a sibling moves up as it is. O(n) to build, O(log n) a proof.
 */
export function merkleTree(leaves: readonly Digest[]): MerkleTree {
  const levels = [leaves.map(leafHash)]
  while (levels[levels.length - 1].length > 1) {
    const below = levels[levels.length - 1]
    const level: Digest[] = []
    for (let i = 0; i < below.length; i += 2)
      level.push(i + 1 < below.length ? nodeHash(below[i], below[i + 1]) : below[i])
    levels.push(level)
  }
  return {
    root: leaves.length > 0 ? levels[levels.length - 1][0] : digest(new Uint8Array(0)),
    proof(index) {
      invariant(Number.isInteger(index) && 0 <= index && index < leaves.length, `no leaf ${index} in the tree`)
      const path: Digest[] = []
      for (let depth = 0, at = index; depth < levels.length - 1; depth++, at >>>= 1)
        if ((at ^ 1) < levels[depth].length) path.push(levels[depth][at ^ 1])
      return { index, size: leaves.length, path }
    },
  }
}

export const merkleRoot = (leaves: readonly Digest[]): Digest => merkleTree(leaves).root
export const merkleProof = (leaves: readonly Digest[], index: number): MerkleProof => merkleTree(leaves).proof(index)

/** Whether `leaf` is at the proof's place in the tree with this root (RFC 9162, section 2.1.3.2). False for any other input. */
export function verifyProof(leaf: Digest, proof: MerkleProof, root: Digest): boolean {
  const { index, size, path } = proof
  if (!isDigest(leaf) || !path.every(isDigest)) return false
  if (!Number.isInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size || size > 2 ** 31)
    return false
  let at = index
  let last = size - 1
  let hash = leafHash(leaf)
  for (const sibling of path) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash)
      while (at % 2 === 0 && at !== 0) {
        at >>>= 1
        last >>>= 1
      }
    } else hash = nodeHash(hash, sibling)
    at >>>= 1
    last >>>= 1
  }
  return last === 0 && hash === root
}

const isDigest = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

const leafHash = (leaf: Digest): Digest => {
  const bytes = new Uint8Array(33)
  writeHex(leaf, bytes, 1)
  return digest(bytes)
}

const nodeHash = (left: Digest, right: Digest): Digest => {
  const bytes = new Uint8Array(65)
  bytes[0] = 1
  writeHex(left, bytes, 1)
  writeHex(right, bytes, 33)
  return digest(bytes)
}

function writeHex(hex: Digest, bytes: Uint8Array, offset: number): void {
  for (let i = 0; i < 32; i++) bytes[offset + i] = (nibble(hex, 2 * i) << 4) | nibble(hex, 2 * i + 1)
}

/** Of lower-case hexadecimal; a closing of 100,000 accounts reads some 13 million. */
function nibble(hex: string, at: number): number {
  const code = hex.charCodeAt(at)
  return code < 58 ? code - 48 : code - 87
}
