import { type AgencyId, type Instant } from '#kernel'
import { type Tx } from './store'

/** How a pilot goes, in totals: no person, no vehicle, no place. */
export interface Standing {
  readonly accounts: number
  readonly vehicles: number
  readonly devices: number
  /** When the last batch was taken in; null before the first. */
  readonly lastReceivedAt: Instant | null
  /** Where the months' closes stand, newest first. */
  readonly periods: readonly { readonly month: string; readonly state: string; readonly stopped: number }[]
  /** Rejected messages that nobody replayed, by reason. */
  readonly quarantine: readonly { readonly reason: string; readonly messages: number; readonly devices: number }[]
  readonly disputes: { readonly open: number; readonly decideBy: string | null }
  /** Trips held for review because distances don't agree, and trips that can't be matched. */
  readonly held: { readonly reviews: number; readonly unmatched: number }
}

const PERIODS_MAX = 24

export async function standingOf(tx: Tx, agency: AgencyId): Promise<Standing> {
  const counts = await tx.row<Record<'accounts' | 'vehicles' | 'devices' | 'reviews' | 'unmatched', string>>(
    `select (select count(*) from metering.account where agency = $1) as accounts,
       (select count(*) from metering.vehicle v join metering.account a on a.id = v.account where a.agency = $1) as vehicles,
       (select count(*) from metering.device d join metering.vehicle v on v.id = d.vehicle join metering.account a on a.id = v.account where a.agency = $1) as devices,
       (select count(*) from metering.trip where agency = $1 and waits = 'review') as reviews,
       (select count(*) from metering.trip where agency = $1 and waits = 'held') as unmatched`,
    [agency],
  )
  const received = await tx.row<{ at: string | null }>(
    `select max(b.received_at) as at from metering.device d join metering.vehicle v on v.id = d.vehicle join metering.account a on a.id = v.account
       cross join lateral (select received_at from location.batch where device = d.id order by boot desc, seq desc limit 1) b where a.agency = $1`,
    [agency],
  )
  const periods = await tx.rows<{ month: string; state: string; stopped: string }>(
    `select p.month, p.state, (select count(distinct h.statement) from money.statement s join money.statement_hold h on h.statement = s.id
        left join money.hold_release r using (statement, reason) where s.agency = p.agency and s.month = p.month and r.statement is null) as stopped
     from money.period p where p.agency = $1 order by p.month desc limit ${PERIODS_MAX}`,
    [agency],
  )
  const quarantine = await tx.rows<{ reason: string; messages: string; devices: string }>(
    `select q.reason, count(*) as messages, count(distinct q.device) as devices from location.quarantine q join metering.device d on d.id = q.device
       join metering.vehicle v on v.id = d.vehicle join metering.account a on a.id = v.account
     where a.agency = $1 and q.replayed_at is null group by q.reason order by count(*) desc, q.reason`,
    [agency],
  )
  const disputes = await tx.row<{ open: string; decide_by: string | null }>(
    `select count(*) as open, min(decide_by) as decide_by from money.dispute d
     where agency = $1 and not exists (select 1 from money.dispute_step s where s.dispute = d.id and s.kind in ('upheld', 'refused', 'withdrawn'))`,
    [agency],
  )
  return {
    accounts: Number(counts!.accounts),
    vehicles: Number(counts!.vehicles),
    devices: Number(counts!.devices),
    lastReceivedAt: received?.at ? (Number(received.at) as Instant) : null,
    periods: periods.map((row) => ({ ...row, stopped: Number(row.stopped) })),
    quarantine: quarantine.map((row) => ({ ...row, messages: Number(row.messages), devices: Number(row.devices) })),
    disputes: { open: Number(disputes!.open), decideBy: disputes!.decide_by },
    held: { reviews: Number(counts!.reviews), unmatched: Number(counts!.unmatched) },
  }
}

/** How well distances are known, over the trips of closed months: whoever looks twice while trips come in would learn of one. */
export interface Accuracy {
  readonly vehicles: number
  readonly trips: number
  readonly matchedMm: number
  /** Of which between fixes on other roads: not measured where it was driven. */
  readonly inferredMm: number
  /** Driven where the map has no road: charged to nobody by road. */
  readonly offNetworkMm: number
  /** Of the trips with an odometer to compare with: both distances, and the differences without their signs. */
  readonly witnessed: {
    readonly vehicles: number
    readonly trips: number
    readonly meteredMm: number
    readonly odometerMm: number
    readonly differenceMm: number
  }
}

export async function accuracyOf(tx: Tx, agency: AgencyId): Promise<Accuracy> {
  const row = await tx.row<
    Record<
      | 'vehicles'
      | 'trips'
      | 'matched'
      | 'inferred'
      | 'off'
      | 'wvehicles'
      | 'wtrips'
      | 'metered'
      | 'odometer'
      | 'difference',
      string
    >
  >(
    `select count(distinct m.vehicle) as vehicles, count(*) as trips, coalesce(sum(matched_mm), 0) as matched, coalesce(sum(inferred_mm), 0) as inferred,
       coalesce(sum(off_network_mm), 0) as off, count(distinct m.vehicle) filter (where m.odometer_mm is not null and m.metered_mm is not null) as wvehicles,
       count(*) filter (where m.odometer_mm is not null and m.metered_mm is not null) as wtrips,
       coalesce(sum(metered_mm) filter (where m.odometer_mm is not null), 0) as metered,
       coalesce(sum(odometer_mm) filter (where m.metered_mm is not null), 0) as odometer,
       coalesce(sum(abs(metered_mm - odometer_mm)), 0) as difference
     from metering.trip_mileage m join money.period_trip p on p.trip = m.trip join metering.trip t on t.id = m.trip
     where p.agency = $1 and t.state = 'posted'`,
    [agency],
  )
  const n = (text: string) => Number(text)
  return {
    vehicles: n(row!.vehicles),
    trips: n(row!.trips),
    matchedMm: n(row!.matched),
    inferredMm: n(row!.inferred),
    offNetworkMm: n(row!.off),
    witnessed: {
      vehicles: n(row!.wvehicles),
      trips: n(row!.wtrips),
      meteredMm: n(row!.metered),
      odometerMm: n(row!.odometer),
      differenceMm: n(row!.difference),
    },
  }
}

/** Degrees: west, south, east, north of the network that is matched on; null where the agency has none. */
export const mapOf = async (
  tx: Tx,
  agency: AgencyId,
  at: Instant,
): Promise<{ network: string; attribution: string; bounds: [number, number, number, number] } | null> => {
  const row = await tx.row<{ network: string; attribution: string; w: number; s: number; e: number; n: number }>(
    `select digest as network, attribution, ST_XMin(bounds) as w, ST_YMin(bounds) as s, ST_XMax(bounds) as e, ST_YMax(bounds) as n
     from metering.network where agency = $1 and active_from <= $2 order by active_from desc, digest limit 1`,
    [agency, at],
  )
  return row && { network: row.network, attribution: row.attribution, bounds: [row.w, row.s, row.e, row.n] }
}

/** The agency, where there is but one. */
export async function soleAgency(tx: Tx): Promise<AgencyId | null> {
  const rows = await tx.rows<{ id: AgencyId }>(`select id from metering.agency limit 2`)
  return rows.length === 1 ? rows[0].id : null
}
