import fc from 'fast-check'
import { PacketGuard } from './packet-guard'

/** One MQTT packet of `length` bytes after its fixed header, whose content looks like headers of huge packets. */
function packet(length: number): Uint8Array {
  const header = [0x30]
  let rest = length
  do {
    header.push((rest % 128) + (rest >= 128 ? 128 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Uint8Array.from([...header, ...new Array<number>(length).fill(0xff)])
}
const joined = (packets: Uint8Array[]) => Uint8Array.from(packets.flatMap((p) => [...p]))

/** Feeds a stream cut at the given places; false at the first chunk that is refused. */
function feed(guard: PacketGuard, stream: Uint8Array, cuts: readonly number[]): boolean {
  const at = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length]
  return at.slice(1).every((to, i) => guard.admits(stream.subarray(at[i], to)))
}

describe('the packet guard', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 })
  const cuts = fc.array(fc.nat(4_000), { maxLength: 12 })

  it('admits a stream exactly when every packet is within the limit, wherever the stream is cut', () => {
    fc.assert(
      fc.property(lengths, cuts, fc.integer({ min: 0, max: 400 }), (sizes, at, max) => {
        expect(feed(new PacketGuard(max, max), joined(sizes.map(packet)), at)).toBe(sizes.every((size) => size <= max))
      }),
    )
  })
  it('holds the first packet to its own limit, and only that one', () => {
    expect(feed(new PacketGuard(10, 300), joined([packet(10), packet(300), packet(300)]), [])).toBe(true)
    expect(feed(new PacketGuard(10, 300), packet(11), [])).toBe(false)
    expect(feed(new PacketGuard(10, 300), joined([packet(10), packet(301)]), [])).toBe(false)
  })
  it('refuses a length of more than four bytes', () => {
    expect(new PacketGuard(2 ** 30, 2 ** 30).admits(Uint8Array.of(0x10, 0x80, 0x80, 0x80, 0x80, 0x01))).toBe(false)
  })
})
