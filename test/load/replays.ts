import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Presets, SingleBar } from 'cli-progress'
import mqtt from 'mqtt'
import { batchBytes, type Batch } from '#contracts'
import { type DeviceId } from '#kernel'
import { systemClock } from '#runtime'
import { IngestStand } from './ingest-stand'

// npm run test:replays -- [--times 1000000]: one batch of one device, over and over, through Mosquitto at an ingest process. It must
// be taken once, and each of the others counted and told so. What the HTTP twin does with some thousands: test/security/attacks.spec.ts.

/** Replays on their way: enough that commits are shared, few enough that the broker drops none. */
const WINDOW = 5_000
const QUIET_MS_MAX = 120_000
const DEVICE = { id: 'replayer' as DeviceId, token: 'token' }

interface Counts {
  readonly received: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: number
  readonly kept: number
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { times: { type: 'string', default: '1000000' } } })
  const times = Number(values.times)
  if (!Number.isSafeInteger(times) || times < 1) {
    process.stderr.write(`test:replays: --times: expected a whole number from 1, found ${values.times}\n`)
    process.exitCode = 2
    return
  }
  const stand = await IngestStand.open([DEVICE])
  const bar = new SingleBar(
    { format: '{bar} {value} of {total}, {eta_formatted} left', stream: process.stderr },
    Presets.shades_classic,
  )
  try {
    const client = await mqtt.connectAsync(stand.servers.environment.MQTT_DEVICES_URL, {
      clientId: DEVICE.id,
      username: DEVICE.id,
      password: DEVICE.token,
    })
    let told = 0
    client.on('message', () => told++)
    await client.subscribeAsync(`roadmeter/v1/${DEVICE.id}/receipt`)
    const from = systemClock.now() - 3_600_000
    const fixes = Array.from({ length: 30 }, (_, i) => [from + 1000 * i, 45, 7 + i / 5_000, 4]) as Batch['fixes']
    const bytes = Buffer.from(batchBytes({ v: 1, boot: 1, seq: 0, trip: 'again', event: 'run', fixes }))
    const began = performance.now()
    let [sent, last, heardAt] = [0, 0, performance.now()]
    bar.start(times, 0)
    while (told < times && performance.now() - heardAt < QUIET_MS_MAX) {
      for (; sent < times && sent - told < WINDOW; sent++) client.publish(`roadmeter/v1/${DEVICE.id}/batch`, bytes, { qos: 1 }) // prettier-ignore
      await delay(2)
      if (told > last) [last, heardAt] = [told, performance.now()]
      bar.update(told)
    }
    bar.stop()
    const seconds = (performance.now() - began) / 1000
    await client.endAsync(true)
    const [counts] = await stand.store.read<Counts>(
      `select received::int, accepted::int, duplicate::int, rejected::int, (select count(*)::int from location.batch where device = $1) as kept
       from metering.stream where device = $1`,
      [DEVICE.id],
    )
    process.stdout.write(`${JSON.stringify({ sent, told, seconds: Math.round(seconds), ...counts })}\n`)
    // The broker may hand one over twice: then there is one duplicate more.
    const isRight = counts.accepted === 1 && counts.kept === 1 && counts.rejected === 0 && counts.duplicate >= times - 1
    process.exitCode = isRight ? 0 : 1
  } finally {
    bar.stop()
    await stand.close()
  }
}

void main()
