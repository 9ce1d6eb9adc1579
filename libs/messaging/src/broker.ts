import { createServer, type AddressInfo, type Socket } from 'node:net'
import { Aedes, type AuthenticateError, type Client, type ConnectPacket } from 'aedes'
import { InputError, invariant, type DeviceId } from '#kernel'
import { type Log } from '#runtime'
import {
  CLOSE_WAIT_MS_MAX,
  PACKET_BYTES_MAX,
  receiptBytes,
  type BatchDoor,
  type BatchHandler,
  type DeviceAuthenticator,
} from './door'
import { InFlight } from './in-flight'
import { PacketGuard } from './packet-guard'
import { deviceId, topicOf } from './topics'

const CONNECTIONS_MAX = 10_000
/** Messages of all devices that are being committed at once; the rest wait in their sockets. */
const MESSAGES_IN_FLIGHT_MAX = 2_000
const CONNECT_BYTES_MAX = 8 * 1024
const STATE_BYTES_MAX = 1024
const CONNECT_WAIT_MS_MAX = 10_000

/** MQTT 3.1.1, table 3.1. */
const SERVER_UNAVAILABLE = 3
const NOT_AUTHORIZED = 5

/**
 * A broker of our own (MQTT 3.1.1) that devices speak to directly. aedes writes PUBACK before it keeps a message, so the
 * commit happens inside the publish authorisation, which comes before PUBACK; a message that could not be committed ends
 * its connection without one.
 *
 * A device signs in with its id as user name (or, without one, as client id) and its token as password, and has one
 * session: signing in again ends the earlier connection. It may publish to its own `batch` and `state` and read its own
 * `receipt` and `context`; whoever tries anything else is cut off. Throws InputError where the address can't be had.
 */
export async function openBroker(options: {
  host: string
  port: number
  authenticate: DeviceAuthenticator
  handle: BatchHandler
  log: Log
}): Promise<BatchDoor> {
  const { host, log } = options
  const inFlight = new InFlight(MESSAGES_IN_FLIGHT_MAX)
  const broker = await Aedes.createBroker({ connectTimeout: CONNECT_WAIT_MS_MAX })
  const connects = new WeakMap<Client, ConnectPacket>()
  const devices = new WeakMap<Client, DeviceId>()

  /** The refusal, logged. Topics and reasons only: a payload may hold a location. */
  const refuse = (device: string | null, reason: string, topic?: string): Error => {
    log.warn({ device, reason, topic: topic?.slice(0, 100) }, 'refused at the MQTT door')
    return new Error(reason)
  }

  broker.preConnect = (client, packet, done) => {
    // No session outlives its connection: a receipt is repeated whenever its batch is, so there is nothing to keep.
    packet.clean = true
    connects.set(client, packet)
    done(null, true)
  }

  broker.authenticate = (client, username, password, done) => {
    const deny = (returnCode: number, error: Error) =>
      done(Object.assign(error, { returnCode }) as AuthenticateError, null)
    const connect = connects.get(client)
    const device = deviceId(username ?? client.id)
    if (!connect || !device || !password) return deny(NOT_AUTHORIZED, refuse(device, 'no device id and token'))
    const { will } = connect
    if (will && (will.topic !== topicOf(device, 'state') || will.retain || (will.qos ?? 0) > 1))
      return deny(NOT_AUTHORIZED, refuse(device, 'a will that is not its own state', will.topic))
    options.authenticate(device, password.toString()).then(
      (known) => {
        if (!known) return deny(NOT_AUTHORIZED, refuse(device, 'wrong token'))
        // One session a device, and nobody can end another's by borrowing its client id.
        client.id = device
        devices.set(client, device)
        done(null, true)
      },
      (error: Error) => {
        log.error({ device, error: error.message }, 'could not check a token')
        deny(SERVER_UNAVAILABLE, new Error('try again later'))
      },
    )
  }

  broker.authorizePublish = (client, packet, done) => {
    const device = client && devices.get(client)
    if (!device) return done(refuse(null, 'publish without a device', packet.topic))
    if (packet.retain) return done(refuse(device, 'retained message', packet.topic))
    if (packet.qos > 1) return done(refuse(device, 'QoS 2', packet.topic))
    if (packet.topic === topicOf(device, 'state'))
      return done(packet.payload.length > STATE_BYTES_MAX ? refuse(device, 'state too large', packet.topic) : null)
    if (packet.topic !== topicOf(device, 'batch')) return done(refuse(device, 'foreign topic', packet.topic))
    const bytes = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    inFlight
      .run(() => options.handle({ device, bytes }))
      .then(
        (receipt) => {
          done()
          if (receipt)
            broker.publish(
              {
                cmd: 'publish',
                topic: topicOf(device, 'receipt'),
                payload: receiptBytes(receipt),
                qos: 0,
                dup: false,
                retain: false,
              },
              () => {},
            )
        },
        (error: Error) => {
          log.error({ device, error: error.message }, 'a message was not committed: no acknowledgement')
          done(new Error('not committed'))
        },
      )
  }

  const mayRead = (client: Client, topic: string): boolean => {
    const device = devices.get(client)
    return device !== undefined && (topic === topicOf(device, 'receipt') || topic === topicOf(device, 'context'))
  }
  broker.authorizeSubscribe = (client, subscription, done) => {
    if (mayRead(client, subscription.topic)) return done(null, subscription)
    done(refuse(devices.get(client) ?? null, 'foreign subscription', subscription.topic))
  }
  // The second lock on the same gate: whatever a subscription came to, only a device's own topics reach it.
  broker.authorizeForward = (client, packet) => (mayRead(client, packet.topic) ? packet : null)

  broker.on('clientError', (client, error) =>
    log.debug({ device: client.id, error: error.message }, 'connection ended'),
  )
  broker.on('connectionError', (_client, error) => log.debug({ error: error.message }, 'connection ended'))

  const sockets = new Set<Socket>()
  const server = createServer((socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    const client = broker.handle(socket)
    const guard = new PacketGuard(CONNECT_BYTES_MAX, PACKET_BYTES_MAX)
    // aedes reads on 'readable', so this sees each chunk inside read(), before the parser keeps any of it.
    socket.on('data', (chunk: Buffer) => {
      if (!guard.admits(chunk)) socket.destroy(refuse(devices.get(client) ?? null, 'packet too large'))
    })
  })
  server.maxConnections = CONNECTIONS_MAX
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port: options.port }, resolve)
    })
  } catch (error) {
    broker.close()
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new InputError(
        'PORT_IN_USE',
        `port ${options.port} of ${host} is already in use: the MQTT door can't listen there`,
      )
    throw new InputError('ADDRESS', `the MQTT door can't listen at port ${options.port} of ${host}: ${message}`)
  }
  server.on('error', (error) => log.error({ error: error.message }, 'MQTT door'))
  const address = server.address() as AddressInfo | null
  invariant(address, 'a listening server has an address')

  return {
    url: `mqtt://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    async answers() {
      if (!server.listening) throw new Error('the MQTT door does not listen')
    },
    async close() {
      const listening = new Promise<void>((resolve) => server.close(() => resolve()))
      await inFlight.drain(CLOSE_WAIT_MS_MAX)
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      // Those that never signed in are not the broker's to close.
      for (const socket of sockets) socket.destroy()
      await listening
    },
  }
}
