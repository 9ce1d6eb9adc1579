import { type AccountId, type AgencyId, type Instant, type TripId } from '#kernel'
import { type Tx } from './store'

/** A request of somebody of an agency to look at where a trip went. */
export interface BreakGlass {
  readonly id: string
  readonly agency: AgencyId
  readonly account: AccountId
  readonly trip: TripId
  readonly askedBy: string
  readonly why: string
  readonly askedAt: Instant
  /** null until a second person approves. */
  readonly approvedBy: string | null
  /** Until when the trip may be looked at. */
  readonly until: Instant | null
}

export const askBreakGlass = (
  tx: Tx,
  { id, agency, account, trip, askedBy, why, askedAt }: Omit<BreakGlass, 'approvedBy' | 'until'>,
): Promise<number> =>
  tx.run(
    `insert into metering.break_glass (id, agency, account, trip, asked_by, why, asked_at) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [id, agency, account, trip, askedBy, why, askedAt],
  )

/** Refused by the database where it is the asker, or no approver. */
export const approveBreakGlass = (tx: Tx, id: string, by: string, at: Instant, until: Instant): Promise<number> =>
  tx.run(
    `insert into metering.break_glass_approval (request, approved_by, approved_at, until_at) values ($1, $2, $3, $4) on conflict do nothing`,
    [id, by, at, until],
  )

const LISTED_MAX = 200

async function where(tx: Tx, condition: string, parameters: readonly string[]): Promise<BreakGlass[]> {
  const rows = await tx.rows<Omit<BreakGlass, 'askedAt' | 'until'> & { askedAt: string; until: string | null }>(
    `select b.id, b.agency, b.account, b.trip, b.asked_by as "askedBy", b.why, b.asked_at as "askedAt", a.approved_by as "approvedBy", a.until_at as until
     from metering.break_glass b left join metering.break_glass_approval a on a.request = b.id where ${condition} order by b.asked_at desc, b.id limit ${LISTED_MAX}`,
    parameters,
  )
  return rows.map((row) => ({
    ...row,
    askedAt: Number(row.askedAt) as Instant,
    until: row.until === null ? null : (Number(row.until) as Instant),
  }))
}

/** The newest requests of an agency. */
export const breakGlassOf = (tx: Tx, agency: AgencyId): Promise<BreakGlass[]> => where(tx, 'b.agency = $1', [agency])

export const breakGlassById = async (tx: Tx, id: string): Promise<BreakGlass | null> =>
  (await where(tx, 'b.id = $1', [id]))[0] ?? null

/** The approved request of a person for a trip that lasts the longest. */
export const grantFor = async (tx: Tx, trip: TripId, person: string): Promise<BreakGlass | null> =>
  (
    await where(tx, 'b.trip = $1 and b.asked_by = $2 and a.until_at is not null', [trip, person])
  ).reduce<BreakGlass | null>((best, one) => (best && best.until! >= one.until! ? best : one), null)
