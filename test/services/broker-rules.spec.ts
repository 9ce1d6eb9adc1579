import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { admitDevices, fromServices } from './devices'

// infra/mosquitto/acl, as Mosquitto understands it: whatever ingest checks again, the broker has refused already.

const SETTLE_MS = 300
const A = 'rules-device-a'
const B = 'rules-device-b'
const TOKEN = 'token-of-both'

describe.each([4, 5] as const)('the broker, MQTT protocol level %i', (protocolVersion) => {
  const clients: MqttClient[] = []
  const connect = async (username: string | undefined, password: string | undefined, more: IClientOptions = {}) => {
    const client = await connectAsync(fromServices('MQTT_URL'), {
      protocolVersion,
      username,
      password,
      reconnectPeriod: 0,
      connectTimeout: 5_000,
      ...more,
    })
    clients.push(client)
    return client
  }
  /** Every topic that reaches a client that asks for everything. */
  const listen = async (client: MqttClient, topic = '#') => {
    const heard: string[] = []
    client.on('message', (from, payload) => heard.push(`${from} ${payload}`))
    await client.subscribeAsync(topic, { qos: 1 })
    return heard
  }
  /** A refused QoS 1 publish is an error on MQTT 5, and acknowledged but dropped on 3.1.1. */
  const publish = (client: MqttClient, topic: string, payload = 'x') =>
    client.publishAsync(topic, payload, { qos: 1 }).catch(() => undefined)
  const settle = () => new Promise((done) => setTimeout(done, SETTLE_MS))
  const ingest = () => connect(fromServices('MQTT_USERNAME'), fromServices('MQTT_PASSWORD'))

  beforeAll(() => admitDevices([A, B], TOKEN))
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.endAsync(true))))

  it('lets nobody in without the right token', async () => {
    await expect(connect(undefined, undefined)).rejects.toThrow(/[Nn]ot authorized/)
    await expect(connect(A, 'wrong')).rejects.toThrow(/[Nn]ot authorized/)
    await expect(connect('rules-device-unknown', TOKEN)).rejects.toThrow(/[Nn]ot authorized/)
  })

  it('carries a device its own batches and states only', async () => {
    const heard = [
      await listen(await ingest(), '$share/rules/roadmeter/v1/+/batch'),
      await listen(await ingest(), 'roadmeter/v1/+/state'),
    ]
    const device = await connect(A, TOKEN)
    await publish(device, `roadmeter/v1/${A}/batch`)
    await publish(device, `roadmeter/v1/${A}/state`)
    await publish(device, `roadmeter/v1/${B}/batch`)
    await publish(device, `roadmeter/v1/${B}/state`)
    await settle()
    expect(heard).toEqual([[`roadmeter/v1/${A}/batch x`], [`roadmeter/v1/${A}/state x`]])
  })

  it('lets a device hear its own receipts and context only, and forge none', async () => {
    const service = await ingest()
    const [heardByA, heardByB] = [await listen(await connect(A, TOKEN)), await listen(await connect(B, TOKEN))]
    await publish(service, `roadmeter/v1/${A}/receipt`)
    await publish(service, `roadmeter/v1/${B}/context`)
    await publish(await connect(B, TOKEN), `roadmeter/v1/${A}/receipt`, 'forged')
    await publish(await connect(B, TOKEN), `roadmeter/v1/${B}/receipt`, 'forged')
    await publish(await connect(B, TOKEN), `roadmeter/v1/${B}/batch`, 'private')
    await settle()
    expect(heardByA).toEqual([`roadmeter/v1/${A}/receipt x`])
    expect(heardByB).toEqual([`roadmeter/v1/${B}/context x`])
  })

  it('gives each device one session, whatever client id it borrows', async () => {
    const atDevicesDoor = (username: string, clientId: string) =>
      connectAsync(fromServices('MQTT_DEVICES_URL'), {
        protocolVersion,
        username,
        password: TOKEN,
        clientId,
        reconnectPeriod: 0,
      }).then((client) => (clients.push(client), client))
    const first = await atDevicesDoor(A, A)
    const intruder = await atDevicesDoor(B, A)
    await settle()
    expect([first.connected, intruder.connected]).toEqual([true, true])
    const again = await atDevicesDoor(A, 'something-else')
    await settle()
    expect([first.connected, again.connected]).toEqual([false, true])
  })

  it('drops a will on a topic of another device', async () => {
    const heard = await listen(await ingest(), 'roadmeter/v1/+/state')
    const will = (device: string) => ({
      topic: `roadmeter/v1/${device}/state`,
      payload: Buffer.from('gone'),
      qos: 1 as const,
    })
    const foreign = await connect(A, TOKEN, { will: will(B) }).catch(() => null)
    foreign?.stream.destroy()
    const own = await connect(B, TOKEN, { will: will(B) })
    own.stream.destroy()
    await settle()
    expect(heard).toEqual([`roadmeter/v1/${B}/state gone`])
  })
})
