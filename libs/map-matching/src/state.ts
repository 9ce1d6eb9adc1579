import { InputError } from '#kernel'

/** Writes numbers compactly: whole ones as zigzag varints (7 bits a byte, low first), others as 8 bytes. */
export class StateWriter {
  private bytes = new Uint8Array(256)
  private view = new DataView(this.bytes.buffer)
  private at = 0

  int(value: number): void {
    this.room()
    // Division, not shifts: times need more than 32 bits.
    let rest = value < 0 ? -2 * value - 1 : 2 * value
    while (rest >= 128) {
      this.bytes[this.at++] = (rest % 128) + 128
      rest = Math.floor(rest / 128)
    }
    this.bytes[this.at++] = rest
  }

  real(value: number): void {
    this.room()
    this.view.setFloat64(this.at, value, true)
    this.at += 8
  }

  ints(values: readonly number[]): void {
    this.int(values.length)
    for (const value of values) this.int(value)
  }

  done(): Uint8Array {
    return this.bytes.slice(0, this.at)
  }

  private room(): void {
    if (this.at + 16 <= this.bytes.length) return
    const grown = new Uint8Array(this.bytes.length * 2)
    grown.set(this.bytes)
    this.bytes = grown
    this.view = new DataView(grown.buffer)
  }
}

/** Reads what a StateWriter wrote; InputError MATCHER_STATE where bytes end early or are left over. */
export class StateReader {
  private at = 0
  private readonly view: DataView
  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  int(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 8; i++) {
      this.need(1)
      const byte = this.bytes[this.at++]
      value += (byte & 127) * scale
      if (byte < 128) return value % 2 === 1 ? -(value + 1) / 2 : value / 2
      scale *= 128
    }
    return refuse('a number has no end')
  }

  real(): number {
    this.need(8)
    const value = this.view.getFloat64(this.at, true)
    this.at += 8
    return value
  }

  ints(max: number): number[] {
    const length = this.int()
    if (length < 0 || length > max) refuse(`a list of ${length}, at most ${max}`)
    return Array.from({ length }, () => this.int())
  }

  end(): void {
    if (this.at !== this.bytes.length) refuse(`${this.bytes.length - this.at} bytes too many`)
  }

  private need(bytes: number): void {
    if (this.at + bytes > this.bytes.length) refuse('it is cut short')
  }
}

export const refuse = (why: string): never => {
  throw new InputError('MATCHER_STATE', `saved state of a matcher refused: ${why}`)
}
