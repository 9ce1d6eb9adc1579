import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { Aedes, type AuthenticateError, type Client, type ConnectPacket } from 'aedes'
import { InputError, invariant, type DeviceId } from '#kernel'
import { crashPoint, type Log, type Metrics } from '#runtime'
import {
  CLOSE_WAIT_MS_MAX,
  PACKET_BYTES_MAX,
  receiptBytes,
  type BatchDoor,
  type BatchHandler,
  type DeviceGate,
  type News,
  type NewsHandler,
} from './door'
import { InFlight } from './in-flight'
import { PacketGuard } from './packet-guard'
import { deviceId, topicOf, upward } from './topics'

const CONNECTIONS_MAX = 10_000
/** Messages of all devices that are being committed at once; the rest wait in their sockets. */
const MESSAGES_IN_FLIGHT_MAX = 2_000
const CONNECT_BYTES_MAX = 8 * 1024
const NEWS_BYTES_MAX = 16 * 1024
/** How long a connection may take over its TLS handshake, and then over its CONNECT. */
const CONNECT_WAIT_MS_MAX = 10_000
/** How often sessions are held against the registry: what is revoked is cut off after so long at the latest. */
const RECHECK_MS = 10_000
const RECHECK_DEVICES = 1_000
/** Sign-ins of one device that each ended a living session, within a minute, before its owner is told of a clone. */
const TAKEOVERS_MAX = 3
const TAKEOVER_MS = 60_000
/** A Traccar server signs in under this name: no device has one so short. */
export const TRACCAR = 'traccar'

/** MQTT 3.1.1, table 3.1. */
const SERVER_UNAVAILABLE = 3
const NOT_AUTHORIZED = 5

/**
 * A broker of our own (MQTT 3.1.1) that devices speak to directly. aedes writes PUBACK before it keeps a message, so the
 * commit happens inside the publish authorisation, which comes before PUBACK; a message that could not be committed ends
 * its connection without one.
 *
 * A device signs in with its id as user name (or, without one, as client id) and its token as password, and has one
 * session: signing in again ends the earlier connection. Over TLS with an authority a certificate does in place of the token:
 * its common name is the device. It may publish to its own `batch`, `state` and OwnTracks topics and read its own `receipt` and
 * `context`; whoever tries anything else is cut off, and so is, within RECHECK_MS, a session whose credentials have ended.
 * Throws InputError where the address can't be had.
 */
export async function openBroker(options: {
  host: string
  port: number
  gate: DeviceGate
  handle: BatchHandler
  tell?: NewsHandler
  /** Topic and token of a Traccar server that forwards; absent: none does. */
  traccar?: { topic: string; token: string }
  /** In PEM. With an authority devices may sign in by certificate. */
  tls?: { key: string; cert: string; ca?: string }
  log: Log
  metrics?: Metrics
  recheckMs?: number
  connectWaitMs?: number
}): Promise<BatchDoor> {
  const { host, log, connectWaitMs = CONNECT_WAIT_MS_MAX } = options
  const inFlight = new InFlight(MESSAGES_IN_FLIGHT_MAX)
  const broker = await Aedes.createBroker({ connectTimeout: connectWaitMs })
  const connects = new WeakMap<Client, ConnectPacket>()
  const devices = new WeakMap<Client, DeviceId>()
  const forwarders = new WeakSet<Client>()
  const sessions = new Map<DeviceId, { client: Client; version: string }>()
  const takeovers = new Map<DeviceId, number[]>()

  /** The refusal, logged. Topics and reasons only: a payload may hold a location. */
  const refuse = (device: string | null, reason: string, topic?: string): Error => {
    options.metrics?.doorRefusals.inc()
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
    if (connect && username === TRACCAR && options.traccar) {
      if (connect.will || !sameText(password?.toString() ?? '', options.traccar.token))
        return deny(NOT_AUTHORIZED, refuse(TRACCAR, 'wrong token, or a will'))
      forwarders.add(client)
      return done(null, true)
    }
    const certified = certifiedName(client)
    const device = deviceId(username ?? certified ?? client.id)
    if (!connect || !device || (!password && certified !== device))
      return deny(NOT_AUTHORIZED, refuse(device, 'no device id and token'))
    const { will } = connect
    const willTo = will && upward(will.topic)
    if (will && (willTo?.device !== device || willTo.kind === 'batch' || will.retain || (will.qos ?? 0) > 1))
      return deny(NOT_AUTHORIZED, refuse(device, 'a will that is not its own state', will.topic))
    options.gate.admit(device, certified === device ? null : password!.toString()).then(
      (version) => {
        if (version === null) return deny(NOT_AUTHORIZED, refuse(device, 'wrong token, or revoked'))
        const before = sessions.get(device)
        if (before && !before.client.closed) contest(device)
        sessions.set(device, { client, version })
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
    if (client && forwarders.has(client)) {
      if (packet.retain || packet.topic !== options.traccar!.topic)
        return done(refuse(TRACCAR, 'not the topic that it forwards to', packet.topic))
      return told({ kind: 'traccar', bytes: payloadOf(packet) }, done)
    }
    const device = client && devices.get(client)
    if (!device) return done(refuse(null, 'publish without a device', packet.topic))
    // The OwnTracks app asks for its position to be kept unless told otherwise: taken in, not kept.
    if (packet.topic.startsWith('owntracks/')) packet.retain = false
    if (packet.retain) return done(refuse(device, 'retained message', packet.topic))
    if (packet.qos > 1) return done(refuse(device, 'QoS 2', packet.topic))
    const to = upward(packet.topic)
    if (to?.device !== device) return done(refuse(device, 'foreign topic', packet.topic))
    const bytes = payloadOf(packet)
    if (to.kind !== 'batch') {
      if (bytes.length > NEWS_BYTES_MAX) return done(refuse(device, `${to.kind} too large`, packet.topic))
      return told({ kind: to.kind, device, bytes }, done)
    }
    inFlight
      .run(() => options.handle({ device, bytes }))
      .then(
        (receipt) => {
          done()
          crashPoint('door.acknowledged')
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
          options.metrics?.uncommitted.inc()
          log.error({ device, error: error.message }, 'a message was not committed: no acknowledgement')
          done(new Error('not committed'))
        },
      )
  }

  const told = (news: News, done: (error?: Error | null) => void): void => {
    inFlight
      .run(async () => options.tell?.(news))
      .then(
        () => done(),
        (error: Error) => {
          options.metrics?.uncommitted.inc()
          log.error({ kind: news.kind, error: error.message }, 'news was not taken in: no acknowledgement')
          done(new Error('not committed'))
        },
      )
  }

  const contest = (device: DeviceId): void => {
    const now = performance.now()
    const recent = [...(takeovers.get(device) ?? []).filter((at) => now - at < TAKEOVER_MS), now]
    takeovers.set(device, recent)
    if (recent.length < TAKEOVERS_MAX) return
    takeovers.delete(device)
    log.warn({ device }, 'sessions of a device end each other: a clone?')
    options.gate.contested?.(device)
  }

  /** Ends sessions whose credentials are revoked or replaced. */
  const recheck = async (): Promise<void> => {
    for (const [device, at] of takeovers) if (performance.now() - at.at(-1)! > TAKEOVER_MS) takeovers.delete(device)
    const all = [...sessions]
    for (let i = 0; i < all.length; i += RECHECK_DEVICES) {
      const some = all.slice(i, i + RECHECK_DEVICES)
      const present = await options.gate.versions(some.map(([device]) => device))
      for (const [device, { client, version }] of some) {
        if (present.get(device) === version) continue
        refuse(device, 'its credentials have ended')
        client.close()
      }
    }
  }
  const mayRead = (client: Client, topic: string): boolean => {
    const device = devices.get(client)
    return device !== undefined && (topic === topicOf(device, 'receipt') || topic === topicOf(device, 'context'))
  }
  broker.authorizeSubscribe = (client, subscription, done) => {
    if (mayRead(client, subscription.topic)) return done(null, subscription)
    const refused = refuse(devices.get(client) ?? null, 'foreign subscription', subscription.topic)
    // The OwnTracks app asks for its friends' positions at every connection: it is told no, and stays.
    if (subscription.topic.startsWith('owntracks/')) return done(null, null)
    done(refused)
  }
  // The second lock on the same gate: whatever a subscription came to, only a device's own topics reach it.
  broker.authorizeForward = (client, packet) => (mayRead(client, packet.topic) ? packet : null)

  broker.on('clientDisconnect', (client) => {
    const device = devices.get(client)
    if (device && sessions.get(device)?.client === client) sessions.delete(device)
  })
  broker.on('clientError', (client, error) =>
    log.debug({ device: client.id, error: error.message }, 'connection ended'),
  )
  broker.on('connectionError', (_client, error) => log.debug({ error: error.message }, 'connection ended'))

  const serve = (socket: Socket) => {
    socket.setNoDelay(true)
    socket.setKeepAlive(true, 60_000)
    const client = broker.handle(socket)
    const guard = new PacketGuard(CONNECT_BYTES_MAX, PACKET_BYTES_MAX)
    // aedes reads on 'readable', so this sees each chunk inside read(), before the parser keeps any of it.
    socket.on('data', (chunk: Buffer) => {
      if (!guard.admits(chunk)) socket.destroy(refuse(devices.get(client) ?? null, 'packet too large'))
    })
  }
  const { tls } = options
  const server = tls
    ? createTlsServer(
        {
          ...tls,
          minVersion: 'TLSv1.2',
          requestCert: tls.ca !== undefined,
          rejectUnauthorized: false,
          handshakeTimeout: connectWaitMs,
        },
        serve,
      )
    : createServer(serve)
  if (tls)
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      log.debug({ error: error.message }, 'connection ended')
      // Node only tells of a handshake that took too long.
      socket.destroy()
    })
  // As TCP accepts them: those in the middle of a handshake hold the server open, too.
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    options.metrics?.connections.set({ kind: 'device' }, sockets.size)
    socket.once('close', () => {
      sockets.delete(socket)
      options.metrics?.connections.set({ kind: 'device' }, sockets.size)
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
  const rechecking = setInterval(
    () => void recheck().catch((error: Error) => log.error({ error: error.message }, 'could not recheck sessions')),
    options.recheckMs ?? RECHECK_MS,
  )
  server.on('error', (error) => log.error({ error: error.message }, 'MQTT door'))
  const address = server.address() as AddressInfo | null
  invariant(address, 'a listening server has an address')

  return {
    url: `${tls ? 'mqtts' : 'mqtt'}://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    announce: (device, context) =>
      new Promise((resolve, reject) =>
        broker.publish(
          {
            cmd: 'publish',
            topic: topicOf(device, 'context'),
            payload: Buffer.from(context ?? []),
            qos: 1,
            dup: false,
            retain: true,
          },
          (error) => (error ? reject(error) : resolve()),
        ),
      ),
    async answers() {
      if (!server.listening) throw new Error('the MQTT door does not listen')
    },
    async close() {
      const listening = new Promise<void>((resolve) => server.close(() => resolve()))
      clearInterval(rechecking)
      await inFlight.drain(CLOSE_WAIT_MS_MAX)
      await new Promise<void>((resolve) => broker.close(() => resolve()))
      // Those that never signed in are not the broker's to close.
      for (const socket of sockets) socket.destroy()
      await listening
    },
  }
}

const payloadOf = ({ payload }: { payload: string | Buffer }): Buffer =>
  typeof payload === 'string' ? Buffer.from(payload) : payload

/** The common name of a certificate that our authority has signed; undefined without one. */
function certifiedName(client: Client): string | undefined {
  const socket = client.conn as Partial<TLSSocket>
  const name = socket.authorized ? socket.getPeerCertificate?.().subject?.CN : undefined
  return typeof name === 'string' ? name : undefined
}

const sameText = (a: string, b: string): boolean =>
  timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest())
