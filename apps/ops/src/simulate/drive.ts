import { createWriteStream, type WriteStream } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { batchBytes, batchContent, batchDigest, wireBatch } from '#contracts'
import { Fleet, sendingsOf, skewMsOf, type Counter, type Receiver, type Sending, type Trouble } from '#fleet'
import { chance, instant, type Chance, type DeviceId, type Instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { type RoadNetwork } from '#road-network'
import { type SigningKey } from '#runtime'
import { signerOf, type Cast } from './cast'

const DAY_MS = 86_400_000
/** Batches of one device that wait for their receipt; a device has room for more, its connection need not. */
const WINDOW = 8
const CONNECTS_AT_ONCE = 50
const TURN_MS = 2
const LATENCIES_MAX = 200_000

export interface Simulation {
  readonly cast: Cast
  readonly network: RoadNetwork
  readonly receiver: Receiver
  readonly trouble: Trouble
  readonly url: string
  /** Days that were driven, the last of them before `until`. */
  readonly days: number
  readonly until: Instant
  readonly fixesPerBatch: number
  /** The start that devices are in; a device never sends under an earlier one again. */
  readonly boot: number
  /** Fixes a second of all devices together; Infinity: as fast as it goes. */
  readonly rate: number
  /** Ways to drive; with fewer than devices, several drive the same. */
  readonly drivers: number
  readonly secondsMax: number
  /** Ends the driving after the day that each device is in, so that no trip stays without its end. */
  readonly stop?: AbortSignal
  /** JSON lines: what was driven, sent and heard. */
  readonly history: string | null
  readonly resendMs: number
  /** How often a device sends a batch before it gives up; as the device client has it unless told. */
  readonly sendingsMax?: number
}

export interface SimulationResult {
  readonly devices: number
  readonly batches: number
  readonly fixes: number
  readonly receipted: number
  readonly seconds: number
  readonly fixesPerS: number
  readonly receiptP50Ms: number
  readonly receiptP99Ms: number
}

interface Runner {
  readonly device: string
  readonly client: DeviceClient
  readonly sendings: Iterator<Sending>
  waiting: number
  done: boolean
}

/**
 * Lets a fleet drive and send, honouring receipts, and returns when every batch has its receipt or the time is over. The same
 * cast, seed and settings send the same batches; when is up to the network.
 */
export async function simulate(
  sim: Simulation,
  progress: (sent: number, receipted: number) => void = () => undefined,
): Promise<SimulationResult> {
  const fleet = new Fleet(sim.network, sim.cast.seed, Math.min(sim.drivers, sim.cast.devices.length), sim.receiver)
  const history = sim.history ? createWriteStream(sim.history) : null
  const runners = await connectAll(sim, fleet, history)
  const latenciesMs: number[] = []
  const total = { batches: 0, fixes: 0, receipted: 0 }
  const failures: Error[] = []
  const begun = performance.now()
  const seconds = () => (performance.now() - begun) / 1000
  try {
    for (let left = runners.filter((runner) => !runner.done); left.length > 0;) {
      let moved = false
      for (const runner of left) {
        if (failures.length > 0) throw failures[0]
        const isEarly = !sim.stop?.aborted && total.fixes > sim.rate * seconds()
        if (runner.waiting >= WINDOW || isEarly) continue
        const next = runner.sendings.next()
        if (next.done) {
          runner.done = true
          continue
        }
        moved = true
        total.batches++
        total.fixes += next.value.batch.fixes.length
        send(runner, next.value)
      }
      left = left.filter((runner) => !runner.done)
      progress(total.batches, total.receipted)
      if (seconds() > sim.secondsMax) break
      // Sockets are read between turns.
      await delay(moved ? 0 : TURN_MS)
    }
    while (total.receipted < total.batches && failures.length === 0) {
      progress(total.batches, total.receipted)
      await delay(TURN_MS)
    }
    if (failures.length > 0) throw failures[0]
    const took = seconds()
    latenciesMs.sort((a, b) => a - b)
    const at = (share: number) => Math.round(latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? 0)
    return {
      devices: runners.length,
      ...total,
      seconds: Math.round(took * 1000) / 1000,
      fixesPerS: Math.round(total.fixes / took),
      receiptP50Ms: at(0.5),
      receiptP99Ms: at(0.99),
    }
  } finally {
    await Promise.all(runners.map(({ client }) => client.close()))
    if (history) await new Promise<void>((resolve) => history.end(resolve))
  }

  function send(runner: Runner, { batch, copies, reconnects }: Sending): void {
    if (reconnects) runner.client.interrupt()
    runner.waiting++
    const at = performance.now()
    const { boot, seq } = batch
    if (history) {
      const digest = batchDigest(runner.client.device, batch)
      const fixes = batch.fixes.length
      write(history, runner.device, { did: 'sent', boot, seq, digest, fixes, copies, batch: wireBatch(batch) })
    }
    runner.client.send(batch).then(
      () => {
        runner.waiting--
        total.receipted++
        if (latenciesMs.length < LATENCIES_MAX) latenciesMs.push(performance.now() - at)
      },
      (error: Error) => failures.push(error),
    )
    // A copy is nobody's promise: it may be lost with its connection.
    for (let copy = 1; copy < copies; copy++) runner.client.sendBytes(batchBytes(batch)).catch(() => undefined)
  }
}

interface Chain {
  readonly boot: number
  readonly digest: string
}

/** Batches as a device with a key makes them: in the order of their numbers, each naming the one before, and signed. */
function sealed(
  device: DeviceId,
  key: SigningKey,
  sendings: readonly Sending[],
  last: Chain | null,
): { sendings: Sending[]; last: Chain | null } {
  const made = new Map<Sending, Sending>()
  for (const sending of [...sendings].sort((a, b) => a.batch.boot - b.batch.boot || a.batch.seq - b.batch.seq)) {
    const { boot } = sending.batch
    const batch = last?.boot === boot ? { ...sending.batch, prev: last.digest } : sending.batch
    last = { boot, digest: batchDigest(device, batch) }
    made.set(sending, { ...sending, batch: { ...batch, sig: key.signNow(batchContent(device, batch)) } })
  }
  return { sendings: sendings.map((sending) => made.get(sending)!), last }
}

async function connectAll(sim: Simulation, fleet: Fleet, history: WriteStream | null): Promise<Runner[]> {
  const runners: Runner[] = []
  const operatorKeys = sim.cast.operatorKeys.map((key) => Buffer.from(key, 'base64url'))
  for (let i = 0; i < sim.cast.devices.length; i += CONNECTS_AT_ONCE)
    runners.push(
      ...(await Promise.all(
        sim.cast.devices.slice(i, i + CONNECTS_AT_ONCE).map(async (member, j): Promise<Runner> => {
          const { device } = member
          const client = await DeviceClient.connect({
            url: sim.url,
            device,
            token: member.token,
            resendMs: sim.resendMs,
            sendingsMax: sim.sendingsMax,
            operatorKeys: operatorKeys.length > 0 ? operatorKeys : undefined,
            onReceipt: history
              ? ({ boot, upTo, missing }) => write(history, device, { did: 'heard', boot, upTo, missing })
              : undefined,
          })
          const dice = chance(`${sim.cast.seed}/device/${i + j}`)
          const sendings = life(sim, fleet, member, (i + j) % fleet.vehicles.length, dice, (trip) => {
            if (history) write(history, device, trip)
          })
          return { device, client, sendings, waiting: 0, done: false }
        }),
      )),
    )
  return runners
}

/** All that one device sends, day by day, so that a long simulation needs no more memory than a short one. */
function* life(
  sim: Simulation,
  fleet: Fleet,
  member: Cast['devices'][number],
  vehicle: number,
  dice: Chance,
  drove: (line: Record<string, unknown>) => void,
): Iterator<Sending> {
  const skewMs = skewMsOf(sim.trouble, dice)
  const key = signerOf(member)
  let counter: Counter = { boot: sim.boot, seq: 0 }
  let last: Chain | null = null
  const first = sim.until - (sim.until % DAY_MS) - sim.days * DAY_MS
  for (let day = 0; day < sim.days && !sim.stop?.aborted; day++) {
    const from = instant(first + day * DAY_MS)
    const name = new Date(from).toISOString().slice(0, 10)
    const weekday = new Date(from).getUTCDay() % 6 !== 0
    const trips = fleet.trips(vehicle, { name, from, weekday }).filter((trip) => trip.endedAt < sim.until)
    for (const { name: trip, startedAt, endedAt, lengthMm, fixes } of trips)
      drove({ did: 'drove', trip, startedAt, endedAt, lengthMm, fixes: fixes.length, skewMs })
    const made = sendingsOf(trips, counter, sim.fixesPerBatch, sim.trouble, skewMs, dice.fork(name))
    counter = made.next
    if (!key) yield* made.sendings
    else {
      const chained = sealed(member.device, key, made.sendings, last)
      last = chained.last
      yield* chained.sendings
    }
  }
}

const write = (history: WriteStream, device: string, line: Record<string, unknown>): void =>
  void history.write(`${JSON.stringify({ device, ...line })}\n`)
