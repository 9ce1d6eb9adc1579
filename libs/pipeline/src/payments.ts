import {
  deriveId,
  formatMicros,
  InputError,
  micros,
  NO_MONEY,
  type AccountId,
  type Instant,
  type AgencyId,
  type Micros,
} from '#kernel'
import { accrued, cash, endowed, outstanding, paymentTransfer } from '#ledger'
import {
  accountById,
  balanceOf,
  billsOf,
  claimsOf,
  creditOf,
  finishedPayments,
  isTold,
  leftOfPayment,
  lockAccount,
  paymentById,
  record,
  refundInHand,
  savePayment,
  savePaymentEvent,
  want,
  type BillRow,
  type Payment,
  type PaymentEvent,
  type Store,
  type Tx,
} from '#store'
import { type Line } from './line'
import { settleWork } from './settle'

/** A bill as its payer stands to it now. */
export interface OpenBill extends BillRow {
  readonly outstanding: Micros
  /** What disputes hold of it. */
  readonly held: Micros
}

/** An account's money: bills, credit, and what was driven since. All amounts are above zero where the payer owes or has them. */
export interface Position {
  readonly bills: readonly OpenBill[]
  readonly credit: Micros
  readonly accrued: Micros
  /** Credit less what is owed and what was driven. */
  readonly available: Micros
}

export async function positionOf(tx: Tx, account: AccountId): Promise<Position> {
  const [claims, billed, credit, driven] = await Promise.all([
    claimsOf(tx, account),
    billsOf(tx, account),
    creditOf(tx, account),
    balanceOf(tx, account, accrued(account)),
  ])
  const bills = billed.map((bill) => ({
    ...bill,
    outstanding: outstanding(bill, claims),
    held: micros(claims.reduce((sum, c) => sum + (c.statement === bill.statement ? c.held : 0n), 0n)),
  }))
  const owed = bills.reduce((sum, bill) => sum + bill.outstanding, 0n)
  return { bills, credit, accrued: driven, available: micros(credit - owed - driven) }
}

/** Who is asked to take a payment, or to give it back. */
export interface Teller {
  readonly provider: string
  readonly now: Instant
}

/**
 * Asks a payer for what a statement still asks for, or for `amount` of it. Throws InputError NO_STATEMENT, PAID where nothing is left
 * to pay, PAYMENT_TOO_LARGE for more than is left.
 */
export const askForStatement = (
  store: Store,
  account: AccountId,
  statement: string,
  amount: Micros | null,
  teller: Teller,
): Promise<Payment> =>
  store.transaction(async (tx) => {
    await lockAccount(tx, account)
    const bill = (await positionOf(tx, account)).bills.find((b) => b.statement === statement)
    if (!bill) throw new InputError('NO_STATEMENT', 'there is no such statement that is final')
    const { currency, month } = bill
    if (bill.outstanding <= 0n) throw new InputError('PAID', `nothing is left to pay of the statement of ${month}`)
    const asked = amount ?? bill.outstanding
    if (asked > bill.outstanding)
      throw new InputError(
        'PAYMENT_TOO_LARGE',
        `${currency} ${formatMicros(asked)} is more than the ${currency} ${formatMicros(bill.outstanding)} that the statement of ${month} asks for`,
      )
    return ask(tx, account, { statement: bill.statement, amount: asked, currency }, teller)
  })

/** Asks a payer for money ahead. */
export const askAhead = (
  store: Store,
  account: AccountId,
  amount: Micros,
  currency: string,
  teller: Teller,
): Promise<Payment> =>
  store.transaction(async (tx) => {
    await lockAccount(tx, account)
    return ask(tx, account, { statement: null, amount, currency }, teller)
  })

/**
 * Puts aside credit that is to be paid back, of a payment where its provider must know. Asked again before anybody has told what became
 * of it, it is the same, and put aside once. Throws InputError REFUND_TOO_LARGE for more than the payer's credit, or than is left of
 * that payment.
 */
export const askBack = (
  store: Store,
  account: AccountId,
  amount: Micros,
  currency: string,
  teller: Teller,
  refunds: string | null = null,
): Promise<Payment> =>
  store.transaction(async (tx) => {
    await lockAccount(tx, account)
    const back = { provider: teller.provider, amount: micros(-amount), refunds }
    const asked = await refundInHand(tx, account, back)
    if (asked) return asked
    // The credit may have come from elsewhere.
    const left = refunds === null ? null : await leftOfPayment(tx, refunds)
    if (left !== null && amount > left)
      throw new InputError(
        'REFUND_TOO_LARGE',
        `${currency} ${formatMicros(amount)} is more than the ${currency} ${formatMicros(left)} of this payment that can be given back`,
      )
    const credit = await creditOf(tx, account)
    if (amount > credit)
      throw new InputError(
        'REFUND_TOO_LARGE',
        `${currency} ${formatMicros(amount)} is more than the payer's credit of ${currency} ${formatMicros(credit)}`,
      )
    return ask(tx, account, { statement: null, currency, ...back }, teller)
  })

/** Asked again before it has come to an end, a payment is the same. Throws InputError NO_ACCOUNT. */
async function ask(
  tx: Tx,
  account: AccountId,
  what: Pick<Payment, 'statement' | 'amount' | 'currency'> & { readonly refunds?: string | null },
  { provider, now }: Teller,
): Promise<Payment> {
  const payer = await accountById(tx, account)
  if (!payer) throw new InputError('NO_ACCOUNT', `there is no account ${account}`)
  const { agency } = payer
  const { statement, amount, currency, refunds = null } = what
  const turn = await finishedPayments(tx, account, statement)
  const id = deriveId<string>(
    'payment',
    account,
    provider,
    statement ?? '',
    amount,
    turn,
    ...(refunds ? [refunds] : []),
  )
  const payment = { id, agency, account, statement, amount, currency, provider, refunds, askedAt: now }
  await savePayment(tx, payment)
  return payment
}

/** The one currency of an agency's tariff. Throws InputError NO_POLICY where it has none yet. */
export async function currencyOf(store: Store, agency: AgencyId, line: Line): Promise<string> {
  const { documents } = await store.transaction((tx) => line.reference.tariff(tx, agency))
  if (documents.length === 0) throw new InputError('NO_POLICY', `${agency} has no tariff yet`)
  return documents[0].currency
}

/** Who tells of money that no payment provider takes: an endowment is the agency's own. */
export type Desk = 'desk' | 'endowment'
const ENDOWMENT: Desk = 'endowment'

/**
 * Money that was handed over or transferred to the agency itself, under the reference in its books, for a statement or ahead;
 * below zero, credit that was paid out. The same reference again changes nothing, and false is told.
 */
export async function recordAtDesk(
  store: Store,
  account: AccountId,
  desk: {
    readonly statement: string | null
    readonly amount: Micros
    readonly currency: string
    readonly reference: string
  },
  now: Instant,
): Promise<boolean> {
  const teller = { provider: 'desk', now }
  const { statement, amount, currency, reference } = desk
  if (await store.transaction((tx) => isTold(tx, teller.provider, reference))) return false
  const payment =
    amount < 0n
      ? await askBack(store, account, micros(-amount), currency, teller)
      : statement === null
        ? await askAhead(store, account, amount, currency, teller)
        : await askForStatement(store, account, statement, amount, teller)
  const told = {
    event: reference,
    payment: payment.id,
    kind: 'succeeded',
    amount,
    reference,
    detail: '',
    happenedAt: now,
  } as const
  return recordPayment(store, { provider: teller.provider, ...told }, now)
}

/**
 * Puts on record what a provider or the desk tells of a payment: money that came goes to its statement as far as that asks for
 * it, the rest becomes the payer's credit. False where this was told before. Throws InputError NO_PAYMENT where nothing was
 * asked for under that id.
 */
export const recordPayment = (store: Store, told: PaymentEvent, now: Instant): Promise<boolean> =>
  store.transaction((tx) => recordWithin(tx, told, now))

async function recordWithin(tx: Tx, told: PaymentEvent, now: Instant): Promise<boolean> {
  const payment = await paymentById(tx, told.payment)
  if (!payment || payment.provider !== told.provider)
    throw new InputError('NO_PAYMENT', 'the message is about a payment that was never asked for')
  const { account, agency, currency, statement } = payment
  await lockAccount(tx, account)
  if (!(await savePaymentEvent(tx, told, now))) return false
  if (told.kind !== 'succeeded') return true
  const { bills } = await positionOf(tx, account)
  const bill = bills.find((b) => b.statement === statement)
  const asked = bill && bill.outstanding > 0n ? bill.outstanding : NO_MONEY
  const toStatement = told.amount < asked ? told.amount : asked
  const transfer = paymentTransfer(
    { agency, currency, payer: account, happenedAt: told.happenedAt },
    { payment: `${told.provider}/${told.event}`, ...(bill && { statement: bill.statement }) },
    told.amount,
    told.amount > 0n ? toStatement : NO_MONEY,
    told.provider === ENDOWMENT ? endowed(agency) : cash(agency),
  )
  await record(tx, [{ transfer, month: bill?.month ?? monthOf(told.happenedAt) }], now)
  await want(tx, [settleWork(account)])
  return true
}

/** A sum of money that is no payment of a statement, under a reference, asked for and recorded in one. False where it was before. */
export async function recordSum(
  tx: Tx,
  account: AccountId,
  { amount, currency, reference }: { readonly amount: Micros; readonly currency: string; readonly reference: string },
  teller: { readonly provider: Desk; readonly now: Instant },
): Promise<boolean> {
  const { provider, now } = teller
  if (await isTold(tx, provider, reference)) return false
  const { id } = await ask(tx, account, { statement: null, amount, currency }, teller)
  const told = { event: reference, payment: id, kind: 'succeeded', amount, reference, detail: '' } as const
  return recordWithin(tx, { provider, ...told, happenedAt: now }, now)
}

/** Books are kept by UTC where a payment is about no month of an agency. */
const monthOf = (at: Instant): string => new Date(at).toISOString().slice(0, 7)
