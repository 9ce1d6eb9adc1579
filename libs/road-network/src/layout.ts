import { InputError } from '#kernel'

// One buffer holds a network: header, then the sections below, each aligned to 8 bytes, little endian.
const MAGIC = 0x4e_4d_44_52 // "RDMN"
export const FORMAT = 1
const HEADER_BYTES = 128
const COUNTS = [
  'junctions',
  'segments',
  'roads',
  'points',
  'slots',
  'cellPieces',
  'bans',
  'edgePoints',
  'names',
  'nameBytes',
] as const
export type Counts = Record<(typeof COUNTS)[number], number>
const COUNTS_AT = 16
const GRID_AT = 56
const DIGEST_AT = 72
const BOX_AT = 104

/** Size of a grid cell in 1e-7 degrees. */
export interface CellSize {
  readonly x: number
  readonly y: number
}

/** Extent of all points in 1e-7 degrees. */
export interface Box {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
}

const f64 = (b: ArrayBufferLike, at: number, n: number) => new Float64Array(b, at, n)
const u32 = (b: ArrayBufferLike, at: number, n: number) => new Uint32Array(b, at, n)
const i32 = (b: ArrayBufferLike, at: number, n: number) => new Int32Array(b, at, n)
const u8 = (b: ArrayBufferLike, at: number, n: number) => new Uint8Array(b, at, n)

/** Everything a network is made of. Roads are undirected chains with one geometry; one or two directed segments use each. */
const SECTIONS = {
  /** Node ids, ascending: a junction's number is its rank. */
  junctionId: [f64, 8, (c: Counts) => c.junctions],
  /** OSM way id; unused where edge ids are kept. */
  roadSource: [f64, 8, (c: Counts) => c.roads],
  /** Segments are numbered by the junction they leave, so that those leaving j are [firstOut[j], firstOut[j + 1]). */
  firstOut: [u32, 4, (c: Counts) => c.junctions + 1],
  segmentFrom: [u32, 4, (c: Counts) => c.segments],
  segmentTo: [u32, 4, (c: Counts) => c.segments],
  segmentMm: [u32, 4, (c: Counts) => c.segments],
  /** 2 × road + (1 where the segment runs against the road's points). */
  segmentRoad: [u32, 4, (c: Counts) => c.segments],
  /** Segment along (forward) or against (backward) the points, -1 where forbidden. */
  roadForward: [i32, 4, (c: Counts) => c.roads],
  roadBackward: [i32, 4, (c: Counts) => c.roads],
  roadFirstPoint: [u32, 4, (c: Counts) => c.roads + 1],
  roadName: [u32, 4, (c: Counts) => c.roads],
  /** 1e-7 degrees; longitudes of one road are unwrapped, so that none jumps at the antimeridian. */
  pointX: [i32, 4, (c: Counts) => c.points],
  pointY: [i32, 4, (c: Counts) => c.points],
  /** Millimetres from the road's first point. */
  pointMm: [u32, 4, (c: Counts) => c.points],
  pointRoad: [u32, 4, (c: Counts) => c.points],
  /** Open-addressed hash of occupied grid cells -> [cellFirst[i], cellFirst[i + 1]) of cellPiece; a piece is named by its first point. */
  cellX: [i32, 4, (c: Counts) => c.slots],
  cellY: [i32, 4, (c: Counts) => c.slots],
  cellFirst: [u32, 4, (c: Counts) => c.slots + 1],
  cellPiece: [u32, 4, (c: Counts) => c.cellPieces],
  /** Forbidden turns: pairs (segment, next segment), sorted. */
  ban: [u32, 4, (c: Counts) => c.bans * 2],
  /** Edge id of the piece that starts at a point, along and against it; NO_EDGE where none. */
  edgeForward: [u32, 4, (c: Counts) => c.edgePoints],
  edgeBackward: [u32, 4, (c: Counts) => c.edgePoints],
  nameFirst: [u32, 4, (c: Counts) => c.names + 1],
  nameUtf8: [u8, 1, (c: Counts) => c.nameBytes],
  roadClass: [u8, 1, (c: Counts) => c.roads],
  roadFlags: [u8, 1, (c: Counts) => c.roads],
  /** km/h, 0 unknown. */
  roadMaxSpeed: [u8, 1, (c: Counts) => c.roads],
} as const
export type Sections = { [K in keyof typeof SECTIONS]: ReturnType<(typeof SECTIONS)[K][0]> }

export const NO_EDGE = 0xffff_ffff
export const FLAG_PRIVATE = 1
/** Some turn out of one of its segments is forbidden. */
export const FLAG_BANS = 2

const align = (n: number) => (n + 7) & ~7

/** Views of every section on a buffer that starts at `offset`. */
function viewsOf(buffer: ArrayBufferLike, offset: number, counts: Counts): Sections {
  let at = offset + HEADER_BYTES
  const views: Record<string, unknown> = {}
  for (const [name, [view, size, length]] of Object.entries(SECTIONS)) {
    const n = length(counts)
    views[name] = view(buffer, at, n)
    at += align(n * size)
  }
  const v = views as unknown as Sections
  return {
    junctionId: v.junctionId,
    roadSource: v.roadSource,
    firstOut: v.firstOut,
    segmentFrom: v.segmentFrom,
    segmentTo: v.segmentTo,
    segmentMm: v.segmentMm,
    segmentRoad: v.segmentRoad,
    roadForward: v.roadForward,
    roadBackward: v.roadBackward,
    roadFirstPoint: v.roadFirstPoint,
    roadName: v.roadName,
    pointX: v.pointX,
    pointY: v.pointY,
    pointMm: v.pointMm,
    pointRoad: v.pointRoad,
    cellX: v.cellX,
    cellY: v.cellY,
    cellFirst: v.cellFirst,
    cellPiece: v.cellPiece,
    ban: v.ban,
    edgeForward: v.edgeForward,
    edgeBackward: v.edgeBackward,
    nameFirst: v.nameFirst,
    nameUtf8: v.nameUtf8,
    roadClass: v.roadClass,
    roadFlags: v.roadFlags,
    roadMaxSpeed: v.roadMaxSpeed,
  }
}

const bytesFor = (counts: Counts): number =>
  Object.values(SECTIONS).reduce((sum, [, size, length]) => sum + align(length(counts) * size), HEADER_BYTES)

/** An empty network of the given size: fill the sections, then `seal`. */
export function allocate(counts: Counts, cell: CellSize, box: Box): { bytes: Uint8Array; sections: Sections } {
  const bytes = new Uint8Array(bytesFor(counts))
  const header = new DataView(bytes.buffer)
  header.setUint32(0, MAGIC, true)
  header.setUint32(4, FORMAT, true)
  header.setUint32(8, bytes.length / 8, true)
  COUNTS.forEach((name, i) => header.setUint32(COUNTS_AT + 4 * i, counts[name], true))
  header.setFloat64(GRID_AT, cell.x, true)
  header.setFloat64(GRID_AT + 8, cell.y, true)
  ;[box.west, box.south, box.east, box.north].forEach((edge, i) => header.setInt32(BOX_AT + 4 * i, edge, true))
  return { bytes, sections: viewsOf(bytes.buffer, 0, counts) }
}

/** Writes the digest and the checksum: the buffer is final. */
export function seal(bytes: Uint8Array, digestHex: string): void {
  for (let i = 0; i < 32; i++) bytes[DIGEST_AT + i] = parseInt(digestHex.slice(2 * i, 2 * i + 2), 16)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(12, checksum(bytes), true)
}

/** Finds torn or foreign bytes at memory speed; the digest is for naming a network, not for loading it. */
function checksum(bytes: Uint8Array): number {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2)
  let a = 0x811c_9dc5
  let b = 0x1234_5678
  for (let i = 4; i + 1 < words.length; i += 2) {
    a = Math.imul(a ^ words[i], 0x0100_0193)
    b = Math.imul(b ^ words[i + 1], 0x85eb_ca6b)
  }
  return (a ^ b) >>> 0
}

export interface Opened {
  readonly bytes: Uint8Array
  readonly digest: string
  readonly counts: Counts
  readonly cell: CellSize
  readonly box: Box
  readonly sections: Sections
}

/** Opens a packed network in place (copies only where it isn't aligned). Throws InputError NETWORK_BUFFER. */
export function open(given: Uint8Array): Opened {
  const refuse = (why: string): never => {
    throw new InputError('NETWORK_BUFFER', `packed road network refused: ${why}`)
  }
  if (given.length < HEADER_BYTES) refuse(`${given.length} bytes are too few, at least ${HEADER_BYTES} are needed`)
  const bytes = given.byteOffset % 8 === 0 ? given : given.slice()
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (header.getUint32(0, true) !== MAGIC) refuse('it does not start with the mark of a road network')
  const version = header.getUint32(4, true)
  if (version !== FORMAT) refuse(`format ${version}, this build reads format ${FORMAT}`)
  const expected = header.getUint32(8, true) * 8
  if (expected !== bytes.length) refuse(`cut or padded: ${bytes.length} bytes where ${expected} were written`)
  const counts = Object.fromEntries(
    COUNTS.map((name, i) => [name, header.getUint32(COUNTS_AT + 4 * i, true)]),
  ) as Counts
  if (bytesFor(counts) !== bytes.length) refuse('its section sizes contradict its length')
  if (header.getUint32(12, true) !== checksum(bytes)) refuse('its checksum does not fit: bytes were changed')
  const hex = Array.from(bytes.subarray(DIGEST_AT, DIGEST_AT + 32), (b) => b.toString(16).padStart(2, '0')).join('')
  return {
    bytes,
    digest: hex,
    counts,
    cell: { x: header.getFloat64(GRID_AT, true), y: header.getFloat64(GRID_AT + 8, true) },
    box: {
      west: header.getInt32(BOX_AT, true),
      south: header.getInt32(BOX_AT + 4, true),
      east: header.getInt32(BOX_AT + 8, true),
      north: header.getInt32(BOX_AT + 12, true),
    },
    sections: viewsOf(bytes.buffer, bytes.byteOffset, counts),
  }
}
