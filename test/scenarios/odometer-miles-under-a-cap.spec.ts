import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Statement } from '#contracts'
import { canonical, MILE_MM } from '#kernel'
import { parsePolicy } from '#policy'
import { saveProfile } from '#store'
import { verifyCommand } from '../../apps/ops/src/verify'
import { faultsOf } from '../harness'
import { at, KM, Story } from './odometers'

const HAWAII = parsePolicy(
  JSON.parse(readFileSync(path.join(__dirname, '../../apps/ops/policies/hawaii.json'), 'utf8')),
)
const MILE_KM = MILE_MM / KM

/**
 * Hawaii: 0.8 cents a mile by the odometer, 50 dollars a year at most. By hand:
 *   September  1,500 mi = 12.00   12.00
 *   October    2,000 mi = 16.00   28.00
 *   November   1,800 mi = 14.40   42.40
 *   December   no reading: what is usual, some 1,800 mi, is more than the 7.60 that are left: 50.00
 *   January    on 1 February it shows 1,800 mi more in 62 days, 31 of them December's: 900 mi = 7.20, the year was 49.60. January's
 *              900 mi = 7.20 count anew. 7.20 less the 0.40 that December was too dear is 6.80.
 */
describe('odometer miles under a yearly maximum', () => {
  let story: Story
  let dir: string
  const month = (name: string, next: string): Promise<Statement> => {
    story.until(`${next}-01T00:00:01-10:00`)
    return story.statement(name)
  }
  const read = async (moment: string, miles: number) =>
    expect((await story.photo(moment, miles * MILE_KM)).status).toBe(201)
  /** `roadmeter verify` of a statement as it is downloaded: its status and what it says. */
  const verified = async (statement: unknown): Promise<[number, string]> => {
    const file = path.join(dir, 'statement.json')
    const tariff = path.join(dir, 'tariff.json')
    writeFileSync(file, canonical(statement))
    writeFileSync(tariff, JSON.stringify(HAWAII))
    let said = ''
    const spy = jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true))
    const before = process.exitCode
    try {
      await verifyCommand().parseAsync([file, '--policy', tariff], { from: 'user' })
      return [Number(process.exitCode ?? 0), said]
    } finally {
      spy.mockRestore()
      process.exitCode = before
    }
  }

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'roadmeter-hawaii-'))
    story = await Story.open('2025-08-31T12:00:00-10:00', HAWAII)
    const now = story.world.clock.now()
    const { vehicle } = story.people
    await story.world.store.transaction((tx) => saveProfile(tx, vehicle, { propulsion: 'electric' }, now, now))
    await read('2025-08-31T12:00:00-10:00', 10_000)
    const method = { method: 'odometer', at: at('2025-09-01T00:00:00-10:00') }
    expect((await story.http(`/v1/vehicles/${vehicle}/method`, { body: method })).status).toBeLessThan(300)
  })
  afterAll(async () => {
    await story?.close()
    rmSync(dir, { recursive: true, force: true })
  })

  it('accrues by readings until the maximum is near', async () => {
    for (const [name, next, miles, due] of [
      ['2025-09', '2025-10', 11_500, 12_000_000n],
      ['2025-10', '2025-11', 13_500, 16_000_000n],
      ['2025-11', '2025-12', 15_300, 14_400_000n],
    ] as const) {
      await read(`${next}-01T00:00:00-10:00`, miles)
      const statement = await month(name, next)
      expect(statement.totals).toMatchObject({ trips: 0, exact: due, due, credits: 0n })
    }
    expect(await story.owed()).toBe(42_400_000n)
  })

  it('charges of an estimated month what is left of the maximum, and says so', async () => {
    const december = await month('2025-12', '2026-01')
    expect(december.mileage![0].closingIs).toBe('estimated')
    const { amount } = december.mileage![0].lines[0]
    expect(amount).toBeGreaterThan(13_000_000n)
    expect(december.capCredits).toEqual([
      expect.objectContaining({ cap: 'year', span: '2025', limit: 50_000_000n, grossBefore: 42_400_000n, amount: 7_600_000n - amount }), // prettier-ignore
    ])
    expect(december.totals).toMatchObject({ due: 7_600_000n, charges: amount, credits: 7_600_000n - amount })
    expect(await story.owed()).toBe(50_000_000n)
    const html = await fetch(`${story.world.httpUrl}/v1/statements/${december.id}.html`, {
      headers: { authorization: `Bearer ${story.people.tokens.citizen}` },
    })
    expect(await html.text()).toMatch(/Yearly maximum.*at most \$50.00/)

    expect(await verified(december)).toEqual([0, expect.stringContaining('adds up')])
    // Somebody who forgets the maximum, or what was counted before, is found out; and so is a car that isn't electric.
    const { capCredits, mileage } = december
    expect(await verified({ ...december, capCredits: [] })).toEqual([1, expect.stringContaining('does not add up')])
    for (const edited of [
      { ...december, capCredits: [{ ...capCredits[0], grossBefore: 0n }] },
      { ...december, mileage: [{ ...mileage![0], profile: { propulsion: 'petrol' } }] },
    ])
      expect((await verified(edited))[0]).toBe(1)
  })

  it('gives back what was estimated too high, and begins anew with the year', async () => {
    const before = await story.owed()
    await read('2026-02-01T00:00:00-10:00', 17_100)
    const january = await month('2026-01', '2026-02')
    const [december, own] = january.mileage!
    expect([december.month, own.month]).toEqual(['2025-12', '2026-01'])
    expect(december.lines[0]).toMatchObject({
      distanceMm: 900 * MILE_MM,
      amount: 7_200_000n - december.lines[0].billed,
    })
    expect(own.lines[0].amount).toBe(7_200_000n)
    expect(january.capCredits).toEqual([
      expect.objectContaining({
        span: '2025',
        creditBefore: 7_600_000n - december.lines[0].billed,
        amount: december.lines[0].billed - 7_600_000n,
      }),
    ])
    expect(january.totals).toMatchObject({ exact: 6_800_000n, due: 6_800_000n })
    expect(await story.owed()).toBe(before + 6_800_000n)
    expect(await verified(january)).toEqual([0, expect.stringContaining('adds up')])
    const [credit] = january.capCredits
    for (const over of [{ creditBefore: 0n }, { grossBefore: 60_000_000n }])
      expect(await verified({ ...january, capCredits: [{ ...credit, ...over }] })).toEqual([1, expect.anything()])
  })

  it('keeps every invariant', async () => {
    expect(await faultsOf(story.world)).toEqual([])
  })
})
