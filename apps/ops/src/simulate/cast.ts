import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import { deviceIdSchema } from '#contracts'
import { demoCity, type OsmFeatures } from '#fleet'
import {
  InputError,
  instant,
  type AccountId,
  type AgencyId,
  type DeviceId,
  type Instant,
  type VehicleId,
} from '#kernel'
import { buildNetwork, type RoadNetwork } from '#road-network'
import { signingKeyOf, type SigningKey } from '#runtime'
import { enrolDevice, operatorKeys, saveAccount, saveDevice, saveVehicle, saveVoucher, type Store } from '#store'
import { readNetwork } from '../readers'

/** A map of Gothenburg that an npm package carries: what is driven in without a map of one's own. */
const DEMO_MAP = 'geojson-path-finder/test/large-network.json'

export const networkOf = async (file: string | undefined): Promise<RoadNetwork> =>
  file
    ? readNetwork(file)
    : buildNetwork(demoCity(JSON.parse(readFileSync(require.resolve(DEMO_MAP), 'utf8')) as OsmFeatures))

const castSchema = z.strictObject({
  v: z.literal(1),
  seed: z.string(),
  /** By which receipts are known. */
  operatorKeys: z.array(z.string()),
  devices: z.array(
    z.strictObject({ device: deviceIdSchema, vehicle: z.string(), token: z.string(), key: z.string().nullable() }),
  ),
})
/** Who takes part in a simulation: secrets of made-up devices, in a file of their own. */
export type Cast = z.infer<typeof castSchema>

export function readCast(file: string): Cast {
  if (!existsSync(file)) throw new InputError('NO_CAST', `there is no ${file}: roadmeter simulate enrol makes one`)
  const parsed = castSchema.safeParse(
    (() => {
      try {
        return JSON.parse(readFileSync(file, 'utf8')) as unknown
      } catch {
        return null
      }
    })(),
  )
  if (!parsed.success) throw new InputError('CAST', `${file} is no file of roadmeter simulate enrol`)
  return parsed.data
}

export const signerOf = (member: Cast['devices'][number]): SigningKey | null =>
  member.key === null ? null : signingKeyOf(Buffer.from(member.key, 'hex'))

const secret = (...parts: readonly string[]): Buffer => createHash('sha256').update(parts.join('/')).digest()

/**
 * Registers `size` accounts, each with a vehicle and its device, and writes their secrets to a file. Names and secrets come
 * from the seed: the same again changes nothing. Devices that sign come in by voucher, as real ones do.
 */
export async function enrolCast(
  store: Store,
  agency: AgencyId,
  given: { seed: string; size: number; signed: boolean; file: string },
  now: Instant,
): Promise<Cast> {
  const { seed } = given
  const name = `sim-${secret('name', seed).toString('hex').slice(0, 6)}`
  const devices: Cast['devices'] = []
  for (let i = 0; i < given.size; i++) {
    const number = String(i + 1).padStart(5, '0')
    const account = `${name}-${number}` as AccountId
    const vehicle = `${name}-car-${number}` as VehicleId
    const device = `${name}-obe-${number}` as DeviceId
    const token = secret('token', seed, device).toString('base64url')
    const key = given.signed ? secret('key', seed, device) : null
    await store.transaction(async (tx) => {
      if ((await saveAccount(tx, { id: account, agency, name: `Simulated ${i + 1}` })) === 0)
        throw new InputError('TAKEN', `account ${account} is another agency's: give another --seed`)
      await saveVehicle(tx, { vehicle, account, name: 'a simulated car', vehicleClass: 'car' })
      if (!key) return saveDevice(tx, { id: device, vehicle, token })
      const voucher = secret('voucher', seed, device).toString('base64url')
      await saveVoucher(tx, { id: device, vehicle }, voucher, instant(now + 60_000))
      return enrolDevice(tx, { voucher, key: signingKeyOf(key).publicKey, token }, now)
    })
    devices.push({ device, vehicle, token, key: key?.toString('hex') ?? null })
  }
  const keys = await store.transaction((tx) => operatorKeys(tx))
  const cast: Cast = {
    v: 1,
    seed,
    operatorKeys: keys.map(({ key }) => Buffer.from(key).toString('base64url')),
    devices,
  }
  writeFileSync(given.file, JSON.stringify(cast), { mode: 0o600 })
  return cast
}
