import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { toldDatabase, type ServerDatabase } from '../databases'
import { cast, openWorld, settled } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from '../scenarios/roads'

const ROOT = path.join(__dirname, '../..')
const MAP = `<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
  <node id="1" lon="7" lat="45"/><node id="2" lon="7.05" lat="45"/><node id="3" lon="7.1" lat="45"/>
  <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/><tag k="name" v="Main Road"/></way>
</osm>
`
// Monday 2 March 2026 at noon: base price on the whole of it.
const DRIVE = driveAlong('commute', 7.01, 7.09, instant(Date.parse('2026-03-02T12:00:00+01:00')), 0)
const rules = (price: string) =>
  TARIFF.rules.map((rule) => (rule.id === 'base' ? { ...rule, price: { perKm: price } } : rule))
// Without the rule for private roads: the map has none, and a check asks about rules that never come first.
const NEXT = { ...TARIFF, id: 'next', startsAt: '2099-01-01T00:00:00+01:00', rules: rules('0.20').slice(1) }

describe('a policy at the command line, from its draft to the feed', () => {
  let work: string
  let agency: string
  // Thirty processes, each of which opens the database: a server's where there is one, as an agency has it.
  let database: ServerDatabase | null = null
  const server = (): Record<string, string> => (database ? { DATABASE_URL: database.url } : {})
  const write = (name: string, value: unknown) =>
    fs.writeFileSync(path.join(work, name), typeof value === 'string' ? value : JSON.stringify(value))
  const roadmeter = (
    args: readonly string[],
    token = '',
  ): Promise<{ status: number | null; out: string; err: string }> => {
    const { PATH = '', HOME = '' } = process.env
    const child = spawn(process.execPath, [path.join(ROOT, 'dist/apps/ops/src/main.js'), ...args], {
      cwd: work,
      env: { PATH, HOME, ROADMETER_DATA: path.join(work, 'data'), ROADMETER_TOKEN: token, ...server() },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    return new Promise((resolve) => child.on('close', (status) => resolve({ status, out, err })))
  }
  const did = async (args: readonly string[], token?: string): Promise<string> => {
    const { status, out, err } = await roadmeter(args, token)
    if (status !== 0) throw new Error(`${args.join(' ')}: ${status} ${out}${err}`)
    return out
  }
  const policy = (verb: string, ...args: string[]) => ['policy', verb, ...args, '--agency', agency]
  const office = async (role: string, person: string): Promise<string> => {
    const out = await did(['access', 'grant', '--role', role, '--agency', agency, '--person', person, '--name', person])
    return /token \(shown this once\): (\S+)/.exec(out)![1]
  }

  beforeAll(async () => {
    const built = spawnSync(process.execPath, ['infra/ready.cjs', 'build'], { cwd: ROOT, encoding: 'utf8' })
    if (built.status !== 0) throw new Error(built.stdout + built.stderr)
    work = fs.mkdtempSync(path.join(os.tmpdir(), 'roadmeter-policy-'))
    write('map.osm', MAP)
    write('tariff.json', TARIFF)
    write('next.json', NEXT)
    database = await toldDatabase()
    const data = path.join(work, 'data')
    const world = await openWorld(instant(Date.parse('2026-03-02T18:00:00+01:00')), server(), data)
    const { device, deviceToken: token } = await cast(world, MAIN_ROAD, [TARIFF])
    const client = await DeviceClient.connect({ url: world.mqttUrl, device, token })
    await Promise.all(DRIVE.map((batch) => client.send(batch)))
    await settled(world)
    await client.close()
    await world.close()
    agency = (await did(['agency', 'list'])).split(' ')[0]
    // Builds first, where another test has not.
  }, 300_000)
  afterAll(async () => {
    await database?.drop()
    fs.rmSync(work, { recursive: true, force: true })
  })

  it('tells files apart, and speaks MDS without a database', async () => {
    const words = await did(['policy', 'diff', 'tariff.json', 'next.json'])
    expect(words).toMatch(/rules\.base \(\+100 %\)\n {2}- .*0\.10.*\n {2}\+ .*0\.20/)
    const map = JSON.parse(await did(['policy', 'diff', 'tariff.json', 'next.json', '--geojson']))
    expect(map).toMatchObject({
      type: 'FeatureCollection',
      features: [{ properties: { zone: 'east', change: 'same' } }],
    })
    write('mds.json', await did(policy('export', 'next.json', '--mds')))
    write('again.json', await did(['policy', 'import', 'mds.json', '--mds']))
    const nothing = await did(['policy', 'diff', 'next.json', 'again.json'])
    expect(nothing).toBe('nothing but the id differs\n')
  })

  it('asks a tariff about every road of a map, and refuses a zone in which there is none', async () => {
    const asked = await did(['policy', 'check', 'tariff.json', '--network', 'map.osm'])
    // The map has no private road, so the rule for them never comes first.
    expect(asked).toMatch(/^question: rules\[0\].*\n/)
    expect(asked).toContain('test-2026 (Test tariff)')
    const ring = [[8, 46], [8.1, 46], [8.1, 46.1], [8, 46]] // prettier-ignore
    const far = { name: 'Far away', geometry: { type: 'Polygon', coordinates: [ring] } }
    const rules = [{ id: 'far', name: 'Far away', match: { zones: ['far'] }, price: { perKm: '9' } }, ...TARIFF.rules]
    write('far.json', { ...TARIFF, zones: { ...TARIFF.zones, far }, rules })
    const refused = await roadmeter(['policy', 'check', 'far.json', '--network', 'map.osm'])
    expect(refused.out + refused.err).toContain('zones.far')
  })

  it('repairs how a zone is drawn, and nothing else', async () => {
    const [ring] = TARIFF.zones.east.geometry.coordinates
    const backwards = [...ring].reverse()
    const twice = [backwards[0], backwards[0], ...backwards.slice(1)]
    const drawn = (coordinates: unknown) => ({ ...TARIFF, zones: { east: { ...TARIFF.zones.east, geometry: { type: 'Polygon', coordinates: [coordinates] } } } }) // prettier-ignore
    write('drawn.json', drawn(backwards))
    const repaired = JSON.parse(await did(['policy', 'repair', 'drawn.json']))
    write('drawn-again.json', drawn(twice))
    const again = JSON.parse(await did(['policy', 'repair', 'drawn-again.json']))
    expect(again).toEqual(repaired)
    const [outer] = repaired.zones.east.geometry.coordinates as [number, number][][]
    const area = outer.slice(1).reduce((sum, [x, y], i) => sum + outer[i][0] * y - x * outer[i][1], 0)
    expect(area).toBeGreaterThan(0)
    expect(new Set(outer.map(String))).toEqual(new Set(ring.map(String)))
  })

  it('says what a vehicle is and draws a pilot, from now on and never for the past', async () => {
    const account = (await did(['account', 'list', '--agency', agency])).split(' ')[0]
    const vehicle = (await did(['vehicle', 'list', '--account', account])).split(' ')[0]
    const profile = (json: string, ...more: string[]) => roadmeter(['vehicle', 'profile', vehicle, json, ...more])
    expect(await profile('{"programmes":["residents"],"weightKg":2100}')).toMatchObject({
      status: 0,
      out: expect.stringContaining('"weightKg":2100'),
    })
    expect(await profile('{"weight":2100}')).toMatchObject({ status: 2, err: expect.stringContaining('weight') })
    expect(await profile('{weight}')).toMatchObject({ status: 2, err: expect.stringContaining('not JSON') })
    expect(await profile('{}', '--from', '2020-01-01')).toMatchObject({
      status: 2,
      err: expect.stringContaining("can't become something else in the past"),
    })
    const pilot = (from: string) => ['agency', 'pilot', agency, '--arms', 'control=1,treated=1', '--from', from, '--reason', 'a trial', '--seed', 's'] // prettier-ignore
    expect(await did(pilot('2098-01-01'))).toContain('seed s')
    expect(await roadmeter(pilot('2020-01-01'))).toMatchObject({ status: 2, err: expect.stringContaining('future') })
  }, 300_000)

  it('goes the whole way in two pairs of hands, on threads', async () => {
    const [ada, bob] = [await office('editor', 'ada'), await office('approver', 'bob')]
    const direct = await roadmeter(policy('file', 'next.json'))
    expect(direct).toMatchObject({ status: 2, err: expect.stringContaining('approved by somebody else') })
    const nobody = await roadmeter(policy('draft', 'next.json', '--reason', 'roads'))
    expect(nobody).toMatchObject({
      status: 2,
      err: expect.stringMatching(/^roadmeter: ROADMETER_TOKEN must be [^\n]+\n$/),
    })

    expect(await did(policy('draft', 'next.json', '--reason', 'roads'), ada)).toContain('next (Test tariff): draft')
    expect(await did(policy('check', 'next'), ada)).toContain('no fault; recorded as checked')
    const backtest = await did(policy('backtest', 'next', '--months', '2026-03'), ada)
    expect(backtest).toContain('come to what is booked, to the micro')
    const [, before, after] = /revenue ([\d.]+) -> ([\d.]+)/.exec(backtest)!
    expect(Number(after) / Number(before)).toBeCloseTo(2, 4)
    expect(await did(policy('submit', 'next', '--reason', 'please'), ada)).toContain('submitted')
    const shown = await did(policy('show', 'next'))
    const digest = /digest ([0-9a-f]{64})/.exec(shown)![1]
    const own = await roadmeter(policy('approve', 'next', '--digest', digest, '--reason', 'mine'), ada)
    expect(own).toMatchObject({ status: 2, err: expect.stringContaining('by an approver; ada signed in as editor') })
    await did(policy('approve', 'next', '--digest', digest, '--reason', 'as decided'), bob)
    expect(await did(policy('schedule', 'next', '--reason', 'now'), ada)).toContain('next (Test tariff): scheduled')

    expect(JSON.parse(await did(policy('feed')))).toMatchObject({
      inForce: { id: TARIFF.id, approval: { fourEyes: false } },
      scheduled: [{ id: 'next', approval: { fourEyes: true, backtest: expect.stringMatching(/^[0-9a-f]{64}$/) } }],
    })
    expect(await did(policy('list'))).toMatch(/test-2026 +in-force .*filed directly/)
    const back = policy(
      'rollback',
      TARIFF.id,
      '--as',
      'back',
      '--starts-at',
      '2099-06-01T00:00:00+02:00',
      '--reason',
      'x',
    )
    expect(await did(back, ada)).toContain('back (Test tariff): draft')
  }, 600_000)
})
