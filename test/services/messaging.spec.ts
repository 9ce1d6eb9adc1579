import { connect as openSocket, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { connectAsync } from 'mqtt'
import { receiptOf, type Batch } from '#contracts'
import { type DeviceId } from '#kernel'
import {
  DeviceClient,
  redisBell,
  subscribeBroker,
  type BatchDoor,
  type BatchHandler,
  type Bell,
  type Message,
  type Ring,
} from '#messaging'
import { openLog, readSettings } from '#runtime'
import { admitDevices } from './devices'

// Mosquitto under the rules of infra/mosquitto, and a Redis whose database 15 may be emptied, as infra/services.sh starts
// them. Absent: skipped, loudly.
const settings = readSettings(process.env)
const TOKEN = randomBytes(16).toString('hex')
const STRANGER = 'NOT_A_DEVICE'
const log = openLog({ logLevel: 'silent' }, 'test')
const present = (name: string, url: string) => {
  if (!url) console.warn(`SKIPPED: no ${name}, so nothing here was tried against a real server`)
  return url ? describe : describe.skip
}

async function until(what: string, holds: () => boolean, waitMsMax = 20_000): Promise<void> {
  for (let waited = 0; !holds(); waited += 10) {
    if (waited > waitMsMax) throw new Error(`waited ${waitMsMax} ms in vain until ${what}`)
    await delay(10)
  }
}

/** A wire to a server that can be cut and mended: what an outage looks like from here. */
class Wire {
  private readonly sockets = new Set<Socket>()
  private server: Server | null = null
  private constructor(
    private readonly to: URL,
    private port: number,
  ) {}

  static async to(url: string, fallbackPort: string): Promise<Wire> {
    const to = new URL(url)
    to.port ||= fallbackPort
    const wire = new Wire(to, 0)
    await wire.mend()
    return wire
  }
  /** The server's address, by way of this wire. */
  get url(): string {
    const url = new URL(this.to)
    url.hostname = '127.0.0.1'
    url.port = String(this.port)
    return url.toString()
  }
  async mend(): Promise<void> {
    const server = createServer((near) => {
      const far = openSocket(Number(this.to.port), this.to.hostname)
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ]) {
        this.sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          this.sockets.delete(socket)
          other.destroy()
        })
        socket.pipe(other)
      }
    })
    this.server = server
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve))
    this.port = (server.address() as AddressInfo).port
  }
  /** Ends every connection; new ones still come through. */
  jerk(): void {
    for (const socket of this.sockets) socket.destroy()
  }
  async cut(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server?.close(() => resolve()) ?? resolve())
    this.jerk()
    await closed
    this.server = null
  }
}

const closing: { close(): Promise<unknown> }[] = []
const opened = <T extends { close(): Promise<unknown> }>(thing: T): T => {
  closing.push(thing)
  return thing
}
afterEach(async () => {
  for (const thing of closing.splice(0).reverse()) await thing.close()
})
async function wire(url: string, port: string): Promise<Wire> {
  const made = await Wire.to(url, port)
  opened({ close: () => made.cut() })
  return made
}

present('MQTT_URL', settings.mqttUrl)('a subscription to a real broker', () => {
  // A new name and share group each time: the broker deals to sessions that are away, too.
  let instance = ''
  let device = '' as DeviceId
  beforeEach(() => {
    instance = `test-${randomBytes(6).toString('hex')}`
    device = `device-${randomBytes(6).toString('hex')}` as DeviceId
  })
  const batch = (seq: number): Batch => ({
    v: 1,
    boot: 1,
    seq,
    trip: 't',
    event: 'run',
    fixes: [[1_763_810_000_000, 43.7, 7.4]],
  })
  const seqOf = (message: Message) => (JSON.parse(new TextDecoder().decode(message.bytes)) as Batch).seq
  const receipt: BatchHandler = async (message) => receiptOf(message.device as DeviceId, 1, [[0, seqOf(message) + 1]])

  const subscribe = async (handle: BatchHandler, connections = 1, url = settings.mqttUrl): Promise<BatchDoor> =>
    opened(
      await subscribeBroker({
        url,
        username: settings.mqttUsername,
        password: settings.mqttPassword,
        connections,
        // A group of one's own gets every device's batches.
        handle: async (message) => (message.device === device ? handle(message) : null),
        log,
        instance,
        group: instance,
      }),
    )
  const connectDevice = async (protocolVersion: 4 | 5 = 4): Promise<DeviceClient> => {
    await admitDevices([device], TOKEN)
    return opened(
      await DeviceClient.connect({
        url: settings.mqttUrl,
        device,
        token: TOKEN,
        resendMs: 20_000,
        sendingsMax: 1,
        protocolVersion,
      }),
    )
  }

  it.each([4, 5] as const)('takes batches of an MQTT %s device and sends receipts', async (protocolVersion) => {
    await subscribe(receipt, 2)
    const client = await connectDevice(protocolVersion)
    const receipts = await Promise.all([0, 1, 2, 3].map((seq) => client.send(batch(seq))))
    expect(receipts.map(({ boot }) => boot)).toEqual([1, 1, 1, 1])
  })

  it('is given a message again until its commit succeeds', async () => {
    const seen: number[] = []
    await subscribe(async (message) => {
      seen.push(seqOf(message))
      if (seen.length < 3) throw new Error('the disk is full')
      return receipt(message)
    })
    // Sent once: what comes again comes from the broker.
    await expect((await connectDevice()).send(batch(0))).resolves.toMatchObject({ upTo: 0 })
    expect(seen).toEqual([0, 0, 0])
  })

  it('works on many messages of a connection at once, and on each once', async () => {
    let now = 0
    let most = 0
    const seen: number[] = []
    await subscribe(async (message) => {
      most = Math.max(most, ++now)
      // The later ones are done first: they are acknowledged all the same, behind the earlier ones.
      await delay(60 - seqOf(message))
      now--
      seen.push(seqOf(message))
      return receipt(message)
    }, 2)
    const client = await connectDevice()
    await Promise.all(Array.from({ length: 60 }, (_, seq) => client.send(batch(seq))))
    // A receipt covers all that came before it, so the last messages may still be in hand.
    await until('all are handled', () => seen.length >= 60)
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, seq) => seq))
    expect(most).toBeGreaterThan(2)
    // Acknowledged, every one: a connection that begins anew under the same name is given none of them.
    await closing.pop()!.close()
    await closing.pop()!.close()
    await subscribe(async () => void seen.push(-1) as never)
    await delay(300)
    expect(seen).toHaveLength(60)
  })

  it('finds what came while it was away', async () => {
    await (await subscribe(receipt)).close()
    const client = await connectDevice()
    await client.sendBytes(Buffer.from(JSON.stringify(batch(9))))
    const seen: number[] = []
    await subscribe(async (message) => {
      seen.push(seqOf(message))
      return null
    })
    await until('the batch arrives', () => seen.length > 0)
    expect(seen).toEqual([9])
  })

  it('does not acknowledge on a later connection what came on an earlier one', async () => {
    const line = await wire(settings.mqttUrl, '1883')
    const commits: (() => void)[] = []
    await subscribe(() => new Promise((resolve) => commits.push(() => resolve(null))), 1, line.url)
    const client = await connectDevice()
    await client.sendBytes(Buffer.from(JSON.stringify(batch(0))))
    await until('the first delivery', () => commits.length === 1)
    line.jerk()
    await until('the second delivery', () => commits.length === 2)
    // The packet id is the same again: this late answer must not count for the second delivery, still in hand.
    commits[0]()
    await delay(100)
    line.jerk()
    await until('the third delivery', () => commits.length === 3)
    commits[2]()
    await delay(100)
    line.jerk()
    await delay(1_000)
    expect(commits).toHaveLength(3)
    commits[1]()
  })

  it('does not acknowledge on a later connection what it took up after an earlier one was gone', async () => {
    const line = await wire(settings.mqttUrl, '1883')
    type Phase = 'before' | 'between' | 'later' | 'last'
    let phase: Phase = 'before'
    const commits: Record<Phase, (() => void)[]> = { before: [], between: [], later: [], last: [] }
    const last = new Set<number>()
    const handle: BatchHandler = async (message) => {
      if (phase === 'last') last.add(seqOf(message))
      else await new Promise<void>((resolve) => commits[phase].push(resolve))
      return null
    }
    const commit = (of: Phase) => commits[of].splice(0).forEach((done) => done())
    await subscribe(handle, 6, line.url)
    const client = await connectDevice()
    // More than is worked on at once: the rest wait in their connections, read already.
    const sent = 640
    const bytes = Array.from({ length: sent }, (_, seq) => Buffer.from(JSON.stringify(batch(seq))))
    await Promise.all(bytes.map((one) => client.sendBytes(one)))
    await until('as many are in hand as ever are', () => commits.before.length === 512)
    line.jerk()
    await delay(20)
    phase = 'between'
    commit('before')
    await delay(100)
    phase = 'later'
    await until('what was not acknowledged comes again', () => commits.later.length > 300)
    commit('between')
    await delay(200)
    // Nothing was committed of what the present connections brought, so that all of it must come once more.
    line.jerk()
    await delay(20)
    phase = 'last'
    commit('later')
    await until('all come again', () => last.size === sent, 5_000)
  })

  it('takes away what devices have retained, now and while it was away', async () => {
    const client = await connectDevice()
    await closing.pop()!.close()
    expect(client).toBeDefined()
    const say = async (leaf: string, payload: string) => {
      const phone = await connectAsync(settings.mqttUrl, { username: device, password: TOKEN })
      await phone.publishAsync(leaf, payload, { qos: 1, retain: true })
      await phone.endAsync()
    }
    const position = (lat: number) => JSON.stringify({ _type: 'location', lat, lon: 7.4, tst: 1_763_810_000 })
    // Ingest's own account may read all, and sees what a broker keeps for whoever comes.
    const kept = async (): Promise<string[]> => {
      const topics: string[] = []
      const reader = await connectAsync(settings.mqttUrl, {
        username: settings.mqttUsername,
        password: settings.mqttPassword,
        clientId: `reader-${instance}`,
      })
      reader.on('message', (topic, _payload, { retain }) => retain && topics.push(topic))
      await reader.subscribeAsync([`owntracks/${device}/+`, `roadmeter/v1/${device}/batch`], { qos: 0 })
      await delay(200)
      await reader.endAsync()
      return topics.sort()
    }
    await say(`owntracks/${device}/phone`, position(43.7))
    await say(`roadmeter/v1/${device}/batch`, JSON.stringify(batch(0)))
    expect(await kept()).toEqual([`owntracks/${device}/phone`, `roadmeter/v1/${device}/batch`])
    const told: string[] = []
    opened(
      await subscribeBroker({
        url: settings.mqttUrl,
        username: settings.mqttUsername,
        password: settings.mqttPassword,
        connections: 1,
        handle: async (message) => void told.push(`batch of ${message.device}`) as never,
        tell: async (news) => void (news.kind === 'owntracks' && told.push(new TextDecoder().decode(news.bytes))),
        log,
        instance,
        group: instance,
      }),
    )
    await delay(300)
    expect(await kept()).toEqual([])
    await say(`owntracks/${device}/phone`, position(43.8))
    await say(`roadmeter/v1/${device}/batch`, JSON.stringify(batch(1)))
    await until('the position is taken in', () => told.includes(position(43.8)))
    await delay(300)
    // Whether members of a group are given what was kept is the broker's choice. A batch that was kept is nobody's.
    expect(told.filter((one) => one !== position(43.7))).toEqual([position(43.8)])
    expect(await kept()).toEqual([])
  })

  it('says when the broker has forgotten what it kept for us, and only then', async () => {
    const account = { username: settings.mqttUsername, password: settings.mqttPassword }
    const line = await wire(settings.mqttUrl, '1883')
    let forgotten = 0
    opened(
      await subscribeBroker({
        ...account,
        url: line.url,
        connections: 2,
        handle: async () => null,
        forgotten: () => forgotten++,
        log,
        instance,
        group: instance,
      }),
    )
    line.jerk()
    await delay(1_500)
    expect(forgotten).toBe(0)
    // A session that is begun anew under our name ends the one that was kept.
    const other = { ...account, clientId: `roadmeter-ingest-${instance}-0`, clean: true }
    await (await connectAsync(settings.mqttUrl, other)).endAsync()
    await until('it is said', () => forgotten === 1)
  })

  it('answers for itself while the broker does', async () => {
    const line = await wire(settings.mqttUrl, '1883')
    const door = await subscribe(async () => null, 2, line.url)
    await door.answers()
    await line.cut()
    await delay(200)
    await expect(door.answers()).rejects.toThrow('the MQTT broker is away')
  })

  it('goes on when another process takes the same name', async () => {
    const seen = { elder: 0, younger: 0 }
    await subscribe(async (message) => {
      seen.elder++
      return receipt(message)
    })
    await subscribe(async (message) => {
      seen.younger++
      return receipt(message)
    })
    const client = await connectDevice()
    // Until then each throws the other out.
    await delay(4_000)
    for (let seq = 0; seq < 10; seq++) await client.send(batch(seq))
    expect(seen.elder + seen.younger).toBe(10)
    expect(Math.min(seen.elder, seen.younger)).toBeGreaterThan(0)
  })

  it('takes a device from the topic only where it is one, and drops the rest for good', async () => {
    const seen: string[] = []
    const door = await subscribeBroker({
      url: settings.mqttUrl,
      username: settings.mqttUsername,
      password: settings.mqttPassword,
      connections: 1,
      handle: async (message) => {
        seen.push(message.device)
        return null
      },
      log,
      instance,
      group: instance,
    })
    opened(door)
    // The broker lets any user write to a topic of its name; ours must still be a device's.
    await admitDevices([STRANGER], TOKEN)
    const stranger = await connectAsync(settings.mqttUrl, { password: TOKEN, username: STRANGER })
    await stranger.publishAsync(`roadmeter/v1/${STRANGER}/batch`, 'x', { qos: 1 })
    await stranger.endAsync()
    await (await connectDevice()).sendBytes(Buffer.from('x'))
    await until('the good one arrives', () => seen.includes(device))
    expect(seen).not.toContain(STRANGER)
  })
})

present('REDIS_URL', settings.redisUrl)('the bell between processes', () => {
  const url = settings.redisUrl && Object.assign(new URL(settings.redisUrl), { pathname: '/15' }).toString()
  const queue = async <T>(use: (queue: Queue) => Promise<T>): Promise<T> => {
    const made = new Queue('roadmeter-work', { connection: { url, maxRetriesPerRequest: null } })
    try {
      return await use(made)
    } finally {
      await made.close()
    }
  }
  const flush = async () => {
    const redis = new Redis(url)
    await redis.flushdb()
    redis.disconnect()
  }
  const bellAt = (at = url): Bell => opened(redisBell(at, log))
  const heard: string[] = []
  const listen = (bell: Bell) => bell.listen(async ({ stage, key }: Ring) => void heard.push(`${stage} ${key}`), 2)
  const ring = (key: string): Ring => ({ stage: 'match', key })
  beforeEach(async () => {
    heard.length = 0
    await flush()
  })

  it('rings in another process, and leaves nothing behind', async () => {
    await listen(bellAt())
    const failing = bellAt()
    await bellAt().ring([ring('a'), ring('b')])
    await until('both are heard', () => heard.length === 2)
    expect(heard.sort()).toEqual(['match a', 'match b'])
    // The same ring again, twice: nothing of the first one swallows it.
    await failing.ring([ring('a')])
    await until('the third is heard', () => heard.length === 3)
    await delay(50)
    expect(await queue((q) => q.getJobCounts())).toMatchObject({ waiting: 0, active: 0, completed: 0, failed: 0 })
  })

  it('leaves nothing behind when an answer fails, and goes on', async () => {
    let answers = 0
    const bell = bellAt()
    await bell.listen(async () => {
      answers++
      throw new Error('no luck')
    }, 1)
    await bell.ring([ring('a'), ring('b')])
    await until('both are answered', () => answers === 2)
    await delay(50)
    expect(await queue((q) => q.getJobCounts())).toMatchObject({ waiting: 0, active: 0, completed: 0, failed: 0 })
  })

  it('rings on after Redis was flushed', async () => {
    const bell = bellAt()
    await listen(bell)
    await bell.ring([ring('a')])
    await until('the first is heard', () => heard.length === 1)
    await flush()
    await bell.ring([ring('b')])
    await until('the second is heard', () => heard.length === 2)
  })

  it('neither throws nor keeps its caller while Redis is away, and resumes when it is back', async () => {
    const line = await wire(url, '6379')
    const bell = bellAt(line.url)
    await listen(bell)
    await bell.ring([ring('a')])
    await until('the first is heard', () => heard.length === 1)
    await line.cut()
    const before = performance.now()
    await bell.ring([ring('lost')])
    for (let i = 0; i < 100; i++) await bell.ring([ring(String(i))])
    expect(performance.now() - before).toBeLessThan(3_000)
    await line.mend()
    // A ring may still be lost while both ends come back: that is what a sweeper is for.
    let rung = 0
    for (; !heard.includes('match b') && rung < 100; rung++) {
      await bell.ring([ring('b')])
      await delay(200)
    }
    expect(heard).toContain('match b')
  })

  it('starts without Redis and finds it later', async () => {
    const line = await wire(url, '6379')
    await line.cut()
    const bell = bellAt(line.url)
    await listen(bell)
    const before = performance.now()
    await bell.ring([ring('a')])
    await bell.ring([ring('a')])
    expect(performance.now() - before).toBeLessThan(2_000)
    await expect(bell.answers()).rejects.toThrow()
    await line.mend()
    for (let i = 0; !heard.includes('match b') && i < 100; i++) {
      await bell.ring([ring('b')])
      await delay(200)
    }
    expect(heard).toContain('match b')
    await bell.answers()
  })

  it('closes while Redis is away', async () => {
    const line = await wire(url, '6379')
    const bell = redisBell(line.url, log)
    await listen(bell)
    await bell.ring([ring('a')])
    await line.cut()
    const before = performance.now()
    await bell.close()
    expect(performance.now() - before).toBeLessThan(5_000)
  })
})
