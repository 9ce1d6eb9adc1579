import { type RatedVehicle } from '#contracts'
import { instant, type AccountId, type AgencyId, type Digest, type Instant } from '#kernel'
import { packNetwork, type RoadNetwork } from '#road-network'
import { type Tx } from './store'
import { want } from './work'

export const saveAgency = (tx: Tx, agency: { id: AgencyId; name: string }): Promise<number> =>
  tx.run(`insert into metering.agency (id, name) values ($1, $2) on conflict (id) do update set name = excluded.name`, [
    agency.id,
    agency.name,
  ])

export const agencyById = (tx: Tx, agency: AgencyId): Promise<{ id: AgencyId; name: string } | null> =>
  tx.row(`select id, name from metering.agency where id = $1`, [agency])

export const saveAccount = (tx: Tx, account: { id: AccountId; agency: AgencyId; name: string }): Promise<number> =>
  tx.run(
    `insert into metering.account (id, agency, name) values ($1, $2, $3) on conflict (id) do update set name = excluded.name where account.agency = excluded.agency`,
    [account.id, account.agency, account.name],
  )

export const accountById = (
  tx: Tx,
  account: AccountId,
): Promise<{ id: AccountId; agency: AgencyId; name: string } | null> =>
  tx.row(`select id, agency, name from metering.account where id = $1`, [account])

/** `name` is what its owner calls it. */
export interface VehicleRow extends RatedVehicle {
  readonly account: AccountId
  readonly name: string
}

export const saveVehicle = (tx: Tx, { vehicle, account, name, vehicleClass }: VehicleRow): Promise<number> =>
  tx.run(
    `insert into metering.vehicle (id, account, name, vehicle_class) values ($1, $2, $3, $4)
     on conflict (id) do update set name = excluded.name where vehicle.account = excluded.account`,
    [vehicle, account, name, vehicleClass],
  )

export const vehiclesOf = (tx: Tx, account: AccountId): Promise<VehicleRow[]> =>
  tx.rows<VehicleRow>(
    `select id as vehicle, account, name, vehicle_class as "vehicleClass" from metering.vehicle where account = $1 order by id`,
    [account],
  )

export const vehiclesOfAll = (tx: Tx, accounts: readonly AccountId[]): Promise<VehicleRow[]> =>
  tx.rows<VehicleRow>(
    `select id as vehicle, account, name, vehicle_class as "vehicleClass" from metering.vehicle where account = any($1::text[]) order by id`,
    [accounts],
  )

/** A network as it is listed. */
export interface NetworkRow {
  readonly agency: AgencyId
  readonly digest: Digest
  readonly name: string
  readonly attribution: string
  /** Trips that start from this moment on are matched on it. */
  readonly activeFrom: Instant
  readonly segments: number
  readonly lengthMm: number
}

/**
 * Keeps a network for trips that start from `activeFrom` on, and asks for the matching of trips that were held for want of
 * one. 0 where the agency has this very network already.
 */
export async function saveNetwork(
  tx: Tx,
  agency: AgencyId,
  network: RoadNetwork,
  as: { name: string; activeFrom: Instant },
): Promise<number> {
  const saved = await tx.run(
    `insert into metering.network (agency, digest, name, attribution, active_from, segments, length_mm, bounds, packed)
     values ($1, $2, $3, $4, $5, $6, $7, ST_MakeEnvelope($8, $9, $10, $11, 4326), $12) on conflict (agency, digest) do nothing`,
    [
      agency,
      network.digest,
      as.name,
      network.attribution,
      as.activeFrom,
      network.segmentCount,
      network.totalMm(),
      ...network.bounds,
      packNetwork(network),
    ],
  )
  const waiting = await tx.rows<{ device: string }>(
    `select distinct device from metering.trip where agency = $1 and waits = 'held'`,
    [agency],
  )
  await want(
    tx,
    waiting.map(({ device }) => ({ stage: 'match', key: device })),
  )
  return saved
}

/** The network that a trip which started then is matched on: the latest that was active, or null. */
export const networkInForce = async (tx: Tx, agency: AgencyId, at: Instant): Promise<Digest | null> =>
  (
    await tx.row<{ digest: Digest }>(
      `select digest from metering.network where agency = $1 and active_from <= $2 order by active_from desc, digest limit 1`,
      [agency, at],
    )
  )?.digest ?? null

export const packedNetwork = async (tx: Tx, agency: AgencyId, network: Digest): Promise<Uint8Array | null> =>
  (
    await tx.row<{ packed: Uint8Array }>(`select packed from metering.network where agency = $1 and digest = $2`, [
      agency,
      network,
    ])
  )?.packed ?? null

export const networksOf = async (tx: Tx, agency: AgencyId): Promise<NetworkRow[]> =>
  (
    await tx.rows<NetworkRow>(
      `select agency, digest, name, attribution, active_from as "activeFrom", segments, length_mm as "lengthMm"
       from metering.network where agency = $1 order by active_from, digest`,
      [agency],
    )
  ).map((row) => ({ ...row, activeFrom: instant(Number(row.activeFrom)), lengthMm: Number(row.lengthMm) }))
