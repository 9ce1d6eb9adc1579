import { batchBytes, batchCbor, type Batch } from '#contracts'
import { type Chance } from '#kernel'

const EVENTS = ['start', 'run', 'end'] as const
const ODD = [null, true, -1, 0.5, 1e300, 2 ** 53, '', '\u0000', 'NaN', [], {}, [[]], '__proto__']

/** When and where somebody was: at most a day ago. */
const realPlace = (dice: Chance, nowMs: number): [number, number, number] => [
  nowMs - 60_000 - dice.below(86_400_000),
  45 + dice.next() / 10,
  7 + dice.next() / 10,
]

/** A batch as devices send it: at some place, at most a day ago. */
export function realBatch(dice: Chance, nowMs: number): Batch {
  const [from, lat, lon] = realPlace(dice, nowMs)
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

/** A message of some kind, and how it is written down. */
interface Message {
  readonly said: object
  readonly write: (said: object) => Uint8Array
}
export type Kind = (dice: Chance, nowMs: number) => Message

const inJson = (said: object): Uint8Array => new TextEncoder().encode(JSON.stringify(said))

const nativeBatch: Kind = (dice, nowMs) => {
  const write = dice.below(2) ? batchBytes : batchCbor
  return { said: realBatch(dice, nowMs), write: (said) => write(said as Batch) }
}

/** As the OwnTracks app sends it: most often a location. */
export const ownTracks: Kind = (dice, nowMs) => {
  const [tst, lat, lon] = realPlace(dice, nowMs)
  const _type = dice.pick(['location', 'location', 'location', 'transition', 'lwt', 'waypoint', 'encrypted'])
  const rest = { batt: dice.below(100), vel: dice.below(130), tid: 'ab', topic: 'owntracks/user/phone', conn: 'm' }
  return { said: { _type, lat, lon, tst: Math.floor(tst / 1000), acc: dice.below(60), ...rest }, write: inJson }
}

/** As a Traccar server forwards it, of this device or another. */
export const traccar =
  (device: string): Kind =>
  (dice, nowMs) => {
    const [at, latitude, longitude] = realPlace(dice, nowMs)
    const fixTime = dice.below(2) ? at : new Date(at).toISOString().replace('Z', '+00:00')
    return {
      said: {
        position: {
          ...{ id: 1, deviceId: 10, protocol: 'osmand', attributes: { motion: true }, fixTime, address: null },
          ...{ valid: dice.below(9) > 0, outdated: dice.below(9) === 0, latitude, longitude, accuracy: dice.below(60) },
        },
        device: {
          id: 10,
          attributes: {},
          name: 'Company car',
          uniqueId: dice.below(9) ? device : device.toUpperCase(),
        },
      },
      write: inJson,
    }
  }

/** Of one message as many mutants: to make and write a message takes longer than to break it. */
const MUTANTS_PER_MESSAGE = 8

/** Real messages of a kind, without end, with one thing wrong or a few: in their bytes, or in what they say. */
export function* mutants(dice: Chance, nowMs: number, kind = nativeBatch): Generator<Uint8Array, never> {
  for (;;) {
    const { said, write } = kind(dice, nowMs)
    const whole = Uint8Array.from(write(said))
    for (let i = 0; i < MUTANTS_PER_MESSAGE; i++)
      if (dice.below(3) === 0) yield write(bent(said, dice))
      else {
        let bytes = whole
        for (let changes = 1 + dice.below(4); changes > 0; changes--) bytes = broken(bytes, dice)
        yield bytes
      }
  }
}

/** Another value somewhere in it, a member less, one more. */
function bent(said: object, dice: Chance): object {
  const copy = structuredClone(said) as Record<string, unknown>
  // In it, or in an object within it.
  const within = Object.values(copy).filter((one) => typeof one === 'object' && one !== null && !Array.isArray(one))
  const part = dice.pick([copy, ...(within as Record<string, unknown>[])])
  const name = dice.pick(Object.keys(part)) ?? ''
  switch (dice.below(4)) {
    case 0:
      delete part[name]
      break
    case 1:
      part[name] = dice.pick(ODD)
      break
    case 2:
      part[dice.pick(['plate', 'toString', 'fixes ', ''])] = dice.pick(ODD)
      break
    default: {
      const { fixes } = copy as Partial<Batch>
      if (!fixes)
        part[name] = dice.pick([...ODD, 91, -181, '45', 1e-7, Number.MAX_SAFE_INTEGER, -8_640_000_000_000_001])
      else
        (fixes as unknown[])[dice.below(fixes.length)] = dice.pick([
          ...ODD,
          [fixes[0][0], 91, 7],
          [fixes[0][0], 45, '7'],
          [fixes[0][0], 45],
          [fixes[0][0], 45, 7, -1],
        ])
    }
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
