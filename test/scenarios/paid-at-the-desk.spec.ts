import { micros, type AccountId } from '#kernel'
import { recordAtDesk } from '#pipeline'
import { euro, openStory, type Story } from './story'

describe('money that is handed over at the desk', () => {
  let story: Story
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00')
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
  })
  afterAll(() => story?.end())

  const desk = (statement: string | null, amount: number, reference: string, account = story.people.account) =>
    recordAtDesk(
      story.world.store,
      account,
      { statement, amount: euro(amount), currency: 'EUR', reference },
      story.world.clock.now(),
    )

  it('pays a statement once, whatever is entered twice, and more than is due is refused', async () => {
    const { id } = await story.close('2026-10')
    await expect(desk(id, 0.17, 'r-1')).rejects.toMatchObject({ code: 'PAYMENT_TOO_LARGE' })
    expect(await desk(id, 0.06, 'r-1')).toBe(true)
    expect(await desk(id, 0.06, 'r-1')).toBe(false)
    expect(await desk(id, 0.1, 'r-2')).toBe(true)
    await expect(desk(id, 0.1, 'r-3')).rejects.toMatchObject({ code: 'PAID' })
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(160_000n)
    await story.sound()
  })

  it('is credit where it is paid ahead, and goes back as far as it is there', async () => {
    expect(await desk(null, 5, 'ahead-1')).toBe(true)
    await expect(desk(null, -5.01, 'back-1')).rejects.toMatchObject({ code: 'REFUND_TOO_LARGE' })
    expect(await desk(null, -2, 'back-1')).toBe(true)
    expect(await desk(null, -2, 'back-1')).toBe(false)
    await expect(desk(null, 5, 'whose', 'account-of-nobody' as AccountId)).rejects.toMatchObject({ code: 'NO_ACCOUNT' })
    await story.sound()
    expect(await story.ledger(`wallet:${story.people.account}`)).toBe(micros(-3_000_000n))
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(3_160_000n)
  })
})
