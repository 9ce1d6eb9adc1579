import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inspect, parseArgs } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'
import { chance, InputError, type DeviceId } from '#kernel'
import { emptyChain, headOf, type ChainEntry } from '#ledger'
import { reconcile, Reference } from '#pipeline'
import { readSettings, systemClock } from '#runtime'
import { chainHeads, chainPage, type Store } from '#store'
import { enrolCast } from '../../apps/ops/src/simulate/cast'
import { newDatabase } from '../databases'
import { check, faultsOf, type Event, type FinalState } from './checker'
import { AGENCY, Cluster, foundCity, httpDevices, openStore, type Name } from './cluster'
import { IN_CI, long, plan, type Death, type Plan } from './faults'
import { Servers } from './servers'
import { moneyOf, stateDigest, takeIn, untilDone, workThrough, type SentBatch } from './undisturbed'

// npm run test:faults -- [--kills N] [--seed S] [--only TEXT,TEXT] [--keep]: everything that may break breaks while fleets drive, and
// then what devices say is held against what the database says. What devices wrote down stays where it failed, or
// with --keep.

/**
 * Of each of the two fleets on MQTT; on HTTPS there are half as many. Each drives some 12,000 fixes in all, and ends its day when it
 * is enough, so that more devices than the faults take time for only make the end longer. Each waits for its receipts: fewer are slower
 * than RATE while what they send to lives for one second in five.
 */
const devicesFor = (faults: number): number => Math.max(16, Math.ceil(faults / 3))
/** Fixes a second of all fleets together. */
const RATE = 1_300
/** What has to come in of it for faults to meet a system under load; said, not asserted: a busy machine is no fault. */
const RATE_MIN = 1_000
/** As many as are not too late to be taken in. The fleets are told when it is enough. */
const DAYS = 33
/** How long a process lives that is killed, from when it is ready. */
const LIFE_MS_MAX = 1_000
const RECEIPTS_MS_MAX = 300_000
const GROUP = 50

const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string' },
      keep: { type: 'boolean' },
    },
  })
  const kills = Number(values.kills ?? IN_CI.kills)
  if (!Number.isSafeInteger(kills) || kills < 1 || kills > 10_000)
    throw new InputError('ARGUMENT', `--kills: expected a whole number from 1 to 10000, found ${values.kills}`)
  const counts = values.kills === undefined ? IN_CI : long(kills)
  const seed = values.seed ?? String(Math.floor(systemClock.now() / 1000))
  const faults = plan(counts, (values.only ?? '').split(','), chance(`plan ${seed}`))
  const count = [...faults.deaths.values(), faults.blows].reduce((sum, { length }) => sum + length, 0)
  if (count === 0) throw new InputError('ARGUMENT', `--only: no fault has "${values.only}" in its name`)
  say(`seed ${seed}: ${count} faults; the same again: npm run test:faults -- --seed ${seed}`)

  const folder = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-history-'))
  const servers = Servers.start()
  let cluster: Cluster | null = null
  let failed = false
  const close = async (): Promise<void> => {
    await cluster?.close()
    if (!failed && values.keep === undefined) rmSync(folder, { recursive: true, force: true })
    else say(`histories: ${folder}`)
    servers.stop()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void close().finally(() => process.exit(130)))
  try {
    const [openedS, city] = await timed(() => Cluster.open(servers, folder, seed, devicesFor(count)))
    cluster = city
    await city.drive(RATE, DAYS)
    const [struckS, struck] = await timed(() => strike(city, faults, seed))
    const [stoppedS, fleets] = await timed(() => city.stopDriving(RECEIPTS_MS_MAX))
    const seconds = struckS + stoppedS
    const [drainedS] = await timed(() => untilDone(city.store))
    const [judgedS, found] = await timed(() => judge(city, servers, folder))
    const rate = found.fixes / seconds
    for (const [name, times] of struck) say(`  ${String(times).padStart(4)} x ${name}`)
    say(
      `${found.batches} batches with ${found.fixes} fixes of ${city.casts.http.length + fleets.reduce((sum, { devices }) => sum + devices, 0)} devices in ${seconds.toFixed(0)} s: ${rate.toFixed(0)} fixes/s`,
    )
    if (rate < RATE_MIN) say(`TOO SLOW: ${rate.toFixed(0)} fixes/s, below the ${RATE_MIN} fixes/s aimed at`)
    say(
      `opened in ${openedS.toFixed(0)} s, struck for ${struckS.toFixed(0)} s, all received ${stoppedS.toFixed(0)} s later, the backlog drained in ${drainedS.toFixed(0)} s, judged in ${judgedS.toFixed(0)} s`,
    )
    say(
      `${found.receipted} batches have receipts; state ${found.state.slice(0, 16)}, undisturbed ${found.undisturbed.slice(0, 16)}`,
    )
    for (const fault of found.faults) say(`FAULT ${fault}`)
    say(
      found.faults.length === 0
        ? '0 lost, 0 duplicated, 0 unexpected, 0 micros of difference, chain intact'
        : `${found.faults.length} faults; seed ${seed}`,
    )
    failed = found.faults.length > 0
    if (failed) process.exitCode = 1
  } catch (error) {
    failed = cluster !== null
    if (cluster) say(cluster.says())
    throw error
  } finally {
    await close()
  }
}

/** How many seconds it took, and what it came to. */
async function timed<T>(act: () => Promise<T>): Promise<[number, T]> {
  const from = performance.now()
  const made = await act()
  return [(performance.now() - from) / 1000, made]
}

/**
 * Lets the faults happen: to each process one after the other, and to the servers, all at the same time, so that they meet in
 * ever other ways. How often each did.
 */
async function strike(cluster: Cluster, { deaths, blows }: Plan, seed: string): Promise<ReadonlyMap<string, number>> {
  const struck = new Map<string, number>()
  const total = [...deaths.values(), blows].reduce((sum, { length }) => sum + length, 0)
  const bar = new SingleBar(
    { format: '{bar} {value}/{total}  {name}', clearOnComplete: true, stream: process.stderr },
    Presets.shades_classic,
  )
  if (process.stderr.isTTY) bar.start(total, 0, { name: '' })
  const stop = new AbortController()
  const each = async (name: string, befall: () => Promise<void>): Promise<void> => {
    if (stop.signal.aborted) return
    if (await cluster.isOver()) throw new Error('a fleet has ended before the faults did')
    const from = performance.now()
    await befall().catch((cause: Error) => {
      throw new Error(`${name}: ${cause.message}`, { cause })
    })
    struck.set(name, (struck.get(name) ?? 0) + 1)
    bar.increment({ name })
    if (!process.stderr.isTTY) say(`  ${((performance.now() - from) / 1000).toFixed(1).padStart(5)} s  ${name}`)
  }
  const lives = async (name: Name, ends: readonly Death[]): Promise<void> => {
    const dice = chance(`strike ${name} ${seed}`)
    await delay(dice.below(LIFE_MS_MAX))
    await cluster.processes[name].kill()
    for (const { name: how, at } of ends)
      await each(how, () => (at ? cluster.diesAt(name, at) : cluster.isKilled(name, dice.below(LIFE_MS_MAX))))
    if (!stop.signal.aborted) await cluster.revive(name)
  }
  const befallen = async (): Promise<void> => {
    const dice = chance(`strike the servers ${seed}`)
    for (const blow of blows) {
      if (blow.name.startsWith('disk') && !cluster.servers.hasOwnDisk) {
        say('SKIPPED: no disk could be filled, because no tmpfs can be mounted here (that takes root)')
        continue
      }
      await each(blow.name, () => blow.strike(cluster))
      await delay(dice.below(blow.pauseMsMax))
    }
  }
  try {
    const all = [...[...deaths].map(([name, ends]) => lives(name, ends)), befallen()]
    await Promise.all(all.map((one) => one.catch((error: unknown) => (stop.abort(), Promise.reject(error as Error)))))
  } finally {
    bar.stop()
  }
  return struck
}

/** Holds the history against the database, and the database against one that nobody has disturbed. */
async function judge(cluster: Cluster, servers: Servers, folder: string) {
  const events: Event[] = []
  const sent = new Map<string, SentBatch>()
  for await (const { batch, ...line } of cluster.history()) {
    if (line.did !== 'sent' && line.did !== 'heard') continue
    events.push(line)
    if (line.did === 'sent' && batch)
      sent.set(`${line.device}/${String(line.boot).padStart(4, '0')}/${String(line.seq).padStart(8, '0')}`, {
        device: line.device as DeviceId,
        batch: { ...batch, trip: batch.trip ?? '', fixes: batch.fixes ?? [] },
      })
  }
  const { url, drop } = await newDatabase(servers.databaseUrl)
  const beside = await openStore(url, folder)
  try {
    await foundCity(beside, cluster.network)
    const { mosquitto, own } = cluster.casts
    for (const [cast, signed] of [
      [mosquitto, false],
      [own, true],
    ] as const)
      await enrolCast(
        beside,
        AGENCY,
        { seed: cast.seed, size: cast.devices.length, signed, file: os.devNull },
        systemClock.now(),
      )
    await httpDevices(beside, cluster.seed, cluster.casts.http.length)
    const inOrder = [...sent.keys()].sort().map((name) => sent.get(name)!)
    await takeIn(beside, inGroups(inOrder))
    await workThrough(beside)
    const verdict = check(events, await finalState(cluster.store), await moneyOf(beside))
    const [state, undisturbed] = [await stateDigest(cluster.store), await stateDigest(beside)]
    const line = { clock: systemClock, settings: readSettings({}), reference: new Reference() }
    const invariants = (await reconcile(cluster.store, line)).flatMap(({ id, faults }) =>
      faults.map((fault) => `${id}: ${fault}`),
    )
    const parked = await cluster.store.read('select stage, key from metering.work where parked_at is not null')
    return {
      ...verdict,
      state,
      undisturbed,
      faults: [
        ...faultsOf(verdict),
        ...(state === undisturbed ? [] : ['I9: the state is not what the same batches come to undisturbed']),
        ...invariants,
        ...(parked.length === 0 ? [] : [`I11: ${parked.length} pieces of work were given up`]),
      ],
    }
  } finally {
    await beside.dataSource.destroy()
    await drop()
  }
}

function* inGroups(all: readonly SentBatch[]): Generator<readonly SentBatch[]> {
  for (let i = 0; i < all.length; i += GROUP) yield all.slice(i, i + GROUP)
}

async function finalState(store: Store): Promise<FinalState> {
  const chains = await store.transaction(async (tx) => {
    const all: { head: FinalState['chains'][number]['head']; entries: ChainEntry[] }[] = []
    for (const head of await chainHeads(tx)) {
      const entries: ChainEntry[] = []
      for (let at = emptyChain(head.shard); ; at = headOf(entries[entries.length - 1])) {
        const page = await chainPage(tx, at)
        if (page.length === 0) break
        entries.push(...page)
      }
      all.push({ head, entries })
    }
    return all
  })
  type Row = { device: string; boot: number } & Record<string, string>
  const batches = await store.read<Row>(
    `select device, boot, seq, encode(content_digest, 'hex') as digest from location.batch`,
  )
  const refused = await store.read<Row>('select device, boot, seq from location.quarantine where seq is not null')
  const trips = await store.read<Row>('select device, boot, first_seq, last_seq from metering.trip')
  return {
    inbox: batches.map(({ device, boot, seq, digest }) => ({ device, boot, seq: Number(seq), digest })),
    refused: refused.map(({ device, boot, seq }) => ({ device, boot, seq: Number(seq) })),
    trips: trips.map(({ device, boot, first_seq, last_seq }) => ({
      device,
      boot,
      from: Number(first_seq),
      to: Number(last_seq),
    })),
    money: await moneyOf(store),
    chains,
  }
}

main().then(
  () => process.exit(process.exitCode ?? 0),
  (error: unknown) => {
    process.stderr.write(`test:faults: ${error instanceof InputError ? error.message : inspect(error)}\n`)
    process.exit(error instanceof InputError ? 2 : 1)
  },
)
