import { RECEIVER, SOME_TROUBLE } from '#fleet'
import { instant } from '#kernel'
import { networkOf, readCast } from '../../apps/ops/src/simulate/cast'
import { simulate } from '../../apps/ops/src/simulate/drive'

/** What a process that drives a fleet is told: on its command line, as JSON. */
export interface LoadOrder {
  readonly cast: string
  readonly url: string
  readonly days: number
  readonly until: number
  readonly rate: number
  readonly history: string
}

// A fleet in a process of its own, until its parent says that it is enough; every device then ends its day and waits for its
// receipts.
async function main(): Promise<void> {
  const order = JSON.parse(process.argv[2]) as LoadOrder
  const stop = new AbortController()
  process.on('message', () => stop.abort())
  let drives = false
  const progress = (sent: number) => {
    if (sent > 0 && !drives) process.send!('driving')
    drives ||= sent > 0
  }
  const sim = {
    cast: readCast(order.cast),
    network: await networkOf(undefined),
    receiver: RECEIVER,
    trouble: SOME_TROUBLE,
    url: order.url,
    days: order.days,
    until: instant(order.until),
    fixesPerBatch: 60,
    boot: 1,
    rate: order.rate,
    drivers: Infinity,
    secondsMax: Infinity,
    history: order.history,
    resendMs: 1_000,
    // A broker that is killed as soon as it is up takes many; who waits for the end of the run gives up in time.
    sendingsMax: Infinity,
    stop: stop.signal,
  }
  const result = await simulate(sim, progress)
  process.send!(result)
  process.disconnect()
}

main().catch((error: Error) => {
  process.stderr.write(`the fleet: ${error.stack}\n`)
  process.exit(1)
})
