import { type Batch } from '#contracts'
import { canonical, chance, instant } from '#kernel'
import { DeviceClient } from '#messaging'
import { requestClose } from '#pipeline'
import { Store, type Tx } from '#store'
import { cast, faultsOf, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const at = (iso: string) => instant(Date.parse(iso))
const DAY_MS = 86_400_000
/** Of all transactions: that many in a hundred die before their commit, and as many after it, their answer lost. */
const KILLED_PERCENT = 12

class Killed extends Error {
  override readonly name = 'Killed'
}

describe('killed anywhere', () => {
  const transaction = Store.prototype.transaction
  let before = 0
  let after = 0
  afterEach(() => {
    Store.prototype.transaction = transaction
  })

  /** From now on transactions that write die at points that the seed chooses: what a crash looks like from the database. */
  function killAt(seed: string): void {
    const dice = chance(seed)
    Store.prototype.transaction = async function <T>(this: Store, work: (tx: Tx) => Promise<T>): Promise<T> {
      const fate = dice.below(100)
      const result = await transaction.call(this, async (tx: Tx) => {
        const done = await work(tx)
        if (fate < KILLED_PERCENT) {
          before++
          throw new Killed('before the commit')
        }
        return done
      })
      if (fate >= 100 - KILLED_PERCENT) {
        after++
        throw new Killed('after the commit: nobody hears of it')
      }
      return result as T
    }
  }

  /** Until it is heard to have been done: for a minute, because whoever waits asks often, and each question may be killed. */
  async function insist<T>(what: () => Promise<T>): Promise<T> {
    for (const end = Date.now() + 60_000; ;)
      try {
        return await what()
      } catch (error) {
        if (Date.now() > end || (error as Error).name === 'InvariantError') throw error
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
  }

  const month = (): Batch[][] => {
    const trips: Batch[][] = []
    let seq = 0
    for (const day of ['05', '06', '12', '23'])
      for (const [hour, from, to] of [
        ['08:00', 7, 7.1],
        ['08:40', 7.1, 7.03],
      ] as const) {
        const trip = driveAlong(
          `d${day}-${hour.replace(':', '')}`,
          from,
          to,
          at(`2026-10-${day}T${hour}:00+02:00`),
          seq,
        )
        seq += trip.length
        trips.push(trip)
      }
    return trips
  }

  /** Drives and closes a month; `seed` kills on the way, null leaves everybody alone. */
  async function drivenMonth(seed: string | null) {
    const world = await openWorld(at('2026-10-05T12:00:00+02:00'), {
      ROADMETER_LEASE_MS: '1000',
      ROADMETER_SWEEP_MS: '50',
    })
    let device: DeviceClient | null = null
    try {
      const people = await cast(world, MAIN_ROAD, [TARIFF])
      if (seed) killAt(seed)
      const self = { url: world.mqttUrl, device: people.device, token: people.deviceToken }
      // Every killed commit ends the connection, and each connection is a sending of all that waits.
      const sending = { resendMs: 150, sendingsMax: Infinity }
      const connected = (device = await insist(() => DeviceClient.connect({ ...self, ...sending })))
      for (const trip of month()) {
        const end = instant(trip.at(-1)!.fixes.at(-1)![0])
        if (end > world.clock.now()) world.clock.advanceTo(end)
        await Promise.all(trip.map((batch) => connected.send(batch)))
      }
      await connected.close()
      await insist(() => requestClose(world.store, people.agency, '2026-10'))
      await insist(() => settled(world))
      world.clock.advanceTo(at('2026-11-01T00:00:01+01:00'))
      await stateIs(world, people, 'drafted')
      world.clock.advanceTo(instant(world.clock.now() + 11 * DAY_MS))
      await stateIs(world, people, 'sealed')
      Store.prototype.transaction = transaction
      await settled(world)
      return { state: await stateOf(world), faults: await faultsOf(world) }
    } finally {
      Store.prototype.transaction = transaction
      await device?.close()
      await world.close()
    }
  }

  async function stateIs(world: World, { agency }: Cast, state: string): Promise<void> {
    for (let i = 0; i < 400; i++) {
      const found = await insist(() =>
        world.store.read(`select 1 from money.period where agency = $1 and state = $2`, [agency, state]),
      )
      if (found.length) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error(`the month never became ${state}`)
  }

  /** All that must not depend on crashes: no order of posting, no salt, no counts of duplicates, no moments of recording. */
  const stateOf = async ({ store }: World) => ({
    trips: await store.read(
      'select id, name, first_seq, last_seq, state, month, fixes, report_digest from metering.trip order by id',
    ),
    charges: await store.read('select * from money.charge order by trip, line'),
    windows: await store.read('select * from money.cap_window order by span'),
    billed: await store.read('select * from money.billed_window order by span, month'),
    inbox: await store.read('select device, boot, seq, content_digest from location.batch order by seq'),
    streams: await store.read(
      'select device, boot, held::text as held, processed, accepted, rejected from metering.stream',
    ),
    balances: await store.read(
      'select account, sum(amount) as sum from money.posting group by account order by account',
    ),
    transfers: await store.read(
      `select count(*) as transfers, count(*) filter (where kind = 'statement') as statements from money.transfer where kind <> 'cap'`,
    ),
    statements: (
      await store.read<{ id: string; account: string; month: string; state: string; due: string; document: string }>(
        'select id, account, month, state, due, document from money.statement order by id',
      )
    ).map(({ document, ...row }) => ({ ...row, totals: canonical(JSON.parse(document).totals) })),
  })

  let undisturbed: Awaited<ReturnType<typeof drivenMonth>>
  it('a month that nobody disturbs', async () => {
    undisturbed = await drivenMonth(null)
    expect(undisturbed.faults).toEqual([])
    expect(undisturbed.state.trips).toHaveLength(8)
    expect(undisturbed.state.statements).toMatchObject([{ state: 'sealed' }])
  })

  it.each(['first', 'second'])(
    'comes to the same when transactions die at the %s choice of moments',
    async (seed) => {
      before = after = 0
      const killed = await drivenMonth(seed)
      expect(before).toBeGreaterThan(20)
      expect(after).toBeGreaterThan(20)
      expect(killed.faults).toEqual([])
      expect(killed.state).toEqual(undisturbed.state)
    },
    // Most of it waits for connections to come back, the more of them the busier the machine is.
    300_000,
  )
})
