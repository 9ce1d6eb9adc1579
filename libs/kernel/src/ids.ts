import { digest, type Digest } from './digest'

type Id<Name extends string> = string & { readonly __id: Name }

/** `[a-z0-9-]{3,40}`: a city or authority that charges for its roads. */
export type AgencyId = Id<'agency'>
/** Who pays: holds vehicles, receives statements. */
export type AccountId = Id<'account'>
export type VehicleId = Id<'vehicle'>
/** `[a-z0-9-]{8,40}`: on-board equipment, as it names itself on the wire. */
export type DeviceId = Id<'device'>
export type TripId = Id<'trip'>
export type PolicyId = Id<'policy'>
export type StatementId = Id<'statement'>
export type TransferId = Id<'transfer'>

/**
 * An id that is derived, not drawn: the digest of what it names, so that doing the same thing twice names the same thing.
 * `kind` keeps ids of different things apart.
 */
export const deriveId = <T extends string>(kind: string, ...names: readonly (string | number | bigint)[]): T =>
  digest([kind, ...names]).slice(0, 32) as Digest as string as T
