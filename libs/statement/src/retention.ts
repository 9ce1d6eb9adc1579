import { type Instant } from '#kernel'

const DAY_MS = 86_400_000

/** What decides how long the stretches of a statement's trips are kept. Moments are epoch milliseconds. */
export interface BillFacts {
  readonly sealedAt: Instant
  /** When nothing was left to pay; null while something is. */
  readonly paidAt: Instant | null
  /** When the last dispute about it ended; null where there was none. */
  readonly disputedUntil: Instant | null
  /** Days after the seal that the policy names, and that the statement tells; null where it names none. */
  readonly policyDays: number | null
  readonly erasureAsked: boolean
}

export interface Keeping {
  readonly keepStretchesDays: number
  readonly keepUnpaidDays: number
}

/**
 * From when on stretches are not to be kept. By the policy's own day, where it names one; else so many days after payment, and
 * after so many at the latest where nobody pays (Oregon, ORS 319.915: 30 days after payment or the end of a dispute). Whoever asked
 * for erasure doesn't wait, once it is paid. An open dispute is the caller's to see: it holds everything.
 */
export function stretchesUntil(bill: BillFacts, { keepStretchesDays, keepUnpaidDays }: Keeping): Instant {
  const { sealedAt, paidAt, disputedUntil, policyDays, erasureAsked } = bill
  const unpaid = sealedAt + keepUnpaidDays * DAY_MS
  const after = (moment: number, days: number) => Math.max(moment, disputedUntil ?? 0) + days * DAY_MS
  if (erasureAsked) return (paidAt === null ? unpaid : after(paidAt, 0)) as Instant
  if (policyDays !== null) return Math.max(sealedAt + policyDays * DAY_MS, disputedUntil ?? 0) as Instant
  const settled = paidAt === null ? unpaid : Math.min(unpaid, paidAt + keepStretchesDays * DAY_MS)
  return (disputedUntil === null ? settled : Math.max(settled, disputedUntil + keepStretchesDays * DAY_MS)) as Instant
}
