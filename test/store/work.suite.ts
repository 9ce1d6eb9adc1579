import { setTimeout as delay } from 'node:timers/promises'
import { chance } from '#kernel'
import {
  backlog,
  claim,
  complete,
  dueWork,
  FencedError,
  giveBack,
  parkedWork,
  parkExhausted,
  retryParked,
  want,
  type Claim,
  type Store,
} from '#store'

const LEASE_MS = 60_000

/** Work: wanted, claimed under a lease, done or given back. `workers` claim at once. */
export function workSuite(opened: () => Store, workers: number): void {
  let store: Store
  beforeAll(() => {
    store = opened()
  })
  beforeEach(() => store.transaction((tx) => tx.run('delete from metering.work')))

  const piece = (key: string) => ({ stage: 'match', key })
  const ask = (...keys: string[]) => store.transaction((tx) => want(tx, keys.map(piece)))
  const take = async (key: string, leaseMs = LEASE_MS) => (await claim(store, piece(key), leaseMs))[0] ?? null
  const finish = (claimed: Claim) => store.transaction((tx) => complete(tx, [claimed]))
  const due = async (most = 100) => (await store.transaction((tx) => dueWork(tx, most))).map(({ key }) => key)

  it('is claimed once, and done once', async () => {
    await ask('a')
    const mine = await take('a')
    expect(mine).toMatchObject({ stage: 'match', key: 'a', attempts: 1 })
    expect(await take('a')).toBeNull()
    expect(await due()).toEqual([])
    await finish(mine!)
    expect(await take('a')).toBeNull()
    expect(await store.transaction((tx) => backlog(tx))).toMatchObject({ pieces: 0 })
    expect(await take('never asked for')).toBeNull()
  })

  it('that was asked for several times before it begins is done at once', async () => {
    await ask('a', 'a')
    await ask('a')
    await finish((await take('a'))!)
    expect(await take('a')).toBeNull()
  })

  it('that is asked for while it is in hand is there again afterwards', async () => {
    await ask('a')
    const mine = await take('a')
    await ask('a')
    expect(await take('a')).toBeNull()
    await finish(mine!)
    expect(await due()).toEqual(['a'])
    await finish((await take('a'))!)
    expect(await due()).toEqual([])
  })

  it('is not asked for by a transaction that does not commit', async () => {
    const broken = store.transaction(async (tx) => {
      await want(tx, [piece('a')])
      throw new Error('after all not')
    })
    await expect(broken).rejects.toThrow('after all not')
    expect(await due()).toEqual([])
  })

  it('that is given back waits, counts its attempts, and says why', async () => {
    await ask('a')
    await giveBack(store, (await take('a'))!, 'no network', 60_000)
    expect(await take('a')).toBeNull()
    await store.transaction((tx) => tx.run(`update metering.work set lease_until = '-infinity'`))
    const second = await take('a')
    expect(second).toMatchObject({ attempts: 2 })
    await giveBack(store, second!, 'x'.repeat(10_000), 0)
    await delay(2)
    const [row] = await store.read<{ last_error: string }>('select last_error from metering.work')
    expect(row.last_error).toHaveLength(500)
    await finish((await take('a'))!)
    expect(await store.read('select attempts, last_error from metering.work')).toEqual([
      { attempts: 0, last_error: null },
    ])
  })

  it('whose lease ran out is taken over, and its first worker can neither save nor give it back', async () => {
    await ask('a')
    const first = await take('a', 1)
    await delay(5)
    expect(await due()).toEqual(['a'])
    const second = await take('a')
    expect(second).not.toBeNull()
    const late = store.transaction(async (tx) => {
      await want(tx, [piece('what the first worker made')])
      await complete(tx, [first!])
    })
    await expect(late).rejects.toThrow(FencedError)
    expect(await take('what the first worker made')).toBeNull()
    expect(await giveBack(store, first!, 'late', 0)).toBe(0)
    expect(await take('a')).toBeNull()
    await finish(second!)
    expect(await due()).toEqual([])
    // Done is done: not even its own worker says so twice with an older claim.
    await expect(finish(first!)).rejects.toThrow(FencedError)
  })

  it('is claimed by the lot, oldest first, and done together or not at all', async () => {
    for (const key of ['c', 'a', 'b', 'd']) {
      await ask(key)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const held = (await take('a'))!
    const lot = await claim(store, piece('d'), LEASE_MS, 2)
    expect(lot.map(({ key }) => key).sort()).toEqual(['b', 'c'])
    expect((await claim(store, piece('d'), LEASE_MS, 9)).map(({ key }) => key)).toEqual(['d'])
    // One of the lot is taken over: then none of it is done.
    await store.transaction((tx) => tx.run(`update metering.work set fence = fence + 1 where key = 'b'`))
    await expect(store.transaction((tx) => complete(tx, lot))).rejects.toThrow('1 of 2 claims on match were taken over')
    await finish(lot.find(({ key }) => key === 'c')!)
    await finish(held)
    const left = await store.read(`select key from metering.work where wanted > done order by key`)
    expect(left).toEqual([{ key: 'b' }, { key: 'd' }])
  })

  it('is rung again oldest first, a bounded lot at a time', async () => {
    for (const key of ['c', 'a', 'b']) {
      await ask(key)
      // The embedded database tells whole milliseconds.
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    // Asked for again it keeps its place: whoever is asked for often must not wait for ever.
    await ask('c')
    expect(await due()).toEqual(['c', 'a', 'b'])
    expect(await due(2)).toEqual(['c', 'a'])
    const { pieces, oldestS } = await store.transaction((tx) => backlog(tx))
    expect(pieces).toBe(3)
    expect(oldestS).toBeGreaterThan(0)
    expect(oldestS).toBeLessThan(60)
  })

  it(`goes to one of ${workers} workers each`, async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `key-${i}`)
    await ask(...keys)
    const claims = await Promise.all(
      Array.from({ length: workers }, (_, worker) =>
        Promise.all(
          chance(worker).below(2) ? keys.map((key) => take(key)) : [...keys].reverse().map((key) => take(key)),
        ),
      ),
    )
    const got = claims.flat().flatMap((claimed) => (claimed ? [claimed.key] : []))
    expect(got.sort()).toEqual([...keys].sort())
  })

  it("that fails too often is parked: counted, in nobody's way, and there again when an operator says so", async () => {
    await ask('a', 'b')
    const park = (attempts: number) => store.transaction((tx) => parkExhausted(tx, attempts))
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(await park(3)).toEqual([])
      await giveBack(store, (await take('a'))!, 'no such road', 0)
    }
    expect(await park(3)).toEqual([piece('a')])
    expect(await due()).toEqual(['b'])
    expect(await take('a')).toBeNull()
    // What is asked for again meanwhile waits with it.
    await ask('a')
    expect(await due()).toEqual(['b'])
    expect(await store.transaction((tx) => backlog(tx))).toMatchObject({ pieces: 2, parked: 1 })
    expect(await store.transaction((tx) => parkedWork(tx, 9))).toMatchObject([
      { ...piece('a'), attempts: 3, error: 'no such road' },
    ])
    expect(await store.transaction((tx) => retryParked(tx, 'rate', null))).toEqual([])
    expect(await store.transaction((tx) => retryParked(tx, 'match', 'a'))).toEqual([piece('a')])
    await finish((await take('a'))!)
    expect(await due()).toEqual(['b'])
  })

  it('that is in hand is not parked, however often it was tried; work whose workers died is', async () => {
    await ask('a')
    await take('a', 1)
    await delay(20)
    await take('a')
    expect(await store.transaction((tx) => parkExhausted(tx, 2))).toEqual([])
    await store.transaction((tx) => tx.run(`update metering.work set lease_until = '-infinity'`))
    expect(await store.transaction((tx) => parkExhausted(tx, 2))).toEqual([piece('a')])
  })

  it(`is never lost nor in two hands while ${workers} ask, claim and finish`, async () => {
    const keys = ['a', 'b', 'c']
    const asked = new Map(keys.map((key) => [key, 0]))
    // What a stage does: it reads how far things have come, and what came later must make it run again.
    const seen = new Map(keys.map((key) => [key, 0]))
    const inHand = new Set<string>()
    await Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        const dice = chance(`worker ${worker}`)
        for (let turn = 0; turn < 30; turn++) {
          const key = dice.pick(keys)
          if (dice.below(2)) {
            asked.set(key, asked.get(key)! + 1)
            await ask(key)
            continue
          }
          const mine = await take(key)
          if (!mine) continue
          expect(inHand.has(key)).toBe(false)
          inHand.add(key)
          const upTo = asked.get(key)!
          await delay(dice.below(3))
          seen.set(key, Math.max(seen.get(key)!, upTo))
          inHand.delete(key)
          if (dice.below(4)) await finish(mine)
          else await giveBack(store, mine, 'no luck', 0)
        }
      }),
    )
    for (let rounds = 0; (await due()).length > 0; rounds++) {
      expect(rounds).toBeLessThan(10)
      for (const key of await due()) {
        const mine = await take(key)
        seen.set(key, asked.get(key)!)
        await finish(mine!)
      }
    }
    expect(seen).toEqual(asked)
  })
}
