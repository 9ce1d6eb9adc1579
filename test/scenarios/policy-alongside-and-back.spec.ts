import { canonical, instant, type AccountId, type AgencyId, type DeviceId, type TripId, type VehicleId } from '#kernel'
import { DeviceClient } from '#messaging'
import {
  approvePolicy,
  backtestStandings,
  checkDraft,
  draftPolicy,
  requestBacktest,
  rollBack,
  schedulePolicy,
  shadowPolicy,
  shadowReport,
  submitPolicy,
  type Acting,
  type BacktestReport,
} from '#pipeline'
import { armOf, termsDigest } from '#policy'
import {
  drivenTrips,
  policiesOf,
  saveAccount,
  saveDevice,
  saveVehicle,
  setNotice,
  startPilot,
  shadowBound,
  shadowsOf,
  shadowTrips,
  Store,
  takeStretches,
  type Tx,
} from '#store'
import { cast, faultsOf, officers, openWorld, settled, type Cast, type World } from '../harness'
import { driveAlong, MAIN_ROAD, TARIFF } from './roads'

const at = (iso: string) => instant(Date.parse(iso))
const ACCOUNTS = 12
const perKm = (price: string) =>
  TARIFF.rules.map((rule) => (rule.id === 'base' ? { ...rule, price: { perKm: price } } : rule))
const OLD = { ...TARIFF, caps: [] }

type Told = NonNullable<Awaited<ReturnType<typeof shadowReport>>>

/** A dozen people drive west by different lengths; what a draft would have cost them, and a policy that is taken back. */
describe('a policy alongside, and back again', () => {
  let world: World
  let people: Cast
  let agency: AgencyId
  const devices: DeviceClient[] = []
  const seqs: number[] = []

  const as = (person: string, role: Acting['role']): Acting => ({ agency, person, role, now: world.clock.now() })
  const ada = () => as('ada', 'editor')
  const bob = () => as('bob', 'approver')
  const tx = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => world.store.transaction(work)

  /** The i-th of them drives one kilometre, and a quarter for each before. */
  async function everybodyDrives(name: string, startsAt: string, who = devices): Promise<void> {
    await Promise.all(
      who.map(async (device) => {
        const i = devices.indexOf(device)
        const batches = driveAlong(name, 7, 7.0127 + i * 0.003175, at(startsAt), seqs[i])
        seqs[i] += batches.length
        await Promise.all(batches.map((batch) => device.send(batch)))
      }),
    )
    await settled(world)
  }

  async function publish(id: string): Promise<void> {
    await tx((tx) => checkDraft(tx, ada(), id, 'checked'))
    await tx((tx) => requestBacktest(tx, ada(), id, null))
    await settled(world)
    const { digest } = await tx((tx) => submitPolicy(tx, ada(), id, 'please'))
    await tx((tx) => approvePolicy(tx, bob(), id, digest, 'yes'))
    await tx((tx) => schedulePolicy(tx, ada(), id, 'now'))
  }

  beforeAll(async () => {
    world = await openWorld(at('2026-10-05T18:00:00+02:00'), {
      ROADMETER_LEASE_MS: '1000',
      ROADMETER_SWEEP_MS: '50',
      ROADMETER_BACKTEST_TRIPS: '7',
    })
    people = await cast(world, MAIN_ROAD, [OLD])
    agency = people.agency
    await officers(world, agency, { ada: 'editor', bob: 'approver' })
    await tx((tx) => setNotice(tx, agency, 0, 'a test', world.clock.now()))
    for (let i = 0; i < ACCOUNTS; i++) {
      const [account, vehicle, device] = [`folk-${i}`, `folk-car-${i}`, `folk-device-${i}`] as [
        AccountId,
        VehicleId,
        DeviceId,
      ]
      await tx(async (tx) => {
        await saveAccount(tx, { id: account, agency, name: account })
        await saveVehicle(tx, { vehicle, account, name: 'car', vehicleClass: i % 2 ? 'van' : 'car' })
        await saveDevice(tx, { id: device, vehicle, token: device })
      })
      devices.push(await DeviceClient.connect({ url: world.mqttUrl, device, token: device }))
      seqs.push(0)
    }
    await everybodyDrives('monday', '2026-10-05T12:00:00+02:00')
  })
  afterAll(async () => {
    for (const device of devices) await device.close()
    await world?.close()
  })

  it('charges nobody as a shadow, and tells what it would have charged', async () => {
    await tx((tx) =>
      draftPolicy(
        tx,
        ada(),
        { ...OLD, id: 'triple', startsAt: '2027-01-01T00:00:00+01:00', rules: perKm('0.30') },
        'roads',
      ),
    )
    await tx((tx) =>
      shadowPolicy(
        tx,
        ada(),
        'triple',
        { from: at('2026-10-06T00:00:00+02:00'), to: at('2026-10-08T00:00:00+02:00') },
        'to see',
      ),
    )
    const report = async () => {
      const answer = await fetch(`${world.httpUrl}/v1/agencies/${agency}/drafts/triple/shadow`, {
        headers: { authorization: `Bearer ${people.tokens.agency}` },
      })
      return (await answer.json()) as Told
    }
    world.clock.advanceTo(at('2026-10-06T18:00:00+02:00'))
    await everybodyDrives('tuesday', '2026-10-06T12:00:00+02:00')
    // What came in last is held back, or whoever looks again would learn what one did meanwhile.
    world.clock.advanceTo(at('2026-10-06T21:00:00+02:00'))
    expect(await report()).toMatchObject({ until: null, comparison: null })
    world.clock.advanceTo(at('2026-10-07T18:00:00+02:00'))
    await everybodyDrives('wednesday', '2026-10-07T12:00:00+02:00', devices.slice(0, 1))
    world.clock.advanceTo(at('2026-10-07T20:00:00+02:00'))
    expect(await report()).toMatchObject({ until: null, comparison: null })
    await everybodyDrives('wednesday', '2026-10-07T12:00:00+02:00', devices.slice(1))
    world.clock.advanceTo(at('2026-10-07T23:00:00+02:00'))
    const told = await report()
    expect(told).toEqual(JSON.parse(canonical(await shadowReport(world.store, agency, 'triple', world.line))))
    const [{ sum }] = await world.store.read<{ sum: string }>(
      `select sum(c.amount) as sum from money.charge c join metering.trip t on t.id = c.trip where t.name = 'tuesday'`,
    )
    const { revenue, trips, bills, groups, cells } = told.comparison!
    // Tuesday alone, at three times the price: within a micro for each of twelve lines.
    expect([trips, String(revenue.before)]).toEqual([ACCOUNTS, sum])
    expect(Math.abs(Number(revenue.after) - 3 * Number(sum))).toBeLessThanOrEqual(2 * ACCOUNTS)
    expect(bills).toMatchObject({ more: ACCOUNTS, less: 0, same: 0 })
    // Six cars and six vans are too few to be told apart; twelve in one hour are not.
    expect([groups.vehicleClass, cells.vehicleClass]).toEqual([[], []])
    expect(cells.hour).toMatchObject([{ name: '12:00', vehicles: ACCOUNTS }])
    expect(await report()).toEqual(told)
    // Nor does it shrink by one whose roads are destroyed.
    const undone = world.store.transaction(async (tx) => {
      const [{ trip }] = await tx.rows<{ trip: TripId }>(
        `select s.trip from metering.shadow_trip s join metering.trip t on t.id = s.trip where t.name = 'tuesday' order by 1 limit 1`,
      )
      await takeStretches(tx, [{ id: trip } as Parameters<typeof takeStretches>[1][number]], world.clock.now())
      const [shadow] = await shadowsOf(tx, agency)
      expect((await shadowTrips(tx, agency, shadow, told.until!, null, 100)).length).toBe(ACCOUNTS - 1)
      const { told: kept, until } = await shadowBound(tx, agency, shadow, instant(world.clock.now() + 86_400_000))
      expect([kept!.comparison, until]).toEqual([told.comparison, null])
      throw new Error('undo')
    })
    await expect(undone).rejects.toThrow('undo')
    // Nothing of it is money.
    expect(await world.store.read(`select distinct policy from money.charge`)).toEqual([{ policy: OLD.id }])
    const [{ owed }] = await world.store.read<{ owed: string }>(
      `select sum(amount) as owed from money.posting where account like 'accrued:%'`,
    )
    const [{ all }] = await world.store.read<{ all: string }>('select sum(amount) as all from money.charge')
    expect(owed).toBe(all)
    expect(await faultsOf(world)).toEqual([])
  })

  it('is backtested to the same bytes when every other page dies', async () => {
    const report = async (reason: string): Promise<BacktestReport> => {
      await tx((tx) =>
        draftPolicy(
          tx,
          ada(),
          { ...OLD, id: 'triple', description: reason, startsAt: '2027-01-01T00:00:00+01:00', rules: perKm('0.30') },
          reason,
        ),
      )
      await tx((tx) => checkDraft(tx, ada(), 'triple', 'checked'))
      await tx((tx) => requestBacktest(tx, ada(), 'triple', ['2026-10']))
      await settled(world)
      return (await tx((tx) => backtestStandings(tx, agency, 'triple'))).at(-1)!.report!
    }
    const undisturbed = await report('undisturbed')
    expect(undisturbed).toMatchObject({ books: { agree: true }, gone: 0, comparison: { trips: 3 * ACCOUNTS } })

    const transaction = Store.prototype.transaction
    let died = 0
    let pages = 0
    Store.prototype.transaction = async function <T>(this: Store, work: (tx: Tx) => Promise<T>): Promise<T> {
      return transaction.call(this, async (tx: Tx) => {
        const done = await work(tx)
        // Its own: on a server others commit meanwhile.
        const { n } = (await tx.row<{ n: number }>(
          'select count(*)::int as n from tariff.backtest_part where xmin = pg_current_xact_id_if_assigned()::xid',
        ))!
        if (n > 0 && ++pages % 2 === 1) {
          died++
          throw new Error('killed before the commit')
        }
        return done
      }) as Promise<T>
    }
    let killed: BacktestReport
    try {
      killed = await report('killed')
    } finally {
      Store.prototype.transaction = transaction
    }
    expect([pages, died]).toEqual([ACCOUNTS, ACCOUNTS / 2])
    expect(killed.comparison).toEqual(undisturbed.comparison)
    // What each account would pay is let go of with the last page.
    expect(await world.store.read('select count(*)::int as n from tariff.backtest_part')).toEqual([{ n: 0 }])
  })

  it('reads driven trips by whole accounts, each once, whatever the size of a page', async () => {
    const read = async (most: number) => {
      const pages: string[][] = []
      for (let after: AccountId | null = null; ;) {
        const page = await tx((tx) => drivenTrips(tx, agency, ['2026-10'], after, most))
        if (page.length === 0) return pages
        pages.push(page.map(({ trip }) => trip))
        after = page.at(-1)!.account
      }
    }
    const all = (await read(1000)).flat()
    expect(all).toHaveLength(3 * ACCOUNTS)
    expect((await read(1)).map((page) => page.length)).toEqual(Array.from({ length: ACCOUNTS }, () => 3))
    expect((await read(7)).map((page) => page.length)).toEqual(Array.from({ length: ACCOUNTS / 2 }, () => 6))
    expect((await read(7)).flat()).toEqual(all)
  })

  it('is published, and rolled back by a new version that charges as the old one did', async () => {
    await tx((tx) =>
      draftPolicy(
        tx,
        ada(),
        { ...OLD, id: 'double', startsAt: '2026-10-08T00:00:00+02:00', rules: perKm('0.20') },
        'roads',
      ),
    )
    await publish('double')
    world.clock.advanceTo(at('2026-10-08T18:00:00+02:00'))
    await everybodyDrives('thursday', '2026-10-08T12:00:00+02:00')
    await tx((tx) =>
      rollBack(tx, ada(), OLD.id, { id: 'as-before', startsAt: '2026-10-09T00:00:00+02:00' }, 'it was too much'),
    )
    await publish('as-before')
    world.clock.advanceTo(at('2026-10-09T18:00:00+02:00'))
    await everybodyDrives('friday', '2026-10-09T12:00:00+02:00')

    const published = (await tx((tx) => policiesOf(tx, agency))).map(({ document }) => document)
    expect(published.map(({ id }) => id)).toEqual([OLD.id, 'double', 'as-before'])
    expect(termsDigest(published[2])).toBe(termsDigest(published[0]))
    const days = await world.store.read<{ name: string; policy: string; sum: string }>(
      `select t.name, c.policy, sum(c.amount) as sum from money.charge c join metering.trip t on t.id = c.trip
       where t.name <> 'tuesday' group by t.name, c.policy order by min(t.started_at)`,
    )
    const [monday, wednesday, thursday, friday] = days
    expect(days.map(({ policy }) => policy)).toEqual([OLD.id, OLD.id, 'double', 'as-before'])
    // The same drives: the same to the micro before and after, and twice as much between.
    expect([wednesday.sum, friday.sum]).toEqual([monday.sum, monday.sum])
    expect(Math.abs(Number(thursday.sum) - 2 * Number(monday.sum))).toBeLessThanOrEqual(ACCOUNTS)
    expect(await faultsOf(world)).toEqual([])
  })
  it('rates vehicles by the arm that they were drawn into', async () => {
    const pilot = { seed: 'drawn in public', arms: { control: 1, treated: 1 } }
    const from = at('2026-10-10T00:00:00+02:00')
    await expect(tx((tx) => startPilot(tx, agency, { ...pilot, from: at('2026-10-09T00:00:00+02:00'), reason: 'x' }, world.clock.now()))).rejects.toThrow('in the future') // prettier-ignore
    await tx((tx) => startPilot(tx, agency, { ...pilot, from, reason: 'a trial' }, world.clock.now()))
    const treated = { id: 'treated', name: 'In the trial', match: { arms: ['treated'] }, price: { perKm: '0.30' } }
    await tx((tx) => draftPolicy(tx, ada(), { ...OLD, id: 'trial', startsAt: '2026-10-10T00:00:00+02:00', rules: [treated, ...OLD.rules] }, 'trial')) // prettier-ignore
    await publish('trial')
    world.clock.advanceTo(at('2026-10-10T18:00:00+02:00'))
    await everybodyDrives('saturday', '2026-10-10T12:00:00+02:00')
    const rated = await world.store.read<{ vehicle: string; rule: string }>(
      `select t.vehicle, c.rule from money.charge c join metering.trip t on t.id = c.trip where t.name = 'saturday'`,
    )
    expect(rated).toHaveLength(ACCOUNTS)
    for (const { vehicle, rule } of rated) expect(rule).toBe(armOf(pilot, vehicle) === 'treated' ? 'treated' : 'base')
    expect(new Set(rated.map(({ rule }) => rule)).size).toBe(2)
    expect(await faultsOf(world)).toEqual([])
  })
})
