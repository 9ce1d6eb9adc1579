import { verifyStatement } from '#statement'
import { parsePolicy } from '#policy'
import { TARIFF } from './roads'
import { openStory, priceOf, type Story } from './story'

const DEARER = {
  ...TARIFF,
  id: 'dearer',
  name: 'Dearer from the middle of October',
  startsAt: '2026-10-15T00:00:00+02:00',
  rules: [TARIFF.rules[0], { id: 'base', name: 'All roads', match: {}, price: { perKm: '0.20' } }],
  caps: [{ id: 'daily', name: 'Daily cap', per: 'day', amount: '3.00' }],
}

describe('a policy that changes in mid-month', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00', { policies: [TARIFF, DEARER] })
  })
  afterAll(() => story?.end())

  it('prices each metre by what was in force when it was driven, also within one trip', async () => {
    await story.drive('old', 7, 7.02, '2026-10-10T12:00:00+02:00')
    // A stretch is priced by when it was entered: the road's second half after 263 s, at 00:01:23.
    await story.drive('across', 7, 7.1, '2026-10-14T23:57:00+02:00')
    await story.drive('new', 7, 7.02, '2026-10-20T12:00:00+02:00')
    const statement = await story.close('2026-10')
    expect(verifyStatement(statement, [parsePolicy(TARIFF), parsePolicy(DEARER)])).toEqual([])
    const [old, across, fresh] = statement.journeys
    expect(old.lines).toMatchObject([{ policy: 'test-2026' }])
    expect(fresh.lines).toMatchObject([{ policy: 'dearer' }])
    expect(Math.abs(Number(fresh.amount - old.amount * 2n))).toBeLessThanOrEqual(1)
    expect(new Set(across.lines.map(({ policy, day }) => `${policy} ${day}`))).toEqual(
      new Set(['test-2026 2026-10-14', 'dearer 2026-10-15']),
    )
    for (const journey of statement.journeys) expect(priceOf(journey)).toBe(journey.amount)
    await story.sound()
  })
})
