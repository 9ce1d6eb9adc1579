import { connect as openSocket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { BATCH_BYTES_MAX, receiptOf, type Batch, type Receipt } from '#contracts'
import { type DeviceId } from '#kernel'
import { DeviceClient, openBroker, topicOf, type BatchDoor, type DeviceGate, type Message } from '#messaging'
import { openLog } from '#runtime'
import { PACKET_BYTES_MAX } from './door'

const log = openLog({ logLevel: 'silent' }, 'test')
const DEVICE = 'device-0001' as DeviceId
const OTHER = 'device-0002' as DeviceId
const batch = (seq: number): Batch => ({
  v: 1,
  boot: 1,
  seq,
  trip: 't',
  event: 'run',
  fixes: [[1_763_810_000_000, 43.7, 7.4]],
})

/** Lets in whom `knows` knows, under credentials that stay as they are. */
const gateOf = (knows: (device: DeviceId, token: string | null) => Promise<boolean>): DeviceGate => ({
  admit: async (device, token) => ((await knows(device, token)) ? '1' : null),
  versions: async (devices) => new Map(devices.map((device) => [device, '1'])),
})

/** What the handler does; each test sets its own. */
let handle: (message: Message) => Promise<Receipt | null>
let door: BatchDoor
const clients: { close(): Promise<void> }[] = []
const raw: MqttClient[] = []

beforeEach(async () => {
  handle = async ({ device, bytes }) => {
    const { boot, seq } = JSON.parse(new TextDecoder().decode(bytes)) as Batch
    return receiptOf(device, boot, [[0, seq + 1]])
  }
  door = await openBroker({
    host: '127.0.0.1',
    port: 0,
    gate: gateOf(async (device, token) => token === `token of ${device}`),
    handle: (message) => handle(message),
    log,
  })
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await Promise.all(raw.splice(0).map((client) => client.endAsync(true)))
  await door.close()
})

async function device(id: DeviceId, resendMs?: number): Promise<DeviceClient> {
  const client = await DeviceClient.connect({ url: door.url, device: id, token: `token of ${id}`, resendMs })
  clients.push(client)
  return client
}
/** Any MQTT client, signed in as `id`: what a device that means harm would use. */
async function intruder(id: DeviceId, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(
    door.url,
    { username: id, password: `token of ${id}`, clientId: id, reconnectPeriod: 0, ...options },
    false,
  )
  client.on('error', () => {})
  raw.push(client)
  return client
}

const closeOf = (client: MqttClient) => new Promise<void>((resolve) => client.once('close', () => resolve()))

describe('a batch at our own broker', () => {
  it('is acknowledged only after its commit', async () => {
    let commit = () => {}
    handle = () => new Promise((resolve) => (commit = () => resolve(null)))
    let acknowledged = false
    const sent = (await device(DEVICE)).sendBytes(Buffer.from('x')).then(() => (acknowledged = true))
    await delay(150)
    expect(acknowledged).toBe(false)
    commit()
    await sent
    expect(acknowledged).toBe(true)
  })

  it('is not acknowledged when the commit fails, and succeeds when it is sent again', async () => {
    let calls = 0
    const kept = handle
    handle = async (message) => {
      if (++calls < 3) throw new Error('the disk is full')
      return kept(message)
    }
    const client = await device(DEVICE, 60_000)
    await expect(client.sendBytes(Buffer.from('x'))).rejects.toThrow()
    expect(calls).toBe(1)
    // No resend falls due in this time: what brings it is the reconnect.
    await expect(client.send(batch(0))).resolves.toMatchObject({ boot: 1, upTo: 0 })
    expect(calls).toBe(3)
  })

  it('is held until a receipt covers it: a receipt of other batches, a forged one and none at all do not', async () => {
    const answers: (Receipt | null)[] = [
      null,
      receiptOf(DEVICE, 1, [[0, 4]]),
      receiptOf(DEVICE, 2, [[0, 9]]),
      receiptOf(DEVICE, 1, [
        [0, 5],
        [6, 9],
      ]),
      { ...receiptOf(DEVICE, 1, [[0, 6]]), digest: 'forged' },
      receiptOf(DEVICE, 1, [[0, 6]]),
    ]
    let calls = 0
    handle = async () => answers[calls++]
    expect(await (await device(DEVICE, 30)).send(batch(5))).toEqual(answers[5])
    expect(calls).toBe(6)
  })

  it('is given up after a bounded number of sendings, by name', async () => {
    let calls = 0
    handle = async () => {
      calls++
      return null
    }
    const client = await DeviceClient.connect({
      url: door.url,
      device: DEVICE,
      token: `token of ${DEVICE}`,
      resendMs: 20,
      sendingsMax: 3,
    })
    clients.push(client)
    await expect(client.send(batch(7))).rejects.toThrow(`batch 7 of boot 1 of ${DEVICE} got no receipt in 3 sendings`)
    expect(calls).toBe(3)
  })

  it('travels with others: many in flight each get their receipt', async () => {
    const seen = new Set<string>()
    const kept = handle
    handle = async (message) => {
      seen.add(message.device)
      await delay(Math.random() * 10)
      return kept(message)
    }
    const fleet = await Promise.all([device(DEVICE), device(OTHER)])
    const receipts = await Promise.all(
      fleet.flatMap((client) => Array.from({ length: 100 }, (_, seq) => client.send(batch(seq)))),
    )
    expect(receipts).toHaveLength(200)
    expect([...seen].sort()).toEqual([DEVICE, OTHER])
  })

  it('over the limit of a batch still reaches the handler; over the limit of a packet ends the connection', async () => {
    const sizes: number[] = []
    handle = async ({ bytes }) => {
      sizes.push(bytes.length)
      return null
    }
    const client = await device(DEVICE)
    await client.sendBytes(new Uint8Array(4 * BATCH_BYTES_MAX))
    await expect(client.sendBytes(new Uint8Array(PACKET_BYTES_MAX))).rejects.toThrow()
    expect(sizes).toEqual([4 * BATCH_BYTES_MAX])
  })

  it('in hand when the door closes is committed first', async () => {
    let committed = false
    handle = async () => {
      await delay(200)
      committed = true
      return null
    }
    const sent = (await device(DEVICE)).sendBytes(Buffer.from('x'))
    await delay(50)
    await door.close()
    expect(committed).toBe(true)
    await expect(sent).resolves.toBeUndefined()
  })
})

describe('who may do what at our own broker', () => {
  const connecting = (id: string, token: string) => DeviceClient.connect({ url: door.url, device: id, token })

  it('a wrong token, an unknown device and a name that is no device are refused', async () => {
    await expect(connecting(DEVICE, 'guess')).rejects.toMatchObject({ code: 'BROKER_REFUSED' })
    await expect(connecting(OTHER, `token of ${DEVICE}`)).rejects.toMatchObject({ code: 'BROKER_REFUSED' })
    await expect(connecting('no device', 'x')).rejects.toMatchObject({ code: 'DEVICE_ID' })
    await expect(intruder('#' as DeviceId)).rejects.toThrow('Not authorized')
    await expect(intruder(DEVICE, { password: undefined })).rejects.toThrow('Not authorized')
  })

  it('a sign-in that cannot be checked just now is put off, not refused', async () => {
    const shut = await openBroker({
      host: '127.0.0.1',
      port: 0,
      gate: gateOf(() => Promise.reject(new Error('database away'))),
      handle: async () => null,
      log,
    })
    await expect(DeviceClient.connect({ url: shut.url, device: DEVICE, token: 'x' })).rejects.toMatchObject({
      code: 'BROKER_UNREACHABLE',
    })
    await shut.close()
  })

  it.each([
    ["another device's batch", topicOf(OTHER, 'batch'), {}],
    ['its own receipt', topicOf(DEVICE, 'receipt'), {}],
    ["another device's receipt", topicOf(OTHER, 'receipt'), {}],
    ['$SYS', '$SYS/broker', {}],
    ['a share', '$share/roadmeter/roadmeter/v1/device-0001/batch', {}],
    ['a retained batch', topicOf(DEVICE, 'batch'), { retain: true }],
    ['a batch at QoS 2', topicOf(DEVICE, 'batch'), { qos: 2 as const }],
  ])('publishing %s is refused and never handled', async (_what, topic, options) => {
    let calls = 0
    handle = async () => {
      calls++
      return null
    }
    const client = await intruder(DEVICE)
    const closed = closeOf(client)
    client.publish(topic, 'x', { qos: 1, ...options }, () => {})
    await closed
    expect(calls).toBe(0)
  })

  it.each([
    '#',
    '+/+/+/+',
    `roadmeter/v1/+/receipt`,
    topicOf(OTHER, 'receipt'),
    topicOf(DEVICE, 'batch'),
    '$SYS/#',
    '$share/g/#',
  ])('subscribing to %s is refused', async (topic) => {
    const client = await intruder(DEVICE)
    const closed = closeOf(client)
    client.subscribe([topicOf(DEVICE, 'receipt'), topic], () => {})
    await closed
  })

  it("a persistent session that asked for others' receipts in passing gets none of them", async () => {
    const first = await intruder(DEVICE, { clean: false })
    const closed = closeOf(first)
    first.subscribe([topicOf(DEVICE, 'receipt'), topicOf(OTHER, 'receipt')], { qos: 1 }, () => {})
    await closed
    const heard: string[] = []
    const again = await intruder(DEVICE, { clean: false })
    again.on('message', (topic) => heard.push(topic))
    await (await device(OTHER)).send(batch(0))
    await delay(50)
    expect(heard).toEqual([])
  })

  it('may publish its own state, and leave it as its will, but no other', async () => {
    const client = await intruder(DEVICE, {
      will: { topic: topicOf(DEVICE, 'state'), payload: Buffer.from('{}'), qos: 1 },
    })
    await client.publishAsync(topicOf(DEVICE, 'state'), '{}', { qos: 1 })
    for (const will of [
      { topic: topicOf(OTHER, 'batch'), payload: Buffer.from('{}') },
      { topic: topicOf(DEVICE, 'state'), payload: Buffer.from('{}'), retain: true },
    ])
      await expect(intruder(DEVICE, { will })).rejects.toThrow('Not authorized')
  })

  it("cannot end another device's session by borrowing its client id", async () => {
    const victim = await intruder(OTHER)
    await intruder(DEVICE, { clientId: OTHER })
    await delay(50)
    expect(victim.connected).toBe(true)
  })
})

describe('the address of our own broker', () => {
  it('that is taken is named', async () => {
    const port = Number(new URL(door.url).port)
    await expect(
      openBroker({ host: '127.0.0.1', port, gate: gateOf(async () => true), handle: async () => null, log }),
    ).rejects.toMatchObject({
      name: 'InputError',
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`port ${port} of 127.0.0.1`),
    })
  })

  it('where nobody listens is named by the client, without credentials', async () => {
    const { port } = new URL(door.url)
    await door.answers()
    await door.close()
    await expect(door.answers()).rejects.toThrow('does not listen')
    const attempt = DeviceClient.connect({ url: `mqtt://me:secret@127.0.0.1:${port}`, device: DEVICE, token: 'hush' })
    await expect(attempt).rejects.toMatchObject({
      name: 'InputError',
      code: 'BROKER_UNREACHABLE',
      message: expect.stringContaining(`mqtt://127.0.0.1:${port} `),
    })
    await expect(attempt).rejects.not.toThrow(/secret|hush/)
  })

  it('survives what is no MQTT at all, and closes on those who never sign in', async () => {
    const { port } = new URL(door.url)
    const noise = openSocket(Number(port), '127.0.0.1').on('error', () => {})
    noise.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3]))
    await once(noise, 'close')
    openSocket(Number(port), '127.0.0.1').on('error', () => {})
    await expect((await device(DEVICE)).send(batch(0))).resolves.toMatchObject({ upTo: 0 })
  })

  describe('over TLS, from who never begins the handshake,', () => {
    const WAIT_MS = 300
    /** Nobody comes as far as a certificate. */
    const open = (connectWaitMs?: number) =>
      openBroker({
        host: '127.0.0.1',
        port: 0,
        gate: gateOf(async () => true),
        handle: async () => null,
        tls: { key: '', cert: '' },
        log,
        connectWaitMs,
      })
    /** A connection that the broker has accepted, and when it ends. */
    const silent = async ({ url }: BatchDoor) => {
      const socket = openSocket(Number(new URL(url).port), '127.0.0.1').on('error', () => {})
      const ends = once(socket.resume(), 'close')
      await once(socket, 'connect')
      await delay(50)
      return { ends }
    }
    const within = (ms: number, ends: Promise<unknown>) =>
      Promise.race([ends.then(() => 'ended'), delay(ms, 'still there', { ref: false })])

    it('is cut as soon as one that never signs in', async () => {
      const secure = await open(WAIT_MS)
      const { ends } = await silent(secure)
      expect(await within(10 * WAIT_MS, ends)).toBe('ended')
      await secure.close()
    })

    it('is nothing that closing waits for', async () => {
      const secure = await open()
      const { ends } = await silent(secure)
      expect(await within(2_000, Promise.all([secure.close(), ends]))).toBe('ended')
    })
  })
})
