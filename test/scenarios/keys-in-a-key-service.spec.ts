import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { type TripId } from '#kernel'
import { openBytes, sealBytes, TransitKeys } from '#runtime'
import { pathOf, Store, Vault } from '#store'
import { openStory, type Story } from './story'

/** What the transit engine of Vault and OpenBao does with one key, as far as we ask it: real keys, versions, associated data, its answers. */
class TransitEngine {
  readonly asked: string[] = []
  isSealed = false
  private readonly versions: KeyObject[] = []
  private first = 1
  readonly server: Server = createServer((request, response) => {
    void this.answer(request).then(([status, body]) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    })
  })

  private async answer(request: IncomingMessage): Promise<[number, unknown]> {
    let text = ''
    for await (const piece of request) text += String(piece)
    const body = text ? JSON.parse(text) : {}
    this.asked.push(`${request.method} ${request.url}`)
    if (this.isSealed) return [503, { errors: ['Vault is sealed'] }]
    if (request.headers['x-vault-token'] !== 'a token') return [403, { errors: ['permission denied'] }]
    const [, what] =
      /^\/v1\/transit\/(keys\/cars\/rotate|keys\/cars\/config|keys\/cars|encrypt\/cars|decrypt\/cars)$/.exec(
        request.url!,
      ) ?? []
    const add = () => this.versions.push(createSecretKey(randomBytes(32)))
    switch (what) {
      case 'keys/cars':
        if (request.method === 'POST' && this.versions.length === 0) add()
        return this.versions.length === 0
          ? [404, { errors: [] }]
          : [200, { data: { latest_version: this.versions.length, min_decryption_version: this.first } }]
      case 'keys/cars/rotate':
        add()
        return [200, {}]
      case 'keys/cars/config':
        this.first = body.min_decryption_version
        return [200, {}]
      case 'encrypt/cars':
      case 'decrypt/cars': {
        const results = (body.batch_input as Record<string, string>[]).map((item) => {
          const name = Buffer.from(item['associated_data'], 'base64').toString()
          if (what === 'encrypt/cars') {
            const version = Number(item['key_version'])
            const bytes = sealBytes(this.versions[version - 1], name, Buffer.from(item['plaintext'], 'base64'))
            return { ciphertext: `vault:v${version}:${bytes.toString('base64')}` }
          }
          const [, version, bytes] = /^vault:v(\d+):(.*)$/.exec(item['ciphertext'])!
          if (Number(version) < this.first)
            return { error: 'ciphertext or signature version is disallowed by policy (too old)' }
          try {
            return {
              plaintext: openBytes(this.versions[Number(version) - 1], name, Buffer.from(bytes, 'base64')).toString(
                'base64',
              ),
            }
          } catch {
            return { error: 'cipher: message authentication failed' }
          }
        })
        return [results.some((result) => 'error' in result) ? 400 : 200, { data: { batch_results: results } }]
      }
      default:
        return [404, { errors: [] }]
    }
  }
}

describe('keys of locations in a key service of their own', () => {
  const engine = new TransitEngine()
  let story: Story
  let trip: TripId
  let settings: { keyService: string; keyServiceTokenFile: string }
  beforeAll(async () => {
    await new Promise<void>((resolve) => engine.server.listen(0, '127.0.0.1', resolve))
    const keyServiceTokenFile = path.join(mkdtempSync(path.join(tmpdir(), 'roadmeter-token-')), 'token')
    writeFileSync(keyServiceTokenFile, 'a token\n')
    const { port } = engine.server.address() as AddressInfo
    settings = { keyService: `http://127.0.0.1:${port}/v1/transit/keys/cars`, keyServiceTokenFile }
    story = await openStory('2026-10-05T07:00:00+02:00', {
      environment: {
        ROADMETER_KEY_SERVICE: settings.keyService,
        ROADMETER_KEY_SERVICE_TOKEN_FILE: settings.keyServiceTokenFile,
      },
    })
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
    trip = (await story.world.store.read<{ id: TripId }>('select id from metering.trip'))[0].id
  })
  afterAll(async () => {
    await story?.end()
    engine.server.close()
  })
  /** As another process would, that remembers nothing. */
  const read = () =>
    new Store(story.world.store.dataSource, new Vault(new TransitKeys(settings))).transaction((tx) => pathOf(tx, trip))

  it('never leave it: data keys are wrapped and unwrapped there, many at a time, and no file holds one', async () => {
    expect(await read()).not.toBeNull()
    const kept = await story.world.store.read<{ kek: string; wrapped: Uint8Array }>(
      'select kek, wrapped from location.data_key',
    )
    for (const { kek, wrapped } of kept)
      expect([kek, Buffer.from(wrapped).toString().slice(0, 9)]).toEqual(['cars/v1', 'vault:v1:'])
    expect(engine.asked).toContain('POST /v1/transit/encrypt/cars')
    expect(engine.asked.filter((one) => one.includes('export'))).toEqual([])
    await story.sound()
  })

  it('are changed while everything runs, and the version before opens nothing any more', async () => {
    const { store } = story.world
    expect(await store.transaction((tx) => tx.vault.beginRotation(tx))).toBe('cars/v2')
    await story.drive('between', 7.02, 7, '2026-10-05T14:00:00+02:00')
    while ((await store.transaction((tx) => tx.vault.rewrap(tx, 1))) > 0);
    await store.transaction((tx) => tx.vault.endRotation(tx))
    const keks = await store.read<{ kek: string }>('select distinct kek from location.data_key')
    expect(keks.map(({ kek }) => kek)).toEqual(['cars/v2'])
    expect(await read()).not.toBeNull()
    expect(engine.asked).toContain('POST /v1/transit/keys/cars/config')
    await story.sound()
  })

  it('say in a sentence what is wrong, and nothing of what they keep', async () => {
    const { store } = story.world
    const refused = async (why: RegExp) => {
      const error = await read().then(
        () => null,
        (thrown: Error & { code?: string }) => thrown,
      )
      expect(error?.message).toMatch(why)
      expect(error?.message).not.toMatch(/vault:v|a token/)
    }
    engine.isSealed = true
    await refused(/answered 503 to decrypt/)
    engine.isSealed = false
    writeFileSync(settings.keyServiceTokenFile, 'another token')
    await refused(/answered 403 to decrypt/)
    writeFileSync(settings.keyServiceTokenFile, 'a token')
    // One data key in the place of another: what it is of is bound to it.
    const rows = await store.read<{ id: string; wrapped: Uint8Array }>(
      'select id, wrapped from location.data_key order by id',
    )
    await store.transaction(async (tx) => {
      for (const [i, { id }] of rows.entries())
        await tx.run('update location.data_key set wrapped = $2 where id = $1', [
          id,
          rows[(i + 1) % rows.length].wrapped,
        ])
    })
    await refused(/is not what was wrapped/)
    await store.transaction(async (tx) => {
      for (const { id, wrapped } of rows)
        await tx.run('update location.data_key set wrapped = $2 where id = $1', [id, wrapped])
    })
    expect(await read()).not.toBeNull()
  })
})
