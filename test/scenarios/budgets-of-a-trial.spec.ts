import fs from 'node:fs'
import { type AccountId, type DeviceId, type VehicleId } from '#kernel'
import { askBack, giveBudgets, payOutBudgets, recordAtDesk, recordPayment } from '#pipeline'
import { armOf } from '#policy'
import { grantAccess, paymentsOf, saveAccount, saveDevice, saveVehicle, startPilot } from '#store'
import { copyTemplate, newFolder } from '../databases'
import { registryCommands } from '../../apps/ops/src/registry'
import { at, euro, openStory, type Story } from './story'

const PILOT = { seed: 'seed-4', arms: { control: 1, treated: 1 } }

// An endowment of 1 euro a vehicle. Drives of a mile or so cost about 16 cents; the story's own car is in whatever arm it is drawn into.
describe('travel budgets of a trial', () => {
  let story: Story
  let isOver = false
  const folder = newFolder()
  const arm = armOf(PILOT, 'vehicle-one')
  const drawnElsewhere = ['vehicle-two', 'vehicle-2', 'vehicle-b'].find((name) => armOf(PILOT, name) !== arm)!
  const given = () => ({ agency: story.people.agency, amount: euro(1), reference: 'trial-1', arm })
  const give = (more = {}) => giveBudgets(story.world.store, story.world.line, { ...given(), ...more })
  const payOut = (reference = 'trial-1') =>
    payOutBudgets(story.world.store, story.world.line, { agency: story.people.agency, reference })
  const other = { account: 'account-two' as AccountId, vehicle: drawnElsewhere as VehicleId }

  beforeAll(async () => {
    // On an embedded database, which the command line has to itself in the end.
    await copyTemplate(folder)
    story = await openStory('2026-10-01T07:00:00+02:00', { environment: { DATABASE_URL: '', ROADMETER_DATA: folder } })
    await story.world.store.transaction(async (tx) => {
      await saveAccount(tx, { id: other.account, agency: story.people.agency, name: 'Account two' })
      await saveVehicle(tx, { vehicle: other.vehicle, account: other.account, name: 'car', vehicleClass: 'car' })
      await saveDevice(tx, { id: 'device-two' as DeviceId, vehicle: other.vehicle, token: 'two' })
      await grantAccess(tx, 'citizen-two', { role: 'citizen', agency: story.people.agency, account: other.account })
    })
  })
  afterAll(async () => {
    if (!isOver) await story?.end()
    await fs.promises.rm(folder, { recursive: true, force: true })
  })

  it('are for the arm of a pilot that there is', async () => {
    await expect(give()).rejects.toMatchObject({ code: 'NO_PILOT' })
    await story.world.store.transaction((tx) =>
      startPilot(
        tx,
        story.people.agency,
        { ...PILOT, from: at('2026-10-02T00:00:00+02:00'), reason: 'a trial' },
        story.world.clock.now(),
      ),
    )
    expect(await give()).toMatchObject({ vehicles: 1, amount: euro(1), currency: 'EUR' })
    expect(await give()).toMatchObject({ vehicles: 0, amount: 0n })
    const balance = (await story.as('citizen', 'GET', '/v1/balance')).body
    expect(balance).toMatchObject({ creditMicros: '1000000', availableMicros: '1000000' })
    // The agency's own money: no cash came in.
    expect(await story.ledger(`endowed:${story.people.agency}`)).toBe(1_000_000n)
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(0n)
    expect(await story.ledger(`wallet:${other.account}`)).toBe(0n)
    await story.sound()
  })

  it('are eaten up by miles as they are driven, and pay the bill', async () => {
    await story.drive('there', 7, 7.02, '2026-10-05T12:00:00+02:00')
    const { drivenMicros, availableMicros } = (await story.as('citizen', 'GET', '/v1/balance')).body
    expect(Number(drivenMicros)).toBeGreaterThan(150_000)
    expect(Number(availableMicros)).toBe(1_000_000 - Number(drivenMicros))
    const { id } = await story.close('2026-10')
    await story.sound()
    const { statements, creditMicros } = (await story.as('citizen', 'GET', '/v1/balance')).body
    expect(statements).toMatchObject([{ statement: id, state: 'paid', dueMicros: '160000', outstandingMicros: '0' }])
    expect(creditMicros).toBe('840000')
  })

  it('are not given back as money that somebody paid: of a payment goes back what came in, however much credit there is', async () => {
    const { world, people } = story
    const teller = { provider: 'desk', now: world.clock.now() }
    const ahead = { statement: null, amount: euro(1), currency: 'EUR', reference: 'own' }
    await recordAtDesk(world.store, people.account, ahead, teller.now)
    const [{ payment: own }] = await world.store.transaction((tx) => paymentsOf(tx, people.account))
    const back = (amount: number) => askBack(world.store, people.account, euro(amount), 'EUR', teller, own.id)
    const asked = await back(1)
    await expect(back(0.5)).rejects.toMatchObject({ code: 'REFUND_TOO_LARGE' })
    const told = { event: 'back', payment: asked.id, kind: 'succeeded', reference: '', detail: '' } as const
    await recordPayment(world.store, { ...teller, ...told, amount: asked.amount, happenedAt: teller.now }, teller.now)
    await expect(back(0.01)).rejects.toMatchObject({ code: 'REFUND_TOO_LARGE' })
    expect(await story.ledger(`wallet:${people.account}`)).toBe(-840_000n)
    await story.sound()
  })

  it('are paid out as far as something is left, once', async () => {
    await expect(payOut('another')).rejects.toMatchObject({ code: 'NO_BUDGETS' })
    // Driven, and not billed yet: spent all the same.
    await story.drive('again', 7, 7.02, '2026-12-05T12:00:00+01:00')
    expect((await story.as('citizen', 'GET', '/v1/balance')).body.availableMicros).toBe('682306')
    expect(await payOut()).toMatchObject({ vehicles: 1, accounts: 1, amount: euro(0.68) })
    expect(await payOut()).toMatchObject({ vehicles: 1, accounts: 0, amount: 0n })
    expect(await story.ledger(`wallet:${story.people.account}`)).toBe(-160_000n)
    expect(await story.ledger(`cash:${story.people.agency}`)).toBe(-680_000n)
    await story.sound()
  })

  it('are given and paid out at the command line, in a sentence each', async () => {
    const { agency } = story.people
    await story.end()
    isOver = true
    const told: string[] = []
    const written = jest.spyOn(process.stdout, 'write').mockImplementation((text) => told.push(String(text)) > 0)
    const before = process.env
    process.env = { ...before, ROADMETER_DATA: folder, DATABASE_URL: '' }
    const run = async (...words: string[]) => {
      told.length = 0
      const command = registryCommands().find((one) => one.name() === 'agency')!
      await command.parseAsync(words, { from: 'user' })
      return told.join('')
    }
    try {
      const endow = ['endow', agency, '--amount', '2.50', '--reference', 'trial-2']
      expect(await run(...endow)).toMatch(/^2 vehicles given 5(\.00)? EUR in all/)
      expect(await run(...endow)).toMatch(/^0 vehicles given 0/)
      const payOut = ['pay-out', agency, '--reference', 'trial-2']
      expect(await run(...payOut)).toMatch(/^5(\.00)? EUR paid out to 2 accounts, of the budgets of 2 vehicles/)
    } finally {
      process.env = before
      written.mockRestore()
    }
  })
})
