import { createHash, randomBytes } from 'node:crypto'
import { connectAsync } from 'mqtt'
import { BATCH_BYTES_MAX, batchContent, enrolmentContent, type Batch, type Enrolled, type Receipt } from '#contracts'
import { instant, type DeviceId, type Instant } from '#kernel'
import { DeviceClient, topicOf } from '#messaging'
import { signingKeyOf, type SigningKey } from '#runtime'
import { alarmsOf, QUARANTINED_A_DAY_MAX, quarantineRows, revokeDevice, saveVoucher, unkeptByDay } from '#store'
import { cast, faultsOf, settled, type Cast, type World } from '../harness'
import { gapsAndEnds } from './gaps-and-ends.suite'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const NOW = instant(Date.parse('2026-10-05T12:00:00+02:00'))
const DAY_MS = 86_400_000
const MINUTE_MS = 60_000

/** A Roadmeter, and the broker that its devices sign in at. */
export interface Door {
  readonly world: World
  readonly url: string
  /** Ours knows who may do what, and ends the connection of whoever does something else; Mosquitto goes by its lists, and drops it. */
  readonly isOurs: boolean
  /** Lets the broker know of a device and its token. */
  readonly admit: (device: DeviceId, token: string) => Promise<void>
}

/** The table "what every input gets" of docs/protocol.md, row by row, over live MQTT and HTTP. */
export function everyInput(open: (now: Instant) => Promise<Door>): void {
  let door: Door
  let world: World
  let people: Cast
  let device: DeviceClient
  const run = randomBytes(4).toString('hex')
  beforeAll(async () => {
    door = await open(NOW)
    world = door.world
    people = await cast(world, MAIN_ROAD, [TARIFF], run)
    await door.admit(people.device, people.deviceToken)
    device = await DeviceClient.connect({ url: door.url, device: people.device, token: people.deviceToken })
  })
  afterAll(async () => {
    await device?.close()
    await world?.close()
  })

  const received = async (): Promise<number> =>
    Number((await world.store.read<{ n: string }>('select coalesce(sum(received), 0) as n from metering.balance'))[0].n)
  const until = async (holds: () => Promise<boolean>) => {
    for (let i = 0; i < 400; i++) {
      if (await holds()) return
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    throw new Error('it never came to that')
  }
  /** Sends bytes and resolves when they are stored: with the PUBACK of our own broker, some time after Mosquitto's. */
  const sendRaw = async (bytes: Uint8Array, by = device): Promise<void> => {
    const before = await received()
    await by.sendBytes(bytes)
    if (door.isOurs) expect(await received()).toBe(before + 1)
    else await until(async () => (await received()) > before)
  }

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
    await sendRaw(bytes)
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
    [
      'a batch that is too large to look',
      Buffer.from(JSON.stringify({ ...batch(4, 0), trip: 'x'.repeat(258 * 1024) })),
    ],
    // Mosquitto counts the type, the topic and the number of the packet.
    ['the largest packet of Mosquitto, too large to look', Buffer.alloc(264 * 1024 - 100, '{')],
  ])('%s: kept without a number, acknowledged, and the connection goes on', async (what, bytes) => {
    const before = (await quarantined(null)).length
    // Resolves on PUBACK: a poison message is taken, so that it never comes again.
    await sendRaw(bytes)
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
    for (let i = 0; i < 3; i++) await sendRaw(bytes)
    expect(await quarantined(10)).toMatchObject([{ seq: '0', reason: 'MALFORMED' }])
    expect(await receiptOfBoot(10)).toMatchObject({ upTo: 0, missing: [] })
    expect(await countsOf(10)).toEqual({ received: '3', accepted: '0', duplicate: '0', rejected: '3' })
    const before = (await quarantined(null)).length
    for (let i = 0; i < 3; i++) await sendRaw(Buffer.from('again and again'))
    expect((await quarantined(null)).length).toBe(before + 1)
  })

  it('poison between good batches stops nothing: what is good is metered', async () => {
    const drive = driveAlong('poisoned', 7, 7.02, instant(NOW - 3_600_000), 0, 5)
    for (const good of drive) {
      await sendRaw(Buffer.from('{'))
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
    const other = await cast(world, MAIN_ROAD, [TARIFF], `other-${run}`)
    await door.admit(other.device, other.deviceToken)
    await expect(DeviceClient.connect({ url: door.url, device: people.device, token: 'wrong' })).rejects.toThrow(
      /refuses to sign in/,
    )
    await expect(
      DeviceClient.connect({ url: door.url, device: people.device, token: other.deviceToken }),
    ).rejects.toThrow(/refuses to sign in/)
    expect((await post(JSON.stringify(batch(6, 0)), 'wrong')).status).toBe(401)
    expect((await post(JSON.stringify(batch(6, 0)), other.deviceToken)).status).toBe(401)
    expect((await post(JSON.stringify(batch(6, 0)), people.tokens.operator)).status).toBe(401)

    const stranger = await connectAsync(door.url, {
      username: other.device,
      password: other.deviceToken,
      clientId: 'stranger',
      reconnectPeriod: 0,
    })
    const cutOff = new Promise<void>((resolve) => stranger.once('close', () => resolve()))
    const published = stranger.publishAsync(topicOf(people.device, 'batch'), JSON.stringify(batch(6, 0)), { qos: 1 })
    published.catch(() => undefined)
    await (door.isOurs ? cutOff : published)
    await stranger.endAsync(true)
    // Who comes after it is served: what was refused is not on its way any more.
    await device.send(batch(6, 0))
    expect(await inbox()).toEqual([{ n: String(Number((before[0] as { n: string }).n) + 1) }])
  })

  it('not signed, or by another key, where the device has one: no receipt, and the number stays free', async () => {
    const signer = `signer-${run}` as DeviceId
    const key = signingKeyOf(createHash('sha256').update(run).digest())
    const voucher = `voucher-of-${signer}`
    await world.store.transaction((tx) =>
      saveVoucher(tx, { id: signer, vehicle: people.vehicle }, voucher, instant(NOW + DAY_MS)),
    )
    const content = { voucher, key: Buffer.from(key.publicKey).toString('base64url') }
    const enrolled = await fetch(`${world.httpUrl}/v1/enrolments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ v: 1, ...content, sig: key.signNow(enrolmentContent(content)) }),
    })
    const { token } = (await enrolled.json()) as Enrolled
    await door.admit(signer, token)
    const client = await DeviceClient.connect({ url: door.url, device: signer, token })
    const signedBy = (one: SigningKey, good: Batch) => ({ ...good, sig: one.signNow(batchContent(signer, good)) })
    const alarms = async () =>
      (await world.store.transaction((tx) => alarmsOf(tx, signer))).map((a) => [a.kind, a.times])
    await sendRaw(Buffer.from(JSON.stringify(batch(0, 0))), client)
    expect(await alarms()).toEqual([['SIGNATURE', 1]])
    await sendRaw(Buffer.from(JSON.stringify(signedBy(signingKeyOf(Buffer.alloc(32, 7)), batch(0, 0)))), client)
    // A batch of another device, its signature and all.
    await sendRaw(
      Buffer.from(JSON.stringify({ ...batch(0, 0), sig: key.signNow(batchContent(people.device, batch(0, 0))) })),
      client,
    )
    const rows = await world.store.transaction((tx) => quarantineRows(tx, { device: signer, reason: null, most: 9 }))
    expect(rows.map(({ reason }) => reason)).toEqual(['SIGNATURE', 'SIGNATURE', 'SIGNATURE'])
    expect(await world.store.read('select boot from metering.stream where device = $1', [signer])).toEqual([])
    expect(await alarms()).toEqual([['SIGNATURE', 3]])
    expect(await client.send(signedBy(key, batch(0, 0)))).toMatchObject({ boot: 0, upTo: 0, missing: [] })
    await client.close()
  })

  it('a device that is revoked: nothing of it is taken in, whether its broker knows already or not', async () => {
    const gone = await cast(world, MAIN_ROAD, [TARIFF], `gone-${run}`)
    await door.admit(gone.device, gone.deviceToken)
    const client = await DeviceClient.connect({ url: door.url, device: gone.device, token: gone.deviceToken })
    await client.send(batch(0, 0))
    await world.store.transaction((tx) => revokeDevice(tx, gone.device, world.clock.now()))
    const bytes = Buffer.from(JSON.stringify(batch(0, 1)))
    if (door.isOurs) await client.sendBytes(bytes).catch(() => undefined)
    else {
      await sendRaw(bytes, client)
      const rows = await world.store.transaction((tx) =>
        quarantineRows(tx, { device: gone.device, reason: null, most: 9 }),
      )
      expect(rows.map(({ reason }) => reason)).toEqual(['UNKNOWN_DEVICE'])
    }
    await client.close()
    expect(await world.store.read('select seq from location.batch where device = $1', [gone.device])).toEqual([
      { seq: '0' },
    ])
  })

  it('implausible and double fixes in a good batch: accepted, and no road is made of them', async () => {
    const at = instant(NOW - 3 * 3_600_000)
    const drive = driveAlong('doubled', 7, 7.02, at, 0, 11)
    const half = drive[1].fixes[20]
    const fixes = drive[1].fixes.flatMap((fix): Batch['fixes'] =>
      fix === half ? [fix, fix, [fix[0] + 500, 45.5, 7.5, 4]] : [fix],
    )
    await Promise.all(drive.map((one) => device.send(one === drive[1] ? { ...one, fixes } : one)))
    await Promise.all(driveAlong('single', 7, 7.02, at, 0, 12).map((one) => device.send(one)))
    await settled(world)
    const metres = await world.store.read<{ boot: number; mm: string }>(
      'select t.boot, sum(c.distance_mm) as mm from money.charge c join metering.trip t on t.id = c.trip where t.device = $1 and t.boot in (11, 12) group by 1 order by 1',
      [people.device],
    )
    expect(metres).toHaveLength(2)
    // A hop of a second to each side of the outlier may be lost, at 15 m a second; nothing is won.
    const [doubled, single] = metres.map(({ mm }) => Number(mm))
    expect(doubled).toBeLessThanOrEqual(single)
    expect(doubled).toBeGreaterThan(single - 30_000)
  })

  it('the database away: no acknowledgement and no receipt; the device sends again, and all is there once', async () => {
    const away = jest
      .spyOn(world.store, 'transaction')
      .mockRejectedValue(new Error('could not extend file: No space left on device'))
    const sent = device.send(batch(13, 0))
    const answered = jest.fn()
    void sent.then(answered)
    expect((await post(JSON.stringify(batch(13, 1)))).status).toBeGreaterThanOrEqual(500)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(answered).not.toHaveBeenCalled()
    away.mockRestore()
    expect(await sent).toMatchObject({ boot: 13, upTo: 0 })
    expect(
      await world.store.read('select seq from location.batch where device = $1 and boot = 13', [people.device]),
    ).toEqual([{ seq: '0' }])
  })

  it('more rejected in a day than is kept of a device: answered and counted, not kept', async () => {
    const flood = await cast(world, MAIN_ROAD, [TARIFF], `flood-${run}`)
    await door.admit(flood.device, flood.deviceToken)
    const client = await DeviceClient.connect({ url: door.url, device: flood.device, token: flood.deviceToken })
    const before = await received()
    const over = 7
    // The last of them again and again: what is kept already, and what isn't, is counted for what it is.
    const rubbish = Array.from({ length: QUARANTINED_A_DAY_MAX + over }, (_, i) => Buffer.from(`rubbish ${i}`))
    for (let i = 0; i < rubbish.length; i += 100)
      await Promise.all(rubbish.slice(i, i + 100).map((bytes) => client.sendBytes(bytes)))
    await until(async () => (await received()) === before + rubbish.length)
    const kept = () =>
      world.store.read('select count(*) as n from location.quarantine where device = $1', [flood.device])
    expect(await kept()).toEqual([{ n: String(QUARANTINED_A_DAY_MAX) }])
    const day = new Date(world.clock.now()).toISOString().slice(0, 10)
    expect(await world.store.transaction((tx) => unkeptByDay(tx))).toEqual({ [day]: over })
    // A number that can be read is used up all the same, and on record; its receipt moves on.
    await sendRaw(Buffer.from(JSON.stringify({ ...batch(0, 0), plate: 'AB 123 CD' })), client)
    expect(await client.send(batch(0, 1))).toMatchObject({ upTo: 1, missing: [] })
    const [last] = await world.store.transaction((tx) =>
      quarantineRows(tx, { device: flood.device, reason: null, most: 1 }),
    )
    expect(last).toMatchObject({ boot: 0, seq: 0, reason: 'MALFORMED', bytes: 0 })
    // Of others as much is kept as ever.
    await sendRaw(Buffer.from('rubbish of another device'))
    expect((await quarantined(null)).length).toBeGreaterThan(0)
    await client.close()
  })

  // The clock goes on from here: what comes after this must not need NOW.
  gapsAndEnds(() => ({ world, people, device, now: NOW, sendRaw, tripsOf, until }))

  it('and all of it is in balance: received = accepted + duplicate + rejected, every invariant kept', async () => {
    const [sum] = await world.store.read<Record<string, string>>(
      `select sum(received) as received, sum(accepted) as accepted, sum(duplicate) as duplicate, sum(rejected) as rejected,
         (select count(*) from location.batch) as stored, (select count(*) from location.quarantine where boot is not null and boot <> 10 and device = $1) as kept,
         (select sum(rejected) from metering.stream where boot <> 10 and device = $1) as refused
       from metering.stream`,
      [people.device],
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
}
