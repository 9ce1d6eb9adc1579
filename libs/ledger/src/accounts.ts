import { digest, micros, NO_MONEY, type AccountId, type AgencyId, type Micros } from '#kernel'

/**
 * The accounts of the ledger. An amount above zero is what the account's owner owes or has (a debit), below zero what is
 * owed to or earned by it (a credit), so that all accounts together are zero at any moment.
 */
export type AccountName =
  | `accrued:${string}`
  | `billed:${string}`
  | `disputed:${string}`
  | `wallet:${string}`
  | `revenue:${string}`
  | `rounding:${string}`
  | `cash:${string}`
  | `endowed:${string}`

/** Driven but not yet on a statement. */
export const accrued = (account: AccountId): AccountName => `accrued:${account}`
/** Asked for by sealed statements and not yet paid. */
export const billed = (account: AccountId): AccountName => `billed:${account}`
/** Of what was billed, what a dispute holds: nobody asks for it until the dispute is decided. */
export const disputed = (account: AccountId): AccountName => `disputed:${account}`
/** What a payer has paid ahead or been credited: below zero, since it is owed to the payer. */
export const wallet = (account: AccountId): AccountName => `wallet:${account}`
/** Earned by a jurisdiction: a city, a county, a state. */
export const revenue = (jurisdiction: string): AccountName => `revenue:${jurisdiction}`
/** What rounding statements to the coin has given and taken. */
export const rounding = (agency: AgencyId): AccountName => `rounding:${agency}`
export const cash = (agency: AgencyId): AccountName => `cash:${agency}`
/** What an agency has given those who take part in a trial to spend on driving. */
export const endowed = (agency: AgencyId): AccountName => `endowed:${agency}`

/** One side of a transfer, in micros of the transfer's currency. */
export interface Posting {
  readonly account: AccountName
  readonly amount: Micros
}

/** What each account holds after these postings, in the order in which accounts first appear. */
export function balances(postings: Iterable<Posting>): Map<AccountName, Micros> {
  const held = new Map<AccountName, Micros>()
  for (const { account, amount } of postings) held.set(account, micros((held.get(account) ?? NO_MONEY) + amount))
  return held
}

/** Chains are cut by payer, so that posting scales. The number is part of every published head and never changes. */
export const SHARDS = 16

export function shardOf(payer: AccountId): number {
  let shard = shards.get(payer)
  if (shard === undefined) {
    shard = parseInt(digest(payer).slice(0, 8), 16) % SHARDS
    if (shards.size >= PAYERS_MAX) shards.clear()
    shards.set(payer, shard)
  }
  return shard
}
/** Payers whose shard is kept: those of some lots of transfers, each of which asks several times. */
const PAYERS_MAX = 10_000
const shards = new Map<AccountId, number>()
