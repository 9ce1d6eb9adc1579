import { micros } from '#kernel'
import { outlook } from './outlook'

const day = (name: string, coins: number) => ({
  day: name,
  trips: 1,
  distanceMm: 1_000_000,
  amount: micros(BigInt(coins) * 1_000_000n),
})

describe('the month so far', () => {
  it('goes on as usual: what is driven, and what was usual of the rest', () => {
    // Usual: (10 + 20 + 30) and (30 + 30) make a mean of 60 a month, of which (30 + 30) / 2 = 30 by the 15th.
    const days = [
      day('2026-08-02', 10),
      day('2026-08-15', 20),
      day('2026-08-16', 30),
      day('2026-09-01', 30),
      day('2026-09-30', 30),
      day('2026-10-03', 45),
    ]
    const found = outlook(days, '2026-10-15', { amount: '70', alertPercent: 80 })
    expect(found).toMatchObject({
      month: '2026-10',
      soFarMicros: '45000000',
      trips: 1,
      usual: { months: ['2026-08', '2026-09'], byNowMicros: '30000000', monthMicros: '60000000' },
      projectedMicros: '75000000',
      budget: { state: 'will-be-over' },
      before: { month: '2026-09' },
    })
  })

  it('goes on as it began where nothing is usual yet', () => {
    // 14 coins in 7 of 28 days.
    const found = outlook([day('2026-02-03', 14)], '2026-02-07', null)
    expect(found).toMatchObject({ usual: null, projectedMicros: '56000000', budget: null, before: null })
  })

  it.each([
    [100, 'within'],
    [50, 'near'],
    [39, 'over'],
  ])('of 40 coins in the whole month stands to a budget of %d as %s', (amount, state) => {
    const found = outlook([day('2026-04-30', 40)], '2026-04-30', { amount: String(amount), alertPercent: 80 })
    expect(found.budget!.state).toBe(state)
  })

  it('is nothing in a month in which nothing was driven', () => {
    expect(outlook([], '2026-10-01', null)).toMatchObject({ soFarMicros: '0', projectedMicros: '0', days: [] })
  })
})
