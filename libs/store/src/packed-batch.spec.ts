import fc from 'fast-check'
import { type Batch, type WireFix } from '#contracts'
import { chance } from '#kernel'
import { packBatch, unpackBatch } from './packed-batch'

const T0 = 1_763_810_000_000
const decimals = (digits: number, min: number, max: number) =>
  fc.integer({ min: min * 10 ** digits, max: max * 10 ** digits }).map((n) => n / 10 ** digits)
const degrees = (max: number) =>
  fc.oneof(
    decimals(6, -max, max),
    decimals(7, -max, max),
    fc.double({ min: -max, max, noNaN: true }).map((n) => n || 0),
  )
const fix = fc
  .tuple(fc.nat(4_102_444_800_000), degrees(90), degrees(180), fc.option(decimals(1, 0, 10_000), { nil: undefined }))
  .map(([at, lat, lon, accuracy]): WireFix => (accuracy === undefined ? [at, lat, lon] : [at, lat, lon, accuracy]))
const batch = fc.record(
  {
    v: fc.constant(1 as const),
    boot: fc.nat(),
    seq: fc.nat(),
    trip: fc.constant('t'),
    event: fc.constantFrom<Batch['event']>('start', 'run', 'end'),
    fixes: fc.array(fix, { maxLength: 30 }),
    odometer: fc.array(fc.tuple(fc.nat(4_102_444_800_000), fc.nat(10_000_000_000)), { maxLength: 20 }),
    prev: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => Buffer.from(b).toString('hex')),
    sig: fc.uint8Array({ minLength: 64, maxLength: 64 }).map((b) => Buffer.from(b).toString('base64url')),
  },
  { requiredKeys: ['v', 'boot', 'seq', 'trip', 'event', 'fixes'] },
)

describe('a packed batch', () => {
  it('comes back to the bit', () => {
    fc.assert(
      fc.property(batch, (given) => {
        expect(unpackBatch(given, packBatch(given))).toEqual(given)
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes at most six bytes for a fix of a drive at 1 Hz', () => {
    const dice = chance('drive')
    let lat = 57.7
    let lon = 11.97
    const fixes = Array.from({ length: 60 }, (_, i): WireFix => {
      lat += (dice.next() - 0.3) * 2.5e-4
      lon += (dice.next() - 0.3) * 4e-4
      return [
        T0 + 1000 * i,
        Math.round(lat * 1e6) / 1e6,
        Math.round(lon * 1e6) / 1e6,
        Math.round(dice.next() * 60) / 10,
      ]
    })
    const packed = packBatch({ v: 1, boot: 1, seq: 1, trip: 't', event: 'run', fixes })
    expect(packed.length / fixes.length).toBeLessThan(6)
  })

  it('is read where the row still holds the JSON of an earlier release', () => {
    const given: Batch = { v: 1, boot: 1, seq: 2, trip: 't', event: 'end', fixes: [[T0, 45, 7, 4]] }
    expect(unpackBatch(given, Buffer.from(JSON.stringify(given)))).toEqual(given)
  })
})
