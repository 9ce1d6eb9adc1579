import { instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { parsePolicy } from '#policy'
import { requestClose } from '#pipeline'
import { filePolicy, periodOf, saveNetwork, want } from '#store'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const at = (iso: string) => instant(Date.parse(iso))

describe('what must not stop a close', () => {
  let world: World
  let people: Cast
  let device: DeviceClient

  beforeAll(async () => {
    world = await openWorld(at('2026-10-05T12:00:00+02:00'))
    people = await cast(world, MAIN_ROAD, [TARIFF])
    device = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
  })
  afterAll(async () => {
    await device?.close()
    await world?.close()
  })

  const stateOf = async (month: string) => (await periodOf(world.store, people.agency, month))?.state
  const reaches = async (month: string, state: string) => {
    for (let i = 0; (await stateOf(month)) !== state && i < 100; i++)
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await stateOf(month)).toBe(state)
  }

  it.each([
    ['currency', { currency: 'USD' }],
    ['timeZone', { timeZone: 'Europe/Paris' }],
  ])('a policy in another %s is refused at the door', async (term, other) => {
    const policy = parsePolicy({ ...TARIFF, id: 'next', startsAt: '2027-01-01T00:00:00+01:00', ...other })
    const filing = world.store.transaction((tx) => filePolicy(tx, people.agency, policy, world.clock.now()))
    await expect(filing).rejects.toThrow(`policy next can't be published: ${term}`)
  })

  it('a trip for which there is no network is held, and matched when one is imported', async () => {
    await world.store.transaction((tx) =>
      tx.run('update metering.network set active_from = $1', [at('2027-01-01T00:00:00Z')]),
    )
    for (const batch of driveAlong('early', 7, 7.02, at('2026-10-05T08:00:00+02:00'), 0)) await device.send(batch)
    await settled(world)
    const trips = () =>
      world.store.read<{ state: string; held_because: string | null }>('select state, held_because from metering.trip')
    expect(await trips()).toEqual([
      { state: 'held', held_because: `no road network of ${people.agency} was active then` },
    ])

    await requestClose(world.store, people.agency, '2026-10')
    world.clock.advanceTo(at('2026-11-01T00:00:01+01:00'))
    await reaches('2026-10', 'drafted')

    await world.store.transaction(async (tx) => {
      await tx.run('update metering.network set active_from = 0')
      await saveNetwork(tx, people.agency, MAIN_ROAD, { name: 'again', activeFrom: instant(0) })
    })
    await settled(world)
    expect(await trips()).toEqual([{ state: 'posted', held_because: null }])
  })

  it('vehicles that go on driving: the cut-off waits only for what came in before the month was over', async () => {
    world.clock.advanceTo(at('2026-12-01T00:00:01+01:00'))
    await requestClose(world.store, people.agency, '2026-11')
    await reaches('2026-11', 'drafted')
    world.clock.advanceTo(at('2027-01-01T00:00:01+01:00'))
    // Work that can't be done just now: leased by a worker that doesn't answer, rung before the month is found to be over.
    const busy = (lease: string) =>
      world.store.transaction(async (tx) => {
        await want(tx, [{ stage: 'match', key: people.device }])
        await tx.run(`update metering.work set lease_until = ${lease} where stage = 'match'`)
      })
    await busy(`clock_timestamp() + interval '2 seconds'`)
    await requestClose(world.store, people.agency, '2026-12')
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await stateOf('2026-12')).toBe('open')
    await reaches('2026-12', 'drafted')
    await settled(world)

    // The same, rung after it: the close goes on without it.
    world.clock.advanceTo(at('2027-02-01T00:00:01+01:00'))
    await world.store.transaction((tx) =>
      tx.run(
        `insert into money.period (agency, month, state, closing_since) values ($1, '2027-01', 'open', clock_timestamp())`,
        [people.agency],
      ),
    )
    await busy(`clock_timestamp() + interval '1 hour'`)
    await reaches('2027-01', 'drafted')
    await busy(`'-infinity'`)
    await settled(world)
  })

  it('but months close in their order', async () => {
    await expect(requestClose(world.store, people.agency, '2026-09')).rejects.toThrow(
      `${people.agency} has begun to close 2027-01`,
    )
    expect(await faultsOf(world)).toEqual([])
  })
})
