import { Controller, Get, Module, RequestMethod } from '@nestjs/common'
import { APP_FILTER, APP_GUARD, ModulesContainer, NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { CLOCK, LOG, openLog, SETTINGS_OF_PROCESS } from '#runtime'
import { Store } from '#store'
import { Access, AccessGuard, Authentication } from '../../apps/api/src/access'
import { Address } from '../../apps/api/src/identity/address'
import { sessionCookie } from '../../apps/api/src/identity/cookies'
import { ProblemFilter } from '../../apps/api/src/problem'
import { cast, openWorld, settled, type Cast, type World } from '../harness'
import { MATRIX } from '../security/access-matrix'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const at = (iso: string) => instant(Date.parse(iso))

/** What needs no token, by the one table of who may use what. */
const FOR_EVERYONE = Object.keys(MATRIX).filter(
  // Nobody comes back from a provider without having been sent there.
  (route) => MATRIX[route] === 'everyone' && route !== 'GET /auth/callback',
)

describe('who may see what', () => {
  let world: World
  let one: Cast
  let two: Cast
  beforeAll(async () => {
    world = await openWorld(at('2026-10-05T12:00:00+02:00'))
    one = await cast(world, MAIN_ROAD, [TARIFF], 'one')
    two = await cast(world, MAIN_ROAD, [TARIFF], 'two')
    for (const people of [one, two]) {
      const device = await DeviceClient.connect({
        url: world.mqttUrl,
        device: people.device,
        token: people.deviceToken,
      })
      for (const batch of driveAlong('trip', 7, 7.02, at('2026-10-05T08:00:00+02:00'), 0)) await device.send(batch)
      await device.close()
    }
    await settled(world)
    world.clock.advanceTo(at('2026-11-01T00:00:01+01:00'))
    for (const people of [one, two]) await requestClose(world.store, people.agency, '2026-10')
    for (let i = 0; (await statementsOf(one)).length + (await statementsOf(two)).length < 2; i++) {
      if (i > 200) throw new Error('the month was never drafted')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })
  afterAll(() => world?.close())

  const get = (path: string, token?: string) => request('GET', path, token)
  const request = (method: string, path: string, token?: string, body?: string) =>
    fetch(`${world.httpUrl}${path}`, {
      method,
      body,
      redirect: 'manual',
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    })
  const statementsOf = (people: Cast) =>
    world.store.read<{ id: string }>('select id from money.statement where account = $1', [people.account])

  /** A problem+json answer that says what was wrong, and nothing of our inside. */
  async function problem(
    answer: Response,
  ): Promise<{ status: number; title: string; code: string; faults?: { path: string }[] }> {
    expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    const text = await answer.text()
    expect(text).not.toMatch(
      / at .*\.(ts|js):\d|node_modules|\/libs\/|select |insert |metering\.|money\.|location\.|tariff\./i,
    )
    const body = JSON.parse(text)
    expect(Object.keys(body).filter((key) => !['type', 'title', 'status', 'code', 'faults'].includes(key))).toEqual([])
    expect(body.status).toBe(answer.status)
    expect(body.title).toMatch(/^.{3,300}/)
    return body
  }

  /** Every route of every controller that runs, documented or not: `GET /v1/statements`. */
  function routes(): string[] {
    const found: string[] = []
    for (const module of world.app.get(ModulesContainer).values())
      for (const { metatype } of module.controllers.values()) {
        if (!metatype) continue
        const prototype = (metatype as { prototype: Record<string, unknown> }).prototype
        for (const name of Object.getOwnPropertyNames(prototype)) {
          const handler = prototype[name] as object
          const paths: string[] = name === 'constructor' ? [] : [Reflect.getMetadata('path', handler) ?? []].flat()
          for (const path of paths) {
            const parts = [Reflect.getMetadata('path', metatype), path].flatMap((part: string) => part.split('/'))
            found.push(`${RequestMethod[Reflect.getMetadata('method', handler)]} /${parts.filter(Boolean).join('/')}`)
          }
        }
      }
    return found.sort()
  }
  const concrete = (path: string) =>
    path
      .replace(':agency', one.agency)
      .replace(':device', one.device)
      .replace(':month', '2026-10')
      .replace(':id', 'some-statement')
      .replace(':form', 'json')
      .replace(/^\/enter$/, `/enter?token=${one.tokens.citizen}`)

  it('without a token: only what is for everyone', async () => {
    const all = routes()
    expect(all.length).toBeGreaterThan(FOR_EVERYONE.length)
    const open: string[] = []
    for (const route of all) {
      const [method, path] = route.split(' ')
      const answer = await request(method, concrete(path), undefined, method === 'POST' ? '{}' : undefined)
      if (answer.status === 401) await problem(answer)
      else open.push(route)
    }
    expect(open).toEqual(FOR_EVERYONE)
  })

  it('an invented token is no token, nor is a device, nor a person at a device', async () => {
    for (const token of ['nobody', 'x'.repeat(5000), one.deviceToken, "' or 1=1 --"])
      expect((await problem(await get('/v1/statements', token))).status).toBe(401)
    for (const token of Object.values(one.tokens))
      expect((await problem(await get(`/v1/devices/${one.device}/receipt`, token))).status).toBe(401)
    expect((await problem(await get(`/v1/devices/${one.device}/receipt`, two.deviceToken))).status).toBe(401)
    expect((await get(`/v1/devices/${one.device}/receipt`, one.deviceToken)).status).toBe(200)
    // A cookie is for people, never for devices.
    const enter = await get(`/enter?token=${one.tokens.citizen}`)
    expect([enter.status, enter.headers.get('set-cookie')]).toEqual([
      303,
      expect.stringMatching(/^roadmeter=[\w-]{43};.*HttpOnly.*SameSite=Lax/i),
    ])
    for (const path of ['/enter', '/enter?token=nobody', '/enter?token=a&token=b', `/enter?token=${one.deviceToken}`]) {
      const refused = await get(path)
      expect(refused.headers.get('set-cookie')).toBeNull()
      expect((await problem(refused)).status).toBe(401)
    }
  })

  it('behind https the cookie is for this host and https alone', () => {
    expect(sessionCookie({ publicUrl: 'https://road.example' })).toEqual({ name: '__Host-roadmeter', secure: true })
    expect(sessionCookie({ publicUrl: '' })).toEqual({ name: 'roadmeter', secure: false })
  })

  it("a citizen: the own statements, and another's are as if there were none", async () => {
    const [mine] = await statementsOf(one)
    const [other] = await statementsOf(two)
    const list = (await (await get('/v1/statements', one.tokens.citizen)).json()) as { id: string }[]
    expect(list.map(({ id }) => id)).toEqual([mine.id])
    for (const form of ['.json', '.csv', '.html', '/proof']) {
      const refused = await problem(await get(`/v1/statements/${other.id}${form}`, one.tokens.citizen))
      const nowhere = await problem(await get(`/v1/statements/${'0'.repeat(32)}${form}`, one.tokens.citizen))
      expect(refused).toEqual(nowhere)
      expect(refused.status).toBe(404)
      if (form !== '/proof')
        expect((await get(`/v1/statements/${mine.id}${form}`, one.tokens.citizen)).status).toBe(200)
    }
    const home = await (await get('/plain', one.tokens.citizen)).text()
    expect(home).toContain(mine.id)
    expect(home).not.toContain(other.id)
    expect(await problem(await get(`/v1/agencies/${one.agency}/results`, one.tokens.citizen))).toMatchObject({
      status: 403,
    })
  })

  it('an agency: its own results and the totals of statements, no journey of anybody; an analyst sees no statement of anybody', async () => {
    for (const role of ['agency', 'analyst', 'operator'] as const) {
      expect((await get(`/v1/agencies/${one.agency}/results`, one.tokens[role])).status).toBe(200)
      const foreign = await problem(await get(`/v1/agencies/${two.agency}/results`, one.tokens[role]))
      const nowhere = await problem(await get(`/v1/agencies/no-such-city/results`, one.tokens[role]))
      expect(foreign).toEqual(nowhere)
      expect(foreign.status).toBe(404)
    }
    const [other] = await statementsOf(two)
    const [mine] = await statementsOf(one)
    for (const role of ['agency', 'operator', 'analyst'] as const)
      for (const id of [mine.id, other.id])
        for (const form of ['.json', '.csv', '.html', '/proof'])
          expect((await problem(await get(`/v1/statements/${id}${form}`, one.tokens[role]))).status).toBe(403)
    for (const role of ['agency', 'operator'] as const) {
      // Totals, and nothing that says where anybody was.
      const listed = await get('/v1/statements', one.tokens[role])
      expect(listed.headers.get('x-total-count')).toBe('1')
      const text = await listed.text()
      expect(JSON.parse(text)).toMatchObject([{ id: mine.id, totals: { trips: 1 } }])
      expect(text).not.toMatch(/journeys|startedAt|trip"/)
      const home = await (await get('/plain', one.tokens[role])).text()
      expect(home).toContain('Account one')
      expect(home).not.toContain(mine.id)
    }
    expect((await problem(await get('/v1/statements', one.tokens.analyst))).status).toBe(403)
    // One vehicle is nobody's average.
    expect(await (await get(`/v1/agencies/${one.agency}/results`, one.tokens.analyst)).json()).toEqual([
      { month: '2026-10', suppressed: 'fewer than 10 vehicles' },
    ])
  })

  it.each([
    ['GET', '/v1/nowhere'],
    ['DELETE', '/v1/statements'],
    ['GET', "/v1/statements/';drop table money.statement;--.json"],
    ['GET', `/v1/statements/${'9'.repeat(90)}.json`],
    ['GET', '/v1/statements/x.pdf'],
    ['GET', '/v1/agencies/-/periods/9999-99'],
    ['GET', '/v1/agencies/../../etc/policies'],
  ])('%s %s: a problem that leaks nothing', async (method, path) => {
    const answer = await request(method, path, one.tokens.operator)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
    await problem(answer)
  })

  // PostgreSQL has no text with a NUL in it.
  it.each(['/v1/statements/%00.json', '/v1/agencies/%00/policies', '/v1/agencies/%00/periods/2026-10'])(
    '%s: the mistake of whoever asks',
    async (path) => {
      const { status } = await problem(await get(path, one.tokens.operator))
      expect([400, 404]).toContain(status)
    },
  )

  it('a route that nobody gave a rule is for nobody', async () => {
    @Controller()
    class Forgotten {
      @Get('forgotten')
      forgotten() {
        return 'a secret'
      }
      @Get('public')
      @Access('everyone')
      public() {
        return 'no secret'
      }
    }
    @Module({
      controllers: [Forgotten],
      providers: [
        { provide: Store, useValue: world.store },
        { provide: SETTINGS_OF_PROCESS, useValue: world.settings },
        { provide: LOG, useValue: openLog({ logLevel: 'silent' }, 'test') },
        { provide: CLOCK, useValue: world.clock },
        Address,
        { provide: APP_GUARD, useClass: Authentication },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    })
    class Careless {}
    const app = await NestFactory.create<NestFastifyApplication>(Careless, new FastifyAdapter(), { logger: false })
    // As the api does: the guard looks for a session's cookie.
    app
      .getHttpAdapter()
      .getInstance()
      .decorateRequest('cookies', { getter: () => ({}) } as never)
    await app.init()
    await app.getHttpAdapter().getInstance().ready()
    const ask = (url: string) =>
      app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${one.tokens.operator}` } })
    expect((await ask('/public')).statusCode).toBe(200)
    const refused = await ask('/forgotten')
    expect([refused.statusCode, refused.body.includes('secret')]).toEqual([403, false])
    await app.close()
  })

  describe('a policy is filed', () => {
    const file = (people: Cast, body: unknown, token = people.tokens.agency) =>
      request('POST', `/v1/agencies/${people.agency}/policies`, token, JSON.stringify(body))
    const filed = async (people: Cast) =>
      (
        (await (await get(`/v1/agencies/${people.agency}/policies`)).json()) as {
          id: string
          document: { name: string }
        }[]
      ).map(({ id, document }) => [id, document.name])
    const next = { ...TARIFF, id: 'test-2027', name: 'Next year', startsAt: '2027-01-01T00:00:00+01:00' }

    it('not with faults in it: each is named with its place, and nothing is stored', async () => {
      const bad = {
        ...next,
        currency: 'euro',
        rules: [
          { ...TARIFF.rules[1], price: { perKm: '-1' } },
          { id: 'base', name: 'All', match: { zones: ['nowhere'] }, price: { perKm: '0.10' } },
        ],
        caps: [{ id: 'daily', name: 'Daily', per: 'week', amount: '2.00' }],
        discount: true,
      }
      const answer = await problem(await file(one, bad))
      expect(answer).toMatchObject({ status: 400, code: 'POLICY' })
      const paths = answer.faults!.map(({ path }) => path)
      for (const path of ['currency', 'rules[0].price', 'caps[0].per', '(document)'])
        expect(paths.some((found) => found.startsWith(path))).toBe(true)
      expect(paths.some((path) => path.startsWith('rules[1].match'))).toBe(true)
      expect(await filed(one)).toEqual([['test-2026', 'Test tariff']])
    })

    it.each(['null', '[]', '"a policy"', '{', ''])('not where the body is %s', async (body) => {
      const answer = await problem(
        await request('POST', `/v1/agencies/${one.agency}/policies`, one.tokens.agency, body),
      )
      expect(answer.status).toBe(400)
      expect(await filed(one)).toEqual([['test-2026', 'Test tariff']])
    })

    it('not with a start in the past, not by a citizen or an analyst, not for another agency', async () => {
      const past = { ...next, id: 'past', startsAt: '2026-10-31T23:59:00+01:00' }
      expect(await problem(await file(one, past))).toMatchObject({ status: 400, code: 'POLICY_PAST' })
      expect((await problem(await file(one, next, one.tokens.citizen))).status).toBe(403)
      expect((await problem(await file(one, next, one.tokens.analyst))).status).toBe(403)
      expect((await problem(await file(one, next, two.tokens.agency))).status).toBe(404)
      expect(await filed(one)).toEqual([['test-2026', 'Test tariff']])
    })

    it('for the future, the same document as often as one likes, and never with other content', async () => {
      const first = await file(one, next)
      expect(first.status).toBe(201)
      const again = await file(one, { ...next })
      expect([again.status, await again.json()]).toEqual([201, await first.json()])
      const changed = await problem(await file(one, { ...next, name: 'Next year, dearer' }))
      expect(changed).toMatchObject({ status: 400, code: 'POLICY_TAKEN' })
      const rival = await problem(await file(one, { ...next, id: 'rival' }))
      expect(rival).toMatchObject({ status: 400, code: 'POLICY_TAKEN' })
      expect(await filed(one)).toEqual([
        ['test-2026', 'Test tariff'],
        ['test-2027', 'Next year'],
      ])
    })

    it('and the one in force may be sent again, too', async () => {
      expect((await file(one, TARIFF)).status).toBe(201)
    })
  })
})
