import { matched, metresOf } from './matched'
import { world } from './world'

// Country roads with bends, nearly two kilometres between junctions: however rarely a device reports, the way is plain.
const country = world(
  `
A--------+       D-----------E
          \\     /            |
           B---C             |
          /     \\            |
G--------H       F-----------K`,
  150,
)
const PATH = 'A +1 B C D E K F C B H G'

describe('a drive at 15 m/s', () => {
  it.each([1, 2, 3, 5, 10, 15, 20, 30, 45, 60, 75, 90])('is the same with a fix every %d s', (periodS) => {
    const match = matched(country, country.drive(PATH, { speedMs: 15, stepM: 15 * periodS, noiseM: 6, seed: periodS }))
    expect(match.breaks).toBe(0)
    // The last fix lies up to a period before the end.
    expect(PATH.startsWith(country.driven(match))).toBe(true)
    const driven = metresOf(match)
    const whole = metresOf(matched(country, country.drive(PATH)))
    expect(driven).toBeGreaterThan(whole - 15 * periodS - 60)
    expect(driven).toBeLessThan(whole + 60)
  })
})

describe('a drive whose device changes its mind', () => {
  it('is followed from every second to every minute and back', () => {
    const dense = country.drive(PATH, { speedMs: 15, stepM: 15, noiseM: 5 })
    const kept = Array.from({ length: dense.length }, (_, i) => i).filter((i) => i % 600 < 300 || i % 60 === 0)
    const take = (of: Float64Array) => Float64Array.from(kept, (i) => of[i])
    const match = matched(country, {
      length: kept.length,
      at: take(dense.at),
      lon: take(dense.lon),
      lat: take(dense.lat),
      accuracyM: new Float32Array(kept.length),
    })
    expect(country.driven(match)).toBe(PATH)
  })
})
