import { batchBytes, decodeBatch, type Batch } from '#contracts'
import { digest, canonical, type DeviceId } from '#kernel'
import { localBell } from '#messaging'
import { Engine, Reference } from '#pipeline'
import { Metrics, openLog, readSettings, systemClock, type Clock } from '#runtime'
import { backlog, commitArrivals, type Arrival, type Store } from '#store'
import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'

export interface SentBatch {
  readonly device: DeviceId
  readonly batch: Batch
}

const WAIT_MS_MAX = 600_000

/** Hands batches to the inbox as they are given, group by group. Of what age they may be is asked where `by` is told. */
export async function takeIn(store: Store, groups: Iterable<readonly SentBatch[]>, by?: Clock): Promise<void> {
  for (const group of groups) {
    const arrivals = group.map(({ device, batch }): Arrival => {
      const bytes = batchBytes(batch)
      const decoded = decodeBatch(device, bytes, by?.now() ?? null)
      if (!decoded.ok) throw new Error(`a batch of ${device} is none: ${decoded.detail}`)
      const contentDigest = createHash('sha256').update(decoded.content).digest('hex')
      return { device, bytes, decoded, authentic: true, contentDigest }
    })
    await store.transaction((tx) => commitArrivals(tx, arrivals, (by ?? systemClock).now(), 'undisturbed'))
  }
}

/** Does all the work that is due, in this process, and resolves when none is left. */
export async function workThrough(store: Store, clock: Clock = systemClock): Promise<void> {
  const settings = readSettings({ ROADMETER_LOG: 'silent', ROADMETER_SWEEP_MS: '200', ROADMETER_BACKTEST_THREADS: '0' })
  const log = openLog(settings, 'undisturbed')
  const bell = localBell(log)
  const line = { clock, settings, reference: new Reference() }
  const engine = new Engine(store, bell, line, settings, new Metrics(), log)
  await engine.start()
  // What only time makes due, too.
  await engine.sweep()
  await untilDone(store)
  await engine.stop()
  await bell.close()
}

/** Resolves when no work is due, whoever does it. */
export async function untilDone(store: Store, waitMs = WAIT_MS_MAX): Promise<void> {
  for (const end = Date.now() + waitMs; ; await delay(20)) {
    const { pieces } = await store.transaction((tx) => backlog(tx))
    if (pieces === 0) return
    if (Date.now() > end)
      throw new Error(
        `work is left: ${JSON.stringify(await store.read('select stage, key, attempts, last_error, parked_at from metering.work where wanted > done limit 5'))}`,
      )
  }
}

export const moneyOf = async (store: Store): Promise<Map<string, bigint>> =>
  new Map(
    (
      await store.read<{ account: string; sum: string }>(
        'select account, sum(amount) as sum from money.posting group by account',
      )
    ).map(({ account, sum }) => [account, BigInt(sum)]),
  )

/** The digest of all that must depend on what was driven alone: not on order, repeats, moments or crashes (I9). */
export async function stateDigest(store: Store): Promise<string> {
  const state = [
    await store.read('select device, boot, seq, content_digest::text as digest from location.batch order by 1, 2, 3'),
    await store.read(
      `select device, boot, held::text as held, gaps::text as gaps, processed, accepted from metering.stream order by 1, 2`,
    ),
    await store.read(
      `select id, device, boot, name, first_seq, last_seq, vehicle, state, started_at, ended_at, month, fixes, network, engine, report_digest
       from metering.trip order by 1`,
    ),
    await store.read('select * from money.charge order by trip, line'),
    await store.read('select vehicle, policy, cap, span, gross, credit from money.cap_window order by 1, 2, 3, 4'),
    [...(await moneyOf(store))].sort(([a], [b]) => (a < b ? -1 : 1)).map(([account, sum]) => `${account} ${sum}`),
  ]
  return digest(new TextEncoder().encode(canonical(JSON.parse(JSON.stringify(state, asText)))))
}
const asText = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
