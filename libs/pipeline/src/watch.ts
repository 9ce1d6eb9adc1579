import { open, readFile } from 'node:fs/promises'
import { digest, instant, type Instant } from '#kernel'
import { type Log, type Metrics, type Settings } from '#runtime'
import {
  alarmedDevices,
  chainHeads,
  dutyDone,
  dutyDoneAt,
  foldBalances,
  latestFindings,
  overdueDisputes,
  saveFindings,
  takeDuty,
  type Store,
} from '#store'
import { auditLedger, readHeads } from './audit'
import { type Line } from './line'
import { type Finding } from './finding'
import { reconcile } from './reconcile'

const MINUTE_MS = 60_000
const BALANCES_MS = 10 * MINUTE_MS
const LEASE_MS = 60 * MINUTE_MS
/** An alarm is on show so long after it was raised last. */
const ALARM_MS = 24 * 60 * MINUTE_MS
/** Trips and statements that a check on a schedule makes again, others each time; sums and chains are checked whole. */
const SAMPLE = 2_000

/**
 * What nobody asks for and somebody has to do: keeps the heads of the ledger outside the database, folds its balances, and checks the
 * invariants. Each is done by one process at a time; what was found is kept, and every process shows it.
 */
export class Watch {
  private timer: NodeJS.Timeout | null = null
  private looking: Promise<void> = Promise.resolve()
  /** When each was asked about last: a duty of a day isn't asked for every second. */
  private readonly askedAt = new Map<string, Instant>()

  constructor(
    private readonly store: Store,
    private readonly line: Line,
    private readonly settings: Pick<Settings, 'sweepMs' | 'headsFile' | 'headsMs' | 'reconcileMs'>,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  start(): void {
    const again = () => {
      this.looking = this.look()
        .catch((error: Error) => this.log.error({ error: error.message }, 'a duty failed'))
        .finally(() => {
          if (this.timer) this.timer = setTimeout(again, 2 * this.settings.sweepMs)
        })
    }
    this.timer = setTimeout(again, 2 * this.settings.sweepMs)
  }

  async stop(): Promise<void> {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    await this.looking
  }

  /** Does what is due, and shows how things stand. All at one moment: what is checked is what was published just before. */
  async look(): Promise<void> {
    const { headsFile, headsMs, reconcileMs } = this.settings
    const now = this.line.clock.now()
    if (headsFile) await this.every('heads', headsMs, now, () => this.publishHeads(now))
    await this.every('balances', BALANCES_MS, now, async () => {
      while ((await this.store.transaction((tx) => foldBalances(tx))) > 0);
    })
    if (reconcileMs > 0) await this.every('reconcile', reconcileMs, now, () => this.check(now))
    if (this.isTimeFor('show', MINUTE_MS, now)) await this.show(now)
  }

  private isTimeFor(name: string, ms: number, now: Instant): boolean {
    if (now - (this.askedAt.get(name) ?? -Infinity) < ms) return false
    this.askedAt.set(name, now)
    return true
  }

  private async every(name: string, ms: number, now: Instant, work: () => Promise<void>): Promise<void> {
    if (!this.isTimeFor(name, ms / 10, now)) return
    if (!(await takeDuty(this.store, name, instant(Math.max(0, now - ms)), LEASE_MS))) return
    await work()
    await this.store.transaction((tx) => dutyDone(tx, name, now))
    this.askedAt.delete('show')
  }

  /** One line for each time, forced to the disk. */
  private async publishHeads(now: Instant): Promise<void> {
    const heads = await this.store.transaction((tx) => chainHeads(tx))
    const file = await open(this.settings.headsFile, 'a')
    try {
      await file.write(`${JSON.stringify({ at: now, heads })}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  private async check(now: Instant): Promise<void> {
    const findings = await reconcile(this.store, this.line, undefined, {
      from: digest(['reconcile', now]).slice(0, 32),
      most: SAMPLE,
    })
    if (this.settings.headsFile) findings.push(await this.againstHeads())
    for (const { id, faults } of findings)
      for (const fault of faults) this.log.error({ invariant: id, fault }, 'an invariant is broken')
    await this.store.transaction((tx) => saveFindings(tx, findings, now))
  }

  private async againstHeads(): Promise<Finding> {
    const { headsFile } = this.settings
    const lines = await readFile(headsFile, 'utf8').catch(() => '')
    const { entries, faults } = await auditLedger((sql, given) => this.store.read(sql, given), readHeads(lines, headsFile)) // prettier-ignore
    return {
      id: 'I8-heads',
      holds: 'chain: the ledger is what was published',
      checked: entries,
      faults: faults.map((fault) => (fault.shard === null ? fault.why : `chain ${fault.shard}, entry ${fault.index}: ${fault.why}`)), // prettier-ignore
    }
  }

  private async show(now: Instant): Promise<void> {
    await this.store.transaction(async (tx) => {
      for (const { invariant, faults } of await latestFindings(tx))
        this.metrics.invariantFaults.set({ invariant }, faults)
      for (const [name, gauge] of [
        ['reconcile', this.metrics.reconciledAt],
        ['heads', this.metrics.headsAt],
      ] as const) {
        const at = await dutyDoneAt(tx, name)
        if (at !== null) gauge.set(at / 1000)
      }
      this.metrics.disputesOverdue.set(await overdueDisputes(tx, new Date(now).toISOString().slice(0, 10)))
      for (const [kind, devices] of Object.entries(await alarmedDevices(tx, instant(now - ALARM_MS))))
        this.metrics.deviceAlarms.set({ kind }, devices)
    })
  }
}
