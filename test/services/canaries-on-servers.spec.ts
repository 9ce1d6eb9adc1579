import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { connectAsync } from 'mqtt'
import { Servers } from '../faults/servers'
import { canaries } from '../scenarios/canaries.suite'
import { letIn } from './processes'

// As a city keeps it: files, log of changes and dump of PostgreSQL, Redis written down as it is, Mosquitto's store, and the logs of each.
describe('a thousand canaries, on servers', () =>
  canaries(['database files', 'dump', 'redis', 'broker store', 'table', 'log'], async () => {
    const servers = Servers.start('real')
    const { MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD, MOSQUITTO_PID, REDIS_URL, DATABASE_URL } = servers.environment
    const inFolder = (...names: string[]) => path.join(servers.folder, ...names)
    const asIngest = (clientId: string, clean: boolean) =>
      connectAsync(MQTT_URL, { username: MQTT_USERNAME, password: MQTT_PASSWORD, clientId, clean })
    const redis = new Redis(REDIS_URL)
    // What is written down is otherwise pressed together, and not to be read.
    await redis.config('SET', 'rdbcompression', 'no')
    const broker = async () => {
      fs.rmSync(inFolder('mosquitto.db'), { force: true })
      process.kill(Number(MOSQUITTO_PID), 'SIGUSR1')
      for (let tries = 0; tries < 100 && !fs.existsSync(inFolder('mosquitto.db')); tries++) await delay(50)
      return fs.readFileSync(inFolder('mosquitto.db'))
    }
    const dump = () => {
      const bin = fs.readFileSync(inFolder('postgres.bin'), 'utf8').trim()
      return execFileSync(`${bin}/pg_dump`, ['--dbname', DATABASE_URL], { maxBuffer: 1 << 30 })
    }
    const retained = async (word: string, payload: string) => {
      const client = await asIngest('control', true)
      await client.publishAsync(`roadmeter/v1/${word}/context`, payload, { qos: 1, retain: true })
      await client.endAsync()
    }
    return {
      environment: { DATABASE_URL, REDIS_URL, MQTT_URL, MQTT_USERNAME, MQTT_PASSWORD },
      admit(devices) {
        Object.assign(process.env, servers.environment)
        return letIn(devices)
      },
      /** A session of ours that is away, as all of them are while ingest is. */
      async linger(device) {
        const client = await asIngest('away', false)
        await client.subscribeAsync(`roadmeter/v1/${device}/batch`, { qos: 1 })
        await client.endAsync()
        return async () => (await asIngest('away', true)).endAsync()
      },
      async write(word, { store }) {
        await store.dataSource.query(`create table control (word text); insert into control values ('${word}')`)
        await redis.set('control', word)
        await retained(word, word)
      },
      async erase(word, { store }) {
        await store.dataSource.query('drop table control')
        await redis.del('control')
        await retained(word, '')
      },
      async *contents({ store }) {
        await store.dataSource.query('checkpoint')
        for (const file of fs.readdirSync(inFolder('postgres'), { recursive: true, withFileTypes: true })) {
          if (!file.isFile() || /^(postmaster\.pid|\d+_.*)$/.test(file.name)) continue
          const name = path.join(file.parentPath, file.name)
          const kind = name.endsWith('.log') ? 'log' : 'database files'
          yield [kind, path.relative(servers.folder, name), fs.readFileSync(name)] as const
        }
        yield ['dump', 'pg_dump', dump()] as const
        await redis.save()
        yield ['redis', 'dump.rdb', fs.readFileSync(inFolder('dump.rdb'))] as const
        yield ['broker store', 'mosquitto.db', await broker()] as const
        for (const name of ['postgres.log', 'redis.log', 'mosquitto.log'])
          yield ['log', name, fs.readFileSync(inFolder(name))] as const
      },
      close() {
        redis.disconnect()
        servers.stop()
        return Promise.resolve()
      },
    }
  }))
