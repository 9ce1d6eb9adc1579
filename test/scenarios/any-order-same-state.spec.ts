import { type Batch } from '#contracts'
import { chance, instant, type Chance } from '#kernel'
import { DeviceClient } from '#messaging'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const at = (iso: string) => instant(Date.parse(iso))
const PERMUTATIONS = 12

/** Three days, two boots: a day over its cap, a day under it, and a trip through the gate of a rush hour. */
function days(): Batch[] {
  const first = [
    ...driveAlong('mon-out', 7, 7.1, at('2026-10-05T08:00:00+02:00'), 0),
    ...driveAlong('mon-back', 7.1, 7, at('2026-10-05T08:30:00+02:00'), 9),
    ...driveAlong('tue-out', 7, 7.06, at('2026-10-06T12:00:00+02:00'), 18),
  ]
  const second = [
    ...driveAlong('wed-out', 7.02, 7.1, at('2026-10-07T07:10:00+02:00'), 0, 1),
    ...driveAlong('wed-back', 7.1, 7.04, at('2026-10-07T08:20:00+02:00'), 8, 1),
  ]
  return [...first, ...second]
}

/** The same batches in another order, some of them twice or three times. */
function disturbed(batches: readonly Batch[], dice: Chance): Batch[] {
  const all = batches.flatMap((batch) =>
    Array.from({ length: 1 + (dice.below(3) === 0 ? 1 + dice.below(2) : 0) }, () => batch),
  )
  return all
    .map((batch) => [dice.next(), batch] as const)
    .sort(([a], [b]) => a - b)
    .map(([, batch]) => batch)
}

describe('any order, the same state', () => {
  let world: World
  beforeAll(async () => {
    world = await openWorld(at('2026-10-08T12:00:00+02:00'))
  })
  afterAll(() => world?.close())

  /** What an account has come to, without the names that each cast has of its own. */
  async function stateOf({ account, vehicle, device }: Cast) {
    const trips = await world.store.read(
      `select name, boot, first_seq, last_seq, state, started_at, ended_at, month, fixes, network, engine from metering.trip where device = $1 order by boot, first_seq`,
      [device],
    )
    const charges = await world.store.read(
      `select t.boot, t.first_seq, c.line, c.rule, c.road_class, c.zones, c.day, c.distance_mm, c.inferred_mm, c.fixes, c.rate, c.rate_per, c.free_reason, c.amount
       from money.charge c join metering.trip t on t.id = c.trip where t.device = $1 order by t.boot, t.first_seq, c.line`,
      [device],
    )
    const windows = await world.store.read(
      `select policy, cap, span, gross, credit from money.cap_window where vehicle = $1 order by span`,
      [vehicle],
    )
    const [balance] = await world.store.read<{ sum: string }>(
      `select sum(amount) as sum from money.posting where account = $1`,
      [`accrued:${account}`],
    )
    const streams = await world.store.read(
      `select boot, held::text as held, processed, accepted, gaps::text as gaps from metering.stream where device = $1 order by boot`,
      [device],
    )
    return { trips, charges, windows, balance, streams }
  }

  async function drive(suffix: string, groups: readonly (readonly Batch[])[]): Promise<Cast> {
    const people = await cast(world, MAIN_ROAD, [TARIFF], suffix)
    const device = await DeviceClient.connect({
      url: world.mqttUrl,
      device: people.device,
      token: people.deviceToken,
    })
    // Batches of a group are on their way together; between groups the line may go as far as it can.
    for (const group of groups) {
      await Promise.all(group.map((batch) => device.send(batch)))
      await settled(world)
    }
    await device.close()
    return people
  }

  let plain: Awaited<ReturnType<typeof stateOf>>
  it('is what the batches come to in the order of the drive', async () => {
    plain = await stateOf(await drive('plain', [days()]))
    expect(plain.trips).toHaveLength(5)
    expect(plain.trips.every((trip) => (trip as { state: string }).state === 'posted')).toBe(true)
    expect(plain.charges.length).toBeGreaterThanOrEqual(9)
    // Monday: 3.94 EUR and Wednesday: more than 2.00, both capped at 2.00; Tuesday: 4.73 km at 10 c.
    expect(
      (plain.windows as { span: string; credit: string }[]).map(({ span, credit }) => [span, credit < '0']),
    ).toEqual([
      ['2026-10-05', true],
      ['2026-10-06', false],
      ['2026-10-07', true],
    ])
    const tuesday = BigInt((plain.windows as { gross: string }[])[1].gross)
    expect(tuesday > 470_000n && tuesday < 476_000n).toBe(true)
    expect(BigInt(plain.balance.sum)).toBe(4_000_000n + tuesday)
  })

  it.each(Array.from({ length: PERMUTATIONS }, (_, seed) => seed))('and in disorder %i', async (seed) => {
    const dice = chance(`any order ${seed}`)
    const batches = disturbed(days(), dice)
    const groups: Batch[][] = []
    while (batches.length) groups.push(batches.splice(0, 1 + dice.below(seed % 3 === 0 ? 40 : 12)))
    const state = await stateOf(await drive(`disorder-${seed}`, groups))
    expect(state).toEqual(plain)
  })

  it('with every invariant kept', async () => {
    expect(await faultsOf(world)).toEqual([])
  })
})
