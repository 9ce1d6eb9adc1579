import { type Budget, type OwnDevice, type TripSummary } from '#contracts'
import { formatMicros, micros, parseMicros, type AccountId, type Micros } from '#kernel'
import { type Tx } from './store'

/** Trips in one answer. */
const TRIPS_MAX = 2_000

/** The trips of an account that were driven in a month, or the one that is named, newest first; at most 2,000. */
export async function tripSummaries(
  tx: Tx,
  account: AccountId,
  of: { readonly month: string } | { readonly trip: string },
): Promise<TripSummary[]> {
  const [condition, value] = 'month' in of ? ['t.month = $2', of.month] : ['t.id = $2', of.trip]
  const rows = await tx.rows<Record<keyof TripSummary, string> & { statement: string | null }>(
    `select t.id as trip, t.vehicle, v.name as "vehicleName", t.started_at as "startedAt", t.ended_at as "endedAt", t.month, t.state,
       coalesce(c.mm, 0) as "distanceMm", coalesce(c.free, 0) as "freeMm", coalesce(c.inferred, 0) as "inferredMm", coalesce(c.amount, 0)::text as "amountMicros",
       (select s.id from money.period_trip p join money.statement s on s.agency = p.agency and s.month = p.month and s.account = p.account
        where p.trip = t.id limit 1) as statement
     from metering.trip t join metering.vehicle v on v.id = t.vehicle
       left join lateral (select sum(distance_mm) as mm, sum(distance_mm) filter (where rate is null) as free, sum(inferred_mm) as inferred, sum(amount) as amount
         from money.charge c where c.trip = t.id) c on true
     where t.account = $1 and ${condition} and t.started_at is not null order by t.started_at desc, t.id limit ${TRIPS_MAX}`,
    [account, value],
  )
  return rows.map((row) => ({
    ...row,
    startedAt: Number(row.startedAt),
    endedAt: Number(row.endedAt),
    distanceMm: Number(row.distanceMm),
    freeMm: Number(row.freeMm),
    inferredMm: Number(row.inferredMm),
  }))
}

/** What an account's trips came to, by local day, from a month on; caps and the like, which are of more than a day, left out. */
export async function drivenDays(
  tx: Tx,
  account: AccountId,
  fromMonth: string,
): Promise<{ day: string; trips: number; distanceMm: number; amount: Micros }[]> {
  const rows = await tx.rows<{ day: string; trips: string; mm: string; amount: string }>(
    `select c.day, count(distinct c.trip) as trips, sum(c.distance_mm) as mm, sum(c.amount)::text as amount
     from metering.trip t join money.charge c on c.trip = t.id
     where t.account = $1 and t.month >= $2 group by c.day order by c.day`,
    [account, fromMonth],
  )
  return rows.map(({ day, trips, mm, amount }) => ({
    day: String(day),
    trips: Number(trips),
    distanceMm: Number(mm),
    amount: micros(BigInt(amount)),
  }))
}

export async function budgetOf(tx: Tx, account: AccountId): Promise<Budget | null> {
  const row = await tx.row<{ amount: string; alert: number }>(
    `select amount::text as amount, alert_percent as alert from money.budget where account = $1`,
    [account],
  )
  return row && { amount: formatMicros(micros(BigInt(row.amount))), alertPercent: row.alert }
}

/** null: no budget any more. */
export const saveBudget = (tx: Tx, account: AccountId, budget: Budget | null): Promise<number> =>
  budget === null
    ? tx.run(`delete from money.budget where account = $1`, [account])
    : tx.run(
        `insert into money.budget (account, amount, alert_percent) values ($1, $2, $3)
         on conflict (account) do update set amount = excluded.amount, alert_percent = excluded.alert_percent`,
        [account, parseMicros(budget.amount), budget.alertPercent],
      )

/** The devices that sit in an account's vehicles. */
export async function devicesOfAccount(tx: Tx, account: AccountId): Promise<OwnDevice[]> {
  const rows = await tx.rows<Omit<OwnDevice, 'lastBatchAt'> & { lastBatchAt: string | null }>(
    `select d.id as device, d.vehicle, case when d.revoked_at is not null then 'revoked' when d.token_digest is null then 'invited' else 'active' end as state,
       p.online, (select b.received_at from location.batch b where b.device = d.id order by boot desc, seq desc limit 1) as "lastBatchAt"
     from metering.device d join metering.vehicle v on v.id = d.vehicle left join metering.device_presence p on p.device = d.id
     where v.account = $1 order by d.vehicle, d.id`,
    [account],
  )
  return rows.map((row) => ({ ...row, lastBatchAt: row.lastBatchAt === null ? null : Number(row.lastBatchAt) }))
}
