import { openBill, type BillStory } from './bills'

describe('a payment that failed twice', () => {
  let bill: BillStory
  beforeAll(async () => {
    bill = await openBill()
  })
  afterAll(() => bill?.story.end())

  it('leaves the bill due and each try on record; the third pays it, once', async () => {
    const { story, statement, pay, choose, balance } = bill
    const cash = () => story.ledger(`cash:${story.people.agency}`)
    const tried: string[] = []
    for (const turn of [1, 2]) {
      const { payment } = (await pay()).body
      expect((await choose(payment, 'decline')).status).toBe(303)
      const listed = (await story.as('citizen', 'GET', '/v1/payments')).body as { id: string }[]
      expect(listed).toHaveLength(turn)
      expect(listed.find(({ id }) => id === payment)).toMatchObject({
        state: 'failed',
        events: [{ kind: 'asked' }, { kind: 'failed', detail: 'the card was declined' }],
      })
      tried.push(payment)
    }
    expect(new Set(tried).size).toBe(2)
    expect((await balance()).statements).toMatchObject([{ statement, outstandingMicros: '320000', state: 'due' }])
    expect(await cash()).toBe(0n)
    const third = (await pay()).body
    expect(tried).not.toContain(third.payment)
    expect((await choose(third.payment, 'pay')).status).toBe(303)
    expect((await balance()).statements).toMatchObject([{ outstandingMicros: '0', state: 'paid' }])
    // The card of the first try goes through after all, on the page that was still open: it is credit, not lost.
    expect((await choose(tried[0], 'pay')).status).toBe(303)
    expect(await balance()).toMatchObject({ creditMicros: '320000' })
    expect(await cash()).toBe(640_000n)
    await story.sound()
  })
})
