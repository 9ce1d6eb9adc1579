import { digest, invariant, type Digest } from '#kernel'

/** That one leaf is in a tree of `size` leaves: the siblings on its way up. */
export interface MerkleProof {
  readonly index: number
  readonly size: number
  readonly path: readonly Digest[]
}

/**
 * Merkle tree of RFC 6962, section 2.1, over digests as leaf data: leaves and nodes are hashed under different prefixes,
 * so that no node can pass for a leaf; a node without a sibling moves up as it is.
 *
 * The tree is cut into tiles of 256 nodes side by side (as in the transparency logs of golang.org/design/25530-sumdb): a tile
 * of level 0 holds leaf hashes, one of level 1 the roots of 256 tiles of level 0, and so on up to the one tile whose root
 * is the tree's. Whoever keeps the tiles builds the tree a tile at a time and proves a leaf from one tile a level.
 */
export const TILE_NODES = 256

export interface MerkleTile {
  readonly level: number
  /** Its place among the tiles of its level. */
  readonly index: number
  /** At most TILE_NODES, fewer only in the last tile of a level. */
  readonly nodes: readonly Digest[]
  readonly root: Digest
}

/** Tiles of level 0 over leaves that begin at tile `firstTile`. */
export const leafTiles = (leaves: readonly Digest[], firstTile = 0): MerkleTile[] =>
  tilesOf(0, leaves.map(leafHash), firstTile)

/** The tiles above those of level 0, whose roots are given in order, and the root of the whole. */
export function upperTiles(roots: readonly Digest[]): { tiles: MerkleTile[]; root: Digest } {
  const tiles: MerkleTile[] = []
  for (let level = 1; roots.length > 1; level++) {
    const row = tilesOf(level, roots)
    tiles.push(...row)
    roots = row.map(({ root }) => root)
  }
  return { tiles, root: roots.length > 0 ? roots[0] : digest(new Uint8Array(0)) }
}

/** The tiles that prove leaf `index` of `size`: one a level, lowest first. */
export function tilesAbove(index: number, size: number): Pick<MerkleTile, 'level' | 'index'>[] {
  const tiles = []
  for (let level = 0, count = size; level === 0 || count > 1; level++) {
    index = Math.floor(index / TILE_NODES)
    count = Math.ceil(count / TILE_NODES)
    tiles.push({ level, index })
  }
  return tiles
}

/** The proof of leaf `index` of `size`, from the tiles that `tilesAbove` names. */
export function proofInTiles(index: number, size: number, tiles: readonly Pick<MerkleTile, 'nodes'>[]): MerkleProof {
  invariant(Number.isInteger(index) && 0 <= index && index < size, `no leaf ${index} in the tree`)
  const path: Digest[] = []
  let at = index
  for (const { nodes } of tiles) {
    path.push(...pathIn(nodes, at % TILE_NODES))
    at = Math.floor(at / TILE_NODES)
  }
  return { index, size, path }
}

export const merkleRoot = (leaves: readonly Digest[]): Digest =>
  upperTiles(leafTiles(leaves).map(({ root }) => root)).root

export function merkleProof(leaves: readonly Digest[], index: number): MerkleProof {
  const low = leafTiles(leaves)
  const tiles = [...low, ...upperTiles(low.map(({ root }) => root)).tiles]
  const above = tilesAbove(index, leaves.length).map((at) =>
    tiles.find((tile) => tile.level === at.level && tile.index === at.index),
  )
  return proofInTiles(index, leaves.length, above as MerkleTile[])
}

function tilesOf(level: number, nodes: readonly Digest[], firstTile = 0): MerkleTile[] {
  const tiles: MerkleTile[] = []
  for (let from = 0; from < nodes.length; from += TILE_NODES) {
    const own = nodes.slice(from, from + TILE_NODES)
    tiles.push({ level, index: firstTile + tiles.length, nodes: own, root: rowsOver(own).at(-1)![0] })
  }
  return tiles
}

/** Rows of nodes, each over the one before, up to a single one. */
function rowsOver(nodes: readonly Digest[]): (readonly Digest[])[] {
  const rows = [nodes]
  for (let below = nodes; below.length > 1; rows.push(below)) {
    const row: Digest[] = []
    for (let i = 0; i < below.length; i += 2)
      row.push(i + 1 < below.length ? nodeHash(below[i], below[i + 1]) : below[i])
    below = row
  }
  return rows
}

const pathIn = (nodes: readonly Digest[], at: number): Digest[] =>
  rowsOver(nodes).flatMap((row, depth) => row[(at >>> depth) ^ 1] ?? [])

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
