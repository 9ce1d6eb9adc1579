import { Matcher, type FixColumns } from '#map-matching'
import { buildFromEdges } from '#road-network'
import { withinOdometer } from './silences'

/** A street of 22 km along a parallel, one way. */
const street = buildFromEdges({ id: [0, 1], lon: [7.5, 7.8], lat: [47.5, 47.5] }, { id: [0], from: [0], to: [1] })
const BEGUN = 1_750_000_000_000

/** Fixes at [second, metre]. */
const seen = (places: readonly (readonly [number, number])[]): FixColumns => ({
  length: places.length,
  at: Float64Array.from(places, ([s]) => BEGUN + 1_000 * s),
  lon: Float64Array.from(places, ([, m]) => 7.5 + m / 75_330),
  lat: new Float64Array(places.length).fill(47.5),
  accuracyM: new Float32Array(places.length),
})
/** Along the street at 20 m/s from second to second, a fix every 5 s. */
const along = (from: number, to: number, aheadM = 0): [number, number][] =>
  Array.from({ length: (to - from) / 5 + 1 }, (_, i) => [from + 5 * i, 100 + 20 * (from + 5 * i) + aheadM])
const pair = (s: number, m: number): [number, number] => [BEGUN + 1_000 * s, 1_000 * m]

/** 1 km, a silence of 200 s in which the vehicle comes 4 km further, 1 km. */
const FIXES = seen([...along(0, 50), ...along(250, 300)])
const match = new Matcher(street).match(FIXES)
const kmOf = ({ traversals }: Pick<typeof match, 'traversals'>) =>
  Math.round(traversals.reduce((mm, t) => mm + t.toMm - t.fromMm, 0) / 1e6)

describe('a silence in which the odometer went less far than the road', () => {
  it('is a break, and the rest of the drive stays', () => {
    expect([kmOf(match), match.breaks]).toEqual([6, 0])
    for (const grown of [2_000, 3_000, 5_750]) {
      const found = withinOdometer(match, [pair(0, 70_000), pair(300, 70_000 + grown)])
      expect([kmOf(found), found.breaks, found.traversals.length]).toEqual([2, 1, 2])
      expect(found.fates).toEqual(match.fates)
    }
  })
  it('was driven where the odometer allows it, or says nothing that counts', () => {
    const pairs = (...readings: [number, number][]) => withinOdometer(match, readings)
    for (const grown of [5_850, 6_000, 9_000]) expect(pairs(pair(0, 0), pair(300, grown))).toBe(match)
    expect(pairs()).toBe(match)
    expect(pairs(pair(0, 0))).toBe(match)
    // Read within the silence, or behind it only.
    expect(pairs(pair(0, 0), pair(100, 1_000))).toBe(match)
    expect(pairs(pair(260, 0), pair(300, 1_000))).toBe(match)
    // Going back, or contradicting what was heard as well.
    expect(pairs(pair(0, 5_000), pair(300, 0))).toBe(match)
    expect(pairs(pair(0, 0), pair(300, 1_500))).toBe(match)
  })
  it('is that one of several which the readings around it contradict', () => {
    const twice = new Matcher(street).match(seen([...along(0, 50), ...along(250, 300), ...along(500, 550)]))
    expect([kmOf(twice), twice.breaks]).toEqual([11, 0])
    const [first, second] = [pair(0, 0), pair(550, 7_000)]
    for (const middle of [pair(275, 5_500), pair(300, 6_000)]) {
      const found = withinOdometer(twice, [first, middle, second])
      expect([kmOf(found), found.breaks]).toEqual([7, 1])
    }
    expect(kmOf(withinOdometer(twice, [first, pair(550, 3_000)]))).toBe(3)
  })
  it('leaves fixes standing that drove nowhere else', () => {
    const rare = new Matcher(street).match(seen([[0, 100], [200, 4_100]])) // prettier-ignore
    expect([kmOf(rare), ...rare.fates]).toEqual([4, 0, 0])
    const found = withinOdometer(rare, [pair(0, 0), pair(200, 0)])
    expect([found.traversals.length, found.breaks, ...found.fates]).toEqual([0, 1, 2, 2])
  })
})
