import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { type IPublishPacket, type MqttClient } from 'mqtt'
import { InputError, type DeviceId } from '#kernel'
import { type Receipt } from '#contracts'
import { crashPoint, type Log, type Metrics } from '#runtime'
import { backOff, firstConnection, hangUp, openClient, resetBackOff, shownUrl } from './connection'
import {
  CLOSE_WAIT_MS_MAX,
  PACKET_BYTES_MAX,
  receiptBytes,
  type BatchDoor,
  type BatchHandler,
  type NewsHandler,
} from './door'
import { Acknowledgements } from './acknowledgements'
import { InFlight } from './in-flight'
import { shareGroup, sharedBatches, sharedNews, topicOf, upward, upwardTopics } from './topics'

/**
 * How long the broker keeps what is meant for a connection of ours that is away: a restart, not more. Mosquitto goes on
 * dealing messages to a session that is away, so one that never comes back (a replica under a new name) holds its share of
 * them up until it expires.
 */
const SESSION_EXPIRY_S = 60
/** Messages that the broker sends to one connection before it waits for an acknowledgement. */
const RECEIVE_MAX = 128
/** Messages of all connections that are worked on at once: two commits of half as many. What is over it stays in its connection. */
const IN_HAND_MAX = 512
/** Receipts waiting for the socket, in bytes; over it they are dropped: a device asks again by sending again. */
const RECEIPT_BYTES_WAITING_MAX = 4 * 1024 * 1024
/** Connections in a row that somebody else ended within SHORT_LIFE_MS: another process signs in under our client id. */
const SHORT_LIVES_MAX = 3
const SHORT_LIFE_MS = 5_000
const NOT_YET = new Error('acknowledged when it is committed')

/**
 * Takes batches from an MQTT 5 broker, over `connections` that share one subscription. Messages are worked on as they come, many at
 * a time, so that they share commits. PUBACK goes out when the handler has resolved. When it rejects there is none: the connection
 * is cut and comes back after a pause, and the broker delivers again.
 *
 * The sessions outlive a restart under the same `instance` (the host's name unless told), so that batches wait in the
 * broker meanwhile; every connection of the same `group` shares the batches, another group gets all of
 * them again. `forgotten` is called where the broker comes back without what it kept for us. Throws InputError where the broker
 * can't be reached or refuses us.
 */
export async function subscribeBroker(options: {
  url: string
  username: string
  password: string
  connections: number
  handle: BatchHandler
  tell?: NewsHandler
  /** Where a Traccar server forwards to; empty or absent: none does. */
  traccarTopic?: string
  forgotten?: () => void
  log: Log
  metrics?: Metrics
  instance?: string
  group?: string
}): Promise<BatchDoor> {
  const { url, log, handle } = options
  const instance = options.instance ?? hostname().replace(/[^A-Za-z0-9-]/g, '-')
  const group = options.group ?? shareGroup(options.username, options.password)
  const batches = sharedBatches(group)
  const topics = [batches, ...(options.tell ? sharedNews(group, options.traccarTopic ?? '') : [])]
  const inFlight = new InFlight(IN_HAND_MAX)
  const signIn = { username: options.username, password: options.password || undefined, protocolVersion: 5 as const }

  // Receipts have a connection of their own: mqtt.js deadlocks on a QoS 1 publish inside a message handler, and cutting a
  // connection must not take other devices' receipts with it. QoS 0: a receipt that is lost is sent again with its batch.
  const publisher = openClient(url, { ...signIn, clientId: `roadmeter-receipts-${randomBytes(8).toString('hex')}` })
  publisher.on('connect', () => resetBackOff(publisher))
  countConnections(publisher, 'receipts')
  publisher.on('connect', () => void clearRetained())
  // What is retained comes at once with the subscription, marked; whatever else comes meanwhile is the group's.
  publisher.on('message', (topic, _payload, { retain }) => retain && clear(topic))
  publisher.on('error', (error) => log.warn({ error: error.message }, 'MQTT receipts'))
  const sendReceipt = (device: DeviceId, receipt: Receipt): void => {
    if (!publisher.connected || publisher.stream.writableLength > RECEIPT_BYTES_WAITING_MAX) return
    publisher.publish(topicOf(device, 'receipt'), receiptBytes(receipt), { qos: 0 })
  }

  /** Takes from the broker what it keeps of a topic that devices write to: sealed and forgotten on time is only what we keep. */
  function clear(topic: string): void {
    publisher.publish(topic, '', { qos: 0, retain: true }, () => undefined)
  }

  /** Finds what devices had retained while nobody was here. */
  async function clearRetained(): Promise<void> {
    try {
      const written = upwardTopics(options.traccarTopic ?? '')
      await publisher.subscribeAsync(written, { qos: 0 })
      await publisher.unsubscribeAsync(written)
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'could not look for retained messages')
    }
  }

  const connections = Array.from({ length: options.connections }, (_, i) => openConnection(i))

  function openConnection(index: number): { client: MqttClient; subscribed: Promise<void> } {
    const clientId = `roadmeter-ingest-${instance}-${index}`
    const client = openClient(url, {
      ...signIn,
      clientId,
      clean: false,
      properties: {
        sessionExpiryInterval: SESSION_EXPIRY_S,
        receiveMaximum: RECEIVE_MAX,
        maximumPacketSize: PACKET_BYTES_MAX,
      },
    })
    // Packet ids are used again after a reconnect: an acknowledgement decided on an earlier connection would be taken for
    // another message's. Whatever ends a connection makes a new epoch, which owes nothing of the one before.
    let epoch = 0
    let cut = false
    let connectedAtMs: number | null = null
    const acknowledgements = new Acknowledgements((bytes) => void client.stream.write(bytes))
    client.handleMessage = (packet: IPublishPacket, goOn) => {
      // Left with the broker for whoever comes next. mqtt.js goes on with what it has read of a connection that is gone, until the next.
      if (inFlight.isClosed || connectedAtMs === null) return
      const mine = epoch
      const acknowledge = acknowledgements.expect(packet)
      inFlight
        .run(() => {
          // The next message is read while this one is worked on; an error, so that mqtt.js doesn't acknowledge it.
          goOn(NOT_YET)
          return receive(packet)
        })
        .then(
          () => {
            resetBackOff(client)
            acknowledge()
          },
          (error: Error) => {
            options.metrics?.uncommitted.inc()
            log.error({ error: error.message, topic: packet.topic }, 'a message was not committed: no acknowledgement')
            if (epoch !== mine || inFlight.isClosed) return
            epoch++
            acknowledgements.forget()
            cut = true
            backOff(client)
            client.stream.destroy()
          },
        )
    }
    let shortLives = 0
    let known = false
    client.on('connect', ({ sessionPresent }) => {
      connectedAtMs = performance.now()
      // One of our sessions is enough to tell.
      if (index === 0 && known && !sessionPresent) options.forgotten?.()
      known = true
    })
    client.on('close', () => {
      epoch++
      acknowledgements.forget()
      if (connectedAtMs === null) return
      shortLives = !cut && performance.now() - connectedAtMs < SHORT_LIFE_MS ? shortLives + 1 : 0
      connectedAtMs = null
      cut = false
      if (shortLives < SHORT_LIVES_MAX) return
      // Two processes on one host would throw each other out for ever (Mosquitto 2.0 does not even say why).
      shortLives = 0
      client.options.clientId = `${clientId}-${randomBytes(4).toString('hex')}`
      log.warn({ clientId, instead: client.options.clientId }, 'another process seems to use this MQTT client id')
    })
    client.on('error', (error) => log.warn({ error: error.message, connection: index }, 'MQTT subscription'))
    countConnections(client, 'subscriber')
    const subscribed = firstConnection(client, url).then(async () => {
      await subscribe(client)
      client.on('connect', () => {
        subscribe(client).catch((error: Error) => {
          log.error({ error: error.message, connection: index }, 'MQTT subscription')
          client.stream.destroy()
        })
      })
    })
    return { client, subscribed }
  }

  async function subscribe(client: MqttClient): Promise<void> {
    const granted = await client.subscribeAsync(topics, { qos: 1, rap: true })
    if (granted.length < topics.length || granted.some(({ qos }) => qos >= 128))
      throw new InputError(
        'BROKER_REFUSED',
        `the MQTT broker at ${shownUrl(url)} does not let "${options.username}" subscribe to ${topics.join(', ')}`,
      )
  }

  function refuse(topic: string, why: string): void {
    options.metrics?.doorRefusals.inc()
    log.warn({ topic: topic.slice(0, 100) }, why)
  }

  function countConnections(client: MqttClient, kind: string): void {
    let counted = false
    client.on('connect', () => {
      if (!counted) options.metrics?.connections.inc({ kind })
      counted = true
    })
    client.on('close', () => {
      if (counted) options.metrics?.connections.dec({ kind })
      counted = false
    })
  }

  async function receive(packet: IPublishPacket): Promise<void> {
    const bytes = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    if (packet.retain) {
      // Our own word that nothing is kept.
      if (bytes.length === 0) return
      clear(packet.topic)
      // The app has its positions retained unless told otherwise. Else what is kept may have been said long ago, by whom nobody knows.
      if (!packet.topic.startsWith('owntracks/')) return refuse(packet.topic, 'a retained message was dropped')
    }
    if (packet.topic === options.traccarTopic) return options.tell?.({ kind: 'traccar', bytes })
    const from = upward(packet.topic)
    if (!from) return refuse(packet.topic, 'a topic without a device id: message dropped')
    const { device, kind } = from
    if (kind !== 'batch') return options.tell?.({ kind, device, bytes })
    const receipt = await handle({ device, bytes })
    if (!receipt) return
    sendReceipt(device, receipt)
    crashPoint('door.receipt-sent')
  }

  /**
   * Ends a device's connection by signing in under its client id, which at the devices' doors is its name. A Mosquitto that reads
   * its lists again ends those that came by token; one that came by certificate would stay, though it may do nothing.
   */
  async function expel(device: DeviceId): Promise<void> {
    const client = openClient(url, { ...signIn, clientId: device, clean: true, reconnectPeriod: 0 })
    client.on('error', () => undefined)
    await firstConnection(client, url)
    await hangUp(client, 1_000)
  }

  const hangUpAll = () =>
    Promise.all([...connections.map(({ client }) => client), publisher].map((c) => hangUp(c, 1_000)))
  const ready = await Promise.allSettled([
    firstConnection(publisher, url),
    ...connections.map(({ subscribed }) => subscribed),
  ])
  const failed = ready.find((result) => result.status === 'rejected')
  if (failed) {
    await hangUpAll()
    throw failed.reason
  }

  return {
    url: shownUrl(url),
    async announce(device, context) {
      // QoS 1: awaited, so that a change is not taken for told where the broker was away.
      await publisher.publishAsync(topicOf(device, 'context'), Buffer.from(context ?? []), { qos: 1, retain: true })
      if (context === null) await expel(device)
    },
    async answers() {
      if (!connections.some(({ client }) => client.connected)) throw new Error('the MQTT broker is away')
    },
    async close() {
      await inFlight.drain(CLOSE_WAIT_MS_MAX)
      await hangUpAll()
    },
  }
}
