/** PUBACK without reason and properties, which says success (MQTT 5.0, section 3.4). */
const PUBACK = 0x40
const BYTES = 4

interface Expected {
  readonly id: number
  isDone: boolean
}

/**
 * The acknowledgements that one connection owes: each goes out when its message is done, in the order in which the messages came
 * (MQTT 5.0, section 4.6), as many as are due in one write. mqtt.js writes each by itself and reads no further before it has.
 */
export class Acknowledgements {
  private expected: Expected[] = []
  private isDue = false

  constructor(private readonly write: (bytes: Buffer) => void) {}

  /** Owes one for this message, where its sender asks for any. To be called in order; the message is done when the answer is called. */
  expect({ qos, messageId }: { readonly qos: number; readonly messageId?: number }): () => void {
    if (qos === 0 || messageId === undefined) return () => undefined
    const one = { id: messageId, isDone: false }
    this.expected.push(one)
    return () => {
      one.isDone = true
      if (this.isDue) return
      this.isDue = true
      setImmediate(() => this.send())
    }
  }

  /** Owes nothing any more: the connection is gone, and the packet ids of the next are other messages'. */
  forget(): void {
    this.expected = []
  }

  private send(): void {
    this.isDue = false
    const waiting = this.expected.findIndex(({ isDone }) => !isDone)
    const due = this.expected.splice(0, waiting < 0 ? this.expected.length : waiting)
    if (due.length === 0) return
    const bytes = Buffer.alloc(BYTES * due.length)
    due.forEach(({ id }, i) => {
      bytes[BYTES * i] = PUBACK
      bytes[BYTES * i + 1] = 2
      bytes.writeUInt16BE(id, BYTES * i + 2)
    })
    this.write(bytes)
  }
}
