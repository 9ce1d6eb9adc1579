import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Digest } from '#kernel'
import { addSums, noComparison } from '#rating'
import { type BacktestSums } from '#store'
import { Rerating, type Rerated, type RerateTrip } from './rerating'
import { type ToThread } from './rerating-thread'

const THREAD = path.join(__dirname, 'rerating-thread.js')

/** Rates pages of trips again, on threads of its own or, with none, in this one. Close it when the last page is done. */
export class ReratingThreads {
  private readonly here: Rerating | null
  private readonly threads: Worker[]
  private readonly networks = new Set<Digest>()

  constructor(what: Rerated, threads: number) {
    this.here = threads === 0 ? new Rerating(what) : null
    this.threads = Array.from({ length: threads }, () => new Worker(THREAD, { workerData: what }))
    // A process that has nothing else to do may end: what is not saved is rated again.
    for (const thread of this.threads) thread.unref()
  }

  knows(network: Digest): boolean {
    return this.networks.has(network)
  }

  /** All threads read one copy of a network. */
  learn(network: Digest, packed: Uint8Array): void {
    this.networks.add(network)
    if (this.here) return this.here.learn(network, packed)
    const shared = new Uint8Array(new SharedArrayBuffer(packed.byteLength))
    shared.set(packed)
    for (const thread of this.threads) thread.postMessage({ network, packed: shared } satisfies ToThread)
  }

  /** `trips` are those of whole accounts, by account and time. Rejects where a thread fails. */
  async rate(trips: readonly RerateTrip[]): Promise<BacktestSums> {
    if (this.here) return this.here.rate(trips)
    const shares = sharesOf(trips, this.threads.length)
    const parts = await Promise.all(shares.map((share, i) => this.ask(this.threads[i], share)))
    const comparison = noComparison()
    let [recomputed, booked, gone] = [0n, 0n, 0]
    for (const part of parts) {
      addSums(comparison, part.comparison)
      recomputed += BigInt(part.recomputed)
      booked += BigInt(part.booked)
      gone += part.gone
    }
    return { comparison, recomputed: String(recomputed), booked: String(booked), gone }
  }

  private ask(thread: Worker, trips: readonly RerateTrip[]): Promise<BacktestSums> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        thread.off('message', onMessage)
        thread.off('error', onError)
        thread.off('exit', onExit)
      }
      const onMessage = (sums: BacktestSums) => {
        settle()
        resolve(sums)
      }
      const onError = (error: Error) => {
        settle()
        reject(error)
      }
      const onExit = () => onError(new Error('a thread ended before its page was done'))
      thread.on('exit', onExit)
      thread.on('message', onMessage)
      thread.on('error', onError)
      thread.postMessage({ trips } satisfies ToThread)
    })
  }

  close(): void {
    for (const thread of this.threads) void thread.terminate()
  }
}

/** Backtests under way keep their threads from page to page: making them and learning a network takes longer than a page. */
export class Reratings {
  private readonly threads = new Map<string, ReratingThreads>()

  of(id: string, what: Rerated, threads: number): ReratingThreads {
    let known = this.threads.get(id)
    if (!known) {
      // One that somebody else has finished is never done here: the oldest makes room, and is made anew where it is needed.
      const [oldest] = this.threads.keys()
      if (this.threads.size >= BACKTESTS_MAX) this.done(oldest)
      this.threads.set(id, (known = new ReratingThreads(what, threads)))
    }
    return known
  }

  done(id: string): void {
    this.threads.get(id)?.close()
    this.threads.delete(id)
  }
}
const BACKTESTS_MAX = 4

/** Trips in shares of about the same size, each of whole accounts. */
function sharesOf(trips: readonly RerateTrip[], shares: number): RerateTrip[][] {
  const parts: RerateTrip[][] = []
  const size = Math.ceil(trips.length / shares)
  let part: RerateTrip[] = []
  trips.forEach((trip, i) => {
    if (part.length >= size && trip.account !== trips[i - 1].account) {
      parts.push(part)
      part = []
    }
    part.push(trip)
  })
  return part.length > 0 ? [...parts, part] : parts
}
