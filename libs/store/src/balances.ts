import { micros, type AccountId, type Micros } from '#kernel'
import { shardOf, type AccountName } from '#ledger'
import { type Tx } from './store'

/** Most entries of a chain that one transaction folds. */
const FOLD_MAX = 20_000

/**
 * Folds entries into what accounts held: `money.balance` is a projection of the postings of all entries below `money.balance_head`, chain by
 * chain. Returns how many entries were folded; call it until there are none. Whoever folds at the same time waits for the heads.
 */
export async function foldBalances(tx: Tx): Promise<number> {
  await tx.run(`insert into money.balance_head (shard, length) select shard, 0 from money.chain on conflict do nothing`)
  const heads = await tx.rows<{ shard: number; from: string; to: string }>(
    `select h.shard, h.length as from, least(c.length, h.length + ${FOLD_MAX}) as to
     from money.balance_head h join money.chain c using (shard) order by shard for update of h`,
  )
  const behind = heads.map(({ shard, from, to }) => ({ shard, from: Number(from), to: Number(to) })).filter((h) => h.from < h.to) // prettier-ignore
  if (behind.length === 0) return 0
  const columns = [behind.map((h) => h.shard), behind.map((h) => h.from), behind.map((h) => h.to)]
  await tx.run(
    `insert into money.balance (account, amount)
     select p.account, sum(p.amount)::int8 from unnest($1::int[], $2::int8[], $3::int8[]) as h(shard, from_index, to_index)
       join money.transfer t on t.shard = h.shard and t.index >= h.from_index and t.index < h.to_index join money.posting p on p.transfer = t.id
     group by p.account
     on conflict (account) do update set amount = balance.amount + excluded.amount`,
    columns,
  )
  await tx.run(
    `update money.balance_head b set length = h.to_index from unnest($1::int[], $2::int8[]) as h(shard, to_index) where b.shard = h.shard`,
    [columns[0], columns[2]],
  )
  return behind.reduce((sum, { from, to }) => sum + to - from, 0)
}

/**
 * What an account of the ledger that only a payer's transfers move holds: the snapshot, and what was posted since, so that it costs the
 * same after a year as after a month.
 */
export async function balanceOf(tx: Tx, payer: AccountId, account: AccountName): Promise<Micros> {
  const row = await tx.row<{ held: string }>(
    `select (coalesce((select amount from money.balance where account = $2), 0)
       + coalesce((select sum(p.amount) from money.transfer t join money.posting p on p.transfer = t.id and p.account = $2
           where t.payer = $1 and t.index >= coalesce((select length from money.balance_head where shard = $3), 0)), 0))::text as held`,
    [payer, account, shardOf(payer)],
  )
  return micros(BigInt(row!.held))
}

/** What all accounts of the ledger hold by their kind (`accrued`, `revenue`, ...): the snapshot, and what was posted since. */
export async function trialBalance(tx: Tx): Promise<{ kind: string; accounts: number; amount: Micros }[]> {
  const rows = await tx.rows<{ kind: string; accounts: string; amount: string }>(
    `select split_part(account, ':', 1) as kind, count(distinct account) as accounts, sum(amount) as amount from (
       select account, amount from money.balance
       union all
       select p.account, p.amount from money.chain c left join money.balance_head h using (shard)
         join money.transfer t on t.shard = c.shard and t.index >= coalesce(h.length, 0) join money.posting p on p.transfer = t.id) held
     group by 1 order by 1`,
  )
  return rows.map(({ kind, accounts, amount }) => ({
    kind,
    accounts: Number(accounts),
    amount: micros(BigInt(amount)),
  }))
}
