import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** PostgreSQL's messages: a type byte, then the length of the rest, itself included, in four bytes. */
const HEAD_BYTES = 5
const COMMAND_COMPLETE = 0x43
const WROTE = /^(?:INSERT 0|UPDATE|DELETE) [1-9]/

/**
 * A way to the database that can swallow the answer to a COMMIT: the server has committed, and whoever asked never hears of it,
 * because the connection ends there. Only transactions that wrote something are worth it.
 */
export class CommitCutter {
  private wanted = 0
  private readonly waiting: (() => void)[] = []
  cuts = 0

  private constructor(
    readonly port: number,
    private readonly close_: () => void,
  ) {}

  static async open(host: string, port: number): Promise<CommitCutter> {
    const sockets = new Set<Socket>()
    const server = createServer({ noDelay: true }, (client) => {
      const upstream = connect({ host, port, noDelay: true })
      const end = () => {
        client.destroy()
        upstream.destroy()
        sockets.delete(client)
        sockets.delete(upstream)
      }
      for (const socket of [client, upstream]) {
        sockets.add(socket)
        socket.on('error', end)
        socket.on('close', end)
      }
      client.pipe(upstream)
      const answers = new Answers()
      upstream.on('data', (chunk: Buffer) => {
        if (answers.commits(chunk) && cutter.take()) return end()
        if (!client.write(chunk)) {
          upstream.pause()
          client.once('drain', () => upstream.resume())
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const cutter = new CommitCutter((server.address() as AddressInfo).port, () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    })
    return cutter
  }

  /** Cuts the next answer to a COMMIT; resolves when it has. */
  cut(): Promise<void> {
    this.wanted++
    return new Promise((resolve) => this.waiting.push(resolve))
  }

  close(): void {
    this.close_()
  }

  private take(): boolean {
    if (this.wanted === 0) return false
    this.wanted--
    this.cuts++
    this.waiting.shift()?.()
    return true
  }
}

/** Reads along what a server answers. */
export class Answers {
  private rest: Buffer = Buffer.alloc(0)
  /** Bytes of a long message that are still to come and say nothing to us. */
  private skip = 0
  private wrote = false

  /** Whether this chunk brings the answer to a COMMIT of a transaction that wrote. */
  commits(chunk: Buffer): boolean {
    const skipped = Math.min(this.skip, chunk.length)
    this.skip -= skipped
    let all = Buffer.concat([this.rest, chunk.subarray(skipped)])
    let found = false
    while (all.length >= HEAD_BYTES) {
      const length = 1 + all.readUInt32BE(1)
      if (all[0] !== COMMAND_COMPLETE) {
        this.skip = Math.max(0, length - all.length)
        all = all.subarray(length)
        continue
      }
      if (all.length < length) break
      const tag = all.toString('latin1', HEAD_BYTES, length - 1)
      if (WROTE.test(tag)) this.wrote = true
      if (tag === 'COMMIT' || tag === 'ROLLBACK') {
        found ||= tag === 'COMMIT' && this.wrote
        this.wrote = false
      }
      all = all.subarray(length)
    }
    this.rest = all
    return found
  }
}
