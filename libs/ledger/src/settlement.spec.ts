import fc from 'fast-check'
import { micros, type StatementId } from '#kernel'
import { outstanding, settle, type Bill, type Claim } from './settlement'

const bill = (statement: string, due: number, paid = 0): Bill => ({
  statement: statement as StatementId,
  due: micros(BigInt(due)),
  paid: micros(BigInt(paid)),
})
const claim = (
  statement: string,
  amount: number,
  rest: Partial<Record<'held' | 'awaited', number>> = {},
  isOpen = true,
) => ({
  dispute: `about ${statement}`,
  statement: statement as StatementId,
  amount: micros(BigInt(amount)),
  isOpen,
  held: micros(BigInt(rest.held ?? 0)),
  awaited: micros(BigInt(rest.awaited ?? 0)),
})
const none = micros(0n)

/** The position after the moves. */
function apply(bills: readonly Bill[], claims: readonly Claim[], credit: bigint) {
  const moves = settle(bills, claims, micros(credit))
  const paidOf = (id: string) =>
    moves.reduce((s, m) => s + (m.kind === 'settlement' && m.statement === id ? m.amount : 0n), 0n)
  const heldOf = (id: string) => moves.reduce((s, m) => s + (m.kind === 'hold' && m.dispute === id ? m.amount : 0n), 0n)
  return {
    moves,
    bills: bills.map((b) => ({ ...b, paid: micros(b.paid + paidOf(b.statement)) })),
    claims: claims.map((c) => ({ ...c, held: micros(c.held + heldOf(c.dispute)) })),
    credit: credit - bills.reduce((s, b) => s + paidOf(b.statement), 0n),
  }
}

describe('settlement', () => {
  it('credit pays the first bill first, and no more than there is', () => {
    expect(settle([bill('may', 300), bill('june', 500)], [], micros(450n))).toEqual([
      { kind: 'settlement', statement: 'may', amount: 300n },
      { kind: 'settlement', statement: 'june', amount: 150n },
    ])
  })
  it('a statement below zero becomes credit, which pays the others', () => {
    expect(settle([bill('may', 300), bill('june', -500)], [], none)).toEqual([
      { kind: 'settlement', statement: 'june', amount: -500n },
      { kind: 'settlement', statement: 'may', amount: 300n },
    ])
  })
  it('an open dispute holds its amount and no more than is asked for; refused it is asked for again', () => {
    expect(settle([bill('may', 300)], [claim('may', 120)], micros(1_000n))).toEqual([
      { kind: 'hold', dispute: 'about may', statement: 'may', amount: 120n },
      { kind: 'settlement', statement: 'may', amount: 180n },
    ])
    expect(settle([bill('may', 300, 250)], [claim('may', 120)], none)).toMatchObject([{ kind: 'hold', amount: 50n }])
    expect(settle([bill('may', 300, 300)], [claim('may', 120)], none)).toEqual([])
    expect(settle([bill('may', 300)], [claim('may', 120, { held: 120 }, false)], none)).toMatchObject([
      { kind: 'hold', amount: -120n },
    ])
  })
  it('upheld, what the payer gets back stays held until a statement gives it back', () => {
    const upheld = (awaited: number, held: number) => claim('may', 120, { held, awaited }, false)
    expect(settle([bill('may', 300)], [upheld(100, 120)], none)).toMatchObject([{ kind: 'hold', amount: -20n }])
    expect(settle([bill('may', 300)], [upheld(100, 100)], none)).toEqual([])
    expect(settle([bill('may', 300), bill('june', -100)], [upheld(0, 100)], none)).toMatchObject([
      { kind: 'hold', amount: -100n },
      { kind: 'settlement', statement: 'june', amount: -100n },
      { kind: 'settlement', statement: 'may', amount: 100n },
    ])
  })
  it('whatever the position: settled once it is settled, nothing appears or vanishes, and credit never runs below zero', () => {
    const amount = fc.integer({ min: -1000, max: 1000 })
    const bills = fc.array(fc.tuple(amount, fc.integer({ min: 0, max: 1000 })), { maxLength: 5 })
    const claims = fc.array(
      fc.record({
        bill: fc.nat(5),
        amount: fc.nat(500),
        isOpen: fc.boolean(),
        held: fc.nat(200),
        awaited: fc.nat(200),
      }),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(bills, claims, fc.nat(3000), (b, c, credit) => {
        const before = b.map(([due, paid], i) => bill(`s${i}`, due, paid))
        const about = c.map((x, i) => ({ ...claim(`s${x.bill}`, x.amount, x, x.isOpen), dispute: `d${i}` }))
        const after = apply(before, about, BigInt(credit))
        expect(settle(after.bills, after.claims, micros(after.credit))).toEqual([])
        expect(after.credit >= 0n).toBe(true)
        for (const held of after.claims) expect(held.held >= 0n).toBe(true)
        for (const [i, paid] of after.bills.entries()) {
          // Paid from credit: never more than was asked for; what is left unpaid means that the credit is used up.
          const rest = outstanding(paid, after.claims)
          expect(rest >= 0n).toBe(true)
          if (rest > 0n) expect(after.credit).toBe(0n)
          expect(paid.due).toBe(before[i].due)
        }
      }),
    )
  })
})
