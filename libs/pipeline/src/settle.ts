import { type AccountId } from '#kernel'
import { holdTransfer, settle as settlements, settlementTransfer } from '#ledger'
import {
  accountById,
  billsOf,
  claimsOf,
  creditOf,
  destroyWork,
  holdingOf,
  lockAccount,
  record,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'

export const settleWork = (account: AccountId): WorkKey => ({ stage: 'settle', key: account })

/**
 * Makes an account's bills, disputes and credit agree: see `settle` of the ledger. Wanted after whatever changes one of them, so that an
 * erasure that waited for a payment or the end of a dispute goes on at once.
 */
export async function settle(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const payer = key as AccountId
  await lockAccount(tx, payer)
  const bills = await billsOf(tx, payer)
  if (bills.length === 0) return []
  const claims = await claimsOf(tx, payer)
  const credit = await creditOf(tx, payer)
  const now = line.clock.now()
  const turns = new Map<string, number>([
    ...bills.map((bill) => [bill.statement, bill.turn] as const),
    ...claims.map((claim) => [claim.dispute, claim.turn] as const),
  ])
  const turnOf = (name: string): number => {
    const turn = turns.get(name)!
    turns.set(name, turn + 1)
    return turn
  }
  const { agency } = (await accountById(tx, payer))!
  const transfers = settlements(bills, claims, credit).map((move) => {
    const { statement } = move
    const { month, currency } = bills.find((bill) => bill.statement === statement)!
    const occasion = { agency, currency, payer, happenedAt: now }
    const transfer =
      move.kind === 'hold'
        ? holdTransfer(occasion, { statement, dispute: move.dispute, turn: turnOf(move.dispute) }, move.amount)
        : settlementTransfer(occasion, { statement, turn: turnOf(statement) }, move.amount)
    return { transfer, month }
  })
  await record(tx, transfers, now)
  const erasureAskedAt = (await holdingOf(tx, payer))?.erasureAskedAt ?? null
  return erasureAskedAt === null ? [] : [destroyWork(payer)]
}
