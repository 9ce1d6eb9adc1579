import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, type JWTPayload } from 'jose'
import { instant } from '#kernel'
import { grantSubject } from '#store'
import { cast, openWorld, type World } from '../harness'
import { MAIN_ROAD, TARIFF } from '../scenarios/roads'
import { Browser } from './browser'

const NOW = instant(Date.parse('2026-10-05T12:00:00+02:00'))

/** A provider of identities that says whatever a test wants it to. */
describe('an id token', () => {
  let world: World
  let server: Server
  let issuer: string
  let mint: (claims: JWTPayload) => Promise<string>
  let keys: Record<'known' | 'unknown', Awaited<ReturnType<typeof generateKeyPair>>>
  let nonce = ''
  let challenge = ''

  beforeAll(async () => {
    keys = { known: await generateKeyPair('ES256', { extractable: true }), unknown: await generateKeyPair('ES256') }
    const jwk = { ...(await exportJWK(keys.known.publicKey)), kid: 'known', alg: 'ES256', use: 'sig' }
    server = createServer((request, response) => {
      const say = (body: unknown) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      if (request.url === '/.well-known/openid-configuration')
        return say({
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256'],
          code_challenge_methods_supported: ['S256'],
        })
      if (request.url === '/jwks') return say({ keys: [jwk] })
      const second = Math.floor(Date.now() / 1000)
      mint({ iss: issuer, aud: 'roadmeter', sub: 'ann', nonce, iat: second, exp: second + 300, auth_time: second })
        .then((id_token) => say({ access_token: 'unused', token_type: 'Bearer', expires_in: 300, id_token }))
        .catch(() => response.destroy())
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    world = await openWorld(NOW, { ROADMETER_OIDC_ISSUER: issuer })
    const people = await cast(world, MAIN_ROAD, [TARIFF])
    await world.store.transaction((tx) =>
      grantSubject(
        tx,
        { issuer, subject: 'ann' },
        { role: 'citizen', agency: people.agency, account: people.account, name: 'Ann' },
        NOW,
      ),
    )
  })
  afterAll(async () => {
    await world?.close()
    server?.closeAllConnections()
    server?.close()
  })

  const signed = (claims: JWTPayload, { kid = 'known', key = keys.known.privateKey } = {}) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(key)
  /** The status of coming back with such a token, and whether a session was opened. */
  async function comeBack(minted: typeof mint, path = '/auth/login'): Promise<[number, boolean, string]> {
    mint = minted
    const browser = new Browser(world.httpUrl)
    const led = await fetch(`${world.httpUrl}${path}`, { redirect: 'manual' })
    for (const cookie of led.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!
      browser.cookies.set(name, value)
    }
    const asked = new URL(led.headers.get('location')!)
    nonce = asked.searchParams.get('nonce')!
    challenge = asked.searchParams.get('code_challenge')!
    const answer = await browser.go(`/auth/callback?code=any&state=${asked.searchParams.get('state')}`)
    const text = await answer.text()
    return [answer.status, browser.cookies.has('roadmeter'), text]
  }

  it('that holds lets its subject in', async () => {
    const [status, hasSession] = await comeBack((claims) => signed(claims))
    expect([status < 500, hasSession, challenge.length]).toEqual([true, true, 43])
  })

  const second = () => Math.floor(Date.now() / 1000)
  const bad: Record<string, (claims: JWTPayload) => Promise<string>> = {
    'is over': (claims) => signed({ ...claims, exp: second() - 60, iat: second() - 360 }),
    'is for somebody else': (claims) => signed({ ...claims, aud: 'another-client' }),
    'is by somebody else': (claims) => signed({ ...claims, iss: 'https://evil.example' }),
    'answers another question': (claims) => signed({ ...claims, nonce: 'x'.repeat(43) }),
    'was tampered with': async (claims) => {
      const [head, , signature] = (await signed(claims)).split('.')
      return [head, Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url'), signature].join('.')
    },
    'is signed by a key that nobody knows': (claims) =>
      signed(claims, { kid: 'unknown', key: keys.unknown.privateKey }),
    'is signed by another key under a known name': (claims) => signed(claims, { key: keys.unknown.privateKey }),
    'is not signed': (claims) => Promise.resolve(new UnsecuredJWT(claims).encode()),
    'is from a clock that is minutes ahead': (claims) =>
      signed({ ...claims, iat: second() + 600, nbf: second() + 300, exp: second() + 900 }),
    'is no token': () => Promise.resolve('a.b.c'),
    'names nobody': ({ sub: _, ...claims }) => signed(claims),
  }
  it.each(Object.keys(bad))('that %s lets nobody in, and says no more than that', async (name) => {
    const [status, hasSession, text] = await comeBack(bad[name])
    expect([status, hasSession]).toEqual([401, false])
    expect(JSON.parse(text)).toMatchObject({ title: 'the identity provider did not sign you in: sign in again' })
    expect(text).not.toMatch(/kid|nonce|claim|jwt|evil|OAUTH/i)
  })

  it('from a clock that is seconds off lets its subject in', async () => {
    const [, hasSession] = await comeBack((claims) => signed({ ...claims, iat: second() + 20, nbf: second() + 20 }))
    expect(hasSession).toBe(true)
  })

  it('of an old sign-in is not a fresh one', async () => {
    const old = (claims: JWTPayload) => signed({ ...claims, auth_time: second() - 3600 })
    expect((await comeBack(old, '/auth/login?fresh')).slice(0, 2)).toEqual([401, false])
    expect((await comeBack(old)).slice(1, 2)).toEqual([true])
  })

  it('is not asked for where people are handed a link, nor a link taken where there is a provider', async () => {
    expect((await fetch(`${world.httpUrl}/enter?token=citizen-token-one`, { redirect: 'manual' })).status).toBe(404)
  })

  it('can not be had from a provider that does not answer: said so, and nothing begun', async () => {
    const alone = await openWorld(NOW, { ROADMETER_OIDC_ISSUER: 'http://127.0.0.1:9' })
    const answer = await fetch(`${alone.httpUrl}/auth/login`, { redirect: 'manual' })
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([502, 'IDENTITY_PROVIDER'])
    expect(await alone.store.read('select 1 from identity.sign_in')).toEqual([])
    await alone.close()
  })
})
