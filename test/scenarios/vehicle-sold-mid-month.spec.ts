import { type AccountId, type VehicleId } from '#kernel'
import { handOverVehicle } from '#pipeline'
import { grantAccess, saveAccount } from '#store'
import { faultsOf } from '../harness'
import { at, journeyMm, KM, Story } from './odometers'
import { driveAlong } from './roads'

describe('a vehicle that is sold in mid-month', () => {
  let story: Story
  const buyer = 'account-buyer' as AccountId
  const next = 'vehicle-buyer' as VehicleId
  beforeAll(async () => {
    story = await Story.open('2026-10-01T12:00:00+02:00')
    await story.world.store.transaction(async (tx) => {
      await saveAccount(tx, { id: buyer, agency: story.people.agency, name: 'The Buyer' })
      await grantAccess(tx, 'buyer-token', { role: 'citizen', agency: story.people.agency, account: buyer })
    })
  })
  afterAll(() => story?.close())

  const sell = (moment: string, km: number, id = next) =>
    handOverVehicle(
      story.world.store,
      story.world.line,
      { agency: story.people.agency, by: 'the register' },
      story.people.vehicle,
      { vehicle: id, account: buyer, name: 'my new old car' },
      { at: at(moment), mm: (km * KM) as never },
    )

  it('hands its account over at an instant: what closes here opens there', async () => {
    expect((await story.photo('2026-10-01T12:00:00+02:00', 30_000)).status).toBe(201)
    await story.drive('last-of-the-seller', '2026-10-10T10:00:00+02:00')
    story.until('2026-10-15T12:00:00+02:00')
    await expect(sell('2026-10-10T09:00:00+02:00', 30_009)).rejects.toThrow('was driven on 2026-10-10')
    await expect(sell('2026-10-15T12:00:00+02:00', 29_000)).rejects.toThrow('lower than')
    await sell('2026-10-15T12:00:00+02:00', 30_009)
    await story.drive('first-of-the-buyer', '2026-10-16T10:00:00+02:00')

    const seller = await story.statement('2026-10')
    const bought = await story.statement('2026-10', buyer)
    expect(seller.journeys).toHaveLength(1)
    expect(bought.journeys).toHaveLength(1)
    const [closing, opening] = [seller.mileage![0], bought.mileage![0]]
    expect(closing).toMatchObject({ vehicle: story.people.vehicle, closingMm: 30_009 * KM, to: opening.from })
    expect(opening).toMatchObject({ vehicle: next, openingMm: 30_009 * KM, from: at('2026-10-15T12:00:00+02:00') })
    expect(opening.closingMm).toBe(30_009 * KM + journeyMm(bought))
    expect(await story.owed()).toBe(seller.totals.exact)
    expect(await story.owed(buyer)).toBe(bought.totals.exact)
    expect(bought.vehicles).toEqual([{ vehicle: next, name: 'my new old car', vehicleClass: 'car' }])
  })

  it('shows nobody what is not theirs', async () => {
    const as = (path: string) =>
      fetch(`${story.world.httpUrl}${path}`, { headers: { authorization: 'Bearer buyer-token' } })
    expect((await as(`/v1/vehicles/${story.people.vehicle}/odometer`)).status).toBe(404)
    const own = (await (await as(`/v1/vehicles/${next}/odometer`)).json()) as { readings: unknown[] }
    expect(own.readings).toHaveLength(1)
    expect((await story.http(`/v1/vehicles/${next}/odometer`)).status).toBe(404)
    const trips = await story.world.store.read<{ id: string; account: string }>('select id, account from metering.trip')
    for (const { id, account } of trips)
      expect((await as(`/v1/trips/${id}/fixes`)).status).toBe(account === buyer ? 200 : 404)
  })

  it('comes late and is billed to whose it was then', async () => {
    await story.send(driveAlong('found', 7.1, 7, at('2026-10-11T10:00:00+02:00'), 0, 7))
    const seller = await story.statement('2026-11')
    expect(seller.journeys.map(({ vehicle, month }) => [vehicle, month])).toEqual([[story.people.vehicle, '2026-10']])
    expect((await story.statement('2026-11', buyer)).journeys).toEqual([])
    expect(await faultsOf(story.world)).toEqual([])
  })
})
