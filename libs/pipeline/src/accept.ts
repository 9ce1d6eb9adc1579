import { randomBytes } from 'node:crypto'
import {
  batchBytes,
  decodeBatch,
  decodeBridged,
  receiptContent,
  receiptOf,
  sourceOf,
  type Batch,
  type Decoded,
  type Receipt,
  type Rejection,
} from '#contracts'
import { InputError, invariant, type DeviceId } from '#kernel'
import { type Bell } from '#messaging'
import { crashPoint, type Clock, type Log, type Metrics, type Settings, type SigningKey } from '#runtime'
import { commitArrivals, deviceKeys, type Arrival, type DeviceKeys, type Fate, type Outcome, type Store } from '#store'
import { arrivalOf, type Sent } from './authentic'

/** A message, and what its sender is told. */
export interface Answer {
  readonly fate: Fate
  readonly reason: Rejection | null
  readonly detail: string
  /** null where none can be given: an unknown device, or a message whose number can't be read or trusted. */
  readonly receipt: Receipt | null
}

/** Commits under way at once: while the database writes one, the next is made ready. */
const COMMITS_MAX = 2
/** Messages that wait for a commit; who comes over it is turned away and sends again. */
const WAITING_MAX = 10_000
/** How long keys of a device are remembered: what a revoked key signed is refused this long after at the latest. */
const KEYS_MS_MAX = 5_000
const KEYS_REMEMBERED_MAX = 100_000

interface Waiting extends Sent {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * The first step of the line: a message becomes durable in the inbox. Messages that come in together share a commit (at
 * most `groupCommitMs` or `groupCommitBatches`); whoever waits here is answered after it, with a receipt that the operator's
 * key has signed.
 */
export class Accept {
  private waiting: Waiting[] = []
  private timer: NodeJS.Timeout | null = null
  private readonly lanes: string[]
  private readonly remembered = new Map<DeviceId, { keys: DeviceKeys; untilMs: number }>()

  constructor(
    private readonly store: Store,
    private readonly bell: Bell,
    private readonly clock: Clock,
    private readonly settings: Pick<Settings, 'groupCommitMs' | 'groupCommitBatches'>,
    private readonly metrics: Metrics,
    private readonly log: Log,
    private readonly operatorKey: SigningKey,
  ) {
    const process = randomBytes(4).toString('hex')
    this.lanes = Array.from({ length: COMMITS_MAX }, (_, i) => `${process}-${i}`)
  }

  /** Resolves after the commit. Rejects when nothing became durable: then there must be no acknowledgement. */
  message({ device, bytes }: { device: DeviceId; bytes: Uint8Array }): Promise<Answer> {
    return this.take(device, bytes, decodeBatch(device, bytes, this.clock.now()))
  }

  /** A position that came over a bridge, without a number: it gets one in the inbox, once. */
  position(device: DeviceId, batch: Batch): Promise<Answer> {
    const decoded = decodeBridged(device, batch, this.clock.now())
    return this.take(device, batchBytes(batch), decoded, sourceOf(device, batch))
  }

  /** Something of a device that is no batch and can't become one: kept in quarantine, with why. */
  refuse(device: DeviceId, bytes: Uint8Array, detail: string): Promise<Answer> {
    return this.take(device, bytes, { ok: false, reason: 'MALFORMED', detail, key: null, signed: null })
  }

  private take(device: DeviceId, bytes: Uint8Array, decoded: Decoded, source?: string): Promise<Answer> {
    if (this.waiting.length >= WAITING_MAX)
      return Promise.reject(new InputError('BUSY', 'too many messages are waiting to be stored: send it again later'))
    return new Promise<Answer>((resolve, reject) => {
      this.waiting.push({ device, bytes, decoded, source, resolve, reject })
      if (this.waiting.length >= this.settings.groupCommitBatches) this.flush()
      else this.timer ??= setTimeout(() => this.flush(), this.settings.groupCommitMs)
    })
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    if (this.waiting.length === 0) return
    const lane = this.lanes.pop()
    // Both lanes are busy: what comes in meanwhile shares the next commit.
    if (!lane) return
    const group = this.waiting.splice(0, this.settings.groupCommitBatches)
    void this.commit(group, lane).finally(() => {
      this.lanes.push(lane)
      if (this.waiting.length > 0 && !this.timer) this.flush()
    })
    if (this.waiting.length > 0) this.flush()
  }

  private async commit(group: readonly Waiting[], lane: string): Promise<void> {
    const stop = this.metrics.commitSeconds.startTimer()
    try {
      const arrivals = await this.authenticated(group)
      const outcomes = await this.store.transaction(async (tx) => {
        const made = await commitArrivals(tx, arrivals, this.clock.now(), lane)
        crashPoint('inbox.uncommitted')
        return made
      })
      stop()
      crashPoint('inbox.committed')
      await this.answer(group, outcomes)
      crashPoint('inbox.answered')
      const devices = new Set(group.filter((_, i) => outcomes[i].fate === 'accepted').map((waiting) => waiting.device))
      await this.bell.ring([...devices].map((device) => ({ stage: 'match', key: device })))
    } catch (error) {
      if (group.length > 1 && isOfContent(error)) {
        // One message that the database can't take must not keep everybody else's from being stored, for ever.
        const middle = group.length >> 1
        await this.commit(group.slice(0, middle), lane)
        return this.commit(group.slice(middle), lane)
      }
      this.log.error({ error: (error as Error).message, batches: group.length }, 'a group commit failed')
      group.forEach((waiting) => waiting.reject(error))
    }
  }

  /** Checks signatures before the commit, so that no lock is held meanwhile. */
  private async authenticated(group: readonly Waiting[]): Promise<Arrival[]> {
    const keys = await this.keysOf([...new Set(group.map(({ device }) => device))])
    return Promise.all(group.map((sent) => arrivalOf(sent, keys.get(sent.device)!)))
  }

  private async keysOf(devices: readonly DeviceId[]): Promise<Map<DeviceId, DeviceKeys>> {
    const nowMs = performance.now()
    const found = new Map<DeviceId, DeviceKeys>()
    const asked: DeviceId[] = []
    for (const device of devices) {
      const known = this.remembered.get(device)
      if (known && known.untilMs > nowMs) found.set(device, known.keys)
      else asked.push(device)
    }
    if (asked.length === 0) return found
    if (this.remembered.size + asked.length > KEYS_REMEMBERED_MAX) this.remembered.clear()
    for (const [device, keys] of await this.store.transaction((tx) => deviceKeys(tx, asked, this.clock.now()))) {
      found.set(device, keys)
      this.remembered.set(device, { keys, untilMs: nowMs + KEYS_MS_MAX })
    }
    return found
  }

  private async answer(group: readonly Waiting[], outcomes: readonly Outcome[]): Promise<void> {
    // One receipt for each boot of a device, however many of its batches shared the commit.
    const receipts = new Map<string, Promise<Receipt>>()
    for (const [i, { device, decoded, source, resolve, reject }] of group.entries()) {
      const { fate, reason, detail, boot, held } = outcomes[i]
      this.metrics.batches.inc({ fate })
      if (fate === 'accepted' && decoded.ok) this.metrics.fixes.inc(decoded.batch.fixes.length)
      if (fate === 'rejected') {
        invariant(reason, 'what is rejected has a reason')
        this.metrics.rejections.inc({ reason })
        this.log.warn({ device, reason }, 'a batch was rejected')
      }
      if (boot === null || source) {
        resolve({ fate, reason, detail, receipt: null })
        continue
      }
      const key = `${device}/${boot}`
      const receipt = receipts.get(key) ?? this.signed(device, receiptOf(device, boot, held))
      receipts.set(key, receipt)
      receipt.then((signed) => resolve({ fate, reason, detail, receipt: signed }), reject)
    }
    await Promise.allSettled(receipts.values())
  }

  /** The operator's signature of a text, base64url. */
  sign(text: string): Promise<string> {
    return this.operatorKey.sign(text)
  }

  /** A receipt with the operator's signature. */
  async signed(device: DeviceId, receipt: Receipt): Promise<Receipt> {
    return { ...receipt, sig: await this.operatorKey.sign(receiptContent(device, receipt)) }
  }
}

/** Whether the database refused what it was given (SQLSTATE classes 22 and 23), or we broke over it: not that it is away. */
function isOfContent(error: unknown): boolean {
  const code = (error as { code?: unknown }).code
  return (error as Error).name === 'InvariantError' || (typeof code === 'string' && /^2[23]/.test(code))
}
