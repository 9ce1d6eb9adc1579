import { batchBytes, batchCbor, type Batch } from '#contracts'
import { type Chance } from '#kernel'

const EVENTS = ['start', 'run', 'end'] as const
const ODD = [null, true, -1, 0.5, 1e300, 2 ** 53, '', '\u0000', 'NaN', [], {}, [[]], '__proto__']

/** A batch as devices send it: at some place, at most a day ago. */
export function realBatch(dice: Chance, nowMs: number): Batch {
  const from = nowMs - 60_000 - dice.below(86_400_000)
  const [lat, lon] = [45 + dice.next() / 10, 7 + dice.next() / 10]
  return {
    v: 1,
    boot: dice.below(1000),
    seq: dice.below(100_000),
    trip: `t${dice.below(1000)}`,
    event: dice.pick(EVENTS),
    fixes: Array.from({ length: 1 + dice.below(8) }, (_, i) => [
      from + 1000 * i,
      Math.round((lat + i / 10_000) * 1e6) / 1e6,
      Math.round((lon + i / 10_000) * 1e6) / 1e6,
      ...(dice.below(4) ? [dice.below(100) / 10] : []),
    ]) as Batch['fixes'],
    ...(dice.below(5) ? {} : { odometer: [[from, dice.below(1_000_000)]] }),
  }
}

/** Of one message as many mutants: to make and write a message takes longer than to break it. */
const MUTANTS_PER_MESSAGE = 8

/** Real messages of devices, without end, with one thing wrong or a few: in their bytes, or in what they say. */
export function* mutants(dice: Chance, nowMs: number): Generator<Uint8Array, never> {
  for (;;) {
    const batch = realBatch(dice, nowMs)
    const write = dice.below(2) ? batchBytes : batchCbor
    const whole = Uint8Array.from(write(batch))
    for (let i = 0; i < MUTANTS_PER_MESSAGE; i++)
      if (dice.below(3) === 0) yield write(bent(batch, dice) as Batch)
      else {
        let bytes = whole
        for (let changes = 1 + dice.below(4); changes > 0; changes--) bytes = broken(bytes, dice)
        yield bytes
      }
  }
}

/** Another value somewhere in it, a member less, one more. */
function bent(batch: Batch, dice: Chance): unknown {
  const copy = structuredClone(batch) as unknown as Record<string, unknown>
  const name = dice.pick(Object.keys(copy))
  switch (dice.below(4)) {
    case 0:
      delete copy[name]
      break
    case 1:
      copy[name] = dice.pick(ODD)
      break
    case 2:
      copy[dice.pick(['plate', 'toString', 'fixes ', ''])] = dice.pick(ODD)
      break
    default:
      ;(copy.fixes as unknown[])[dice.below(batch.fixes.length)] = dice.pick([
        ...ODD,
        [batch.fixes[0][0], 91, 7],
        [batch.fixes[0][0], 45, '7'],
        [batch.fixes[0][0], 45],
        [batch.fixes[0][0], 45, 7, -1],
      ])
  }
  return copy
}

function broken(bytes: Uint8Array, dice: Chance): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(bytes)
  const at = dice.below(Math.max(1, copy.length))
  switch (dice.below(5)) {
    case 0:
      copy[at] ^= 1 << dice.below(8)
      return copy
    case 1:
      copy[at] = dice.below(256)
      return copy
    case 2:
      return copy.slice(0, at)
    case 3:
      return Uint8Array.from([...copy.subarray(0, at), dice.below(256), ...copy.subarray(at)])
    default: {
      // A piece of it over another.
      const length = dice.below(Math.max(1, copy.length - at))
      copy.set(copy.subarray(dice.below(at + 1), dice.below(at + 1) + length).subarray(0, copy.length - at), at)
      return copy
    }
  }
}
