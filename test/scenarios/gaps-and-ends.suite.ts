import { type Batch } from '#contracts'
import { instant, type Instant } from '#kernel'
import { type DeviceClient } from '#messaging'
import { settled, type Cast, type World } from '../harness'
import { driveAlong } from './roads'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** A Roadmeter under way, one device of it, and how the table of every input looks at it. */
interface Stage {
  readonly world: World
  readonly people: Cast
  readonly device: DeviceClient
  readonly now: Instant
  readonly sendRaw: (bytes: Uint8Array) => Promise<void>
  readonly tripsOf: (boot: number) => Promise<{ state: string }[]>
  readonly until: (holds: () => Promise<boolean>) => Promise<void>
}

/** The rows of the table that take time: what is missing, and what has no end. */
export function gapsAndEnds(at: () => Stage): void {
  it('a gap is named by the receipt and metering waits for it; when it comes, the trip is whole', async () => {
    const { world, people, device, now, tripsOf } = at()
    const drive = driveAlong('gapped', 7, 7.05, instant(now - 7_200_000), 0, 7)
    const missing = drive[2]
    for (const other of drive.filter((one) => one !== missing)) await device.send(other)
    const receipt = await fetch(`${world.httpUrl}/v1/devices/${people.device}/receipt?boot=7`, {
      headers: { authorization: `Bearer ${people.deviceToken}` },
    })
    expect(await receipt.json()).toMatchObject({ upTo: drive.length - 1, missing: [[2, 3]] })
    await settled(world)
    expect(await tripsOf(7)).toMatchObject([{ state: 'open', first_seq: '0', last_seq: '1' }])

    expect(await device.send(missing)).toMatchObject({ upTo: drive.length - 1, missing: [] })
    await settled(world)
    expect(await tripsOf(7)).toEqual([
      {
        name: 'gapped',
        first_seq: '0',
        last_seq: String(drive.length - 1),
        state: 'posted',
        fixes: drive.reduce((sum, one) => sum + one.fixes.length, 0),
      },
    ])
  })

  // The clock goes on from here.
  describe('as time goes by', () => {
    const later = (ms: number) => {
      const { clock } = at().world
      clock.advanceTo(instant(clock.now() + ms))
    }
    it('a trip without an end waits for its rest, and ends when a gap would be given up', async () => {
      const { world, device, now, tripsOf, until } = at()
      const drive = driveAlong('endless', 7, 7.03, instant(now - 1_800_000), 0, 8).map((one): Batch => ({
        ...one,
        event: 'run',
      }))
      for (const one of drive) await device.send(one)
      await settled(world)
      expect(await tripsOf(8)).toMatchObject([{ state: 'open' }])
      later(31 * MINUTE_MS)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await tripsOf(8)).toMatchObject([{ state: 'open' }])
      later(7 * DAY_MS)
      await until(async () => (await tripsOf(8))[0].state === 'posted')
    })

    it('a gap is given up after a week, whatever is behind it, and what comes later still is a trip of its own', async () => {
      const { world, people, device, sendRaw, tripsOf, until } = at()
      const start = instant(world.clock.now() - 3_600_000)
      const drive = driveAlong('holed', 7, 7.06, start, 0, 9)
      const missing = drive[1]
      // Right behind the gap is a batch that is refused: it must not make the wait endless.
      for (const one of drive)
        if (one === drive[2]) await sendRaw(Buffer.from(JSON.stringify({ ...one, speed: 50 })))
        else if (one !== missing) await device.send(one)
      await settled(world)
      expect(await tripsOf(9)).toMatchObject([{ state: 'open', first_seq: '0', last_seq: '0' }])
      // Not after a day: neither the gap nor the trip before it is given up while something waits behind.
      later(DAY_MS)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await tripsOf(9)).toMatchObject([{ state: 'open', first_seq: '0', last_seq: '0' }])

      later(6 * DAY_MS + 1)
      await until(async () => (await tripsOf(9))[0].state === 'posted')
      const fixesOf = (batches: readonly Batch[]) => batches.reduce((sum, one) => sum + one.fixes.length, 0)
      const whole = {
        name: 'holed',
        state: 'posted',
        first_seq: '0',
        last_seq: String(drive.length - 1),
        fixes: fixesOf(drive) - missing.fixes.length - drive[2].fixes.length,
      }
      expect(await tripsOf(9)).toEqual([whole])
      expect(
        await world.store.read(`select gaps::text as gaps from metering.stream where device = $1 and boot = 9`, [
          people.device,
        ]),
      ).toEqual([{ gaps: '{[1,2)}' }])

      expect(await device.send(missing)).toMatchObject({ missing: [] })
      await settled(world)
      const late = { name: 'holed', state: 'posted', first_seq: '1', last_seq: '1', fixes: missing.fixes.length }
      expect(await tripsOf(9)).toEqual([whole, late])
      expect(
        await world.store.read(`select gaps::text as gaps from metering.stream where device = $1 and boot = 9`, [
          people.device,
        ]),
      ).toEqual([{ gaps: '{}' }])
    })
  })
}
