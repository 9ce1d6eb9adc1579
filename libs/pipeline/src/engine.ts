import { FIX_AGE_MS_MAX } from '#contracts'
import { instant, type Instant } from '#kernel'
import { type Bell, type Ring } from '#messaging'
import { crashPoint, type Log, type Metrics, type Settings } from '#runtime'
import {
  balanceDifference,
  claim,
  complete,
  discardRejected,
  dueWork,
  FencedError,
  forgetAccess,
  forgetBridged,
  gappedDevices,
  giveBack,
  parkExhausted,
  restedDevices,
  unkeptByDay,
  unsealedPeriods,
  waiting,
  want,
  wantDestruction,
  type Claim,
  type Store,
  type Tx,
  type WorkKey,
} from '#store'
import { periodWork } from './close'
import { type Line } from './line'
import { STAGES, type StageName } from './stages'

const SWEEP_MAX = 1000
/**
 * A sweep rings again for work whose ring may still wait. Where more wait than this it rings for the oldest alone: each ring
 * costs whoever answers it a question to the database, also where there is nothing left to do.
 */
const SWEEP_WAITING_MAX = 100
const OLDEST = 10
const BACKOFF_MS_MAX = 60_000
/** How often the balance of arrivals is held against their streams. */
const BALANCE_MS = 60_000
/** How often it is looked for what is past its time. */
const DESTROY_MS = 3_600_000
const HOUR_MS = 3_600_000
/** The access log is kept for two years. */
const ACCESS_LOG_MS = 730 * 24 * HOUR_MS
/** A position that comes again later than this is too old to be taken in, whatever its name. */
const BRIDGED_MS = FIX_AGE_MS_MAX + 86_400_000

/**
 * Does the work of the line as the bell rings, and rings again for what is due at every sweep: a ring that is lost, a worker
 * that dies and a queue that is emptied cost time, never work.
 */
export class Engine {
  private timer: NodeJS.Timeout | null = null
  private balancedAt = 0
  private destroyedAt = 0
  /** Up to which account it was looked, in this round. */
  private destroyedTo = ''
  private sweeping: Promise<void> = Promise.resolve()

  constructor(
    private readonly store: Store,
    private readonly bell: Bell,
    private readonly line: Line,
    private readonly settings: Pick<Settings, 'engineWorkers' | 'leaseMs' | 'sweepMs' | 'gapWaitMs' | 'workAttempts'>,
    private readonly metrics: Metrics,
    private readonly log: Log,
  ) {}

  async start(): Promise<void> {
    // The bell may ring within somebody's request: the line works for nobody.
    await this.bell.listen((ring) => this.store.within(null, () => this.answer(ring)), this.settings.engineWorkers)
    const again = () => {
      this.sweeping = this.sweep()
        .catch((error: Error) => this.log.error({ error: error.message }, 'a sweep failed'))
        .finally(() => {
          if (this.timer) this.timer = setTimeout(again, this.settings.sweepMs)
        })
    }
    this.timer = setTimeout(again, 0)
  }

  async stop(): Promise<void> {
    if (this.timer) clearTimeout(this.timer)
    this.timer = null
    await this.sweeping
  }

  /** One ring is enough for a stage that takes what it finds by the lot. */
  private ring(work: readonly WorkKey[], waitingMax?: number): Promise<void> {
    const rings = work.map(({ stage, key }) => ({ stage, key: STAGES[stage as StageName]?.most > 1 ? '' : key }))
    return this.bell.ring([...new Map(rings.map((ring) => [`${ring.stage}/${ring.key}`, ring])).values()], waitingMax)
  }

  /** Does the work that a ring names, for as long as there is some. */
  private async answer(ring: Ring): Promise<void> {
    if (!(ring.stage in STAGES)) return this.log.warn({ stage: ring.stage }, 'a ring for a stage that is not known')
    for (;;) {
      const claims = await claim(this.store, ring, this.settings.leaseMs, STAGES[ring.stage as StageName].most)
      if (claims.length === 0) return
      if (!(await this.work(claims)) && claims.length === 1) return
    }
  }

  /**
   * Whether it was done and is wanted again. What fails together is done one by one, so that nobody is kept waiting by
   * another's fault; what fails alone is given back, to be tried again later and later.
   */
  private async work(claims: readonly Claim[]): Promise<boolean> {
    const stage = claims[0].stage as StageName
    const stop = this.metrics.stageSeconds.startTimer({ stage })
    crashPoint(`${stage}.claimed`)
    try {
      const { next, more } = await this.store.transaction(async (tx) => {
        const keys = claims.map(({ key }) => key)
        // A lot is marked as done before it is: its rows are nobody else's to claim until the end, and what it locks last, the chains
        // of the ledger, others wait for. Who asks for what is done alone would wait for all of its work.
        const isLot = STAGES[stage].most > 1
        const asked = isLot && (await complete(tx, claims))
        const next = await STAGES[stage].work(tx, keys, this.line)
        await want(tx, next)
        const more = isLot ? asked : await complete(tx, claims)
        crashPoint(`${stage}.uncommitted`)
        return { next, more }
      })
      crashPoint(`${stage}.committed`)
      stop({ outcome: 'done' })
      await this.ring(next)
      return more
    } catch (error) {
      stop({ outcome: 'failed' })
      if (claims.length > 1) {
        for (const claimed of claims) await this.work([claimed])
        return false
      }
      const [{ key, attempts }] = claims
      const { message } = error as Error
      this.log.error({ stage, key, attempt: attempts, error: message }, 'work failed')
      if (!(error instanceof FencedError))
        await giveBack(this.store, claims[0], message, Math.min(BACKOFF_MS_MAX, 100 * 2 ** attempts))
      return false
    }
  }

  /** Rings for all work that is due, and asks for the work that the passing of time makes due. */
  async sweep(): Promise<void> {
    const now = this.line.clock.now()
    const due = await this.store.transaction(async (tx) => {
      const devices = new Set([
        ...(await restedDevices(tx, instant(now - this.settings.gapWaitMs))),
        ...(await gappedDevices(tx, instant(now - this.settings.gapWaitMs))),
      ])
      const periods = await unsealedPeriods(tx)
      const timely: WorkKey[] = [
        ...[...devices].map((device) => ({ stage: 'match', key: device })),
        ...periods.map((p) => periodWork(p.agency, p.month)),
      ]
      await want(tx, timely)
      for (const { stage, key } of await parkExhausted(tx, this.settings.workAttempts))
        this.log.error({ stage, key, attempts: this.settings.workAttempts }, 'work is parked: roadmeter work list')
      const { oldestS, oldestUnclaimedS, parked } = await waiting(tx)
      this.metrics.oldestWorkSeconds.set(oldestS)
      this.metrics.oldestUnclaimedSeconds.set(oldestUnclaimedS)
      this.metrics.parkedWork.set(parked)
      if (now - this.balancedAt >= BALANCE_MS) {
        this.balancedAt = now
        this.metrics.balanceDifference.set(await balanceDifference(tx))
        const unkept = Object.values(await unkeptByDay(tx)).reduce((sum, count) => sum + count, 0)
        this.metrics.unkeptRejections.set(unkept)
        await forgetBridged(tx, now, BRIDGED_MS)
      }
      if (now - this.destroyedAt >= DESTROY_MS) await this.askDestruction(tx, now)
      return dueWork(tx, SWEEP_MAX)
    })
    await this.ring(due.slice(0, OLDEST))
    await this.ring(due.slice(OLDEST), SWEEP_WAITING_MAX)
  }

  /** A page of accounts a sweep: the round is over when there are no more, and the next one begins an hour later. */
  private async askDestruction(tx: Tx, now: Instant): Promise<void> {
    const { keepFixesHours, keepRejectedHours } = this.line.settings
    const last = await wantDestruction(tx, {
      matchedBefore: instant(now - keepFixesHours * HOUR_MS),
      sealedBefore: now,
      after: this.destroyedTo,
      most: SWEEP_MAX,
    })
    const rejected = await discardRejected(tx, instant(now - keepRejectedHours * HOUR_MS), SWEEP_MAX)
    const read = await forgetAccess(tx, instant(now - ACCESS_LOG_MS), SWEEP_MAX)
    this.destroyedTo = last ?? ''
    if (last === null && rejected < SWEEP_MAX && read < SWEEP_MAX) this.destroyedAt = now
  }
}
