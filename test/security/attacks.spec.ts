import { createServer } from 'node:http'
import net, { type AddressInfo } from 'node:net'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { batchBytes } from '#contracts'
import { instant } from '#kernel'
import { ISOLATION, type Role } from '#store'
import { faultsOf, settled } from '../harness'
import { driveAlong } from '../scenarios/roads'
import { LETTERS, MATRIX } from './access-matrix'
import { Browser } from './browser'
import { openTenants, type Tenants } from './city'
import { sqlText } from './sql'

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
    const counts = async () => {
      await settled(tenants.world)
      const sql = Object.keys(ISOLATION).map(
        (table) => `select '${table}' as table, count(*)::int as rows from ${table}`,
      )
      const rows = await tenants.world.store.read<{ table: string; rows: number }>(sql.join(' union all '))
      return Object.fromEntries(rows.map(({ table, rows }) => [table, rows]))
    }
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
    const before = await counts()
    let next = 0
    const worker = async () => {
      for (let i = next++; i < payloads; i = next++) {
        const text = sqlText(i * 7)
        const began = performance.now()
        const status = await ask(i, text)
        if (status >= 500 && harmless.get(i % places.length) !== String(status))
          wrong.push(`${JSON.stringify(places[i % places.length].of(text))}: ${status}`)
        // A path with a slash or a dot in it may name another route, or be too long: told as not found or not understood all the same.
        else if (String(status) !== harmless.get(i % places.length) && ![400, 404, 414].includes(status))
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

  it('no text makes the server ask somebody else: 200 forms of an address, anywhere (SSRF)', async () => {
    let heard = 0
    const canary = createServer((_, answer) => void (heard++, answer.end())).listen(0, '127.0.0.1')
    await new Promise((ready) => canary.once('listening', ready))
    const { port } = canary.address() as AddressInfo
    const hosts = ['127.0.0.1', 'localhost', 'LOCALHOST.', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f000001', '0177.0.0.1', '127.1', '127.0.0.1.nip.io', 'me@127.0.0.1', 'localhost:80@127.0.0.1', '169.254.169.254', 'metadata.google.internal', '①②⑦.⓪.⓪.①', '127.0.0.1%2f', 'own.example#@127.0.0.1', '10.0.0.1', 'postgres'] // prettier-ignore
    const forms: ((host: string) => string)[] = [(h) => `http://${h}:${port}/x`, (h) => `https://${h}:${port}/x`, (h) => `//${h}:${port}/x`, (h) => `http:\\\\${h}:${port}\\x`, (h) => `ftp://${h}:${port}/x`, (h) => `gopher://${h}:${port}/_x`, (h) => `dict://${h}:${port}/x`, (h) => `file://${h}/etc/passwd`, (h) => `jar:http://${h}:${port}/x!/`, (h) => `ws://${h}:${port}/x`] // prettier-ignore
    const addresses = hosts.flatMap((host) => forms.map((form) => form(host)))
    expect(addresses).toHaveLength(200)
    const asked: string[] = []
    const { databaseUrl } = tenants.world.settings
    // The api, which the test asks, and its database.
    const own = [new URL(tenants.world.httpUrl).port, databaseUrl && (new URL(databaseUrl).port || '5432')]
    const { connect } = net.Socket.prototype
    // Whatever this process connects to, by name or number, but for our own asking of the api.
    const watch = jest.spyOn(net.Socket.prototype, 'connect').mockImplementation(function (this: net.Socket, ...given: unknown[]) {
      const [first] = (Array.isArray(given[0]) ? given[0] : given) as [{ port?: unknown; host?: string }]
      if (!own.includes(String(first?.port))) asked.push(`${first?.host}:${String(first?.port)}`)
      return (connect as (...all: unknown[]) => net.Socket).apply(this, given)
    } as never) // prettier-ignore
    const routes = Object.entries(MATRIX)
    const led: string[] = []
    try {
      for (let i = 0; i < 2 * Math.max(routes.length, addresses.length); i++) {
        const [route, rule] = routes[i % routes.length]
        const [method, way] = route.split(' ')
        const url = addresses[(i * 7) % addresses.length]
        const query = ['url', 'return', 'callback', 'token', 'code', 'state', 'iss', 'request_uri', 'against'].map((name) => `${name}=${encodeURIComponent(url)}`).join('&') // prettier-ignore
        const names = ['url', 'href', 'src', '$ref', 'photo', 'image', 'callback', 'webhook', 'name', 'text', 'reason', 'return', 'currency', 'document', 'geometry', 'jurisdiction'] // prettier-ignore
        const answer = await fetch(`${tenants.world.httpUrl}${filled(way, i % 2 ? url : 'none')}?${query}`, {
          method,
          redirect: 'manual',
          headers: {
            authorization: `Bearer ${rule === 'device' ? tenants.tokens.device : tenants.tokens[allowed(rule)]}`,
            'x-forwarded-host': url.replace(/[^ -~]/g, ''),
            forwarded: `host=${new URL(tenants.world.httpUrl).host}.evil.example`,
            referer: 'http://127.0.0.1/',
            ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
          },
          body: method === 'GET' ? undefined : JSON.stringify(Object.fromEntries(names.map((name) => [name, url]))),
        })
        if (/event-stream/.test(answer.headers.get('content-type') ?? '')) await answer.body?.cancel()
        else await answer.arrayBuffer()
        const to = answer.headers.get('location')
        if (to !== null && new URL(to, tenants.world.httpUrl).origin !== new URL(tenants.world.httpUrl).origin) led.push(`${route}: ${to}`) // prettier-ignore
        if (answer.status >= 500 && !/verify\.js|auth/.test(way)) led.push(`${route}: ${answer.status}`)
      }
    } finally {
      watch.mockRestore()
      canary.close()
    }
    expect({ heard, asked, led }).toEqual({ heard: 0, asked: [], led: [] })
  })

  describe('files that are not what they say', () => {
    const png = Buffer.concat([Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), Buffer.alloc(17), Buffer.from('0000000049454e44ae426082', 'hex')]) // prettier-ignore
    /** An archive of one file of nothing but zeros, a thousandth of its size. */
    const bomb = (): Buffer => {
      const body = deflateRawSync(Buffer.alloc(64 * 1024 * 1024))
      const head = Buffer.alloc(30)
      head.writeUInt32LE(0x04034b50, 0)
      head.writeUInt16LE(8, 8)
      head.writeUInt32LE(body.length, 18)
      head.writeUInt32LE(64 * 1024 * 1024, 22)
      return Buffer.concat([head, body])
    }
    const send = async (token: string, method: string, way: string, type: string, body: Buffer | string, more = {}) => {
      const answer = await fetch(`${tenants.world.httpUrl}${way}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': type, ...more },
        body: new Uint8Array(Buffer.from(body)),
      })
      const text = await answer.text()
      expect(answer.headers.get('content-type')).toMatch(answer.ok ? /json/ : /problem\+json/)
      expect(text.length).toBeLessThan(5_000)
      return [answer.status, JSON.parse(text)] as const
    }

    it('a policy: an archive, a bomb in gzip, brackets without end, a document and something behind it', async () => {
      const way = '/v1/agencies/city-one/drafts/bomb'
      const put = async (type: string, body: Buffer | string, more = {}) => {
        const [status, { code, title, detail }] = await send(tenants.tokens.editor, 'PUT', way, type, body, more)
        return `${status} ${code ?? ''} ${detail ?? title}`
      }
      const before = process.memoryUsage().rss
      expect(await put('application/zip', bomb())).toMatch(/^415 /)
      expect(await put('application/json', bomb())).toMatch(/^400 /)
      expect(await put('application/json', gzipSync(Buffer.alloc(64 * 1024 * 1024, 32)), { 'content-encoding': 'gzip' })).toMatch(/^4(00|15) /) // prettier-ignore
      expect(await put('application/json', Buffer.concat([Buffer.from('{"v":1}'), bomb()]))).toMatch(/^400 /)
      expect(await put('application/json', '['.repeat(1_000_000))).toMatch(/^400 /)
      expect(await put('application/json', `${'['.repeat(100_000)}${']'.repeat(100_000)}`)).toMatch(/^400 /)
      expect(await put('application/json', '{"__proto__":{"v":1},"constructor":{"prototype":{"v":1}}}')).toMatch(
        /^400 /,
      )
      expect(await put('application/json', Buffer.alloc(8 * 1024 * 1024, 32))).toMatch(/^413 /)
      expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024)
      const none = await fetch(`${tenants.world.httpUrl}${way}`, { headers: { authorization: `Bearer ${tenants.tokens.editor}` } }) // prettier-ignore
      expect(none.status).toBe(404)
    })

    it('evidence: an archive, a picture that is one too, a page in a document', async () => {
      const [, dispute] = tenants.things.own.id.split('|')
      const way = `/v1/disputes/${dispute}/evidence`
      const give = async (type: string, body: Buffer | string, more = {}) => {
        const [status, { code, ...said }] = await send(tenants.tokens.citizen, 'POST', way, type, body, more)
        return [status, code, said]
      }
      for (const [type, body] of [
        ['image/png', bomb()],
        ['image/png', Buffer.concat([png, bomb()])],
        ['image/png', gzipSync(png)],
        ['image/jpeg', '<html><script>alert(1)</script></html>'],
        ['application/pdf', '<html>%PDF-1.7 %%EOF'],
        ['image/png', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'],
      ] as const)
        expect((await give(type, body)).slice(0, 2)).toEqual([415, 'EVIDENCE_TYPE'])
      expect((await give('application/zip', bomb()))[0]).toBe(415)
      expect((await give('image/png', Buffer.concat([png, Buffer.alloc(6 * 1024 * 1024)])))[0]).toBe(413)
      // One that is a document to a reader of documents and a page to a browser that guesses: it is kept, and never shown in place.
      const both = '%PDF-1.7\n<html><script>alert(1)</script></html>\n%%EOF\n'
      const [status, , said] = await give('application/pdf', both)
      expect(status).toBe(201)
      const { evidence: file } = (said as { steps: { evidence: string | null }[] }).steps.find((one) => one.evidence)!
      const shown = await fetch(`${tenants.world.httpUrl}${way}/${file}`, { headers: { authorization: `Bearer ${tenants.tokens.citizen}` } }) // prettier-ignore
      expect(await shown.text()).toBe(both)
      expect([
        shown.headers.get('content-disposition'),
        shown.headers.get('x-content-type-options'),
        shown.headers.get('content-type'),
      ]).toEqual([
        // prettier-ignore
        'attachment; filename="evidence.pdf"',
        'nosniff',
        expect.stringMatching(/^application\/pdf/),
      ])
    })
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
