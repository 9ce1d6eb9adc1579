import fc from 'fast-check'
import { InputError } from '#kernel'
import { readLine, writeLine, type LineReference } from '#openlr'

/** Line 1 is the example of the White Paper; all are in the tests of TomTom's own readers (openlr-python, openlr-js). */
const KNOWN: readonly (readonly [
  code: string,
  points: readonly (readonly number[])[],
  positive: number,
  negative: number,
])[] = [
  [
    'CwRbWyNG9RpsCQCb/jsbtAT/6/+jK1lE',
    [
      [6.12682, 49.60852, 3, 2, 140.625, 3, 557],
      [6.12837, 49.60399, 3, 3, 230.625, 5, 264],
      [6.12816, 49.60306, 5, 3, 286.875, 7, 0],
    ],
    0.267578125,
    0,
  ],
  [
    'CwB67CGukRxiCACyAbwaMXU=',
    [
      [0.67522, 47.36516, 3, 4, 28.125, 3, 498],
      [0.677, 47.3696, 3, 2, 196.875, 7, 0],
    ],
    0,
    0.458984375,
  ],
  [
    'CwcX6CItqAs6AQAAAAALGg==',
    [
      [9.97506, 48.06329, 1, 3, 298.125, 1, 88],
      [9.97506, 48.06329, 1, 3, 298.125, 7, 0],
    ],
    0,
    0,
  ],
  [
    'CwRbWyNG9BpgAACa/jsboAD/6/+kKwA=',
    [
      [6.12682, 49.6085, 3, 2, 5.625, 3, 29],
      [6.12836, 49.60397, 3, 3, 5.625, 5, 29],
      [6.12815, 49.60305, 5, 3, 5.625, 7, 0],
    ],
    0,
    0,
  ],
]

describe('the binary form', () => {
  it.each(KNOWN)('reads %s as published, and writes it again byte for byte', (code, points, positive, negative) => {
    const line = readLine(code)
    const told = line.points.map(({ lon, lat, frc, fow, bearing, lfrcnp, distanceM }) => [
      Number(lon.toFixed(5)),
      Number(lat.toFixed(5)),
      frc,
      fow,
      bearing,
      lfrcnp,
      Math.round(distanceM),
    ])
    expect(told).toEqual(points)
    expect([line.positiveShare, line.negativeShare]).toEqual([positive, negative])
    expect(writeLine(line)).toBe(code)
  })

  it.each([
    ['', /found nothing/],
    ['hello', /in base64/],
    ['CwRbWyNG9RpsCQCb/jsbtAT/6/+jK1l', /in base64/],
    ['CwRb', /of 16, 17 or 18 bytes and 7 for each point between, found 3/],
    ['CgRbWyNG9RpsCQCb/jsbtAT/6/+jK1lE', /version 3, found version 2/],
    // A coordinate, a circle, a point along a line with its access, a closed line.
    ['I+djotZ9eA==', /of a line, found one of another location/],
    ['AwOgxCUNmwEs', /of another location/],
    ['KwOg5iUNnCOTAv+D/5QjQ1j/gP/r', /of another location/],
    ['WwOgrCUNaiOLBiMD', /of another location/],
    // An offset that the flags don't say, one that they do and that isn't there, and a latitude beyond the pole.
    ['CwRbWyNG9RpsCQCb/jsbtAT/6/+jKxlE', /0 bytes of offsets, found 1/],
    ['CwRbWyNG9RpsCQCb/jsbtAT/6/+jK1k=', /1 bytes of offsets, found 0/],
    ['CwcX6H8tqAs6AQAAAAALGg==', /point 1 on earth/],
    ['A'.repeat(8_000), /at most \d+ characters/],
  ])('refuses what is no code of a line: case %#', (code, message) => {
    expect(() => readLine(code)).toThrow(InputError)
    expect(() => readLine(code)).toThrow(message)
  })

  const degrees = (max: number) => fc.double({ min: -max, max, noNaN: true })
  const small = (max: number) => fc.integer({ min: 0, max })
  const point = fc.record({ east: degrees(0.32), north: degrees(0.32), frc: small(7), fow: small(7), bearing: small(359), lfrcnp: small(7), distanceM: small(14_900) }) // prettier-ignore
  const line = fc
    .tuple(degrees(180), degrees(80), fc.array(point, { minLength: 2, maxLength: 30 }), degrees(0.99), degrees(0.99))
    .map(([lon, lat, steps, positive, negative]): LineReference => {
      let [x, y] = [lon, lat]
      const points = steps.map(({ east, north, ...rest }, i) => {
        if (i > 0) [x, y] = [((x + east + 540) % 360) - 180, Math.abs(y + north) > 85 ? y : y + north]
        const isLast = i === steps.length - 1
        return { ...rest, lon: x, lat: y, ...(isLast && { lfrcnp: 7, distanceM: 0 }) }
      })
      return { points, positiveShare: Math.max(0, positive), negativeShare: Math.max(0, negative) }
    })

  it('says what it was given, as finely as its bytes can, anywhere on earth', () => {
    fc.assert(
      fc.property(line, (given) => {
        const read = readLine(writeLine(given))
        expect(read.points).toHaveLength(given.points.length)
        read.points.forEach((point, i) => {
          const was = given.points[i]
          const off = Math.abs(point.lon - was.lon)
          expect(Math.min(off, 360 - off)).toBeLessThan(2.2e-5)
          expect(Math.abs(point.lat - was.lat)).toBeLessThan(2.2e-5)
          expect([point.frc, point.fow, point.lfrcnp]).toEqual([was.frc, was.fow, was.lfrcnp])
          expect(Math.abs(point.bearing - was.bearing)).toBeLessThanOrEqual(5.625)
          if (i < read.points.length - 1) expect(Math.abs(point.distanceM - was.distanceM)).toBeLessThanOrEqual(29.31)
        })
        expect(Math.abs(read.positiveShare - given.positiveShare)).toBeLessThanOrEqual(1 / 512)
        expect(read.positiveShare > 0).toBe(given.positiveShare > 0)
        expect(writeLine(read)).toBe(writeLine(given))
      }),
    )
  })

  it('answers any bytes with a line that is on earth, or with an InputError', () => {
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 60, size: 'max' })
    // Of the right header and length more often than by chance.
    const likely = bytes.map((some) => (some.length > 16 ? Uint8Array.from([0x0b, ...some.slice(1)]) : some))
    let lines = 0
    fc.assert(
      fc.property(fc.oneof(likely, likely, fc.string()), (some) => {
        const code = typeof some === 'string' ? some : Buffer.from(some).toString('base64')
        try {
          const read = readLine(code)
          lines++
          for (const { lon, lat } of read.points) expect(Math.abs(lon) <= 180 && Math.abs(lat) <= 90).toBe(true)
          // Bits that mean nothing aside, it is the same code.
          expect(readLine(writeLine(read))).toEqual(read)
        } catch (error) {
          if (!(error instanceof InputError)) throw error
          expect(error.code).toBe('OPENLR')
        }
      }),
      { numRuns: 3_000, seed: 42 },
    )
    expect(lines).toBeGreaterThan(50)
  })
})
