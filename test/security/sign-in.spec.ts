import { instant } from '#kernel'
import { readSettings } from '#runtime'
import { grantSubject, revokeSubject, revokeToken, grantAccess, tokensOf, type Role } from '#store'
import { pathWithin } from '../../apps/api/src/identity/auth.controller'
import { refuseDemoElsewhere } from '../../apps/api/src/identity/demo'
import { cast, openWorld, type Cast, type World } from '../harness'
import { MAIN_ROAD, TARIFF } from '../scenarios/roads'
import { Browser } from './browser'

const NOW = instant(Date.parse('2026-10-05T12:00:00+02:00'))
const MINUTE_MS = 60_000

describe('signing in', () => {
  let world: World
  let people: Cast
  beforeAll(async () => {
    // Made-up people are let in only where everything is on this machine.
    world = await openWorld(NOW, { ROADMETER_OIDC_ISSUER: 'demo', DATABASE_URL: '' })
    people = await cast(world, MAIN_ROAD, [TARIFF])
    await letIn('ann', 'citizen')
    await letIn('desk', 'agency')
  })
  afterAll(() => world?.close())

  const letIn = (subject: string, role: Exclude<Role, 'editor' | 'approver'>) =>
    world.store.transaction((tx) =>
      grantSubject(
        tx,
        { issuer: 'demo', subject },
        {
          role,
          agency: people.agency,
          account: role === 'citizen' ? people.account : null,
          name: `${subject} herself`,
        },
        NOW,
      ),
    )
  const browser = () => new Browser(world.httpUrl)
  const later = (ms: number) => world.clock.advanceTo(instant(world.clock.now() + ms))
  const sessions = async () =>
    Number((await world.store.read<{ n: string }>('select count(*) as n from identity.session'))[0].n)

  it('at the identity provider, by code, PKCE, state and nonce, and back to the page that was asked for', async () => {
    const one = browser()
    const me = await one.signIn('ann')
    expect(await me.json()).toMatchObject({
      role: 'citizen',
      name: 'Account one',
      agency: { id: people.agency, name: 'City of one' },
      account: { id: people.account, name: 'Account one' },
      by: 'demo ann',
      scopes: null,
      signIn: 'provider',
    })
    expect([...one.cookies.keys()].filter((name) => name.startsWith('roadmeter'))).toEqual(['roadmeter'])
    const two = browser()
    await two.go('/auth/login')
    const asked = new URL(two.trail[1]).searchParams
    expect(asked.get('code_challenge_method')).toBe('S256')
    for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)).toMatch(/^[\w-]{43}$/)
    expect(asked.get('redirect_uri')).toBe(`${world.httpUrl}/auth/callback`)
  })

  it('keeps nothing that opens a door: digests only', async () => {
    const one = browser()
    await one.signIn('ann')
    const rows = JSON.stringify(await world.store.read('select * from identity.session'))
    expect(rows).not.toContain(one.cookies.get('roadmeter')!)
    expect(
      (await fetch(`${world.httpUrl}/v1/me`, { headers: { cookie: `roadmeter=${JSON.parse(rows)[0].id_digest}` } }))
        .status,
    ).toBe(401)
  })

  it('a session from before is worth nothing after (fixation), and one that was made up nothing ever', async () => {
    const one = browser()
    one.cookies.set('roadmeter', 'chosen-by-somebody-else')
    await one.signIn('ann')
    const first = one.cookies.get('roadmeter')!
    expect(first).not.toBe('chosen-by-somebody-else')
    await one.signIn('ann', '/auth/login?fresh&return=/v1/me')
    const second = one.cookies.get('roadmeter')!
    expect(second).not.toBe(first)
    const old = browser()
    old.cookies.set('roadmeter', first)
    expect((await old.go('/v1/me')).status).toBe(401)
  })

  it("another browser can't end what this one began, nor this one twice", async () => {
    const victim = browser()
    const attacker = browser()
    await attacker.go('/auth/login?return=/v1/me')
    const answer = await fetch(attacker.trail.at(-1)!, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        cookie: [...attacker.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
      body: 'subject=ann',
    })
    let at = new URL(answer.headers.get('location')!, world.httpUrl)
    for (let i = 0; i < 5 && !at.pathname.startsWith('/auth/callback'); i++) {
      const led = await fetch(at, {
        redirect: 'manual',
        headers: { cookie: [...attacker.cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      })
      at = new URL(led.headers.get('location')!, world.httpUrl)
    }
    expect(at.pathname).toBe('/auth/callback')
    const before = await sessions()
    expect((await victim.go(at.href)).status).toBe(401)
    expect(victim.cookies.size).toBe(0)
    expect((await attacker.go(at.href)).status).toBe(200)
    expect((await attacker.go(at.href)).status).toBe(401)
    expect(await sessions()).toBe(before + 1)
  })

  it.each([
    ['//evil.example/x', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['/..//evil.example', '/'],
    ['javascript:alert(1)', '/'],
    [undefined, '/'],
    [['/a', '/b'], '/'],
    ['/statements?month=2026-10#x', '/statements?month=2026-10'],
  ])('leads back to a path of ours alone: %s', (asked, path) => {
    expect(pathWithin(asked, 'https://road.example')).toBe(path)
  })

  it('whom nobody let in gets no session, whatever the provider says', async () => {
    await letIn('eve', 'analyst')
    const one = browser()
    const choice = await one.go('/auth/login')
    expect(await choice.text()).toContain('eve herself')
    const form = one.trail.at(-1)!
    await world.store.transaction((tx) => revokeSubject(tx, { issuer: 'demo', subject: 'eve' }, people.agency, NOW))
    const refused = await one.go(form, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'subject=eve',
    })
    expect(await refused.text()).not.toContain('eve')
    expect(one.cookies.has('roadmeter')).toBe(false)
  })

  it('ends here, everywhere, when it is idle, when it is old, and when access is taken back', async () => {
    const here = browser()
    const there = browser()
    await here.signIn('desk')
    await there.signIn('desk')
    expect(await (await here.post('/auth/logout')).json()).toEqual({ ended: 1 })
    expect([(await here.go('/v1/me')).status, (await there.go('/v1/me')).status]).toEqual([401, 200])
    await here.signIn('desk')
    expect(await (await here.post('/auth/logout?everywhere')).json()).toEqual({ ended: 2 })
    expect((await there.go('/v1/me')).status).toBe(401)

    await here.signIn('desk')
    later(29 * MINUTE_MS)
    expect((await here.go('/v1/me')).status).toBe(200)
    later(29 * MINUTE_MS)
    expect((await here.go('/v1/me')).status).toBe(200)
    later(30 * MINUTE_MS)
    expect((await here.json('/v1/me')).body.title).toBe('your session is over: sign in again')

    await here.signIn('desk')
    for (let used = 0; used < 24; used++) {
      expect((await here.go('/v1/me')).status).toBe(200)
      later(29 * MINUTE_MS + 59_000)
    }
    later(MINUTE_MS)
    expect((await here.go('/v1/me')).status).toBe(401)

    await here.signIn('desk')
    await world.store.transaction((tx) => revokeSubject(tx, { issuer: 'demo', subject: 'desk' }, people.agency, NOW))
    expect((await here.go('/v1/me')).status).toBe(401)
    await letIn('desk', 'agency')
  })

  it('decides about money and policy only within five minutes of signing in', async () => {
    const one = browser()
    await one.signIn('desk')
    const decide = () => one.post('/v1/disputes/none/decision', { outcome: 'refuse', reason: 'none' })
    expect((await decide()).status).not.toBe(401)
    later(5 * MINUTE_MS + 1)
    const refused = await decide()
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="insufficient_user_authentication", max_age="300"',
    ])
    expect(await refused.json()).toMatchObject({ code: 'STEP_UP' })
    expect((await one.go('/v1/me')).status).toBe(200)
    await one.signIn('desk', '/auth/login?fresh&return=/v1/me')
    expect((await decide()).status).not.toBe(401)
  })

  it('by link, where there is no provider of the city: a session too, which ends with its token', async () => {
    const one = browser()
    const token = 'handed-out'
    await world.store.transaction((tx) =>
      grantAccess(tx, token, { role: 'analyst', agency: people.agency, account: null }, { name: 'the link' }),
    )
    await one.go(`/enter?token=${token}`)
    expect(one.cookies.get('roadmeter')).not.toBe(token)
    expect((await one.json('/v1/me')).body).toMatchObject({ role: 'analyst', name: 'the link' })
    await world.store.transaction(async (tx) => {
      const { id } = (await tokensOf(tx, people.agency)).find(({ name }) => name === 'the link')!
      expect(await revokeToken(tx, people.agency, id, NOW)).toBe(1)
    })
    expect((await one.go('/v1/me')).status).toBe(401)
    expect((await fetch(`${world.httpUrl}/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401)
  })

  it('a machine: only what its token is for, and not a day longer', async () => {
    const expiresAt = instant(world.clock.now() + MINUTE_MS)
    await world.store.transaction((tx) =>
      grantAccess(
        tx,
        'warehouse',
        { role: 'operator', agency: people.agency, account: null },
        { name: 'warehouse', scopes: ['results:read', 'disputes:read'], expiresAt },
      ),
    )
    const ask = async (path: string, method = 'GET') => {
      const answer = await fetch(`${world.httpUrl}${path}`, { method, headers: { authorization: 'Bearer warehouse' } })
      return [answer.status, ((await answer.json()) as { title?: string }).title]
    }
    expect((await ask(`/v1/agencies/${people.agency}/results`))[0]).toBe(200)
    expect(await ask('/v1/statements')).toEqual([403, 'the token is not for this: it lacks statements:read'])
    expect(await ask('/v1/disputes/x/notes', 'POST')).toEqual([
      403,
      'the token is not for this: it lacks disputes:write',
    ])
    later(MINUTE_MS)
    expect(await ask(`/v1/agencies/${people.agency}/results`)).toEqual([401, 'the token is not known, or over'])
  })

  it('the provider with made-up people is refused where others could reach it', () => {
    const demo = { ROADMETER_OIDC_ISSUER: 'demo' }
    expect(() => refuseDemoElsewhere(readSettings(demo))).not.toThrow()
    for (const [name, value] of [
      ['DATABASE_URL', 'postgres://db/roadmeter'],
      ['MQTT_URL', 'mqtt://broker'],
      ['REDIS_URL', 'redis://redis'],
      ['ROADMETER_PUBLIC_URL', 'https://road.example'],
      ['ROADMETER_HTTP_HOST', '0.0.0.0'],
    ])
      expect(() => refuseDemoElsewhere(readSettings({ ...demo, [name]: value }))).toThrow(new RegExp(`unset ${name}`))
  })
})
