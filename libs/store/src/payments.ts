import { type WalletPlan } from '#contracts'
import {
  formatMicros,
  micros,
  parseMicros,
  type AccountId,
  type AgencyId,
  type Instant,
  type Micros,
  type StatementId,
} from '#kernel'
import { type Bill } from '#ledger'
import { type Tx } from './store'

/** Money that was asked for (above zero) or is paid back (below). What has become of it is in its events. */
export interface Payment {
  readonly id: string
  readonly agency: AgencyId
  readonly account: AccountId
  /** null: paid ahead, or paid back from credit. */
  readonly statement: StatementId | null
  readonly amount: Micros
  readonly currency: string
  readonly provider: string
  /** The payment that is paid back. */
  readonly refunds: string | null
  readonly askedAt: Instant
}

export interface PaymentEvent {
  readonly provider: string
  /** The provider's name for it: the same event again changes nothing. */
  readonly event: string
  readonly payment: string
  readonly kind: 'asked' | 'succeeded' | 'failed'
  readonly amount: Micros
  /** What the provider calls the payment. */
  readonly reference: string
  readonly detail: string
  readonly happenedAt: Instant
}

type Text<T, K extends keyof T> = Omit<T, K> & Record<K, string>
const PAYMENT = `id, agency, account, statement, amount::text as amount, currency, provider, refunds, asked_at::text as "askedAt"`
const paymentFrom = (row: Text<Payment, 'amount' | 'askedAt'>): Payment => ({
  ...row,
  amount: micros(BigInt(row.amount)),
  askedAt: Number(row.askedAt) as Instant,
})

/** One payer's money is moved by one transaction at a time. */
export const lockAccount = (tx: Tx, account: AccountId): Promise<number> =>
  tx.run(`select pg_advisory_xact_lock(hashtextextended('account/' || $1, 0))`, [account])

/** 0 where it was asked for before. */
export const savePayment = (tx: Tx, p: Payment): Promise<number> =>
  tx.run(
    `insert into money.payment (id, agency, account, statement, amount, currency, provider, refunds, asked_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (id) do nothing`,
    [p.id, p.agency, p.account, p.statement, p.amount, p.currency, p.provider, p.refunds, p.askedAt],
  )

export async function paymentById(tx: Tx, id: string): Promise<Payment | null> {
  const row = await tx.row<Text<Payment, 'amount' | 'askedAt'>>(`select ${PAYMENT} from money.payment where id = $1`, [
    id,
  ])
  return row && paymentFrom(row)
}

/** An account's payments, newest first, each with its events in the order in which they were recorded. */
export async function paymentsOf(tx: Tx, account: AccountId): Promise<{ payment: Payment; events: PaymentEvent[] }[]> {
  const payments = await tx.rows<Text<Payment, 'amount' | 'askedAt'>>(
    `select ${PAYMENT} from money.payment where account = $1 order by asked_at desc, id limit 500`,
    [account],
  )
  const events = await tx.rows<Text<PaymentEvent, 'amount' | 'happenedAt'>>(
    `select provider, event, payment, kind, amount::text as amount, reference, detail, happened_at::text as "happenedAt"
     from money.payment_event where payment = any($1::text[]) order by recorded_at, kind <> 'asked', happened_at, event`,
    [payments.map((p) => p.id)],
  )
  return payments.map((row) => ({
    payment: paymentFrom(row),
    events: events
      .filter((e) => e.payment === row.id)
      .map((e) => ({ ...e, amount: micros(BigInt(e.amount)), happenedAt: Number(e.happenedAt) as Instant })),
  }))
}

/** False where this event is known already. */
export const savePaymentEvent = async (tx: Tx, e: PaymentEvent, now: Instant): Promise<boolean> =>
  (await tx.run(
    `insert into money.payment_event (provider, event, payment, kind, amount, reference, detail, happened_at, recorded_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [e.provider, e.event, e.payment, e.kind, e.amount, e.reference, e.detail.slice(0, 500), e.happenedAt, now],
  )) === 1

/** Whether an event of a provider is on record. */
export const isTold = async (tx: Tx, provider: string, event: string): Promise<boolean> =>
  (await tx.row(`select 1 from money.payment_event where provider = $1 and event = $2`, [provider, event])) !== null

/** A sealed statement and what has become of it. `turn` numbers its next settlement. */
export interface BillRow extends Bill {
  readonly month: string
  readonly currency: string
  readonly turn: number
}

/** Sealed statements of an account, oldest first. */
export async function billsOf(tx: Tx, account: AccountId): Promise<BillRow[]> {
  const rows = await tx.rows<Text<BillRow, 'due' | 'paid' | 'turn'>>(
    `select s.id as statement, s.month, s.document::jsonb->>'currency' as currency, s.due::text as due, m.paid, m.turn
     from money.statement s cross join lateral (
       select coalesce(-sum(p.amount), 0)::text as paid, count(*) filter (where x.kind = 'settlement') as turn
       from money.transfer x left join money.posting p on p.transfer = x.id and p.account = 'billed:' || s.account
       where x.transfer->>'statement' = s.id and x.kind in ('payment', 'settlement')) m
     where s.account = $1 and s.state = 'sealed' order by s.month`,
    [account],
  )
  return rows.map((row) => ({
    ...row,
    due: micros(BigInt(row.due)),
    paid: micros(BigInt(row.paid)),
    turn: Number(row.turn),
  }))
}

/** Whose of these statements there is something to settle: what is given back, credit to pay from, or a dispute. */
export const accountsToSettle = async (tx: Tx, statements: readonly StatementId[]): Promise<AccountId[]> =>
  (
    await tx.rows<{ account: AccountId }>(
      `select s.account from money.statement s where s.id = any($1::text[])
         and (s.due < 0 or exists (select 1 from money.dispute d where d.account = s.account)
           or exists (select 1 from money.posting p where p.account = 'wallet:' || s.account))`,
      [statements],
    )
  ).map(({ account }) => account)

/** What a payer has paid ahead or been credited, less what is on its way back. */
export const creditOf = async (tx: Tx, account: AccountId): Promise<Micros> =>
  micros(
    BigInt(
      (await tx.row<{ credit: string }>(
        `select ((select coalesce(-sum(amount), 0) from money.posting where account = 'wallet:' || $1)
           + (select coalesce(sum(amount), 0) from money.payment p where account = $1 and amount < 0
               and not exists (select 1 from money.payment_event e where e.payment = p.id and e.kind <> 'asked')))::text as credit`,
        [account],
      ))!.credit,
    ),
  )

/** Accounts that were given budgets under a reference: for how many vehicles, and how much in all. In the order of their ids. */
export const endowedAccounts = async (
  tx: Tx,
  agency: AgencyId,
  reference: string,
  after: AccountId,
  most: number,
): Promise<{ account: AccountId; vehicles: number; given: Micros }[]> =>
  (
    await tx.rows<{ account: AccountId; vehicles: string; given: string }>(
      `select p.account, count(*) as vehicles, sum(e.amount)::text as given
       from money.payment p join money.payment_event e on e.payment = p.id and e.kind = 'succeeded'
       where p.agency = $1 and p.provider = 'endowment' and starts_with(e.event, $2 || '/') and p.account > $3
       group by p.account order by p.account limit $4`,
      [agency, reference, after, most],
    )
  ).map(({ account, vehicles, given }) => ({
    account,
    vehicles: Number(vehicles),
    given: micros(BigInt(given)),
  }))

/** A refund that was asked for like this one, and of which nobody has told what became of it. */
export async function refundInHand(
  tx: Tx,
  account: AccountId,
  { provider, amount, refunds }: Pick<Payment, 'provider' | 'amount' | 'refunds'>,
): Promise<Payment | null> {
  const row = await tx.row<Text<Payment, 'amount' | 'askedAt'>>(
    `select ${PAYMENT} from money.payment p where account = $1 and provider = $2 and amount = $3 and amount < 0 and refunds is not distinct from $4
       and not exists (select 1 from money.payment_event e where e.payment = p.id and e.kind <> 'asked') order by asked_at, id limit 1`,
    [account, provider, amount, refunds],
  )
  return row && paymentFrom(row)
}

/** What is left of a payment that came in, less all that was or is being given back of it. Below zero: too much. */
export const leftOfPayment = async (tx: Tx, payment: string): Promise<Micros> =>
  micros(
    BigInt(
      (await tx.row<{ left: string }>(
        `select ((select coalesce(sum(amount), 0) from money.payment_event where payment = $1 and kind = 'succeeded')
           + (select coalesce(sum(amount), 0) from money.payment p where refunds = $1
               and (exists (select 1 from money.payment_event e where e.payment = p.id and e.kind = 'succeeded')
                 or not exists (select 1 from money.payment_event e where e.payment = p.id and e.kind = 'failed'))))::text as left`,
        [payment],
      ))!.left,
    ),
  )

/** How many payments of a statement, or ahead of any, have come to an end: what tells the next one from them. */
export const finishedPayments = async (tx: Tx, account: AccountId, statement: StatementId | null): Promise<number> =>
  Number(
    (await tx.row<{ n: string }>(
      `select count(*) as n from money.payment p where account = $1 and statement is not distinct from $2
         and exists (select 1 from money.payment_event e where e.payment = p.id and e.kind <> 'asked')`,
      [account, statement],
    ))!.n,
  )

export async function walletPlanOf(tx: Tx, account: AccountId): Promise<WalletPlan | null> {
  const row = await tx.row<{ floor: string; top_up: string }>(
    `select floor::text as floor, top_up::text as top_up from money.wallet_plan where account = $1`,
    [account],
  )
  const text = (value: string) => formatMicros(micros(BigInt(value)))
  return row && { floor: text(row.floor), topUp: text(row.top_up) }
}

export const saveWalletPlan = (tx: Tx, account: AccountId, plan: WalletPlan): Promise<number> =>
  tx.run(
    `insert into money.wallet_plan (account, floor, top_up) values ($1, $2, $3)
     on conflict (account) do update set floor = excluded.floor, top_up = excluded.top_up`,
    [account, parseMicros(plan.floor), parseMicros(plan.topUp)],
  )
