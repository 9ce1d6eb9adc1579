import { createHash, pbkdf2Sync } from 'node:crypto'
import { FIX_AGE_MS_MAX } from '#contracts'
import { digest, instant, type DeviceId, type Digest, type Instant, type VehicleId } from '#kernel'
import { type AlarmKind } from './fates'
import { type Tx } from './store'

/** Only the digest of a token is kept. Tokens have 256 random bits, so that a plain SHA-256 can't be searched. */
export const tokenDigest = (token: string): Digest => digest(['token', token])

/**
 * A token as Mosquitto keeps it in its password file (`$7$`: PBKDF2 with SHA-512, 101 rounds as mosquitto_passwd 2.0 makes
 * them). The salt is derived: nothing is gained by searching 256 random bits, salted or not.
 */
export function brokerPassword(device: DeviceId, token: string): string {
  const salt = createHash('sha256').update(`${device}/${token}`).digest().subarray(0, 12)
  return `$7$101$${salt.toString('base64')}$${pbkdf2Sync(token, salt, 101, 64, 'sha512').toString('base64')}`
}

/** What signing in needs. 0 where the device sits in another vehicle. A new token ends the old one; a revoked device is back. */
export const saveDevice = (tx: Tx, device: { id: DeviceId; vehicle: VehicleId; token: string }): Promise<number> =>
  tx.run(
    `insert into metering.device (id, vehicle, token_digest, broker_password) values ($1, $2, $3, $4)
     on conflict (id) do update set token_digest = excluded.token_digest, broker_password = excluded.broker_password, revoked_at = null,
       changed_at = case when device.token_digest = excluded.token_digest and device.revoked_at is null then device.changed_at else clock_timestamp() end
     where device.vehicle = excluded.vehicle`,
    [device.id, device.vehicle, tokenDigest(device.token), brokerPassword(device.id, device.token)],
  )

/**
 * Promises a device's place to whoever comes with the voucher first, until `until`. What the device signs in with today stays
 * as it is until then. 0 where the device sits in another vehicle.
 */
export const saveVoucher = (
  tx: Tx,
  device: { id: DeviceId; vehicle: VehicleId },
  voucher: string,
  until: Instant,
): Promise<number> =>
  tx.run(
    `insert into metering.device (id, vehicle, voucher_digest, voucher_until) values ($1, $2, $3, $4)
     on conflict (id) do update set voucher_digest = excluded.voucher_digest, voucher_until = excluded.voucher_until, voucher_key = null
     where device.vehicle = excluded.vehicle`,
    [device.id, device.vehicle, tokenDigest(voucher), until],
  )

/**
 * Takes a device's key in, against its voucher. The voucher is spent by the first key; the same key may come again until it
 * runs out, because an answer can be lost. Batches that wait on the device, signed by its former key, are good for as long as
 * their fixes may be. Returns the device, or null where the voucher is not known, spent or over.
 */
export async function enrolDevice(
  tx: Tx,
  given: { voucher: string; key: Uint8Array; token: string },
  now: Instant,
): Promise<DeviceId | null> {
  const row = await tx.row<{ id: DeviceId; revoked: boolean }>(
    `update metering.device set voucher_key = $2 where voucher_digest = $1 and voucher_until > $3 and (voucher_key is null or voucher_key = $2)
     returning id, revoked_at is not null as revoked`,
    [tokenDigest(given.voucher), given.key, now],
  )
  if (!row) return null
  await tx.run(
    `update metering.device_key set until_at = $3 where device = $1 and key <> $2 and (until_at is null or until_at > $3)`,
    [row.id, given.key, row.revoked ? now : now + FIX_AGE_MS_MAX],
  )
  await tx.run(
    `insert into metering.device_key (device, key, from_at) values ($1, $2, $3) on conflict (device, key) do update set until_at = null`,
    [row.id, given.key, now],
  )
  await tx.run(
    `update metering.device set token_digest = $2, broker_password = $3, revoked_at = null, changed_at = clock_timestamp() where id = $1`,
    [row.id, tokenDigest(given.token), brokerPassword(row.id, given.token)],
  )
  return row.id
}

/** Ends a device: its token, its keys, its voucher. Nothing of it is taken in any more from this commit on. */
export async function revokeDevice(tx: Tx, device: DeviceId, now: Instant): Promise<boolean> {
  await tx.run(
    `update metering.device_key set until_at = $2 where device = $1 and (until_at is null or until_at > $2)`,
    [device, now],
  )
  return (
    (await tx.run(
      `update metering.device set revoked_at = coalesce(revoked_at, $2), token_digest = null, broker_password = null, voucher_digest = null,
         changed_at = clock_timestamp() where id = $1`,
      [device, now],
    )) === 1
  )
}

export const isDeviceToken = async (tx: Tx, device: string, token: string): Promise<boolean> =>
  (await admitDevice(tx, device, token)) !== null

/**
 * The version of the credentials that a device signed in under, or null where the token isn't its. Once it is another, its
 * sessions have to end. `token` null: somebody else has seen to it that this is the device (its certificate).
 */
export const admitDevice = async (tx: Tx, device: string, token: string | null): Promise<string | null> =>
  (
    await tx.row<{ version: string }>(
      `select changed_at::text as version from metering.device where id = $1 and revoked_at is null and ($2::text is null or token_digest = $2)`,
      [device, token === null ? null : tokenDigest(token)],
    )
  )?.version ?? null

/** The present version of the credentials of each of these devices that is not revoked. */
export async function deviceVersions(tx: Tx, devices: readonly DeviceId[]): Promise<Map<DeviceId, string>> {
  if (devices.length === 0) return new Map()
  const rows = await tx.rows<{ id: DeviceId; version: string }>(
    `select id, changed_at::text as version from metering.device where id = any($1::text[]) and revoked_at is null`,
    [devices],
  )
  return new Map(rows.map((row) => [row.id, row.version]))
}

/** The keys that a device's batches may be signed with. A device that ever had one must sign. */
export interface DeviceKeys {
  readonly mustSign: boolean
  readonly keys: readonly Uint8Array[]
}

export async function deviceKeys(
  tx: Tx,
  devices: readonly DeviceId[],
  now: Instant,
): Promise<Map<DeviceId, DeviceKeys>> {
  const rows = await tx.rows<{ device: DeviceId; key: Uint8Array; good: boolean }>(
    `select device, key, until_at is null or until_at > $2 as good from metering.device_key where device = any($1::text[]) order by device, from_at desc`,
    [devices, now],
  )
  const all = new Map<DeviceId, { mustSign: boolean; keys: Uint8Array[] }>(
    devices.map((device) => [device, { mustSign: false, keys: [] }]),
  )
  for (const { device, key, good } of rows) {
    const its = all.get(device)!
    its.mustSign = true
    if (good) its.keys.push(key)
  }
  return all
}

/** A device as it is listed. */
export interface DeviceRow {
  readonly id: DeviceId
  readonly vehicle: VehicleId
  readonly agency: string
  readonly state: 'active' | 'invited' | 'revoked'
  readonly signs: boolean
  readonly online: boolean | null
  readonly lastBatchAt: Instant | null
}

export async function listDevices(tx: Tx, agency: string | null, device: DeviceId | null = null): Promise<DeviceRow[]> {
  const rows = await tx.rows<Omit<DeviceRow, 'lastBatchAt'> & { lastBatchAt: string | null }>(
    `select d.id, d.vehicle, a.agency, case when d.revoked_at is not null then 'revoked' when d.token_digest is null then 'invited' else 'active' end as state,
       exists (select 1 from metering.device_key k where k.device = d.id) as signs, p.online,
       coalesce((select b.received_at from location.batch b where b.device = d.id order by boot desc, seq desc limit 1),
         -- what it sent was destroyed since
         (select max(t.matched_at) from metering.trip t where t.device = d.id)) as "lastBatchAt"
     from metering.device d join metering.vehicle v on v.id = d.vehicle join metering.account a on a.id = v.account
       left join metering.device_presence p on p.device = d.id
     where ($1::text is null or a.agency = $1) and ($2::text is null or d.id = $2) order by d.id`,
    [agency, device],
  )
  return rows.map((row) => ({
    ...row,
    lastBatchAt: row.lastBatchAt === null ? null : instant(Number(row.lastBatchAt)),
  }))
}

/** Who may sign in at a broker that keeps its own list: devices that are not revoked; by token where there is a password. */
export const brokerAccounts = (tx: Tx): Promise<{ id: DeviceId; password: string | null }[]> =>
  tx.rows(
    `select id, broker_password as password from metering.device where revoked_at is null and token_digest is not null order by id`,
  )

/** Records what an operator should look at, once a device and kind, with how often and when. Sorted: no circles of locks. */
export async function raiseAlarms(
  tx: Tx,
  alarms: readonly { device: DeviceId; kind: AlarmKind; detail: string }[],
  now: Instant,
): Promise<void> {
  const byKey = new Map<string, { device: DeviceId; kind: AlarmKind; detail: string; times: number }>()
  for (const alarm of alarms) {
    const key = `${alarm.device}/${alarm.kind}`
    byKey.set(key, { ...alarm, times: (byKey.get(key)?.times ?? 0) + 1 })
  }
  if (byKey.size === 0) return
  const all = [...byKey.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, alarm]) => alarm)
  await tx.run(
    `insert into metering.device_alarm (device, kind, first_at, last_at, times, detail)
     select device, kind, $5, $5, times, detail from unnest($1::text[], $2::text[], $3::int8[], $4::text[]) as new(device, kind, times, detail)
     on conflict (device, kind) do update set last_at = excluded.last_at, times = device_alarm.times + excluded.times, detail = excluded.detail`,
    [
      all.map((alarm) => alarm.device),
      all.map((alarm) => alarm.kind),
      all.map((alarm) => alarm.times),
      all.map((alarm) => alarm.detail.slice(0, 300).replaceAll('\0', '\uFFFD')),
      now,
    ],
  )
}

export interface AlarmRow {
  readonly device: DeviceId
  readonly kind: AlarmKind
  readonly firstAt: Instant
  readonly lastAt: Instant
  readonly times: number
  readonly detail: string
}

export const alarmsOf = async (tx: Tx, device: DeviceId | null): Promise<AlarmRow[]> =>
  (
    await tx.rows<Record<keyof AlarmRow, string>>(
      `select device, kind, first_at as "firstAt", last_at as "lastAt", times, detail from metering.device_alarm
       where $1::text is null or device = $1 order by last_at desc, device, kind limit 1000`,
      [device],
    )
  ).map((row) => ({
    device: row.device as DeviceId,
    kind: row.kind as AlarmKind,
    firstAt: instant(Number(row.firstAt)),
    lastAt: instant(Number(row.lastAt)),
    times: Number(row.times),
    detail: row.detail,
  }))

/** Devices with an alarm since then, by its kind; a kind without any is there with 0. */
export async function alarmedDevices(tx: Tx, since: Instant): Promise<Record<AlarmKind, number>> {
  const counts = { KEY_REUSE: 0, CLONE: 0, CHAIN: 0, SIGNATURE: 0, SESSIONS: 0 }
  const rows = await tx.rows<{ kind: AlarmKind; n: string }>(
    'select kind, count(*) as n from metering.device_alarm where last_at >= $1 group by kind',
    [since],
  )
  for (const { kind, n } of rows) counts[kind] = Number(n)
  return counts
}

/** Comings and goings of a device within FLAP_MS that no bad road explains: somebody else signs in as it. */
const FLAPS_MAX = 6
const FLAP_MS = 60_000

/** What a device, or its will, last said of itself. Raises an alarm where it comes and goes as two devices in one would. */
export async function savePresence(tx: Tx, device: DeviceId, online: boolean, now: Instant): Promise<void> {
  const row = await tx.row<{ flaps: number }>(
    `insert into metering.device_presence as p (device, online, since, heard_at, flaps_from) select id, $2, $3, $3, $3 from metering.device where id = $1
     on conflict (device) do update set since = case when p.online = excluded.online then p.since else excluded.since end,
       flaps = case when p.flaps_from < $3::int8 - $4::int8 then 0 else p.flaps + (p.online <> excluded.online)::int end,
       flaps_from = case when p.flaps_from < $3::int8 - $4::int8 then excluded.flaps_from else p.flaps_from end,
       online = excluded.online, heard_at = excluded.heard_at
     returning p.flaps`,
    [device, online, now, FLAP_MS],
  )
  if (row?.flaps === FLAPS_MAX)
    await raiseAlarms(
      tx,
      [{ device, kind: 'SESSIONS', detail: 'it came and went again and again within a minute' }],
      now,
    )
}

/** Makes the public part of a key of ours known, so that receipts can be checked when it has been replaced, too. */
export const saveOperatorKey = (tx: Tx, key: Uint8Array, now: Instant): Promise<number> =>
  tx.run(`insert into metering.operator_key (key, added_at) values ($1, $2) on conflict do nothing`, [key, now])

export const operatorKeys = async (tx: Tx): Promise<{ key: Uint8Array; addedAt: Instant }[]> =>
  (
    await tx.rows<{ key: Uint8Array; added_at: string }>(
      'select key, added_at from metering.operator_key order by added_at, key',
    )
  ).map((row) => ({ key: row.key, addedAt: instant(Number(row.added_at)) }))

/** A device whose credentials have changed. */
export interface DeviceChange {
  readonly id: DeviceId
  readonly changedAt: string
  readonly revoked: boolean
  readonly signs: boolean
}

/**
 * Devices in the order in which their credentials changed, from behind `after` on. The last second is left for the next
 * look: a change that began earlier may commit later.
 */
export const changedDevices = (
  tx: Tx,
  after: Pick<DeviceChange, 'changedAt' | 'id'> | null,
  most: number,
): Promise<DeviceChange[]> =>
  tx.rows(
    `select id, changed_at::text as "changedAt", revoked_at is not null as revoked, exists (select 1 from metering.device_key k where k.device = d.id) as signs
     from metering.device d where ($1::timestamptz is null or (changed_at, id) > ($1, $2)) and changed_at < clock_timestamp() - interval '1 second'
     order by changed_at, id limit $3`,
    [after?.changedAt ?? null, after?.id ?? null, most],
  )
