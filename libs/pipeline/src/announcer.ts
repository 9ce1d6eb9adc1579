import { contextContent, contextOf } from '#contracts'
import { type BatchDoor } from '#messaging'
import { type Log } from '#runtime'
import { changedDevices, operatorKeys, type DeviceChange, type Store } from '#store'
import { type Accept } from './accept'

const LOOK_MS = 5_000
const PAGE = 500

/**
 * Leaves each device its context, signed, and takes that of a revoked one away: all of them at the start and whenever the broker
 * has lost them, then those whose credentials change.
 */
export class Announcer {
  private timer: NodeJS.Timeout | null = null
  private looking: Promise<void> = Promise.resolve()
  private stopped = false
  private isLost = false
  private seen: Pick<DeviceChange, 'changedAt' | 'id'> | null = null

  constructor(
    private readonly store: Store,
    private readonly door: Pick<BatchDoor, 'announce'>,
    private readonly accept: Pick<Accept, 'sign'>,
    private readonly log: Log,
  ) {}

  start(): void {
    this.looking = this.look()
      .catch((error: Error) => this.log.warn({ error: error.message }, 'could not announce contexts'))
      .finally(() => {
        if (!this.stopped) this.timer = setTimeout(() => this.start(), LOOK_MS)
      })
  }

  async stop(): Promise<void> {
    this.stopped = true
    if (this.timer) clearTimeout(this.timer)
    await this.looking
  }

  /** The broker has lost what was announced. */
  again(): void {
    this.isLost = true
  }

  private async look(): Promise<void> {
    while (!this.stopped) {
      if (this.isLost) this.seen = null
      this.isLost = false
      const { changes, keys } = await this.store.transaction(async (tx) => ({
        changes: await changedDevices(tx, this.seen, PAGE),
        keys: (await operatorKeys(tx)).map(({ key }) => Buffer.from(key).toString('base64url')),
      }))
      for (const change of changes) {
        if (this.stopped) return
        await this.door.announce(change.id, change.revoked ? null : await this.context(change, keys))
        this.seen = change
      }
      if (changes.length < PAGE) return
    }
  }

  private async context({ id, signs }: DeviceChange, keys: readonly string[]): Promise<Uint8Array> {
    const context = contextOf(id, signs, keys)
    const sig = await this.accept.sign(contextContent({ ...context, sig: '' }))
    return Buffer.from(JSON.stringify({ ...context, sig }))
  }
}
