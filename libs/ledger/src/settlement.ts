import { micros, NO_MONEY, type Micros, type StatementId } from '#kernel'

/** What a sealed statement asks for, and what has become of that. */
export interface Bill {
  readonly statement: StatementId
  readonly due: Micros
  /** By payments and from credit. */
  readonly paid: Micros
}

/** A dispute about a sealed statement. */
export interface Claim {
  readonly dispute: string
  readonly statement: StatementId
  /** What it is about. */
  readonly amount: Micros
  readonly isOpen: boolean
  /** What is held on its account now. */
  readonly held: Micros
  /** Once it is upheld: what the payer gets back by a statement that isn't sealed yet. Until then it isn't asked for. */
  readonly awaited: Micros
}

export type Settlement =
  | { readonly kind: 'hold'; readonly dispute: string; readonly statement: StatementId; readonly amount: Micros }
  | { readonly kind: 'settlement'; readonly statement: StatementId; readonly amount: Micros }

/** What of a bill is to be paid now; below zero where the payer gets back. */
export const outstanding = (bill: Bill, claims: readonly Claim[]): Micros =>
  micros(bill.due - bill.paid - claims.reduce((sum, c) => sum + (c.statement === bill.statement ? c.held : 0n), 0n))

/**
 * What is to be moved so that a payer's bills, disputes and credit agree: open disputes hold what they are about, decided ones
 * let it go, bills below zero become credit, and credit pays bills, the first of `bills` first. Done once, it has nothing to do.
 */
export function settle(bills: readonly Bill[], claims: readonly Claim[], credit: Micros): Settlement[] {
  const moves: Settlement[] = []
  const open = new Map(bills.map((bill) => [bill.statement, outstanding(bill, claims)]))
  for (const { dispute, statement, amount, isOpen, held, awaited } of claims) {
    const asked = open.get(statement)
    if (asked === undefined) continue
    const target = isOpen ? (held > 0n ? held : least(amount, most(asked, NO_MONEY))) : least(held, awaited)
    if (target === held) continue
    moves.push({ kind: 'hold', dispute, statement, amount: micros(target - held) })
    open.set(statement, micros(asked + held - target))
  }
  let left: bigint = credit
  for (const { statement } of bills) {
    const asked = open.get(statement)!
    if (asked < 0n) {
      moves.push({ kind: 'settlement', statement, amount: asked })
      left -= asked
    }
  }
  for (const { statement } of bills) {
    const amount = least(open.get(statement)!, micros(left))
    if (amount <= 0n) continue
    moves.push({ kind: 'settlement', statement, amount })
    left -= amount
  }
  return moves
}

const least = (a: Micros, b: Micros): Micros => (a < b ? a : b)
const most = (a: Micros, b: Micros): Micros => (a > b ? a : b)
