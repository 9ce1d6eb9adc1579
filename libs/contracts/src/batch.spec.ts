import { encode as encodeCbor } from 'cbor2'
import fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  batchBytes,
  batchCbor,
  batchContent,
  batchDigest,
  batchSchema,
  decodeBatch,
  isPlainBatch,
  enrolmentSchema,
  receiptOf,
  receiptSchema,
  RECEIPT_GAPS_MAX,
  isReceiptOf,
  type Batch,
} from '#contracts'
import { canonical, instant, type DeviceId } from '#kernel'

const DEVICE = 'device-one' as DeviceId
const NOW = instant(1_763_810_100_000)
const GOOD: Batch = {
  v: 1,
  boot: 17,
  seq: 1042,
  trip: 'b2f1',
  event: 'run',
  fixes: [
    [1763810000000, 43.7384, 7.4246, 4.5],
    [1763810001000, 43.7385, 7.4249],
  ],
}
const TOTALS = {
  v: 1,
  boot: 17,
  seq: 1043,
  event: 'totals',
  odometer: [
    [1763810000000, 81234],
    [1763810050000, 81290],
  ],
}
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const decoded = (value: unknown) => decodeBatch(DEVICE, bytes(value), NOW)

const fix = fc.oneof(
  fc.tuple(
    fc.constant(NOW as number),
    fc.double({ min: -90, max: 90, noNaN: true }),
    fc.double({ min: -180, max: 180, noNaN: true }),
  ),
  fc.tuple(
    fc.constant(NOW as number),
    fc.integer({ min: -91, max: 91 }),
    fc.integer({ min: -181, max: 181 }),
    fc.double({ min: -1, max: 10_001 }),
  ),
)
const ODD = {
  v: fc.constantFrom<unknown>(1, 2, '1'),
  boot: fc.oneof(fc.nat(), fc.constantFrom<unknown>(-1, 0.5, 2 ** 31, null)),
  seq: fc.oneof(fc.nat(), fc.constant<unknown>('0')),
  trip: fc.oneof(fc.constantFrom('t', 'a_b-C9'), fc.string({ maxLength: 70 })),
  event: fc.constantFrom('start', 'run', 'end', 'totals', 'pause'),
  fixes: fc.oneof(fc.array(fix, { maxLength: 4 }), fc.constantFrom<unknown>(null, {}, [[]], [[NOW, 1, 2, 3, 4]])),
  odometer: fc.constantFrom<unknown>([[NOW, 5]], TOTALS.odometer, [], 'far'),
  prev: fc.constantFrom<unknown>('0'.repeat(64), 'A'.repeat(64)),
  sig: fc.constantFrom<unknown>('A'.repeat(86), 'A'.repeat(85)),
  speed: fc.constant(50),
}
type OddField = keyof typeof ODD
/** Batches, and things that are nearly batches: a good one with up to two fields that may be odd. */
const nearly = fc
  .tuple(fc.record(ODD), fc.subarray(Object.keys(ODD) as OddField[], { maxLength: 2 }))
  .map(([odd, fields]) => ({ ...GOOD, ...Object.fromEntries(fields.map((name) => [name, odd[name]])) }))

describe('reading a batch', () => {
  it('the quick check says yes only where the schema does, and to every plain batch', () => {
    let agreed = 0
    fc.assert(
      fc.property(nearly, (value) => {
        const slow = batchSchema.safeParse(value)
        if (!isPlainBatch(value)) return
        agreed++
        expect(slow.success).toBe(true)
      }),
      { numRuns: 5_000 },
    )
    expect(agreed).toBeGreaterThan(500)
    expect(isPlainBatch(GOOD)).toBe(true)
    expect(isPlainBatch(JSON.parse('{"__proto__":1,"v":1,"boot":1,"seq":1,"trip":"t","event":"run","fixes":[]}'))).toBe(
      false,
    )
  })

  it('gives the same batch and the same digest from JSON and from CBOR', () => {
    for (const bytes of [batchBytes(GOOD), batchCbor(GOOD)])
      expect(decodeBatch(DEVICE, bytes, NOW)).toEqual({
        ok: true,
        batch: GOOD,
        content: batchContent(DEVICE, GOOD),
        signed: null,
      })
    expect(batchContent(DEVICE, GOOD)).toBe(canonical({ ...GOOD, device: DEVICE }))
    expect(batchDigest(DEVICE, GOOD)).not.toBe(batchDigest('device-two' as DeviceId, GOOD))
  })

  it('reads the examples of docs/protocol.md', () => {
    const text = readFileSync(join(__dirname, '../../../docs/protocol.md'), 'utf8')
    const examples = [...text.matchAll(/```json\n([^`]+)```/g)].map((block) => JSON.parse(block[1]) as object)
    const batches = examples.filter((one) => 'event' in one)
    expect(batches).toHaveLength(2)
    for (const one of batches) expect(decoded(one)).toMatchObject({ ok: true })
    const [receipt] = examples.filter((one) => 'upTo' in one)
    expect(receiptSchema.safeParse(receipt).success).toBe(true)
    const [enrolment] = examples.filter((one) => 'voucher' in one)
    expect(Object.keys(enrolment).sort()).toEqual(Object.keys(enrolmentSchema.shape).sort())
  })

  it('reads totals as a batch without trip and fixes, and signs them as they travel', () => {
    const read = decoded(TOTALS)
    expect(read).toMatchObject({ ok: true, batch: { event: 'totals', trip: '', fixes: [], odometer: TOTALS.odometer } })
    expect(read.ok && read.content).toBe(canonical({ ...TOTALS, device: DEVICE }))
    expect(read.ok && JSON.parse(Buffer.from(batchBytes(read.batch)).toString())).toEqual(TOTALS)
  })

  it.each([
    ['totals with fixes', { ...TOTALS, fixes: [] }, 'MALFORMED'],
    ['totals with a trip', { ...TOTALS, trip: 't' }, 'MALFORMED'],
    ['totals of a single reading', { ...TOTALS, odometer: TOTALS.odometer.slice(1) }, 'MALFORMED'],
    ['no trip', { ...GOOD, trip: undefined }, 'MALFORMED'],
    ['no fixes', { ...GOOD, fixes: undefined }, 'MALFORMED'],
    ['a signature that can be none', { ...GOOD, sig: 'AAAA' }, 'MALFORMED'],
    ['a digest in capitals', { ...GOOD, prev: 'A'.repeat(64) }, 'MALFORMED'],
    ['a reading of 36 days ago', { ...GOOD, odometer: [[NOW - 36 * 86_400_000, 1]] }, 'TIME'],
  ])('refuses %s, by name and number', (_, value, reason) => {
    expect(decoded(value)).toMatchObject({ ok: false, reason, key: { boot: 17 } })
  })

  it.each([
    ['a byte order mark', Buffer.from('\ufeff{}')],
    ['a map that says a key twice', Buffer.from('a2616101616102', 'hex')],
    ['a map without an end', Buffer.from('bf', 'hex')],
    ['a map of streamed length', Buffer.from('bf617601ff', 'hex')],
    ['a tagged number', Buffer.from('a16176c101', 'hex')],
    ['undefined', Buffer.from('a16176f7', 'hex')],
    ['a prototype', Buffer.from(encodeCbor(new Map([['__proto__', { v: 1 }]])))],
    ['arrays in arrays', Buffer.concat([Buffer.from('a16176', 'hex'), Buffer.alloc(60_000, 0x81)])],
    ['brackets in brackets', Buffer.from('{"v":'.padEnd(60_000, '['))],
  ])('refuses %s', (_, given) => {
    expect(decodeBatch(DEVICE, given, NOW)).toMatchObject({ ok: false, reason: 'MALFORMED', key: null })
  })

  it('never throws, whatever comes, and gives every refusal a reason', () => {
    const base = [batchBytes(GOOD), batchCbor(GOOD)]
    const bent = fc
      .tuple(fc.constantFrom(...base), fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }), fc.nat(200))
      .map(([from, edits, cut]) => {
        const copy = Buffer.from(from)
        for (const [at, byte] of edits) copy[at % copy.length] = byte
        return copy.subarray(0, cut < 20 ? copy.length - cut : copy.length)
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), bent), (given) => {
        const result = decodeBatch(DEVICE, given, NOW)
        if (result.ok)
          expect(batchSchema.safeParse(JSON.parse(Buffer.from(batchBytes(result.batch)).toString())).success).toBe(true)
        else expect(result.detail.length).toBeGreaterThan(0)
      }),
      { numRuns: 20_000 },
    )
  })
})

describe('a receipt', () => {
  it('is of its device, and covers no more than it names gaps for', () => {
    const holey = Array.from({ length: 2 * RECEIPT_GAPS_MAX }, (_, i) => [2 * i + 1, 2 * i + 2] as const)
    const receipt = receiptOf(DEVICE, 3, holey)
    expect(receipt.missing).toHaveLength(RECEIPT_GAPS_MAX)
    expect(receipt.upTo).toBe(2 * RECEIPT_GAPS_MAX - 1)
    expect(isReceiptOf(DEVICE, receipt)).toBe(true)
    expect(isReceiptOf('device-two' as DeviceId, receipt)).toBe(false)
    expect(isReceiptOf(DEVICE, { ...receipt, upTo: receipt.upTo + 1 })).toBe(false)
  })
})
