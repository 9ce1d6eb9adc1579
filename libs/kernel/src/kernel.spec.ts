import { createHash } from 'node:crypto'
import fc from 'fast-check'
import {
  canonical,
  chance,
  digest,
  divideHalfEven,
  formatMicros,
  lendSha256,
  micros,
  millimetres,
  MILE_MM,
  parseMicros,
  priceOf,
  toCoin,
} from '#kernel'

describe('half-even rounding', () => {
  it('breaks ties towards the even neighbour, on both sides of zero', () => {
    const tie = (n: bigint) => divideHalfEven(n, 10n)
    expect([5n, 15n, 25n, -5n, -15n, -25n].map(tie)).toEqual([0n, 2n, 2n, 0n, -2n, -2n])
  })
  it('is never off by more than half, and is odd', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }),
        fc.bigInt({ min: 1n, max: 10n ** 9n }),
        (n, d) => {
          const q = divideHalfEven(n, d)
          const off = n - q * d
          expect((off < 0n ? -off : off) * 2n <= d).toBe(true)
          expect(divideHalfEven(-n, d)).toBe(-q)
        },
      ),
    )
  })
})

describe('money', () => {
  it('prices a mile at its rate and half a mile at half, exactly', () => {
    expect(priceOf(millimetres(MILE_MM), micros(18_000n), MILE_MM)).toBe(18_000n)
    expect(priceOf(millimetres(MILE_MM / 2), micros(18_000n), MILE_MM)).toBe(9_000n)
  })
  it('reads and writes decimals without losing a digit', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), (n) => {
        expect(parseMicros(formatMicros(micros(n)))).toBe(n)
      }),
    )
    expect(parseMicros('0.0000001')).toBeNull()
    expect(parseMicros('1e3')).toBeNull()
    expect(formatMicros(micros(-1_500_000n))).toBe('-1.50')
  })
  it('rounds to cents half to even', () => {
    expect(toCoin(micros(25_000n), 10_000n)).toBe(20_000n)
    expect(toCoin(micros(35_000n), 10_000n)).toBe(40_000n)
  })
})

describe('canonical JSON', () => {
  it('does not depend on the order of keys', () => {
    expect(canonical({ b: 1, a: [2n, null, undefined], c: undefined })).toBe('{"a":["2",null,null],"b":1}')
    expect(digest({ a: 1, b: 2 })).toBe(digest({ b: 2, a: 1 }))
  })
  it('refuses what JSON cannot say', () => {
    expect(() => canonical({ x: NaN })).toThrow('no canonical form for NaN')
  })
  it('says any JSON as JSON.stringify does, with its keys in order', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonical(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => expect(canonical(text)).toBe(JSON.stringify(text))))
  })
  it('may be hashed by a SHA-256 that is lent, and by nothing else', () => {
    expect(() => lendSha256(() => 'a'.repeat(64))).toThrow('does not compute SHA-256')
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array()), (content) => {
        const bytes = content instanceof Uint8Array ? content : JSON.stringify(content)
        expect(digest(content)).toBe(createHash('sha256').update(bytes).digest('hex'))
      }),
    )
  })
  it('is the published SHA-256 of the bytes', () => {
    expect(digest(new TextEncoder().encode('abc'))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
  })
})

describe('chance', () => {
  it('repeats from its seed, and forks do not disturb each other', () => {
    const a = chance(7)
    const b = chance(7)
    b.fork('noise').normal()
    expect([a.next(), a.next(), a.below(10)]).toEqual([b.next(), b.next(), b.below(10)])
    expect(chance(8).next()).not.toBe(chance(7).next())
  })
  it('draws normals with mean 0 and deviation 1', () => {
    const c = chance('normal')
    const draws = Array.from({ length: 20_000 }, () => c.normal())
    const mean = draws.reduce((s, x) => s + x, 0) / draws.length
    const deviation = Math.sqrt(draws.reduce((s, x) => s + (x - mean) ** 2, 0) / draws.length)
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(deviation - 1)).toBeLessThan(0.03)
  })
})
