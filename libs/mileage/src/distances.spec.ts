import { Matcher, type FixColumns } from '#map-matching'
import { buildFromEdges } from '#road-network'
import { controlTrip } from './control'
import { distancesOf } from './distances'

/** A street of 4.5 km along a parallel, both ways. */
const street = buildFromEdges(
  { id: [0, 1], lon: [7.5, 7.56], lat: [47.5, 47.5] },
  { id: [0, 1], from: [0, 1], to: [1, 0] },
)
const SECONDS = 150
const DRIVEN_MM = (SECONDS - 1) * 16_000

/** Along it at 16 m/s, a fix each second; in [from, to) the fixes lie `besideM` beside it. */
function drive(from: number, to: number, besideM: number): FixColumns {
  const seconds = Array.from({ length: SECONDS }, (_, s) => s)
  return {
    length: SECONDS,
    at: Float64Array.from(seconds, (s) => 1_750_000_000_000 + s * 1_000),
    lon: Float64Array.from(seconds, (s) => 7.501 + (s * 16) / 75_330),
    lat: Float64Array.from(seconds, (s) => 47.5 + (from <= s && s < to ? besideM / 111_180 : 0)),
    accuracyM: new Float32Array(SECONDS),
  }
}
const told = (fixes: FixColumns) => {
  const [first, last] = [fixes.at[0], fixes.at[SECONDS - 1]]
  return distancesOf(fixes, new Matcher(street).match(fixes), [
    [first, 0],
    [last, DRIVEN_MM],
  ])
}

describe('the distances of a trip', () => {
  it('agree on a plain street', () => {
    const { matchedMm, offNetworkMm, meteredMm } = told(drive(0, 0, 0))
    expect(Math.abs(matchedMm - DRIVEN_MM)).toBeLessThan(5_000)
    expect([offNetworkMm, meteredMm]).toEqual([0, matchedMm])
  })

  it.each([
    [60, 84, 55],
    [60, 80, 60],
  ])('count road once where fixes %i to %i lie %i m beside it', (from, to, besideM) => {
    const distances = told(drive(from, to, besideM))
    expect(Math.abs(distances.matchedMm + distances.inferredMm - DRIVEN_MM)).toBeLessThan(5_000)
    expect(distances.offNetworkMm).toBe(0)
    expect(controlTrip(distances)).toMatchObject({ is: 'agrees' })
  })

  it('count what was driven off the network where no road was', () => {
    // The last 50 s, 800 m, far from it.
    const { matchedMm, offNetworkMm, meteredMm } = told(drive(100, SECONDS, 400))
    expect(Math.abs(matchedMm - 99 * 16_000)).toBeLessThan(20_000)
    expect(offNetworkMm).toBeGreaterThan(49 * 16_000)
    expect(Math.abs(meteredMm! - matchedMm - offNetworkMm)).toBeLessThan(20_000)
  })
})
