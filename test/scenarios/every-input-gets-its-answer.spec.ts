import { connectAsync } from 'mqtt'
import { BATCH_BYTES_MAX, type Batch, type Receipt } from '#contracts'
import { instant, type Instant } from '#kernel'
import { DeviceClient, topicOf } from '#messaging'
import { quarantineRows } from '#store'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const NOW = instant(Date.parse('2026-10-05T12:00:00+02:00'))
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** The table "what every input gets" of docs/protocol.md, row by row. */
describe('every input gets its answer', () => {
  let world: World
  let people: Cast
  let device: DeviceClient
  beforeAll(async () => {
    world = await openWorld(NOW)
    people = await cast(world, MAIN_ROAD, [TARIFF])
    device = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
  })
  afterAll(async () => {
    await device?.close()
    await world?.close()
  })

  const batchesUrl = () => `${world.httpUrl}/v1/devices/${people.device}/batches`
  const post = (body: string, token = people.deviceToken, url = batchesUrl()) =>
    fetch(url, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
  const receiptOfBoot = async (boot: number): Promise<Receipt> =>
    (await (
      await fetch(`${world.httpUrl}/v1/devices/${people.device}/receipt?boot=${boot}`, {
        headers: { authorization: `Bearer ${people.deviceToken}` },
      })
    ).json()) as Receipt
  const batch = (boot: number, seq: number, at: Instant = NOW): Batch => ({
    v: 1,
    boot,
    seq,
    trip: 't',
    event: 'run',
    fixes: [[at - 1000, 45, 7.01, 4]],
  })
  const quarantined = async (boot: number | null) =>
    (await world.store.transaction((tx) => quarantineRows(tx, { device: people.device, reason: null, most: 10_000 })))
      .filter((row) => row.boot === boot)
      .map(({ seq, reason, detail, bytes }) => ({ seq: seq === null ? null : String(seq), reason, detail, bytes }))
      .reverse()
  const countsOf = async (boot: number) =>
    (
      await world.store.read<Record<string, string>>(
        'select received, accepted, duplicate, rejected from metering.stream where device = $1 and boot = $2',
        [people.device, boot],
      )
    )[0]
  const tripsOf = (boot: number) =>
    world.store.read<{ name: string; first_seq: string; last_seq: string; state: string; fixes: number }>(
      'select name, first_seq, last_seq, state, fixes from metering.trip where device = $1 and boot = $2 order by first_seq',
      [people.device, boot],
    )

  it('the same again: the receipt again, and nothing twice', async () => {
    const first = await device.send(batch(1, 0))
    expect(first).toMatchObject({ boot: 1, upTo: 0, missing: [] })
    expect(await device.send(batch(1, 0))).toEqual(first)
    expect(await (await post(JSON.stringify(batch(1, 0)))).json()).toEqual(first)
    expect(await countsOf(1)).toEqual({ received: '3', accepted: '1', duplicate: '2', rejected: '0' })
    expect(await quarantined(1)).toEqual([])
  })

  it('the same number with other content: KEY_REUSE, kept, and the first one stands', async () => {
    await device.send(batch(2, 0))
    await device.send({ ...batch(2, 0), trip: 'another' })
    expect(await quarantined(2)).toMatchObject([{ seq: '0', reason: 'KEY_REUSE' }])
    expect(await world.store.read('select trip from location.batch where boot = 2')).toEqual([{ trip: 't' }])
    expect(await countsOf(2)).toEqual({ received: '2', accepted: '1', duplicate: '0', rejected: '1' })
  })

  const spoilt: [string, (good: Batch) => unknown, string][] = [
    ['an unknown field', (good) => ({ ...good, plate: 'AB 123 CD' }), 'MALFORMED'],
    ['a version that is not ours', (good) => ({ ...good, v: 2 }), 'MALFORMED'],
    ['a latitude beyond the pole', (good) => ({ ...good, fixes: [[NOW, 90.0001, 7, 4]] }), 'MALFORMED'],
    ['a longitude beyond the antimeridian', (good) => ({ ...good, fixes: [[NOW, 45, -180.1, 4]] }), 'MALFORMED'],
    ['a negative accuracy', (good) => ({ ...good, fixes: [[NOW, 45, 7, -1]] }), 'MALFORMED'],
    ['null for a number', (good) => ({ ...good, fixes: [[NOW, NaN, 7, 4]] }), 'MALFORMED'],
    ['a number as text', (good) => ({ ...good, fixes: [[NOW, '45', 7, 4]] }), 'MALFORMED'],
    ['a fifth number in a fix', (good) => ({ ...good, fixes: [[NOW, 45, 7, 4, 13.9]] }), 'MALFORMED'],
    ['half a millisecond', (good) => ({ ...good, fixes: [[NOW + 0.5, 45, 7, 4]] }), 'MALFORMED'],
    ['601 fixes', (good) => ({ ...good, fixes: Array.from({ length: 601 }, (_, i) => [NOW + i, 45, 7]) }), 'MALFORMED'],
    ['an event that there is none of', (good) => ({ ...good, event: 'pause' }), 'MALFORMED'],
    ['a name with a NUL', (good) => ({ ...good, trip: 'a\u0000b' }), 'MALFORMED'],
    ['more than 64 KiB', (good) => ({ ...good, trip: 'x'.repeat(BATCH_BYTES_MAX) }), 'TOO_LARGE'],
    ['nearly four times 64 KiB', (good) => ({ ...good, trip: 'x'.repeat(4 * BATCH_BYTES_MAX - 200) }), 'TOO_LARGE'],
    ['a fix of more than 35 days ago', (good) => ({ ...good, fixes: [[NOW - 35 * DAY_MS - 1, 45, 7, 4]] }), 'TIME'],
    [
      'a fix of more than 5 minutes ahead',
      (good) => ({ ...good, fixes: [[NOW + 5 * MINUTE_MS + 1, 45, 7, 4]] }),
      'TIME',
    ],
  ]
  it.each(spoilt)('%s: rejected, kept, and the receipt moves on', async (_, spoil, reason) => {
    const boot = 100 + spoilt.findIndex((row) => row[1] === spoil)
    const bytes = Buffer.from(JSON.stringify(spoil(batch(boot, 0))))
    await device.sendBytes(bytes)
    expect(await device.send(batch(boot, 1))).toMatchObject({ upTo: 1, missing: [] })
    expect(await quarantined(boot)).toEqual([
      {
        seq: '0',
        reason,
        detail: expect.stringMatching(/^.{5,300}$/),
        bytes: reason === 'TOO_LARGE' ? 4096 : bytes.length,
      },
    ])
    expect(await countsOf(boot)).toEqual({ received: '2', accepted: '1', duplicate: '0', rejected: '1' })
    // A rejected number is never used again: not even by a batch that is good.
    await device.send(batch(boot, 0))
    expect((await quarantined(boot)).map((row) => row.reason)).toEqual([reason, 'KEY_REUSE'])
  })

  it('the edges of what is allowed are accepted', async () => {
    const fixes: Batch['fixes'] = [
      [NOW - 35 * DAY_MS, -90, -180, 0],
      [NOW, 90, 180],
      [NOW + 5 * MINUTE_MS, 0, 0, 10_000],
    ]
    await device.send({ ...batch(3, 0), fixes })
    expect(await countsOf(3)).toEqual({ received: '1', accepted: '1', duplicate: '0', rejected: '0' })
  })

  it.each([
    ['no JSON at all', Buffer.from('fixes: many')],
    ['nothing', Buffer.alloc(0)],
    // What is wrong is quoted in the detail, and PostgreSQL has no text with a NUL in it.
    ['a NUL', Buffer.from([0])],
    ['a NUL in a name of a field', Buffer.from('{"v":1,"\\u0000":1}')],
    ['half a surrogate pair in a name of a field', Buffer.from('{"v":1,"\\ud800":1}')],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xc0, 0x80, 0x7d])],
    ['JSON that is no batch', Buffer.from('[[[[]]]]')],
    ['a number beyond all numbers', Buffer.from('{"v":1,"boot":1e999,"seq":0}')],
    ['a huge number of a batch', Buffer.from('{"v":1,"boot":4,"seq":99999999999}')],
    ['something that is too large and no JSON', Buffer.alloc(BATCH_BYTES_MAX + 1, '[')],
  ])('%s: kept without a number, acknowledged, and the connection goes on', async (what, bytes) => {
    const before = (await quarantined(null)).length
    // Resolves on PUBACK: a poison message is taken, so that it never comes again.
    await device.sendBytes(bytes)
    const kept = (await quarantined(null)).slice(before)
    expect(kept).toEqual([
      {
        seq: null,
        reason: what.includes('too large') ? 'TOO_LARGE' : 'MALFORMED',
        detail: expect.any(String),
        bytes: what.includes('too large') ? 4096 : bytes.length,
      },
    ])
  })

  it('the same rejected message again and again: answered each time, kept once', async () => {
    const bytes = Buffer.from(JSON.stringify({ ...batch(10, 0), plate: 'AB 123 CD' }))
    for (let i = 0; i < 3; i++) await device.sendBytes(bytes)
    expect(await quarantined(10)).toMatchObject([{ seq: '0', reason: 'MALFORMED' }])
    expect(await receiptOfBoot(10)).toMatchObject({ upTo: 0, missing: [] })
    expect(await countsOf(10)).toEqual({ received: '3', accepted: '0', duplicate: '0', rejected: '3' })
    const before = (await quarantined(null)).length
    for (let i = 0; i < 3; i++) await device.sendBytes(Buffer.from('again and again'))
    expect((await quarantined(null)).length).toBe(before + 1)
  })

  it('poison between good batches stops nothing: what is good is metered', async () => {
    const drive = driveAlong('poisoned', 7, 7.02, instant(NOW - 3_600_000), 0, 5)
    for (const good of drive) {
      await device.sendBytes(Buffer.from('{'))
      await device.send(good)
    }
    await settled(world)
    expect(await tripsOf(5)).toMatchObject([{ name: 'poisoned', state: 'posted', first_seq: '0' }])
    const [{ attempts }] = await world.store.read<{ attempts: number }>(
      'select max(attempts) as attempts from metering.work',
    )
    expect(attempts).toBe(0)
  })

  it('a wrong token, a foreign device, a foreign topic: refused, and nothing is stored', async () => {
    const inbox = () => world.store.read('select count(*) as n from location.batch')
    const before = await inbox()
    const other = await cast(world, MAIN_ROAD, [TARIFF], 'other')
    await expect(DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: 'wrong' })).rejects.toThrow(
      /refuses to sign in/,
    )
    await expect(
      DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: other.deviceToken }),
    ).rejects.toThrow(/refuses to sign in/)
    expect((await post(JSON.stringify(batch(6, 0)), 'wrong')).status).toBe(401)
    expect((await post(JSON.stringify(batch(6, 0)), other.deviceToken)).status).toBe(401)
    expect((await post(JSON.stringify(batch(6, 0)), people.tokens.operator)).status).toBe(401)

    const stranger = await connectAsync(world.mqttUrl, {
      username: other.device,
      password: other.deviceToken,
      clientId: 'stranger',
      reconnectPeriod: 0,
    })
    const cutOff = new Promise<void>((resolve) => stranger.once('close', () => resolve()))
    stranger.publish(topicOf(people.device, 'batch'), JSON.stringify(batch(6, 0)), { qos: 1 })
    await cutOff
    await stranger.endAsync(true)
    expect(await inbox()).toEqual(before)
  })

  it('a gap is named by the receipt and metering waits for it; when it comes, the trip is whole', async () => {
    const drive = driveAlong('gapped', 7, 7.05, instant(NOW - 7_200_000), 0, 7)
    const missing = drive[2]
    for (const other of drive.filter((one) => one !== missing)) await device.send(other)
    expect(await receiptOfBoot(7)).toMatchObject({ upTo: drive.length - 1, missing: [[2, 3]] })
    await settled(world)
    expect(await tripsOf(7)).toMatchObject([{ state: 'open', first_seq: '0', last_seq: '1' }])

    expect(await device.send(missing)).toMatchObject({ upTo: drive.length - 1, missing: [] })
    await settled(world)
    expect(await tripsOf(7)).toEqual([
      {
        name: 'gapped',
        first_seq: '0',
        last_seq: String(drive.length - 1),
        state: 'posted',
        fixes: drive.reduce((sum, one) => sum + one.fixes.length, 0),
      },
    ])
  })

  // The clock goes on from here: what comes after this must not need NOW.
  describe('as time goes by', () => {
    const later = (ms: number) => world.clock.advanceTo(instant(world.clock.now() + ms))
    const until = async (holds: () => Promise<boolean>) => {
      for (let i = 0; i < 200; i++) {
        if (await holds()) return
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      throw new Error('it never came to that')
    }

    it('a trip without an end waits for its rest, and ends when a gap would be given up', async () => {
      const drive = driveAlong('endless', 7, 7.03, instant(NOW - 1_800_000), 0, 8).map((one): Batch => ({
        ...one,
        event: 'run',
      }))
      for (const one of drive) await device.send(one)
      await settled(world)
      expect(await tripsOf(8)).toMatchObject([{ state: 'open' }])
      later(31 * MINUTE_MS)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await tripsOf(8)).toMatchObject([{ state: 'open' }])
      later(7 * DAY_MS)
      await until(async () => (await tripsOf(8))[0].state === 'posted')
    })

    it('a gap is given up after a week, whatever is behind it, and what comes later still is a trip of its own', async () => {
      const start = instant(world.clock.now() - 3_600_000)
      const drive = driveAlong('holed', 7, 7.06, start, 0, 9)
      const missing = drive[1]
      // Right behind the gap is a batch that is refused: it must not make the wait endless.
      for (const one of drive)
        if (one === drive[2]) await device.sendBytes(Buffer.from(JSON.stringify({ ...one, speed: 50 })))
        else if (one !== missing) await device.send(one)
      await settled(world)
      expect(await tripsOf(9)).toMatchObject([{ state: 'open', first_seq: '0', last_seq: '0' }])
      // Not after a day: neither the gap nor the trip before it is given up while something waits behind.
      later(DAY_MS)
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(await tripsOf(9)).toMatchObject([{ state: 'open', first_seq: '0', last_seq: '0' }])

      later(6 * DAY_MS + 1)
      await until(async () => (await tripsOf(9))[0].state === 'posted')
      const fixesOf = (batches: readonly Batch[]) => batches.reduce((sum, one) => sum + one.fixes.length, 0)
      const whole = {
        name: 'holed',
        state: 'posted',
        first_seq: '0',
        last_seq: String(drive.length - 1),
        fixes: fixesOf(drive) - missing.fixes.length - drive[2].fixes.length,
      }
      expect(await tripsOf(9)).toEqual([whole])
      expect(
        await world.store.read(`select gaps::text as gaps from metering.stream where device = $1 and boot = 9`, [
          people.device,
        ]),
      ).toEqual([{ gaps: '{[1,2)}' }])

      expect(await device.send(missing)).toMatchObject({ missing: [] })
      await settled(world)
      const late = { name: 'holed', state: 'posted', first_seq: '1', last_seq: '1', fixes: missing.fixes.length }
      expect(await tripsOf(9)).toEqual([whole, late])
      expect(
        await world.store.read(`select gaps::text as gaps from metering.stream where device = $1 and boot = 9`, [
          people.device,
        ]),
      ).toEqual([{ gaps: '{}' }])
    })
  })

  it('and all of it is in balance: received = accepted + duplicate + rejected, every invariant kept', async () => {
    const [sum] = await world.store.read<Record<string, string>>(
      `select sum(received) as received, sum(accepted) as accepted, sum(duplicate) as duplicate, sum(rejected) as rejected,
         (select count(*) from location.batch) as stored, (select count(*) from location.quarantine where boot is not null and boot <> 10) as kept,
         (select sum(rejected) from metering.stream where boot <> 10) as refused
       from metering.stream`,
    )
    expect(Number(sum.received)).toBe(Number(sum.accepted) + Number(sum.duplicate) + Number(sum.rejected))
    expect(sum.stored).toBe(sum.accepted)
    // Boot 10 sent the same three times.
    expect(sum.kept).toBe(sum.refused)
    const headers = { authorization: `Bearer ${people.tokens.operator}` }
    const metrics = await (await fetch(`${world.httpUrl}/metrics`, { headers })).text()
    expect(metrics).toContain(`roadmeter_batches_total{fate="accepted"} ${sum.accepted}`)
    expect(await faultsOf(world)).toEqual([])
  })
})
