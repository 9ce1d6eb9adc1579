import { type OpenDispute, type PolicyDocument, type Statement } from '#contracts'
import { deriveId, InputError, micros, toCoin, type Instant, type Micros } from '#kernel'
import { amountOf, dayText, localClock } from '#policy'
import { billingTerms } from './draft'

/** How long an agency has to decide. */
export const DECISION_DAYS = 30
/** How long after its due date a statement can be questioned where the policy doesn't say. */
const DISPUTE_DAYS = 60

/** What is questioned, what it is about in money and until when it is to be decided. */
export interface Subject {
  /** Derived: what was questioned once is not questioned again. */
  readonly id: string
  readonly statement: string
  readonly trip: string
  readonly line: number | null
  /** What the statement asks for it, in whole coins and never below zero. */
  readonly amount: Micros
  /** The last day, on the agency's clock, on which the agency must have decided. */
  readonly decideBy: string
}

/** The last day on which a statement can be questioned, on the clock of its agency. */
export function disputeUntil(statement: Statement, policies: readonly PolicyDocument[]): string {
  const { billing, timeZone } = billingTerms(policies, statement.month)
  const clock = localClock(timeZone)
  return dayText(clock.dayNumber(clock.spanOf(statement.dueOn).from) + (billing.disputeDays ?? DISPUTE_DAYS))
}

/**
 * What a citizen questions of a statement. Throws InputError NO_JOURNEY or NO_LINE where the statement has no such thing, and
 * DISPUTE_LATE where it can't be questioned any more.
 */
export function subjectOf(
  statement: Statement,
  asked: Pick<OpenDispute, 'trip' | 'line'>,
  policies: readonly PolicyDocument[],
  now: Instant,
): Subject {
  const { trip, line = null } = asked
  const journey = statement.journeys.find((j) => j.trip === trip)
  if (!journey) throw new InputError('NO_JOURNEY', `the statement of ${statement.month} has no journey ${trip}`)
  if (line !== null && !journey.lines[line])
    throw new InputError('NO_LINE', `journey ${trip} has ${journey.lines.length} lines, and no line ${line}`)
  const clock = localClock(statement.timeZone)
  const until = disputeUntil(statement, policies)
  if (clock.day(now) > until)
    throw new InputError('DISPUTE_LATE', `the statement of ${statement.month} could be questioned until ${until}`)
  const asks = line === null ? journey.amount : journey.lines[line].amount
  const amount = toCoin(asks > 0n ? asks : micros(0n), amountOf(statement.coin))
  return {
    id: deriveId('dispute', statement.id, trip, line ?? 'journey'),
    statement: statement.id,
    trip,
    line,
    amount,
    decideBy: dayText(clock.dayNumber(now) + DECISION_DAYS),
  }
}

export type DisputeState = 'open' | 'upheld' | 'refused' | 'withdrawn'

/** One step of a dispute, for its timeline. */
export interface DisputeStep {
  readonly kind: 'opened' | 'evidence' | 'note' | 'upheld' | 'refused' | 'withdrawn'
  readonly by: 'citizen' | 'agency'
  readonly at: Instant
}

/** What a dispute has come to: its last deciding step, or open. */
export const disputeState = (steps: readonly Pick<DisputeStep, 'kind'>[]): DisputeState => {
  for (const { kind } of [...steps].reverse())
    if (kind === 'upheld' || kind === 'refused' || kind === 'withdrawn') return kind
  return 'open'
}
