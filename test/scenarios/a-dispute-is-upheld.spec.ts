import { type Statement } from '#contracts'
import { euro, openStory, recomputes, type Story } from './story'

const sum = (items: readonly { amount: bigint }[]) => items.reduce((total, { amount }) => total + amount, 0n)

describe('a dispute is upheld', () => {
  let story: Story
  let october: Statement
  let november: Statement
  beforeAll(async () => {
    story = await openStory('2026-10-05T05:00:00+02:00', { environment: { ROADMETER_PAYMENTS: 'local' } })
    // In rush hour through the east: 0.39 + 1.58 EUR each way, of which the day's cap leaves 2.00.
    await story.drive('there', 7, 7.1, '2026-10-05T07:20:00+02:00')
    await story.drive('back', 7.1, 7, '2026-10-05T08:20:00+02:00')
    // 0.16 EUR, another day
    await story.drive('later', 7, 7.02, '2026-10-06T12:00:00+02:00')
    october = await story.close('2026-10')
    expect(october.totals.due).toBe(euro(2.16))
    recomputes(october)
  })
  afterAll(() => story?.end())

  const open = async (trip: string, line?: number): Promise<string> =>
    (
      await story.as('citizen', 'POST', `/v1/statements/${october.id}/disputes`, {
        trip,
        ...(line === undefined ? {} : { line }),
        reason: 'wrong-road',
        text: 'That was not so.',
      })
    ).body.id
  const uphold = (dispute: string, correction: object) =>
    story.as('agency', 'POST', `/v1/disputes/${dispute}/decision`, {
      outcome: 'upheld',
      correction,
      text: 'You are right.',
    })
  const bill = async (month = '2026-10') =>
    (await story.as('citizen', 'GET', '/v1/balance')).body.statements.find((s: { month: string }) => s.month === month)
  const lineOf = (trip: string, rule: string) =>
    october.journeys.find((journey) => journey.trip === trip)!.lines.findIndex((line) => line.rule === rule)

  it('what is found not driven is free, and not asked for while the next statement is awaited', async () => {
    const { trip, amount } = october.journeys[2]
    const dispute = await open(trip)
    await story.sound()
    expect(await bill()).toMatchObject({ heldMicros: '160000', outstandingMicros: '2000000' })
    expect((await uphold(dispute, { kind: 'not-driven' })).body).toMatchObject({ state: 'upheld' })
    await story.sound()
    // All that comes back is still held; the ledger owes it already.
    expect(BigInt((await bill()).heldMicros)).toBe(amount < 160_000n ? amount : 160_000n)
    expect(await story.ledger(`accrued:${story.people.account}`)).toBe(-amount)
  })

  it('under a cap only what falls below it comes back', async () => {
    // On another road than the zone's: 1.58 EUR of the way back become 0.39. Together with the way there the day comes to
    // 1.97 + 0.79 = 2.76, still over the cap of 2.00: nothing comes back, and nothing stays held.
    const back = october.journeys[1].trip
    const dispute = await open(back, lineOf(back, 'east-peak'))
    await story.sound()
    const held = BigInt((await bill()).heldMicros)
    expect(held).toBeGreaterThan(1_700_000n)
    expect((await uphold(dispute, { kind: 'road', zones: [] })).status).toBe(200)
    await story.sound()
    expect(BigInt((await bill()).heldMicros)).toBeLessThan(160_001n)
    const [correction] = await story.world.store.read<{ amount: string; given_back: string }>(
      'select amount, given_back from money.correction where dispute = $1',
      [dispute],
    )
    expect(Number(correction.amount)).toBeCloseTo(-3942 * 300, -4)
    expect(correction.given_back).toBe('0')
  })

  it('what was corrected is not corrected again, and what can not be priced again says so', async () => {
    const there = october.journeys[0].trip
    const dispute = await open(there, lineOf(there, 'base'))
    expect(await uphold(dispute, { kind: 'road', roadClass: 'goat-track' })).toMatchObject({
      status: 400,
      code: 'INVALID',
    })
    // As it is once the trip's places were destroyed; they are put back, because nothing else here is.
    const { store } = story.world
    await store.transaction((tx) => tx.run(`create table aside as select * from location.report with no data`))
    await store.transaction((tx) =>
      tx.run(
        `with gone as (delete from location.report where trip = $1 returning *) insert into aside select * from gone`,
        [there],
      ),
    )
    expect(await uphold(dispute, { kind: 'vehicle', vehicleClass: 'motorcycle' })).toMatchObject({
      status: 400,
      code: 'PLACES_GONE',
    })
    await store.transaction((tx) => tx.run(`insert into location.report select * from aside`))
    const known = (await story.as('citizen', 'GET', '/v1/disputes')).body as { id: string; state: string }[]
    expect(known.find(({ id }) => id === dispute)).toMatchObject({ state: 'open' })
    // 0.39 EUR less: the day is at 2.37, over the cap still.
    expect((await uphold(dispute, { kind: 'exempt', reason: 'ambulance on duty' })).status).toBe(200)
    await story.sound()
  })

  it('the next statement names what was corrected, gives it back, and recomputes', async () => {
    // The last line of that day: now the day falls below its cap, and more comes back.
    const there = october.journeys[0].trip
    const dispute = await open(there, lineOf(there, 'east-peak'))
    await uphold(dispute, { kind: 'exempt', reason: 'ambulance on duty' })
    november = await story.close('2026-11')
    recomputes(november)
    expect(november.corrections).toHaveLength(4)
    expect(november.journeys).toEqual([])
    const [later] = november.corrections!.filter(({ trip }) => trip === october.journeys[2].trip)
    expect(later).toMatchObject({ month: '2026-10', because: 'dispute about wrong-road: not-driven' })
    expect(later.lines).toMatchObject([{ rate: null, freeReason: 'not driven', amount: 0n }])
    expect(later.was).toEqual(october.journeys[2].lines)
    // What is left of that day is the way back at 10 c/km: 0.79. So the cap gives back nothing any more.
    const left = 2n * BigInt(Math.round(Number(sum(october.journeys[0].lines.filter(({ rule }) => rule === 'base')))))
    expect(november.totals.exact).toBe(left - 2_000_000n - october.journeys[2].amount)
    expect(november.totals.exact).toBe(sum(november.corrections!) + sum(november.capCredits))
    expect(november.totals).toMatchObject({ charges: 0n, credits: 0n, adjustments: november.totals.exact, trips: 0 })
    await story.sound()
  })

  it('the page and the CSV say it too, and the CSV adds up', async () => {
    const page = (await story.as('citizen', 'GET', `/v1/statements/${november.id}.html`)).body as string
    expect(page).toContain('Corrected after your questions')
    const csv = (await story.as('citizen', 'GET', `/v1/statements/${november.id}.csv`)).body as string
    const [, ...rows] = csv
      .trim()
      .split('\r\n')
      .map((row) => row.split(','))
    const amounts = rows.map((row) => Math.round(Number(row.at(-2)) * 1e6))
    expect(amounts.reduce((a, b) => a + b, 0)).toBe(Number(november.totals.due))
    expect(rows.filter(([kind]) => kind === 'taken back').length).toBeGreaterThan(3)
  })

  it('the credit pays what is still due; what is left of it can be paid out, and no more', async () => {
    const rest = Number(await bill().then(({ outstandingMicros }) => outstandingMicros))
    expect(rest).toBe(Number(october.totals.due + november.totals.due))
    expect(await bill('2026-11')).toMatchObject({ state: 'paid' })
    const { payment } = (await story.as('citizen', 'POST', `/v1/statements/${october.id}/payments`, {})).body
    await story.as('citizen', 'POST', `/pay/${payment}`, 'outcome=pay', 'application/x-www-form-urlencoded')
    // Paid already, and found not to be owed: the refund is larger than any bill that is left.
    const second = await open(october.journeys[1].trip, lineOf(october.journeys[1].trip, 'base'))
    expect((await uphold(second, { kind: 'not-driven' })).status).toBe(200)
    const december = await story.close('2026-12')
    recomputes(december)
    expect(december.totals.due).toBeLessThan(0n)
    await story.sound()
    const { creditMicros } = (await story.as('citizen', 'GET', '/v1/balance')).body
    expect(BigInt(creditMicros)).toBe(-december.totals.due)
    const refund = (amount: string) => story.as('operator', 'POST', `/v1/payments/${payment}/refunds`, { amount })
    expect(await refund('5.00')).toMatchObject({ status: 400, code: 'REFUND_TOO_LARGE' })
    // A citizen asks it of their own, out of their own credit.
    expect((await story.as('citizen', 'POST', `/v1/payments/${payment}/refunds`, { amount: '0.01' })).status).toBe(201)
    expect((await refund(((Number(creditMicros) - 10_000) / 1e6).toFixed(2))).status).toBe(201)
    expect((await story.as('citizen', 'GET', '/v1/balance')).body.creditMicros).toBe('0')
    expect(await refund('0.01')).toMatchObject({ status: 400, code: 'REFUND_TOO_LARGE' })
    await story.sound()
  })
})
