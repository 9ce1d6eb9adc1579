import { type Batch, type RatedVehicle } from '#contracts'
import {
  type AccountId,
  type AgencyId,
  type DeviceId,
  type Digest,
  type Instant,
  type TripId,
  type VehicleId,
} from '#kernel'
import { type BatchHead } from '#mileage'
import { parseRanges } from './inbox'
import { type Parameter } from './sql'
import { type Tx } from './store'
import { BATCH_ROW, openBatches, type BatchRow } from './stored-batch'

/** One boot of a device: what is durable of it, how far it has been cut into trips, and what was given up waiting for. */
export interface StreamRow {
  readonly boot: number
  /** Everything below has been put into trips. */
  readonly processed: number
  readonly held: readonly (readonly [number, number])[]
  readonly gaps: readonly (readonly [number, number])[]
}

export type TripState = 'open' | 'review' | 'matched' | 'metered' | 'rated' | 'posted' | 'held'

export interface TripRow {
  readonly id: TripId
  readonly device: DeviceId
  readonly boot: number
  readonly name: string
  readonly firstSeq: number
  readonly lastSeq: number
  readonly vehicle: VehicleId
  readonly account: AccountId
  readonly agency: AgencyId
  readonly state: TripState
  readonly lastFix: Instant | null
  readonly fixes: number
  readonly startedAt: Instant | null
  readonly endedAt: Instant | null
  readonly month: string | null
  /** What matched it; null before. */
  readonly network: Digest | null
  readonly engine: string | null
  readonly reportDigest: Digest | null
}

/** Whose a device is. */
export interface Owner {
  readonly vehicle: VehicleId
  readonly account: AccountId
  readonly agency: AgencyId
}

/** One vehicle, one line: nobody else works on this device's trips until the transaction ends. */
export const lockDevice = (tx: Tx, device: DeviceId): Promise<number> =>
  tx.run(`select pg_advisory_xact_lock(hashtextextended('device/' || $1, 0))`, [device])

/** Whose a device was at a moment: vehicles change hands, and devices with them. */
export const ownerOf = (tx: Tx, device: DeviceId, at: Instant): Promise<Owner | null> =>
  tx.row<Owner>(
    `select v.id as vehicle, a.id as account, a.agency
     from metering.device d
       left join lateral (select vehicle from metering.seat where device = d.id and from_at <= $2 order by from_at desc limit 1) s on true
       join metering.vehicle v on v.id = coalesce(s.vehicle, d.vehicle) join metering.account a on a.id = v.account where d.id = $1`,
    [device, at],
  )

export async function streamsOf(tx: Tx, device: DeviceId): Promise<StreamRow[]> {
  const rows = await tx.rows<{ boot: number; processed: string; held: string; gaps: string }>(
    `select boot, processed, held::text as held, gaps::text as gaps from metering.stream where device = $1 order by boot for update`,
    [device],
  )
  return rows.map((row) => ({
    boot: row.boot,
    processed: Number(row.processed),
    held: parseRanges(row.held),
    gaps: parseRanges(row.gaps),
  }))
}

export const saveStream = (tx: Tx, device: DeviceId, stream: StreamRow): Promise<number> =>
  tx.run(`update metering.stream set processed = $3, gaps = $4::int8multirange where device = $1 and boot = $2`, [
    device,
    stream.boot,
    stream.processed,
    `{${stream.gaps.map(([from, to]) => `[${from},${to})`).join(',')}}`,
  ])

/** Heads of the accepted batches in [from, to), in order. */
export async function batchHeads(
  tx: Tx,
  device: DeviceId,
  boot: number,
  from: number,
  to: number,
): Promise<BatchHead[]> {
  const rows = await tx.rows<{
    seq: string
    trip: string
    event: Batch['event']
    fixes: number
    first_fix: string | null
    last_fix: string | null
    received_at: string
  }>(
    `select seq, trip, event, fixes, first_fix, last_fix, received_at from location.batch
     where device = $1 and boot = $2 and seq >= $3 and seq < $4 order by seq`,
    [device, boot, from, to],
  )
  return rows.map((row) => ({
    seq: Number(row.seq),
    trip: row.trip,
    event: row.event,
    fixes: row.fixes,
    firstFix: row.first_fix === null ? null : (Number(row.first_fix) as Instant),
    lastFix: row.last_fix === null ? null : (Number(row.last_fix) as Instant),
    receivedAt: Number(row.received_at) as Instant,
  }))
}

/** When the first and the last of the accepted batches from a number on came in; null where none did. */
export async function heardFrom(
  tx: Tx,
  device: DeviceId,
  boot: number,
  from: number,
): Promise<{ first: Instant; last: Instant } | null> {
  const row = await tx.row<{ first: string | null; last: string | null }>(
    `select min(received_at) as first, max(received_at) as last from location.batch where device = $1 and boot = $2 and seq >= $3`,
    [device, boot, from],
  )
  return row && row.first !== null ? { first: Number(row.first) as Instant, last: Number(row.last) as Instant } : null
}

/** Totals within [from, to) of a stream: odometer readings of a vehicle that gives no location. */
export const totalsIn = async (tx: Tx, device: DeviceId, boot: number, from: number, to: number): Promise<Batch[]> =>
  openBatches(
    tx,
    await tx.rows<BatchRow>(
      `select ${BATCH_ROW} from location.batch where device = $1 and boot = $2 and seq >= $3 and seq < $4 and event = 'totals' order by seq`,
      [device, boot, from, to],
    ),
  )

/**
 * The accepted batches of a trip, in the device's own order: not those that came late and made a trip of their own. With `from` those
 * from that number on.
 */
export async function batchesOf(
  tx: Tx,
  trip: Pick<TripRow, 'device' | 'boot' | 'firstSeq' | 'lastSeq' | 'name'>,
  from = trip.firstSeq,
): Promise<Batch[]> {
  const rows = await tx.rows<BatchRow>(
    `select ${BATCH_ROW} from location.batch b where device = $1 and boot = $2 and seq between $6 and $4 and trip = $5
       and not exists (select 1 from metering.trip late where late.device = $1 and late.boot = $2
         and late.first_seq > $3 and late.first_seq <= $4 and b.seq between late.first_seq and late.last_seq)
     order by seq`,
    [trip.device, trip.boot, trip.firstSeq, trip.lastSeq, trip.name, from],
  )
  return openBatches(tx, rows)
}

const TRIP = `id, device, boot, name, first_seq as "firstSeq", last_seq as "lastSeq", vehicle, account, agency, state,
  last_fix as "lastFix", fixes, started_at as "startedAt", ended_at as "endedAt", month, network, engine, report_digest as "reportDigest"`
const WHOLE = ['firstSeq', 'lastSeq', 'lastFix', 'startedAt', 'endedAt'] as const

/** int8 comes as text; these columns are all within 2^53. */
const tripOf = (row: TripRow): TripRow => ({
  ...row,
  ...Object.fromEntries(WHOLE.map((name) => [name, row[name] === null ? null : Number(row[name])])),
})

/** Trips by a condition of ours, never of a user's. */
export const tripsWhere = async (tx: Tx, condition: string, parameters: readonly Parameter[]): Promise<TripRow[]> =>
  (await tx.rows<TripRow>(`select ${TRIP} from metering.trip where ${condition}`, parameters)).map(tripOf)

/** Trips in the order asked for. Each must exist. */
export async function tripsById(tx: Tx, trips: readonly TripId[]): Promise<TripRow[]> {
  const rows = new Map((await tripsWhere(tx, 'id = any($1::text[])', [trips])).map((row) => [row.id, row]))
  return trips.map((trip) => rows.get(trip)!)
}

export const tripById = async (tx: Tx, trip: TripId): Promise<TripRow | null> =>
  (await tripsWhere(tx, 'id = $1', [trip]))[0] ?? null

/** Trips that could not be matched yet: tried again whenever their device is looked at. */
export const heldTripsOf = (tx: Tx, device: DeviceId): Promise<TripRow[]> =>
  tripsWhere(tx, `device = $1 and waits = 'held' order by boot, first_seq`, [device])

export const openTripOf = async (tx: Tx, device: DeviceId, boot: number): Promise<TripRow | null> =>
  (await tripsWhere(tx, `device = $1 and boot = $2 and waits = 'open'`, [device, boot]))[0] ?? null

export const saveTrip = (tx: Tx, trip: TripRow, heldBecause: string | null = null): Promise<number> =>
  tx.run(
    `insert into metering.trip (id, device, boot, name, first_seq, last_seq, vehicle, account, agency, state, last_fix, fixes, started_at, ended_at, month, held_because)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
     on conflict (id) do update set vehicle = excluded.vehicle, account = excluded.account, agency = excluded.agency, last_seq = excluded.last_seq, state = excluded.state, last_fix = excluded.last_fix, fixes = excluded.fixes,
       started_at = excluded.started_at, ended_at = excluded.ended_at, month = excluded.month, held_because = excluded.held_because`,
    [
      trip.id,
      trip.device,
      trip.boot,
      trip.name,
      trip.firstSeq,
      trip.lastSeq,
      trip.vehicle,
      trip.account,
      trip.agency,
      trip.state,
      trip.lastFix,
      trip.fixes,
      trip.startedAt,
      trip.endedAt,
      trip.month,
      heldBecause,
    ],
  )

/** Moves a trip on; a trip that is not in state `from` stays as it is and false is told: the step was done before. */
export const moveTrip = async (tx: Tx, trip: TripId, from: TripState, to: TripState): Promise<boolean> =>
  (await tx.run(`update metering.trip set state = $3 where id = $1 and state = $2`, [trip, from, to])) === 1

/** Moves those of the trips that are in state `from`, and returns them in the order in which they were driven. */
export async function moveTrips(tx: Tx, trips: readonly TripId[], from: TripState, to: TripState): Promise<TripRow[]> {
  const moved = await tx.rows<TripRow>(
    `update metering.trip set state = $3 where id = any($1::text[]) and state = $2 returning ${TRIP}`,
    [trips, from, to],
  )
  return moved.map(tripOf).sort((a, b) => a.startedAt! - b.startedAt! || (a.id < b.id ? -1 : 1))
}

/** Devices with an open trip of which nothing came in since `before`, and nothing waits behind. */
export const restedDevices = async (tx: Tx, before: Instant): Promise<DeviceId[]> => rested(tx, before, '', [])

/**
 * Those of them whose trip is of a month that is being closed, and whose matching hasn't failed: what hasn't ended until
 * `until` is waited for no longer.
 */
export const restedBefore = async (tx: Tx, agency: AgencyId, before: Instant, until: Instant): Promise<DeviceId[]> =>
  rested(
    tx,
    before,
    `and t.agency = $2 and t.last_fix < $3
       and not exists (select 1 from metering.work w where w.stage = 'match' and w.key = t.device and w.wanted > w.done and w.last_error is not null)`,
    [agency, until],
  )

const rested = async (
  tx: Tx,
  before: Instant,
  condition: string,
  parameters: readonly Parameter[],
): Promise<DeviceId[]> =>
  (
    await tx.rows<{ device: DeviceId }>(
      `select distinct t.device from metering.trip t join metering.stream s using (device, boot)
       where t.waits = 'open' and upper(s.held) <= s.processed ${condition}
         and not exists (select 1 from location.batch b where b.device = t.device and b.boot = t.boot and b.seq >= t.first_seq and b.received_at >= $1)`,
      [before, ...parameters],
    )
  ).map((r) => r.device)

/** Whether the cut-off of a month, or of a later one, is being taken or was: trips of it are ended by rest. */
export const isClosing = async (tx: Tx, agency: AgencyId, month: string): Promise<boolean> =>
  (await tx.row(`select 1 from money.period where agency = $1 and month >= $2 and closing_since is not null limit 1`, [
    agency,
    month,
  ])) !== null

/** Devices that have waited since `before` for a batch that is missing. */
export const gappedDevices = async (tx: Tx, before: Instant): Promise<DeviceId[]> =>
  (
    await tx.rows<{ device: DeviceId }>(
      `select distinct s.device from metering.stream s join location.batch b
         on b.device = s.device and b.boot = s.boot and b.seq > s.processed and b.received_at < $1
       where not s.held @> s.processed`,
      [before],
    )
  ).map((r) => r.device)

export const ratedVehicleOf = (tx: Tx, vehicle: VehicleId): Promise<RatedVehicle | null> =>
  tx.row<RatedVehicle>(`select id as vehicle, vehicle_class as "vehicleClass" from metering.vehicle where id = $1`, [
    vehicle,
  ])
