import { resolve } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import type { PolicyDocument } from '#contracts'
import { chance, instant, micros, type AccountId, type Digest, type TripId, type VehicleId } from '#kernel'
import type { Traversal } from '#map-matching'
import { unpackNetwork, type RoadNetwork } from '#road-network'
import { Rerating, type RerateTrip } from '../../pipeline/src/rerating'

/** Stretches of a trip. */
const SEGMENTS = 20
const TRIPS_PER_ACCOUNT = 50
/** Trips that differ; they come again under other names. */
const DIFFERENT = 2_000

export interface Orders {
  readonly network: SharedArrayBuffer
  readonly published: PolicyDocument
  readonly draft: PolicyDocument
  readonly seed: string
}

/** Threads that rate trips again under a draft, as the backtest of the pipeline does. */
export class Crew {
  private readonly workers: readonly Worker[]

  constructor(orders: Orders, size: number) {
    this.workers = Array.from(
      { length: size },
      (_, i) =>
        new Worker(resolve('infra/bench.cjs'), {
          argv: [__filename],
          workerData: { ...orders, seed: `${orders.seed}/${i}` },
        }),
    )
  }

  /** Rates `trips` again, shared out evenly; resolves with the most bytes that the process held. */
  async rate(trips: number): Promise<number> {
    let most = 0
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 50)
    await Promise.all(
      this.workers.map(
        (worker) =>
          new Promise<void>((done, fail) => {
            worker.once('message', done)
            worker.once('error', fail)
            worker.postMessage(Math.round(trips / this.workers.length))
          }),
      ),
    )
    clearInterval(watch)
    return Math.max(most, process.memoryUsage().rss)
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }
}

interface Way {
  readonly path: string
  readonly startedAt: number
  readonly endedAt: number
}

/** The ways of trips within four weeks, as matches are stored: random walks from crossing to crossing. */
function someWays(network: RoadNetwork, count: number, seed: string, from: number): Way[] {
  const dice = chance(seed)
  return Array.from({ length: count }, (_, n) => {
    const startedAt = from + (n % 28) * 86_400_000 + (n % 24) * 3_600_000
    const traversals: Traversal[] = []
    let segment = dice.below(network.segmentCount)
    let at = startedAt
    for (let k = 0; k < SEGMENTS; k++) {
      const toMm = network.lengthMm(segment)
      const ms = Math.round(toMm / 12)
      traversals.push({
        segment,
        fromMm: 0,
        toMm,
        enteredAt: instant(at),
        leftAt: instant(at + ms),
        fixes: 10,
        inferred: false,
        confidence: 1000,
      } as Traversal)
      at += ms
      const next = network.outgoing(network.to(segment)).filter((s) => s !== network.reverse(segment))
      segment = next.length ? dice.pick(next) : network.reverse(segment)
      if (segment < 0) break
    }
    const fates = { matched: 10 * traversals.length }
    return { path: JSON.stringify({ traversals, fates, breaks: 0 }), startedAt, endedAt: at }
  })
}

if (!isMainThread) {
  const { network: packed, published, draft, seed } = workerData as Orders
  const bytes = new Uint8Array(packed)
  const network = unpackNetwork(bytes)
  const rating = new Rerating({ published: [published], draft })
  rating.learn(network.digest, bytes)
  const ways = someWays(network, DIFFERENT, seed, Date.parse(published.startsAt))
  let named = 0
  parentPort!.on('message', (trips: number) => {
    for (let done = 0; done < trips; done += 500) {
      const page = Array.from({ length: Math.min(500, trips - done) }, (): RerateTrip => {
        const n = named++
        const { path, startedAt, endedAt } = ways[n % DIFFERENT]
        const vehicle = `v${Math.floor(n / TRIPS_PER_ACCOUNT)}` as VehicleId
        return {
          trip: `t${n}` as TripId,
          account: vehicle as string as AccountId,
          vehicle,
          rated: { vehicle, vehicleClass: 'car' },
          startedAt: instant(startedAt),
          endedAt: instant(endedAt),
          network: network.digest as Digest,
          engine: 'bench',
          path,
          booked: micros(0n),
        }
      })
      rating.rate(page)
    }
    parentPort!.postMessage('done')
  })
}
