import { batchBytes } from '#contracts'
import { instant } from '#kernel'
import { type Role } from '#store'
import { faultsOf, settled } from '../harness'
import { driveAlong } from '../scenarios/roads'
import { LETTERS, MATRIX } from './access-matrix'
import { Browser } from './browser'
import { openTenants, type Tenants } from './city'

describe('attacks', () => {
  let tenants: Tenants
  beforeAll(async () => void (tenants = await openTenants()))
  afterAll(() => tenants?.world.close())

  /** Somebody who may use the route. */
  const allowed = (rule: string): Role =>
    (Object.entries(LETTERS).find(([, letter]) => rule !== 'everyone' && rule.includes(letter)) ?? [
      'operator',
    ])[0] as Role
  const filled = (path: string, value = 'x') => path.replace(/:\w+/g, encodeURIComponent(value)).replace('*', 'x')

  describe('from a page elsewhere (CSRF)', () => {
    const foreign: Record<string, Record<string, string>> = {
      'a page of another site': { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      'a neighbour under the same domain': { 'sec-fetch-site': 'same-site' },
      'an address bar': { 'sec-fetch-site': 'none' },
      'a browser that says nothing': {},
      'a browser that hides where from': { origin: 'null' },
      'an origin that only looks like ours': { origin: 'http://localhost.evil.example' },
    }
    it.each(Object.keys(foreign))('nothing is changed by cookie: %s', async (from) => {
      const wrong: string[] = []
      for (const [route, rule] of Object.entries(MATRIX)) {
        const [method, path] = route.split(' ')
        if (method === 'GET') continue
        const browser = new Browser(tenants.world.httpUrl)
        await browser.go(`/enter?token=${tenants.tokens[allowed(rule)]}`)
        const answer = await browser.go(filled(path), {
          method,
          headers: { 'content-type': 'application/json', ...foreign[from] },
          body: '{}',
        })
        const text = await answer.text()
        if (answer.status !== 403 || !text.includes('a page that is not ours'))
          wrong.push(`${route}: ${answer.status} ${text}`)
        if (!browser.cookies.has('roadmeter')) wrong.push(`${route}: signed out`)
      }
      expect(wrong).toEqual([])
    })
    it('our own pages go through, said by the browser or by the origin', async () => {
      for (const headers of [{ 'sec-fetch-site': 'same-origin' }, { origin: tenants.world.httpUrl }] as Record<
        string,
        string
      >[]) {
        const browser = new Browser(tenants.world.httpUrl)
        await browser.go(`/enter?token=${tenants.tokens.citizen}`)
        const answer = await browser.go('/v1/wallet', {
          method: 'PUT',
          headers: { 'content-type': 'application/json', ...headers },
          body: '{"floor":"1","topUp":"5"}',
        })
        expect(answer.status).toBe(200)
      }
    })
  })

  it('every answer carries what keeps a browser safe, errors too', async () => {
    for (const path of [
      '/',
      '/plain',
      '/v1/statements',
      '/nowhere',
      '/v1/statements/%00.json',
      '/docs',
      '/verify',
      '/healthz',
      '/auth/login',
    ]) {
      const { headers, status } = await fetch(`${tenants.world.httpUrl}${path}`, { redirect: 'manual' })
      expect([
        path,
        headers.get('x-content-type-options'),
        headers.get('referrer-policy'),
        headers.get('cross-origin-opener-policy'),
      ]).toEqual([path, 'nosniff', 'same-origin', 'same-origin'])
      expect([path, status, headers.get('content-security-policy')]).toEqual([
        path,
        status,
        expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
      ])
      expect(headers.get('permissions-policy')).toMatch(/geolocation=\((self)?\)/)
      expect(headers.get('x-powered-by')).toBeNull()
    }
  })

  it('SQL in any parameter is a text like any other: no failure, no difference', async () => {
    const payloads = Number(process.env.SQL_PAYLOADS ?? 1_500)
    const parts = {
      open: ["'", '"', "')", "'))", '`', "\\'", "';", '$$', "$1'", '%27'],
      then: [
        ' or 1=1',
        ' union select null,null,null',
        '; drop table money.statement',
        ' and pg_sleep(2)',
        '||(select version())',
        ' or exists(select 1 from metering.account)',
        '; set role postgres',
        ' returning *',
      ],
      end: ['--', ' -- ', '/*', ';', "'", " or 'a'='a", '#', ')--'],
    }
    const made = (i: number) => {
      const { open, then, end } = parts
      return (
        open[i % open.length] +
        then[Math.floor(i / open.length) % then.length] +
        end[Math.floor(i / (open.length * then.length)) % end.length]
      )
    }
    // Where a text may stand: in each path with a parameter, in each query that is read, and in bodies.
    const places = Object.entries(MATRIX).flatMap(([route, rule]) => {
      const [method, path] = route.split(' ')
      const token = rule === 'device' ? tenants.tokens.device : tenants.tokens[allowed(rule)]
      const inPath = /:\w+/.test(path)
        ? [
            {
              method,
              token,
              of: (text: string) => ({ path: filled(path.replace(':agency', 'city-one'), text), body: '{}' }),
            },
          ]
        : []
      const inBody =
        method === 'GET'
          ? []
          : [
              {
                method,
                token,
                of: (text: string) => ({
                  path: filled(path.replace(':agency', 'city-one'), 'none'),
                  body: JSON.stringify({
                    reason: text,
                    text,
                    why: text,
                    trip: text,
                    id: text,
                    name: text,
                    to: text,
                    digest: text,
                    voucher: text,
                    amount: text,
                    floor: text,
                    topUp: text,
                    method: text,
                    at: text,
                    mm: text,
                    decision: text,
                  }),
                }),
              },
            ]
      const inQuery = [
        {
          method,
          token,
          of: (text: string) => ({
            path: `${filled(path.replace(':agency', 'city-one'), 'none')}?${['agency', 'token', 'boot', 'open', 'against', 'reason', 'month', 'state', 'return'].map((name) => `${name}=${encodeURIComponent(text)}`).join('&')}`,
            body: '{}',
          }),
        },
      ]
      return [...inPath, ...inBody, ...inQuery]
    })
    const counts = async () =>
      tenants.world.store.read(
        'select (select count(*) from money.statement) as statements, (select count(*) from metering.account) as accounts, (select count(*) from money.transfer) as transfers',
      )
    const before = await counts()
    const wrong: string[] = []
    const harmless = new Map<number, string>()
    const ask = async (i: number, text: string) => {
      const { method, token, of } = places[i % places.length]
      const { path, body } = of(text)
      const answer = await fetch(`${tenants.world.httpUrl}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          authorization: `Bearer ${token}`,
          ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
        },
        body: method === 'GET' ? undefined : body,
      })
      // Events go on for as long as one listens.
      if (/event-stream/.test(answer.headers.get('content-type') ?? '')) await answer.body?.cancel()
      else await answer.arrayBuffer()
      return answer.status
    }
    for (let i = 0; i < places.length; i++) harmless.set(i, String(await ask(i, 'O-harmless (text)')))
    let next = 0
    const worker = async () => {
      for (let i = next++; i < payloads; i = next++) {
        const text = made(Math.floor(i / places.length) + i * 7)
        const began = performance.now()
        const status = await ask(i, text)
        if (status >= 500 && harmless.get(i % places.length) !== String(status))
          wrong.push(`${JSON.stringify(places[i % places.length].of(text))}: ${status}`)
        // A path with a slash or a dot in it may name another route: told as not found or not understood all the same.
        else if (String(status) !== harmless.get(i % places.length) && ![400, 404].includes(status))
          wrong.push(
            `${JSON.stringify(places[i % places.length].of(text))}: ${status}, not ${harmless.get(i % places.length)}`,
          )
        if (performance.now() - began > 30_000) wrong.push(`${text} took its time`)
      }
    }
    await Promise.all(Array.from({ length: 8 }, worker))
    expect(wrong).toEqual([])
    expect(await counts()).toEqual(before)
    expect([...harmless.values()].filter((status) => status.startsWith('5'))).toEqual([])
  })

  it('one batch sent over and over is taken once', async () => {
    const times = Number(process.env.REPLAYS ?? 3_000)
    const { world, tokens, one } = tenants
    const last = (
      await world.store.read<{ n: number }>(`select max(seq)::int as n from location.batch where device = $1`, [
        one.device,
      ])
    )[0].n
    const [batch] = driveAlong('again', 7, 7.005, instant(world.clock.now() - 3_600_000), last + 1)
    const bytes = Buffer.from(batchBytes(batch))
    const before = await world.store.read<{ accepted: string }>(
      `select accepted from metering.stream where device = $1`,
      [one.device],
    )
    const statuses = new Map<number, number>()
    let next = 0
    const worker = async () => {
      for (; next++ < times;) {
        const answer = await fetch(`${world.httpUrl}/v1/devices/${one.device}/batches`, {
          method: 'POST',
          headers: { authorization: `Bearer ${tokens.device}`, 'content-type': 'application/json' },
          body: bytes,
        })
        await answer.arrayBuffer()
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: 64 }, worker))
    expect([...statuses.keys()]).toEqual([200])
    const after = await world.store.read<{ accepted: string }>(
      `select accepted from metering.stream where device = $1`,
      [one.device],
    )
    expect(Number(after[0].accepted)).toBe(Number(before[0].accepted) + 1)
    await settled(world)
    expect(await faultsOf(world)).toEqual([])
  })
})
