import { bench, quantile, type Bench } from '../bench'
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
  let grownFrom = 0
  b.measure(
    'fixes_per_s',
    'fixes/s',
    async () => {
      const { seconds } = await rig.run({ kind: 'batches', messages: perDevice, rate: null })
      grownFrom ||= rig.residentMb()
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
  b.fact('rss_growth_mb', 'MB', async () => {
    const before = grownFrom || rig.residentMb()
    for (const end = Date.now() + minutes(b) * 60_000; Date.now() < end;)
      await rig.run({ kind: 'batches', messages: perDevice, rate: (speed / 2 || HALF_LOAD) / FIXES_PER_BATCH })
    return rig.residentMb() - before
  })
})

/** `--long`: ten more minutes at half load, for the memory. */
const minutes = (b: Bench): number => (b.has('long') ? 10 : 0)
