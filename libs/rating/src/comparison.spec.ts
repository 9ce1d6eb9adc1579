import * as fc from 'fast-check'
import { canonical, micros } from '#kernel'
import { addAccount, addSums, CELL_MIN, comparisonOf, noComparison, type ComparedAccount, type ComparisonSums } from '.'

const account = fc
  .record({
    before: fc.integer({ min: 0, max: 5_000 }),
    after: fc.integer({ min: 0, max: 5_000 }),
    vehicleClass: fc.constantFrom('car', 'van', 'truck'),
    area: fc.constantFrom('centre', 'east', 'west', 'north'),
    zone: fc.constantFrom('centre', 'east'),
    mm: fc.nat(1_000_000),
  })
  .map(({ before, after, vehicleClass, area, zone, mm }): ComparedAccount => ({
    trips: 2,
    vehicles: 1,
    distanceMm: mm,
    before: micros(BigInt(before)),
    after: micros(BigInt(after)),
    groups: { vehicleClass: [vehicleClass], programme: [], area: [area] },
    cells: [{ kind: 'zone', name: zone, vehicles: 1, distanceMm: mm, before, after }],
  }))
const accounts = fc.array(account, { maxLength: 80 })
const sumOf = (all: readonly ComparedAccount[]): ComparisonSums => {
  const sums = noComparison()
  for (const one of all) addAccount(sums, one)
  return sums
}

describe('a comparison', () => {
  it('is the same however accounts are put into parts, and in whatever order', () => {
    fc.assert(
      fc.property(accounts, fc.nat(80), fc.nat(80), (all, cut, turn) => {
        const whole = comparisonOf(sumOf(all))
        const turned = [...all.slice(turn % (all.length + 1)), ...all.slice(0, turn % (all.length + 1))]
        const parts = noComparison()
        // As they come back from where they were stored.
        for (const part of [turned.slice(0, cut), turned.slice(cut)])
          addSums(parts, JSON.parse(JSON.stringify(sumOf(part))) as ComparisonSums)
        expect(canonical(comparisonOf(parts))).toBe(canonical(whole))
      }),
    )
  })

  it('accounts for every micro, and each account pays more, less or the same', () => {
    fc.assert(
      fc.property(accounts, (all) => {
        const { revenue, bills, accounts: count } = comparisonOf(sumOf(all))
        const sum = (side: 'before' | 'after') => all.reduce((total, one) => total + one[side], 0n)
        expect([revenue.before, revenue.after, count]).toEqual([sum('before'), sum('after'), all.length])
        if (bills) expect(bills.more + bills.less + bills.same).toBe(all.length)
        else expect(all.length).toBeLessThan(CELL_MIN)
      }),
    )
  })

  it('shows nothing that stands for fewer than ten', () => {
    fc.assert(
      fc.property(accounts, (all) => {
        const { bills, groups, cells, suppressed } = comparisonOf(sumOf(all))
        for (const group of Object.values(groups).flat()) expect(group.accounts).toBeGreaterThanOrEqual(CELL_MIN)
        for (const cell of Object.values(cells).flat()) expect(cell.vehicles).toBeGreaterThanOrEqual(CELL_MIN)
        for (const rise of bills?.largestRises ?? []) expect(rise.accounts).toBe(CELL_MIN)
        const names = (of: (one: ComparedAccount) => string) => new Set(all.map(of)).size
        const kinds =
          names((one) => one.groups.area[0]) +
          names((one) => one.groups.vehicleClass[0]) +
          names((one) => one.cells[0].name)
        const shown = [...Object.values(groups), ...Object.values(cells)].flat().length
        expect(shown + suppressed).toBe(kinds)
        // A percentile with fewer than ten accounts beyond it tells of the few.
        for (const { percentile } of bills?.changeAt ?? [])
          if (percentile !== 50)
            expect((all.length * Math.min(percentile, 100 - percentile)) / 100).toBeGreaterThanOrEqual(CELL_MIN)
      }),
    )
  })

  it('tells of the largest rises ten by ten, in order', () => {
    // Thirty-five accounts whose bills of 100 rise by 1 to 35 micros: means of the top three tens are 130.5, 120.5 and 110.5.
    const all = Array.from({ length: 35 }, (_, i): ComparedAccount => ({
      trips: 1,
      vehicles: 1,
      distanceMm: 0,
      before: micros(100n),
      after: micros(BigInt(101 + i)),
      groups: { vehicleClass: ['car'], programme: [], area: ['east'] },
      cells: [],
    }))
    const { bills, groups } = comparisonOf(sumOf(all))
    expect(bills!.largestRises.map(({ before, after }) => [before, after])).toEqual([
      [100n, 130n],
      [100n, 120n],
      [100n, 110n],
    ])
    expect(bills!.changeAt).toEqual([{ percentile: 50, change: 18n }])
    expect(groups.area).toMatchObject([{ name: 'east', accounts: 35, more: 35, less: 0, before: 3500n }])
  })
})
