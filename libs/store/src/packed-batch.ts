import { type Batch, type WireFix } from '#contracts'
import { invariant } from '#kernel'

/**
 * A batch as the inbox keeps it: some five bytes a fix where JSON takes forty, and nothing is lost. Each column is written
 * as differences of whole numbers (a latitude as multiples of 10^-d, with the least d that gives every one of them back
 * exactly), in variable length as in Protocol Buffers; a column that can't be written so is kept as doubles. Boot, number,
 * trip and event stand in the row's own columns.
 *
 * Layout: PACKED, count, then times, latitudes, longitudes, accuracies; odometer; prev; sig. Measured on drives at 1 Hz:
 * time 0, latitude and longitude 2 each, accuracy 1 byte a fix.
 */
const PACKED = 1
/** A decimal scale that stands for doubles. */
const DOUBLES = 15
const DECIMALS_MAX = 9

export type BatchKey = Pick<Batch, 'boot' | 'seq' | 'trip' | 'event'>

export function packBatch(batch: Batch): Buffer {
  const out = new Writer(64 + batch.fixes.length * 8)
  const { fixes, odometer = [], prev, sig } = batch
  out.byte(PACKED)
  out.whole(fixes.length)
  writeTimes(
    out,
    fixes.map((fix) => fix[0]),
  )
  writeDecimals(
    out,
    fixes.map((fix) => fix[1]),
  )
  writeDecimals(
    out,
    fixes.map((fix) => fix[2]),
  )
  const known = fixes.filter((fix) => fix.length === 4)
  out.byte(known.length === fixes.length ? 1 : known.length === 0 ? 0 : 2)
  if (known.length > 0 && known.length < fixes.length) for (const fix of fixes) out.byte(fix.length === 4 ? 1 : 0)
  writeDecimals(
    out,
    known.map((fix) => fix[3]!),
  )
  out.byte((batch.odometer ? 1 : 0) | (prev === undefined ? 0 : 2) | (sig === undefined ? 0 : 4))
  if (batch.odometer) {
    out.whole(odometer.length)
    writeTimes(
      out,
      odometer.map(([at]) => at),
    )
    writeTimes(
      out,
      odometer.map(([, metres]) => metres),
    )
  }
  if (prev !== undefined) out.bytes(Buffer.from(prev, 'hex'))
  if (sig !== undefined) out.bytes(Buffer.from(sig, 'base64url'))
  return out.done()
}

/** The batch again: equal to what was packed, so that its canonical form and its digest are the same. */
export function unpackBatch(key: BatchKey, packed: Uint8Array): Batch {
  const from = new Reader(Buffer.from(packed.buffer, packed.byteOffset, packed.length))
  // Rows from before there was a packed form hold the JSON that came in.
  if (packed[0] === 0x7b) return JSON.parse(from.rest().toString()) as Batch
  invariant(from.byte() === PACKED, 'a batch in the inbox is in a form that is not known')
  const count = from.whole()
  const at = readTimes(from, count)
  const lat = readDecimals(from, count)
  const lon = readDecimals(from, count)
  const accuracy = from.byte()
  const has = at.map(() => accuracy === 1 || (accuracy === 2 && from.byte() === 1))
  const known = readDecimals(from, has.filter(Boolean).length)
  let next = 0
  const fixes = at.map((t, i): WireFix => (has[i] ? [t, lat[i], lon[i], known[next++]] : [t, lat[i], lon[i]]))
  const extras = from.byte()
  const batch: Batch = { v: 1, ...key, fixes }
  if (extras & 1) {
    const readings = from.whole()
    const times = readTimes(from, readings)
    const metres = readTimes(from, readings)
    batch.odometer = times.map((t, i): [number, number] => [t, metres[i]])
  }
  if (extras & 2) batch.prev = from.bytes(32).toString('hex')
  if (extras & 4) batch.sig = from.bytes(64).toString('base64url')
  return batch
}

/** Whole numbers, most often evenly spaced: the first, the first difference, then how the differences change. */
function writeTimes(out: Writer, values: readonly number[]): void {
  if (values.length === 0) return
  const steps = values.slice(1).map((value, i) => value - values[i])
  const even = steps.every((step) => step === steps[0])
  out.byte(even ? 1 : 0)
  out.signed(values[0])
  if (values.length === 1) return
  out.signed(steps[0])
  if (!even) steps.slice(1).forEach((step, i) => out.signed(step - steps[i]))
}

function readTimes(from: Reader, count: number): number[] {
  if (count === 0) return []
  const even = from.byte() === 1
  const values = [from.signed()]
  let step = count > 1 ? from.signed() : 0
  for (let i = 1; i < count; i++) {
    if (!even && i > 1) step += from.signed()
    values.push(values[i - 1] + step)
  }
  return values
}

function writeDecimals(out: Writer, values: readonly number[]): void {
  if (values.length === 0) return
  const decimals = decimalsOf(values)
  out.byte(decimals)
  if (decimals === DOUBLES) return values.forEach((value) => out.double(value))
  const scale = 10 ** decimals
  let before = 0
  for (const value of values) {
    const whole = Math.round(value * scale)
    out.signed(whole - before)
    before = whole
  }
}

function readDecimals(from: Reader, count: number): number[] {
  if (count === 0) return []
  const decimals = from.byte()
  if (decimals === DOUBLES) return Array.from({ length: count }, () => from.double())
  const scale = 10 ** decimals
  let whole = 0
  return Array.from({ length: count }, () => (whole += from.signed()) / scale)
}

/** The least number of decimals that gives every value back to the bit, or DOUBLES. */
function decimalsOf(values: readonly number[]): number {
  let decimals = 0
  for (const value of values)
    while (Math.round(value * 10 ** decimals) / 10 ** decimals !== value) if (++decimals > DECIMALS_MAX) return DOUBLES
  return decimals
}

class Writer {
  private buffer: Buffer
  private at = 0
  constructor(size: number) {
    this.buffer = Buffer.allocUnsafe(size)
  }
  private room(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(2 * this.buffer.length + bytes)
    this.buffer.copy(larger)
    this.buffer = larger
  }
  byte(value: number): void {
    this.room(1)
    this.buffer[this.at++] = value
  }
  /** Seven bits a byte, least first. Beyond 31 bits by division: bits of a double are exact up to 2^53. */
  whole(value: number): void {
    this.room(8)
    while (value >= 0x80) {
      this.buffer[this.at++] = (value % 0x80) | 0x80
      value = Math.floor(value / 0x80)
    }
    this.buffer[this.at++] = value
  }
  /** Zigzag: small numbers of either sign are short. */
  signed(value: number): void {
    this.whole(value < 0 ? -2 * value - 1 : 2 * value)
  }
  double(value: number): void {
    this.room(8)
    this.at = this.buffer.writeDoubleLE(value, this.at)
  }
  bytes(value: Buffer): void {
    this.room(value.length)
    this.at += value.copy(this.buffer, this.at)
  }
  done(): Buffer {
    return this.buffer.subarray(0, this.at)
  }
}

class Reader {
  private at = 0
  constructor(private readonly buffer: Buffer) {}
  byte(): number {
    invariant(this.at < this.buffer.length, 'a packed batch ends too early')
    return this.buffer[this.at++]
  }
  whole(): number {
    let value = 0
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
  }
  signed(): number {
    const value = this.whole()
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2
  }
  double(): number {
    this.at += 8
    return this.buffer.readDoubleLE(this.at - 8)
  }
  bytes(length: number): Buffer {
    this.at += length
    return this.buffer.subarray(this.at - length, this.at)
  }
  rest(): Buffer {
    return this.buffer
  }
}
