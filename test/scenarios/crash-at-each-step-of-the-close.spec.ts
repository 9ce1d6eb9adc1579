import { instant } from '#kernel'
import { requestClose } from '#pipeline'
import { Store, type Tx } from '#store'
import { euro, openStory, recomputes, type Story } from './story'

class Crash extends Error {}

describe('a crash at each step of the close', () => {
  let story: Story
  const transaction = Store.prototype.transaction
  beforeAll(async () => {
    story = await openStory('2026-10-05T07:00:00+02:00', { environment: { ROADMETER_LEASE_MS: '1000', ROADMETER_WORK_ATTEMPTS: '100' } }) // prettier-ignore
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
    await story.drive('back', 7.02, 7, '2026-10-05T13:00:00+02:00')
  })
  afterEach(() => {
    Store.prototype.transaction = transaction
  })
  afterAll(() => story?.end())

  /** Where the close stands, as only a step of it moves it. */
  const STANDING = `select (select state from money.period) as state, (select count(*)::int from money.period_trip) as trips,
    (select count(*)::int from money.statement) as drafts, (select count(*)::int from money.statement where state = 'sealed') as sealed,
    (select count(*)::int from money.merkle_tile) as tiles, (select root from money.period) as root`

  it('leaves nothing half done and nothing done twice, before its commit or after it', async () => {
    const steps = new Set<string>()
    const crashes = { before: 0, after: 0 }
    // Each step that moves the close on dies twice: once before it is durable, and once when nobody hears of it.
    Store.prototype.transaction = async function <T>(this: Store, work: (tx: Tx) => Promise<T>): Promise<T> {
      let dies = ''
      const result = await transaction.call(this, async (tx: Tx) => {
        const [was] = await tx.rows<object>(STANDING)
        const done = await work(tx)
        const [is] = await tx.rows<object>(STANDING)
        const [from, to] = [JSON.stringify(was), JSON.stringify(is)]
        if (from !== to) {
          dies = `${from} -> ${to}`
          if (!steps.has(dies)) {
            steps.add(dies)
            crashes.before++
            throw new Crash('before the commit')
          }
        }
        return done
      })
      if (dies && !steps.has(`${dies}, durable`)) {
        steps.add(`${dies}, durable`)
        crashes.after++
        throw new Crash('after the commit')
      }
      return result as T
    }
    const insist = async <T>(what: () => Promise<T>): Promise<T> => {
      for (;;)
        try {
          return await what()
        } catch (error) {
          if (!(error instanceof Crash)) throw error
        }
    }
    const { people, world } = story
    await insist(() => requestClose(world.store, people.agency, '2026-10'))
    world.clock.advanceTo(instant(Date.parse('2026-11-01T00:00:01+01:00')))
    const statement = await story.close('2026-10')
    Store.prototype.transaction = transaction

    // Opened, cut-off taken, cut off, rated, drafted, all drafted, sealed with its tile, published.
    expect(crashes.before).toBeGreaterThanOrEqual(7)
    expect(crashes.after).toBeGreaterThanOrEqual(7)
    recomputes(statement)
    expect(statement.journeys).toHaveLength(2)
    expect(statement.totals.due).toBe(euro(0.32))
    expect(await world.store.read(STANDING)).toMatchObject([{ state: 'sealed', trips: 2, drafts: 1, sealed: 1, tiles: 1 }]) // prettier-ignore
    expect(await world.store.read(`select count(*)::int as n from money.transfer where kind = 'statement'`)).toEqual([{ n: 1 }]) // prettier-ignore
    expect(await story.ledger(`billed:${people.account}`)).toBe(euro(0.32))
    await story.sound()
  })
})
