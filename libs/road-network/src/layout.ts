import { InputError } from '#kernel'

// One buffer holds a network: header, then the sections below, each aligned to 8 bytes, little endian.
const MAGIC = 0x4e_4d_44_52 // "RDMN"
export const FORMAT = 2
const HEADER_BYTES = 144
const COUNTS = [
  'junctions',
  'segments',
  'roads',
  'points',
  'wideChunks',
  'rows',
  'cells',
  'runs',
  'bans',
  'pathSteps',
  'edgePoints',
  'labels',
  'names',
  'nameBytes',
] as const
export type Counts = Record<(typeof COUNTS)[number], number>
const COUNTS_AT = 16
const GRID_AT = 80
const DIGEST_AT = 96
const BOX_AT = 128

/** Size of a grid cell in 1e-7 degrees. */
export interface CellSize {
  readonly x: number
  readonly y: number
}
/** Columns are two bytes. */
export const COLUMNS_MAX = 0xffff

/** Extent of all points in 1e-7 degrees. */
export interface Box {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
}

/** Points share an anchor by so many, so that two bytes are enough for each coordinate. */
export const CHUNK = 16
export const chunksOf = (points: number): number => Math.ceil(points / CHUNK)

/**
 * Everything a network is made of, each array in its place of the buffer. Roads are undirected chains with one geometry; one or two
 * directed segments use each. Junctions are numbered along a space-filling curve, roads and segments by the junction they leave, so
 * that what is near on the ground is near in memory.
 *
 * A class, because an object whose properties are set by name is a dictionary, where every look at an array is a hash.
 */
export class Sections {
  /** Node ids. */
  readonly junctionId: Float64Array
  /** Junctions by ascending node id. */
  readonly junctionById: Uint32Array
  /** 1e-7 degrees. */
  readonly junctionX: Int32Array
  readonly junctionY: Int32Array
  /** Segments are numbered by the junction they leave, so that those leaving j are [firstOut[j], firstOut[j + 1]). */
  readonly firstOut: Uint32Array
  readonly segmentTo: Uint32Array
  readonly segmentMm: Uint32Array
  /** 2 × road + (1 where the segment runs against the road's points). */
  readonly segmentRoad: Uint32Array
  /** Segment of 2 × road + (0 along, 1 against the points), -1 where forbidden. */
  readonly roadSegment: Int32Array
  /** OSM way id; unused where edge ids are kept. */
  readonly roadSource: Float64Array
  readonly roadFirstPoint: Uint32Array
  /** Index of a label: a name and a number. */
  readonly roadLabel: Uint32Array
  /** Text of the name, text of the number. */
  readonly label: Uint32Array
  /**
   * x (upper half) and y (lower half), signed, in 1e-7 degrees from the anchor of the point's chunk. Longitudes of one road never jump
   * at the antimeridian.
   */
  readonly pointNear: Int32Array
  /** Millimetres from the road's first point. */
  readonly pointMm: Uint32Array
  /** Anchor of a chunk; WIDE where its points are too far apart: then chunkY numbers its part of pointUpper. */
  readonly chunkX: Int32Array
  readonly chunkY: Int32Array
  /** Road of the chunk's first point. */
  readonly chunkRoad: Uint32Array
  /** Upper halves of x, y of each point of the wide chunks, whose lower halves are in pointNear. */
  readonly pointUpper: Int16Array
  /** Occupied cells of a row of the grid: [rowFirst[row], rowFirst[row + 1]), by column. */
  readonly rowFirst: Uint32Array
  readonly cellColumn: Uint16Array
  /** Runs of a cell: [cellFirst[i], cellFirst[i + 1]). A run is some pieces of one road in a row, named by its first point. */
  readonly cellFirst: Uint32Array
  readonly runFirst: Uint32Array
  readonly runPieces: Uint8Array
  /** Forbidden turns: pairs (segment, next segment), sorted. */
  readonly ban: Uint32Array
  /** Forbidden ways of more than two segments, see `stateAfter`. */
  readonly pathParent: Uint32Array
  readonly pathSegment: Uint32Array
  readonly pathIsEnd: Uint8Array
  /** Edge id of the piece that starts at a point, along and against it; NO_EDGE where none. */
  readonly edgeForward: Uint32Array
  readonly edgeBackward: Uint32Array
  readonly nameFirst: Uint32Array
  readonly nameUtf8: Uint8Array
  readonly roadClass: Uint8Array
  readonly roadFlags: Uint8Array
  /** km/h, 0 unknown. */
  readonly roadMaxSpeed: Uint8Array
  /** Of both directions together, 0 unknown. */
  readonly roadLanes: Uint8Array
  /** Index of SURFACES. */
  readonly roadSurface: Uint8Array
  /** Bytes of the whole, header included. */
  readonly bytes: number

  /** Views on a buffer whose network starts at `offset`; without a buffer, only `bytes` means something. */
  constructor(buffer: ArrayBufferLike | null, offset: number, c: Counts) {
    let at = HEADER_BYTES
    const place = (n: number, size: number): [ArrayBufferLike, number, number] => {
      const here = at
      at += (n * size + 7) & ~7
      return buffer ? [buffer, offset + here, n] : [new ArrayBuffer(0), 0, 0]
    }
    const f64 = (n: number) => new Float64Array(...place(n, 8))
    const u32 = (n: number) => new Uint32Array(...place(n, 4))
    const i32 = (n: number) => new Int32Array(...place(n, 4))
    const i16 = (n: number) => new Int16Array(...place(n, 2))
    const u16 = (n: number) => new Uint16Array(...place(n, 2))
    const u8 = (n: number) => new Uint8Array(...place(n, 1))
    const chunks = chunksOf(c.points)
    this.junctionId = f64(c.junctions)
    this.junctionById = u32(c.junctions)
    this.junctionX = i32(c.junctions)
    this.junctionY = i32(c.junctions)
    this.firstOut = u32(c.junctions + 1)
    this.segmentTo = u32(c.segments)
    this.segmentMm = u32(c.segments)
    this.segmentRoad = u32(c.segments)
    this.roadSegment = i32(c.roads * 2)
    this.roadSource = f64(c.edgePoints > 0 ? 0 : c.roads)
    this.roadFirstPoint = u32(c.roads + 1)
    this.roadLabel = u32(c.roads)
    this.label = u32(c.labels * 2)
    this.pointNear = i32(c.points)
    this.pointMm = u32(c.points)
    this.chunkX = i32(chunks)
    this.chunkY = i32(chunks)
    this.chunkRoad = u32(chunks)
    this.pointUpper = i16(c.wideChunks * CHUNK * 2)
    this.rowFirst = u32(c.rows + 1)
    this.cellColumn = u16(c.cells)
    this.cellFirst = u32(c.cells + 1)
    this.runFirst = u32(c.runs)
    this.runPieces = u8(c.runs)
    this.ban = u32(c.bans * 2)
    this.pathParent = u32(c.pathSteps)
    this.pathSegment = u32(c.pathSteps)
    this.pathIsEnd = u8(c.pathSteps)
    this.edgeForward = u32(c.edgePoints)
    this.edgeBackward = u32(c.edgePoints)
    this.nameFirst = u32(c.names + 1)
    this.nameUtf8 = u8(c.nameBytes)
    this.roadClass = u8(c.roads)
    this.roadFlags = u8(c.roads)
    this.roadMaxSpeed = u8(c.roads)
    this.roadLanes = u8(c.roads)
    this.roadSurface = u8(c.roads)
    this.bytes = at
  }
}

export const NO_EDGE = 0xffff_ffff
/** In place of an anchor's longitude, where no road can be. */
export const WIDE = -0x8000_0000

export const FLAG_PRIVATE = 1
/** Some turn out of one of its segments is forbidden. */
export const FLAG_BANS = 2
export const FLAG_BRIDGE = 4
export const FLAG_TUNNEL = 8
/** Leads on or off a larger road. */
export const FLAG_LINK = 16

const bytesFor = (counts: Counts): number => new Sections(null, 0, counts).bytes
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
  return { bytes, sections: new Sections(bytes.buffer, 0, counts) }
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
    sections: new Sections(bytes.buffer, bytes.byteOffset, counts),
  }
}
