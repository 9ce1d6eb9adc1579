import { faultsOf } from '../harness'
import { driveAlong } from './roads'
import { at, journeyMm, KM, Story } from './odometers'

/** A drive of which the odometer is known, but of which most of the batches come weeks later: here, another boot of the device. */
describe('missing miles, trued up', () => {
  let story: Story
  beforeAll(async () => {
    story = await Story.open('2026-10-01T00:00:00+02:00')
  })
  afterAll(() => story?.close())

  const tolerated = 3_218_688 // two miles: opening and closing are read in whole ones

  it('are charged by the odometer, beyond the tolerance, where no trip explains them', async () => {
    expect((await story.photo('2026-10-01T00:00:00+02:00', 10_000)).status).toBe(201)
    await story.drive('known', '2026-10-05T10:00:00+02:00')
    expect((await story.photo('2026-11-01T00:00:00+01:00', 10_020)).status).toBe(201)
    const october = await story.statement('2026-10')
    const driven = journeyMm(october)
    const [account] = october.mileage!
    expect(account).toMatchObject({ openingMm: 10_000 * KM, closingMm: 10_020 * KM, unreconciledMm: 20 * KM - driven })
    expect(account.matchedMm + account.inferredMm).toBe(driven)
    const missing = 20 * KM - driven - tolerated
    expect(account.lines).toEqual([
      expect.objectContaining({ kind: 'missing', distanceMm: missing, amount: (BigInt(missing) * 8n + 50n) / 100n }),
    ])
    expect(october.totals.mileageMm).toBe(missing)
    expect(await story.owed()).toBe(october.totals.exact)
  })

  it('and given back where the trip comes after all, at their own rate and under their own month', async () => {
    story.until('2026-11-03T12:00:00+01:00')
    const before = await story.owed()
    await story.send(driveAlong('late', 7, 7.1, at('2026-10-12T10:00:00+02:00'), 0, 1))
    const november = await story.statement('2026-11')
    const [october] = november.mileage!
    const [line] = october.lines
    const lateMm = journeyMm(november)
    // 20 km less two drives of 7.9 km: what is left is within the tolerance but for 0.9 km.
    const left = 20 * KM - october.matchedMm - october.inferredMm - tolerated
    expect(left).toBeGreaterThan(0)
    expect(october.month).toBe('2026-10')
    expect(line).toMatchObject({ kind: 'missing', distanceMm: left })
    expect(line.billed + line.amount).toBe((BigInt(left) * 8n + 50n) / 100n)
    expect(line.amount).toBeLessThan(0n)
    expect(november.totals.adjustments).toBe(november.totals.exact)
    // The late trip itself at 10 cents, less the difference.
    const lateAmount = november.journeys[0].amount
    expect(lateAmount).toBe((BigInt(lateMm) + 5n) / 10n)
    expect((await story.owed()) - before).toBe(lateAmount + line.amount)
  })

  it('with every invariant kept', async () => {
    expect(await faultsOf(story.world)).toEqual([])
  })
})
