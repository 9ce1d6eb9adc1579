import { type AccountId, type DeviceId, type Digest, type VehicleId } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { localClock } from '#policy'
import {
  addTraffic,
  closeTraffic,
  lockTraffic,
  saveAccount,
  saveDevice,
  saveRelease,
  saveVehicle,
  segmentUses,
} from '#store'
import { readTile } from '../../libs/tiles/src/read.fixture'
import { cast, officers, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, METRES_PER_DEGREE, TARIFF } from './roads'
import { at } from './story'

// Twelve cars drive on the eastern half of Main Road, nine of them on the western half too: nine are too few to be shown.
const CARS = 12
const ALL_THE_WAY = 9
const HALF_MM = 0.05 * METRES_PER_DEGREE * 1000
/** Holds all east of 7.03 degrees. */
const SQUARE = '10/532/368'

describe('a map of our own', () => {
  let world: World
  let people: Cast
  let ada: string

  const get = (path: string, token?: string) =>
    fetch(`${world.httpUrl}${path}`, { headers: token ? { authorization: `Bearer ${token}` } : {} })
  // What comes back is checked by whoever asks.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  const json = async (path: string, token?: string): Promise<any> => (await get(path, token)).json()
  const tile = async (address: string, token?: string) =>
    readTile(new Uint8Array(await (await get(address, token)).arrayBuffer()))

  beforeAll(async () => {
    world = await openWorld(at('2026-10-05T06:00:00Z'))
    people = await cast(world, MAIN_ROAD, [TARIFF])
    ;({ ada } = await officers(world, people.agency, { ada: 'editor' }))
    for (let i = 0; i < CARS; i++) {
      const [account, vehicle, device] = [`a${i}`, `v${i}`, `device-no-${i}`] as [AccountId, VehicleId, DeviceId]
      await world.store.transaction(async (tx) => {
        await saveAccount(tx, { id: account, agency: people.agency, name: `Somebody ${i}` })
        await saveVehicle(tx, { vehicle, account, name: 'a car', vehicleClass: 'car' })
        await saveDevice(tx, { id: device, vehicle, token: `token ${i}` })
      })
      const client = await DeviceClient.connect({ url: world.mqttUrl, device, token: `token ${i}` })
      const batches = driveAlong('t', i < ALL_THE_WAY ? 7 : 7.0501, 7.1, at('2026-10-05T06:00:00Z'), 0)
      world.clock.advanceTo(at('2026-10-05T12:00:00Z'))
      await Promise.all(batches.map((batch) => client.send(batch)))
      await client.close()
    }
    await settled(world)
  })
  afterAll(() => world.close())

  it('says where it is and serves its roads and zones, compressed, for ever under their digests', async () => {
    const map = await json(`/v1/agencies/${people.agency}/map`)
    expect(map).toMatchObject({ bounds: [7, 45, 7.1, 45.0045], attribution: 'drawn for tests', zoomMax: 14 })
    const address = (layer: 'roads' | 'zones', square = SQUARE) =>
      map.tiles[layer].replace('{z}/{x}/{y}', square) as string
    const answer = await get(address('roads'))
    expect([answer.status, answer.headers.get('cache-control'), answer.headers.get('content-encoding')]).toEqual([
      200,
      'public, max-age=31536000, immutable',
      'gzip',
    ])
    expect((await tile(address('roads'))).roads).toContainEqual({ class: 'primary', name: 'Main Road' })
    expect(await tile(address('zones'))).toEqual({
      zones: [{ id: 'east', name: 'East' }],
      'zone-labels': [{ id: 'east', name: 'East' }],
    })
    expect((await get(address('roads', '10/0/0'))).status).toBe(204)
    const wrong = await get(address('roads', '15/0/0'))
    expect([wrong.status, ((await wrong.json()) as { title: string }).title]).toEqual([
      400,
      'there is no square 15/0/0.pbf: expected {z}/{x}/{y}.pbf, zoom 0 to 14',
    ])
    expect((await get('/tiles/roads/0/0/0.pbf?agency=nowhere')).status).toBe(404)
    // There is but one city here.
    expect((await tile(`/tiles/roads/${SQUARE}.pbf`)).roads).toContainEqual({ class: 'primary', name: 'Main Road' })
  })

  it('shows a draft to those who write it, and to nobody else', async () => {
    const draft = {
      ...TARIFF,
      id: 'new',
      startsAt: '2027-01-01T00:00:00+01:00',
      zones: { ...TARIFF.zones, fresh: { ...TARIFF.zones.east, name: 'Fresh' } },
    }
    const put = await fetch(`${world.httpUrl}/v1/agencies/${people.agency}/drafts/new`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${ada}`, 'content-type': 'application/json' },
      body: JSON.stringify(draft),
    })
    expect(put.status).toBe(200)
    const address = `/tiles/drafts/${SQUARE}.pbf?policy=new`
    expect((await tile(address, ada)).zones.map(({ name }) => name).sort()).toEqual(['East', 'Fresh'])
    expect((await get(address)).status).toBe(401)
    expect((await get(address, people.tokens.citizen)).status).toBe(403)
    expect((await get(`/tiles/zones/${SQUARE}.pbf?agency=${people.agency}&policy=new`)).status).toBe(404)
  })

  it('says what is wrong with a document while it is written, and keeps nothing', async () => {
    const preview = async (document: unknown) => {
      const answer = await fetch(`${world.httpUrl}/v1/agencies/${people.agency}/drafts/idea/preview`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ada}`, 'content-type': 'application/json' },
        body: JSON.stringify(document),
      })
      return answer.json()
    }
    expect(await preview({ ...TARIFF, rules: [] })).toMatchObject({ faults: [{ path: 'rules' }], words: null })
    const dead = [{ ...TARIFF.rules.at(-1), id: 'all' }, ...TARIFF.rules]
    expect(await preview({ ...TARIFF, rules: dead })).toMatchObject({
      faults: TARIFF.rules.map((_, i) => expect.objectContaining({ path: `rules[${i + 1}]` })),
    })
    expect(await preview({ ...TARIFF, startsAt: '2027-01-01T00:00:00+01:00' })).toMatchObject({
      faults: [],
      unpublishable: [],
      words: expect.arrayContaining(['All other roads: everywhere else, at any time: 0.10 EUR per km']),
    })
    expect(await json(`/v1/agencies/${people.agency}/drafts`, ada)).toHaveLength(2)
  })

  it('counts the charged miles of a sealed month, where ten vehicles drove', async () => {
    const address = `/tiles/charged/${SQUARE}.pbf?month=2026-10`
    expect((await get(address, people.tokens.analyst)).status).toBe(404)
    await requestClose(world.store, people.agency, '2026-10')
    for (const day of ['2026-11-01', '2026-12-01']) {
      world.clock.advanceTo(localClock('Europe/Rome').spanOf(day).to)
      for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((next) => setTimeout(next, 50))) {
        const [{ state }] = await world.store.read<{ state: string }>('select state from money.period')
        if (state === (day < '2026-12' ? 'drafted' : 'sealed')) break
      }
    }
    await settled(world)

    expect(await json(`/v1/agencies/${people.agency}/traffic`, people.tokens.analyst)).toEqual([
      { month: '2026-10', vehicles: CARS, segments: 1, suppressed: 1 },
    ])
    const [road, ...others] = await json(`/v1/agencies/${people.agency}/traffic/2026-10`, people.tokens.analyst)
    expect(others).toEqual([])
    expect(road).toMatchObject({ name: 'Main Road', class: 'primary', segments: 1, vehicles: CARS })
    expect(Math.abs(road.chargedMm / (CARS * HALF_MM) - 1)).toBeLessThan(0.01)
    expect((await tile(address, people.tokens.analyst)).charged).toEqual([
      expect.objectContaining({ name: 'Main Road', passes: CARS, vehicles: CARS }),
    ])
    expect((await get(address, people.tokens.citizen)).status).toBe(403)
    // What stood for few is gone.
    expect(await world.store.read('select 1 from location.segment_count')).toEqual([])
  })

  it('leaves out a road of which the tables tell all, where a few drove for nothing: one less the other would be theirs', async () => {
    const [month, agency] = ['2026-08', people.agency]
    const released = (segment: string, mm: bigint) => ({
      key: [segment, 'primary', '8'],
      vehicles: 12,
      sums: [mm, 12n],
      over: [0n, 0n],
      squares: null,
    })
    const counted = (segment: string, chargedMm: number, freeVehicles: number, freeMm: number) => ({
      ...{ network: 'n' as Digest, segment, vehicles: 12, chargedMm, freeVehicles, freeMm },
    })
    const kept = await world.store.transaction(async (tx) => {
      await saveRelease(
        tx,
        {
          ...{ id: 'r-8', agency, dataset: 'miles-by-segment', period: month, noise: '', cost: 0, k: 10, rows: 4 },
          ...{ suppressed: { few: 0, dominated: 0, complementary: 0 }, totals: null, facts: {} },
          ...{ digest: 'd' as Digest, releasedAt: world.clock.now() },
        },
        // Of `hour-missing` an hour is withheld, so nobody knows what all drove there.
        [released('told', 1000n), released('hour-missing', 800n), released('paid', 1000n), released('many', 2000n)],
      )
      await lockTraffic(tx, agency, month)
      await addTraffic(tx, agency, month, { last: 'v' as VehicleId, vehicles: 12 }, [
        counted('told', 900, 1, 100),
        counted('hour-missing', 900, 1, 100),
        counted('paid', 1000, 0, 0),
        counted('many', 1000, 10, 1000),
        counted('free', 0, 12, 500),
      ])
      await closeTraffic(tx, agency, month, world.clock.now())
      return (await segmentUses(tx, agency, month)).map(({ segment }) => segment)
    })
    expect(kept).toEqual(['hour-missing', 'many', 'paid'])
    const [{ segments, suppressed }] = await world.store.read<{ segments: number; suppressed: number }>(
      `select segments, suppressed from metering.traffic where month = $1`,
      [month],
    )
    expect([segments, suppressed]).toEqual([3, 1])
  })

  it('tells how the pilot goes in totals', async () => {
    const told = await json(`/v1/agencies/${people.agency}/dashboard`, people.tokens.agency)
    expect(told).toMatchObject({
      accounts: CARS + 1,
      vehicles: CARS + 1,
      policy: { id: TARIFF.id, currency: 'EUR' },
      periods: [{ month: '2026-10', state: 'sealed', stopped: 0 }],
      months: [{ month: '2026-10', vehicles: CARS, trips: CARS }],
      accuracy: { vehicles: CARS, trips: CARS },
      disputes: { open: 0, decideBy: null },
      held: { reviews: 0, unmatched: 0 },
      quarantine: [],
    })
    expect(Math.abs(told.accuracy.matchedMm / ((CARS + ALL_THE_WAY) * HALF_MM) - 1)).toBeLessThan(0.01)
    expect((await get(`/v1/agencies/${people.agency}/dashboard`, people.tokens.citizen)).status).toBe(403)
    expect((await get('/v1/agencies/elsewhere/dashboard', people.tokens.agency)).status).toBe(404)
  })

  it('tells how a backtest goes, until it is done', async () => {
    const post = (path: string) =>
      fetch(`${world.httpUrl}/v1/agencies/${people.agency}/drafts/new/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ada}` },
      })
    expect((await post('check')).status).toBe(200)
    expect((await post('backtests')).status).toBe(202)
    const stream = await get(`/v1/agencies/${people.agency}/drafts/new/backtests/events`, ada)
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const events = (await stream.text()).split('\n\n').filter((part) => part.includes('data: '))
    const last = JSON.parse(/^data: (.+)$/m.exec(events.at(-1)!)![1])
    expect(last).toEqual([{ id: expect.any(String), trips: CARS, tripsDone: CARS, isDone: true }])
  })
})
