import { type AccountId, type AgencyId } from '#kernel'
import { saveAccount, saveAgency, type Store, type Tx } from '#store'

const AGENCY = 'turning-city' as AgencyId
const MACHINE = { as: 'machine' } as const
const nameOf = async (tx: Tx, id: string) =>
  (await tx.row<{ name: string }>('select name from metering.account where id = $1', [id]))?.name

/** What is asked in one turn goes to the database together: what that must not change. */
export function turnsSuite(opened: () => Store): void {
  let store: Store
  const citizen = (account: string) => ({ as: 'person', side: 'citizen', agency: AGENCY, account }) as const
  beforeAll(async () => {
    store = opened()
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: AGENCY, name: 'Turning City' })
      // Both at once, and with what begins the transaction.
      await Promise.all(
        ['turn-a', 'turn-b'].map((id) => saveAccount(tx, { id: id as AccountId, agency: AGENCY, name: `of ${id}` })),
      )
    })
  })

  it('answers each question with its own rows, in a transaction and out of it', async () => {
    const ask = (tx: Tx) =>
      Promise.all([
        nameOf(tx, 'turn-a'),
        tx.rows<{ n: string }>('select n::text from generate_series(1, 3) n'),
        nameOf(tx, 'turn-b'),
        tx.rows('select 1 where false'),
      ])
    const answers = ['of turn-a', [{ n: '1' }, { n: '2' }, { n: '3' }], 'of turn-b', []]
    for (const scope of [null, MACHINE])
      await store.within(scope, async () => {
        expect(await store.reading(ask)).toEqual(answers)
        expect(await store.transaction(ask)).toEqual(answers)
      })
  })

  it('asks every turn of a reading as whoever reads', async () => {
    const names = await store.within(citizen('turn-a'), () =>
      store.reading(async (tx) => {
        const first = await nameOf(tx, 'turn-b')
        const [own, other] = await Promise.all([nameOf(tx, 'turn-a'), nameOf(tx, 'turn-b')])
        return [first, own, other]
      }),
    )
    expect(names).toEqual([undefined, 'of turn-a', undefined])
    const sides = await Promise.all(
      ['turn-a', 'turn-b', 'turn-a'].map((account) =>
        store.within(citizen(account), () => store.reading((tx) => nameOf(tx, 'turn-a'))),
      ),
    )
    expect(sides).toEqual(['of turn-a', undefined, 'of turn-a'])
  })

  it("leaves nobody's scope behind on a connection", async () => {
    await store.within(citizen('turn-a'), () => store.reading((tx) => nameOf(tx, 'turn-a')))
    const found = await store.reading((tx) =>
      Promise.all(
        Array.from({ length: 12 }, () =>
          tx.rows(
            `select coalesce(current_setting('roadmeter.account', true), '') as account, current_setting('role') as role`,
          ),
        ),
      ),
    )
    for (const rows of found) expect(rows).toEqual([{ account: '', role: 'none' }])
  })

  it('refuses to write or to lock while it reads', async () => {
    for (const sql of [
      `update metering.account set name = 'changed' where id = 'turn-a'`,
      `select 1 from metering.account where id = 'turn-a' for update`,
    ])
      for (const scope of [null, MACHINE, citizen('turn-a')])
        await expect(store.within(scope, () => store.reading((tx) => tx.rows(sql)))).rejects.toThrow(
          /read-only transaction/,
        )
    await expect(store.reading((tx) => tx.run('select 1; select 2'))).rejects.toThrow(/several commands/)
    expect(await store.reading((tx) => nameOf(tx, 'turn-a'))).toBe('of turn-a')
  })

  it('keeps nothing of a transaction in which something failed, also where nobody minded', async () => {
    const rename = (tx: Tx) => tx.run(`update metering.account set name = 'changed' where id = 'turn-a'`)
    const fail = (tx: Tx) => tx.rows('select 1 / 0')
    await expect(store.transaction((tx) => Promise.all([rename(tx), fail(tx)]))).rejects.toThrow(/division by zero/)
    const overlooked = store.transaction(async (tx) => {
      await rename(tx)
      await fail(tx).catch(() => undefined)
    })
    await expect(overlooked).rejects.toThrow(/nothing of it was kept/)
    expect(await store.reading((tx) => nameOf(tx, 'turn-a'))).toBe('of turn-a')
  })

  it('asks again what once stood behind a failure', async () => {
    // Under a name that the server was never told, because it threw away what came after the failure.
    const behind = (tx: Tx) => tx.rows(`select 'behind' as place`)
    await store.within(MACHINE, async () => {
      for (let round = 0; round < 2; round++) {
        const both = store.reading((tx) => Promise.all([tx.rows('select 1 / (select 0)'), behind(tx)]))
        await expect(both).rejects.toThrow(/division by zero/)
        expect(await store.reading(behind)).toEqual([{ place: 'behind' }])
      }
    })
  })

  it('takes several commands in one text, and tells of the last', async () => {
    const rows = await store.transaction((tx) => tx.rows(`select 1 as n; select 'b; c' as n`))
    expect(rows).toEqual([{ n: 'b; c' }])
    expect(await store.transaction((tx) => tx.rows(`select ';;x' as n`))).toEqual([{ n: ';;x' }])
    const mixed = await store.transaction((tx) =>
      Promise.all([nameOf(tx, 'turn-a'), tx.rows('select 1 as n; select 2 as n'), nameOf(tx, 'turn-b')]),
    )
    expect(mixed).toEqual(['of turn-a', [{ n: 2 }], 'of turn-b'])
  })
}
