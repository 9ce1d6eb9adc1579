import { vehicleProfileSchema, type RatedVehicle, type VehicleProfile } from '#contracts'
import { InputError, instant, invariant, type AccountId, type AgencyId, type Instant, type VehicleId } from '#kernel'
import { armOf, type Pilot } from '#policy'
import { type Tx } from './store'

/** What vehicles were at given moments, in the order asked for. Each must exist. */
export async function ratedVehicles(
  tx: Tx,
  asked: readonly { readonly vehicle: VehicleId; readonly at: Instant }[],
): Promise<RatedVehicle[]> {
  const rows = await tx.rows<{
    vehicle: VehicleId
    vehicle_class: RatedVehicle['vehicleClass']
    profile: unknown
    pilot: Pilot | null
  }>(
    `select v.id as vehicle, v.vehicle_class, p.profile, t.pilot
     from unnest($1::text[], $2::int8[]) with ordinality as asked(vehicle, at, place)
       cross join lateral (select id, vehicle_class, account from metering.vehicle where id = asked.vehicle limit 1) v
       left join lateral (select profile from metering.vehicle_profile where vehicle = v.id and from_at <= asked.at order by from_at desc limit 1) p on true
       left join lateral (select jsonb_build_object('seed', seed, 'arms', arms) as pilot from tariff.pilot
         where agency = (select agency from metering.account where id = v.account) and from_at <= asked.at order by from_at desc limit 1) t on true
     order by place`,
    [asked.map(({ vehicle }) => vehicle), asked.map(({ at }) => at)],
  )
  invariant(rows.length === asked.length, `${asked.length - rows.length} vehicles are not known`)
  return rows.map(({ vehicle, vehicle_class, profile, pilot }) => ({
    ...(profile === null ? {} : vehicleProfileSchema.parse(profile)),
    // Drawn, and not said: a vehicle's arm is nobody's choice while a pilot runs.
    ...(pilot ? { arm: armOf(pilot, vehicle) } : {}),
    vehicle,
    vehicleClass: vehicle_class,
  }))
}

/**
 * Says what a vehicle is from a moment on: a new fact, which is never changed. InputError where the moment is past, since trips
 * are priced by what was known when they were driven; the first may start with the vehicle's first trip.
 */
export async function saveProfile(
  tx: Tx,
  vehicle: VehicleId,
  profile: VehicleProfile,
  from: Instant,
  now: Instant,
): Promise<void> {
  const known = await tx.row<{ driven: string | null; said: boolean }>(
    `select (select max(started_at) from metering.trip where vehicle = v.id) as driven,
       exists (select 1 from metering.vehicle_profile where vehicle = v.id) as said
     from metering.vehicle v where id = $1 for update`,
    [vehicle],
  )
  if (!known) throw new InputError('NO_VEHICLE', `there is no vehicle ${vehicle}`)
  if (from < now && (known.said || known.driven !== null))
    throw new InputError(
      'PROFILE_PAST',
      `vehicle ${vehicle} can't become something else in the past: trips are priced by what it was known to be`,
    )
  await tx.run(
    `insert into metering.vehicle_profile (vehicle, from_at, profile, recorded_at) values ($1, $2, $3, $4) on conflict do nothing`,
    [vehicle, from, JSON.stringify(profile), now],
  )
}

/**
 * Draws the vehicles of an agency into arms from a moment on, by a seed that is kept; whatever was drawn before ends there.
 * InputError where the moment is past, since trips are priced by the arm of their time.
 */
export async function startPilot(
  tx: Tx,
  agency: AgencyId,
  pilot: Pilot & { readonly from: Instant; readonly reason: string },
  now: Instant,
): Promise<void> {
  if (pilot.from < now)
    throw new InputError('PILOT_PAST', 'a pilot starts in the future: trips are priced by the arm of their time')
  const added = await tx.run(
    `insert into tariff.pilot (agency, from_at, seed, arms, reason, recorded_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [agency, pilot.from, pilot.seed, JSON.stringify(pilot.arms), pilot.reason, now],
  )
  if (added === 0) throw new InputError('PILOT_TAKEN', `another pilot of ${agency} starts at that very moment`)
}

/** When the last pilot of an agency begins or began; null where there was none. */
export async function pilotStart(tx: Tx, agency: AgencyId): Promise<Instant | null> {
  const row = await tx.row<{ from: string | null }>(`select max(from_at) as from from tariff.pilot where agency = $1`, [
    agency,
  ])
  return row!.from === null ? null : instant(Number(row!.from))
}

/** Vehicles that accounts of an agency have now, in the order of their ids, after `after`; at most `most`. */
export const vehiclesOfAgency = (
  tx: Tx,
  agency: AgencyId,
  after: string,
  most: number,
): Promise<{ vehicle: VehicleId; account: AccountId }[]> =>
  tx.rows(
    `select v.id as vehicle, v.account from metering.vehicle v join metering.account a on a.id = v.account
     where a.agency = $1 and v.until_at is null and v.id > $2 order by v.id limit $3`,
    [agency, after, most],
  )
