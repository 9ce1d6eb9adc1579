import { once } from 'node:events'
import { resolve } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Matcher, type FixColumns } from '#map-matching'
import { unpackNetwork } from '#road-network'
import type { Suite } from '../../../test/bench/drives'

/** Times that a worker matches all drives for one figure: long against the time in which it is told to. */
const ROUNDS = 3

interface Orders {
  readonly network: SharedArrayBuffer
  readonly drives: readonly FixColumns[]
}

/** Threads that match the same drives at once, on one network in memory that all of them share. */
export class Crew {
  private readonly workers: readonly Worker[]
  private readonly fixes: number

  constructor({ network, drives }: Suite, size: number) {
    const shared = new SharedArrayBuffer(network.bytes.length)
    new Uint8Array(shared).set(network.bytes)
    const orders: Orders = { network: shared, drives }
    this.fixes = ROUNDS * drives.reduce((sum, { length }) => sum + length, 0)
    this.workers = Array.from(
      { length: size },
      () => new Worker(resolve(__dirname, '../../../infra/bench.cjs'), { argv: [__filename], workerData: orders }),
    )
  }

  /** Fixes that the first `count` workers match a second, together. */
  async fixesPerSecond(count: number): Promise<number> {
    const working = this.workers.slice(0, count)
    const begun = performance.now()
    await Promise.all(
      working.map((worker) => {
        const done = once(worker, 'message')
        worker.postMessage('match')
        return done
      }),
    )
    return (1000 * count * this.fixes) / (performance.now() - begun)
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }
}

if (!isMainThread) {
  const { network, drives } = workerData as Orders
  const matcher = new Matcher(unpackNetwork(new Uint8Array(network)))
  parentPort!.on('message', () => {
    for (let round = 0; round < ROUNDS; round++) for (const drive of drives) matcher.match(drive)
    parentPort!.postMessage('done')
  })
}
