import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

// The load of bench:ingest, in a process of its own: devices that speak just enough MQTT 3.1.1, with messages that are written
// down beforehand, so that what is measured is not the load.

/** What a load process is told first. */
export interface LoadSetting {
  readonly url: string
  readonly devices: readonly { readonly id: string; readonly token: string }[]
  readonly batches: number
  readonly fixesPerBatch: number
  readonly from: number
}
/** One run: every device sends its batches under this boot, or its fixes one by one. */
export interface LoadRun {
  readonly boot: number
  readonly kind: 'batches' | 'fixes'
  readonly messages: number
  /** Messages a second of all devices together; null: as fast as it goes. */
  readonly rate: number | null
}
export interface LoadResult {
  readonly seconds: number
  /** Of batches: from publish to the receipt that covers it. */
  readonly latenciesMs: number[]
}

const WINDOW = 8
const FIX_WINDOW = 20
const BOOT_AT = '{"v":1,"boot":'.length
/** Boots are counted from here: all have as many digits, so that one is written over another in place. */
const FIRST_BOOT = 100_000_000
const PUBLISH_QOS1 = 0x32
const TURN_MS = 1

const text = (value: string): Buffer => {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}
function packet(type: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length: number[] = []
  let left = body.length
  do {
    length.push((left % 128) | (left >= 128 ? 0x80 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return Buffer.concat([Buffer.from([type, ...length]), body])
}

/** One device: its connection, its messages, and how far the receipts are. */
class Device {
  private socket!: Socket
  private input: Buffer = Buffer.alloc(0)
  private readonly payloadAt: number
  private readonly idAt: number
  private ready = (): void => undefined
  private sentAtMs: number[] = []
  private sent = 0
  private answered = 0
  private acknowledged = 0
  private boot = 0
  latenciesMs: number[] = []

  constructor(
    private readonly id: string,
    private readonly token: string,
    private readonly batches: readonly Buffer[],
    private readonly fixes: readonly Buffer[],
    topicBytes: number,
  ) {
    this.idAt = topicBytes
    this.payloadAt = topicBytes + 2
  }

  async connect(url: URL): Promise<void> {
    this.socket = connect({ host: url.hostname, port: Number(url.port), noDelay: true })
    this.socket.on('data', (chunk) => this.read(chunk))
    this.socket.on('error', (error) => {
      throw error
    })
    const ready = new Promise<void>((resolve) => (this.ready = resolve))
    const keepAlive = Buffer.from([0, 0])
    this.socket.write(
      packet(0x10, text('MQTT'), Buffer.from([4, 0xc2]), keepAlive, text(this.id), text(this.id), text(this.token)),
    )
    this.socket.write(packet(0x82, Buffer.from([0, 1]), text(`roadmeter/v1/${this.id}/receipt`), Buffer.from([0])))
    await ready
  }

  begin(boot: number): void {
    this.boot = FIRST_BOOT + boot
    this.sent = this.answered = this.acknowledged = 0
    this.sentAtMs = []
    this.latenciesMs = []
    const digits = Buffer.from(String(this.boot))
    for (const message of this.batches) digits.copy(message, bodyAt(message) + this.payloadAt + BOOT_AT)
  }

  /** Sends the next batch, where fewer than a window are without receipt. */
  sendBatch(most: number): boolean {
    if (this.sent >= most || this.sent - this.answered >= WINDOW) return false
    this.write(this.batches[this.sent])
    return true
  }

  sendFix(most: number): boolean {
    if (this.sent >= most || this.sent - this.acknowledged >= FIX_WINDOW) return false
    this.write(this.fixes[this.sent % this.fixes.length])
    return true
  }

  isDone(run: LoadRun): boolean {
    return (run.kind === 'batches' ? this.answered : this.acknowledged) >= run.messages
  }

  private write(message: Buffer): void {
    this.sentAtMs.push(performance.now())
    message.writeUInt16BE(1 + (this.sent++ % 65_000), bodyAt(message) + this.idAt)
    this.socket.write(message)
  }

  private read(chunk: Buffer): void {
    let all = this.input.length > 0 ? Buffer.concat([this.input, chunk]) : chunk
    while (all.length >= 2) {
      const at = bodyAt(all)
      const length = lengthOf(all)
      if (at < 0 || all.length < at + length) break
      this.take(all[0] >> 4, all.subarray(at, at + length))
      all = all.subarray(at + length)
    }
    this.input = all.length > 0 ? Buffer.from(all) : all
  }

  private take(type: number, body: Buffer): void {
    if (type === 9) this.ready()
    if (type === 4) this.acknowledged++
    if (type === 2 && body[1] !== 0) throw new Error(`the broker refuses ${this.id}`)
    if (type !== 3) return
    const said = body.toString('latin1', 2 + body.readUInt16BE(0))
    const [, boot, upTo] = /"boot":(\d+),"upTo":(-?\d+)/.exec(said) ?? []
    if (Number(boot) !== this.boot) return
    const now = performance.now()
    for (; this.answered <= Number(upTo); this.answered++) this.latenciesMs.push(now - this.sentAtMs[this.answered])
  }
}

/** Where the body of a packet begins; -1 where its length has not come yet. */
function bodyAt(bytes: Buffer): number {
  for (let i = 1; i < 5; i++) {
    if (i >= bytes.length) return -1
    if (bytes[i] < 0x80) return i + 1
  }
  return -1
}
function lengthOf(bytes: Buffer): number {
  let length = 0
  for (let i = 1, scale = 1; i < 5 && i < bytes.length; i++, scale *= 128) {
    length += (bytes[i] & 0x7f) * scale
    if (bytes[i] < 0x80) break
  }
  return length
}

/** A drive at 1 Hz, as receivers write it down: six decimals, an accuracy. */
function fixesOf(device: number, batch: number, setting: LoadSetting): number[][] {
  const begun = setting.from + batch * setting.fixesPerBatch * 1000
  return Array.from({ length: setting.fixesPerBatch }, (_, i) => {
    const s = batch * setting.fixesPerBatch + i
    const [wobble, drift] = [Math.sin(s * 1.7 + device), Math.cos(s * 0.9 + device)]
    const round = (value: number, decimals: number) => Number(value.toFixed(decimals))
    return [
      begun + i * 1000,
      round(45 + device / 500 + s * 0.00012 + wobble * 0.00002, 6),
      round(7 + device / 500 + s * 0.00009 + drift * 0.00002, 6),
      round(4 + wobble, 1),
    ]
  })
}

function messagesOf(setting: LoadSetting, index: number): Device {
  const { id, token } = setting.devices[index]
  const topic = text(`roadmeter/v1/${id}/batch`)
  const publish = (body: string) => packet(PUBLISH_QOS1, topic, Buffer.alloc(2), Buffer.from(body))
  const batches: Buffer[] = []
  for (let seq = 0; seq < setting.batches; seq++)
    batches.push(
      publish(
        `{"v":1,"boot":${FIRST_BOOT},"seq":${seq},"trip":"t1","event":"run","fixes":${JSON.stringify(fixesOf(index, seq, setting))}}`,
      ),
    )
  const fixes = fixesOf(index, 0, setting).map(([at, lat, lon, accuracy]) =>
    publish(JSON.stringify({ device: id, at, lat, lon, accuracy })),
  )
  return new Device(id, token, batches, fixes, topic.length)
}

async function main(): Promise<void> {
  const setting = JSON.parse(process.argv[2]) as LoadSetting
  const devices = setting.devices.map((_, i) => messagesOf(setting, i))
  for (const device of devices) await device.connect(new URL(setting.url))
  process.on('message', (run: LoadRun) => {
    void go(devices, run).then((result) => process.send!(result))
  })
  process.send!('ready')
}

async function go(devices: readonly Device[], run: LoadRun): Promise<LoadResult> {
  for (const device of devices) device.begin(run.boot)
  const begun = performance.now()
  const seconds = () => (performance.now() - begun) / 1000
  let sent = 0
  let from = 0
  while (!devices.every((device) => device.isDone(run))) {
    // One message of each device in turn, so that none is ahead of the others.
    for (let moved = true; moved;) {
      moved = false
      for (let i = 0; i < devices.length; i++) {
        if (run.rate !== null && sent >= run.rate * seconds()) break
        const device = devices[(from + i) % devices.length]
        if (!(run.kind === 'batches' ? device.sendBatch(run.messages) : device.sendFix(run.messages))) continue
        moved = true
        sent++
        if (run.rate !== null) from++
      }
    }
    await delay(TURN_MS)
  }
  return { seconds: seconds(), latenciesMs: devices.flatMap(({ latenciesMs }) => latenciesMs) }
}

void main()
