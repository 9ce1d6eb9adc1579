import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import mqtt from 'mqtt'
import { batchBytes, type Batch } from '#contracts'
import { type AccountId, type AgencyId, type DeviceId, type VehicleId } from '#kernel'
import { systemClock } from '#runtime'
import { saveAccount, saveAgency, saveDevice, saveVehicle } from '#store'
import { openStore } from '../faults/cluster'
import { Servers } from '../faults/servers'
import { freePort, letIn, Process } from '../services/processes'

// npm run test:replays -- [--times 1000000]: one batch of one device, over and over, through Mosquitto at an ingest process. It must
// be taken once, and each of the others counted and told so. What the HTTP twin does with some thousands: test/security/attacks.spec.ts.

/** Replays on their way: enough that commits are shared, few enough that the broker drops none. */
const WINDOW = 5_000
const QUIET_MS_MAX = 120_000
const DEVICE = 'replayer' as DeviceId

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
  const servers = Servers.start('real')
  Object.assign(process.env, servers.environment)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-replays-'))
  const store = await openStore(servers.databaseUrl, folder)
  const [agency, account, vehicle] = ['city' as AgencyId, 'account' as AccountId, 'car' as VehicleId]
  await store.transaction(async (tx) => {
    await saveAgency(tx, { id: agency, name: 'City' })
    await saveAccount(tx, { id: account, agency, name: 'Somebody' })
    await saveVehicle(tx, { vehicle, account, name: 'car', vehicleClass: 'car' })
    await saveDevice(tx, { id: DEVICE, vehicle, token: 'token' })
  })
  await letIn([{ id: DEVICE, token: 'token' }])
  const { DATABASE_URL, MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD } = servers.environment
  const ingest = new Process('ingest', await freePort(), {
    DATABASE_URL,
    MQTT_URL,
    MQTT_USERNAME,
    MQTT_PASSWORD,
    ROADMETER_OPERATOR_KEY: path.join(folder, 'operator.key'),
    ROADMETER_KEY_FILE: path.join(folder, 'location.key'),
    ROADMETER_LOG: 'warn',
  })
  try {
    await ingest.start()
    const client = await mqtt.connectAsync(servers.environment.MQTT_DEVICES_URL, {
      clientId: DEVICE,
      username: DEVICE,
      password: 'token',
    })
    let told = 0
    client.on('message', () => told++)
    await client.subscribeAsync(`roadmeter/v1/${DEVICE}/receipt`)
    const from = systemClock.now() - 3_600_000
    const fixes = Array.from({ length: 30 }, (_, i) => [from + 1000 * i, 45, 7 + i / 5_000, 4]) as Batch['fixes']
    const bytes = Buffer.from(batchBytes({ v: 1, boot: 1, seq: 0, trip: 'again', event: 'run', fixes }))
    const began = performance.now()
    let [sent, last, heardAt] = [0, 0, performance.now()]
    while (told < times && performance.now() - heardAt < QUIET_MS_MAX) {
      for (; sent < times && sent - told < WINDOW; sent++) client.publish(`roadmeter/v1/${DEVICE}/batch`, bytes, { qos: 1 }) // prettier-ignore
      await delay(2)
      if (told > last) [last, heardAt] = [told, performance.now()]
    }
    const seconds = (performance.now() - began) / 1000
    await client.endAsync(true)
    const [counts] = await store.read<Counts>(
      `select received::int, accepted::int, duplicate::int, rejected::int, (select count(*)::int from location.batch where device = $1) as kept
       from metering.stream where device = $1`,
      [DEVICE],
    )
    process.stdout.write(`${JSON.stringify({ sent, told, seconds: Math.round(seconds), ...counts })}\n`)
    // The broker may hand one over twice: then there is one duplicate more.
    const isRight = counts.accepted === 1 && counts.kept === 1 && counts.rejected === 0 && counts.duplicate >= times - 1
    process.exitCode = isRight ? 0 : 1
  } finally {
    await ingest.kill()
    await store.dataSource.destroy()
    servers.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

void main()
