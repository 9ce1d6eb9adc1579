import fc from 'fast-check'
import { type Charge, type Stretch } from '#contracts'
import {
  accuracyOf,
  contributionsOf,
  dayKindOf,
  elasticityByGroup,
  elasticityOf,
  gridCell,
  gridPolygon,
  meanInterval,
  wilson,
  type Driven,
  type TripFacts,
} from '#evaluation'
import { chance, instant, type VehicleId } from '#kernel'

describe('what a trip adds', () => {
  const stretch = fc.record({
    segment: fc.constantFrom('1.2.3', '2.3.4'),
    length: fc.integer({ min: 1, max: 50_000 }),
    hour: fc.integer({ min: 0, max: 23 }),
    zones: fc.constantFrom<string[]>([], ['centre'], ['centre', 'ring']),
  })
  const factsOf = (stretches: readonly Stretch[] | null, charges: readonly Charge[] = []): TripFacts => ({
    startedAt: instant(0),
    vehicle: { vehicle: 'v' as VehicleId, vehicleClass: 'car', arm: 'treated' },
    charges,
    mileage: null,
    stretches,
  })
  const calendar = { hour: (at: number) => Math.floor(at / 3_600_000), dayKind: () => 'workday' }

  it('lands whole in each table, and counts the trip once a cell', () => {
    fc.assert(
      fc.property(fc.array(stretch, { minLength: 1, maxLength: 20 }), (drawn) => {
        const stretches = drawn.map(
          ({ segment, length, hour, zones }) =>
            ({
              segment,
              fromMm: 0,
              toMm: length,
              enteredAt: hour * 3_600_000,
              zones,
              roadClass: 'primary',
            }) as unknown as Stretch,
        )
        const all = drawn.reduce((sum, { length }) => sum + length, 0)
        const added = contributionsOf(factsOf(stretches), calendar, () => [7, 45])
        for (const table of ['trips-by-grid', 'miles-by-segment'] as const) {
          expect(added[table].reduce((sum, { sums: [mm] }) => sum + Number(mm), 0)).toBe(all)
          expect(new Set(added[table].map(({ key }) => key.join())).size).toBe(added[table].length)
        }
        for (const table of ['trips-by-zone', 'trips-by-grid', 'miles-by-segment'] as const)
          expect(added[table].every(({ sums }) => sums[1] === 1n)).toBe(true)
        const inCentre = added['trips-by-zone'].filter(({ key: [zone] }) => zone === 'centre')
        const expected = drawn
          .filter(({ zones }) => zones.includes('centre'))
          .reduce((sum, { length }) => sum + length, 0)
        expect(inCentre.reduce((sum, { sums: [mm] }) => sum + Number(mm), 0)).toBe(expected)
      }),
    )
  })
  it('of a trip whose location is gone is what the books say', () => {
    const charge = {
      roadClass: 'primary',
      zones: ['a', 'b'],
      distanceMm: 700,
      amount: 12n,
      rate: null,
    } as unknown as Charge
    const added = contributionsOf(factsOf(null, [charge]), calendar, () => null)
    expect(added['miles-by-segment']).toEqual([])
    expect(added.revenue).toEqual([{ key: ['a+b', 'primary', 'car'], sums: [12n, 0n, 700n] }])
    expect(added.behaviour).toContainEqual({ key: ['treated', 'zones', 'a+b'], sums: [700n, 1n, 12n] })
  })
  it('is of a kind of day', () => {
    // Monday; Saturday; Sunday; a Friday that is a holiday; a Friday after one.
    expect([0, 5, 6, 4 + 7, 4 + 14].map(dayKindOf)).toEqual(['workday', 'saturday', 'sunday', 'sunday', 'workday'])
  })
})

describe('the grid', () => {
  it('has every place in the square that names it', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -179.9, max: 179.9, noNaN: true }),
        fc.double({ min: -84, max: 84, noNaN: true }),
        (lon, lat) => {
          const ring = gridPolygon(gridCell([lon, lat]))!
          const [xs, ys] = [ring.map(([x]) => x), ring.map(([, y]) => y)]
          const slack = 1e-9
          expect(Math.min(...xs) - slack <= lon && lon <= Math.max(...xs) + slack).toBe(true)
          expect(Math.min(...ys) - slack <= lat && lat <= Math.max(...ys) + slack).toBe(true)
        },
      ),
    )
    expect(gridCell([7.05, 45])).toBe(gridCell([7.0501, 45.0001]))
    expect(gridPolygon('(none)')).toBeNull()
  })
})

describe('elasticity', () => {
  /** Vehicles that answer to twice the price by `effect` less, with habits that differ widely. */
  const pilot = (effect: number, seed: string): Driven[] => {
    const dice = chance(seed)
    return Array.from({ length: 400 }, (_, i) => {
      const arm = i % 2 === 0 ? 'control' : 'treated'
      const baselineMm = 1e7 * (0.5 + dice.next())
      const pilotMm = baselineMm * (1 + 0.2 * (dice.next() - 0.5)) * (arm === 'treated' ? 1 + effect : 1)
      return { arm, baselineMm, pilotMm, pilotAmount: pilotMm * (arm === 'treated' ? 2 : 1) }
    })
  }
  it('finds what was put in, within its interval', () => {
    // 10 % less at twice the price: ln 0.9 / ln 2 = -0.152
    const { arms } = elasticityOf(pilot(-0.1, 'a'), 'control', chance('b'))!
    const treated = arms.find(({ arm }) => arm === 'treated')!
    expect(treated.change!.low).toBeLessThan(-0.1)
    expect(treated.change!.high).toBeGreaterThan(-0.1)
    expect(treated.elasticity!.value).toBeCloseTo(-0.152, 1)
    expect(treated.elasticity!.high).toBeLessThan(0)
    expect(elasticityOf(pilot(-0.1, 'a'), 'control', chance('b'))!.arms).toEqual(arms)
  })
  it('covers nothing about as often as it says, where there is nothing', () => {
    let covered = 0
    for (let i = 0; i < 20; i++) {
      const { change } = elasticityOf(pilot(0, `none-${i}`), 'control', chance(`draw-${i}`))!.arms.find(
        ({ arm }) => arm === 'treated',
      )!
      if (change!.low <= 0 && change!.high >= 0) covered++
    }
    expect(covered).toBeGreaterThanOrEqual(17)
  })
  it('is found in each part of the driving by itself, as ratios alone; a part of a few is withheld', () => {
    const parts = new Map([
      ['08', pilot(-0.2, 'rush')],
      ['12', pilot(0, 'noon')],
      ['02', pilot(-0.5, 'night').slice(0, 18)],
    ])
    const { groups, withheld } = elasticityByGroup(parts, 'control', chance('b'))
    expect([groups.map(({ group }) => group), withheld]).toEqual([['08', '12'], 1])
    const [rush, noon] = groups.map(({ arms }) => arms[0])
    expect(Object.keys(rush).sort()).toEqual(['arm', 'change', 'elasticity', 'vehicles'])
    expect([rush.arm, rush.change!.low < -0.2, rush.change!.high > -0.2]).toEqual(['treated', true, true])
    expect([noon.change!.low <= 0, noon.change!.high >= 0]).toEqual([true, true])
    expect(elasticityByGroup(parts, 'control', chance('b')).groups).toEqual(groups)
  })
  it('says nothing of a few, nor where prices are alike', () => {
    const few = pilot(-0.1, 'a').filter(({ arm }, i) => arm === 'control' || i < 18)
    const told = elasticityOf(few, 'control', chance('b'))!
    expect([told.arms.map(({ arm }) => arm), told.withheld]).toEqual([['control'], 1])
    expect(elasticityOf(few, 'treated', chance('b'))).toBeNull()
    const alike = pilot(0, 'a').map((driven) => ({ ...driven, pilotAmount: driven.pilotMm }))
    expect(elasticityOf(alike, 'control', chance('b'))!.arms[1].elasticity).toBeNull()
  })
})

describe('charging accuracy', () => {
  it('counts drives by what they were charged', () => {
    const drive = (chargedAmount: bigint) => ({ trueMm: 1000, meteredMm: 1010, trueAmount: 1000n, chargedAmount })
    // 2 % accepted: 980 to 1020
    const report = accuracyOf([drive(1000n), drive(1020n), drive(980n), drive(1021n), drive(979n)], 20)
    expect([report.correct.drives, report.over.drives, report.under.drives]).toEqual([3, 1, 1])
    expect(report.amountError).toBe(0)
    expect(report.distanceError).toBeCloseTo(0.01)
    expect([report.meanAbsolute, report.p95Absolute]).toEqual([0.01, 0.01])
    expect(report.correct.low).toBeLessThan(0.6)
    expect(accuracyOf([], 20).correct).toMatchObject({ share: 0, low: 0, high: 1 })
  })
})

describe('intervals', () => {
  it("are Wilson's and the mean's", () => {
    // 8 of 10: Wilson (1927) gives 0.490 to 0.943
    const { low, high } = wilson(8, 10)
    expect([low, high].map((value) => value.toFixed(3))).toEqual(['0.490', '0.943'])
    expect(wilson(0, 10).low).toBe(0)
    // 2, 4, 6: mean 4, deviation 2, standard error 2 / sqrt 3
    const { mean, high: most } = meanInterval(3, 12, 56)!
    expect(mean).toBe(4)
    expect(most).toBeCloseTo(4 + (1.959964 * 2) / Math.sqrt(3), 5)
    expect(meanInterval(1, 2, 4)).toBeNull()
  })
})
