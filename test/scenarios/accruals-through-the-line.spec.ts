import { statementSchema, type Batch, type Statement } from '#contracts'
import { instant, type Instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { parsePolicy } from '#policy'
import { verifyStatement } from '#statement'
import { saveProfile } from '#store'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const at = (iso: string) => instant(Date.parse(iso))

/** Each entry into the east 3.00, again within two hours free; residents pay half; 5 a day and 8 a month at most; 10 % tax. */
const CORDON = {
  ...TARIFF,
  id: 'cordon',
  rules: [
    { id: 'entry', name: 'Into the east', match: { zones: ['east'] }, price: { perEntry: '3.00' }, revenue: { city: 2, county: 1 } },
    { id: 'driving', name: 'Driving', match: {}, price: { free: 'only entering is charged' } },
  ],
  discounts: [{ id: 'residents', name: 'Residents', percent: '50', for: { programmes: ['residents'] } }],
  transfers: [{ id: 'again', name: 'Again', minutes: 120 }],
  caps: [
    { id: 'day', name: 'A day', per: 'day', amount: '5' },
    { id: 'month', name: 'A month', per: 'month', amount: '8' },
  ],
  taxes: [{ id: 'tax', name: 'Tax', percent: '10', jurisdiction: 'state' }],
} // prettier-ignore

describe('accruals through the line', () => {
  let world: World
  let people: Cast
  let device: DeviceClient
  let sent = 0

  const get = (path: string, token?: string) =>
    fetch(`${world.httpUrl}${path}`, token ? { headers: { authorization: `Bearer ${token}` } } : {})
  /** Drives from the west into the east, 7.4 km in a few minutes. */
  const enter = async (name: string, when: Instant): Promise<void> => {
    const batches: Batch[] = driveAlong(name, 7, 7.1, when, sent)
    sent += batches.length
    for (const batch of batches) await device.send(batch)
  }
  const accrued = async (): Promise<bigint> => {
    const [{ sum }] = await world.store.read<{ sum: string }>(`select coalesce(sum(amount), 0)::text as sum from money.posting where account = 'accrued:${people.account}'`) // prettier-ignore
    return BigInt(sum)
  }
  const close = async (month: string, draft: string, seal: string): Promise<Statement> => {
    world.clock.advanceTo(at(draft))
    await requestClose(world.store, people.agency, month)
    await settled(world)
    world.clock.advanceTo(at(seal))
    await settled(world)
    const rows = (await (await get('/v1/statements', people.tokens.citizen)).json()) as { id: string; month: string }[]
    const { id } = rows.find((row) => row.month === month)!
    return statementSchema.parse(await (await get(`/v1/statements/${id}.json`, people.tokens.citizen)).json())
  }

  beforeAll(async () => {
    world = await openWorld(at('2026-10-05T20:00:00+02:00'))
    people = await cast(world, MAIN_ROAD, [CORDON])
    device = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
  })
  afterAll(async () => {
    await device?.close()
    await world?.close()
  })

  it('counts entries, transfers, the cap of the day and the tax, whatever comes in first', async () => {
    // Monday 5 October: 08:00 pays 3.00, 09:30 is a transfer, 12:00 pays 3.00: 6.00, at most 5.00 a day; 0.50 of tax.
    // They come in from the last to the first: 12:00 alone is 3.00 + 0.30; with 09:30 both pay, 5.00 + 0.50, and so on.
    await enter('noon', at('2026-10-05T12:00:00+02:00'))
    await settled(world)
    expect(await accrued()).toBe(3_300_000n)
    await enter('again', at('2026-10-05T09:30:00+02:00'))
    await settled(world)
    expect(await accrued()).toBe(5_500_000n)
    await enter('first', at('2026-10-05T08:00:00+02:00'))
    await settled(world)
    expect(await accrued()).toBe(5_500_000n)
    const lines = await world.store.read('select rule, rate_per, count, amount from money.charge where amount > 0')
    expect(lines).toEqual(Array(3).fill({ rule: 'entry', rate_per: 'entry', count: 1, amount: '3000000' }))
  })

  it('takes a resident for one from the moment on that it is said', async () => {
    // Tuesday: 1.50 for a resident, and 0.15 of tax: 6.50 + 0.65 in the month.
    world.clock.advanceTo(at('2026-10-06T00:00:00+02:00'))
    const now = world.clock.now()
    await world.store.transaction((tx) => saveProfile(tx, people.vehicle, { programmes: ['residents'] }, now, now))
    await expect(
      world.store.transaction((tx) => saveProfile(tx, people.vehicle, {}, instant(now - 1), now)),
    ).rejects.toThrow("can't become something else in the past")
    world.clock.advanceTo(at('2026-10-06T20:00:00+02:00'))
    await enter('tuesday', at('2026-10-06T08:00:00+02:00'))
    await settled(world)
    expect(await accrued()).toBe(7_150_000n)
  })

  it('bills them, and says so in a way that anyone can recompute', async () => {
    const statement = await close('2026-10', '2026-11-01T00:00:01+01:00', '2026-11-12T00:00:01+01:00')
    expect(statement.totals).toMatchObject({ trips: 4, exact: 7_150_000n, due: 7_150_000n })
    expect(
      statement.capCredits.map(({ cap, span, amount }) => [cap, span.length === 32 ? 'trip' : span, amount]),
    ).toEqual(
      expect.arrayContaining([
        ['residents', 'trip', -1_500_000n],
        ['again', '2026-10-05', -3_000_000n],
        ['day', '2026-10-05', -1_000_000n],
        ['tax', '2026', 650_000n],
      ]),
    )
    // 12.00 of entries two to one, less 5.50 of credits that the agency bears, and the tax is the state's.
    expect(statement.totals.byJurisdiction).toEqual([
      { jurisdiction: 'city', amount: 8_000_000n },
      { jurisdiction: 'county', amount: 4_000_000n },
      { jurisdiction: 'state', amount: 650_000n },
      { jurisdiction: 'torino', amount: -5_500_000n },
    ])
    expect(verifyStatement(statement, [parsePolicy(CORDON)])).toEqual([])
    const html = await (await get(`/v1/statements/${statement.id}.html`, people.tokens.citizen)).text()
    for (const name of ['Into the east', 'Residents', 'Again', 'A day reached', 'at most €5.00', 'Tax'])
      expect(html).toContain(name)
    expect(html).not.toMatch(/NaN|undefined/)
  })

  it('settles a late trip into the windows of its own days, on the next statement', async () => {
    // 20 October, 08:00 and 11:00, both late: 1.50 each as a resident would make 9.50; a month is 8.00 at most: 1.50 more,
    // and 0.15 of tax. The statement of November rests on what that of October held.
    await enter('late', at('2026-10-20T08:00:00+02:00'))
    await enter('later', at('2026-10-20T11:00:00+02:00'))
    await settled(world)
    expect(await accrued()).toBe(1_650_000n)
    const statement = await close('2026-11', '2026-12-01T00:00:01+01:00', '2026-12-12T00:00:01+01:00')
    expect(statement.totals).toMatchObject({ trips: 2, due: 1_650_000n })
    const month = statement.capCredits.find(({ cap }) => cap === 'month')!
    expect(month).toMatchObject({ span: '2026-10', grossBefore: 6_500_000n, amount: -1_500_000n, limit: 8_000_000n })
    expect(statement.capCredits.find(({ cap }) => cap === 'tax')).toMatchObject({
      grossBefore: 6_500_000n,
      creditBefore: 650_000n,
      amount: 150_000n,
    })
    expect(verifyStatement(statement, [parsePolicy(CORDON)])).toEqual([])
    const edited = structuredClone(statement)
    edited.capCredits.find(({ cap }) => cap === 'month')!.grossBefore = month.limit
    expect(verifyStatement(edited, [parsePolicy(CORDON)])).not.toEqual([])
  })

  it('keeps every invariant', async () => {
    expect(await faultsOf(world)).toEqual([])
  })
})
