import { instant } from '#kernel'
import { openBill, type BillStory } from './bills'

describe('a message about a payment', () => {
  let bill: BillStory
  beforeAll(async () => {
    bill = await openBill()
  })
  afterAll(() => bill?.story.end())

  const written = () =>
    bill.story.world.store.read(
      `select (select count(*)::int from money.payment_event where kind <> 'asked') as told, (select count(*)::int from money.transfer where kind = 'payment') as booked`,
    )

  it('that the provider has not signed just now, or of no payment of ours, is refused, and nothing is written', async () => {
    const { story, tell, pay } = bill
    const { payment } = (await pay()).body
    const now = story.world.clock.now()
    expect(await tell(payment, { secret: 'a guess' })).toMatchObject({ status: 400, code: 'WEBHOOK_SIGNATURE' })
    expect(await tell(payment, { flip: true })).toMatchObject({ status: 400, code: 'WEBHOOK_SIGNATURE' })
    expect(await tell(payment, { signedAt: instant(now - 301_000) })).toMatchObject({
      status: 400,
      code: 'WEBHOOK_STALE',
    })
    expect(await tell('0'.repeat(32))).toMatchObject({ status: 404, code: 'NO_PAYMENT' })
    expect(await written()).toEqual([{ told: 0, booked: 0 }])
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(0n)
  })

  it('told eight times at once, and again later, is booked once', async () => {
    const { story, tell, pay, balance } = bill
    const { payment } = (await pay()).body
    const answers = await Promise.all(Array.from({ length: 8 }, () => tell(payment)))
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect(answers.filter(({ taken }) => taken)).toHaveLength(1)
    expect(await tell(payment)).toMatchObject({ status: 200, taken: false, code: 'WEBHOOK_REPLAYED' })
    expect(await written()).toEqual([{ told: 1, booked: 1 }])
    expect(await balance()).toMatchObject({
      statements: [{ outstandingMicros: '0', state: 'paid' }],
      creditMicros: '0',
    })
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(320_000n)
    expect(await story.ledger(`billed:${story.people.account}`)).toBe(0n)
    expect(await pay()).toMatchObject({ status: 409, code: 'PAID' })
    await story.sound()
  })
})
