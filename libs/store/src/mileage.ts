import { type Method, type ReadingSource, type Signal } from '#contracts'
import {
  deriveId,
  digest,
  instant,
  millimetres,
  type AccountId,
  type AgencyId,
  type DeviceId,
  type Instant,
  type TripId,
  type VehicleId,
} from '#kernel'
import {
  type MethodChoice,
  type Reading,
  type Replacement,
  type TripDistances,
  type VehicleFacts,
  type Verdict,
} from '#mileage'
import { saveFates, type Fates } from './location'
import { saveSignals } from './reviews'
import { type Tx } from './store'
import { type Sealed } from './vault'

/** A vehicle and the time for which its account has it, [fromAt, untilAt). */
export interface HeldVehicle {
  readonly vehicle: VehicleId
  readonly account: AccountId
  readonly agency: AgencyId
  readonly name: string
  readonly fromAt: Instant | null
  readonly untilAt: Instant | null
}

/** For the room's other files. */
export const HELD_VEHICLE = `select v.id as vehicle, v.account, a.agency, v.name, v.from_at as "fromAt", v.until_at as "untilAt"
  from metering.vehicle v join metering.account a on a.id = v.account`
export const heldVehicle = (row: HeldVehicle): HeldVehicle => ({
  ...row,
  fromAt: moment(row.fromAt),
  untilAt: moment(row.untilAt),
})
const moment = (value: Instant | string | null): Instant | null => (value === null ? null : instant(Number(value)))

/** One at a time adds facts to a vehicle, or settles its accounts. null where there is no such vehicle. */
export async function lockVehicle(tx: Tx, vehicle: VehicleId): Promise<HeldVehicle | null> {
  await tx.run(`select pg_advisory_xact_lock(hashtextextended('vehicle/' || $1, 0))`, [vehicle])
  return vehicleById(tx, vehicle)
}

export const vehicleById = async (tx: Tx, vehicle: VehicleId): Promise<HeldVehicle | null> => {
  const row = await tx.row<HeldVehicle>(`${HELD_VEHICLE} where v.id = $1`, [vehicle])
  return row && heldVehicle(row)
}

export const heldVehiclesOf = async (tx: Tx, account: AccountId): Promise<HeldVehicle[]> =>
  (await tx.rows<HeldVehicle>(`${HELD_VEHICLE} where v.account = $1 order by v.id`, [account])).map(heldVehicle)

export const agencyOf = async (tx: Tx, account: AccountId): Promise<AgencyId | null> =>
  (await tx.row<{ agency: AgencyId }>(`select agency from metering.account where id = $1`, [account]))?.agency ?? null

/** When the last trip of a vehicle that is matched began. */
export const lastTripAt = async (tx: Tx, vehicle: VehicleId): Promise<Instant | null> =>
  moment(
    (await tx.row<{ at: string | null }>(`select max(started_at) as at from metering.trip_mileage where vehicle = $1`, [
      vehicle,
    ]))!.at,
  )

/** A reading as it is kept: who entered it, and the digest of its photo. */
export interface ReadingRow extends Reading {
  readonly id: string
  readonly photo: string | null
  readonly enteredBy: string
}

/** Adds readings of one vehicle, each once, and tells how many are new. */
export async function saveReadings(
  tx: Tx,
  vehicle: VehicleId,
  readings: readonly (Reading & { readonly photo?: string | null })[],
  enteredBy: string,
  now: Instant,
): Promise<number> {
  if (readings.length === 0) return 0
  const added = await tx.run(
    `insert into metering.odometer_reading (id, vehicle, at, mm, source, photo, entered_by, recorded_at)
     select id, $1, at, mm, source, photo, $2, $3 from unnest($4::text[], $5::int8[], $6::int8[], $7::text[], $8::text[]) as new(id, at, mm, source, photo)
     order by id on conflict (id) do nothing`,
    [
      vehicle,
      enteredBy,
      now,
      readings.map((r) => deriveId('reading', vehicle, r.at, r.mm, r.source)),
      readings.map((r) => r.at),
      readings.map((r) => r.mm),
      readings.map((r) => r.source),
      readings.map((r) => r.photo ?? null),
    ],
  )
  if (added > 0) await markMileage(tx, vehicle, instant(Math.min(...readings.map((r) => r.at))))
  return added
}

/** Remembers that a vehicle's accounts have to be looked at from a moment on. */
export const markMileage = (tx: Tx, vehicle: VehicleId, since: Instant): Promise<number> =>
  tx.run(
    `insert into metering.mileage_change (vehicle, since) values ($1, $2)
     on conflict (vehicle) do update set since = least(mileage_change.since, excluded.since)`,
    [vehicle, since],
  )

export async function readingsOf(tx: Tx, vehicle: VehicleId): Promise<ReadingRow[]> {
  const rows = await tx.rows<Record<keyof ReadingRow, string>>(
    `select id, at, mm, source, photo, entered_by as "enteredBy" from metering.odometer_reading where vehicle = $1 order by at, id`,
    [vehicle],
  )
  return rows.map((row) => ({
    ...row,
    at: instant(Number(row.at)),
    mm: millimetres(Number(row.mm)),
    source: row.source as ReadingSource,
  }))
}

const photoPlace = (vehicle: VehicleId) => ({ subject: `photo/${vehicle}`, period: '' })
const photoName = (vehicle: VehicleId, photo: string) => `photo ${vehicle} ${photo}`

/** Keeps a photo as it came, sealed, once, and returns its digest. */
export async function savePhoto(
  tx: Tx,
  vehicle: VehicleId,
  photo: { readonly type: string; readonly bytes: Uint8Array },
  now: Instant,
): Promise<string> {
  const name = digest(photo.bytes)
  const [{ key, bytes }] = await tx.vault.seal(tx, [
    { place: photoPlace(vehicle), name: photoName(vehicle, name), bytes: photo.bytes },
  ])
  await tx.run(
    `insert into metering.odometer_photo (vehicle, digest, type, bytes, recorded_at, key) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [vehicle, name, photo.type, bytes, now, key],
  )
  return name
}

export async function photoOf(
  tx: Tx,
  vehicle: VehicleId,
  photo: string,
): Promise<{ type: string; bytes: Uint8Array } | null> {
  const row = await tx.row<{ type: string } & Sealed>(
    `select type, bytes, key from metering.odometer_photo where vehicle = $1 and digest = $2`,
    [vehicle, photo],
  )
  if (!row) return null
  const [bytes] = await tx.vault.open(tx, [{ ...row, name: photoName(vehicle, photo) }])
  return { type: row.type, bytes }
}

/** Seals up to `most` photos that are kept in plain; returns how many there were. */
export async function sealPlainPhotos(tx: Tx, most: number): Promise<number> {
  const rows = await tx.rows<{ vehicle: VehicleId; digest: string; bytes: Uint8Array }>(
    `select vehicle, digest, bytes from metering.odometer_photo where key is null order by vehicle, digest limit ${most} for update`,
  )
  const closed = await tx.vault.seal(
    tx,
    rows.map(({ vehicle, digest: photo, bytes }) => ({
      place: photoPlace(vehicle),
      name: photoName(vehicle, photo),
      bytes,
    })),
  )
  for (const [i, { vehicle, digest: photo }] of rows.entries())
    await tx.run(`update metering.odometer_photo set key = $3, bytes = $4 where vehicle = $1 and digest = $2`, [
      vehicle,
      photo,
      closed[i].key,
      closed[i].bytes,
    ])
  return rows.length
}

export async function replacementsOf(tx: Tx, vehicle: VehicleId): Promise<Replacement[]> {
  const rows = await tx.rows<{ at: string; final_mm: string; start_mm: string; source: ReadingSource }>(
    `select at, final_mm, start_mm, source from metering.odometer_replacement where vehicle = $1 order by at`,
    [vehicle],
  )
  return rows.map((row) => ({
    at: instant(Number(row.at)),
    finalMm: millimetres(Number(row.final_mm)),
    startMm: millimetres(Number(row.start_mm)),
    source: row.source,
  }))
}

export async function saveReplacement(
  tx: Tx,
  vehicle: VehicleId,
  replacement: Replacement & { readonly photo: string | null },
  enteredBy: string,
  now: Instant,
): Promise<void> {
  const { at, finalMm, startMm, source, photo } = replacement
  await tx.run(
    `insert into metering.odometer_replacement (vehicle, at, final_mm, start_mm, source, photo, entered_by, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [vehicle, at, finalMm, startMm, source, photo, enteredBy, now],
  )
  await markMileage(tx, vehicle, at)
}

/** A vehicle's choices, in the order in which they were recorded. */
export const choicesOf = async (tx: Tx, vehicle: VehicleId): Promise<MethodChoice[]> =>
  (
    await tx.rows<{ from_at: string; method: Method }>(
      `select from_at, method from metering.method_choice where vehicle = $1 order by ordinal`,
      [vehicle],
    )
  ).map((row) => ({ from: instant(Number(row.from_at)), method: row.method }))

export async function saveChoices(
  tx: Tx,
  vehicle: VehicleId,
  choices: readonly MethodChoice[],
  chosenBy: string,
  now: Instant,
): Promise<void> {
  await tx.run(
    `insert into metering.method_choice (vehicle, ordinal, from_at, method, chosen_by, recorded_at)
     select $1, (select count(*) from metering.method_choice where vehicle = $1) + place, from_at, method, $2, $3
     from unnest($4::int8[], $5::text[]) with ordinality as new(from_at, method, place)`,
    [vehicle, chosenBy, now, choices.map((c) => c.from), choices.map((c) => c.method)],
  )
  await markMileage(tx, vehicle, instant(Math.min(...choices.map((c) => c.from))))
}

/** What metering knows of a trip's length, and how its distances agree. */
export interface TripMileage extends TripDistances {
  readonly verdict: Verdict
  readonly fates: Fates
  readonly signals: Readonly<Partial<Record<Signal, number>>>
}

/** Puts what a trip came to on record, once. */
export async function saveTripMileage(
  tx: Tx,
  trip: { readonly id: TripId; readonly vehicle: VehicleId; readonly startedAt: Instant; readonly month: string },
  mileage: TripMileage,
  now: Instant,
): Promise<void> {
  const { matchedMm, inferredMm, offNetworkMm, rawMm, odometerMm, meteredMm, verdict } = mileage
  const deviation = verdict.is === 'deviates' ? verdict : null
  await tx.run(
    `insert into metering.trip_mileage (trip, vehicle, started_at, matched_mm, inferred_mm, off_network_mm, raw_mm, odometer_mm, metered_mm, verdict, permille, hard, suspect)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (trip) do nothing`,
    [
      trip.id,
      trip.vehicle,
      trip.startedAt,
      matchedMm,
      inferredMm,
      offNetworkMm,
      rawMm,
      odometerMm,
      meteredMm,
      verdict.is,
      deviation?.permille ?? null,
      deviation?.hard ?? null,
      deviation?.suspect ?? null,
    ],
  )
  await saveFates(tx, trip, mileage.fates)
  await saveSignals(tx, trip.vehicle, trip.month, trip.id, mileage.signals, now)
  // Vehicles whose odometer nobody ever read have no account to look at again.
  await tx.run(
    `insert into metering.mileage_change (vehicle, since) select $1, $2::int8
     where exists (select 1 from metering.odometer_reading where vehicle = $1) or exists (select 1 from metering.method_choice where vehicle = $1)
     on conflict (vehicle) do update set since = least(mileage_change.since, excluded.since)`,
    [trip.vehicle, trip.startedAt],
  )
}

/** All that is known of a vehicle's miles. */
export async function mileageFacts(
  tx: Tx,
  vehicle: VehicleId,
): Promise<VehicleFacts & { readonly ratios: readonly TripRatio[] }> {
  const trips = await tx.rows<Record<string, string> & { held: boolean }>(
    `select m.started_at, m.matched_mm, m.inferred_mm, m.off_network_mm, m.odometer_mm, m.metered_mm, t.state = 'review' as held
     from metering.trip_mileage m join metering.trip t on t.id = m.trip where m.vehicle = $1 order by m.started_at, m.trip`,
    [vehicle],
  )
  return {
    readings: await readingsOf(tx, vehicle),
    replacements: await replacementsOf(tx, vehicle),
    methods: await choicesOf(tx, vehicle),
    trips: trips.map((row) => ({
      startedAt: instant(Number(row.started_at)),
      matchedMm: Number(row.matched_mm),
      inferredMm: Number(row.inferred_mm),
      offNetworkMm: Number(row.off_network_mm),
      held: row.held,
    })),
    ratios: trips
      .filter((row) => row.odometer_mm !== null)
      .map((row) => ({
        startedAt: instant(Number(row.started_at)),
        meteredMm: Number(row.metered_mm),
        odometerMm: Number(row.odometer_mm),
      })),
  }
}

/** Metered and odometer distance of a trip that has both. */
export interface TripRatio {
  readonly startedAt: Instant
  readonly meteredMm: number
  readonly odometerMm: number
}

/** The devices in a vehicle move to another one at a moment, with it. */
export async function moveDevices(tx: Tx, from: VehicleId, to: VehicleId, at: Instant): Promise<DeviceId[]> {
  const devices = await tx.rows<{ id: DeviceId }>(`select id from metering.device where vehicle = $1 order by id`, [
    from,
  ])
  for (const { id } of devices) {
    await tx.run(`insert into metering.seat (device, from_at, vehicle) values ($1, 0, $2) on conflict do nothing`, [
      id,
      from,
    ])
    await tx.run(`insert into metering.seat (device, from_at, vehicle) values ($1, $2, $3)`, [id, at, to])
    await tx.run(`update metering.device set vehicle = $2 where id = $1`, [id, to])
  }
  return devices.map(({ id }) => id)
}

/** A vehicle is another account's from a moment on, as a vehicle of its own: nobody sees what was before. */
export async function handOver(
  tx: Tx,
  from: VehicleId,
  to: { readonly vehicle: VehicleId; readonly account: AccountId; readonly name: string },
  at: Instant,
): Promise<boolean> {
  const made = await tx.run(
    `insert into metering.vehicle (id, account, name, vehicle_class, from_at, succeeds)
     select $2, $3, $4, vehicle_class, $5, id from metering.vehicle where id = $1 on conflict do nothing`,
    [from, to.vehicle, to.account, to.name, at],
  )
  if (made === 0) return false
  await tx.run(`update metering.vehicle set until_at = $2 where id = $1`, [from, at])
  return true
}
