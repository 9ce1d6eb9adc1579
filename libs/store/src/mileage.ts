import { type MileageAccount, type Method, type ReadingSource, type Signal } from '#contracts'
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
import { type Tx } from './store'

/** A vehicle and the time for which its account has it, [fromAt, untilAt). */
export interface HeldVehicle {
  readonly vehicle: VehicleId
  readonly account: AccountId
  readonly agency: AgencyId
  readonly name: string
  readonly fromAt: Instant | null
  readonly untilAt: Instant | null
}

const HELD_VEHICLE = `select v.id as vehicle, v.account, a.agency, v.name, v.from_at as "fromAt", v.until_at as "untilAt"
  from metering.vehicle v join metering.account a on a.id = v.account`
const heldVehicle = (row: HeldVehicle): HeldVehicle => ({
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

/** Keeps a photo as it came, once, and returns its digest. */
export async function savePhoto(
  tx: Tx,
  vehicle: VehicleId,
  photo: { readonly type: string; readonly bytes: Uint8Array },
  now: Instant,
): Promise<string> {
  const name = digest(photo.bytes)
  await tx.run(
    `insert into metering.odometer_photo (vehicle, digest, type, bytes, recorded_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [vehicle, name, photo.type, photo.bytes, now],
  )
  return name
}

export const photoOf = (
  tx: Tx,
  vehicle: VehicleId,
  photo: string,
): Promise<{ type: string; bytes: Uint8Array } | null> =>
  tx.row(`select type, bytes from metering.odometer_photo where vehicle = $1 and digest = $2`, [vehicle, photo])

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
  /** The fate of each fix, in order, as runs. */
  readonly fates: readonly (readonly [fate: string, count: number])[]
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
  await tx.run(`insert into location.fates (trip, runs) values ($1, $2) on conflict (trip) do nothing`, [
    trip.id,
    JSON.stringify(mileage.fates),
  ])
  await saveSignals(tx, trip.vehicle, trip.month, trip.id, mileage.signals, now)
  // Vehicles whose odometer nobody ever read have no account to look at again.
  await tx.run(
    `insert into metering.mileage_change (vehicle, since) select $1, $2::int8
     where exists (select 1 from metering.odometer_reading where vehicle = $1) or exists (select 1 from metering.method_choice where vehicle = $1)
     on conflict (vehicle) do update set since = least(mileage_change.since, excluded.since)`,
    [trip.vehicle, trip.startedAt],
  )
}

/** The signals of a source (a trip, an account) of a month: what it said before is replaced. */
export async function saveSignals(
  tx: Tx,
  vehicle: VehicleId,
  month: string,
  source: string,
  signals: Readonly<Partial<Record<Signal, number>>>,
  now: Instant,
): Promise<void> {
  const kinds = Object.keys(signals) as Signal[]
  await tx.run(
    `delete from metering.signal where vehicle = $1 and month = $2 and source = $3 and kind <> all($4::text[])`,
    [vehicle, month, source, kinds],
  )
  if (kinds.length > 0)
    await tx.run(
      `insert into metering.signal (vehicle, month, kind, source, count, recorded_at) select $1, $2, kind, $3, count, $4 from unnest($5::text[], $6::int[]) as new(kind, count)
       on conflict (vehicle, month, kind, source) do update set count = excluded.count, recorded_at = excluded.recorded_at where signal.count <> excluded.count`,
      [vehicle, month, source, now, kinds, kinds.map((kind) => signals[kind]!)],
    )
}

/** Signs of tampering of an agency's vehicles, by month: counts, no place and no time. */
export interface SignalRow {
  readonly vehicle: VehicleId
  readonly month: string
  readonly signal: Signal
  readonly count: number
}

export const SIGNALS_MAX = 1000

export const signalsOf = async (tx: Tx, agency: AgencyId): Promise<SignalRow[]> =>
  (
    await tx.rows<Omit<SignalRow, 'count'> & { count: string }>(
      `select s.vehicle, s.month, s.kind as signal, sum(s.count) as count from metering.signal s join metering.vehicle v on v.id = s.vehicle
         join metering.account a on a.id = v.account where a.agency = $1
       group by s.vehicle, s.month, s.kind order by s.month desc, s.vehicle, s.kind limit ${SIGNALS_MAX}`,
      [agency],
    )
  ).map((row) => ({ ...row, count: Number(row.count) }))

export const fatesOf = async (tx: Tx, trip: TripId): Promise<TripMileage['fates'] | null> =>
  (await tx.row<{ runs: TripMileage['fates'] }>(`select runs from location.fates where trip = $1`, [trip]))?.runs ??
  null

/** A trip that is held, as an agency may see it: distances and days, no place. */
export interface HeldTrip {
  readonly trip: TripId
  readonly vehicle: VehicleId
  readonly month: string
  readonly meteredMm: number
  readonly odometerMm: number
  readonly rawMm: number
  readonly permille: number
  readonly hard: boolean
  readonly suspect: 'odometer' | 'matching'
}

export const HELD_MAX = 1000

export async function heldForReview(tx: Tx, agency: AgencyId): Promise<HeldTrip[]> {
  const rows = await tx.rows<Record<'meteredMm' | 'odometerMm' | 'rawMm', string> & HeldTrip>(
    `select t.id as trip, t.vehicle, t.month, m.metered_mm as "meteredMm", m.odometer_mm as "odometerMm", m.raw_mm as "rawMm", m.permille, m.hard, m.suspect
     from metering.trip t join metering.trip_mileage m on m.trip = t.id where t.agency = $1 and t.state = 'review' order by t.month, t.id limit ${HELD_MAX}`,
    [agency],
  )
  return rows.map((row) => ({
    ...row,
    meteredMm: Number(row.meteredMm),
    odometerMm: Number(row.odometerMm),
    rawMm: Number(row.rawMm),
  }))
}

export interface Review {
  readonly decision: 'release' | 'void'
  readonly reason: string
}

export const saveReview = (tx: Tx, trip: TripId, review: Review, by: string, at: Instant): Promise<number> =>
  tx.run(
    `insert into metering.review (trip, decision, reason, decided_by, decided_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [trip, review.decision, review.reason, by, at],
  )

/** What a review decided; null for trips that were never held or still are. */
export const reviewOf = (tx: Tx, trip: TripId): Promise<Review | null> =>
  tx.row<Review>(`select decision, reason from metering.review where trip = $1`, [trip])

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

/**
 * Vehicles of an agency whose account of a month is to be settled, at most `most`: those with a reading or a choice that have
 * none of the month yet, and those that were handed on and have new facts of their time.
 */
export async function unsettledVehicles(
  tx: Tx,
  agency: AgencyId,
  month: string,
  span: { readonly from: Instant; readonly to: Instant },
  most: number,
): Promise<HeldVehicle[]> {
  const rows = await tx.rows<HeldVehicle>(
    `${HELD_VEHICLE} where a.agency = $1 and coalesce(v.from_at, 0) < $4
       and case when coalesce(v.until_at, $4) > $3
         then (exists (select 1 from metering.odometer_reading r where r.vehicle = v.id) or exists (select 1 from metering.method_choice c where c.vehicle = v.id))
           and not exists (select 1 from money.mileage s where s.vehicle = v.id and s.month = $2)
         else exists (select 1 from metering.mileage_change c where c.vehicle = v.id) end
     order by v.id limit $5`,
    [agency, month, span.from, span.to, most],
  )
  return rows.map(heldVehicle)
}

/** The earliest moment from which a vehicle's facts have changed since it was settled; forgotten with this. */
export async function takeMileageChange(tx: Tx, vehicle: VehicleId): Promise<Instant | null> {
  const row = await tx.row<{ since: string }>(
    `delete from metering.mileage_change where vehicle = $1 returning since`,
    [vehicle],
  )
  return row && instant(Number(row.since))
}

/** A mileage account as it was settled, once or again. */
export interface SettledAccount {
  readonly vehicle: VehicleId
  readonly account: AccountId
  readonly revision: number
  readonly document: MileageAccount
}

const amounts = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

export const saveSettled = (
  tx: Tx,
  agency: AgencyId,
  bookedIn: string,
  { vehicle, account, revision, document }: SettledAccount,
  now: Instant,
): Promise<number> =>
  tx.run(
    `insert into money.mileage (vehicle, month, revision, account, agency, booked_in, document, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [vehicle, document.month, revision, account, agency, bookedIn, JSON.stringify(document, amounts), now],
  )

interface SettledRow {
  readonly vehicle: VehicleId
  readonly account: AccountId
  readonly revision: number
  readonly document: unknown
}

/** The latest settlement of each month of a vehicle from a month on. The documents are as JSON has them. */
export const latestSettled = (tx: Tx, vehicle: VehicleId, month: string): Promise<SettledRow[]> =>
  tx.rows<SettledRow>(
    `select distinct on (month) vehicle, account, revision, document from money.mileage where vehicle = $1 and month >= $2 order by month, revision desc`,
    [vehicle, month],
  )

/** What the statements of a period hold of mileage accounts, for some accounts. */
export const bookedMileage = (
  tx: Tx,
  agency: AgencyId,
  month: string,
  accounts: readonly AccountId[],
): Promise<SettledRow[]> =>
  tx.rows<SettledRow>(
    `select vehicle, account, revision, document from money.mileage where agency = $1 and booked_in = $2 and account = any($3::text[])
     order by account, vehicle, month, revision`,
    [agency, month, accounts],
  )

/** Whether the cut-off of a month has been taken: facts of people about it come too late. */
export const isCutOff = async (tx: Tx, agency: AgencyId, month: string): Promise<boolean> =>
  (await tx.row(`select 1 from money.period where agency = $1 and month = $2 and state <> 'open'`, [agency, month])) !==
  null

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
