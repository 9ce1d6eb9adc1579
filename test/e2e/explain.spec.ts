import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { newFolder, toldDatabase, type ServerDatabase } from '../databases'
import { cast, openWorld, settled } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from '../scenarios/roads'

const ROOT = join(__dirname, '../..')

const WHY = ['--why', 'the citizen asked what it cost']

describe('roadmeter explain TRIP', () => {
  const data = newFolder()
  const out = mkdtempSync(join(tmpdir(), 'roadmeter-explain-'))
  let trip: string
  // A server's where there is one: each command opens the database.
  let database: ServerDatabase | null = null
  const server = (): Record<string, string> => (database ? { DATABASE_URL: database.url } : {})
  const explain = (...args: string[]) => roadmeter('explain', ...args)
  const roadmeter = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'dist/apps/ops/src/main.js'), ...args], {
      cwd: out,
      env: { PATH: process.env.PATH, ROADMETER_DATA: data, ...server() },
      encoding: 'utf8',
    })

  beforeAll(async () => {
    const built = spawnSync(process.execPath, ['infra/ready.cjs', 'build'], { cwd: ROOT, encoding: 'utf8' })
    if (built.status !== 0) throw new Error(built.stdout + built.stderr)
    database = await toldDatabase()
    const world = await openWorld(instant(Date.parse('2026-10-05T12:00:00+02:00')), server(), data)
    try {
      const people = await cast(world, MAIN_ROAD, [TARIFF])
      const { device, deviceToken: token } = people
      const client = await DeviceClient.connect({ url: world.mqttUrl, device, token })
      // Monday 5 October 2026, 08:00: half of it in the zone and in rush hour.
      const batches = driveAlong('commute', 7.01, 7.09, instant(Date.parse('2026-10-05T08:00:00+02:00')), 0)
      // One fix as far off as no car can be.
      batches[2].fixes[7] = [batches[2].fixes[7][0], 45.2, 7.05, 4]
      await Promise.all(batches.map((batch) => client.send(batch)))
      await settled(world)
      await client.close()
      ;[{ id: trip }] = await world.store.read<{ id: string }>('select id from metering.trip')
      // Long ago, whatever day it is.
      await world.store.transaction((tx) => tx.run('update metering.trip set matched_at = 1'))
    } finally {
      await world.close()
    }
  }, 240_000)
  afterAll(async () => {
    await database?.drop()
    rmSync(data, { recursive: true, force: true })
    rmSync(out, { recursive: true, force: true })
  })

  it('says what became of each fix, which way it was, and each charge with its rule and price', () => {
    const { stdout, stderr, status } = explain(trip, '--fixes', ...WHY)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`Trip ${trip}`)
    expect(stdout).toMatch(/driven +2026-10-05, 08:00 to 08:0\d \(Europe\/Rome\)/)
    expect(stdout).toMatch(/08:00:0\d +Main Road +primary +\d+\.\d m +\d+ fixes +\d+\.\d % sure/)
    expect(stdout).toMatch(/08:00:05 +45\.000000 +7\.01\d+ +±4 m +Main Road, 0\.\d m off/)
    expect(stdout).toMatch(/08:02:07 +45\.200000 +7\.050000 +±4 m +(cannot be reached in time|no road in reach)/)
    expect(stdout).toMatch(/km on primary roads in East, "East, rush hour" at 0\.40\d* EUR per km = 1\.2\d+/)
    expect(stdout).toMatch(/km on primary roads, "All other roads" at 0\.10\d* EUR per km = 0\.3\d+/)
    // What is stored is what this engine finds again.
    expect(stdout).not.toContain('matched by')
  })
  it('draws it, as a page and as GeoJSON', () => {
    expect(explain(trip, '--html', 'trip.html', '--geojson', 'trip.geojson', ...WHY)).toMatchObject({
      status: 0,
      stdout: 'written: trip.geojson, trip.html\n',
    })
    const page = readFileSync(join(out, 'trip.html'), 'utf8')
    for (const words of ['Main Road', 'East, rush hour', '<svg']) expect(page).toContain(words)
    const { features } = JSON.parse(readFileSync(join(out, 'trip.geojson'), 'utf8'))
    expect(new Set(features.map((f: { properties: { kind: string } }) => f.properties.kind))).toEqual(
      new Set(['road', 'fix', 'off']),
    )
  })
  it('asks why, because its citizen reads it', () => {
    expect(explain(trip)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'roadmeter: say why with --why, in 10 characters or more: the citizen reads it\n',
    })
  })
  it('refuses a trip that there is not', () => {
    expect(explain('0123456789abcdef', ...WHY)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: 'roadmeter: there is no trip 0123456789abcdef\n',
    })
  })
  it('changes the key, keeps what a court holds, destroys the rest, and says so', () => {
    const done = (stdout: string | RegExp) => ({ status: 0, stdout: expect.stringMatching(stdout) as string })
    expect(roadmeter('keys', 'rotate')).toMatchObject(done(/^\d data keys wrapped anew/))
    const held = roadmeter('hold', 'place', '--account', 'account-one', '--by', 'clerk', '--why', 'a court asks')
    expect(held).toMatchObject(done(/^placed [0-9a-f]{16}\n$/))
    expect(roadmeter('forget')).toMatchObject(done(/: 0 receipts .*\nI12 +holds/))
    expect(explain(trip, ...WHY).status).toBe(0)
    const hold = held.stdout.trim().split(' ')[1]
    expect(roadmeter('hold', 'lift', hold, '--by', 'clerk', '--why', 'it is over')).toMatchObject(done('lifted'))
    expect(roadmeter('forget', '--check')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('past their time'),
    })
    expect(roadmeter('forget')).toMatchObject(done(/: 1 receipt .*\nI12 +holds/))
    expect(roadmeter('forget', '--check').status).toBe(0)
    expect(explain(trip, ...WHY)).toMatchObject({
      status: 2,
      stderr: `roadmeter: the locations of trip ${trip} are not kept any more\n`,
    })
  }, 120_000)
})
