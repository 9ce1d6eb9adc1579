import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { type AccountId, type AgencyId, type DeviceId, type VehicleId } from '#kernel'
import { readSettings, systemClock } from '#runtime'
import {
  dataSourceOptions,
  openDataSource,
  revokeDevice,
  saveAccount,
  saveAgency,
  saveDevice,
  saveVehicle,
  Store,
} from '#store'
import { newDatabase } from '../databases'
import { fromServices } from './devices'
import { build, freePort } from './processes'

const ROOT = path.join(__dirname, '../..')
const GOOD = 'sync-device-good' as DeviceId
const BAD = 'sync-device-bad' as DeviceId
const LOST = 'sync-device-lost' as DeviceId

/** A Mosquitto of its own, under infra/mosquitto/mosquitto.conf, with the lists that `roadmeter devices sync` writes. */
describe('roadmeter devices sync', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-sync-'))
  const pidFile = path.join(folder, 'pid')
  let database: Awaited<ReturnType<typeof newDatabase>>
  let store: Store
  let broker: ChildProcess
  let url: string
  const clients: MqttClient[] = []

  const sync = (pid: string | null = pidFile): string =>
    execFileSync(
      process.execPath,
      ['dist/apps/ops/src/main.js', 'devices', 'sync', folder, ...(pid ? ['--pid', pid] : [])],
      {
        cwd: ROOT,
        env: { PATH: process.env.PATH, DATABASE_URL: database.url },
        stdio: 'pipe',
      },
    ).toString()
  const connect = async (device: DeviceId, password: string) => {
    const client = await connectAsync(url, { username: device, password, reconnectPeriod: 0, connectTimeout: 5_000 })
    clients.push(client)
    return client
  }

  beforeAll(async () => {
    build()
    database = await newDatabase(fromServices('DATABASE_URL'))
    store = new Store(await openDataSource(await dataSourceOptions(readSettings({ DATABASE_URL: database.url })), true))
    const agency = 'sync-city' as AgencyId
    const account = 'sync-account' as AccountId
    const vehicle = 'sync-vehicle' as VehicleId
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: agency, name: 'Sync City' })
      await saveAccount(tx, { id: account, agency, name: 'One' })
      await saveVehicle(tx, { vehicle, account, name: 'car', vehicleClass: 'car' })
      for (const id of [GOOD, BAD, LOST]) await saveDevice(tx, { id, vehicle, token: `token of ${id}` })
    })
    const [devicesPort, ingestPort] = [await freePort(), await freePort()]
    url = `mqtt://127.0.0.1:${devicesPort}`
    const conf = readFileSync(path.join(ROOT, 'infra/mosquitto/mosquitto.conf'), 'utf8')
      .replace('listener 1883', `listener ${devicesPort} 127.0.0.1`)
      .replace('listener 1884', `listener ${ingestPort} 127.0.0.1`)
      .replaceAll('/mosquitto/secrets/', `${folder}/`)
      .replace('/mosquitto/data/', `${folder}/`)
    writeFileSync(path.join(folder, 'conf'), `${conf}\nuser ${os.userInfo().username}\npid_file ${pidFile}\n`)
    // What is there of others stays.
    writeFileSync(path.join(folder, 'passwords'), 'ingest:$7$101$AAAA$AAAA\nsync-device-gone:$7$101$AAAA$AAAA\n')
    sync(null)
    broker = spawn('mosquitto', ['-c', path.join(folder, 'conf')], {
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` },
      stdio: 'ignore',
    })
    await delay(1_000)
  })
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.endAsync(true)))
    broker?.kill()
    await store?.dataSource.destroy()
    await database?.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  it('writes a line for each device, keeps those of other names, and has nothing to do the second time', () => {
    const names = readFileSync(path.join(folder, 'passwords'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(':')[0])
    expect(names).toEqual(['ingest', BAD, GOOD, LOST])
    expect(readFileSync(path.join(folder, 'acl'), 'utf8')).toContain(`user ${GOOD}\n`)
    expect(sync()).toBe('')
  })

  it('lets devices in by their tokens, and cuts the living connection of one that is revoked, but no other', async () => {
    const [good, bad] = [await connect(GOOD, `token of ${GOOD}`), await connect(BAD, `token of ${BAD}`)]
    await expect(connect(GOOD, `token of ${BAD}`)).rejects.toThrow(/[Nn]ot authorized/)
    const cut = new Promise<void>((resolve) => bad.once('close', () => resolve()))
    const from = performance.now()
    await store.transaction((tx) => revokeDevice(tx, BAD, systemClock.now()))
    expect(sync()).toMatch(/^2 devices in .*passwords and acl written/)
    await cut
    expect(performance.now() - from).toBeLessThan(60_000)
    expect(good.connected).toBe(true)
    await expect(connect(BAD, `token of ${BAD}`)).rejects.toThrow(/[Nn]ot authorized/)
  })

  it('tells the broker of what an earlier run wrote and could not tell, and who may stay stays', async () => {
    const [good, lost] = [await connect(GOOD, `token of ${GOOD}`), await connect(LOST, `token of ${LOST}`)]
    const cut = new Promise<void>((resolve) => lost.once('close', () => resolve()))
    await store.transaction((tx) => revokeDevice(tx, LOST, systemClock.now()))
    const stale = path.join(folder, 'stale')
    const gone = spawn(process.execPath, ['--version'], { stdio: 'ignore' })
    await new Promise((resolve) => gone.once('exit', resolve))
    writeFileSync(stale, `${gone.pid}\n`)
    expect(() => sync(path.join(folder, 'none'))).toThrow(/none holds no process id/)
    expect(() => sync(stale)).toThrow(/of .*stale was not told/)
    expect(lost.connected).toBe(true)
    expect(sync()).toBe('')
    await cut
    for (let i = 0; i < 3; i++) sync()
    await good.publishAsync(`roadmeter/v1/${GOOD}/state`, '{}', { qos: 1 })
    expect(good.connected).toBe(true)
  })
})
