import { readFileSync } from 'node:fs'
import path from 'node:path'
import { instant } from '#kernel'
import { cast, openWorld, type Cast, type World } from '../harness'
import { MAIN_ROAD, TARIFF } from '../scenarios/roads'

const NOW = instant(Date.parse('2026-10-05T12:00:00+02:00'))

describe('limits', () => {
  let world: World
  let people: Cast
  beforeAll(async () => {
    world = await openWorld(NOW, {
      ROADMETER_REQUESTS_PER_MINUTE: '40',
      ROADMETER_PROXY_HOPS: '1',
      ROADMETER_TRACCAR_PASSWORD: 'forward-secret',
    })
    people = await cast(world, MAIN_ROAD, [TARIFF])
  })
  afterAll(() => world?.close())
  const ask = (path: string, from: string, token?: string) =>
    fetch(`${world.httpUrl}${path}`, {
      redirect: 'manual',
      headers: { 'x-forwarded-for': from, ...(token ? { authorization: `Bearer ${token}` } : {}) },
    })
  const many = async (times: number, path: string, from: (i: number) => string, token?: (i: number) => string) => {
    const statuses: number[] = []
    for (let i = 0; i < times; i++) statuses.push((await ask(path, from(i), token?.(i))).status)
    return statuses.filter((status) => status === 429).length
  }

  it('are of a person, wherever they ask from, and keep nobody else out', async () => {
    expect(
      await many(
        45,
        '/v1/me',
        (i) => `10.0.0.${i}`,
        () => people.tokens.citizen,
      ),
    ).toBe(5)
    const refused = await ask('/v1/me', '10.0.0.1', people.tokens.citizen)
    expect([refused.headers.get('content-type'), ((await refused.json()) as { status: number }).status]).toEqual([
      expect.stringContaining('problem+json'),
      429,
    ])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await ask('/v1/me', '10.0.0.1', people.tokens.agency)).status).toBe(200)
  })

  it('of signing in are of an address, and few, whatever is tried', async () => {
    expect(await many(6, '/enter?token=guess', () => '10.0.1.1')).toBe(4)
    expect(await many(1, '/enter?token=guess', () => '10.0.1.2')).toBe(0)
  })

  it('are of an address where tokens are made up, each a new one', async () => {
    expect(
      await many(
        410,
        '/v1/me',
        () => '10.0.2.1',
        (i) => `made-up-${i}`,
      ),
    ).toBe(10)
  })

  it('believe our own proxy, and nobody before it', async () => {
    // What a client says for itself stands left of what our proxy adds.
    expect(await many(6, '/enter?token=guess', (i) => `1.2.3.${i}, 10.0.3.1`)).toBe(4)
  })

  it('of a Traccar server fit a whole fleet, and end; who only guesses its password is anybody', async () => {
    const forward = async (times: number, from: string, password: string) => {
      const answers = await Promise.all(
        Array.from({ length: times }, () =>
          fetch(`${world.httpUrl}/v1/traccar`, {
            method: 'POST',
            body: '{}',
            headers: {
              'content-type': 'application/json',
              'x-forwarded-for': from,
              authorization: `Bearer ${password}`,
            },
          }),
        ),
      )
      return answers.map(({ status }) => status)
    }
    const statuses: number[] = []
    for (let i = 0; i < 41; i++) statuses.push(...(await forward(100, '10.0.5.1', 'forward-secret')))
    expect(statuses.filter((status) => status === 204)).toHaveLength(4000)
    expect(statuses.slice(4000)).toEqual(Array<number>(100).fill(429))
    const guessed = await forward(45, '10.0.5.2', 'a-guess')
    expect([401, 429].map((status) => guessed.filter((one) => one === status).length)).toEqual([40, 5])
    // Somebody else at its address is counted as ever.
    expect(await many(1, '/v1/me', () => '10.0.5.1')).toBe(0)
  })

  it('of size: a batch of what docs/protocol.md says is still looked at, and one byte more is not', async () => {
    const most = 7 * 1024 * 1024 + 64 * 1024
    const post = async (bytes: number) =>
      (
        await fetch(`${world.httpUrl}/v1/devices/${people.device}/batches`, {
          method: 'POST',
          headers: {
            'content-type': 'application/cbor',
            'x-forwarded-for': '10.0.4.2',
            authorization: `Bearer ${people.deviceToken}`,
          },
          body: Buffer.alloc(bytes),
        })
      ).status
    expect([await post(most), await post(most + 1)]).toEqual([422, 413])
    const protocol = readFileSync(path.resolve(__dirname, '../../docs/protocol.md'), 'utf8')
    expect(protocol).toContain('413 above 7 MiB and 64 KiB')
  })

  it('of size: a body that is too long is not read', async () => {
    const answer = await fetch(`${world.httpUrl}/v1/enrolments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': '10.0.4.1' },
      body: JSON.stringify({ voucher: 'x'.repeat(8 * 1024 * 1024) }),
    }).then(
      ({ status }) => status,
      () => 'cut off',
    )
    expect([413, 'cut off']).toContain(answer)
  })
})
