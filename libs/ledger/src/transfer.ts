import {
  deriveId,
  invariant,
  micros,
  NO_MONEY,
  toCoin,
  type AccountId,
  type AgencyId,
  type Digest,
  type Instant,
  type Micros,
  type PolicyId,
  type StatementId,
  type TransferId,
  type TripId,
  type VehicleId,
} from '#kernel'
import {
  accrued,
  balances,
  billed,
  cash,
  disputed,
  revenue,
  rounding,
  wallet,
  type AccountName,
  type Posting,
} from './accounts'

export type TransferKind =
  'trip' | 'cap' | 'mileage' | 'statement' | 'payment' | 'settlement' | 'hold' | 'reversal' | 'destruction'

/** What a transfer is about. */
interface Refs {
  readonly trip?: TripId
  /** 0 for the first rating of a trip; one more for each that replaces a reversed one. */
  readonly revision?: number
  readonly policy?: PolicyId
  readonly cap?: string
  readonly vehicle?: VehicleId
  /** The span that a cap counts over, `2026-10-25` for a day. */
  readonly span?: string
  /** The month of the mileage account that changed a cap's window. */
  readonly mileage?: string
  readonly statement?: StatementId
  /** The payment provider's or the cashier's reference. */
  readonly payment?: string
  readonly dispute?: string
  readonly reversalOf?: TransferId
  readonly reason?: string
  readonly destroyed?: Destroyed
}

/** A fact about money: never edited, only reversed. Its postings sum to zero; its id follows from what it is about. */
export interface Transfer extends Refs {
  readonly id: TransferId
  readonly kind: TransferKind
  readonly agency: AgencyId
  /** ISO 4217; a transfer never mixes two. */
  readonly currency: string
  /** Whose road use it is about; decides the chain that it is recorded in. */
  readonly payer: AccountId
  /** When it happened in the world. When it was recorded is the chain's to say. */
  readonly happenedAt: Instant
  /** At most one for an account, none of zero, sorted by account name. Empty where nothing was due. */
  readonly postings: readonly Posting[]
}

/** What was destroyed of somebody's locations, without saying anything of what it said. */
export interface Destroyed {
  readonly what: 'fixes' | 'stretches' | 'evidence' | 'answers'
  /** How many trips, files of evidence, or surveys it was of; `of` is the digest of their ids. */
  readonly count: number
  readonly of: Digest
  readonly rows: number
  /** Keys that were destroyed with it. Fewer than it was sealed with, where one still seals something else. */
  readonly keys: number
}

/** Who owes whom, in what, since when: common to every transfer. */
export interface Occasion {
  readonly agency: AgencyId
  readonly currency: string
  readonly payer: AccountId
  readonly happenedAt: Instant
}

export interface Earning {
  readonly jurisdiction: string
  readonly amount: Micros
}

/** What a trip costs: the payer owes it, the jurisdictions have earned it. */
export function tripTransfer(
  occasion: Occasion,
  subject: { readonly trip: TripId; readonly revision?: number },
  earnings: readonly Earning[],
): Transfer {
  const { trip, revision = 0 } = subject
  return transfer(occasion, 'trip', [trip, revision], { trip, revision }, earningPostings(occasion, earnings))
}

/**
 * What a cap gives back on account of one trip, or of a month's mileage: the change of the window's credit, so `credit` is zero or
 * below unless something of the window was reversed. They may come in any order: the changes add up to the credit of the whole
 * window.
 */
export function capTransfer(
  occasion: Occasion,
  subject: {
    readonly policy: PolicyId
    readonly cap: string
    readonly vehicle: VehicleId
    readonly span: string
    readonly revision?: number
  } & ({ readonly trip: TripId } | { readonly mileage: string }),
  credit: Earning,
): Transfer {
  const { policy, cap, vehicle, span, revision = 0 } = subject
  const by = 'trip' in subject ? { trip: subject.trip } : { mileage: subject.mileage }
  return transfer(
    occasion,
    'cap',
    [policy, cap, vehicle, span, ...Object.values(by), revision],
    { policy, cap, vehicle, span, ...by, revision },
    earningPostings(occasion, [credit]),
  )
}

/** What a mileage account comes to by the odometer, or the change since it was settled last: `revision` counts them. */
export function mileageTransfer(
  occasion: Occasion,
  subject: { readonly vehicle: VehicleId; readonly span: string; readonly revision: number },
  earnings: readonly Earning[],
): Transfer {
  const { vehicle, span, revision } = subject
  return transfer(
    occasion,
    'mileage',
    [vehicle, span, revision],
    { vehicle, span, revision },
    earningPostings(occasion, earnings),
  )
}

/**
 * Seals a statement: what was accrued, exactly, becomes a bill in whole coins (`coin` micros each), rounded half to even;
 * the residue is booked. A statement below zero is a credit and works the same.
 */
export function statementTransfer(
  occasion: Occasion,
  subject: { readonly statement: StatementId },
  exact: Micros,
  coin: bigint,
): Transfer {
  const due = toCoin(exact, coin)
  const { agency, payer } = occasion
  return transfer(occasion, 'statement', [subject.statement], { statement: subject.statement }, [
    { account: accrued(payer), amount: micros(-exact) },
    { account: billed(payer), amount: due },
    { account: rounding(agency), amount: micros(exact - due) },
  ])
}

/**
 * Money received (above zero) or paid back (below zero). What a statement still asks for goes to it, `toStatement`; the rest is
 * the payer's credit. `from` is where it came from, if not in cash.
 */
export function paymentTransfer(
  occasion: Occasion,
  subject: { readonly payment: string; readonly statement?: StatementId },
  amount: Micros,
  toStatement: Micros,
  from: AccountName = cash(occasion.agency),
): Transfer {
  const { payment, statement } = subject
  return transfer(occasion, 'payment', [payment], { payment, statement }, [
    { account: from, amount },
    { account: billed(occasion.payer), amount: micros(-toStatement) },
    { account: wallet(occasion.payer), amount: micros(toStatement - amount) },
  ])
}

/** Pays a statement from the payer's credit; below zero, what a statement gives back becomes credit. `turn` counts them. */
export function settlementTransfer(
  occasion: Occasion,
  subject: { readonly statement: StatementId; readonly turn: number },
  amount: Micros,
): Transfer {
  const { statement, turn } = subject
  return transfer(occasion, 'settlement', [statement, turn], { statement }, [
    { account: wallet(occasion.payer), amount },
    { account: billed(occasion.payer), amount: micros(-amount) },
  ])
}

/** Holds what a dispute is about; below zero, asks for it again. `turn` counts them. */
export function holdTransfer(
  occasion: Occasion,
  subject: { readonly statement: StatementId; readonly dispute: string; readonly turn: number },
  amount: Micros,
): Transfer {
  const { statement, dispute, turn } = subject
  return transfer(occasion, 'hold', [dispute, turn], { statement, dispute }, [
    { account: disputed(occasion.payer), amount },
    { account: billed(occasion.payer), amount: micros(-amount) },
  ])
}

/**
 * Takes a transfer back by its opposite, and names it. There is one reversal of a transfer and none of a reversal: what
 * was reversed in error is posted anew, as the next revision.
 */
export function reversalOf(original: Transfer, reason: string, happenedAt: Instant): Transfer {
  invariant(original.kind !== 'reversal', `transfer ${original.id} is itself a reversal`)
  invariant(reason !== '', `the reversal of transfer ${original.id} has no reason`)
  const { id } = original
  const postings = original.postings.map(({ account, amount }) => ({ account, amount: micros(-amount) }))
  const reversal = transfer({ ...original, happenedAt }, 'reversal', [id], { reversalOf: id, reason }, postings)
  return { ...original, ...reversal }
}

/**
 * A receipt in the chain for locations that were destroyed: no money moves, and nobody can say later that it was another day, or other
 * trips. `XXX` is ISO 4217's code for no currency.
 */
export const destructionTransfer = (
  occasion: Omit<Occasion, 'currency'>,
  destroyed: Destroyed,
  reason: string,
): Transfer =>
  transfer(
    { ...occasion, currency: 'XXX' },
    'destruction',
    [occasion.payer, destroyed.what, occasion.happenedAt, destroyed.of],
    { destroyed, reason },
    [],
  )

export const sumOf = (postings: Iterable<Posting>): Micros => {
  let sum = 0n
  for (const posting of postings) sum += posting.amount
  return micros(sum)
}

const earningPostings = ({ payer }: Occasion, earnings: readonly Earning[]): Posting[] =>
  earnings.flatMap(({ jurisdiction, amount }) => [
    { account: accrued(payer), amount },
    { account: revenue(jurisdiction), amount: micros(-amount) },
  ])

function transfer(
  { agency, currency, payer, happenedAt }: Occasion,
  kind: TransferKind,
  names: readonly (string | number)[],
  refs: Refs,
  postings: readonly Posting[],
): Transfer {
  const merged = [...balances(postings)]
    .filter(([, amount]) => amount !== NO_MONEY)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([account, amount]) => ({ account, amount }))
  const id = deriveId<TransferId>('transfer', kind, agency, ...names)
  invariant(sumOf(merged) === NO_MONEY, `the postings of ${kind} transfer ${id} do not sum to zero`)
  return { id, kind, agency, currency, payer, happenedAt, postings: merged, ...refs }
}
