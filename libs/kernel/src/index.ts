// Named one by one: what `export *` passes on is looked up by its name at every call, and some of it is called for every stretch.
export { chance, type Chance } from './chance'
export { canonical, digest, digestOfCanonical, lendSha256, type Canonical, type Digest, type Sha256 } from './digest'
export {
  deriveId,
  type AccountId,
  type AgencyId,
  type DeviceId,
  type PolicyId,
  type StatementId,
  type TransferId,
  type TripId,
  type VehicleId,
} from './ids'
export { contains, type Interval } from './interval'
export { InputError, invariant, InvariantError, type Fault } from './invariant'
export {
  divideHalfEven,
  formatMicros,
  instant,
  KILOMETRE_MM,
  micros,
  MILE_MM,
  millimetres,
  NO_MONEY,
  parseMicros,
  priceInDouble,
  priceOf,
  toCoin,
  type Instant,
  type Micros,
  type Millimetres,
} from './quantities'
