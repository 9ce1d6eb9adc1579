/**
 * Watches the framing of one MQTT byte stream (3.1.1, section 2.2: a type byte, then the remaining length as one to four
 * bytes of seven bits) and says when a packet announces more than it may have. aedes has no such limit and would gather up
 * to 256 MB of a packet before anyone could refuse it.
 */
export class PacketGuard {
  /** Bytes of the present packet still to skip. */
  private left = 0
  /** Position in the fixed header: 0 before the type byte, else which length byte comes next. */
  private lengthByte = 0
  private length = 0
  private first = true

  /** `firstBytesMax` bounds the first packet, CONNECT: nobody has signed in yet. */
  constructor(
    private readonly firstBytesMax: number,
    private readonly bytesMax: number,
  ) {}

  /** False where this chunk announces a packet over the limit or a length that MQTT cannot have. */
  admits(chunk: Uint8Array): boolean {
    for (let i = 0; i < chunk.length;) {
      if (this.left > 0) {
        const skipped = Math.min(this.left, chunk.length - i)
        this.left -= skipped
        i += skipped
        continue
      }
      const byte = chunk[i++]
      if (this.lengthByte === 0) {
        this.lengthByte = 1
        this.length = 0
        continue
      }
      if (this.lengthByte > 4) return false
      this.length += (byte & 0x7f) * 128 ** (this.lengthByte - 1)
      this.lengthByte++
      if (byte & 0x80) continue
      if (this.length > (this.first ? this.firstBytesMax : this.bytesMax)) return false
      this.left = this.length
      this.lengthByte = 0
      this.first = false
    }
    return true
  }
}
