import { statementSchema, type Batch, type Receipt } from '#contracts'
import { instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { verifyStatement } from '#statement'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, METRES_PER_DEGREE, TARIFF } from './roads'

const at = (iso: string) => instant(Date.parse(iso))

describe('a month on the main road', () => {
  let world: World
  let people: Cast
  let device: DeviceClient
  const sent: Batch[] = []

  const get = (path: string, token?: string) =>
    fetch(`${world.httpUrl}${path}`, token ? { headers: { authorization: `Bearer ${token}` } } : {})
  const sendAll = async (batches: readonly Batch[]): Promise<Receipt> => {
    sent.push(...batches)
    return (await Promise.all(batches.map((batch) => device.send(batch)))).at(-1)!
  }

  beforeAll(async () => {
    world = await openWorld(at('2026-10-05T12:00:00+02:00'))
    people = await cast(world, MAIN_ROAD, [TARIFF])
    device = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
  })
  afterAll(async () => {
    await device?.close()
    await world?.close()
  })

  it('gives a receipt that covers what was sent', async () => {
    // Monday 5 October 2026, 08:00: 3.94 km west of the zone at 10 c/km and 3.94 km inside at 40 c/km.
    const receipt = await sendAll(driveAlong('commute', 7, 7.1, at('2026-10-05T08:00:00+02:00'), 0))
    expect(receipt).toMatchObject({ boot: 0, upTo: 8, missing: [] })
    await settled(world)
  })

  it('charges each half by its own rule, to the micro', async () => {
    const lines = await world.store.read<{ rule: string; distance_mm: string; amount: string; zones: string[] }>(
      'select rule, distance_mm, amount, zones from money.charge order by rule',
    )
    expect(lines.map((line) => [line.rule, line.zones])).toEqual([
      ['base', []],
      ['east-peak', ['east']],
    ])
    for (const line of lines) {
      const mm = Number(line.distance_mm)
      expect(Math.abs(mm / 1000 - 0.05 * METRES_PER_DEGREE)).toBeLessThan(1)
      // 0.10 and 0.40 a kilometre: 0.1 and 0.4 micros a millimetre, rounded half to even
      expect(Number(line.amount)).toBeCloseTo(line.rule === 'base' ? mm / 10 : (mm * 4) / 10, -1)
    }
  })

  it('caps the day: the way back is cheaper by what is over two euros', async () => {
    world.clock.advanceTo(at('2026-10-05T20:00:00+02:00'))
    // 08:20, again in rush hour: with the first trip 3.94 EUR, of which 2.00 are due.
    await sendAll(driveAlong('back', 7.1, 7, at('2026-10-05T08:20:00+02:00'), sent.length))
    await settled(world)
    const [window] = await world.store.read<{ gross: string; credit: string; span: string }>(
      'select gross, credit, span from money.cap_window',
    )
    expect(window.span).toBe('2026-10-05')
    expect(BigInt(window.gross) + BigInt(window.credit)).toBe(2_000_000n)
  })

  it('charges nothing twice when everything comes again', async () => {
    const before = await world.store.read('select * from money.transfer order by id')
    for (const batch of sent) await device.send(batch)
    await settled(world)
    expect(await world.store.read('select * from money.transfer order by id')).toEqual(before)
    expect((await world.store.read<{ duplicate: string }>('select duplicate from metering.stream'))[0].duplicate).toBe(
      String(sent.length),
    )
  })

  it('closes the month after its end, seals after the review, and bills two euros', async () => {
    await requestClose(world.store, people.agency, '2026-10')
    await settled(world)
    expect(await (await get(`/v1/agencies/${people.agency}/periods/2026-10`)).json()).toMatchObject({
      state: 'open',
      root: null,
    })
    world.clock.advanceTo(at('2026-11-01T00:00:01+01:00'))
    await stateIs('drafted')
    // The last day for questions is 11 November: it belongs to the citizen to its end.
    world.clock.advanceTo(at('2026-11-11T23:59:59+01:00'))
    await new Promise((resolve) => setTimeout(resolve, 400))
    await stateIs('drafted')
    world.clock.advanceTo(at('2026-11-12T00:00:00+01:00'))
    await stateIs('sealed')
    const [row] = (await (await get('/v1/statements', people.tokens.citizen)).json()) as {
      id: string
      state: string
      dueMicros: string
    }[]
    expect(row).toMatchObject({ state: 'sealed', dueMicros: '2000000' })

    const text = await (await get(`/v1/statements/${row.id}.json`, people.tokens.citizen)).text()
    const statement = statementSchema.parse(JSON.parse(text))
    expect(statement.totals).toMatchObject({ trips: 2, due: 2_000_000n })
    const feed = (await (await get(`/v1/agencies/${people.agency}/policies`)).json()) as {
      document: Parameters<typeof verifyStatement>[1][number]
    }[]
    expect(
      verifyStatement(
        statement,
        feed.map((policy) => policy.document),
      ),
    ).toEqual([])

    const csv = await (await get(`/v1/statements/${row.id}.csv`, people.tokens.citizen)).text()
    expect(csv).toContain('East, rush hour')
    const html = await (await get(`/v1/statements/${row.id}.html`, people.tokens.citizen)).text()
    expect(html).toContain('2.00')
    expect(html).not.toContain('<script')
  })

  it('takes a trip that comes after the seal as an adjustment of the next month', async () => {
    await sendAll(driveAlong('late', 7, 7.05, at('2026-10-20T12:00:00+02:00'), sent.length))
    await settled(world)
    world.clock.advanceTo(at('2026-12-01T00:00:01+01:00'))
    await requestClose(world.store, people.agency, '2026-11')
    await stateIs('drafted', '2026-11')
    const [row] = (await (await get('/v1/statements', people.tokens.citizen)).json()) as { id: string; month: string }[]
    const statement = statementSchema.parse(
      await (await get(`/v1/statements/${row.id}.json`, people.tokens.citizen)).json(),
    )
    expect(statement.month).toBe('2026-11')
    expect(statement.journeys.map((journey) => journey.month)).toEqual(['2026-10'])
    expect(statement.totals.adjustments).toBe(statement.totals.exact)
    expect(statement.totals.exact > 390_000n && statement.totals.exact < 400_000n).toBe(true)
  })

  it('keeps every invariant, and the checker finds a fact that was changed behind its back', async () => {
    expect(await faultsOf(world)).toEqual([])
    await world.store.transaction(async (tx) => {
      await tx.run('alter table money.charge disable trigger append_only')
      await tx.run('update money.charge set amount = amount + 1 where rate is not null')
    })
    const faults = await faultsOf(world)
    expect(faults.map((fault) => fault.slice(0, 2))).toEqual(expect.arrayContaining(['I4', 'I5', 'I6']))
  })

  async function stateIs(state: string, month = '2026-10'): Promise<void> {
    for (let i = 0; i < 200; i++) {
      const period = (await (await get(`/v1/agencies/${people.agency}/periods/${month}`)).json()) as { state: string }
      if (period.state === state) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`${month} never became ${state}`)
  }
})
