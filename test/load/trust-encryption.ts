import { promises as fs } from 'node:fs'
import { batchBytes, decodeBatch, type Batch } from '#contracts'
import { instant, type AccountId, type AgencyId, type DeviceId, type Instant, type VehicleId } from '#kernel'
import { Reference, STAGES, type Line, type StageName } from '#pipeline'
import { parsePolicy } from '#policy'
import { KeyRing, readSettings, ToldClock } from '#runtime'
import {
  commitArrivals,
  dataSourceOptions,
  filePolicy,
  openDataSource,
  saveAccount,
  saveAgency,
  saveDevice,
  saveNetwork,
  saveVehicle,
  Store,
  Vault,
  type Arrival,
  type Sealed,
  type Tx,
  type Unsealed,
  type WorkKey,
} from '#store'
import { createHash } from 'node:crypto'
import { elapsedMs, type Bench } from '../bench'
import { copyTemplate, newFolder } from '../databases'
import { driveAlong, MAIN_ROAD, TARIFF } from '../scenarios/roads'

const DEVICES = 20
/** Trips of a device in one round, one after another. */
const TRIPS = 4
const START = instant(Date.parse('2026-10-05T08:00:00Z'))
const DAY_MS = 86_400_000

/** Keeps locations as they are under a key that seals nothing and that nobody asks for: the same rows and transactions, without the vault. */
class OpenVault extends Vault {
  private key: string | null = null

  override async seal(tx: Tx, all: readonly Unsealed[]): Promise<{ key: string; bytes: Buffer }[]> {
    if (all.length === 0) return []
    this.key ??= (await super.seal(tx, [{ ...all[0], bytes: new Uint8Array() }]))[0].key
    return all.map(({ bytes }) => ({ key: this.key!, bytes: Buffer.from(bytes) }))
  }

  override sealAhead(): null {
    return null
  }

  override open(_: Tx, all: readonly Sealed[]): Promise<Uint8Array[]> {
    return Promise.resolve(all.map(({ bytes }) => bytes))
  }
}

/**
 * The line from message to posted charge on an embedded database, with locations sealed and, in turn, on another one with a vault that seals
 * nothing. The road is straight, so that matching hides as little of it as can be: cities cost less of it.
 */
export async function encryption(b: Bench): Promise<void> {
  if (!b.wants('sealed_fixes_per_s', 'open_fixes_per_s', 'encryption_cost_ratio', 'stored_bytes_per_fix')) return
  const [devices, trips] = b.quick ? [2, 1] : [DEVICES, TRIPS]
  const sealed = await city(b, devices, false)
  const open = await city(b, devices, true)
  const perSecond = (one: typeof sealed) => async () => {
    const batches = one.next(trips)
    const fixes = batches.reduce((sum, { batch }) => sum + batch.fixes.length, 0)
    return (1000 * fixes) / (await elapsedMs(() => one.drive(batches)))
  }
  b.measure('sealed_fixes_per_s', 'fixes/s', perSecond(sealed))
  b.measure('open_fixes_per_s', 'fixes/s', perSecond(open))
  // The time that it takes, sealed, for each that it takes open.
  b.ratio('encryption_cost_ratio', 'open_fixes_per_s', 'sealed_fixes_per_s', ['<', 1.15])
  b.fact('stored_bytes_per_fix', 'bytes', () => sealed.bytesPerFix(), ['<', 12])
}

async function city(b: Bench, devices: number, isOpen: boolean) {
  const folder = newFolder()
  await copyTemplate(folder)
  const settings = readSettings({ ROADMETER_DATA: folder, ROADMETER_BACKTEST_THREADS: '0' })
  const source = await openDataSource(await dataSourceOptions(settings), true)
  const ring = new KeyRing(settings)
  const store = new Store(source, isOpen ? new OpenVault(ring) : new Vault(ring))
  b.atEnd(async () => {
    await source.destroy()
    await fs.rm(folder, { recursive: true })
  })
  const agency = 'bench-city' as AgencyId
  const clock = new ToldClock(START)
  const line: Line = { clock, settings, reference: new Reference() }
  const ids = Array.from({ length: devices }, (_, i) => `device-${i}` as DeviceId)
  await store.transaction(async (tx) => {
    await saveAgency(tx, { id: agency, name: 'Bench City' })
    await saveNetwork(tx, agency, MAIN_ROAD, { name: 'bench', activeFrom: instant(0) })
    await filePolicy(tx, agency, parsePolicy(TARIFF), instant(0))
    for (const [i, id] of ids.entries()) {
      const account = `account-${i}` as AccountId
      const vehicle = `vehicle-${i}` as VehicleId
      await saveAccount(tx, { id: account, agency, name: account })
      await saveVehicle(tx, { vehicle, account, name: 'car', vehicleClass: 'car' })
      await saveDevice(tx, { id, vehicle, token: id })
    }
  })
  let day = 0
  let seq = 0
  return {
    /** `trips` more of every device, on a day of their own. */
    next(trips: number): { device: DeviceId; batch: Batch }[] {
      const made: { device: DeviceId; batch: Batch }[] = []
      for (let trip = 0; trip < trips; trip++) {
        const startsAt = instant(START + day * DAY_MS + trip * 3_600_000)
        const batches = driveAlong(`t-${day}-${trip}`, 7.001, 7.099, startsAt, seq)
        seq += batches.length
        for (const batch of batches) for (const device of ids) made.push({ device, batch })
      }
      day++
      clock.advanceTo(Math.max(clock.now(), START + day * DAY_MS) as Instant)
      return made
    },
    async drive(sent: readonly { device: DeviceId; batch: Batch }[]): Promise<void> {
      for (let i = 0; i < sent.length; i += 100)
        await store.transaction((tx) =>
          commitArrivals(tx, sent.slice(i, i + 100).map(arrival(clock)), clock.now(), 'bench'),
        )
      const work: WorkKey[] = ids.map((key) => ({ stage: 'match', key }))
      for (let piece = work.shift(); piece; piece = work.shift()) {
        const { stage, key } = piece
        work.push(...(await store.transaction((tx) => STAGES[stage as StageName].work(tx, [key], line))))
      }
    },
    /** What the inbox keeps of a fix, with the key's number. */
    async bytesPerFix(): Promise<number> {
      const [row] = await store.read<{ bytes: string; fixes: string }>(
        `select sum(pg_column_size(payload) + coalesce(pg_column_size(key), 0)) as bytes, sum(fixes) as fixes from location.batch`,
      )
      return Number(row.bytes) / Number(row.fixes)
    },
  }
}

const arrival =
  (clock: ToldClock) =>
  ({ device, batch }: { device: DeviceId; batch: Batch }): Arrival => {
    const bytes = batchBytes(batch)
    const decoded = decodeBatch(device, bytes, clock.now())
    const contentDigest = decoded.ok ? createHash('sha256').update(decoded.content).digest('hex') : null
    return { device, bytes, decoded, authentic: true, contentDigest }
  }
