import { type Charge, type PolicyDocument } from '#contracts'
import { runningBound, VEHICLES_MIN } from '#disclosure'
import {
  canonical,
  invariant,
  micros,
  type AccountId,
  type AgencyId,
  type Digest,
  type Instant,
  type TripId,
  type VehicleId,
} from '#kernel'
import { type Life, type Revision, type Step } from '#policy'
import { POSTED_MS } from './monthly-results'
import { type Tx } from './store'

const DAY_MS = 86_400_000
/** Where an agency has said nothing else; the trigger on tariff.policy has the same number. */
const NOTICE_DAYS = 30

/** A person who writes or approves an agency's policies. */
export interface Officer {
  readonly agency: AgencyId
  readonly person: string
  readonly role: 'editor' | 'approver'
  readonly name: string
}

/** Who acts, in which office. */
export type Actor = Pick<Officer, 'person' | 'role'>

/** Names a person; who is named stays named, under the first name. */
export const nameOfficer = (tx: Tx, officer: Officer, now: Instant): Promise<number> =>
  tx.run(
    `insert into tariff.officer (agency, person, role, name, named_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [officer.agency, officer.person, officer.role, officer.name, now],
  )

export const officersOf = (tx: Tx, agency: AgencyId): Promise<Officer[]> =>
  tx.rows(`select agency, person, role, name from tariff.officer where agency = $1 order by person, role`, [agency])

/** Whether a second person must approve the agency's policies: from the first approver that it names, for ever. */
export const isFourEyes = async (tx: Tx, agency: AgencyId): Promise<boolean> =>
  (await tx.row(`select 1 from tariff.officer where agency = $1 and role = 'approver' limit 1`, [agency])) !== null

export const setNotice = (tx: Tx, agency: AgencyId, days: number, reason: string, now: Instant): Promise<number> =>
  tx.run(`insert into tariff.notice (agency, recorded_at, days, reason) values ($1, $2, $3, $4)`, [
    agency,
    now,
    days,
    reason,
  ])

/** How long before it starts a policy of the agency must be public. */
export const noticeMsOf = async (tx: Tx, agency: AgencyId): Promise<number> =>
  ((
    await tx.row<{ days: number }>(
      `select days from tariff.notice where agency = $1 order by recorded_at desc limit 1`,
      [agency],
    )
  )?.days ?? NOTICE_DAYS) * DAY_MS

/** Whoever adds to the life of a policy does so alone until the transaction ends. */
export const lockPolicy = (tx: Tx, agency: AgencyId, policy: string): Promise<number> =>
  tx.run(`select tariff.lock_policy($1, $2)`, [agency, policy])

/** Policies of an agency that have a recorded life, newest work first. */
export const draftsOf = async (tx: Tx, agency: AgencyId): Promise<string[]> =>
  (
    await tx.rows<{ policy: string }>(
      `select policy from tariff.revision where agency = $1 group by policy order by max(recorded_at) desc, policy`,
      [agency],
    )
  ).map((row) => row.policy)

/** The recorded life of a policy; without revisions where there is none. */
export async function lifeOf(tx: Tx, agency: AgencyId, policy: string): Promise<Life> {
  const revisions = await tx.rows<Omit<Revision, 'at'> & { at: string }>(
    `select revision, digest, author, reason, recorded_at as at from tariff.revision where agency = $1 and policy = $2 order by revision`,
    [agency, policy],
  )
  const steps = await tx.rows<Omit<Step, 'at'> & { at: string }>(
    `select revision, step, person, reason, recorded_at as at, evidence from tariff.step where agency = $1 and policy = $2 order by revision, index`,
    [agency, policy],
  )
  const timed = <T>(row: T & { at: string }) => ({ ...row, at: Number(row.at) as Instant })
  return { revisions: revisions.map(timed), steps: steps.map(timed) }
}

/** The document of a revision, or of the latest one. */
export const draftDocument = async (
  tx: Tx,
  agency: AgencyId,
  policy: string,
  revision?: number,
): Promise<PolicyDocument | null> =>
  (
    await tx.row<{ document: PolicyDocument }>(
      `select document from tariff.revision where agency = $1 and policy = $2 and revision = coalesce($3, (select max(revision) from tariff.revision where agency = $1 and policy = $2))`,
      [agency, policy, revision ?? null],
    )
  )?.document ?? null

export async function addRevision(
  tx: Tx,
  agency: AgencyId,
  document: PolicyDocument,
  { digest, author, reason, at, revision }: Revision,
): Promise<void> {
  const added = await tx.run(
    `insert into tariff.revision (agency, policy, revision, digest, document, author, reason, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [agency, document.id, revision, digest, JSON.stringify(document), author, reason, at],
  )
  invariant(added === 1, `revision ${revision} of policy ${document.id} was not added`)
}

export const addStep = (
  tx: Tx,
  agency: AgencyId,
  policy: string,
  { revision, step, reason, at, evidence }: Omit<Step, 'person'>,
  { person, role }: Actor,
): Promise<number> =>
  tx.run(
    `insert into tariff.step (agency, policy, revision, index, step, person, role, reason, recorded_at, evidence)
     values ($1, $2, $3, (select count(*) from tariff.step where agency = $1 and policy = $2 and revision = $3), $4, $5, $6, $7, $8, $9)`,
    [agency, policy, revision, step, person, role, reason, at, evidence],
  )

/** A draft that rates alongside, over the trips that begin in [from, to), and charges nobody. */
export interface Shadow {
  readonly policy: string
  readonly revision: number
  readonly from: Instant
  readonly to: Instant
  readonly document: PolicyDocument
  readonly digest: Digest
}

export const addShadow = (
  tx: Tx,
  agency: AgencyId,
  shadow: Pick<Shadow, 'policy' | 'revision' | 'from' | 'to'> & { reason: string; at: Instant },
  { person, role }: Actor,
): Promise<number> =>
  tx.run(
    `insert into tariff.shadow (agency, policy, revision, from_at, to_at, person, role, reason, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [agency, shadow.policy, shadow.revision, shadow.from, shadow.to, person, role, shadow.reason, shadow.at],
  )

export const shadowsOf = async (tx: Tx, agency: AgencyId): Promise<Shadow[]> =>
  (
    await tx.rows<Omit<Shadow, 'from' | 'to'> & { from: string; to: string }>(
      `select s.policy, s.revision, s.from_at as from, s.to_at as to, r.document, r.digest
       from tariff.shadow s join tariff.revision r using (agency, policy, revision) where agency = $1 order by s.policy, s.revision`,
      [agency],
    )
  ).map((row) => ({ ...row, from: Number(row.from) as Instant, to: Number(row.to) as Instant }))

/** Keeps what a shadow would have charged for a trip; done again it changes nothing. */
export const saveShadowTrip = (
  tx: Tx,
  agency: AgencyId,
  { policy, revision }: Pick<Shadow, 'policy' | 'revision'>,
  trip: TripId,
  charges: readonly Charge[],
): Promise<number> =>
  tx.run(
    `insert into metering.shadow_trip (agency, policy, revision, trip, charges) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [agency, policy, revision, trip, canonical(charges)],
  )

/** A posted trip as it is in the books, and what a shadow would have charged for it. */
export interface ShadowTrip {
  readonly trip: TripId
  readonly account: AccountId
  readonly vehicle: VehicleId
  readonly startedAt: Instant
  readonly charges: readonly Charge[]
}

/** The posted trips that were matched before `until`, of the accounts that follow `after`, whole accounts in their order; of at most `most` accounts. */
export async function shadowTrips(
  tx: Tx,
  agency: AgencyId,
  { policy, revision }: Pick<Shadow, 'policy' | 'revision'>,
  until: Instant,
  after: AccountId | null,
  most: number,
): Promise<ShadowTrip[]> {
  const rows = await tx.rows<
    Omit<ShadowTrip, 'startedAt' | 'charges'> & { started_at: string; charges: StoredCharge[] }
  >(
    `select s.trip, t.account, t.vehicle, t.started_at, s.charges from metering.shadow_trip s join metering.trip t on t.id = s.trip
     where s.agency = $1 and s.policy = $2 and s.revision = $3 and t.state = 'posted' and t.matched_at < $6 and t.account in (
       select distinct t.account from metering.shadow_trip s join metering.trip t on t.id = s.trip
       where s.agency = $1 and s.policy = $2 and s.revision = $3 and t.state = 'posted' and t.matched_at < $6 and t.account > $4
       order by t.account limit $5)
     order by t.account, t.started_at, t.id`,
    [agency, policy, revision, after ?? '', most, until],
  )
  return rows.map(({ started_at, charges, ...row }) => ({
    ...row,
    startedAt: Number(started_at) as Instant,
    charges: charges.map((charge) => ({
      ...charge,
      rate: charge.rate && { ...charge.rate, micros: micros(BigInt(charge.rate.micros)) },
      amount: micros(BigInt(charge.amount)),
    })),
  }))
}

/** What was told of a shadow last: of trips that were matched before `until`, as canonical JSON. */
export interface ToldShadow {
  readonly until: Instant
  readonly comparison: unknown
}

/**
 * What was told of a shadow last, and up to when it may be told now; null where it may not, or no further: whoever looks twice learns of
 * no fewer than `VEHICLES_MIN`, and where roads of its time are destroyed already nothing more is told, for a sum without somebody would
 * tell of them. One look at a time: the lock is held to the end of the transaction.
 */
export async function shadowBound(
  tx: Tx,
  agency: AgencyId,
  { policy, revision, from, to }: Shadow,
  now: Instant,
): Promise<{ told: ToldShadow | null; until: Instant | null }> {
  await tx.run(`select pg_advisory_xact_lock(hashtextextended('shadow/' || $1, 0))`, [agency])
  const of = [agency, policy, revision]
  const row = await tx.row<{ until: string; comparison: unknown }>(
    `select until, comparison from tariff.shadow_report where agency = $1 and policy = $2 and revision = $3 order by until desc limit 1`,
    of,
  )
  const told = row && { until: Number(row.until) as Instant, comparison: row.comparison }
  const destroyed = await tx.row(
    `select 1 from metering.trip where agency = $1 and started_at >= $2 and started_at < $3 and stretches_destroyed_at is not null limit 1`,
    [agency, from, to],
  )
  if (destroyed) return { told, until: null }
  const steps = await tx.rows<{ at: string; vehicles: string; few: string[] | null }>(
    `select matched_at / ${POSTED_MS} as at, count(distinct vehicle) as vehicles,
       case when count(distinct vehicle) < ${VEHICLES_MIN} then array_agg(distinct vehicle) end as few
     from metering.shadow_trip s join metering.trip t on t.id = s.trip
     where s.agency = $1 and s.policy = $2 and s.revision = $3 and t.state = 'posted' and matched_at < $4::int8 / ${POSTED_MS} * ${POSTED_MS}
     group by 1 order by 1`,
    [...of, now - POSTED_MS],
  )
  const bound = runningBound(
    steps.map(({ at, vehicles, few }) => ({ at: Number(at), vehicles: Number(vehicles), few })),
    VEHICLES_MIN,
  )
  const until = bound === null ? null : ((bound * POSTED_MS) as Instant)
  return { told, until: until !== null && until > (told?.until ?? 0) ? until : null }
}

export const saveToldShadow = (
  tx: Tx,
  agency: AgencyId,
  { policy, revision }: Shadow,
  { until, comparison }: ToldShadow,
  now: Instant,
): Promise<number> =>
  tx.run(
    `insert into tariff.shadow_report (agency, policy, revision, until, comparison, told_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [agency, policy, revision, until, canonical(comparison), now],
  )

/** As canonical JSON keeps it. */
type StoredCharge = Omit<Charge, 'rate' | 'amount'> & {
  rate: { micros: string; per: NonNullable<Charge['rate']>['per'] } | null
  amount: string
}
