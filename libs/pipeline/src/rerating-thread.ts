import { parentPort, workerData } from 'node:worker_threads'
import { Rerating, type Rerated, type RerateTrip } from './rerating'
import { type Digest } from '#kernel'

/** What a thread is handed: a network once, before the first trips that were matched on it, and pages of trips. */
export type ToThread =
  { readonly network: Digest; readonly packed: Uint8Array } | { readonly trips: readonly RerateTrip[] }

const rerating = new Rerating(workerData as Rerated)
parentPort?.on('message', (message: ToThread) => {
  if ('packed' in message) rerating.learn(message.network, message.packed)
  else parentPort!.postMessage(rerating.rate(message.trips))
})
