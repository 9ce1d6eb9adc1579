import { photoOf } from '#store'
import { faultsOf } from '../harness'
import { KM, PHOTO, Story, at } from './odometers'

describe('a month without location', () => {
  let story: Story
  beforeAll(async () => {
    story = await Story.open('2026-09-30T12:00:00+02:00')
  })
  afterAll(() => story?.close())

  it('begins with a reading, and with nothing less', async () => {
    const path = `/v1/vehicles/${story.people.vehicle}/method`
    const early = await story.http(path, { body: { method: 'odometer', at: at('2026-10-01T00:00:00+02:00') } })
    expect([early.status, early.json.code]).toEqual([400, 'METHOD_READING'])
    expect((await story.photo('2026-09-30T20:00:00+02:00', 50_000)).status).toBe(201)
    const switched = await story.http(path, { body: { method: 'odometer', at: at('2026-10-01T00:00:00+02:00') } })
    expect(switched.json).toEqual([{ from: at('2026-10-01T00:00:00+02:00'), method: 'odometer' }])
    const { json } = await story.http('/v1/vehicles')
    expect(json[0]).toMatchObject({ method: 'location', chosen: [{ method: 'odometer' }] })
  })

  it('reads no road from what is sent all the same', async () => {
    await story.drive('unasked', '2026-10-03T10:00:00+02:00')
    expect(await story.world.store.read('select trip from location.path')).toEqual([])
    expect(await story.owed()).toBe(0n)
  })

  it('is billed by the odometer, to the micro', async () => {
    // 1 October 00:00 is 4 hours after the first reading and 44,640 minutes (with the hour that summer time ends with) of October
    // lie before the second: at 50,620.5 km the whole growth lies between two readings, four hours of it in September.
    expect((await story.photo('2026-11-01T00:00:00+01:00', 50_620.5)).status).toBe(201)
    const statement = await story.statement('2026-10')
    const [account] = statement.mileage!
    const septemberMs = at('2026-10-01T00:00:00+02:00') - at('2026-09-30T20:00:00+02:00')
    expect(septemberMs).toBe(4 * 3_600_000)
    // Nothing was driven with location in these four hours, so all of what no trip explains is October's.
    expect(account).toMatchObject({
      openingMm: 50_000 * KM,
      closingMm: 50_620.5 * KM,
      closingIs: 'read',
      matchedMm: 0,
      unreconciledMm: 620.5 * KM,
    })
    // 620.5 km at 12 cents.
    expect(account.lines).toEqual([
      expect.objectContaining({ kind: 'odometer', distanceMm: 620.5 * KM, estimatedMm: 0, amount: 74_460_000n }),
    ])
    expect(statement.totals).toMatchObject({ exact: 74_460_000n, due: 74_460_000n, chargedMm: 620.5 * KM, trips: 0 })
    expect(await story.owed()).toBe(74_460_000n)
  })

  it('is estimated where nobody reads, and trued up by the next reading', async () => {
    // 620.5 km in 31 days and 4 hours were usual; November has 30 days and no reading.
    const november = await story.statement('2026-11')
    const [estimated] = november.mileage!
    const usualMm =
      (620_500_000n * 86_400_000n) / BigInt(at('2026-11-01T00:00:00+01:00') - at('2026-09-30T20:00:00+02:00'))
    expect(estimated.closingIs).toBe('estimated')
    expect(estimated.lines).toEqual([
      expect.objectContaining({
        kind: 'odometer',
        distanceMm: Number(usualMm) * 30,
        estimatedMm: Number(usualMm) * 30,
      }),
    ])
    expect(november.totals.estimatedMm).toBe(Number(usualMm) * 30)
    const billed = november.totals.exact

    // On 16 December it shows only 450 km more: 45 days at 10 km, 300 of them in November. Too much was estimated.
    expect((await story.photo('2026-12-16T00:00:00+01:00', 50_620.5 + 450)).status).toBe(201)
    const december = await story.statement('2026-12')
    const [corrected, own] = december.mileage!
    expect(corrected).toMatchObject({ month: '2026-11', closingIs: 'reckoned', unreconciledMm: 300 * KM })
    expect(corrected.lines).toEqual([
      expect.objectContaining({ distanceMm: 300 * KM, estimatedMm: 0, billed, amount: 36_000_000n - billed }),
    ])
    expect(own).toMatchObject({ month: '2026-12', openingMm: 50_920.5 * KM })
    expect(december.totals.adjustments).toBe(36_000_000n - billed)
    expect(await story.owed()).toBe(74_460_000n + billed + december.totals.exact)
  })

  it('keeps every invariant', async () => {
    expect(await faultsOf(story.world)).toEqual([])
  })

  it('keeps photos sealed, and shows them as they came', async () => {
    const { store } = story.world
    const photo = Buffer.from(PHOTO, 'base64')
    const kept = await store.read<{ digest: string; bytes: Uint8Array; key: string | null }>(
      'select digest, bytes, key from metering.odometer_photo',
    )
    expect(kept.length).toBeGreaterThan(0)
    for (const { bytes, key } of kept)
      expect([key === null, Buffer.from(bytes).includes(photo.subarray(0, 16))]).toEqual([false, false])
    const shown = await store.transaction((tx) => photoOf(tx, story.people.vehicle, kept[0].digest))
    expect(Buffer.from(shown!.bytes).equals(photo)).toBe(true)
  })

  it('refuses bad readings, each with its code, and keeps nothing of them', async () => {
    const { vehicle } = story.people
    const rows = () => story.world.store.read('select id from metering.odometer_reading order by id')
    const photos = () => story.world.store.read('select digest from metering.odometer_photo order by digest')
    const before = [await rows(), await photos()]
    const now = story.world.clock.now()
    const enter = async (body: object, path = vehicle as string) => {
      const { status, json } = await story.http(`/v1/vehicles/${path}/odometer`, { body })
      return [status, json.code]
    }
    const good = { at: now, mm: 51_200 * KM, photo: PHOTO }
    expect(await enter({ ...good, mm: 50_000 * KM })).toEqual([400, 'READING_LOWER'])
    expect(await enter({ ...good, at: at('2027-03-01T00:00:00Z') })).toEqual([400, 'READING_FUTURE'])
    expect(await enter({ ...good, mm: 900_000 * KM })).toEqual([400, 'READING_SPEED'])
    expect(await enter({ ...good, at: at('2026-11-20T00:00:00Z') })).toEqual([409, 'PERIOD_CLOSED'])
    expect(await enter(good, 'vehicle-of-nobody')).toEqual([404, 'NO_VEHICLE'])
    expect(await enter({ at: good.at, mm: good.mm })).toEqual([400, 'PHOTO_MISSING'])
    expect(await enter({ ...good, photo: Buffer.from('<svg/>').toString('base64') })).toEqual([415, 'EVIDENCE_TYPE'])
    const large = Buffer.concat([Buffer.from(PHOTO, 'base64'), Buffer.alloc(5 * 1024 * 1024)]).toString('base64')
    expect(await enter({ ...good, photo: large })).toEqual([413, 'EVIDENCE_SIZE'])
    expect(await enter({ ...good, mm: -1 })).toEqual([400, 'INVALID'])
    expect(await enter({ ...good, plate: 'B-RM 1' })).toEqual([400, 'INVALID'])
    expect([await rows(), await photos()]).toEqual(before)
    expect(await enter(good)).toEqual([201, undefined])
  })
})
