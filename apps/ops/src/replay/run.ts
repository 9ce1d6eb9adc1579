import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Batch, type PolicyDocument } from '#contracts'
import { batchesOf } from '#fleet'
import {
  deriveId,
  digest,
  instant,
  type AccountId,
  type AgencyId,
  type DeviceId,
  type Instant,
  type VehicleId,
} from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose, reviewEnd } from '#pipeline'
import { localClock } from '#policy'
import { backlog, filePolicy, saveAccount, saveAgency, saveDevice, saveNetwork, saveVehicle, tripsWhere } from '#store'
import { progress } from '../printed'
import { type Drive, type Suite } from './drives'
import { type RunningLine } from './line'

const FIXES_PER_BATCH = 60
const BATCHES_IN_FLIGHT_MAX = 500
/** How far the told time may run ahead of a batch that has no receipt yet: well below the rest that ends a trip. */
const AHEAD_MS_MAX = 10 * 60_000
const RESEND_MS = 30_000
const POLL_MS = 50
/** Work that has failed this often is not going to succeed. */
const ATTEMPTS_MAX = 5
const STANDSTILL_MS_MAX = 5 * 60_000

/** Who is in a replay: a drive has a vehicle, a device and an account of its own, a network an agency. */
export interface Part {
  readonly suite: Suite
  readonly drive: Drive
  readonly agency: AgencyId
  readonly account: AccountId
  readonly vehicle: VehicleId
  readonly device: DeviceId
  readonly token: string
  readonly batches: readonly Batch[]
}

/** Ids follow from content: the same drives again are the same devices sending the same batches. */
export function castOf(suites: readonly Suite[]): Part[] {
  return suites.flatMap((suite) => {
    const agency = `replay-${suite.network.digest.slice(0, 12)}` as AgencyId
    return suite.drives.map((drive): Part => {
      const key = deriveId('replay', agency, drive.trace, digest(drive.fixes)).slice(0, 20)
      return {
        suite,
        drive,
        agency,
        account: `drive-${key}` as AccountId,
        vehicle: `drive-${key}` as VehicleId,
        device: `drive-${key}` as DeviceId,
        token: randomBytes(32).toString('base64url'),
        batches: batchesOf({ name: wireName(drive.trace), fixes: drive.fixes }, 0, 0, FIXES_PER_BATCH),
      }
    })
  })
}

/** A trace's name as a batch may carry it. */
const wireName = (trace: string): string => trace.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, 64)

/** Makes agencies, networks, policies, accounts, vehicles and devices. */
export async function enroll(line: RunningLine, cast: readonly Part[], policy: PolicyDocument): Promise<void> {
  const bar = progress('setting up')
  const suites = new Map(cast.map((part) => [part.agency, part.suite]))
  let done = 0
  for (const [agency, { name, network }] of suites) {
    bar.to(done++, suites.size)
    await line.store.transaction(async (tx) => {
      await saveAgency(tx, { id: agency, name })
      await saveNetwork(tx, agency, network, { name, activeFrom: instant(0) })
      await filePolicy(tx, agency, policy, instant(0))
      for (const { account, vehicle, device, token, drive } of cast.filter((part) => part.agency === agency)) {
        await saveAccount(tx, { id: account, agency, name: `Driver of ${drive.name}` })
        await saveVehicle(tx, { vehicle, account, name: `Vehicle of ${drive.name}`, vehicleClass: 'car' })
        await saveDevice(tx, { id: device, vehicle, token })
      }
    })
  }
  bar.end()
}

/**
 * Sends every batch over MQTT in the order of time, as its own device, and waits until the line has charged them all. The
 * clock is told the time of each batch as it is sent, so the line sees the drives as it would have seen them live.
 */
export async function sendAll(line: RunningLine, cast: readonly Part[]): Promise<void> {
  const bar = progress('driving')
  const parcels = cast
    .flatMap((part) => {
      let at = part.drive.startsAt
      return part.batches.map((batch) => {
        for (const [fixAt] of batch.fixes) if (fixAt > at) at = instant(fixAt)
        return { part, batch, at }
      })
    })
    .sort((a, b) => a.at - b.at)
  const clients = new Map<DeviceId, Promise<DeviceClient>>()
  const clientOf = ({ device, token }: Part): Promise<DeviceClient> => {
    let client = clients.get(device)
    if (!client) {
      client = DeviceClient.connect({ url: line.mqttUrl, device, token, resendMs: RESEND_MS })
      clients.set(device, client)
    }
    return client
  }
  const inFlight: { at: Instant; done: Promise<unknown> }[] = []
  let arrived = 0
  const arrive = async () => {
    await inFlight.shift()!.done
    bar.to(++arrived, parcels.length)
  }
  try {
    for (const { part, batch, at } of parcels) {
      while (inFlight.length && (inFlight.length >= BATCHES_IN_FLIGHT_MAX || at - inFlight[0].at > AHEAD_MS_MAX))
        await arrive()
      if (at > line.clock.now()) line.clock.advanceTo(at)
      const done = clientOf(part).then((client) => client.send(batch))
      // It is awaited in its turn; until then its failure must not pass for one that nobody looks at.
      done.catch(() => undefined)
      inFlight.push({ at, done })
    }
    while (inFlight.length) await arrive()
    await idle(line)
  } finally {
    bar.end()
    const opened = await Promise.allSettled(clients.values())
    await Promise.all(opened.map((client) => client.status === 'fulfilled' && client.value.close()))
  }
}

/** Waits until the line has nothing left to do; work that keeps failing is an error. */
async function idle(line: RunningLine): Promise<void> {
  let least = Infinity
  let waitedMs = 0
  for (;;) {
    const { pieces } = await line.store.transaction((tx) => backlog(tx))
    if (pieces === 0) return
    waitedMs = pieces < least ? 0 : waitedMs + POLL_MS
    least = Math.min(least, pieces)
    const [stuck] = await line.store.read<{ stage: string; key: string; attempts: number; last_error: string }>(
      'select stage, key, attempts, last_error from metering.work where wanted > done order by attempts desc limit 1',
    )
    if (stuck && (stuck.attempts >= ATTEMPTS_MAX || waitedMs > STANDSTILL_MS_MAX))
      throw new Error(`${stuck.stage} of ${stuck.key} was tried ${stuck.attempts} times: ${stuck.last_error}`)
    await delay(POLL_MS)
  }
}

/** Closes every month that was driven in, in order, as its time comes, and moves on until all are sealed. */
export async function closeMonths(line: RunningLine, cast: readonly Part[], policy: PolicyDocument): Promise<void> {
  const trips = await line.store.transaction((tx) =>
    tripsWhere(tx, 'device = any($1::text[])', [cast.map((part) => part.device)]),
  )
  const agenciesOf = new Map<string, Set<AgencyId>>()
  for (const { agency, month } of trips)
    if (month) agenciesOf.set(month, (agenciesOf.get(month) ?? new Set<AgencyId>()).add(agency))
  const all = [...agenciesOf.values()].reduce((sum, agencies) => sum + agencies.size, 0)
  const bar = progress('closing months')
  const wall = localClock(policy.timeZone)
  for (const [month, agencies] of [...agenciesOf].sort(([a], [b]) => (a < b ? -1 : 1))) {
    for (const agency of agencies) await requestClose(line.store, agency, month)
    const { to } = wall.spanOf(month)
    if (to > line.clock.now()) line.clock.advanceTo(to)
    await reached(line, [...agencies], month, ['drafted', 'sealed'], (done) => bar.to(done, 2 * all))
  }
  line.clock.advanceTo(reviewEnd(policy, line.clock.now()))
  for (const [month, agencies] of agenciesOf)
    await reached(line, [...agencies], month, ['sealed'], (done) => bar.to(all + done, 2 * all))
  bar.end()
}

/** Waits until the month of all these agencies is in one of `states`. */
async function reached(
  line: RunningLine,
  agencies: readonly AgencyId[],
  month: string,
  states: readonly string[],
  told: (done: number) => void,
): Promise<void> {
  let most = -1
  let waitedMs = 0
  for (;;) {
    const [{ count }] = await line.store.read<{ count: string }>(
      'select count(*) from money.period where agency = any($1::text[]) and month = $2 and state = any($3::text[])',
      [agencies, month, states],
    )
    told(Number(count))
    if (Number(count) === agencies.length) return
    waitedMs = Number(count) > most ? 0 : waitedMs + POLL_MS
    most = Math.max(most, Number(count))
    if (waitedMs > STANDSTILL_MS_MAX) await idle(line)
    if (waitedMs > 2 * STANDSTILL_MS_MAX) throw new Error(`${month} does not get ${states[0]}`)
    await delay(POLL_MS)
  }
}
