import { vehicleProfileSchema, type RatedVehicle, type VehicleProfile } from '#contracts'
import { InputError, invariant, type Instant, type VehicleId } from '#kernel'
import { type Tx } from './store'

/** What vehicles were at given moments, in the order asked for. Each must exist. */
export async function ratedVehicles(
  tx: Tx,
  asked: readonly { readonly vehicle: VehicleId; readonly at: Instant }[],
): Promise<RatedVehicle[]> {
  const rows = await tx.rows<{ vehicle: VehicleId; vehicle_class: RatedVehicle['vehicleClass']; profile: unknown }>(
    `select v.id as vehicle, v.vehicle_class, p.profile
     from unnest($1::text[], $2::int8[]) with ordinality as asked(vehicle, at, place) join metering.vehicle v on v.id = asked.vehicle
       left join lateral (select profile from metering.vehicle_profile where vehicle = v.id and from_at <= asked.at order by from_at desc limit 1) p on true
     order by place`,
    [asked.map(({ vehicle }) => vehicle), asked.map(({ at }) => at)],
  )
  invariant(rows.length === asked.length, `${asked.length - rows.length} vehicles are not known`)
  return rows.map(({ vehicle, vehicle_class, profile }) => ({
    ...(profile === null ? {} : vehicleProfileSchema.parse(profile)),
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
