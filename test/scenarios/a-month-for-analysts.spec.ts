import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { instant, type AccountId, type AgencyId, type DeviceId, type VehicleId } from '#kernel'
import { requestClose } from '#pipeline'
import { localClock, parsePolicy } from '#policy'
import {
  filePolicy,
  grantAccess,
  saveAccount,
  saveAgency,
  saveDevice,
  saveNetwork,
  saveProfile,
  saveVehicle,
  startPilot,
} from '#store'
import { exportCommand } from '../../apps/ops/src/exports'
import { faultsOf, openWorld, settled, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'
import { at } from './story'

/** Enough for two arms of ten and more; four of them alone drive on the private road, and three at night. */
const CARS = 30
const AGENCY = 'city-many' as AgencyId
/** The treated arm pays three times as much. */
const TARIFF_OF_ARMS = {
  ...TARIFF,
  rules: [
    { id: 'treated', name: 'Treated', match: { arms: ['treated'] }, price: { perKm: '0.30' } },
    { id: 'base', name: 'Others', match: {}, price: { perKm: '0.10' } },
  ],
  caps: [],
}
const clock = localClock('Europe/Rome')

describe('a month for analysts', () => {
  let world: World
  let isClosed = false
  const folder = mkdtempSync(join(tmpdir(), 'roadmeter-analysts-'))

  // Answers are checked by whoever asks.
  const as = async (
    token: string,
    method: string,
    path: string,
    body?: unknown,
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
  ): Promise<{ status: number; body: any }> => {
    const answer = await fetch(`${world.httpUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      body: /json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text,
    }
  }
  const analyst = (method: string, path: string, body?: unknown) =>
    as('analyst-token', method, `/v1/agencies/${AGENCY}/${path}`, body)
  const car = (i: number) => String(i).padStart(3, '0')
  /** In one batch, a fix every five seconds; each month is a boot of its own. */
  const send = async (i: number, batches: ReturnType<typeof driveAlong>) => {
    const all = batches.flatMap(({ fixes }) => fixes)
    const fixes = all.filter((_, s) => s % 5 === 0 || s === all.length - 1)
    world.clock.advanceTo(instant(Math.max(world.clock.now(), fixes.at(-1)![0])))
    const batch = {
      ...batches[0],
      boot: ['2026-09', '2026-10', '2026-12'].indexOf(clock.month(world.clock.now())),
      event: 'end',
      fixes,
    }
    expect((await as(`token-${i}`, 'POST', `/v1/devices/device-${car(i)}/batches`, batch)).status).toBe(200)
  }
  const close = async (month: string) => {
    await requestClose(world.store, AGENCY, month)
    world.clock.advanceTo(instant(Math.max(world.clock.now(), clock.spanOf(month).to)))
    for (const end = Date.now() + 30_000; Date.now() < end;) {
      await settled(world)
      if ((await analyst('GET', 'datasets/months')).body.includes(month)) return settled(world)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`${month} was never counted`)
  }
  const exported = async (dataset: string, format: string, more = {}, period = '2026-10') => {
    const asked = await analyst('POST', 'exports', { dataset, period, format, ...more })
    expect(asked.status).toBe(202)
    await settled(world)
    return (await analyst('GET', `exports/${asked.body.id}`)).body
  }
  const bytesOf = async (job: { id: string; files: string[] }, file = job.files[0]) => {
    const answer = await fetch(`${world.httpUrl}/v1/agencies/${AGENCY}/exports/${job.id}/${file}`, {
      headers: { authorization: 'Bearer analyst-token' },
    })
    expect(answer.status).toBe(200)
    return Buffer.from(await answer.arrayBuffer())
  }
  const query = async (sql: string) => {
    const duck = await DuckDBInstance.create()
    const connection = await duck.connect()
    try {
      return (await connection.runAndReadAll(sql)).getRowObjectsJS()
    } finally {
      connection.closeSync()
      duck.closeSync()
    }
  }

  beforeAll(async () => {
    mkdirSync(join(folder, 'data'))
    world = await openWorld(at('2026-08-31T08:00:00+02:00'), {}, join(folder, 'data'))
    await world.store.transaction(async (tx) => {
      await saveAgency(tx, { id: AGENCY, name: 'City of Many' })
      await saveNetwork(tx, AGENCY, MAIN_ROAD, { name: 'test', activeFrom: instant(0) })
      await filePolicy(tx, AGENCY, parsePolicy(TARIFF_OF_ARMS), instant(0))
      await grantAccess(tx, 'analyst-token', { role: 'analyst', agency: AGENCY, account: null })
      await grantAccess(tx, 'agency-token', { role: 'agency', agency: AGENCY, account: null })
      for (let i = 0; i < CARS; i++) {
        const [account, vehicle] = [`account-${car(i)}` as AccountId, `vehicle-${car(i)}` as VehicleId]
        await saveAccount(tx, { id: account, agency: AGENCY, name: `=HYPERLINK("${i}")` })
        await saveVehicle(tx, {
          vehicle,
          account,
          name: 'the car',
          vehicleClass: i < 4 ? 'truck' : i < 15 ? 'van' : 'car',
        })
        await saveProfile(tx, vehicle, { programmes: i % 2 ? ['low-income'] : [] }, instant(0), world.clock.now())
        await saveDevice(tx, { id: `device-${car(i)}` as DeviceId, vehicle, token: `token-${i}` })
        await grantAccess(tx, `citizen-${i}`, { role: 'citizen', agency: AGENCY, account })
      }
      await startPilot(
        tx,
        AGENCY,
        { seed: 'seed-4', arms: { control: 1, treated: 1 }, from: at('2026-10-01T00:00:00+02:00'), reason: 'a trial' },
        world.clock.now(),
      )
    })
    // September, before the pilot: 4 km each in the morning of a workday. October: the same by the control arm's price.
    for (const [month, day] of [
      ['2026-09', '2026-09-15'],
      ['2026-10', '2026-10-13'],
    ]) {
      for (let i = 0; i < CARS; i++) {
        const hour = i < 3 ? '02' : i < 15 ? '08' : '17'
        await send(i, driveAlong(month, 7.001, i < 18 ? 7.049 : 7.08, at(`${day}T${hour}:00:00+02:00`), 0))
      }
      await settled(world)
      await close(month)
    }
  })
  afterAll(async () => {
    if (!isClosed) await world?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is counted at its close, and what it was counted from is destroyed', async () => {
    expect((await world.store.read('select * from location.tally')).length).toBe(0)
    expect((await analyst('GET', 'datasets/months')).body).toEqual(['2026-09', '2026-10'])
    expect(await faultsOf(world)).toEqual([])
  })

  it('publishes no row of fewer than ten vehicles, and its totals recompute', async () => {
    for (const dataset of ['trips-by-zone', 'trips-by-grid', 'miles-by-segment', 'revenue', 'accuracy', 'behaviour']) {
      const job = await exported(dataset, 'parquet')
      expect(job).toMatchObject({ state: 'done', refused: null })
      const bytes = await bytesOf(job)
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(job.sha256)
      const file = join(folder, `${dataset}.parquet`)
      writeFileSync(file, bytes)
      const described = JSON.parse(String(await bytesOf(job, 'datapackage.json')))
      const [resource] = described.resources
      expect([resource.bytes, resource.hash, resource.rows]).toEqual([bytes.length, `sha256:${job.sha256}`, job.rows])
      // Another program reads it: rows, names and types as the dictionary says, sums as the manifest says.
      const columns = await query(`describe select * from '${file}'`)
      expect(columns.map(({ column_name }) => column_name)).toEqual(
        resource.schema.fields.map(({ name }: { name: string }) => name),
      )
      const { published } = described.roadmeter.totals
      const sums = Object.keys(published).map((name) => `sum(${name})::varchar as ${name}`)
      const [found] = await query(
        `select count(*)::int as n, min(vehicles)::int as fewest, ${sums.join(', ')} from '${file}'`,
      )
      expect(found['n']).toBe(job.rows)
      expect(job.rows).toBeGreaterThan(0)
      expect(Number(found['fewest'])).toBeGreaterThanOrEqual(10)
      for (const [name, sum] of Object.entries(published)) expect(found[name]).toBe(sum)
    }
    // Three drove at night, and nobody can see it: neither here nor as a difference to the total.
    const zones = (await analyst('GET', 'datasets/trips-by-zone?period=2026-10')).body
    expect(zones.rows.map(({ hour }: { hour: string }) => hour)).not.toContain('2')
    expect(zones.suppressed.few).toBeGreaterThan(0)
    // Of trucks there are four: told neither by themselves nor by what is left of the month's revenue.
    const revenue = (await analyst('GET', 'datasets/revenue?period=2026-10')).body
    expect(revenue.rows.map((row: { vehicle_class: string }) => row.vehicle_class)).not.toContain('truck')
    const [booked] = await world.store.read<{ sum: string }>(
      `select sum(c.amount)::text as sum from money.charge c join metering.trip t on t.id = c.trip where t.month = '2026-10'`,
    )
    expect([null, booked.sum]).toContain(revenue.totals?.amount_micros ?? null)
  })

  it('writes GeoParquet that says what it is, and CSV without a formula', async () => {
    const geo = await exported('miles-by-segment', 'geoparquet')
    const file = join(folder, 'geo.parquet')
    writeFileSync(file, await bytesOf(geo))
    const [{ value }] = await query(
      `select decode(value) as value from parquet_kv_metadata('${file}') where decode(key) = 'geo'`,
    )
    const metadata = JSON.parse(String(value))
    expect(metadata).toMatchObject({
      version: '1.1.0',
      primary_column: 'geometry',
      columns: { geometry: { encoding: 'WKB' } },
    })
    expect(metadata.columns.geometry.geometry_types).toEqual(['LineString'])
    const [west, south, east, north] = metadata.columns.geometry.bbox
    expect(west).toBeCloseTo(7, 5)
    expect([south, north]).toEqual([45, 45])
    expect(east).toBeCloseTo(7.1, 1)
    // It takes the column for what it is: a geometry in this reference system.
    const [{ column_type }] = await query(`describe select geometry from '${file}'`)
    expect(column_type).toMatch(/^GEOMETRY.*CRS84/)
    const [{ head }] = await query(`select geometry::varchar as head from '${file}' limit 1`)
    expect(String(head)).toMatch(/^LINESTRING \(7(\.\d+)? 45,/)
    expect(JSON.parse(String(await bytesOf(geo, 'datapackage.json'))).licenses[0].name).toBe('ODbL-1.0')

    const csv = await exported('trips-by-zone', 'csv')
    const text = String(await bytesOf(csv))
    expect(text).toMatch(/^zone,day_kind,hour,vehicles,distance_mm,trips,deviation\r\n/)
    writeFileSync(join(folder, 'zones.csv'), text)
    const [{ n }] = await query(`select count(*)::int as n from read_csv('${join(folder, 'zones.csv')}')`)
    expect(n).toBe(csv.rows)
    const other = await analyst('POST', 'exports', { dataset: 'revenue', period: '2026-10', format: 'geoparquet' })
    expect([other.status, other.body.code]).toEqual([400, 'EXPORT_FORMAT'])
  })

  it('says how the arms changed, with the same intervals every time', async () => {
    const path = 'evaluation?baseline=2026-09&pilot=2026-10'
    const { body } = await analyst('GET', path)
    expect(body.result.arms.map(({ arm }: { arm: string }) => arm)).toEqual(['control', 'treated'])
    const treated = body.result.arms[1]
    // Everybody drove the same as before.
    expect(treated.change.value).toBeCloseTo(0, 2)
    expect(treated.elasticity.low).toBeLessThanOrEqual(treated.elasticity.high)
    expect(treated.price / body.result.arms[0].price).toBeCloseTo(3, 1)
    expect((await analyst('GET', path)).body).toEqual(body)
    // By parts: ratios of ten vehicles or more, and nothing that the rest could be reckoned from.
    for (const by of ['hour', 'zone', 'road-class', 'vehicle-class', 'programme']) {
      const { parts } = (await analyst('GET', `${path}&by=${by}`)).body
      expect(parts.by).toBe(by)
      // Everybody drove on the main road, outside the zone; in an hour or a class there are fewer than ten in an arm.
      const isOfMany = by === 'zone' || by === 'road-class'
      expect([by, parts.groups.length > 0, parts.withheld > 0]).toEqual([by, isOfMany, by !== 'road-class'])
      for (const { group, arms } of parts.groups)
        for (const arm of arms) {
          expect([arm.arm, Object.keys(arm).sort()]).toEqual(['treated', ['arm', 'change', 'elasticity', 'vehicles']])
          expect([group, arm.vehicles >= 10, arm.change.low <= arm.change.high]).toEqual([group, true, true])
        }
    }
    expect((await analyst('GET', `${path}&by=vehicle`)).status).toBe(400)
    expect((await analyst('GET', 'evaluation?baseline=2026-10&pilot=2026-10')).body.code).toBe('MONTHS')
    expect((await analyst('GET', 'evaluation?baseline=2026-09&pilot=2026-11')).body.code).toBe('MONTH_OPEN')
    const rows = (await analyst('GET', 'datasets/behaviour?period=2026-10')).body.rows
    const all = rows.filter((row: { by: string }) => row.by === 'all')
    expect(all.length).toBe(2)
    for (const { mean, vehicles, distance_mm } of all) {
      expect(mean.mean).toBeCloseTo(Number(distance_mm) / vehicles, 3)
      expect(mean.low).toBeLessThan(mean.mean)
    }
  })

  it('lets a survey out, and then not again for a few more answers', async () => {
    const survey = {
      id: 'autumn',
      title: 'Your autumn',
      from: '2026-10-01T00:00:00+02:00',
      until: '2026-12-31T00:00:00+01:00',
      questions: [{ id: 'fair', text: 'Is it fair?', options: { yes: 'Yes', no: 'No' } }],
    }
    expect((await as('agency-token', 'POST', `/v1/agencies/${AGENCY}/surveys`, survey)).status).toBe(201)
    expect((await as('agency-token', 'POST', `/v1/agencies/${AGENCY}/surveys`, survey)).body.code).toBe('SURVEY_TAKEN')
    const answer = (i: number, option: string) =>
      as(`citizen-${i}`, 'POST', '/v1/surveys/autumn/answers', { answers: { fair: option } })
    for (let i = 0; i < CARS - 2; i++) expect((await answer(i, 'yes')).status).toBe(204)
    expect((await answer(0, 'no')).body.code).toBe('ANSWERED')
    expect((await answer(CARS - 1, 'perhaps')).body.code).toBe('ANSWER')
    expect((await as('citizen-0', 'GET', '/v1/surveys')).body).toMatchObject([{ id: 'autumn', answered: true }])
    const first = await exported('survey', 'csv', {}, 'autumn')
    expect(first).toMatchObject({ state: 'done', rows: 2 })
    expect((await answer(CARS - 1, 'yes')).status).toBe(204)
    world.clock.advanceTo(instant(world.clock.now() + 1000))
    const second = await exported('survey', 'csv', {}, 'autumn')
    expect(second.state).toBe('refused')
    expect(second.refused).toMatch(
      /^survey of autumn is not released again: cells by question x answer x arm differ .* fewer than 10/,
    )
    expect(second.refused).not.toMatch(/account|vehicle-\d|yes/)
  })

  it('adds noise on a budget, once', async () => {
    const noise = { kind: 'laplace', of: 0.4 }
    const first = await exported('trips-by-zone', 'csv', { noise })
    expect(first).toMatchObject({ state: 'done', noise: 'laplace:400000' })
    const again = await exported('trips-by-zone', 'parquet', { noise })
    const rows = String(await bytesOf(first))
      .trim()
      .split('\r\n')
      .slice(1)
    writeFileSync(join(folder, 'noisy.parquet'), await bytesOf(again))
    const same = await query(`select vehicles::varchar as v from '${join(folder, 'noisy.parquet')}'`)
    expect(same.map(({ v }) => v)).toEqual(rows.map((row) => row.split(',')[3]))
    // 3 numbers a cell at epsilon 0.4 are rho 0.24 of 0.5; at epsilon 0.5 rho 0.375
    const more = await exported('trips-by-zone', 'csv', { noise: { kind: 'laplace', of: 0.5 } })
    expect(more).toMatchObject({ state: 'refused' })
    expect(more.refused).toMatch(/would take rho 0.375 and .* has 0.26 left/)
  })

  it('is for analysts of the city, of months that are closed', async () => {
    const open = await analyst('POST', 'exports', { dataset: 'revenue', period: '2026-11' })
    expect([open.status, open.body.code]).toEqual([409, 'MONTH_OPEN'])
    const unknown = await analyst('POST', 'exports', { dataset: 'trips', period: '2026-10' })
    expect([unknown.status, unknown.body.code]).toEqual([404, 'NO_DATASET'])
    expect(
      (await as('citizen-1', 'POST', `/v1/agencies/${AGENCY}/exports`, { dataset: 'revenue', period: '2026-10' }))
        .status,
    ).toBe(403)
    expect((await as('analyst-token', 'GET', '/v1/agencies/city-other/exports')).status).toBe(404)
  })

  it('tells of no arm that differs by a few from one that was told', async () => {
    for (let i = 2; i < CARS; i++)
      await send(i, driveAlong('2026-12', 7.001, 7.049, at('2026-12-15T08:00:00+01:00'), 0))
    await settled(world)
    await close('2026-12')
    const ask = (baseline: string, pilot: string) => analyst('GET', `evaluation?baseline=${baseline}&pilot=${pilot}`)
    // The same vehicles, the other way round; and again what was told.
    expect((await ask('2026-10', '2026-09')).status).toBe(200)
    expect((await ask('2026-09', '2026-10')).status).toBe(200)
    const { status, body } = await ask('2026-09', '2026-12')
    expect([status, body.code]).toEqual([409, 'EVALUATION_DIFFERS'])
    expect(body.detail ?? body.title).toMatch(
      /differs from one of 2026-\d\d against 2026-\d\d, which was told, by fewer than 10/,
    )
    expect(JSON.stringify(body)).not.toMatch(/vehicle-\d/)
  })

  it('is the same at the command line, where the books are exported too', async () => {
    const zones = await bytesOf(await exported('trips-by-zone', 'csv'))
    const [booked] = await world.store.read<{ sum: string; n: string }>(
      `select sum(c.amount)::text as sum, count(*) as n from money.charge c join money.period_trip p on p.trip = c.trip where p.month = '2026-10'`,
    )
    await world.close()
    isClosed = true
    const told: string[] = []
    const written = jest.spyOn(process.stdout, 'write').mockImplementation((text) => told.push(String(text)) > 0)
    const before = process.env
    process.env = { ...before, ROADMETER_DATA: join(folder, 'data'), DATABASE_URL: '' }
    const run = (dataset: string, format: string) =>
      exportCommand().parseAsync(
        [dataset, '--agency', AGENCY, '--month', '2026-10', '--format', format, '--out', join(folder, dataset)],
        { from: 'user' },
      )
    try {
      await run('trips-by-zone', 'csv')
      await run('charges', 'parquet')
      await expect(run('revenue', 'geoparquet')).rejects.toThrow('revenue has no shape to draw')
    } finally {
      process.env = before
      written.mockRestore()
    }
    expect(readFileSync(join(folder, 'trips-by-zone/trips-by-zone.csv')).equals(zones)).toBe(true)
    const [read] = await query(
      `select sum(amount_micros)::varchar as sum, count(*)::varchar as n from '${join(folder, 'charges/charges.parquet')}'`,
    )
    expect(read).toEqual(booked)
    const { roadmeter } = JSON.parse(readFileSync(join(folder, 'charges/datapackage.json'), 'utf8'))
    expect(roadmeter.totals.published.amount_micros).toBe(booked.sum)
    expect(told.join('')).toMatch(/lines in .*charges\.parquet/)
  })
})
