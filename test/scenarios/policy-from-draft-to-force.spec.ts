import { statementSchema } from '#contracts'
import { instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { policyDigest, parsePolicy } from '#policy'
import { setNotice } from '#store'
import { cast, faultsOf, officers, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, METRES_PER_DEGREE, TARIFF } from './roads'

const at = (iso: string) => instant(Date.parse(iso))

/** Base price raised from 10 to 20 cents a kilometre, from 16 October on; no cap, so that each micro is seen. */
const DEARER = {
  ...TARIFF,
  id: 'dearer',
  name: 'Dearer tariff',
  startsAt: '2026-10-16T00:00:00+02:00',
  rules: TARIFF.rules.map((rule) => (rule.id === 'base' ? { ...rule, price: { perKm: '0.20' } } : rule)),
}
/** At noon in the western half: 3.94 km by the base rule. */
const WEST = [7, 7.05] as const
const KM = 0.05 * METRES_PER_DEGREE * 1e-3

describe('a policy from draft to force', () => {
  let world: World
  let people: Cast
  let device: DeviceClient
  let tokens: Record<'ada' | 'bob' | 'eve', string>
  let seq = 0

  const call = (method: string, path: string, token?: string, body?: unknown) =>
    fetch(`${world.httpUrl}/v1/agencies/${people.agency}${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    })
  const did = async (answer: Promise<Response>): Promise<Record<string, unknown>> => {
    const got = await answer
    const body = (await got.json()) as Record<string, unknown>
    if (!got.ok) throw new Error(`${got.status} ${JSON.stringify(body)}`)
    return body
  }
  const refused = async (answer: Promise<Response>): Promise<[number, string]> => {
    const got = await answer
    return [got.status, ((await got.json()) as { title: string }).title]
  }
  const why = (reason: string) => ({ reason })

  async function drive(name: string, startsAt: string): Promise<void> {
    const batches = driveAlong(name, ...WEST, at(startsAt), seq)
    seq += batches.length
    await Promise.all(batches.map((batch) => device.send(batch)))
  }

  async function backtested(policy: string, months?: string[]) {
    const { id } = await did(call('POST', `/drafts/${policy}/backtests`, tokens.ada, { months }))
    await settled(world)
    const all = (await (await call('GET', `/drafts/${policy}/backtests`, tokens.bob)).json()) as {
      id: string
      digest: string
      report: { comparison: Record<string, never>; books: { agree: boolean }; gone: number }
    }[]
    return all.find((one) => one.id === id)!
  }

  beforeAll(async () => {
    world = await openWorld(at('2026-10-05T18:00:00+02:00'))
    people = await cast(world, MAIN_ROAD, [{ ...TARIFF, caps: [] }])
    tokens = await officers(world, people.agency, { ada: 'editor', bob: 'approver', eve: 'editor' })
    await world.store.transaction((tx) => setNotice(tx, people.agency, 7, 'a pilot', world.clock.now()))
    device = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
    for (const day of ['01', '02', '05']) await drive(`d${day}`, `2026-10-${day}T12:00:00+02:00`)
    await settled(world)
  })
  afterAll(async () => {
    await device?.close()
    await world?.close()
  })

  const document = { ...DEARER, caps: [] }

  it('is not filed directly any more', async () => {
    const [status, title] = await refused(call('POST', '/policies', people.tokens.operator, document))
    expect([status, title]).toEqual([403, expect.stringContaining('approved by somebody else')])
  })

  it('is drafted by an editor, whole or not at all, with every fault told at once', async () => {
    const broken = { ...document, currency: 'euro', rules: document.rules.slice(0, 2) }
    const answer = await call('PUT', '/drafts/dearer', tokens.ada, broken)
    expect(await answer.json()).toMatchObject({
      status: 400,
      code: 'POLICY',
      faults: [
        { path: 'currency', expected: expect.any(String), found: '"euro"' },
        { path: 'rules[1].match', expected: expect.stringContaining('{}') },
      ],
    })
    expect((await call('GET', '/drafts/dearer', tokens.ada)).status).toBe(404)
    for (const token of [tokens.bob, people.tokens.agency, people.tokens.operator, people.tokens.citizen])
      expect((await call('PUT', '/drafts/dearer', token, document)).status).toBe(403)
    expect(await did(call('PUT', '/drafts/dearer?reason=roads', tokens.ada, document))).toMatchObject({
      state: 'draft',
      digest: policyDigest(parsePolicy(document)),
      revisions: [{ revision: 1, author: 'ada', reason: 'roads' }],
    })
  })

  it('takes its steps in their order, and no other', async () => {
    expect(await refused(call('POST', '/drafts/dearer/submit', tokens.ada, why('please')))).toEqual([
      400,
      expect.stringContaining('not checked'),
    ])
    expect(await did(call('POST', '/drafts/dearer/check', tokens.ada))).toMatchObject({ faults: [] })
    expect(await refused(call('POST', '/drafts/dearer/submit', tokens.ada, why('please')))).toEqual([
      400,
      expect.stringContaining('no backtest'),
    ])
  })

  it('is backtested on what was driven: the bill doubles, and the books agree', async () => {
    expect(await refused(call('POST', '/drafts/dearer/backtests', tokens.ada, { months: ['2026-08'] }))).toEqual([
      400,
      expect.stringContaining('nobody drove in 2026-08'),
    ])
    const { digest, report } = await backtested('dearer', ['2026-10'])
    const { revenue, trips, bills, cells } = report.comparison as unknown as {
      revenue: { before: string; after: string }
      trips: number
      bills: null
      cells: Record<string, unknown[]>
    }
    const [{ sum }] = await world.store.read<{ sum: string }>('select sum(amount) as sum from money.charge')
    expect([trips, revenue.before]).toEqual([3, sum])
    // Three times 3.94 km at 0.20: each line is rounded by itself, so twice the sum within a micro a trip.
    expect(Math.abs(Number(revenue.after) - 2 * Number(sum))).toBeLessThanOrEqual(3)
    expect(Number(revenue.after) / 1e6).toBeCloseTo(3 * KM * 0.2, 2)
    expect(report).toMatchObject({ gone: 0, books: { agree: true } })
    // One account is nobody's statistic.
    expect(bills).toBeNull()
    expect(Object.values(cells).flat()).toEqual([])
    expect(await did(call('GET', '/drafts/dearer', tokens.bob))).toMatchObject({
      state: 'backtested',
      steps: [{ step: 'checked' }, { step: 'backtested', evidence: digest, person: 'ada' }],
    })
  })

  it('asks about a rate ten times the last, and is told apart in words, prices, money and on a map', async () => {
    const slip = { ...document, rules: document.rules.map((rule) => (rule.id === 'base' ? { ...rule, price: { perKm: '1.00' } } : rule)) } // prettier-ignore
    await did(call('PUT', '/drafts/slip', tokens.ada, { ...slip, id: 'slip' }))
    const { questions } = (await did(call('POST', '/drafts/slip/check', tokens.ada))) as {
      questions: { path: string }[]
    }
    expect(questions).toEqual([{ path: 'rules[2].price', question: expect.stringContaining('1.00 EUR a km meant') }])
    await backtested('slip')
    expect(await refused(call('POST', '/drafts/slip/submit', tokens.ada, why('please')))).toEqual([
      400,
      expect.stringContaining('1 open question'),
    ])
    const answers = { 'rules[2].price': 'Yes, council decision 7.' }
    const { steps } = (await did(call('POST', '/drafts/slip/submit', tokens.ada, { ...why('please'), answers }))) as { steps: { reason: string }[] } // prettier-ignore
    expect(steps.at(-1)!.reason).toContain('council decision 7')

    expect(await did(call('GET', '/drafts/dearer/diff', tokens.bob))).toMatchObject({
      before: TARIFF.id,
      prices: [
        { rule: 'base', before: { micros: '100000', per: 'km' }, after: { micros: '200000', per: 'km' }, percent: 100 },
      ],
      map: { features: [{ properties: { zone: 'east', change: 'same' } }] },
      money: { trips: 3 },
    })
  })

  it('loses its approval by an edit, and its author can not give it', async () => {
    expect(await did(call('POST', '/drafts/dearer/submit', tokens.ada, why('please')))).toMatchObject({
      state: 'submitted',
    })
    const { digest } = (await did(call('GET', '/drafts/dearer', tokens.bob))) as { digest: string }
    expect((await call('POST', '/drafts/dearer/approve', tokens.ada, { digest, ...why('mine') })).status).toBe(403)
    const own = await officers(world, people.agency, { ada: 'approver' })
    expect(await refused(call('POST', '/drafts/dearer/approve', own.ada, { digest, ...why('mine') }))).toEqual([
      400,
      expect.stringContaining('ada has written it'),
    ])
    expect(
      await refused(call('POST', '/drafts/dearer/approve', tokens.bob, { digest: '0'.repeat(64), ...why('ok') })),
    ).toEqual([400, expect.stringContaining('read it again')])
    const approve = () => call('POST', '/drafts/dearer/approve', tokens.bob, { digest, ...why('as council decided') })
    const approved = await did(approve())
    expect(approved).toMatchObject({
      state: 'approved',
      steps: expect.arrayContaining([
        expect.objectContaining({ step: 'approved', person: 'bob', reason: 'as council decided' }),
      ]),
    })

    // Eve adds a sentence: nothing was checked, backtested or approved of what it is now.
    const edited = { ...document, description: 'a sentence more' }
    expect(await did(call('PUT', '/drafts/dearer', tokens.eve, edited))).toMatchObject({ state: 'draft' })
    expect(await refused(call('POST', '/drafts/dearer/schedule', tokens.ada, why('now')))).toEqual([
      400,
      expect.stringContaining('not approved'),
    ])
    expect(await refused(approve())).toEqual([400, expect.stringContaining('not submitted')])
    expect(await did(call('PUT', '/drafts/dearer', tokens.eve, document))).toMatchObject({ state: 'draft' })
  })

  it('is approved by somebody else, published with notice, and final', async () => {
    await did(call('POST', '/drafts/dearer/check', tokens.ada))
    await backtested('dearer')
    await did(call('POST', '/drafts/dearer/submit', tokens.ada, why('please')))
    const { digest } = (await did(call('GET', '/drafts/dearer', tokens.bob))) as { digest: string }
    await did(call('POST', '/drafts/dearer/approve', tokens.bob, { digest, ...why('as council decided') }))
    await world.store.transaction((tx) => setNotice(tx, people.agency, 14, 'too short', instant(world.clock.now() + 1)))
    expect(await refused(call('POST', '/drafts/dearer/schedule', tokens.ada, why('now')))).toEqual([
      400,
      expect.stringContaining('notice of at least 14 days'),
    ])
    await world.store.transaction((tx) => setNotice(tx, people.agency, 7, 'a pilot', instant(world.clock.now() + 2)))
    expect(await did(call('POST', '/drafts/dearer/schedule', tokens.ada, why('now')))).toMatchObject({
      state: 'scheduled',
    })
    expect(await refused(call('PUT', '/drafts/dearer', tokens.ada, { ...document, name: 'x' }))).toEqual([
      400,
      expect.stringContaining('never changes'),
    ])
    const list = (await (await call('GET', '/drafts', people.tokens.agency)).json()) as {
      policy: string
      state: string
    }[]
    expect(list.map(({ policy, state }) => [policy, state])).toEqual([
      ['slip', 'submitted'],
      [TARIFF.id, 'in-force'],
      ['dearer', 'scheduled'],
    ])
  })

  it('is told to machines, in our form and in that of MDS, which comes back as a draft', async () => {
    expect(await did(call('GET', '/feed'))).toMatchObject({
      inForce: { id: TARIFF.id, approval: { fourEyes: false, backtest: null } },
      scheduled: [{ id: 'dearer', approval: { fourEyes: true, backtest: expect.stringMatching(/^[0-9a-f]{64}$/) } }],
    })
    const schema = (await (await fetch(`${world.httpUrl}/schemas/policy.json`)).json()) as { required: string[] }
    expect(schema.required).toEqual(expect.arrayContaining(['id', 'rules', 'startsAt']))
    const mds = async (path: string) => {
      const answer = await fetch(`${world.httpUrl}/mds/${people.agency}/${path}`)
      return (await answer.json()) as { data: Record<string, { policy_id: string }[]> }
    }
    const [, dearer] = (await mds('policies')).data.policies
    const { policies } = (await mds(`policies/${dearer.policy_id}`)).data
    const { geographies } = (await mds('geographies')).data
    const form = JSON.parse(JSON.stringify({ policies, geographies }).replaceAll('"dearer"', '"again"'))
    const again = (await did(call('PUT', '/drafts/again/mds', tokens.ada, form))) as { document: object }
    expect(again.document).toEqual({ ...parsePolicy(document), id: 'again' })
  })

  it('takes over by itself: trips are priced by their own day, late ones too', async () => {
    world.clock.advanceTo(at('2026-10-20T18:00:00+02:00'))
    await drive('new', '2026-10-20T12:00:00+02:00')
    // Driven under the old tariff, sent under the new one.
    await drive('late', '2026-10-14T12:00:00+02:00')
    await settled(world)
    const priced = await world.store.read<{
      name: string
      policy: string
      rate: string
      amount: string
      distance_mm: string
    }>(
      `select t.name, c.policy, c.rate, c.amount, c.distance_mm from money.charge c join metering.trip t on t.id = c.trip where t.name in ('new', 'late') order by t.name`,
    )
    expect(priced.map(({ name, policy, rate }) => [name, policy, rate])).toEqual([
      ['late', TARIFF.id, '100000'],
      ['new', 'dearer', '200000'],
    ])
    // 0.1 and 0.2 micros a millimetre.
    for (const { rate, amount, distance_mm } of priced)
      expect(Math.abs(Number(amount) - (Number(rate) * Number(distance_mm)) / 1e6)).toBeLessThanOrEqual(0.5)
    expect((await (await call('GET', '/drafts', tokens.ada)).json()) as unknown).toMatchObject([
      { policy: 'again', state: 'draft' },
      { policy: 'slip', state: 'submitted' },
      { policy: TARIFF.id, state: 'superseded' },
      { policy: 'dearer', state: 'in-force' },
    ])
  })

  it("is on the month's statement beside the one before it, to the micro", async () => {
    await requestClose(world.store, people.agency, '2026-10')
    world.clock.advanceTo(at('2026-11-01T00:00:01+01:00'))
    let document: string | undefined
    for (let i = 0; !document; i++) {
      ;[document] = (await world.store.read<{ document: string }>('select document from money.statement')).map(
        (row) => row.document,
      )
      if (i > 200) throw new Error('the month was never drafted')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const statement = statementSchema.parse(JSON.parse(document))
    const [{ sum }] = await world.store.read<{ sum: string }>('select sum(amount) as sum from money.charge')
    const [{ owed }] = await world.store.read<{ owed: string }>(
      `select sum(amount) as owed from money.posting where account = 'accrued:${people.account}'`,
    )
    expect([String(statement.totals.exact), owed]).toEqual([sum, sum])
    expect(new Set(statement.journeys.flatMap(({ lines }) => lines.map(({ policy }) => policy)))).toEqual(
      new Set([TARIFF.id, 'dearer']),
    )
    expect(await faultsOf(world)).toEqual([])
  })
})
