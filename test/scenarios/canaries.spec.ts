import fs from 'node:fs'
import path from 'node:path'
import { connectAsync } from 'mqtt'
import { chance, instant, type DeviceId, type Instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { recordAtDesk } from '#pipeline'
import { grantAccess, saveDevice } from '#store'
import { type Batch } from '#contracts'
import { at, euro, openStory, type Story } from './story'

const FIXES = 340
const PLATES = 330
const TOKENS = 330
const HOUR = 3_600_000
const DAY = 24 * HOUR
const LETTERS = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789'

/**
 * A thousand things that must not be found: coordinates that were driven, number plates in messages that were rejected, and tokens. Looked
 * for in every file of the database, its log of changes included, in a dump of all its tables, in all that was logged, and in what others
 * than the citizen are answered.
 */
describe('a thousand canaries', () => {
  let story: Story
  const dice = chance('canaries')
  const drawn = (length: number) => Array.from({ length }, () => LETTERS[dice.below(LETTERS.length)]).join('')
  const fixes = Array.from({ length: FIXES }, (_, i): [number, number, number, number] => [
    at('2026-10-05T12:00:00+02:00') + i * 1000,
    Number((45 + (1 + dice.below(99)) * 1e-7).toFixed(7)),
    Number((7 + i * 0.00019 + (1 + dice.below(98)) * 1e-7).toFixed(7)),
    4,
  ])
  const plates = Array.from({ length: PLATES }, () => `CNRY${drawn(8)}`)
  const tokens = Array.from({ length: TOKENS }, () => `cnrytoken${drawn(16)}`)
  /** As text, and as the eight bytes of a number. */
  const canaries = new Set<string>([
    ...fixes.flatMap(([, lat, lon]) => [String(lat), String(lon)]),
    ...plates,
    ...tokens,
  ])
  const doubles = new Set(
    fixes.map(([, , lon]) => {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleLE(lon)
      return bytes.toString('hex')
    }),
  )
  let logged = ''
  let write: jest.SpyInstance

  beforeAll(async () => {
    const real = fs.writeSync
    write = jest.spyOn(fs, 'writeSync').mockImplementation(((fd: number, data: string | Buffer, ...rest: number[]) => {
      if (fd === 1 || fd === 2) {
        logged += data.toString()
        return Buffer.byteLength(data)
      }
      return real(fd, data as Buffer, ...rest)
    }) as typeof fs.writeSync)
    story = await openStory('2026-10-05T07:00:00+02:00', {
      environment: {
        ROADMETER_LOG: 'debug',
        ROADMETER_KEEP_FIXES_HOURS: '72',
        ROADMETER_KEEP_REJECTED_HOURS: '168',
      },
    })
    await plant().catch((error: Error) => {
      throw new Error(`${error.message}\n${logged.slice(-1500)}`)
    })
  })
  afterAll(async () => {
    await story?.end()
    write.mockRestore()
  })

  async function plant(): Promise<void> {
    const { world, people } = story
    // The story's own device has a session already.
    const mine = { id: 'canary-obu' as DeviceId, token: 'token-of-canary-obu' }
    await world.store.transaction((tx) => saveDevice(tx, { ...mine, vehicle: people.vehicle }))
    const device = await DeviceClient.connect({ url: world.mqttUrl, device: mine.id, token: mine.token })
    world.clock.advanceTo(instant(fixes.at(-1)![0]))
    const batches: Batch[] = [0, 1, 2, 3].map((seq) => ({
      v: 1,
      boot: 0,
      seq,
      trip: 'canaries',
      event: seq === 0 ? 'start' : seq === 3 ? 'end' : 'run',
      fixes: fixes.slice(seq * 85, (seq + 1) * 85),
    }))
    for (const batch of batches) await device.send(batch)
    // Rejected, each for another reason: not a batch, a value out of bounds, no JSON, a number that was used.
    for (let i = 0; i < PLATES; i += 10) {
      const some = plates.slice(i, i + 10)
      const [, lat, lon] = fixes[i]
      const bad = [
        { v: 1, boot: 1, seq: i, trip: some[0], event: 'run', plate: some, fixes: [[fixes[0][0], lat, lon]] },
        { v: 1, boot: 1, seq: i, trip: 't', event: some.join(), fixes: [[lat, lon, lon]] },
        { ...batches[0], seq: 1, trip: some.join('-') },
      ][(i / 10) % 3]
      await device.sendBytes(Buffer.from(i % 40 === 0 ? some.join() + `${lat}` : JSON.stringify(bad)))
    }
    await device.close()
    for (const [i, token] of tokens.entries()) {
      if (i % 10 === 0)
        await world.store.transaction((tx) =>
          grantAccess(tx, token, { role: 'agency', agency: people.agency, account: null }),
        )
      else if (i % 10 === 1)
        await connectAsync(world.mqttUrl, { username: 'nobody', password: token, reconnectPeriod: 0 }).catch(
          () => undefined,
        )
      else
        await fetch(`${world.httpUrl}/v1/${i % 2 ? 'statements' : `nothing/${'x'}`}`, {
          headers: { authorization: `Bearer ${token}`, cookie: `roadmeter=${token}` },
        })
    }
    await story.sound()
  }

  function foundIn(text: Buffer): string[] {
    const found = new Set<string>()
    const latin = text.toString('latin1')
    for (const [word] of latin.matchAll(/\d+\.\d{5,}|CNRY[A-Z0-9]{8}|cnrytoken[A-Z0-9]{16}/g))
      if (canaries.has(word)) found.add(word)
    // The last two bytes of 7.0 to 7.1 as a double are 1c 40.
    for (let i = text.indexOf('1c40', 0, 'hex'); i >= 0; i = text.indexOf('1c40', i + 1, 'hex'))
      if (i >= 6 && doubles.has(text.subarray(i - 6, i + 2).toString('hex'))) found.add('a double')
    return [...found]
  }

  async function foundAnywhere(): Promise<Record<string, string[]>> {
    const { world, people } = story
    const places: Record<string, string[]> = {}
    const look = (place: string, bytes: Buffer) => {
      const found = foundIn(bytes)
      if (found.length > 0) places[place] = found.slice(0, 5)
    }
    await world.store.dataSource.query('checkpoint')
    for (const file of fs.readdirSync(world.settings.dataDir, { recursive: true, withFileTypes: true }))
      if (file.isFile()) look(file.name, fs.readFileSync(path.join(file.parentPath, file.name)))
    for (const { name } of await world.store.read<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('metering', 'location', 'tariff', 'money', 'identity')`,
    ))
      for (const { row } of await world.store.read<{ row: string }>(`select t::text as row from ${name} t`))
        look(name, Buffer.from(row))
    look('log', Buffer.from(logged))
    for (const address of ['results', 'reviews', 'signals', 'dashboard', 'map'])
      for (const role of ['agency', 'operator'] as const)
        look(
          address,
          Buffer.from(JSON.stringify((await story.as(role, 'GET', `/v1/agencies/${people.agency}/${address}`)).body)),
        )
    for (const address of ['/v1/statements', '/v1/disputes', '/openapi.json', '/metrics'])
      look(address, Buffer.from(JSON.stringify((await story.as('agency', 'GET', address)).body)))
    return places
  }

  it('the search finds them where they are: in what their citizen takes away, and in a file', async () => {
    const mine = Buffer.from((await story.as('citizen', 'GET', '/v1/me/data.gpx')).body as string)
    expect(foundIn(mine).length).toBeGreaterThan(FIXES)
    expect(foundIn(Buffer.from(plates.join(' ') + tokens.join(' ')))).toHaveLength(PLATES + TOKENS)
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(fixes[7][2])
    expect(foundIn(Buffer.concat([Buffer.from('x'), bytes]))).toEqual(['a double'])
    expect(canaries.size).toBeGreaterThan(1_000)
  })

  it('while they are kept, they are in no file, table, log or answer in plain', async () => {
    const [{ kept }] = await story.world.store.read<{ kept: string }>(
      'select count(*) as kept from location.quarantine',
    )
    expect(Number(kept)).toBeGreaterThan(20)
    expect(logged).toContain('a batch was rejected')
    expect(await foundAnywhere()).toEqual({})
  })

  it('past their time they are nowhere, and nothing is left that could be opened', async () => {
    const { world, people } = story
    const later = (ms: number) => world.clock.advanceTo((world.clock.now() + ms) as Instant)
    const statement = await story.close('2026-10')
    await recordAtDesk(
      world.store,
      people.account,
      { statement: statement.id, amount: euro(Number(statement.totals.due) / 1e6), currency: 'EUR', reference: 'r-1' },
      world.clock.now(),
    )
    later(31 * DAY)
    const left = async () => {
      const [{ n }] = await world.store.read<{ n: string }>(
        `select (select count(*) from location.batch) + (select count(*) from location.quarantine) + (select count(*) from location.path)
           + (select count(*) from location.report) + (select count(*) from location.fates) + (select count(*) from location.data_key) as n`,
      )
      return Number(n)
    }
    for (const end = Date.now() + 20_000; Date.now() < end && (await left()) > 0;)
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await left()).toBe(0)
    for (const table of ['batch', 'quarantine', 'path', 'report', 'fates'])
      await world.store.dataSource.query(`vacuum location.${table}`)
    expect(await foundAnywhere()).toEqual({})
    expect(foundIn(Buffer.from((await story.as('citizen', 'GET', '/v1/me/data.json')).body.toString()))).toEqual([])
    await story.sound()
  })
})
