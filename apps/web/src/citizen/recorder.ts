import { batchBytes, batchContent, type Batch, covers, enrolmentContent, isReceiptOf, type Receipt } from '#contracts'
import { type DeviceId } from '#kernel'
import { Problem, send } from '../shared/api'

// A telephone as a device of the native protocol: its own key, numbered and signed batches, kept until a receipt covers them.

const FIXES_PER_BATCH = 30
const KEPT = 'roadmeter-phone'

/** All that outlives a reload. The key can't be read out of the browser: IndexedDB keeps it as it is. */
interface Kept {
  readonly vehicle: string
  readonly device: DeviceId
  readonly token: string
  readonly boot: number
  readonly nextSeq: number
  readonly queue: readonly Batch[]
}

const base64url = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '')

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>

const database = (): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const asked = indexedDB.open(KEPT, 1)
    asked.onupgradeneeded = () => asked.result.createObjectStore('keys')
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })

const stored = async <T>(mode: IDBTransactionMode, work: (keys: IDBObjectStore) => IDBRequest<T>): Promise<T> => {
  const opened = await database()
  return new Promise((resolve, reject) => {
    const asked = work(opened.transaction('keys', mode).objectStore('keys'))
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
}

export interface RecorderState {
  readonly fixes: number
  /** Batches that no receipt covers yet. */
  readonly waiting: number
  readonly isOffline: boolean
  readonly problem: string | null
}

/** One telephone in one vehicle. */
export class Recorder {
  private pending: Batch['fixes'] = []
  private trip = ''
  private isFirst = true
  private fixes = 0
  private isSending = false
  private isOffline = false
  private problem: string | null = null

  private constructor(
    private kept: Kept,
    private readonly key: CryptoKey,
    private readonly told: (state: RecorderState) => void,
  ) {}

  /** Comes in with a voucher of the vehicle, or as who it was before. Throws Problem; DOMException where the browser signs no Ed25519. */
  static async open(vehicle: string, told: (state: RecorderState) => void): Promise<Recorder> {
    const found = localStorage.getItem(KEPT)
    const kept = found === null ? null : (JSON.parse(found) as Kept)
    if (kept?.vehicle === vehicle) {
      const key = await stored<CryptoKey | undefined>('readonly', (keys) => keys.get(kept.device))
      // What is kept is sent on under its own numbers; a new start counts anew.
      if (key)
        return new Recorder(
          {
            ...kept,
            boot: kept.queue.length > 0 ? kept.boot : kept.boot + 1,
            nextSeq: kept.queue.length > 0 ? kept.nextSeq : 0,
          },
          key,
          told,
        )
    }
    const pair = (await crypto.subtle.generateKey({ name: 'Ed25519' }, false, ['sign', 'verify'])) as CryptoKeyPair
    const { voucher } = await send<{ voucher: string }>('POST', `/v1/vehicles/${encodeURIComponent(vehicle)}/vouchers`)
    const content = { voucher, key: base64url(await crypto.subtle.exportKey('raw', pair.publicKey)) }
    const sig = base64url(await crypto.subtle.sign('Ed25519', pair.privateKey, bytesOf(enrolmentContent(content))))
    const { device, token } = await send<{ device: DeviceId; token: string }>('POST', '/v1/enrolments', {
      v: 1,
      ...content,
      sig,
    })
    await stored('readwrite', (keys) => keys.put(pair.privateKey, device))
    const recorder = new Recorder({ vehicle, device, token, boot: 0, nextSeq: 0, queue: [] }, pair.privateKey, told)
    recorder.keep()
    return recorder
  }

  begin(now: number): void {
    this.trip = `phone-${now}`
    this.isFirst = true
    this.fixes = 0
  }

  /** Takes a position in; a full batch goes out. */
  async add(at: number, lat: number, lon: number, accuracyM: number): Promise<void> {
    const last = this.pending.at(-1)
    if (last && at <= last[0]) return
    this.pending.push([Math.round(at), lat, lon, Math.min(10_000, Math.round(accuracyM))])
    this.fixes++
    if (this.pending.length >= FIXES_PER_BATCH) await this.pack(this.isFirst ? 'start' : 'run')
    this.tell()
  }

  /** Sends what there is so far, so that the running charge is of now. */
  async flush(): Promise<void> {
    if (this.pending.length > 0) await this.pack(this.isFirst ? 'start' : 'run')
    else await this.drain()
  }

  async end(): Promise<void> {
    await this.pack('end')
  }

  private async pack(event: 'start' | 'run' | 'end'): Promise<void> {
    const { boot, nextSeq, device } = this.kept
    const fixes = this.pending
    this.pending = []
    this.isFirst = false
    const batch: Batch = { v: 1, boot, seq: nextSeq, trip: this.trip, event, fixes }
    // Numbered before it is signed: signing takes a moment, and the next batch must not take the same number.
    this.kept = { ...this.kept, nextSeq: nextSeq + 1 }
    const sig = base64url(await crypto.subtle.sign('Ed25519', this.key, bytesOf(batchContent(device, batch))))
    this.kept = { ...this.kept, queue: [...this.kept.queue, { ...batch, sig }].sort((a, b) => a.seq - b.seq) }
    this.keep()
    await this.drain()
  }

  /** Sends what waits, oldest first, and forgets what a receipt covers. A lost connection leaves it for the next time. */
  private async drain(): Promise<void> {
    if (this.isSending) return
    this.isSending = true
    try {
      for (let batch = this.kept.queue[0]; batch; batch = this.kept.queue[0]) {
        const receipt = await this.sendBatch(batch)
        if (!isReceiptOf(this.kept.device, receipt))
          throw new Problem(502, 'the receipt is not of this device', 'RECEIPT')
        const queue = this.kept.queue.filter(({ boot, seq }) => !covers(receipt, boot, seq))
        if (queue.length === this.kept.queue.length) break
        this.kept = { ...this.kept, queue }
        this.keep()
      }
      this.isOffline = false
      this.problem = null
    } catch (error) {
      this.isOffline = error instanceof Problem && error.status === 0
      this.problem = this.isOffline ? null : (error as Error).message
    } finally {
      this.isSending = false
      this.tell()
    }
  }

  private async sendBatch(batch: Batch): Promise<Receipt> {
    let answer: Response
    try {
      answer = await fetch(`/v1/devices/${encodeURIComponent(this.kept.device)}/batches`, {
        method: 'POST',
        // The device speaks for itself, not whoever is signed in.
        credentials: 'omit',
        headers: { authorization: `Bearer ${this.kept.token}`, 'content-type': 'application/json' },
        body: batchBytes(batch) as Uint8Array<ArrayBuffer>,
      })
    } catch {
      throw new Problem(0, '', 'OFFLINE')
    }
    const said = (await answer.json()) as Receipt & { title?: string }
    if (!answer.ok) throw new Problem(answer.status, said.title ?? answer.statusText, 'BATCH')
    return said
  }

  private keep(): void {
    localStorage.setItem(KEPT, JSON.stringify(this.kept))
  }

  private tell(): void {
    this.told({ fixes: this.fixes, waiting: this.kept.queue.length, isOffline: this.isOffline, problem: this.problem })
  }
}
