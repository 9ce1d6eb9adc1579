import { decodeBatch, receiptOf, type Receipt } from '#contracts'
import { type DeviceId } from '#kernel'
import { type Bell } from '#messaging'
import { type Clock, type Log, type Metrics, type Settings } from '#runtime'
import { commitArrivals, type Arrival, type Outcome, type Store } from '#store'

type Waiting = Arrival & { readonly resolve: (outcome: Outcome) => void; readonly reject: (error: unknown) => void }

/**
 * The first step of the line: a message becomes durable in the inbox. Messages that come in together share a commit (at
 * most `groupCommitMs` or `groupCommitBatches`); whoever waits here is answered after it.
 */
export class Accept {
  private waiting: Waiting[] = []
  private timer: NodeJS.Timeout | null = null
  private committing: Promise<void> = Promise.resolve()

  constructor(
    private readonly store: Store,
    private readonly bell: Bell,
    private readonly clock: Clock,
    private readonly settings: Pick<Settings, 'groupCommitMs' | 'groupCommitBatches'>,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  /**
   * Resolves after the commit, with the receipt of the message's boot or null where none can be given (an unknown device, a
   * message whose number can't be read). Rejects when nothing became durable: then there must be no acknowledgement.
   */
  async message({ device, bytes }: { device: DeviceId; bytes: Uint8Array }): Promise<Receipt | null> {
    const decoded = decodeBatch(bytes, this.clock.now())
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      this.waiting.push({ device, bytes, decoded, resolve, reject })
      if (this.waiting.length >= this.settings.groupCommitBatches) this.flush()
      else this.timer ??= setTimeout(() => this.flush(), this.settings.groupCommitMs)
    })
    this.metrics.batches.inc({ fate: outcome.fate })
    if (outcome.fate === 'accepted' && decoded.ok) this.metrics.fixes.inc(decoded.batch.fixes.length)
    if (outcome.fate === 'rejected') this.log.warn({ device, reason: outcome.reason }, 'a batch was rejected')
    return outcome.boot === null || outcome.reason === 'UNKNOWN_DEVICE'
      ? null
      : receiptOf(device, outcome.boot, outcome.held)
  }

  private flush(): void {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    const group = this.waiting.splice(0)
    // One commit at a time: what comes in meanwhile shares the next one.
    if (group.length) this.committing = this.committing.then(() => this.commit(group))
  }

  private async commit(group: readonly Waiting[]): Promise<void> {
    const stop = this.metrics.commitSeconds.startTimer()
    try {
      const outcomes = await this.store.transaction((tx) => commitArrivals(tx, group, this.clock.now()))
      stop()
      group.forEach((waiting, i) => waiting.resolve(outcomes[i]))
      const devices = new Set(group.filter((_, i) => outcomes[i].fate === 'accepted').map((waiting) => waiting.device))
      await this.bell.ring([...devices].map((device) => ({ stage: 'match', key: device })))
    } catch (error) {
      this.log.error({ error: (error as Error).message, batches: group.length }, 'a group commit failed')
      group.forEach((waiting) => waiting.reject(error))
    }
  }
}
