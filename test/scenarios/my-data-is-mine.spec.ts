import { type Instant, type TripId } from '#kernel'
import { lookAtTrip, recordAtDesk, type Looking } from '#pipeline'
import { batchesOf, ISOLATION, saveVoucher, tripById } from '#store'
import { officers, settled } from '../harness'
import { at, euro, openStory, type Story } from './story'

/** What the download tells in a form of its own. */
const TOLD_OTHERWISE = [
  ...['location.batch', 'location.path', 'location.report', 'location.fates', 'location.evidence', 'metering.trip'],
  ...[
    'metering.access_log',
    'metering.account',
    'metering.vehicle',
    'metering.erasure_request',
    'metering.keep_choice',
  ],
  ...['metering.legal_hold', 'metering.legal_hold_lift', 'metering.method_choice', 'metering.odometer_photo'],
  ...['metering.odometer_reading', 'metering.survey_answer', 'money.charge', 'money.dispute', 'money.dispute_step'],
  ...['money.payment', 'money.payment_event', 'money.statement', 'money.posting', 'money.balance'],
]
/** What is published, and what is of the agency or of the machines: about nobody. */
const NOBODYS = [
  ...['location.data_key', 'location.wrapping_key', 'metering.agency', 'metering.network', 'metering.operator_key'],
  ...['metering.work', 'metering.survey', 'money.balance_head', 'money.chain', 'money.merkle_tile', 'money.period'],
  ...['tariff.backtest', 'tariff.backtest_part', 'tariff.backtest_result', 'tariff.notice', 'tariff.officer'],
  ...['tariff.pilot', 'tariff.policy', 'tariff.revision', 'tariff.shadow', 'tariff.step', 'tariff.zone'],
]

describe('what is held about somebody is theirs: they see who looked, take it away, and have it erased', () => {
  let story: Story
  let trip: TripId
  let tokens: Record<'ada' | 'ben', string>
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
    await story.drive('back', 7.02, 7, '2026-10-06T12:00:00+02:00')
    trip = (await story.world.store.read<{ id: TripId }>('select id from metering.trip order by first_seq'))[0].id
  })
  afterAll(() => story?.end())

  const look = (looking: Partial<Looking> = {}) =>
    story.world.store.transaction((tx) =>
      lookAtTrip(tx, { who: 'ada', role: 'editor', person: 'ada', why: '', ...looking }, trip, story.world.line),
    )
  const http = async (token: string, method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${story.world.httpUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    return { status: answer.status, text: await answer.text() }
  }
  const log = async () =>
    (await story.as('citizen', 'GET', '/v1/me/access-log')).body as { who: string; what: string; why: string }[]

  it('a pilot of one looks with a reason alone, and the citizen reads of it', async () => {
    const operator = { who: 'root at the command line', role: 'operator', person: null }
    await expect(look({ ...operator, why: 'hm' })).rejects.toMatchObject({ code: 'WHY' })
    expect(await log()).toEqual([])
    const seen = await look({ ...operator, why: 'the citizen called and asked' })
    expect(seen.fixes.length).toBeGreaterThan(60)
    expect(await log()).toMatchObject([
      { who: operator.who, what: 'explain', why: 'the citizen called and asked', subject: trip },
    ])
  })

  it('once there is an approver, nobody looks alone: one asks, another one agrees, for some hours', async () => {
    const { agency } = story.people
    tokens = await officers(story.world, agency, { ada: 'editor', ben: 'approver' })
    await expect(look()).rejects.toMatchObject({ code: 'BREAK_GLASS' })
    await expect(look({ person: null, why: 'I have the machine' })).rejects.toMatchObject({ code: 'BREAK_GLASS' })
    const path = `/v1/agencies/${agency}/break-glass`
    expect((await http(tokens.ada, 'POST', path, { trip, why: 'short' })).status).toBe(400)
    const asked = await http(tokens.ada, 'POST', path, { trip, why: 'a complaint of 6 October' })
    expect(asked.status).toBe(201)
    const { id } = JSON.parse(asked.text) as { id: string }
    expect(asked.text).not.toMatch(/7\.0|45\.0/)
    await expect(look()).rejects.toMatchObject({ code: 'BREAK_GLASS' })
    expect((await http(tokens.ada, 'POST', `${path}/${id}/agreement`)).status).toBe(403)
    expect((await http(story.people.tokens.agency, 'POST', `${path}/${id}/agreement`)).status).toBe(403)
    expect((await http(tokens.ben, 'POST', `${path}/${id}/agreement`)).status).toBe(200)
    expect((await look()).trip.id).toBe(trip)
    // The same over HTTP, for the one who asked alone.
    const seen = await http(tokens.ada, 'GET', `${path}/${id}/trip`)
    expect(seen.status).toBe(200)
    const shown = JSON.parse(seen.text) as { trip: string; fixes: { lat: number }[]; roads: { features: unknown[] } }
    expect([shown.trip, shown.fixes[0].lat, shown.roads.features.length > 0]).toEqual([trip, 45, true])
    for (const token of [tokens.ben, story.people.tokens.agency, story.people.tokens.citizen])
      expect((await http(token, 'GET', `${path}/${id}/trip`)).text).not.toMatch(/7\.0|45\.0/)
    // Another person has no part in it.
    await expect(look({ who: 'ben', person: 'ben' })).rejects.toMatchObject({ code: 'BREAK_GLASS' })
    const { clock } = story.world
    clock.advanceTo((clock.now() + 5 * 3_600_000) as Instant)
    await expect(look()).rejects.toMatchObject({ code: 'BREAK_GLASS' })
    expect(JSON.parse((await http(tokens.ada, 'GET', `${path}/${id}/trip`)).text)).toMatchObject({
      code: 'BREAK_GLASS',
    })
    expect((await log()).slice(0, 4).map(({ who, what }) => [who, what])).toEqual([
      ['ada', 'explain'],
      ['ada', 'explain'],
      ['ben', 'break-glass'],
      ['ada', 'break-glass'],
    ])
  })

  it('four eyes are kept by the database, too', async () => {
    const { store } = story.world
    const insert = (by: string) =>
      store.transaction((tx) =>
        tx.run(
          `insert into metering.break_glass_approval (request, approved_by, approved_at, until_at) select 'r-2', $1, 1, 2`,
          [by],
        ),
      )
    await store.transaction((tx) =>
      tx.run(
        `insert into metering.break_glass (id, agency, account, trip, asked_by, why, asked_at) values ('r-2', $1, $2, $3, 'ben', 'a reason good enough', 1)`,
        [story.people.agency, story.people.account, trip],
      ),
    )
    await expect(insert('ben')).rejects.toThrow('four eyes: ben has asked for it')
    await expect(insert('ada')).rejects.toThrow('ada is no approver')
  })

  it('what an agency reads of them in its lists stands in their log, too, once an hour', async () => {
    const before = (await log()).length
    for (let i = 0; i < 2; i++) {
      expect(
        (
          await story.as(
            'agency',
            'GET',
            '/v1/agencies/' + story.people.agency + '/vehicles/vehicle-one/mileage/2026-10',
          )
        ).status,
      ).toBe(200)
      expect((await story.as('agency', 'GET', '/v1/statements')).status).toBe(200)
    }
    expect((await log()).slice(0, -before).map(({ what, why }) => [what, why])).toEqual([
      ['mileage', 'the mileage account'],
    ])
  })

  it('all of it can be taken away, in four forms, by its citizen alone', async () => {
    const survey = {
      id: 'autumn',
      title: 'Your autumn',
      from: '2026-10-01T00:00:00+02:00',
      until: '2026-12-31T00:00:00+01:00',
      questions: [{ id: 'fair', text: 'Is it fair?', options: { yes: 'Yes', no: 'No' } }],
    }
    await story.as('agency', 'POST', `/v1/agencies/${story.people.agency}/surveys`, survey)
    const answered = await story.as('citizen', 'POST', '/v1/surveys/autumn/answers', { answers: { fair: 'yes' } })
    expect(answered.status).toBe(204)
    const take = (form: string) => story.as('citizen', 'GET', `/v1/me/data.${form}`)
    const { body } = await take('json')
    expect(body).toMatchObject({
      account: story.people.account,
      name: 'Account one',
      vehicles: [{ vehicle: 'vehicle-one' }],
    })
    expect(body.trips).toHaveLength(2)
    expect(body.surveys).toMatchObject([{ survey: 'autumn', answers: { fair: 'yes' } }])
    const fixes = (
      await story.world.store.transaction(async (tx) => batchesOf(tx, (await tripById(tx, trip))!))
    ).flatMap((batch) => batch.fixes)
    const mine = body.trips.find(({ id }: { id: string }) => id === trip)
    expect(mine.fixes).toEqual(fixes)
    expect(mine.report.matchedMm).toBeGreaterThan(1_500_000)
    expect(body.readBy).toHaveLength((await log()).length)
    const gpx = (await take('gpx')).body as string
    expect(gpx.match(/<trkpt /g)).toHaveLength(body.trips.flatMap((t: { fixes: unknown[] }) => t.fixes).length)
    expect(gpx).toContain(`<trkpt lat="45" lon="7"><time>2026-10-05T10:00:00.000Z</time></trkpt>`)
    const { features } = (await take('geojson')).body
    expect(features).toHaveLength(2)
    expect(features[0].geometry.coordinates[0][0][1]).toBeCloseTo(45, 3)
    expect(((await take('csv')).body as string).trim().split('\r\n')).toHaveLength(3)
    expect((await take('pdf')).status).toBe(404)
    for (const role of ['agency', 'operator'] as const)
      expect((await story.as(role, 'GET', '/v1/me/data.json')).status).toBe(403)
  })

  it('it is all that the database lets them see of themselves', async () => {
    const { world, people } = story
    await story.as('citizen', 'PUT', '/v1/budget', { amount: '50.00', alertPercent: 80 })
    await world.store.transaction((tx) =>
      saveVoucher(
        tx,
        { id: people.device, vehicle: people.vehicle },
        'a voucher',
        (world.clock.now() + 86_400_000) as Instant,
      ),
    )
    const { records } = (await story.as('citizen', 'GET', '/v1/me/data.json')).body
    const missing: string[] = []
    for (const table of Object.keys(ISOLATION).filter(
      (name) => !TOLD_OTHERWISE.includes(name) && !NOBODYS.includes(name),
    )) {
      const visible = await world.store
        .within({ as: 'person', side: 'citizen', agency: people.agency, account: people.account }, () =>
          world.store.read<{ n: number }>(`select count(*)::int as n from ${table}`),
        )
        .then(([{ n }]) => n)
        .catch(() => 0)
      if (visible !== (records[table]?.length ?? 0)) missing.push(`${table}: ${records[table]?.length} of ${visible}`)
    }
    expect(missing).toEqual([])
    expect(records['money.transfer'].length).toBeGreaterThan(0)
    expect(records['money.budget']).toMatchObject([{ account: people.account }])
    expect(records['metering.break_glass']).toMatchObject([{ asked_by: 'ada', trip }, { asked_by: 'ben' }])
    // What a device signs in with is nobody's to take away, not as a digest either.
    const [secrets] = await world.store.read<Record<string, string>>(
      `select token_digest, broker_password, voucher_digest from metering.device where id = $1`,
      [people.device],
    )
    for (const [name, secret] of Object.entries(secrets)) {
      expect(secret).toMatch(/./)
      expect(JSON.stringify(records)).not.toContain(name)
      expect(JSON.stringify(records)).not.toContain(secret)
    }
    expect(records['metering.device']).toMatchObject([{ id: people.device, vehicle: people.vehicle, revoked_at: null }])
    expect(JSON.stringify(records)).not.toMatch(/token|wrapped/)
  })

  it('erased is what may be: what was sent at once, the roads once they are paid; no sum changes', async () => {
    const { world, people } = story
    const numberOf = async (table: string) =>
      Number((await world.store.read<{ n: string }>(`select count(*) as n from ${table}`))[0].n)
    expect((await story.as('citizen', 'PUT', '/v1/me/privacy', { keepFixesDays: 90 })).body).toMatchObject({
      keepFixesDays: 90,
    })
    const asked = await story.as('citizen', 'POST', '/v1/me/erasure')
    expect(asked.status).toBe(202)
    await story.sound()
    expect(await numberOf('location.batch')).toBe(0)
    expect(await numberOf('metering.survey_answer')).toBe(0)
    expect(await numberOf('location.path')).toBe(2)
    const privacy = async () => (await story.as('citizen', 'GET', '/v1/me/privacy')).body
    expect(await privacy()).toMatchObject({
      erasures: [{ doneAt: null }],
      tripsWithPlaces: 2,
      destroyed: expect.arrayContaining([
        expect.objectContaining({ what: 'answers', count: 1, reason: 'erasure' }),
        expect.objectContaining({ what: 'fixes', count: 2, reason: 'erasure' }),
      ]),
    })
    const statement = await story.close('2026-10')
    expect(statement.totals.trips).toBe(2)
    expect(await numberOf('location.path')).toBe(2)
    await recordAtDesk(
      world.store,
      people.account,
      { statement: statement.id, amount: euro(Number(statement.totals.due) / 1e6), currency: 'EUR', reference: 'r-1' },
      world.clock.now(),
    )
    // What it waited for is there: nobody has to look again for it to go on.
    await settled(world)
    expect(await numberOf('location.path')).toBe(0)
    expect(await numberOf('location.data_key')).toBe(0)
    expect(await privacy()).toMatchObject({ erasures: [{ doneAt: world.clock.now() }], tripsWithPlaces: 0 })
    await story.sound()
    expect((await story.statement('2026-10')).totals).toEqual(statement.totals)
    const { body } = await story.as('citizen', 'GET', '/v1/me/data.json')
    expect(body.trips.map(({ fixes, report }: { fixes: unknown[]; report: unknown }) => [fixes, report])).toEqual([
      [[], null],
      [[], null],
    ])
    expect(world.clock.now()).toBeGreaterThan(at('2026-11-01T00:00:00Z'))
  })
})
