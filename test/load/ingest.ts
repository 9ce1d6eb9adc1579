import { bench, median, quantile, type Bench } from '../bench'
import { FIXES_PER_BATCH, Rig } from './ingest-rig'

// From MQTT to the durable inbox: devices -> Mosquitto -> one ingest process -> PostgreSQL -> receipts, all on this machine.
// Beside it, in the same rounds, the obvious way: a message for each fix and a save() for each message.

/** Where nothing was measured before. */
const HALF_LOAD = 50_000

bench('ingest', 'fixes from MQTT to the durable inbox, with Mosquitto and PostgreSQL on this machine', async (b) => {
  const devices = b.quick ? 10 : 100
  const perDevice = b.quick ? 10 : 80
  const rig = await Rig.open(devices, perDevice)
  b.atEnd(() => rig.close())

  let speed = 0
  b.measure(
    'fixes_per_s',
    'fixes/s',
    async () => {
      const { seconds } = await rig.run({ kind: 'batches', messages: perDevice, rate: null })
      return (speed = (devices * perDevice * FIXES_PER_BATCH) / seconds)
    },
    ['>=', 100_000],
  )
  b.measure('naive_fixes_per_s', 'fixes/s', () => rig.naive(b.quick ? 5 : 60))
  b.ratio('ratio_to_naive', 'fixes_per_s', 'naive_fixes_per_s', ['>=', 50])
  b.measure(
    'receipt_p99_ms',
    'ms at half load',
    async () => {
      const rate = (speed / 2 || HALF_LOAD) / FIXES_PER_BATCH
      const { latenciesMs } = await rig.run({ kind: 'batches', messages: perDevice, rate })
      return quantile(latenciesMs, 0.99)
    },
    ['<', 250],
  )
  b.fact('bytes_per_fix', 'bytes on disk', () => rig.bytesPerFix(), ['<', 12])
  b.fact('rss_growth_mb', 'MB', () => growth(rig, perDevice, (speed / 2 || HALF_LOAD) / FIXES_PER_BATCH, b))
})

/**
 * Megabytes that the ingest process holds more at the end of ten minutes at half load than in the first of them (`--long`; else a look of
 * some seconds, in which it may still be warming up). Medians of a window each: its garbage comes and goes.
 */
async function growth(rig: Rig, messages: number, rate: number, b: Bench): Promise<number> {
  const [warmUpMs, windowMs, wholeMs] = b.has('long')
    ? [60_000, 60_000, 600_000]
    : b.quick
      ? [0, 1, 2]
      : [5_000, 5_000, 15_000]
  const begun = performance.now()
  const seen: { atMs: number; mb: number }[] = []
  const watch = setInterval(() => seen.push({ atMs: performance.now() - begun - warmUpMs, mb: rig.residentMb() }), 250)
  try {
    while (performance.now() - begun < warmUpMs + wholeMs) await rig.run({ kind: 'batches', messages, rate })
  } finally {
    clearInterval(watch)
  }
  const between = (from: number, to: number) =>
    median(seen.flatMap(({ atMs, mb }) => (from <= atMs && atMs < to ? [mb] : [])))
  // Whether it levels off or goes on is seen in between.
  for (let from = 0; from < wholeMs && !b.quick; from += windowMs)
    process.stderr.write(`from second ${from / 1000} on: ${between(from, from + windowMs).toFixed(1)} MB\n`)
  return b.quick ? 0 : between(wholeMs - windowMs, wholeMs) - between(0, windowMs)
}
