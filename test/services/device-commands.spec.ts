import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Command } from 'commander'
import { type Batch } from '#contracts'
import { type DeviceId } from '#kernel'
import { systemClock } from '#runtime'
import { devicesCommand } from '../../apps/ops/src/devices'
import { inboxCommands } from '../../apps/ops/src/inbox'
import { cast, openWorld, settled, type Cast, type World } from '../harness'
import { MAIN_ROAD, TARIFF } from '../scenarios/roads'
import { migratedDatabase } from '../databases'
import { fromServices } from './devices'

// `roadmeter devices | quarantine | work`, as an operator uses them beside a line that runs.

const DAY_MS = 86_400_000

describe('what operators do with devices and with what was rejected', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'roadmeter-commands-'))
  const environment = { ...process.env }
  let database: Awaited<ReturnType<typeof migratedDatabase>>
  let world: World
  let people: Cast
  const obe = 'commanded-obe-1' as DeviceId

  beforeAll(async () => {
    database = await migratedDatabase(fromServices('DATABASE_URL'))
    const keys = { ROADMETER_KEY_FILE: path.join(folder, 'location.key') }
    world = await openWorld(systemClock.now(), { DATABASE_URL: database.url, ...keys })
    people = await cast(world, MAIN_ROAD, [TARIFF], 'commands')
    Object.assign(process.env, keys, { DATABASE_URL: database.url, ROADMETER_LOG: 'silent' })
  })
  afterAll(async () => {
    process.env = environment
    process.exitCode = undefined
    await world?.close()
    await database?.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  /** What it prints. Rejects where it refuses. */
  async function roadmeter(...[room, ...args]: string[]): Promise<string> {
    const commands: Command[] = [devicesCommand(), ...inboxCommands()]
    let said = ''
    const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true))
    const quietly = { writeErr: () => undefined }
    try {
      const command = commands.find((one) => one.name() === room)!
      for (const one of [command, ...command.commands]) one.exitOverride().configureOutput(quietly)
      await command.parseAsync(args, { from: 'user' })
    } finally {
      write.mockRestore()
    }
    return said
  }
  const rowOf = async (id: string): Promise<string[]> =>
    (await roadmeter('devices', 'list'))
      .split('\n')
      .find((line) => line.startsWith(id))
      ?.trim()
      .split(/ {2,}/) ?? []
  const post = (device: string, token: string, body: unknown) =>
    fetch(`${world.httpUrl}/v1/devices/${device}/batches`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const batch = (seq: number, more: object = {}): Batch => ({
    v: 1,
    boot: 1,
    seq,
    trip: 't',
    event: 'end',
    fixes: [[systemClock.now() - 60_000, 45, 7.01, 4]],
    ...more,
  })

  it('devices add: a token, shown once, that lets it in; a new one ends the old one', async () => {
    const added = async () =>
      /token \(shown this once\): (\S{43})\n$/.exec(
        await roadmeter('devices', 'add', obe, '--vehicle', people.vehicle),
      )![1]
    const first = await added()
    expect((await post(obe, first, batch(0))).status).toBe(200)
    const second = await added()
    expect([(await post(obe, first, batch(1))).status, (await post(obe, second, batch(1))).status]).toEqual([401, 200])
    expect(await rowOf(obe)).toEqual([
      obe,
      people.vehicle,
      'active',
      'by token',
      '-',
      expect.stringMatching(/^2\d{3}-.*Z$/),
    ])
  })

  it('devices voucher, enrol, rotate: it brings a key of its own, kept in a file that nobody else reads', async () => {
    const id = 'commanded-obe-2'
    const voucherOf = (said: string) => /\(shown this once\): (\S+)\n$/.exec(said)![1]
    const voucher = voucherOf(await roadmeter('devices', 'voucher', id, '--vehicle', people.vehicle, '--days', '2'))
    const enrol = (of: string, to: string) =>
      roadmeter('devices', 'enrol', '--url', world.httpUrl, '--voucher', of, '--to', path.join(folder, to))
    expect(await enrol(voucher, 'key.json')).toBe(
      `enrolled as ${id}; key and token are in ${path.join(folder, 'key.json')}\n`,
    )
    expect(statSync(path.join(folder, 'key.json')).mode & 0o077).toBe(0)
    expect(JSON.parse(readFileSync(path.join(folder, 'key.json'), 'utf8'))).toMatchObject({
      device: id,
      seed: expect.any(String),
    })
    expect((await rowOf(id)).slice(2, 4)).toEqual(['active', 'signs'])
    await expect(enrol(voucher, 'key.json')).rejects.toThrow(/is there already/)
    await expect(enrol(voucher, 'again.json')).rejects.toThrow(/the enrolment was refused/)
    await enrol(voucherOf(await roadmeter('devices', 'rotate', id)), 'next.json')
    await expect(roadmeter('devices', 'rotate', 'nobody-knows-it')).rejects.toThrow(
      /there is no device nobody-knows-it/,
    )
  })

  it('devices add and voucher refuse a vehicle that there is none of, one of another vehicle, and what is no id', async () => {
    await expect(roadmeter('devices', 'add', obe, '--vehicle', 'no-car')).rejects.toThrow(/there is no vehicle no-car/)
    const other = await cast(world, MAIN_ROAD, [TARIFF], 'commands2')
    await expect(roadmeter('devices', 'add', obe, '--vehicle', other.vehicle)).rejects.toThrow(
      /sits in another vehicle/,
    )
    await expect(roadmeter('devices', 'add', 'NO!', '--vehicle', other.vehicle)).rejects.toThrow(/8 to 40/)
    await expect(roadmeter('devices', 'voucher', obe, '--vehicle', other.vehicle, '--days', '0')).rejects.toThrow(
      /1 to 999/,
    )
    expect(await roadmeter('devices', 'list', '--agency', other.agency)).toMatch(/^device .*\ndevice-commands2 /)
  })

  it('quarantine list, show, replay: what was too old is metered once it is let in, what is no batch never', async () => {
    const { device, deviceToken } = people
    expect(await roadmeter('quarantine', 'list')).toBe('(none)\n')
    const old = batch(0, { fixes: [[systemClock.now() - 36 * DAY_MS, 45, 7.01, 4]] })
    const odd = batch(1, { plate: 'AB 123 CD' })
    for (const one of [old, odd]) expect((await post(device, deviceToken, one)).status).toBe(200)
    const listed = (await roadmeter('quarantine', 'list', '--device', device)).trim().split('\n')
    expect(listed).toHaveLength(3)
    expect(listed[1]).toMatch(/ 1\/1 +MALFORMED +.*plate/)
    expect(listed[2]).toMatch(/ 1\/0 +TIME /)
    const [oddId, oldId] = listed.slice(1).map((line) => line.trim().split(' ')[0])
    expect((await roadmeter('quarantine', 'list', '--reason', 'TIME')).trim().split('\n')).toHaveLength(2)
    await expect(roadmeter('quarantine', 'list', '--reason', 'NONE')).rejects.toThrow(/MALFORMED/)

    expect(await roadmeter('quarantine', 'show', oddId)).toMatch(/^device +device-commands\n(.*\n)*.*AB 123 CD/)
    expect(JSON.parse(await roadmeter('quarantine', 'show', oddId, '--raw'))).toEqual(odd)
    // Whoever looks is on record with the owner.
    expect(
      await world.store.read(`select count(*) as n from metering.access_log where what = 'message' and subject = $1`, [
        oddId,
      ]),
    ).toEqual([{ n: '2' }])

    expect(await roadmeter('quarantine', 'replay', oldId)).toBe(`message ${oldId}: accepted\n`)
    expect(await roadmeter('quarantine', 'replay', oldId)).toBe(`message ${oldId}: duplicate\n`)
    expect(process.exitCode).toBeUndefined()
    expect(await roadmeter('quarantine', 'replay', oddId)).toMatch(/rejected as MALFORMED: .*plate/)
    expect(process.exitCode).toBe(1)
    process.exitCode = undefined
    await settled(world)
    expect((await roadmeter('quarantine', 'list', '--device', device)).trim().split('\n')).toHaveLength(2)
    for (const act of ['show', 'replay']) {
      await expect(roadmeter('quarantine', act, '999999')).rejects.toThrow(/there is no message 999999/)
      await expect(roadmeter('quarantine', act, '1; drop')).rejects.toThrow(/the number of a message/)
    }
  })

  it('devices alarms, revoke: a reused number is told of, and a device is ended for good', async () => {
    const { device, deviceToken } = people
    expect(await roadmeter('devices', 'alarms')).toBe('(none)\n')
    await post(device, deviceToken, batch(5))
    await post(device, deviceToken, batch(5, { trip: 'other' }))
    expect(await roadmeter('devices', 'alarms', device)).toMatch(/\ndevice-commands +KEY_REUSE +1 +\S+Z +.*1\/5/)
    expect(await roadmeter('devices', 'revoke', device)).toBe(
      `device ${device} is revoked: nothing of it is taken in from now on\n`,
    )
    expect((await post(device, deviceToken, batch(6))).status).toBe(401)
    expect((await rowOf(device))[2]).toBe('revoked')
    await expect(roadmeter('devices', 'revoke', 'nobody-knows-it')).rejects.toThrow(/there is no device/)
  })

  it('devices sync refuses a folder that is not there and a file without a process id', async () => {
    await expect(roadmeter('devices', 'sync', path.join(folder, 'none'))).rejects.toThrow(/there is no folder/)
    writeFileSync(path.join(folder, 'pid'), 'mosquitto')
    await expect(roadmeter('devices', 'sync', folder, '--pid', path.join(folder, 'pid'))).rejects.toThrow(
      /holds no process id/,
    )
    expect(readFileSync(path.join(folder, 'passwords'), 'utf8')).toMatch(/^commanded-obe-1:\$/m)
  })

  it('work list, retry: what an engine has given up is named with its error, and tried again', async () => {
    expect(await roadmeter('work', 'list')).toBe('(none)\n')
    await world.store.transaction((tx) =>
      tx.run(
        `update metering.work set wanted = done + 1, attempts = 12, last_error = 'its map is broken', parked_at = clock_timestamp() where stage = 'match' and key = $1`,
        [obe],
      ),
    )
    expect(await roadmeter('work', 'list')).toMatch(new RegExp(`\\nmatch +${obe} +12 +\\S+ .*its map is broken`))
    expect(await roadmeter('work', 'retry', 'meter')).toBe('0 pieces of work will be tried again\n')
    expect(await roadmeter('work', 'retry', 'match', obe)).toBe('1 piece of work will be tried again\n')
    await settled(world)
    expect(await roadmeter('work', 'list')).toBe('(none)\n')
    await expect(roadmeter('work', 'retry', 'polish')).rejects.toThrow(/Allowed choices/)
  })
})
