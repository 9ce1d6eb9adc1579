import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Argument, Command, InvalidArgumentError } from 'commander'
import { enrolledSchema, enrolmentContent } from '#contracts'
import { InputError, instant, type AgencyId, type DeviceId, type VehicleId } from '#kernel'
import { signingKeyOf, systemClock } from '#runtime'
import {
  alarmsOf,
  brokerAccounts,
  listDevices,
  ratedVehicleOf,
  revokeDevice,
  saveDevice,
  saveVoucher,
  type Store,
} from '#store'
import { agencyId, deviceId, vehicleId } from './arguments'
import { brokerFiles } from './broker-files'
import { withDatabase } from './database'
import { beforeLeaving } from './leaving'
import { columns, counted, say } from './printed'

/** 256 random bits: only their digest is stored, so this is the one time that they are shown. */
const newSecret = (): string => randomBytes(32).toString('base64url')

const DAY_MS = 86_400_000
const SYNC_EVERY_MS = 5_000

const device = () => new Argument('<id>', '8 to 40 of a-z, 0-9 and -').argParser(deviceId)
const days = (text: string): number => {
  if (!/^\d{1,3}$/.test(text) || +text < 1) throw new InvalidArgumentError('expected 1 to 999')
  return +text
}

/** `roadmeter devices ...`: what sends batches; who may, and with which keys. */
export const devicesCommand = (): Command =>
  new Command('devices')
    .addCommand(
      new Command('add')
        .description('add a device and print its token, once; for a device that exists a new token ends the old one')
        .addArgument(device())
        .requiredOption('--vehicle <id>', 'the vehicle that it sits in', vehicleId)
        .action((id: DeviceId, { vehicle }: { vehicle: VehicleId }) =>
          withDatabase(async (store) => {
            const token = newSecret()
            await knownVehicle(store, vehicle)
            if ((await store.transaction((tx) => saveDevice(tx, { id, vehicle, token }))) === 0) throw taken(id)
            say(`device ${id} in ${vehicle}\nMQTT user name: ${id}\ntoken (shown this once): ${token}`)
          }),
        ),
    )
    .addCommand(
      new Command('voucher')
        .description('print a voucher with which a device brings its own key, once')
        .addArgument(device())
        .requiredOption('--vehicle <id>', 'the vehicle that it sits in', vehicleId)
        .option('--days <n>', 'how long it is good for', days, 7)
        .action((id: DeviceId, given: { vehicle: VehicleId; days: number }) =>
          withDatabase(async (store) => {
            await knownVehicle(store, given.vehicle)
            await sayVoucher(store, { id, vehicle: given.vehicle }, given.days)
          }),
        ),
    )
    .addCommand(
      new Command('rotate')
        .description('print a voucher with which a device that is in replaces its key; what it has signed stays good')
        .addArgument(device())
        .option('--days <n>', 'how long it is good for', days, 7)
        .action((id: DeviceId, given: { days: number }) =>
          withDatabase(async (store) => {
            const { vehicle } = await knownDevice(store, id)
            await sayVoucher(store, { id, vehicle }, given.days)
          }),
        ),
    )
    .addCommand(
      new Command('enrol')
        .description("the device's side: make a key, bring it with the voucher, and keep what comes back")
        .requiredOption('--url <url>', "the api's address")
        .requiredOption('--voucher <voucher>', 'as devices voucher printed it')
        .requiredOption('--to <file>', 'where the key and the token are kept; it must not exist')
        .action(enrol),
    )
    .addCommand(
      new Command('revoke')
        .description('end a device: its token, its keys, and within a minute its connection')
        .addArgument(device())
        .action((id: DeviceId) =>
          withDatabase(async (store) => {
            await knownDevice(store, id)
            await store.transaction((tx) => revokeDevice(tx, id, systemClock.now()))
            say(`device ${id} is revoked: nothing of it is taken in from now on`)
          }),
        ),
    )
    .addCommand(
      new Command('list')
        .description('list devices, with what is known of them')
        .option('--agency <id>', 'those of one agency', agencyId)
        .action(({ agency }: { agency?: AgencyId }) =>
          withDatabase(async (store) => {
            const rows = await store.transaction((tx) => listDevices(tx, agency ?? null))
            if (rows.length === 0) return say('(none)')
            const cells = rows.map((row) => [
              row.id,
              row.vehicle,
              row.state,
              row.signs ? 'signs' : 'by token',
              row.online === null ? '-' : row.online ? 'online' : 'offline',
              row.lastBatchAt === null ? '-' : new Date(row.lastBatchAt).toISOString(),
            ])
            say(columns([['device', 'vehicle', 'state', 'batches', 'says', 'last batch (UTC)'], ...cells]))
          }),
        ),
    )
    .addCommand(
      new Command('alarms')
        .description('what looks like a clone, a forger or a broken device, newest first')
        .addArgument(new Argument('[id]', 'of one device').argParser(deviceId))
        .action((id?: DeviceId) =>
          withDatabase(async (store) => {
            const rows = await store.transaction((tx) => alarmsOf(tx, id ?? null))
            if (rows.length === 0) return say('(none)')
            const cells = rows.map((row) => [
              row.device,
              row.kind,
              String(row.times),
              new Date(row.lastAt).toISOString(),
              row.detail,
            ])
            say(columns([['device', 'kind', 'times', 'last (UTC)', 'detail'], ...cells], [2]))
          }),
        ),
    )
    .addCommand(
      new Command('sync')
        .description("write Mosquitto's password file and access list from the registry")
        .argument('<folder>', 'where `passwords` and `acl` are; lines of names that are no devices stay')
        .option('--pid <file>', "file with Mosquitto's process id: it is told to read them again")
        .option('--watch', 'go on, every five seconds, until stopped')
        .addHelpText(
          'after',
          '\nMosquitto ends the connections of devices that are no longer in its files as it reads them.',
        )
        .action((folder: string, given: { pid?: string; watch?: boolean }) =>
          withDatabase(async (store, { traccarTopic }) => {
            if (!existsSync(folder)) throw new InputError('NO_FOLDER', `there is no folder ${folder}`)
            let going = given.watch === true
            let hasRead = false
            const stay = beforeLeaving(async () => (going = false))
            do {
              const said = await sync(store, folder, traccarTopic)
              // Once in any case: an earlier run may have written and died, or found no broker, before it could tell.
              if (given.pid && (said || !hasRead)) tellToRead(given.pid)
              hasRead = true
              if (said) say(said)
              if (going) await delay(SYNC_EVERY_MS)
            } while (going)
            stay()
          }),
        ),
    )

/** Writes what has changed and says so; null where nothing has. */
async function sync(store: Store, folder: string, traccarTopic: string): Promise<string | null> {
  const accounts = await store.transaction((tx) => brokerAccounts(tx))
  const read = (name: string) => {
    const file = path.join(folder, name)
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  }
  const files = brokerFiles(accounts, { passwords: read('passwords') }, traccarTopic)
  const changed = Object.entries(files).filter(([name, text]) => read(name) !== text)
  for (const [name, text] of changed) {
    const next = path.join(folder, `.${name}.next`)
    // Whole or not at all: Mosquitto may be told to read it at any moment.
    writeFileSync(next, text, { mode: name === 'passwords' ? 0o600 : 0o644 })
    renameSync(next, path.join(folder, name))
  }
  if (changed.length === 0) return null
  return `${counted(accounts.length, 'device')} in ${folder}: ${changed.map(([name]) => name).join(' and ')} written`
}

/** Throws InputError where no broker can be told: what is written is read as it starts, or told of by the next run. */
function tellToRead(pidFile: string): void {
  const pid = existsSync(pidFile) && /^\s*(\d+)\s*$/.exec(readFileSync(pidFile, 'utf8'))?.[1]
  if (!pid) throw new InputError('NO_PID', `${pidFile} holds no process id: the broker was not told`)
  try {
    process.kill(Number(pid), 'SIGHUP')
  } catch (error) {
    throw new InputError('NO_PID', `process ${pid} of ${pidFile} was not told: ${(error as Error).message}`)
  }
}

async function enrol(given: { url: string; voucher: string; to: string }): Promise<void> {
  const seed = randomBytes(32)
  const signing = signingKeyOf(seed)
  const key = Buffer.from(signing.publicKey).toString('base64url')
  if (existsSync(given.to)) throw new InputError('EXISTS', `${given.to} is there already: a key is never overwritten`)
  // The key is safe before it is known to anybody.
  writeFileSync(given.to, JSON.stringify({ seed: seed.toString('base64url') }), { mode: 0o600, flag: 'wx' })
  const content = { voucher: given.voucher, key }
  let answer: Response
  try {
    answer = await fetch(new URL('/v1/enrolments', given.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ v: 1, ...content, sig: signing.signNow(enrolmentContent(content)) }),
    })
  } catch (error) {
    throw new InputError('NO_API', `no api answers at ${given.url}: ${(error as Error).message}`)
  }
  const body = (await answer.json().catch(() => null)) as { title?: string } | null
  if (!answer.ok) throw new InputError('REFUSED', `the enrolment was refused: ${body?.title ?? answer.status}`)
  const enrolled = enrolledSchema.parse(body)
  writeFileSync(given.to, JSON.stringify({ ...enrolled, seed: seed.toString('base64url') }), { mode: 0o600 })
  say(`enrolled as ${enrolled.device}; key and token are in ${given.to}`)
}

async function sayVoucher(store: Store, which: { id: DeviceId; vehicle: VehicleId }, forDays: number): Promise<void> {
  const voucher = newSecret()
  const until = instant(systemClock.now() + forDays * DAY_MS)
  if ((await store.transaction((tx) => saveVoucher(tx, which, voucher, until))) === 0) throw taken(which.id)
  say(
    `voucher for ${which.id} in ${which.vehicle}, good until ${new Date(until).toISOString()} (shown this once): ${voucher}`,
  )
}

const taken = (id: DeviceId) => new InputError('TAKEN', `device ${id} sits in another vehicle`)

async function knownDevice(store: Store, id: DeviceId) {
  const [row] = await store.transaction((tx) => listDevices(tx, null, id))
  if (!row) throw new InputError('NO_DEVICE', `there is no device ${id}: roadmeter devices list`)
  return row
}

async function knownVehicle(store: Store, vehicle: VehicleId): Promise<void> {
  if (!(await store.transaction((tx) => ratedVehicleOf(tx, vehicle))))
    throw new InputError('NO_VEHICLE', `there is no vehicle ${vehicle}: roadmeter vehicle add ${vehicle} ...`)
}
