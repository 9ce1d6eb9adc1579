import { type MqttClient } from 'mqtt'
import {
  batchBytes,
  contextContent,
  contextSchema,
  covers,
  isReceiptOf,
  receiptContent,
  receiptSchema,
  stateBytes,
  type Batch,
  type DeviceContext,
  type Receipt,
} from '#contracts'
import { InputError, invariant, type DeviceId } from '#kernel'
import { isSignedBy, type Log } from '#runtime'
import { firstConnection, hangUp, openClient, refusesSignIn, resetBackOff, shownUrl } from './connection'
import { deviceId, topicOf } from './topics'

const RESEND_MS = 5_000
const RESEND_DOUBLINGS_MAX = 4
/** Sendings of one batch before its device gives up: some half an hour without a receipt. */
const SENDINGS_MAX = 30
const RECEIPT_BYTES_MAX = 64 * 1024

interface Pending {
  readonly batch: Batch
  readonly bytes: Uint8Array
  readonly resolve: (receipt: Receipt) => void
  readonly reject: (error: Error) => void
  timer: NodeJS.Timeout | null
  sendings: number
}

/**
 * The device's side of the protocol: what an on-board unit does, for the simulated fleet, replay and tests. A batch is held
 * until a receipt covers it, and sent again until then: PUBACK alone is no promise.
 */
export class DeviceClient {
  private readonly pending = new Set<Pending>()
  private readonly unacknowledged = new Set<number>()
  private subscribed = false
  private closing = false
  private contexts: Promise<void> = Promise.resolve()
  /** What the operator last left word of; null before it came. Checked against `operatorKeys`: without them it is the broker's word. */
  context: DeviceContext | null = null

  private constructor(
    private readonly client: MqttClient,
    readonly device: DeviceId,
    private readonly url: string,
    private readonly resendMs: number,
    private readonly sendingsMax: number,
    private readonly operatorKeys: readonly Uint8Array[] | undefined,
    private readonly onReceipt: ((receipt: Receipt) => void) | undefined,
    private readonly log: Log | undefined,
  ) {}

  /** Throws InputError where the broker can't be reached or refuses the token. */
  static async connect(options: {
    url: string
    device: string
    token: string
    resendMs?: number
    sendingsMax?: number
    /** In PEM, for a broker behind TLS: whom to trust, and what to sign in with in place of the token. */
    tls?: { ca: string; cert?: string; key?: string }
    /** MQTT 3.1.1 (4) unless told; our own broker speaks nothing else. */
    protocolVersion?: 4 | 5
    /** Receipts and contexts that none of these keys has signed are ignored. Absent: a receipt's digest is enough. */
    operatorKeys?: readonly Uint8Array[]
    /** Sees every receipt that counts. */
    onReceipt?: (receipt: Receipt) => void
    log?: Log
  }): Promise<DeviceClient> {
    const { url, token, resendMs = RESEND_MS, sendingsMax = SENDINGS_MAX, protocolVersion = 4, log } = options
    const device = deviceId(options.device)
    if (!device)
      throw new InputError('DEVICE_ID', `"${options.device}" is no device id: expected 8 to 40 of a-z, 0-9 and -`)
    const client = openClient(url, {
      clientId: device,
      username: device,
      password: token,
      ...options.tls,
      clean: true,
      protocolVersion,
      will: { topic: topicOf(device, 'state'), payload: Buffer.from(stateBytes(false)), qos: 1, retain: false },
    })
    const { operatorKeys, onReceipt } = options
    const self = new DeviceClient(client, device, url, resendMs, sendingsMax, operatorKeys, onReceipt, log)
    client.on('message', (topic, payload) => {
      // One after the other: the last one counts, however long each takes to check.
      if (topic === topicOf(device, 'context')) self.contexts = self.contexts.then(() => self.onContext(payload))
      else void self.onReceiptBytes(payload)
    })
    client.on('close', () => self.onClose())
    client.on('error', (error) => self.onError(error))
    await firstConnection(client, url)
    try {
      await self.subscribe()
    } catch (error) {
      await hangUp(client, 0)
      throw error
    }
    client.on('connect', () => {
      self.subscribe().then(
        () => self.sendPending(),
        (error: Error) => self.log?.warn({ device, error: error.message }, 'could not subscribe to receipts'),
      )
    })
    return self
  }

  /**
   * Publishes at QoS 1 and resolves with the receipt that covers the batch. Without one it is sent again after `resendMs`, and
   * at once after a reconnect; after `sendingsMax` sendings it rejects with an InputError that names the batch.
   */
  send(batch: Batch): Promise<Receipt> {
    invariant(!this.closing, 'send on a closed device client')
    return new Promise((resolve, reject) => {
      const entry: Pending = { batch, bytes: batchBytes(batch), resolve, reject, timer: null, sendings: 0 }
      this.pending.add(entry)
      this.sendOnce(entry)
    })
  }

  /** Publishes any bytes once at QoS 1; resolves on PUBACK and rejects where the connection ends before it. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    invariant(!this.closing, 'send on a closed device client')
    await this.publish(bytes)
  }

  /** Loses the connection, as in a tunnel; it comes back by itself and sends what is pending. */
  interrupt(): void {
    this.client.stream.destroy()
  }

  /** Hangs up. What is still pending rejects. */
  async close(): Promise<void> {
    if (this.closing) return
    this.closing = true
    this.rejectPending(
      (batch) => new InputError('NO_RECEIPT', `${this.name(batch)} was still without a receipt at the end`),
    )
    this.dropUnacknowledged()
    await hangUp(this.client, 1_000)
  }

  private async subscribe(): Promise<void> {
    const topics = [topicOf(this.device, 'receipt'), topicOf(this.device, 'context')]
    const granted = await this.client.subscribeAsync(topics, { qos: 1 })
    if (granted.length < topics.length || granted.some(({ qos }) => qos >= 128))
      throw new InputError(
        'BROKER_REFUSED',
        `the MQTT broker at ${shownUrl(this.url)} lets ${this.device} have no receipts`,
      )
    this.subscribed = true
    this.client.publish(topicOf(this.device, 'state'), Buffer.from(stateBytes(true)), { qos: 0 })
  }

  private sendPending(): void {
    for (const entry of this.pending) this.sendOnce(entry)
  }

  private sendOnce(entry: Pending): void {
    if (entry.timer) clearTimeout(entry.timer)
    if (entry.sendings === this.sendingsMax) {
      this.pending.delete(entry)
      entry.reject(
        new InputError('NO_RECEIPT', `${this.name(entry.batch)} got no receipt in ${entry.sendings} sendings`),
      )
      return
    }
    entry.sendings++
    // Later each time: devices that all send again at once are what keeps a slow ingest slow.
    const wait = this.resendMs * 2 ** Math.min(entry.sendings - 1, RESEND_DOUBLINGS_MAX)
    entry.timer = setTimeout(() => this.sendOnce(entry), wait)
    // The receipt decides; a PUBACK that does not come shows as a missing receipt.
    if (this.subscribed) this.publish(entry.bytes).catch(() => {})
  }

  private publish(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.client.connected) return reject(new Error(`${this.device} is not connected`))
      let messageId = -1
      this.client.publish(topicOf(this.device, 'batch'), Buffer.from(bytes), { qos: 1 }, (error) => {
        this.unacknowledged.delete(messageId)
        if (error) reject(error)
        else resolve()
      })
      messageId = this.client.getLastMessageId()
      this.unacknowledged.add(messageId)
    })
  }

  private async onContext(payload: Uint8Array): Promise<void> {
    const context = payload.length === 0 ? null : readContext(this.device, payload)
    if (context === undefined || (context && !(await this.isOperators(contextContent(context), context.sig))))
      this.log?.warn({ device: this.device }, 'a context that can not be read or trusted was ignored')
    else this.context = context
  }

  private async onReceiptBytes(payload: Uint8Array): Promise<void> {
    const receipt = readReceipt(this.device, payload)
    if (!receipt || !(await this.isOperators(receiptContent(this.device, receipt), receipt.sig))) {
      this.log?.warn({ device: this.device }, 'a receipt that can not be read or trusted was ignored')
      return
    }
    this.onReceipt?.(receipt)
    // Not at the mere connection: a broker that accepts it and commits nothing is no reason to hurry.
    resetBackOff(this.client)
    for (const entry of this.pending) {
      if (!covers(receipt, entry.batch.boot, entry.batch.seq)) continue
      this.pending.delete(entry)
      if (entry.timer) clearTimeout(entry.timer)
      entry.resolve(receipt)
    }
  }

  private async isOperators(content: string, sig: string | undefined): Promise<boolean> {
    if (!this.operatorKeys) return true
    for (const key of this.operatorKeys) if (sig && (await isSignedBy(key, content, sig))) return true
    return false
  }

  private onClose(): void {
    this.subscribed = false
    this.dropUnacknowledged()
  }

  private onError(error: Error): void {
    this.log?.debug({ device: this.device, error: error.message }, 'connection of a device')
    if (refusesSignIn(error))
      this.rejectPending(
        () =>
          new InputError(
            'BROKER_REFUSED',
            `the MQTT broker at ${shownUrl(this.url)} refuses to sign in ${this.device}`,
          ),
      )
  }

  /** mqtt.js would send these again by itself, besides us, and announce a new connection only when all were acknowledged. */
  private dropUnacknowledged(): void {
    for (const messageId of [...this.unacknowledged]) this.client.removeOutgoingMessage(messageId)
    this.unacknowledged.clear()
  }

  private rejectPending(why: (batch: Batch) => Error): void {
    for (const entry of this.pending) {
      if (entry.timer) clearTimeout(entry.timer)
      entry.reject(why(entry.batch))
    }
    this.pending.clear()
  }

  private name(batch: Batch): string {
    return `batch ${batch.seq} of boot ${batch.boot} of ${this.device}`
  }
}

/** Undefined where the bytes are no context, or not one of this device. */
function readContext(device: DeviceId, payload: Uint8Array): DeviceContext | undefined {
  try {
    const context = contextSchema.parse(JSON.parse(new TextDecoder().decode(payload)))
    return context.device === device ? context : undefined
  } catch {
    return undefined
  }
}

/** Null where the bytes are no receipt, or not one of this device. */
function readReceipt(device: DeviceId, payload: Uint8Array): Receipt | null {
  if (payload.length > RECEIPT_BYTES_MAX) return null
  try {
    const receipt = receiptSchema.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)))
    return isReceiptOf(device, receipt) ? receipt : null
  } catch {
    return null
  }
}
