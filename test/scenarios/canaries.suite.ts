import fs from 'node:fs'
import { connectAsync } from 'mqtt'
import { type Batch } from '#contracts'
import { DATASETS } from '#evaluation'
import {
  chance,
  instant,
  micros,
  type AccountId,
  type DeviceId,
  type Instant,
  type StatementId,
  type VehicleId,
} from '#kernel'
import { DeviceClient } from '#messaging'
import { recordAtDesk, writeCharges } from '#pipeline'
import { LOG, type Log } from '#runtime'
import { grantAccess, saveAccount, saveDevice, saveVehicle } from '#store'
import { settled, type World } from '../harness'
import { driveAlong } from './roads'
import { at, openStory, type Story } from './story'

const FIXES = 340
const PLATES = 330
const TOKENS = 330
/** Who else drives there, so that there is something to let out to analysts. */
const OTHERS = 12
const HOUR = 3_600_000
const DAY = 24 * HOUR
const LETTERS = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789'

export interface SiteDevice {
  readonly id: DeviceId
  readonly token: string
}

/** Where a Roadmeter keeps what it keeps. */
export interface Site {
  readonly environment: Record<string, string>
  /** Lets devices in at its broker. */
  admit(devices: readonly SiteDevice[]): Promise<void>
  /** Takes down what a device sends from now on, in plain, in the broker's store; until what it returns is called. null: it keeps none. */
  linger(device: DeviceId): Promise<(() => Promise<void>) | null>
  /** Writes a word into each of its stores as a program would that forgets to seal it, and takes it back as one that deletes it. */
  write(word: string, world: World): Promise<void>
  erase(word: string, world: World): Promise<void>
  /** All that its stores hold by now: the kind of place, a name, and the bytes. */
  contents(world: World): AsyncIterable<readonly [string, string, Buffer]>
  close(): Promise<void>
}

/**
 * A thousand things that must not be found: coordinates that were driven, number plates in messages that were rejected, and tokens. Looked
 * for in every store of the site, in a dump of all tables, in all that was logged, in what others than the citizen are answered, and in
 * what analysts and auditors take away. A word that is written into each of them in plain shows that the search looks there.
 */
export function canaries(places: readonly string[], open: () => Promise<Site>): void {
  let story: Story
  let site: Site
  let stopLingering: (() => Promise<void>) | null = null
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
  const words = new Set<string>([...fixes.flatMap(([, lat, lon]) => [String(lat), String(lon)]), ...plates, ...tokens])
  const doubles = new Set(
    fixes.map(([, , lon]) => {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleLE(lon)
      return bytes.toString('hex')
    }),
  )
  // The story's own device has a session already.
  const mine: SiteDevice = { id: 'canary-obu' as DeviceId, token: 'token-of-canary-obu' }
  const others = Array.from({ length: OTHERS }, (_, i) => ({
    device: { id: `other-obu-${i}` as DeviceId, token: `token-of-other-${i}` },
    vehicle: `other-car-${i}` as VehicleId,
    account: `other-account-${i}` as AccountId,
  }))
  const control = `CNRY${drawn(8)}`
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
    site = await open()
    const own = { id: 'device-one' as DeviceId, token: 'token-of-device-one' }
    await site.admit([own, mine, ...others.map(({ device }) => device)])
    story = await openStory('2026-10-05T07:00:00+02:00', {
      environment: {
        ...site.environment,
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
    write?.mockRestore()
    await site?.close()
  })

  async function plant(): Promise<void> {
    const { world, people } = story
    await world.store.transaction(async (tx) => {
      await saveDevice(tx, { ...mine, vehicle: people.vehicle })
      await grantAccess(tx, 'analyst-of-canaries', { role: 'analyst', agency: people.agency, account: null })
      for (const { device, vehicle, account } of others) {
        await saveAccount(tx, { id: account, agency: people.agency, name: 'Somebody else' })
        await saveVehicle(tx, { vehicle, account, name: 'car', vehicleClass: 'car' })
        await saveDevice(tx, { ...device, vehicle })
      }
    })
    stopLingering = await site.linger(mine.id)
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
    for (const { device: other } of others) {
      const client = await DeviceClient.connect({ url: world.mqttUrl, device: other.id, token: other.token })
      const drive = driveAlong('other', 7.001, 7.09, at('2026-10-05T12:00:00+02:00'), 0)
      const fixesOf = drive.flatMap((batch) => batch.fixes).filter((_, i) => i % 4 === 0)
      await client.send({ ...drive[0], event: 'end', fixes: fixesOf })
      await client.close()
    }
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
      if (words.has(word)) found.add(word)
    // The last two bytes of 7.0 to 7.1 as a double are 1c 40.
    for (let i = text.indexOf('1c40', 0, 'hex'); i >= 0; i = text.indexOf('1c40', i + 1, 'hex'))
      if (i >= 6 && doubles.has(text.subarray(i - 6, i + 2).toString('hex'))) found.add('a double')
    return [...found]
  }

  /** What is found where: a kind of place, a name in it, and some of what was found. */
  async function foundAnywhere(search = foundIn): Promise<Record<string, string[]>> {
    const { world, people } = story
    const places: Record<string, string[]> = {}
    const look = (kind: string, name: string, bytes: Buffer) => {
      const found = search(bytes)
      if (found.length > 0) places[`${kind}: ${name}`] = found.slice(0, 5)
    }
    const answered = async (kind: string, role: 'agency' | 'operator', path: string) =>
      look(kind, path, Buffer.from(JSON.stringify((await story.as(role, 'GET', path)).body)))
    for await (const [kind, name, bytes] of site.contents(world)) look(kind, name, bytes)
    for (const { name } of await world.store.read<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('metering', 'location', 'tariff', 'money', 'identity', 'results', 'public')`,
    ))
      for (const { row } of await world.store.read<{ row: string }>(`select t::text as row from ${name} t`))
        look('table', name, Buffer.from(row))
    look('log', 'ours', Buffer.from(logged))
    for (const address of ['results', 'reviews', 'signals', 'dashboard', 'map'])
      for (const role of ['agency', 'operator'] as const)
        await answered('answer', role, `/v1/agencies/${people.agency}/${address}`)
    for (const path of ['/v1/statements', '/v1/disputes', '/openapi.json', '/metrics'])
      await answered('answer', 'agency', path)
    for await (const [name, bytes] of exported()) look('export', name, bytes)
    return places
  }

  /** Every table for analysts, and the books, as files; nothing before the month is closed. */
  async function* exported(): AsyncGenerator<readonly [string, Buffer]> {
    const { world, people } = story
    const [closed] = await world.store.read(`select 1 from money.period where month = '2026-10' and state = 'sealed'`)
    if (!closed) return
    const ask = (path: string, body?: unknown) =>
      fetch(`${world.httpUrl}/v1/agencies/${people.agency}/exports${path}`, {
        method: body === undefined ? 'GET' : 'POST',
        headers: { authorization: 'Bearer analyst-of-canaries', 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      })
    for (const dataset of Object.keys(DATASETS).filter((name) => name !== 'survey')) {
      const { id } = (await (await ask('', { dataset, period: '2026-10', format: 'csv' })).json()) as { id: string }
      await settled(world)
      const { files, rows } = (await (await ask(`/${id}`)).json()) as { files: string[]; rows: number }
      if (dataset !== 'behaviour') expect([dataset, rows > 0]).toEqual([dataset, true])
      for (const file of files)
        yield [`${dataset} ${file}`, Buffer.from(await (await ask(`/${id}/${file}`)).arrayBuffer())]
    }
    const books: Uint8Array[] = []
    await writeCharges(world.store, people.agency, '2026-10', 'csv', async (bytes) => void books.push(bytes))
    expect(books.length).toBeGreaterThan(0)
    yield ['charges', Buffer.concat(books)]
  }

  it('the search finds them where they are: in what their citizen takes away, and in a file', async () => {
    const mine = Buffer.from((await story.as('citizen', 'GET', '/v1/me/data.gpx')).body as string)
    expect(foundIn(mine).length).toBeGreaterThan(FIXES)
    expect(foundIn(Buffer.from(plates.join(' ') + tokens.join(' ')))).toHaveLength(PLATES + TOKENS)
    const bytes = Buffer.alloc(8)
    bytes.writeDoubleLE(fixes[7][2])
    expect(foundIn(Buffer.concat([Buffer.from('x'), bytes]))).toEqual(['a double'])
    expect(words.size).toBeGreaterThan(1_000)
  })

  it('the search looks where it says: a word in plain is found in each place', async () => {
    await site.write(control, story.world)
    story.world.app.get<Log>(LOG).info(control)
    const found = await foundAnywhere((bytes) => (bytes.includes(control) ? [control] : []))
    await site.erase(control, story.world)
    const kinds = new Set(Object.keys(found).map((place) => place.replace(/: .*/, '')))
    expect([...kinds].sort()).toEqual([...places].sort())
  })

  const itIfKept = places.includes('broker store') ? it : it.skip
  itIfKept('a broker keeps what nobody has taken yet, and lets go of it then', async () => {
    const inBroker = async () =>
      Object.entries(await foundAnywhere()).filter(([place]) => place.startsWith('broker store'))
    expect((await inBroker()).length).toBeGreaterThan(0)
    await stopLingering!()
    expect(await inBroker()).toEqual([])
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
    const { world } = story
    const later = (ms: number) => world.clock.advanceTo((world.clock.now() + ms) as Instant)
    await story.close('2026-10')
    for (const { id, account, due } of await world.store.read<{ id: StatementId; account: AccountId; due: string }>(
      `select id, account, due::text as due from money.statement where state = 'sealed'`,
    ))
      await recordAtDesk(
        world.store,
        account,
        { statement: id, amount: micros(BigInt(due)), currency: 'EUR', reference: `paid ${id}` },
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
    await world.store.dataSource.query('vacuum')
    expect(await foundAnywhere()).toEqual({})
    expect(foundIn(Buffer.from((await story.as('citizen', 'GET', '/v1/me/data.json')).body.toString()))).toEqual([])
    await story.sound()
  })
}
