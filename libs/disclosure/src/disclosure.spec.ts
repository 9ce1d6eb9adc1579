import fc from 'fast-check'
import { chance } from '#kernel'
import {
  apart,
  budgetOf,
  costOf,
  differenceRefusal,
  disclose,
  discreteGaussian,
  discreteLaplace,
  mergeCells,
  runningBound,
  spend,
  Tally,
  withNoise,
  type Cell,
  type Contribution,
  type Draw,
} from '#disclosure'

const K = 10
const protection = { k: K, dominancePercent: 10, margins: [[0], [1]] }
/** Seeded, by rejection of 48-bit numbers: exact for what these tests ask. */
const seeded = (seed: string): Draw => {
  const dice = chance(seed)
  return (below) => {
    for (const most = ((1n << 48n) / below) * below; ;) {
      const drawn = (BigInt(dice.below(1 << 24)) << 24n) | BigInt(dice.below(1 << 24))
      if (drawn < most) return drawn % below
    }
  }
}

/** A city of vehicles that each add to some cells of a small table. */
const city = fc.array(
  fc.array(fc.record({ x: fc.nat(3), y: fc.nat(3), sum: fc.bigInt({ min: 0n, max: 500n }) }), {
    minLength: 1,
    maxLength: 5,
  }),
  { minLength: 1, maxLength: 120 },
)
const contributionsOf = (vehicle: readonly { x: number; y: number; sum: bigint }[]): Contribution[] =>
  vehicle.map(({ x, y, sum }) => ({ key: [`x${x}`, `y${y}`], sums: [sum] }))
const tallied = (vehicles: readonly Contribution[][]): Cell[] => {
  const tally = new Tally([200n])
  for (const vehicle of vehicles) tally.add(vehicle)
  return tally.cells()
}
const name = (cell: Cell) => cell.key.join()

describe('a tally', () => {
  it('counts distinct vehicles, and is the same in parts', () => {
    fc.assert(
      fc.property(city, fc.nat(120), (vehicles, at) => {
        const all = vehicles.map(contributionsOf)
        const whole = tallied(all)
        const parts = mergeCells([tallied(all.slice(0, at)), tallied(all.slice(at))])
        const sorted = (cells: Cell[]) => [...cells].sort((a, b) => (name(a) < name(b) ? -1 : 1))
        expect(sorted(parts)).toEqual(sorted(whole))
        for (const cell of whole) {
          const of = all
            .map((own) => own.filter(({ key }) => key.join() === name(cell)))
            .filter((own) => own.length > 0)
          expect(cell.vehicles).toBe(of.length)
          const sums = of
            .map((own) => own.reduce((sum, { sums: [add] }) => sum + add, 0n))
            .sort((a, b) => Number(b - a))
          expect([cell.largest, cell.second]).toEqual([sums[0], sums[1] ?? 0n])
          expect(cell.over[0]).toBe(sums.reduce((sum, add) => sum + (add > 200n ? add - 200n : 0n), 0n))
        }
      }),
    )
  })
})

describe('suppression', () => {
  it('publishes no cell of a few or of one, and no line from which one follows', () => {
    fc.assert(
      fc.property(city, (vehicles) => {
        const cells = tallied(vehicles.map(contributionsOf))
        const { published, suppressed, totals } = disclose(cells, protection)
        const shown = new Set(published.map(name))
        for (const cell of published) {
          expect(cell.vehicles).toBeGreaterThanOrEqual(K)
          expect(cell.largest === 0n || (cell.sums[0] - cell.largest - cell.second) * 10n >= cell.largest).toBe(true)
        }
        const lines = [
          ...[0, 1, 2, 3].map((i) => cells.filter(({ key }) => key[0] === `x${i}`)),
          ...[0, 1, 2, 3].map((i) => cells.filter(({ key }) => key[1] === `y${i}`)),
        ]
        for (const line of lines) {
          const withheld = line.filter((cell) => !shown.has(name(cell)))
          if (withheld.length === 0 || withheld.length === line.length) continue
          expect(withheld.length).toBeGreaterThan(1)
          expect(Math.max(...withheld.map((cell) => cell.vehicles))).toBeGreaterThanOrEqual(K)
        }
        expect(published.length + suppressed.few + suppressed.dominated + suppressed.complementary).toBe(cells.length)
        const withheld = cells.filter((cell) => !shown.has(name(cell)))
        if (totals) {
          expect(totals[0]).toBe(cells.reduce((sum, { sums: [add] }) => sum + add, 0n))
          if (withheld.length > 0) expect(Math.max(...withheld.map((cell) => cell.vehicles))).toBeGreaterThanOrEqual(K)
        } else expect(shown.size === 0 || withheld.length > 0 || cells.length === 0).toBe(true)
      }),
    )
  })
  it('takes a second cell with the one that is of a few', () => {
    const line = (counts: number[]) =>
      counts.map((vehicles, i): Cell => {
        const sums = [BigInt(vehicles) * 5n]
        return { key: ['a', String(i)], vehicles, sums, over: [0n], squares: 0, largest: 5n, second: 5n }
      })
    const { published, suppressed, totals } = disclose(line([9, 40, 12, 30]), protection)
    expect(published.map(({ key }) => key[1])).toEqual(['1', '3'])
    expect(suppressed).toEqual({ few: 1, dominated: 0, complementary: 1 })
    expect(totals).toEqual([455n])
    // Nothing to hide it behind: nothing is told of the total either.
    expect(disclose(line([9]), protection)).toMatchObject({ published: [], totals: null })
  })
  it('withholds a cell that its second largest vehicle sees through', () => {
    const cell: Cell = { key: ['a'], vehicles: 12, sums: [1050n], over: [0n], squares: 0, largest: 1000n, second: 20n }
    expect(disclose([cell], { ...protection, margins: [] }).suppressed.dominated).toBe(1)
    expect(disclose([{ ...cell, sums: [1120n] }], { ...protection, margins: [] }).suppressed.dominated).toBe(0)
  })
})

describe('the release register', () => {
  it('refuses a release that differs from an earlier one by a few vehicles, and lets one out that differs by many', () => {
    fc.assert(
      fc.property(city, fc.nat(40), (vehicles, added) => {
        const all = vehicles.map(contributionsOf)
        const released = (of: Contribution[][]) => ({
          dimensions: ['x', 'y'],
          cells: disclose(tallied(of), { ...protection, margins: [] }).published,
        })
        const [first, second] = [released(all.slice(added)), released(all)]
        const isGiven = second.cells.some((cell) => {
          const before = first.cells.find((other) => name(other as Cell) === name(cell as Cell))
          return before && cell.sums[0] !== before.sums[0] && cell.vehicles - before.vehicles < K
        })
        const refusal = differenceRefusal(first, second, K)
        expect(refusal !== null).toBe(isGiven)
        expect(refusal ?? '').not.toMatch(/x\d|y\d/)
        expect(differenceRefusal(second, second, K)).toBeNull()
      }),
    )
  })
  it('holds a coarser table against the finer one', () => {
    const fine = {
      dimensions: ['zone', 'hour'],
      cells: [
        { key: ['centre', '7'], vehicles: 20, sums: [200n] },
        { key: ['centre', '8'], vehicles: 30, sums: [300n] },
      ],
    }
    const coarse = (vehicles: number, sum: bigint) => ({
      dimensions: ['zone'],
      cells: [{ key: ['centre'], vehicles, sums: [sum] }],
    })
    expect(differenceRefusal(fine, coarse(35, 500n), K)).toBeNull()
    expect(differenceRefusal(fine, coarse(35, 507n), K)).toMatch(/^cells by zone differ .*fewer than 10 vehicles/)
    expect(differenceRefusal(fine, coarse(60, 620n), K)).toBeNull()
    expect(differenceRefusal(coarse(35, 507n), fine, K)).toMatch(/^cells by zone differ/)
    expect(differenceRefusal({ dimensions: ['arm'], cells: [] }, fine, K)).toBeNull()
  })
})

describe('two groups', () => {
  it('are apart by those who are in one alone', () => {
    const group = fc.uniqueArray(fc.nat(40).map((n) => String(100 + n))).map((names) => names.sort())
    fc.assert(
      fc.property(group, group, (one, other) => {
        const alone = [...one, ...other].filter((name) => one.includes(name) !== other.includes(name))
        expect(apart(one, other, K)).toBe(Math.min(K, alone.length))
      }),
    )
  })
})

describe('a sum that still grows', () => {
  it('grows by what ten vehicles did, whenever one looks, and so it does at its end', () => {
    const drives = fc.array(fc.record({ at: fc.nat(30), vehicle: fc.nat(25) }), { maxLength: 200 })
    fc.assert(
      fc.property(drives, fc.array(fc.nat(31), { maxLength: 12 }), (all, looks) => {
        const shown = (until: number) => {
          const steps = Array.from({ length: until }, (_, at) => {
            const of = [...new Set(all.filter((drive) => drive.at === at).map(({ vehicle }) => `v${vehicle}`))]
            return { at, vehicles: of.length, few: of.length < K ? of : null }
          }).filter(({ vehicles }) => vehicles > 0)
          const bound = runningBound(steps, K)
          return bound === null ? [] : all.filter(({ at }) => at < bound)
        }
        const told = [...[...looks].sort((a, b) => a - b).map(shown), all]
        for (let i = 1; i < told.length; i++) {
          const before = new Set(told[i - 1])
          const added = told[i].filter((drive) => !before.has(drive))
          expect(told[i]).toEqual(expect.arrayContaining([...before]))
          const enough = added.length === 0 || new Set(added.map(({ vehicle }) => vehicle)).size >= K
          // Of nothing told before, nothing is told at the end of too few either: that is suppression's.
          expect(enough || before.size === 0).toBe(true)
        }
      }),
    )
    const many = (at: number) => ({ at, vehicles: 12, few: null })
    expect(runningBound([many(1)], K)).toBeNull()
    expect(runningBound([many(1), many(5)], K)).toBe(5)
    expect(runningBound([many(1), many(5), { at: 6, vehicles: 1, few: ['a'] }], K)).toBe(5)
    expect(runningBound([], K)).toBeNull()
  })
})

describe('noise', () => {
  const moments = (draw: () => bigint, n: number) => {
    let [sum, squares, zeros] = [0, 0, 0]
    for (let i = 0; i < n; i++) {
      const x = Number(draw())
      sum += x
      squares += x * x
      if (x === 0) zeros++
    }
    return { mean: sum / n, variance: squares / n, zeros: zeros / n }
  }
  it('is the discrete Laplace distribution', () => {
    // scale 3/2: q = exp(-2/3), P(0) = (1 - q) / (1 + q), variance = 2q / (1 - q)²
    const draw = seeded('laplace')
    const found = moments(() => discreteLaplace(draw, [3n, 2n]), 20_000)
    const q = Math.exp(-2 / 3)
    expect(found.mean).toBeCloseTo(0, 1)
    expect(Math.abs(found.zeros - (1 - q) / (1 + q))).toBeLessThan(0.01)
    expect(Math.abs(found.variance / ((2 * q) / (1 - q) ** 2) - 1)).toBeLessThan(0.06)
  })
  it('is the discrete Gaussian distribution', () => {
    const draw = seeded('gauss')
    const found = moments(() => discreteGaussian(draw, [25n, 4n]), 10_000)
    expect(Math.abs(found.mean)).toBeLessThan(0.1)
    expect(Math.abs(found.variance / 6.25 - 1)).toBeLessThan(0.06)
    expect(Math.abs(found.zeros - 1 / Math.sqrt(2 * Math.PI * 6.25))).toBeLessThan(0.012)
  })
  it('hides the part of a vehicle that its bound says, and is never below zero', () => {
    const cell: Cell = {
      key: ['a'],
      vehicles: 12,
      sums: [5_000n],
      over: [4_000n],
      squares: 9,
      largest: 4_200n,
      second: 90n,
    }
    const draw = seeded('cells')
    const noisy = Array.from(
      { length: 400 },
      () => withNoise([cell], [200n], { kind: 'laplace', millionths: 1_000_000 }, draw)[0],
    )
    const mean = noisy.reduce((sum, { sums: [of] }) => sum + Number(of), 0) / noisy.length
    expect(Math.abs(mean - 1_000)).toBeLessThan(60)
    expect(noisy.every(({ vehicles, sums: [of], over: [beyond] }) => vehicles >= 0 && of >= 0n && beyond === 0n)).toBe(
      true,
    )
  })
  it('spends its budget to the end and no further', () => {
    // epsilon 0.5 on three numbers: 3 * 0.125 = 0.375 of 0.5
    const noise = { kind: 'laplace', millionths: 500_000 } as const
    expect(costOf(noise, 3)).toBe(375_000)
    const first = spend(budgetOf(0), costOf(noise, 3))
    expect(first).toEqual({ is: 'granted', budget: { allowed: 500_000, spent: 375_000 } })
    expect(spend(budgetOf(375_000), costOf(noise, 3))).toEqual({ is: 'refused', left: 125_000 })
    expect(spend(budgetOf(375_000), costOf(noise, 1))).toMatchObject({ is: 'granted' })
  })
  it('ends where the source of chance is stuck', () => {
    expect(() => discreteLaplace(() => 0n, [3n, 2n])).toThrow(/again and again/)
  })
})
