import { type Signal } from '#contracts'
import { type AgencyId, type Instant, type TripId, type VehicleId } from '#kernel'
import { type Tx } from './store'

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
     from metering.trip t join metering.trip_mileage m on m.trip = t.id where t.agency = $1 and t.waits = 'review' order by t.month, t.id limit ${HELD_MAX}`,
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
