import { InputError } from '#kernel'

/**
 * Functional road class: 0 main roads to 7 other roads. Form of way: 0 undefined, 1 motorway, 2 dual carriageway, 3 single carriageway,
 * 4 roundabout, 5 traffic square, 6 slip road, 7 other.
 */
export interface LocationPoint {
  /** Degrees on WGS84. */
  readonly lon: number
  readonly lat: number
  readonly frc: number
  readonly fow: number
  /** Degrees from north, clockwise, along the line that leaves the point; of the last point, looking back along the one that comes in. */
  readonly bearing: number
  /** Highest class number on the way to the next point; 7 of the last point. */
  readonly lfrcnp: number
  /** Metres along the road to the next point; 0 of the last point. */
  readonly distanceM: number
}

/** An OpenLR line location: what a code says, on no map. */
export interface LineReference {
  readonly points: readonly LocationPoint[]
  /** Where the line begins and ends, as shares of the way from the first point to the second, and of that to the last from its end. */
  readonly positiveShare: number
  readonly negativeShare: number
}

/** The distance to the next point is told in steps of this many metres: 255 of them are 15 km. */
export const DISTANCE_STEP_M = 58.6
/** The bearing in steps of this many degrees. */
export const BEARING_STEP = 11.25
/** More is no reference to a road: some 3,800 km. */
export const POINTS_MAX = 256
/** Farthest, in degrees, that one point may be from the one before: two bytes of 1e-5 degrees. */
export const STEP_DEGREES_MAX = 0.327

const VERSION = 3
/** A line with attributes, in version 3. */
const HEADER = 0x08 | VERSION
const STEPS_PER_DEGREE = 2 ** 24 / 360
const POSITIVE = 0x40
const NEGATIVE = 0x20
const CODE_MAX = 4 * Math.ceil((1 + 9 + 7 * (POINTS_MAX - 2) + 8) / 3)

/**
 * Reads a code: the binary form, version 3, of the OpenLR White Paper 1.5 (TomTom, 2012), in base64. What was rounded for it is given as the
 * middle of what it may have been. InputError OPENLR for what is no code of a line.
 */
export function readLine(code: string): LineReference {
  const bytes = bytesOf(code)
  const wrong = (what: string): never => {
    throw new InputError('OPENLR', `${shown(code)}: expected an OpenLR code, ${what}`)
  }
  if (bytes.length === 0) wrong('found nothing')
  if ((bytes[0] & 7) !== VERSION) wrong(`version ${VERSION}, found version ${bytes[0] & 7}`)
  if ((bytes[0] & 0xf8) !== (HEADER & 0xf8)) wrong(`of a line, found one of another location`)
  const points = 2 + Math.floor((bytes.length - 16) / 7)
  const offsets = (bytes.length - 16) % 7
  if (bytes.length < 16 || offsets > 2)
    wrong(`of 16, 17 or 18 bytes and 7 for each point between, found ${bytes.length}`)

  const read: LocationPoint[] = []
  let at = 1
  const signed = (size: 2 | 3) => {
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + bytes[at++]
    return value >= 2 ** (8 * size - 1) ? value - 2 ** (8 * size) : value
  }
  for (let i = 0; i < points; i++) {
    const before = read.at(-1)
    const lon = before ? wrapped(before.lon + signed(2) / 1e5) : degreesOf(signed(3))
    const lat = before ? before.lat + signed(2) / 1e5 : degreesOf(signed(3))
    if (!(Math.abs(lon) <= 180 && Math.abs(lat) <= 90)) wrong(`point ${i + 1} on earth, found ${lon}, ${lat}`)
    const line = bytes[at++]
    const way = bytes[at++]
    const isLast = i === points - 1
    read.push({
      lon,
      lat,
      frc: (line >> 3) & 7,
      fow: line & 7,
      bearing: ((way & 31) + 0.5) * BEARING_STEP,
      lfrcnp: isLast ? 7 : way >> 5,
      distanceM: isLast ? 0 : (bytes[at++] + 0.5) * DISTANCE_STEP_M,
    })
  }
  const flags = bytes[at - 1]
  const said = Number((flags & POSITIVE) > 0) + Number((flags & NEGATIVE) > 0)
  if (said !== offsets) wrong(`${said} bytes of offsets, found ${offsets}`)
  const share = (flag: number) => (flags & flag ? (bytes[at++] + 0.5) / 256 : 0)
  return { points: read, positiveShare: share(POSITIVE), negativeShare: share(NEGATIVE) }
}

/**
 * Writes a code: two to POINTS_MAX points, each at most STEP_DEGREES_MAX from the one before; shares in [0, 1). A share that isn't 0 never
 * reads as 0.
 */
export function writeLine({ points, positiveShare, negativeShare }: LineReference): string {
  const bytes = [HEADER]
  const put = (value: number, size: number) => {
    for (let shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes.push((value >> shift) & 255)
  }
  let [lon, lat] = [0, 0]
  points.forEach((point, i) => {
    if (i === 0) {
      const [x, y] = [stepsOf(point.lon), stepsOf(point.lat)]
      put(x, 3)
      put(y, 3)
      lon = degreesOf(x)
      lat = degreesOf(y)
    } else {
      // From where a reader thinks that the one before is, so that errors don't add up.
      const [x, y] = [Math.round(turned(point.lon - lon) * 1e5), Math.round((point.lat - lat) * 1e5)]
      put(x, 2)
      put(y, 2)
      lon = wrapped(lon + x / 1e5)
      lat += y / 1e5
    }
    bytes.push((point.frc << 3) | point.fow)
    const bearing = Math.floor(point.bearing / BEARING_STEP) & 31
    if (i < points.length - 1)
      bytes.push((point.lfrcnp << 5) | bearing, Math.min(255, Math.floor(point.distanceM / DISTANCE_STEP_M)))
    else bytes.push(bearing | (positiveShare > 0 ? POSITIVE : 0) | (negativeShare > 0 ? NEGATIVE : 0))
  })
  for (const share of [positiveShare, negativeShare]) if (share > 0) bytes.push(Math.min(255, Math.floor(share * 256)))
  return btoa(String.fromCharCode(...bytes))
}

/** For a message: whoever reads it knows which code is meant. */
const shown = (code: string): string => JSON.stringify(code.length > 60 ? `${code.slice(0, 60)}…` : code)

function bytesOf(code: string): number[] {
  if (code.length > CODE_MAX)
    throw new InputError('OPENLR', `${shown(code)}: expected an OpenLR code of at most ${CODE_MAX} characters`)
  if (code.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(code))
    throw new InputError('OPENLR', `${shown(code)}: expected an OpenLR code in base64`)
  return Array.from(atob(code), (character) => character.charCodeAt(0))
}

const degreesOf = (steps: number): number => (steps - Math.sign(steps) / 2) / STEPS_PER_DEGREE
/** The inverse; a millionth, so that what was read is written as it was. Beyond 180 degrees it goes on at -180. */
const stepsOf = (degrees: number): number => {
  const steps = Math.trunc(degrees * STEPS_PER_DEGREE + Math.sign(degrees) * (0.5 + 1e-6))
  return steps >= 2 ** 23 ? steps - 2 ** 24 : steps < -(2 ** 23) ? steps + 2 ** 24 : steps
}
const turned = (difference: number): number =>
  difference > 180 ? difference - 360 : difference < -180 ? difference + 360 : difference
const wrapped = turned
