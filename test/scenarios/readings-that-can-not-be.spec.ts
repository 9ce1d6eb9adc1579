import { type AccountId } from '#kernel'
import { grantAccess, saveAccount } from '#store'
import { faultsOf } from '../harness'
import { at, KM, PHOTO, Story } from './odometers'

describe('readings that can not be', () => {
  let story: Story
  beforeAll(async () => {
    story = await Story.open('2026-10-01T12:00:00+02:00')
    await story.world.store.transaction(async (tx) => {
      await saveAccount(tx, { id: 'account-buyer' as AccountId, agency: story.people.agency, name: 'The Buyer' })
      await grantAccess(tx, 'buyer-token', { role: 'citizen', agency: story.people.agency, account: 'account-buyer' as AccountId }) // prettier-ignore
    })
  })
  afterAll(() => story?.close())
  const readings = async () =>
    (await story.http(`/v1/vehicles/${story.people.vehicle}/odometer`)).json.readings as unknown[]
  const enter = (body: object, vehicle: string = story.people.vehicle) =>
    story.http(`/v1/vehicles/${vehicle}/odometer`, { body: { photo: PHOTO, ...body } })

  it('are refused with a reason of their own, and nothing is kept of them', async () => {
    expect((await story.photo('2026-10-01T12:00:00+02:00', 30_000)).status).toBe(201)
    const now = story.world.clock.now()
    for (const [body, status, code] of [
      [{ at: now + 600_000, mm: 30_001 * KM }, 400, 'READING_FUTURE'],
      [{ at: now, mm: 29_999 * KM }, 400, 'READING_LOWER'],
      [{ at: now, mm: -1 }, 400, 'INVALID'],
      [{ at: now, mm: 2_000_000_000_000 }, 400, 'INVALID'],
      [{ at: now, mm: 30_001 * KM, photo: undefined }, 400, 'PHOTO_MISSING'],
      [{ at: now, mm: 30_001 * KM, photo: Buffer.from('no picture').toString('base64') }, 415, 'EVIDENCE_TYPE'],
    ] as const) {
      const { status: found, json } = await enter(body)
      expect([body, found, json.code]).toEqual([body, status, code])
    }
    expect((await enter({ at: now, mm: 30_001 * KM }, 'vehicle-of-nobody')).json.code).toBe('NO_VEHICLE')
    expect(await readings()).toHaveLength(1)
  })

  it('are refused at a hand-over by the agency, too, which is nobody else to ask for', async () => {
    const { agency, vehicle } = story.people
    const path = `/v1/agencies/${agency}/vehicles/${vehicle}/hand-over`
    const sale = { vehicle: 'vehicle-sold', account: 'account-buyer', name: 'my new old car', mm: 30_100 * KM }
    story.until('2026-10-15T12:00:00+02:00')
    expect((await story.http(path, { as: 'citizen', body: sale })).status).toBe(403)
    const sell = async (more: object) => {
      const { status, json } = await story.http(path, { as: 'agency', body: { ...sale, ...more } })
      return [status, json.code]
    }
    expect(await sell({ mm: 29_000 * KM })).toEqual([400, 'READING_LOWER'])
    expect(await sell({ at: at('2026-10-16T12:00:00+02:00') })).toEqual([400, 'READING_FUTURE'])
    expect(await sell({ account: 'account-of-nobody' })).toEqual([400, 'NO_ACCOUNT'])
    expect(await sell({ vehicle })).toEqual([400, 'TAKEN'])
    expect(await sell({ name: '' })).toEqual([400, 'INVALID'])
    expect(await readings()).toHaveLength(1)
    expect(await sell({})).toEqual([201, undefined])
    expect(await sell({})).toEqual([400, 'VEHICLE_HANDED_ON'])
    const theirs = await fetch(`${story.world.httpUrl}/v1/vehicles/vehicle-sold/odometer`, { headers: { authorization: 'Bearer buyer-token' } }) // prettier-ignore
    expect(((await theirs.json()) as { readings: unknown[] }).readings).toMatchObject([{ mm: 30_100 * KM }])
    expect(await faultsOf(story.world)).toEqual([])
  })
})
