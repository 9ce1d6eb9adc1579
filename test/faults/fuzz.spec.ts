import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import {
  batchBytes,
  batchCbor,
  batchDigest,
  batchSchema,
  decodeBatch,
  decodeBridged,
  readOwnTracks,
  readTraccar,
  REJECTIONS,
  wireBatch,
  type Bridged,
  type Decoded,
} from '#contracts'
import { chance, instant, type DeviceId } from '#kernel'
import { mutants, ownTracks, realBatch, traccar } from './mutants'

// Whatever comes in, the decoder says what it is; it never throws, and takes nothing for a batch that isn't one. FUZZ=10000000
// is the long form.
const RUNS = Number(process.env.FUZZ ?? 100_000)
const SEED = process.env.FUZZ_SEED ?? String(Math.floor(Math.random() * 2 ** 31))
const NOW = instant(1_790_000_000_000)
const DEVICE = 'fuzzed-device' as DeviceId

/** What must hold of every answer, told without jest's matchers: they would be what takes the time. */
function faultOf(bytes: Uint8Array, decoded: Decoded): string | null {
  if (!decoded.ok) {
    if (!REJECTIONS.includes(decoded.reason)) return `an unknown reason ${decoded.reason}`
    if (decoded.detail.length === 0) return 'no detail'
    const { key } = decoded
    if (key && !(Number.isInteger(key.boot) && Number.isInteger(key.seq) && key.boot >= 0 && key.seq >= 0))
      return `a number that is none: ${JSON.stringify(key)}`
    return null
  }
  // The fast way and the schema agree, and the batch says the same however it is written down.
  if (!batchSchema.safeParse(wireBatch(decoded.batch)).success) return 'accepted, and the schema refuses it'
  const digest = batchDigest(DEVICE, decoded.batch)
  for (const write of [batchBytes, batchCbor]) {
    const again = decodeBatch(DEVICE, write(decoded.batch), NOW)
    if (!again.ok || batchDigest(DEVICE, again.batch) !== digest) return 'not the same when it is written down again'
  }
  return bytes.length > 65_536 ? 'accepted, and too large' : null
}

describe(`the decoder, seed ${SEED}`, () => {
  it(`gives each of ${RUNS} broken messages its answer`, () => {
    const broken = mutants(chance(SEED), NOW)
    const fates = { ok: 0, MALFORMED: 0, TOO_LARGE: 0, TIME: 0 } as Record<string, number>
    for (let i = 0; i < RUNS; i++) {
      const bytes = broken.next().value
      let fault: string | null
      try {
        // As they come over the wire, and as they would in a browser.
        const decoded = decodeBatch(DEVICE, i % 2 ? Buffer.from(bytes) : bytes, NOW)
        fates[decoded.ok ? 'ok' : decoded.reason]++
        fault = faultOf(bytes, decoded)
      } catch (error) {
        fault = `it threw: ${(error as Error).stack}`
      }
      if (fault) throw new Error(`mutant ${i} of seed ${SEED}: ${fault}: ${Buffer.from(bytes).toString('hex')}`)
    }
    // Both ways are taken: it neither refuses everything nor lets everything through.
    expect(fates.MALFORMED).toBeGreaterThan(RUNS / 10)
    expect(fates.ok).toBeGreaterThan(RUNS / 100)
  })

  it('takes what is whole', () => {
    const dice = chance(`${SEED} whole`)
    for (let i = 0; i < 2_000; i++) {
      const batch = realBatch(dice, NOW)
      for (const write of [batchBytes, batchCbor])
        expect(decodeBatch(DEVICE, write(batch), NOW)).toMatchObject({ ok: true, batch })
    }
  })

  it('never throws at bytes, JSON or CBOR of any kind', () => {
    const numRuns = Math.ceil(RUNS / 20)
    const never = (bytes: Uint8Array) => {
      const decoded = decodeBatch(DEVICE, bytes, NOW)
      return faultOf(bytes, decoded) === null
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), never), { numRuns })
    // Every first byte of a map in CBOR, with anything behind it.
    fc.assert(
      fc.property(fc.integer({ min: 0xa0, max: 0xbf }), fc.uint8Array({ maxLength: 200 }), (first, rest) =>
        never(Uint8Array.from([first, ...rest])),
      ),
      { numRuns },
    )
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => never(new TextEncoder().encode(text))),
      { numRuns },
    )
  })

  it('keeps its memory flat', () => {
    const broken = mutants(chance(`${SEED} memory`), NOW)
    const messages = Array.from({ length: 2_000 }, () => broken.next().value)
    const pass = () => messages.forEach((bytes) => decodeBatch(DEVICE, bytes, NOW))
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const used = () => {
      collect()
      return process.memoryUsage().heapUsed
    }
    for (let i = 0; i < 3; i++) pass()
    const before = used()
    for (let i = 0; i < 10; i++) pass()
    // 20,000 messages: a leak of a twentieth of their bytes would be seen.
    expect((used() - before) / 1024 / 1024).toBeLessThan(1)
  })
})

/** What must hold of whatever came over a bridge. */
function faultOfBridged(read: Bridged): string | null {
  if (read.kind !== 'position') return read.kind === 'state' || read.why.length > 0 ? null : 'no reason'
  // What Accept makes of it: a batch like any other, of which only the time may be refused.
  const decoded = decodeBridged(read.device, read.batch, NOW)
  if (!decoded.ok) return decoded.reason === 'TIME' ? null : `a position that is no batch: ${decoded.detail}`
  return decoded.batch.fixes.length === 1 ? null : 'not one fix'
}

describe(`the readers of the bridges, seed ${SEED}`, () => {
  it.each([
    ['OwnTracks', ownTracks, (bytes: Uint8Array) => readOwnTracks(DEVICE, bytes)],
    ['Traccar', traccar(DEVICE), readTraccar],
  ])(`%s: each of ${RUNS} broken messages gets its answer, and the same again`, (name, kind, read) => {
    const broken = mutants(chance(`${SEED} ${name}`), NOW, kind)
    const fates = { position: 0, state: 0, ignored: 0, refused: 0 }
    for (let i = 0; i < RUNS; i++) {
      const bytes = broken.next().value
      let fault: string | null
      try {
        const bridged = read(bytes)
        fates[bridged.kind]++
        fault = faultOfBridged(bridged)
        if (JSON.stringify(read(Buffer.from(bytes))) !== JSON.stringify(bridged))
          fault = 'not the same when it is read again'
      } catch (error) {
        fault = `it threw: ${(error as Error).stack}`
      }
      if (fault)
        throw new Error(`${name}, mutant ${i} of seed ${SEED}: ${fault}: ${Buffer.from(bytes).toString('hex')}`)
    }
    expect(fates.refused).toBeGreaterThan(RUNS / 10)
    expect(fates.position).toBeGreaterThan(RUNS / 100)
    expect(fates.ignored).toBeGreaterThan(0)
  })
})
