import { type Correction, type DisputeReason, type EvidenceType } from '#contracts'
import {
  micros,
  type AccountId,
  type AgencyId,
  type Digest,
  type Instant,
  type Micros,
  type StatementId,
  type TripId,
} from '#kernel'
import { type Claim } from '#ledger'
import { type DisputeStep } from '#statement'
import { type Tx } from './store'
import { type Sealed } from './vault'

export interface DisputeRow {
  readonly id: string
  readonly agency: AgencyId
  readonly account: AccountId
  readonly statement: StatementId
  readonly trip: TripId
  readonly line: number | null
  readonly amount: Micros
  readonly reason: DisputeReason
  readonly decideBy: string
  readonly openedAt: Instant
}

/** A step with what was said, shown or decided in it. */
export interface DisputeStepRow extends DisputeStep {
  readonly text: string
  readonly evidence: string | null
  readonly correction: Correction | null
}

type Text<T, K extends keyof T> = Omit<T, K> & Record<K, string>
const DISPUTE = `id, agency, account, statement, trip, line, amount::text as amount, reason, decide_by as "decideBy", opened_at::text as "openedAt"`
const disputeFrom = (row: Text<DisputeRow, 'amount' | 'openedAt'>): DisputeRow => ({
  ...row,
  amount: micros(BigInt(row.amount)),
  openedAt: Number(row.openedAt) as Instant,
})

/** 0 where this was questioned before. */
export const saveDispute = (tx: Tx, d: DisputeRow): Promise<number> =>
  tx.run(
    `insert into money.dispute (id, agency, account, statement, trip, line, amount, reason, decide_by, opened_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing`,
    [d.id, d.agency, d.account, d.statement, d.trip, d.line, d.amount, d.reason, d.decideBy, d.openedAt],
  )

/** Adds a step to the end of a dispute's timeline. */
export const saveStep = (tx: Tx, dispute: string, step: DisputeStepRow): Promise<number> =>
  tx.run(
    `insert into money.dispute_step (dispute, step, kind, by, at, text, evidence, correction)
     select $1, count(*), $2, $3, $4, $5, $6, $7::jsonb from money.dispute_step where dispute = $1`,
    [
      dispute,
      step.kind,
      step.by,
      step.at,
      step.text,
      step.evidence,
      step.correction && JSON.stringify(step.correction),
    ],
  )

/** Whoever changes a dispute waits here for whoever does so already. */
export async function lockDispute(tx: Tx, id: string): Promise<DisputeRow | null> {
  // A lock of the row would ask for the right to change it, which nobody has.
  await tx.rows(`select pg_advisory_xact_lock(hashtextextended('dispute ' || $1, 0))`, [id])
  const row = await tx.row<Text<DisputeRow, 'amount' | 'openedAt'>>(
    `select ${DISPUTE} from money.dispute where id = $1`,
    [id],
  )
  return row && disputeFrom(row)
}

export async function stepsOf(tx: Tx, dispute: string): Promise<DisputeStepRow[]> {
  const rows = await tx.rows<Text<DisputeStepRow, 'at'>>(
    `select kind, by, at::text as at, text, evidence, correction from money.dispute_step where dispute = $1 order by step`,
    [dispute],
  )
  return rows.map((row) => ({ ...row, at: Number(row.at) as Instant }))
}

export const DISPUTES_MAX = 500

/** Disputes of one account, or of all of an agency's; newest first, at most DISPUTES_MAX. */
export async function disputesOf(
  tx: Tx,
  whose: { readonly agency: AgencyId; readonly account: AccountId | null },
  openOnly = false,
): Promise<DisputeRow[]> {
  const rows = await tx.rows<Text<DisputeRow, 'amount' | 'openedAt'>>(
    `select ${DISPUTE} from money.dispute d where agency = $1 and ($2::text is null or account = $2)
       and (not $3 or not exists (select 1 from money.dispute_step s where s.dispute = d.id and s.kind in ('upheld', 'refused', 'withdrawn')))
     order by opened_at desc, id limit ${DISPUTES_MAX}`,
    [whose.agency, whose.account, openOnly],
  )
  return rows.map(disputeFrom)
}

const evidenceName = (dispute: string, id: string) => `evidence ${dispute} ${id}`

/** Sealed with a key of its dispute's own: what a picture shows is where somebody was. */
export async function saveEvidence(
  tx: Tx,
  dispute: string,
  file: { readonly id: Digest; readonly mediaType: EvidenceType; readonly bytes: Uint8Array },
): Promise<void> {
  const [{ key, bytes }] = await tx.vault.seal(tx, [
    { place: evidencePlace(dispute), name: evidenceName(dispute, file.id), bytes: file.bytes },
  ])
  await tx.run(
    `insert into location.evidence (id, dispute, media_type, bytes, key) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [file.id, dispute, file.mediaType, bytes, key],
  )
}

const evidencePlace = (dispute: string) => ({ subject: `dispute/${dispute}`, period: '' })

export async function evidenceOf(
  tx: Tx,
  dispute: string,
  id: string,
): Promise<{ mediaType: EvidenceType; bytes: Uint8Array } | null> {
  const row = await tx.row<{ mediaType: EvidenceType } & Sealed>(
    `select media_type as "mediaType", bytes, key from location.evidence where dispute = $1 and id = $2`,
    [dispute, id],
  )
  if (!row) return null
  const [bytes] = await tx.vault.open(tx, [{ ...row, name: evidenceName(dispute, id) }])
  return { mediaType: row.mediaType, bytes }
}

/** Seals up to `most` files that are kept in plain; returns how many there were. */
export async function sealPlainEvidence(tx: Tx, most: number): Promise<number> {
  const rows = await tx.rows<{ id: string; dispute: string; bytes: Uint8Array }>(
    `select id, dispute, bytes from location.evidence where key is null order by id limit ${most} for update`,
  )
  const closed = await tx.vault.seal(
    tx,
    rows.map(({ id, dispute, bytes }) => ({ place: evidencePlace(dispute), name: evidenceName(dispute, id), bytes })),
  )
  for (const [i, { id }] of rows.entries())
    await tx.run(`update location.evidence set key = $2, bytes = $3 where id = $1`, [
      id,
      closed[i].key,
      closed[i].bytes,
    ])
  return rows.length
}

/** A dispute's claim on a sealed statement, with the next turn of its hold. */
export interface ClaimRow extends Claim {
  readonly turn: number
}

/** What the disputes of an account ask to be held, oldest first. */
export async function claimsOf(tx: Tx, account: AccountId): Promise<ClaimRow[]> {
  const rows = await tx.rows<Text<ClaimRow, 'amount' | 'held' | 'turn' | 'awaited'>>(
    `select d.id as dispute, d.statement, d.amount::text as amount,
       not exists (select 1 from money.dispute_step s where s.dispute = d.id and s.kind in ('upheld', 'refused', 'withdrawn')) as "isOpen",
       h.held, h.turn,
       coalesce((select greatest(c.given_back, 0)::text from money.correction c left join money.period_correction p on p.dispute = c.dispute
         where c.dispute = d.id and not exists (
           select 1 from money.statement s where s.account = c.account and s.month = p.month and s.state = 'sealed')), '0') as awaited
     from money.dispute d cross join lateral (
       select coalesce(sum(p.amount), 0)::text as held, count(distinct x.id) as turn
       from money.transfer x join money.posting p on p.transfer = x.id and p.account = 'disputed:' || d.account
       where x.transfer->>'dispute' = d.id and x.kind = 'hold') h
     where d.account = $1 order by d.opened_at, d.id`,
    [account],
  )
  return rows.map((row) => ({
    ...row,
    amount: micros(BigInt(row.amount)),
    held: micros(BigInt(row.held)),
    awaited: micros(BigInt(row.awaited)),
    turn: Number(row.turn),
  }))
}
