import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { instant, type AccountId, type AgencyId } from '#kernel'
import { grantAccess } from '#store'
import { openWorld } from '../harness'
import { driveAlong, METRES_PER_DEGREE, TARIFF } from '../scenarios/roads'

const ROOT = path.join(__dirname, '../..')
const KUBICKA = path.join(ROOT, '../shared/data/kubicka/00000048')

interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}
type Environment = Record<string, string>

let work: string
let database: string
const file = (name: string, text?: string | Buffer): string => {
  const full = path.join(work, name)
  if (text !== undefined) {
    fs.mkdirSync(path.dirname(full), { recursive: true })
    fs.writeFileSync(full, text)
  }
  return full
}
/** A database of its own: a copy of the one that `roadmeter migrate` made. */
const freshDatabase = (name: string): string => {
  fs.cpSync(database, file(name), { recursive: true })
  return file(name)
}

function start(args: readonly string[], environment: Environment = {}) {
  const kept = ['PATH', 'HOME', 'TMPDIR'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))
  const child = spawn(process.execPath, [path.join(ROOT, 'dist/apps/ops/src/main.js'), ...args], {
    cwd: work,
    env: { ...Object.fromEntries(kept), ...environment },
  })
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  child.stderr.on('data', (chunk) => (err += chunk))
  const ended = new Promise<Ended>((resolve) => child.on('close', (status) => resolve({ status, out, err })))
  return { child, ended }
}
const roadmeter = (args: readonly string[], environment?: Environment): Promise<Ended> => start(args, environment).ended

/** One sentence on standard error that says all of `words`, and status 2. */
function expectRefusal(ended: Ended, ...words: readonly string[]): void {
  expect(ended).toMatchObject({ status: 2, err: expect.stringMatching(/^roadmeter: [^\n]+\n$/) })
  for (const word of words) expect(ended.err).toContain(word)
}

const MAP = (highway: string) => `<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
  <node id="1" lon="7" lat="45"/><node id="2" lon="7.05" lat="45"/><node id="3" lon="7.1" lat="45"/>
  <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="${highway}"/><tag k="name" v="Main Road"/></way>
</osm>
`
// Monday 2 March 2026, 08:00: rush hour in the eastern half.
const FIXES = driveAlong('commute', 7.01, 7.09, instant(Date.parse('2026-03-02T08:00:00+01:00')), 0).flatMap(
  (batch) => batch.fixes,
)
const CSV = ['trace_id,t,lon,lat', ...FIXES.map(([at, lat, lon]) => `commute,${at / 1000},${lon},${lat}`)].join('\n')
const GPX = `<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>${FIXES.map(
  ([at, lat, lon]) => `<trkpt lat="${lat}" lon="${lon}"><time>${new Date(at).toISOString()}</time></trkpt>`,
).join('\n')}</trkseg></trk></gpx>`

beforeAll(async () => {
  const built = spawnSync(process.execPath, ['infra/ready.cjs', 'build'], { cwd: ROOT, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(built.stdout + built.stderr)
  work = fs.mkdtempSync(path.join(os.tmpdir(), 'roadmeter-ops-'))
  database = path.join(work, 'migrated')
  file('map.osm', MAP('primary'))
  file('paths.osm', MAP('footway'))
  file('cut.osm', MAP('primary').slice(0, 250))
  file('drive.csv', CSV)
  file('drive.gpx', GPX)
  file('elsewhere.csv', 'trace_id,t,lon,lat\nfar,1,8,46\nfar,2,8.001,46\nfar,3,8.002,46\n')
  file('tariff.json', JSON.stringify(TARIFF))
  file('broken.json', JSON.stringify({ ...TARIFF, currency: 'euro', rules: TARIFF.rules.slice(0, 2) }))
  file('future.json', JSON.stringify({ ...TARIFF, id: 'later', startsAt: '2099-01-01T00:00:00+01:00' }))
  expect(await roadmeter(['migrate'], { ROADMETER_DATA: database })).toMatchObject({ status: 0, err: '' })
})
afterAll(() => fs.rmSync(work, { recursive: true, force: true }))

describe('a command loads what it needs', () => {
  const loadedBy = async (...args: string[]): Promise<string[]> => {
    const list = path.join(os.tmpdir(), `roadmeter-loaded-${process.pid}.json`)
    const preload = `--require=${path.join(ROOT, 'test/e2e/loaded.cjs')}`
    await roadmeter(args, { NODE_OPTIONS: preload, LOADED: list, ROADMETER_DATA: file('nowhere') })
    const packages = JSON.parse(fs.readFileSync(list, 'utf8'))
    fs.rmSync(list)
    return packages
  }

  it('to print the manual: no database, no schema', async () => {
    const loaded = await loadedBy('--help')
    expect(loaded).toContain('commander')
    expect(loaded.filter((name) => /nestjs|typeorm|zod|turf|mqtt/.test(name))).toEqual([])
  })
  it('to ask the database: no framework, broker, queue or calendar', async () => {
    const loaded = await loadedBy('agency', 'list')
    expect(loaded).toContain('typeorm')
    expect(
      loaded.filter((name) => /nestjs|fastify|rxjs|mqtt|aedes|bullmq|ioredis|date-holidays|pdfkit/.test(name)),
    ).toEqual([])
  })
})

describe('bad input is one sentence, status 2, and nothing half-written', () => {
  const temporary = () => fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith('roadmeter-replay-'))

  it.each<[string, string[], string[]]>([
    ['an unknown command', ['imprt'], ["unknown command 'imprt'"]],
    ['an unknown option', ['replay', 'drive.csv', '--polcy', 'x'], ["unknown option '--polcy'", '--policy']],
    ['a map that is cut short', ['network', 'info', 'cut.osm'], ['cut.osm', 'cut short']],
    ['a map without a road for cars', ['network', 'info', 'paths.osm'], ['paths.osm', 'road']],
    ['a policy that says nonsense', ['policy', 'check', 'broken.json'], ['broken.json', '2 faults']],
    ['a policy that is no JSON', ['policy', 'check', 'map.osm'], ['map.osm', 'not JSON']],
    ['a month that is none', ['close', 'my-city', '2026-13'], ['2026-13', 'a month such as']],
    ['no traces', ['replay', 'none.csv', '--network', 'map.osm'], ['none.csv', 'no such file']],
    ['traces without a map', ['replay', 'drive.gpx'], ['drive.gpx', '--network']],
    ['a trace outside the map', ['replay', 'elsewhere.csv', '--network', 'map.osm'], ['0 of 3 fixes', 'map.osm']],
    [
      'a policy that is not in force',
      ['replay', 'drive.csv', '--network', 'map.osm', '--policy', 'future.json'],
      ['policy later', '2099-01-01', '2026-03-02'],
    ],
  ])('%s', async (_, args, words) => {
    const before = [fs.readdirSync(work), temporary()]
    const out = args[0] === 'replay' ? ['--out', 'statements'] : []
    expectRefusal(await roadmeter([...args, ...out]), ...words)
    expect([fs.readdirSync(work), temporary()]).toEqual(before)
  })

  it('lists every fault of a policy with its path', async () => {
    const { out } = await roadmeter(['policy', 'check', 'broken.json'])
    expect(out.trim().split('\n')).toEqual([
      expect.stringMatching(/^currency: expected a currency code such as USD, found "euro"$/),
      expect.stringMatching(/^rules\[1\].match: expected \{\}/),
    ])
  })

  it('a database that does not answer', async () => {
    const nobody = { DATABASE_URL: 'postgres://someone:secret@127.0.0.1:9/roads' }
    const ended = await roadmeter(['agency', 'list'], nobody)
    expectRefusal(ended, '127.0.0.1:9/roads')
    expect(ended.err).not.toContain('secret')
  })

  it('a folder without a database, which is not made into one', async () => {
    expectRefusal(await roadmeter(['agency', 'list'], { ROADMETER_DATA: file('mistyped') }), 'mistyped', 'migrate')
    expect(fs.existsSync(file('mistyped'))).toBe(false)
  })

  it('a folder that another process has', async () => {
    file('busy/db/.keep', '')
    file('busy/roadmeter.lock', String(process.pid))
    const mine = { ROADMETER_DATA: file('busy') }
    expectRefusal(await roadmeter(['agency', 'list'], mine), 'in use', String(process.pid))
    expectRefusal(await roadmeter(['replay', 'drive.csv', '--network', 'map.osm', '--data', 'busy']), 'in use')
    expect(fs.readdirSync(file('busy')).sort()).toEqual(['db', 'roadmeter.lock'])
  })
})

it('sets a city up, and refuses what it does not know', async () => {
  const mine = { ROADMETER_DATA: freshDatabase('city') }
  expect(await roadmeter(['agency', 'add', 'my-city', '--name', 'My City'], mine)).toMatchObject({ status: 0 })
  const imported = await roadmeter(['network', 'import', 'map.osm', '--agency', 'my-city'], mine)
  expect(imported).toMatchObject({ status: 0, err: '' })
  expect(imported.out).toMatch(/segments +2 /)
  expect(imported.out).toContain('15.8 km')
  expect(await roadmeter(['policy', 'file', 'tariff.json', '--agency', 'my-city'], mine)).toMatchObject({ status: 0 })
  file('second.json', JSON.stringify({ ...TARIFF, id: 'second', startsAt: '2026-02-01T00:00:00+01:00' }))
  expectRefusal(
    await roadmeter(['policy', 'file', 'second.json', '--agency', 'my-city'], mine),
    'second',
    'moment to come',
  )
  const granted = await roadmeter(['access', 'grant', '--role', 'agency', '--agency', 'my-city'], mine)
  expect(granted.out).toMatch(/\/enter\?token=[A-Za-z0-9_-]{43}\n/)
  const unknown = ['account', 'add', 'ann', '--agency', 'her-city', '--name', 'Ann']
  expectRefusal(await roadmeter(unknown, mine), 'there is no agency her-city')
})

describe('replay', () => {
  const replay = (...args: string[]) =>
    roadmeter(['replay', ...args, '--network', 'map.osm', '--policy', 'tariff.json'])
  /** Half the way at 0.10 a kilometre, half at 0.40 in rush hour; at most two euros a day. */
  const km = 0.08 * METRES_PER_DEGREE * 1e-3
  /** What `--json` said of the first replay. */
  let drives: { distance_mm: number; due_micros: string; statements: string[] }[]

  it('drives a trace to a sealed statement that verifies offline, and charges it once', async () => {
    const data = freshDatabase('replayed')
    const first = await replay('drive.csv', '--json', '--data', data, '--out', 'statements')
    expect(first).toMatchObject({ status: 0, err: '' })
    const { totals, ...rest } = JSON.parse(first.out)
    drives = rest.drives
    expect(drives[0]).toMatchObject({ name: 'commute', fixes: FIXES.length, matched_fixes: FIXES.length })
    expect(Math.abs(drives[0].distance_mm / 1e6 - km)).toBeLessThan(0.02)
    expect(Math.abs(Number(drives[0].due_micros) / 1e6 - (km / 2) * 0.5)).toBeLessThan(0.011)
    expect(totals).toMatchObject({ lost_batches: 0, duplicate_batches: 0, rejected_batches: 0, statements: 1 })

    expect(fs.readdirSync(file('statements'))).toEqual(['csv', 'html', 'json'].map((f) => `commute-2026-03.${f}`))
    const statement = file('statements/commute-2026-03.json')
    expect(await roadmeter(['verify', statement, '--policy', 'tariff.json'])).toMatchObject({ status: 0 })
    const forged = JSON.parse(fs.readFileSync(statement, 'utf8'))
    forged.totals.due = '10000'
    file('forged.json', JSON.stringify(forged))
    const found = await roadmeter(['verify', 'forged.json', '--policy', 'tariff.json'])
    expect(found).toMatchObject({ status: 1, out: expect.stringContaining('totals.due') })
    expectRefusal(await replay('drive.csv', '--data', data, '--out', 'statements'), 'statements', 'empty')

    const mine = { ROADMETER_DATA: data }
    const proof = await roadmeter(['statement', 'show', drives[0].statements[0], '--proof'], mine)
    file('proof.json', proof.out)
    const proven = await roadmeter(['verify', statement, '--policy', 'tariff.json', '--proof', 'proof.json'])
    expect(proven).toMatchObject({ status: 0, out: expect.stringContaining('is statement 1 of 1') })

    // All in one file: whoever has it needs the published root and nothing else.
    const bundle = await roadmeter(['statement', 'show', drives[0].statements[0], '--bundle'], mine)
    file('bundle.json', bundle.out)
    const under = (root: string) => roadmeter(['verify', 'bundle.json', '--root', root])
    const { root } = JSON.parse(proof.out)
    expect(await under(root)).toMatchObject({ status: 0, out: expect.stringContaining('is statement 1 of 1') })
    expect(await under('0'.repeat(64))).toMatchObject({ status: 1, out: expect.stringContaining('is NOT statement 1') })

    await runsAsPrinted(data, drives[0].statements[0])

    expect((await roadmeter(['reconcile'], mine)).out).toMatch(/^I1 {2}holds/)
    const second = JSON.parse((await replay('drive.csv', '--json', '--data', data)).out)
    expect(second.totals.duplicate_batches).toBe(second.totals.batches)
    expect(second.drives).toEqual(drives)
  })

  it('leaves nothing half-written when it is stopped; as GPX the same drive then costs the same', async () => {
    const data = freshDatabase('stopped')
    const { child, ended } = start(['replay', 'drive.csv', '--network', 'map.osm', '--data', data, '--out', 'never'])
    while (!fs.existsSync(path.join(data, 'roadmeter.lock')) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 10))
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ status: 130, out: '', err: '' })
    expect(fs.readdirSync(work).filter((name) => name.startsWith('never'))).toEqual([])

    const { status, out, err } = await replay('drive.gpx', '--data', data)
    expect({ status, err }).toEqual({ status: 0, err: '' })
    const row = out.split('\n')[1]
    expect(row).toContain((drives[0].distance_mm / 1e6).toFixed(2))
    expect(row).toContain(`${(Number(drives[0].due_micros) / 1e6).toFixed(2)} EUR`)
  })

  /** Saves the files that a statement names from the api, and runs the very command that it prints. */
  async function runsAsPrinted(data: string, id: string): Promise<void> {
    const world = await openWorld(instant(Date.now()), {}, data)
    let printed: string
    try {
      const [row] = await world.store.read<{ agency: AgencyId; account: AccountId }>(
        'select agency, account from money.statement where id = $1',
        [id],
      )
      await world.store.transaction((tx) => grantAccess(tx, 'reader', { role: 'citizen', ...row }))
      const get = async (url: string) =>
        (await fetch(`${world.httpUrl}${url}`, { headers: { authorization: 'Bearer reader' } })).text()
      const page = (await get(`/v1/statements/${id}.html`)).replace(/\s+/g, ' ')
      const named = [...page.matchAll(/<code>(\/v1\/[^<]+)<\/code> as <code>(\w+\.json)<\/code>/g)]
      expect(named.map((match) => match[2])).toEqual(['statement.json', 'policies.json', 'proof.json'])
      for (const [, url, name] of named) file(name, await get(url))
      printed = /<code>roadmeter (verify [^<]+)<\/code>/.exec(page)![1]
    } finally {
      await world.close()
    }
    const checked = await roadmeter(printed.trim().split(' '))
    expect(checked).toMatchObject({
      status: 0,
      err: '',
      out: expect.stringMatching(/adds up.*\n.* is statement 1 of 1/),
    })
  }

  const real = fs.existsSync(KUBICKA) ? it : it.skip
  if (!fs.existsSync(KUBICKA)) console.warn('SKIPPED: no real drives in ../shared/data/kubicka')
  real('meters a real drive within one per cent of the route that was driven', async () => {
    const { out } = await roadmeter(['replay', KUBICKA, '--json', '--data', freshDatabase('real')])
    const { totals } = JSON.parse(out)
    expect(totals).toMatchObject({ drives: 1, fixes: 1240, lost_batches: 0, duplicate_batches: 0 })
    expect(Math.abs(totals.difference_percent)).toBeLessThan(1)
  })
})
