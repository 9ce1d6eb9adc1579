import { type PolicyDocument, type RatedVehicle } from '#contracts'
import {
  digest,
  InputError,
  instant,
  type AccountId,
  type AgencyId,
  type DeviceId,
  type Digest,
  type Instant,
  type VehicleId,
} from '#kernel'
import { policyDigest, validityOf } from '#policy'
import { packNetwork, type RoadNetwork } from '#road-network'
import { type Tx } from './store'
import { want } from './work'

/** Only the digest of a token is kept. Tokens have 256 random bits, so that a plain SHA-256 can't be searched. */
export const tokenDigest = (token: string): Digest => digest(['token', token])

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

export const saveDevice = (tx: Tx, device: { id: DeviceId; vehicle: VehicleId; token: string }): Promise<number> =>
  tx.run(
    `insert into metering.device (id, vehicle, token_digest) values ($1, $2, $3)
     on conflict (id) do update set token_digest = excluded.token_digest where device.vehicle = excluded.vehicle`,
    [device.id, device.vehicle, tokenDigest(device.token)],
  )

export const isDeviceToken = async (tx: Tx, device: string, token: string): Promise<boolean> =>
  (await tx.row(`select 1 from metering.device where id = $1 and token_digest = $2`, [device, tokenDigest(token)])) !==
  null

export type Role = 'citizen' | 'agency' | 'analyst' | 'operator'

/** Who signs in with an access token, and for whose data. */
export interface Principal {
  readonly role: Role
  readonly agency: AgencyId
  readonly account: AccountId | null
}

export const grantAccess = (tx: Tx, token: string, principal: Principal): Promise<number> =>
  tx.run(
    `insert into metering.access_token (token_digest, role, agency, account) values ($1, $2, $3, $4) on conflict do nothing`,
    [tokenDigest(token), principal.role, principal.agency, principal.account],
  )

export const principalOf = (tx: Tx, token: string): Promise<Principal | null> =>
  tx.row<Principal>(`select role, agency, account from metering.access_token where token_digest = $1`, [
    tokenDigest(token),
  ])

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
    `select distinct device from metering.trip where agency = $1 and state = 'held'`,
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

/**
 * Files a policy and returns its digest. The same document again changes nothing. Refused with an InputError: other content
 * under an id that is taken, a start that another policy has, another currency or time zone than the agency's other policies
 * (a statement has one of each, and what is published can't be taken back), and a start in the past: trips are priced by what
 * was published before they were driven. The first policy may start in the past, but not before a trip that was driven.
 */
export async function filePolicy(tx: Tx, agency: AgencyId, document: PolicyDocument, now: Instant): Promise<Digest> {
  const { id } = document
  const fingerprint = policyDigest(document)
  const startsAt = instant(validityOf(document).from)
  const filed = await policiesOf(tx, agency)
  if (filed.some((row) => row.digest === fingerprint)) return fingerprint
  if (filed.some((row) => row.document.id === id))
    throw new InputError(
      'POLICY_TAKEN',
      `policy ${id} is published with other content and never changes: give the new version an id of its own`,
    )
  for (const { document: other } of filed) {
    if (validityOf(other).from === startsAt)
      throw new InputError('POLICY_TAKEN', `policy ${other.id} starts at the same moment as ${id}`)
    for (const term of ['currency', 'timeZone'] as const)
      if (other[term] !== document[term])
        throw new InputError(
          'POLICY_TERMS',
          `policy ${id} has ${term} ${document[term]}, but policy ${other.id} of the same agency has ${other[term]}`,
        )
  }
  const driven = await tx.row<{ last: string | null }>(
    `select max(started_at) as last from metering.trip where agency = $1`,
    [agency],
  )
  const pricedUntil = filed.length > 0 ? now : Number(driven?.last ?? -1)
  if (startsAt <= pricedUntil)
    throw new InputError(
      'POLICY_PAST',
      `policy ${id} starts ${document.startsAt}, which is past: trips are priced by what was published before they were driven. Only an agency's first policy may start in the past, and after every trip so far`,
    )
  await tx.run(
    `insert into tariff.policy (agency, id, digest, document, starts_at, recorded_at) values ($1, $2, $3, $4, $5, $6)`,
    [agency, id, fingerprint, JSON.stringify(document), startsAt, now],
  )
  for (const [zoneId, zone] of Object.entries(document.zones))
    await tx.run(
      `insert into tariff.zone (agency, policy, id, name, shape) values ($1, $2, $3, $4, ST_SetSRID(ST_GeomFromGeoJSON($5), 4326))`,
      [agency, id, zoneId, zone.name, JSON.stringify(zone.geometry)],
    )
  return fingerprint
}

export const policiesOf = async (tx: Tx, agency: AgencyId): Promise<{ document: PolicyDocument; digest: Digest }[]> =>
  tx.rows(`select document, digest from tariff.policy where agency = $1 order by starts_at`, [agency])

/** Digests of an agency's policies: what tells whether there is a new one. */
export const policyDigests = async (tx: Tx, agency: AgencyId): Promise<Digest[]> =>
  (
    await tx.rows<{ digest: Digest }>(`select digest from tariff.policy where agency = $1 order by starts_at`, [agency])
  ).map((row) => row.digest)
