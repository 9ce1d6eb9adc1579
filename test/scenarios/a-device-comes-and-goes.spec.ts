import { createHash } from 'node:crypto'
import { connectAsync } from 'mqtt'
import {
  batchBytes,
  batchCbor,
  batchContent,
  batchDigest,
  contextContent,
  enrolmentContent,
  receiptContent,
  type Batch,
  type Enrolled,
  type Receipt,
} from '#contracts'
import { instant, type DeviceId } from '#kernel'
import { DeviceClient, topicOf } from '#messaging'
import { Accept, replayQuarantined } from '#pipeline'
import { isSignedBy, openLog, signingKeyOf, type Log, type SigningKey } from '#runtime'
import { alarmsOf, listDevices, quarantineRows, revokeDevice, saveDevice, saveOperatorKey, saveVoucher } from '#store'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const NOW = instant(Date.parse('2026-10-05T12:00:00+02:00'))
const TOPIC = 'traccar/positions'

/** From its voucher to its end: what a device with a key of its own goes through, and what others may not do in its name. */
describe('a device comes and goes', () => {
  let world: World
  let people: Cast
  const device = 'signing-obe-1' as DeviceId
  const keyOf = (name: string): SigningKey => signingKeyOf(createHash('sha256').update(name).digest())
  const first = keyOf('first')
  const second = keyOf('second')
  let token = ''
  const clients: DeviceClient[] = []

  beforeAll(async () => {
    world = await openWorld(NOW, { ROADMETER_TRACCAR_TOPIC: TOPIC, ROADMETER_TRACCAR_PASSWORD: 'forward-secret' })
    people = await cast(world, MAIN_ROAD, [TARIFF])
    // The key that signed before today's.
    await world.store.transaction((tx) => saveOperatorKey(tx, keyOf('retired').publicKey, instant(NOW - 1)))
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await world?.close()
  })

  const voucher = (text: string) =>
    world.store.transaction((tx) =>
      saveVoucher(tx, { id: device, vehicle: people.vehicle }, text, instant(NOW + 3_600_000)),
    )
  const enrol = (text: string, key: SigningKey, by = key) => {
    const content = { voucher: text, key: Buffer.from(key.publicKey).toString('base64url') }
    return fetch(`${world.httpUrl}/v1/enrolments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ v: 1, ...content, sig: by.signNow(enrolmentContent(content)) }),
    })
  }
  const enter = async (text: string, key: SigningKey): Promise<Enrolled> => {
    const answer = await enrol(text, key)
    expect(answer.status).toBe(201)
    return (await answer.json()) as Enrolled
  }
  const plain = (boot: number, seq: number, more: Partial<Batch> = {}): Batch => ({
    v: 1,
    boot,
    seq,
    trip: 't',
    event: 'run',
    fixes: [[NOW - 60_000 + seq * 1000, 45, 7.01, 4]],
    ...more,
  })
  const signed = (batch: Batch, key: SigningKey): Batch => ({ ...batch, sig: key.signNow(batchContent(device, batch)) })
  const post = (body: string | Uint8Array, type = 'application/json') =>
    fetch(`${world.httpUrl}/v1/devices/${device}/batches`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
    })
  const send = async (batch: Batch): Promise<Receipt> => (await (await post(JSON.stringify(batch))).json()) as Receipt
  const reasons = async () =>
    (await world.store.transaction((tx) => quarantineRows(tx, { device, reason: null, most: 50 }))).map((r) => r.reason)
  const signers = (keys: readonly string[], content: string, sig: string) =>
    Promise.all(keys.map((key) => isSignedBy(Buffer.from(key, 'base64url'), content, sig)))
  const alarms = async () =>
    (await world.store.transaction((tx) => alarmsOf(tx, device))).map(({ kind }) => kind).sort()

  it('comes in by its voucher, once, and only with the key that it can sign with', async () => {
    await voucher('a-voucher-of-one-day')
    expect((await enrol('a-voucher-of-one-day', first, second)).status).toBe(403)
    expect((await enrol('another-voucher-text', first)).status).toBe(403)
    const lost = await enter('a-voucher-of-one-day', first)
    // The answer may be lost on the way: the same key may ask again, and nobody else may.
    const enrolled = await enter('a-voucher-of-one-day', first)
    expect(enrolled.device).toBe(device)
    expect(enrolled.token).not.toBe(lost.token)
    expect((await enrol('a-voucher-of-one-day', second)).status).toBe(403)
    token = enrolled.token
    expect(enrolled.operatorKeys).toEqual(
      ((await (await fetch(`${world.httpUrl}/v1/keys`)).json()) as { keys: string[] }).keys,
    )
  })

  it('sends signed batches in JSON and in CBOR, and its receipts are signed by the operator', async () => {
    const batch = signed(plain(1, 0), first)
    const receipt = await send(batch)
    expect(receipt).toMatchObject({ boot: 1, upTo: 0, missing: [] })
    const { keys } = (await (await fetch(`${world.httpUrl}/v1/keys`)).json()) as { keys: string[] }
    expect(await signers(keys, receiptContent(device, receipt), receipt.sig!)).toEqual([false, true])
    // The same content in another form is the same batch.
    expect(await (await post(batchCbor(batch), 'application/cbor')).json()).toMatchObject({ boot: 1, upTo: 0 })
    const chained = signed(plain(1, 1, { prev: batchDigest(device, batch) }), first)
    expect(await (await post(batchCbor(chained), 'application/cbor')).json()).toMatchObject({ boot: 1, upTo: 1 })
    expect(await reasons()).toEqual([])
    expect(await alarms()).toEqual([])
  })

  it('must sign: what has no signature raises an alarm, unless it came over a bridge, where none can be', async () => {
    const bridged = await fetch(`${world.httpUrl}/v1/devices/${device}/owntracks`, {
      method: 'POST',
      body: JSON.stringify({ _type: 'location', lat: 45, lon: 7.01, tst: NOW / 1000 - 60 }),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
    expect(bridged.status).toBe(200)
    expect(await reasons()).toEqual(['SIGNATURE'])
    expect(await alarms()).toEqual([])
    expect((await post(JSON.stringify(plain(1, 2)))).status).toBe(422)
    expect(await reasons()).toEqual(['SIGNATURE', 'SIGNATURE'])
    expect(await alarms()).toEqual(['SIGNATURE'])
  })

  it('must sign: what is unsigned, signed by another or changed takes none of its numbers', async () => {
    const good = signed(plain(1, 2), first)
    for (const bad of [
      plain(1, 2),
      signed(plain(1, 2), second),
      { ...good, fixes: [[NOW, 46, 7, 4]] },
      // Not even by being no batch at all.
      { v: 1, boot: 1, seq: 2, speed: 50 },
    ])
      expect((await post(JSON.stringify(bad))).status).toBe(422)
    expect((await reasons()).sort()).toEqual(['MALFORMED', ...Array<string>(4).fill('SIGNATURE')])
    expect(await alarms()).toEqual(['SIGNATURE'])
    expect(await send(good)).toMatchObject({ boot: 1, upTo: 2, missing: [] })
    // What it signed is its word, also where it is no good: the number is used up.
    const odd = plain(1, 3, { trip: 'not a name' })
    const signedOdd = { ...odd, sig: first.signNow(batchContent(device, odd)) }
    expect(await (await post(JSON.stringify(signedOdd))).json()).toMatchObject({ boot: 1, upTo: 3 })
  })

  it('tells of a chain that does not fit, whichever of the two came first', async () => {
    const zero = signed(plain(2, 0), first)
    const one = signed(plain(2, 1, { prev: '0'.repeat(64) }), first)
    await send(one)
    expect(await alarms()).toEqual(['SIGNATURE'])
    await send(zero)
    expect(await alarms()).toEqual(['CHAIN', 'SIGNATURE'])
  })

  it('finds its context, signed, and is told of a clone where a number is signed twice', async () => {
    const client = await DeviceClient.connect({ url: world.mqttUrl, device, token })
    clients.push(client)
    for (let i = 0; i < 400 && !client.context?.mustSign; i++) await new Promise((resolve) => setTimeout(resolve, 25))
    const { context } = client
    expect(context).toMatchObject({ device, mustSign: true, fixesPerBatchMax: 600 })
    // Listed oldest first; the one of today signs.
    expect(await signers(context!.operatorKeys, contextContent(context!), context!.sig)).toEqual([false, true])
    // A client that was given the operator's keys takes nobody else's word for what it must keep to.
    const warned = jest.fn()
    const knows = async (operatorKeys: readonly Uint8Array[]) => {
      const log = { ...openLog(world.settings, 'test'), warn: warned, debug: () => {} } as unknown as Log
      const one = await DeviceClient.connect({ url: world.mqttUrl, device, token, operatorKeys, log })
      clients.push(one)
      for (let i = 0; i < 400 && !one.context && !warned.mock.calls.length; i++)
        await new Promise((resolve) => setTimeout(resolve, 25))
      await one.close()
      return one.context
    }
    expect(await knows(context!.operatorKeys.map((key) => Buffer.from(key, 'base64url')))).toEqual(context)
    expect(warned).not.toHaveBeenCalled()
    expect(await knows([second.publicKey])).toBeNull()
    expect(warned).toHaveBeenCalledWith({ device }, 'a context that can not be read or trusted was ignored')
    await client.send(signed(plain(2, 2), first))
    await client.sendBytes(Buffer.from(JSON.stringify(signed(plain(2, 2, { trip: 'twin' }), first))))
    expect(await alarms()).toEqual(['CHAIN', 'CLONE', 'SIGNATURE'])
    const [row] = await world.store.transaction((tx) => listDevices(tx, null, device))
    expect(row).toMatchObject({ state: 'active', signs: true, online: true })
  })

  it('changes its key: what waits on it, signed by the old one, is still good', async () => {
    const waiting = signed(plain(3, 0), first)
    await voucher('a-voucher-to-rotate-with')
    const enrolled = await enter('a-voucher-to-rotate-with', second)
    expect((await post(JSON.stringify(waiting))).status).toBe(401)
    token = enrolled.token
    expect(await send(waiting)).toMatchObject({ boot: 3, upTo: 0 })
    // Keys are remembered for five seconds.
    for (let i = 0; i < 400; i++) {
      if ((await send(signed(plain(3, 1), second))).upTo === 1) break
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    expect(await send(signed(plain(3, 2), second))).toMatchObject({ boot: 3, upTo: 2 })
  })

  it('sends totals without location, and the line passes over them', async () => {
    const totals: Batch = {
      ...plain(4, 0),
      event: 'totals',
      trip: '',
      fixes: [],
      odometer: [
        [NOW - 5_000, 1_000],
        [NOW, 1_750],
      ],
    }
    expect(await (await post(batchBytes(signed(totals, second)))).json()).toMatchObject({ boot: 4, upTo: 0 })
    await settled(world)
    expect(await world.store.read('select 1 from metering.trip where boot = 4')).toEqual([])
  })

  it('is revoked: its session ends within a minute, and nothing of it comes in any more', async () => {
    const client = await connectAsync(world.mqttUrl, { username: device, password: token, reconnectPeriod: 0 })
    const gone = new Promise<number>((resolve) => client.once('close', () => resolve(performance.now())))
    const from = performance.now()
    await world.store.transaction((tx) => revokeDevice(tx, device, NOW))
    expect((await post(JSON.stringify(signed(plain(5, 0), second)))).status).toBe(401)
    // Before its session is ended its batches are refused already.
    client.publish(topicOf(device, 'batch'), JSON.stringify(signed(plain(5, 1), second)), { qos: 1 })
    expect((await gone) - from).toBeLessThan(60_000)
    expect(await world.store.read('select 1 from location.batch where boot = 5')).toEqual([])
    await expect(DeviceClient.connect({ url: world.mqttUrl, device, token })).rejects.toThrow(/refuses to sign in/)
  })

  it('a phone with OwnTracks and a Traccar server come in by the same door, each position once', async () => {
    const at = Math.floor(NOW / 1000)
    const location = {
      _type: 'location',
      BSSID: 'b0:f2:8:45:94:33',
      acc: 10,
      alt: 154,
      batt: 53,
      bs: 1,
      conn: 'w',
      created_at: at,
      lat: 45,
      lon: 7.012345,
      m: 1,
      t: 'u',
      tid: 'ne',
      topic: `owntracks/${people.device}/phone`,
      tst: at - 30,
      vac: 1,
      vel: 13,
    }
    const transition = {
      _type: 'transition',
      acc: 12.4,
      desc: 'home',
      event: 'leave',
      lat: 45,
      lon: 7.0125,
      t: 'c',
      tid: 'ne',
      tst: at - 20,
      wtst: at - 9000,
    }
    const phone = await connectAsync(world.mqttUrl, {
      username: people.device,
      password: people.deviceToken,
      clientId: 'phone',
      reconnectPeriod: 0,
      will: {
        topic: `owntracks/${people.device}/phone`,
        payload: Buffer.from(JSON.stringify({ _type: 'lwt', tst: at })),
        qos: 0,
        retain: false,
      },
    })
    // As the app does: its position retained, and its friends' asked for.
    expect(await phone.subscribeAsync('owntracks/+/+').catch(() => 'refused')).toBeDefined()
    for (let i = 0; i < 2; i++)
      await phone.publishAsync(`owntracks/${people.device}/phone`, JSON.stringify(location), { qos: 1, retain: true })
    await phone.publishAsync(`owntracks/${people.device}/phone/event`, JSON.stringify(transition), { qos: 1 })
    await phone.publishAsync(`owntracks/${people.device}/phone`, JSON.stringify({ _type: 'encrypted', data: 'abcd' }), {
      qos: 1,
    })
    await phone.endAsync(true)
    const byApp = await fetch(`${world.httpUrl}/v1/devices/${people.device}/owntracks`, {
      method: 'POST',
      body: JSON.stringify({ ...location, tst: at - 10 }),
      headers: {
        'content-type': 'application/json',
        authorization: `Basic ${Buffer.from(`${people.device}:${people.deviceToken}`).toString('base64')}`,
      },
    })
    expect([byApp.status, await byApp.json()]).toEqual([200, []])

    const forwarded = {
      position: {
        id: 12345,
        attributes: { motion: true, totalDistance: 12500.5 },
        deviceId: 10,
        protocol: 'osmand',
        serverTime: '2026-10-05T10:00:00.000+00:00',
        deviceTime: '2026-10-05T09:59:55.000+00:00',
        fixTime: '2026-10-05T09:59:55.000+00:00',
        valid: true,
        outdated: false,
        latitude: 45,
        longitude: 7.0126,
        altitude: 760,
        speed: 13.5,
        course: 180,
        address: null,
        accuracy: 0,
        network: null,
      },
      device: {
        id: 10,
        attributes: {},
        groupId: 2,
        name: 'Company car',
        uniqueId: people.device.toUpperCase(),
        status: 'online',
        lastUpdate: '2026-10-05T10:00:00.000+00:00',
        positionId: 12345,
      },
    }
    const server = await connectAsync(world.mqttUrl, {
      username: 'traccar',
      password: 'forward-secret',
      clientId: 'traccar.forwarder',
      reconnectPeriod: 0,
    })
    for (let i = 0; i < 2; i++) await server.publishAsync(TOPIC, JSON.stringify(forwarded), { qos: 1 })
    await server.publishAsync(
      TOPIC,
      JSON.stringify({ ...forwarded, position: { ...forwarded.position, outdated: true } }),
      { qos: 1 },
    )
    const forged = new Promise<void>((resolve) => server.once('close', () => resolve()))
    server.publish(topicOf(people.device, 'batch'), '{}', { qos: 1 })
    await forged
    const overHttp = (key: string) =>
      fetch(`${world.httpUrl}/v1/traccar`, {
        method: 'POST',
        body: JSON.stringify(forwarded),
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      })
    expect([(await overHttp('wrong')).status, (await overHttp('forward-secret')).status]).toEqual([401, 204])

    expect(
      await world.store.read(`select trip, seq, fixes from location.batch where device = $1 order by seq`, [
        people.device,
      ]),
    ).toEqual([
      { trip: 'owntracks', seq: '0', fixes: 1 },
      { trip: 'owntracks', seq: '1', fixes: 1 },
      { trip: 'owntracks', seq: '2', fixes: 1 },
      { trip: 'traccar', seq: '3', fixes: 1 },
    ])
    const [row] = await world.store.transaction((tx) =>
      quarantineRows(tx, { device: people.device, reason: null, most: 9 }),
    )
    expect(row).toMatchObject({ reason: 'MALFORMED', boot: null })
  })

  it('asks for the receipt of any boot, or of the latest that is its own', async () => {
    const receipt = async (query: string) => {
      const answer = await fetch(`${world.httpUrl}/v1/devices/${people.device}/receipt${query}`, {
        headers: { authorization: `Bearer ${people.deviceToken}` },
      })
      return { status: answer.status, ...((await answer.json()) as Partial<Receipt> & { title?: string }) }
    }
    // Of it only positions over bridges have come, which have no receipt.
    expect(await receipt('')).toMatchObject({ status: 404 })
    const client = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
    clients.push(client)
    for (const boot of [0, 1_000_000_000, 2_147_483_646]) await client.send(plain(boot, 0))
    await client.send(plain(0, 1))
    expect(await receipt('')).toMatchObject({ status: 200, boot: 2_147_483_646, upTo: 0 })
    expect(await receipt('?boot=0')).toMatchObject({ status: 200, boot: 0, upTo: 1 })
    expect(await receipt('?boot=1000000000')).toMatchObject({ status: 200, boot: 1_000_000_000, upTo: 0 })
    expect(await receipt('?boot=1000000001')).toMatchObject({ status: 404 })
    for (const rubbish of ['', 'latest', '-1', '1.5', '1e3', '2147483647', '99999999999', '1&boot=0'])
      expect(await receipt(`?boot=${rubbish}`)).toMatchObject({
        status: 400,
        title: expect.stringMatching(
          /^the query is not valid: boot: expected a whole number from 0 to 2147483646, found/,
        ),
      })
  })

  it('what was rejected and is mended is replayed by an operator, and metered', async () => {
    const old = driveAlong('too-old', 7, 7.02, instant(NOW - 36 * 86_400_000), 0, 9)
    const client = await DeviceClient.connect({ url: world.mqttUrl, device: people.device, token: people.deviceToken })
    clients.push(client)
    for (const one of old) await client.send(one)
    const rows = await world.store.transaction((tx) =>
      quarantineRows(tx, { device: people.device, reason: 'TIME', most: 50 }),
    )
    expect(rows).toHaveLength(old.length)
    await settled(world)
    for (const { id } of [...rows].reverse())
      expect(await replayQuarantined(world.store, id, world.clock.now())).toMatchObject({ fate: 'accepted' })
    for (const { id } of rows)
      expect(await replayQuarantined(world.store, id, world.clock.now())).toMatchObject({ fate: 'duplicate' })
    await settled(world)
    const trips = await world.store.read<{ state: string; fixes: number }>(
      `select state, fixes from metering.trip where boot = 9`,
    )
    expect(trips.reduce((sum, trip) => sum + trip.fixes, 0)).toBe(old.reduce((sum, one) => sum + one.fixes.length, 0))
    expect(trips.every(({ state }) => state === 'posted')).toBe(true)
  })

  it('a position that a Traccar server forwarded too early or too late is replayed, and metered', async () => {
    const late = 'late-tracker-1' as DeviceId
    const forward = async (batches: readonly Batch[]) => {
      for (const [time, latitude, longitude, accuracy] of batches.flatMap(({ fixes }) =>
        fixes.filter((_, i) => i % 3 === 0),
      ))
        expect(
          (
            await fetch(`${world.httpUrl}/v1/traccar`, {
              method: 'POST',
              body: JSON.stringify({
                position: { fixTime: new Date(time).toISOString(), latitude, longitude, accuracy },
                device: { uniqueId: late },
              }),
              headers: { 'content-type': 'application/json', authorization: 'Bearer forward-secret' },
            })
          ).status,
        ).toBe(204)
    }
    const kept = async () =>
      (await world.store.transaction((tx) => quarantineRows(tx, { device: late, reason: null, most: 500 }))).reverse()
    const replay = async (ids: readonly string[]) => {
      const fates = new Set<string>()
      for (const id of ids) {
        const { fate, reason } = await replayQuarantined(world.store, id, world.clock.now())
        fates.add(reason ?? fate)
      }
      return [...fates]
    }
    const early = driveAlong('early', 7, 7.01, instant(NOW - 3_600_000), 0)
    await forward(early)
    // Behind Mosquitto anybody's batch may come to this, and may name the bridges' boot.
    const forged: Batch = { ...early[0], boot: 2_147_483_647 }
    await world.app.get(Accept).message({ device: late, bytes: batchBytes(forged) })
    const unknown = (await kept()).map(({ id }) => id)
    const own = unknown.pop()!
    expect(await replay(unknown)).toEqual(['UNKNOWN_DEVICE'])
    await world.store.transaction((tx) =>
      saveDevice(tx, { id: late, vehicle: people.vehicle, token: 'of-the-tracker' }),
    )
    await forward(driveAlong('old', 7, 7.01, instant(NOW - 36 * 86_400_000), 0))
    const rows = await kept()
    expect(new Set(rows.map(({ reason }) => reason))).toEqual(new Set(['UNKNOWN_DEVICE', 'TIME']))
    expect(await replay(rows.filter(({ reason }) => reason === 'TIME').map(({ id }) => id))).toEqual(['accepted'])
    expect(await replay(unknown)).toEqual(['accepted'])
    expect(await replay(unknown)).toEqual(['duplicate'])
    expect(await replay([own])).toEqual(['MALFORMED'])
    // What the server sends once more is known, too.
    await forward(early)
    expect((await kept()).map(({ reason }) => reason)).toEqual(['UNKNOWN_DEVICE', 'MALFORMED'])
    world.clock.advanceTo(instant(NOW + 8 * 86_400_000))
    const trips = () =>
      world.store.read<{ state: string }>(
        `select t.boot, t.first_seq, t.fixes, t.state, sum(c.distance_mm) > 700000 as driven
         from metering.trip t left join money.charge c on c.trip = t.id where t.device = $1 group by t.id order by t.first_seq`,
        [late],
      )
    for (let i = 0; i < 400 && !(await trips()).every(({ state }) => state === 'posted'); i++)
      await new Promise((resolve) => setTimeout(resolve, 25))
    const fixes = unknown.length
    expect(await trips()).toEqual(
      [0, fixes].map((first) => ({
        boot: 2_147_483_647,
        first_seq: String(first),
        fixes,
        state: 'posted',
        driven: true,
      })),
    )
  })

  it('and everything is in balance', async () => {
    expect(await faultsOf(world)).toEqual([])
  })
})
