import fc from 'fast-check'
import { ACCESS, ROAD_CLASSES, VEHICLE_CLASSES, type ChargeReport, type Stretch } from '#contracts'
import { canonical, instant, KILOMETRE_MM, MILE_MM, millimetres, type VehicleId } from '#kernel'
import { localClock, parsePolicy, policyInForce } from '#policy'
import { explainCharge, NO_POLICY, rate, tariffAt } from '#rating'
import { accrued, accruedTrip, at, CAR, stretch, trip, VEHICLE } from './trips.fixture'

const box = { type: 'Polygon', coordinates: [[[4.34, 50.84], [4.37, 50.84], [4.37, 50.86], [4.34, 50.86], [4.34, 50.84]]] } // prettier-ignore
const zone = (name: string) => ({ name, geometry: box })

const flat = parsePolicy({
  v: 1,
  id: 'flat-2026',
  name: 'Flat',
  currency: 'USD',
  timeZone: 'America/Los_Angeles',
  startsAt: '2026-01-01T00:00:00-08:00',
  jurisdiction: 'oregon',
  rules: [
    { id: 'private', name: 'Private roads', match: { access: ['private'] }, price: { free: 'private road' } },
    { id: 'mile', name: 'Per mile', match: {}, price: { perMile: '0.018' } },
  ],
})

const PEAK = [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:00', to: '10:00' }]
const city = parsePolicy({
  v: 1,
  id: 'city-2026',
  name: 'City',
  currency: 'EUR',
  timeZone: 'Europe/Brussels',
  startsAt: '2026-02-01T00:00:00+01:00',
  jurisdiction: 'brussels',
  zones: { centre: zone('Centre'), ring: zone('Ring') },
  billing: { unit: 'km' },
  rules: [
    { id: 'bus', name: 'Buses', match: { vehicleClasses: ['bus'] }, price: { free: 'public transport' } },
    { id: 'exempt', name: 'Motorways', match: { roadClasses: ['motorway'] }, price: { free: 'exempt road' } },
    { id: 'peak', name: 'Centre, peak', match: { zones: ['centre'], times: PEAK }, price: { perKm: '0.50' } },
    { id: 'centre', name: 'Centre', match: { zones: ['centre'] }, price: { perKm: '0.20' } },
    {
      id: 'night',
      name: 'Outside at night',
      match: {
        outside: ['centre'],
        times: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '22:00', to: '05:00' }],
      },
      price: { free: 'night' },
    },
    { id: 'basic', name: 'Basic', match: {}, price: { perKm: '0.02' } },
  ],
  caps: [{ id: 'daily', name: 'Daily cap', per: 'day', amount: '6', rules: ['peak', 'centre'] }],
})
const inCity = tariffAt([city])

describe('bills computed by hand', () => {
  it('flat rate of 1.8 c a mile with private roads exempt', () => {
    // 10 miles of street:   10 x 0.018      = 0.18 USD    = 180,000 micros
    // 2.5 miles of highway: 2.5 x 0.018     = 0.045 USD   =  45,000 micros
    // 1 mile of private road                = free
    // 1 km (1,000,000 mm) more of street makes the street line 17,093,440 mm:
    //   17,093,440 x 18,000 / 1,609,344     = 191,184.68... -> 191,185 micros
    const charges = rate(
      trip([
        stretch('2026-03-02T08:00-08:00', 10 * MILE_MM),
        stretch('2026-03-02T08:20-08:00', 2.5 * MILE_MM, { roadClass: 'motorway' }),
        stretch('2026-03-02T08:25-08:00', MILE_MM, {
          access: 'private',
          roadClass: 'service',
          inferred: true,
          fixes: 0,
        }),
        stretch('2026-03-02T08:30-08:00', KILOMETRE_MM),
      ]),
      CAR,
      tariffAt([flat]),
    )
    expect(
      charges.map((c) => [c.rule, c.roadClass, c.distanceMm, c.inferredMm, c.fixes, c.amount, c.freeReason]),
    ).toEqual([
      ['private', 'service', MILE_MM, MILE_MM, 0, 0n, 'private road'],
      ['mile', 'motorway', 4_023_360, 0, 1, 45_000n, null],
      ['mile', 'residential', 17_093_440, 0, 2, 191_185n, null],
    ])
    expect(charges[1].rate).toEqual({ micros: 18_000n, per: 'mile' })
    expect(charges[0].rate).toBeNull()
    expect(explainCharge(charges[1], flat)).toBe(
      '2026-03-02: 2.500 mi on motorway roads, "Per mile" at 0.018 USD per mile = 0.045',
    )
  })

  it('centre with a peak surcharge and a daily cap', () => {
    // Monday 2 March 2026. 06:59:59 is off-peak, 07:00:00 is peak, 10:00:00 is off-peak again.
    //   3 km in the centre off-peak:  3 x 0.20 = 0.60; 4 km more at 10:00: (3 + 4) x 0.20 = 1.40
    //   12 km in the centre at peak: 12 x 0.50 = 6.00
    //   5 km outside:                 5 x 0.02 = 0.10, not under the cap
    // Under the cap of 6.00: 1.40 + 6.00 = 7.40, so the credit is -1.40; to pay 6.00 + 0.10 = 6.10.
    const km = KILOMETRE_MM
    const charges = rate(
      trip([
        stretch('2026-03-02T06:59:59+01:00', 3 * km, { zones: ['centre'] }),
        stretch('2026-03-02T07:00:00+01:00', 12 * km, { zones: ['centre'] }),
        stretch('2026-03-02T09:59:59+01:00', 5 * km, { zones: ['ring'] }),
        stretch('2026-03-02T10:00:00+01:00', 4 * km, { zones: ['centre'] }),
        stretch('2026-03-02T10:10:00+01:00', 9 * km, { zones: ['centre'], roadClass: 'motorway' }),
      ]),
      CAR,
      inCity,
    )
    expect(charges.map((c) => [c.rule, c.zones, c.distanceMm / km, c.amount])).toEqual([
      ['exempt', ['centre'], 9, 0n],
      ['peak', ['centre'], 12, 6_000_000n],
      ['centre', ['centre'], 7, 1_400_000n],
      ['basic', ['ring'], 5, 100_000n],
    ])
    const { changes, windows } = accrued([accruedTrip(charges)], [city])
    expect(windows).toMatchObject([
      {
        window: { policy: 'city-2026', cap: 'daily', vehicle: 'v1', span: '2026-03-02' },
        state: { gross: 7_400_000n, credit: -1_400_000n },
      },
    ])
    expect(changes).toMatchObject([{ window: { cap: 'daily' }, amount: -1_400_000n, jurisdiction: 'brussels' }])
  })

  it('a trip across midnight has a line for each local day, and a cap for each', () => {
    // Monday 23:50 to Tuesday 00:10 in Brussels, all of it on one UTC day: 20 km at 0.20 = 4.00, then 40 km at 0.20 = 8.00.
    const charges = rate(
      trip([
        stretch('2026-03-02T23:59:59+01:00', 20 * KILOMETRE_MM, { zones: ['centre'] }),
        stretch('2026-03-03T00:00:00+01:00', 40 * KILOMETRE_MM, { zones: ['centre'] }),
      ]),
      CAR,
      inCity,
    )
    expect(charges.map((c) => [c.day, c.amount])).toEqual([
      ['2026-03-02', 4_000_000n],
      ['2026-03-03', 8_000_000n],
    ])
    expect(
      accrued([accruedTrip(charges)], [city]).windows.map(({ window, state }) => [window.span, state.credit]),
    ).toEqual([
      ['2026-03-02', 0n],
      ['2026-03-03', -2_000_000n],
    ])
  })

  it('the day of 25 hours: each of its hours in the centre on one day, both hours 02:00-03:00 at night', () => {
    const { from, to } = localClock('Europe/Brussels').spanOf('2026-10-25')
    // 25 stretches of 1 km in the centre, one each hour: 25 x 0.20 = 5.00 on one line. A Sunday has no peak.
    // 25 of 1 km outside: free at night 22:00-05:00, on that day the hours 0, 1, 2, 2, 3, 4, 22, 23 = 8 km; 17 km x 0.02 = 0.34.
    const stretches: Stretch[] = []
    for (let t = from; t < to; t = instant(t + 3_600_000))
      stretches.push(stretch(t, KILOMETRE_MM, { zones: ['centre'] }), stretch(t, KILOMETRE_MM))
    const charges = rate(trip(stretches), CAR, inCity)
    expect(charges.map((c) => [c.day, c.rule, c.distanceMm / KILOMETRE_MM, c.amount])).toEqual([
      ['2026-10-25', 'centre', 25, 5_000_000n],
      ['2026-10-25', 'night', 8, 0n],
      ['2026-10-25', 'basic', 17, 340_000n],
    ])
  })

  it('prices each stretch by the policy in force when it was entered, and by none where there is none', () => {
    // 1 km at 0.02 = 0.02 before; 1 km at 0.03 = 0.03 from the change on.
    const next = parsePolicy({
      ...city,
      id: 'city-2027',
      startsAt: '2027-01-01T00:00:00+01:00',
      endsAt: '2027-01-01T01:00:00+01:00',
      rules: [{ id: 'basic', name: 'Basic', match: {}, price: { perKm: '0.03' } }],
      caps: [],
    })
    const charges = rate(
      trip([
        stretch('2026-01-31T23:59:59+01:00', 5),
        stretch('2026-12-31T21:59:59+01:00', KILOMETRE_MM),
        stretch('2027-01-01T00:00:00+01:00', KILOMETRE_MM),
        stretch('2027-01-01T01:00:00+01:00', 7),
      ]),
      CAR,
      tariffAt([city, next]),
    )
    expect(charges.map((c) => [c.day, c.policy, c.rule, c.distanceMm, c.amount, c.freeReason])).toEqual([
      ['2026-01-31', '', 'none', 5, 0n, 'no policy in force'],
      ['2026-12-31', 'city-2026', 'basic', KILOMETRE_MM, 20_000n, null],
      ['2027-01-01', '', 'none', 7, 0n, 'no policy in force'],
      ['2027-01-01', 'city-2027', 'basic', KILOMETRE_MM, 30_000n, null],
    ])
    expect(accrued([accruedTrip(charges)], [city, next]).windows).toEqual([])
  })

  it('tells vehicle classes apart', () => {
    const report = trip([stretch('2026-03-02T08:00+01:00', KILOMETRE_MM, { zones: ['centre'] })])
    expect(rate(report, { ...CAR, vehicleClass: 'bus' }, inCity)).toMatchObject([{ rule: 'bus', amount: 0n }])
    expect(rate(report, { ...CAR, vehicleClass: 'van' }, inCity)).toMatchObject([{ rule: 'peak', amount: 500_000n }])
  })
})

describe('what rating refuses as a bug', () => {
  const report = trip([stretch('2026-03-02T08:00+01:00', KILOMETRE_MM)])
  it.each<[string, ChargeReport]>([
    ['lines of 1000000 mm for 1 mm matched', { ...report, matchedMm: millimetres(1) }],
    ['lines of 1 fixes for 2 matched', { ...report, fixes: { accepted: 2, matched: 2, unmatched: {} } }],
    ['policy city-2026 has no zone cordon', trip([stretch('2026-03-02T08:00+01:00', 1, { zones: ['cordon'] })])],
    ['is not of vehicle v1', { ...report, vehicle: 'v2' as VehicleId }],
  ])('%s', (message, bad) => {
    expect(() => rate(bad, CAR, inCity)).toThrow(message)
  })
})

const moment = fc.integer({ min: at('2026-01-25T00:00Z'), max: at('2026-11-10T00:00Z') }).map(instant)
const anyStretch = fc
  .record({
    enteredAt: moment,
    mm: fc.integer({ min: 0, max: 5_000_000 }),
    roadClass: fc.constantFrom(...ROAD_CLASSES),
    access: fc.constantFrom(...ACCESS),
    zones: fc.subarray(['centre', 'ring']),
    inferred: fc.boolean(),
    fixes: fc.nat(30),
  })
  .map(({ enteredAt, mm, ...over }) => stretch(enteredAt, mm, over))
const anyTrip = fc.array(anyStretch, { minLength: 1, maxLength: 30 })
const anyVehicle = fc.constantFrom(...VEHICLE_CLASSES).map((vehicleClass) => ({ vehicle: VEHICLE, vehicleClass }))

describe('properties', () => {
  it('decides as a reading of the rules, condition by condition, does', () => {
    const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone: city.timeZone, dateStyle: 'short', timeStyle: 'short' })
    fc.assert(
      fc.property(anyStretch, anyVehicle, (s, vehicle) => {
        const [day, time] = local.format(s.enteredAt).split(' ')
        const today = new Date(`${day}T00:00Z`).getUTCDay()
        const rule = city.rules.find(({ match: m }) => {
          const banded = m.times?.some((b) =>
            b.to > b.from
              ? b.days.includes(days[today] as never) && b.from <= time && time < b.to
              : (b.days.includes(days[today] as never) && time >= b.from) ||
                (b.days.includes(days[(today + 6) % 7] as never) && time < b.to),
          )
          return (
            (m.vehicleClasses?.includes(vehicle.vehicleClass) ?? true) &&
            (m.roadClasses?.includes(s.roadClass) ?? true) &&
            (m.access?.includes(s.access) ?? true) &&
            (m.zones?.some((z) => s.zones.includes(z)) ?? true) &&
            !m.outside?.some((z) => s.zones.includes(z)) &&
            (banded ?? true)
          )
        })
        const [charge] = rate(trip([s]), vehicle, inCity)
        expect(charge.rule).toBe(policyInForce([city], s.enteredAt) ? rule?.id : NO_POLICY.rule)
      }),
      { numRuns: 500 },
    )
  })

  it('conserves millimetres and fixes, and a second rating gives the same bytes', () => {
    fc.assert(
      fc.property(anyTrip, anyVehicle, (stretches, vehicle) => {
        const report = trip(stretches)
        const charges = rate(report, vehicle, inCity)
        expect(charges.reduce((sum, c) => sum + c.distanceMm, 0)).toBe(report.matchedMm)
        expect(charges.reduce((sum, c) => sum + c.fixes, 0)).toBe(report.fixes.matched)
        expect(charges.every((c) => (c.rate === null) === (c.freeReason !== null))).toBe(true)
        expect(canonical(rate(report, vehicle, tariffAt([city])))).toBe(canonical(charges))
      }),
    )
  })

  it('does not depend on the order of the stretches, and splitting one changes nothing', () => {
    fc.assert(
      fc.property(anyTrip, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (stretches, pick, share) => {
        const whole = stretches[pick % stretches.length]
        const middle = millimetres(Math.floor(whole.toMm * share))
        const parts = [
          { ...whole, toMm: middle },
          { ...whole, fromMm: middle, fixes: 0 },
        ]
        const split = stretches.flatMap((s) => (s === whole ? parts : [s])).reverse()
        expect(rate(trip(split), CAR, inCity)).toEqual(rate(trip(stretches), CAR, inCity))
      }),
    )
  })

  it('splitting a trip moves no line by more than a micro', () => {
    // Within an hour of one morning, so that many stretches are on one line: else there is nothing to split.
    const oneLine = fc.array(
      fc.tuple(anyStretch, fc.integer({ min: 0, max: 3_600_000 })).map(([s, ms]) => ({
        ...s,
        enteredAt: instant(at('2026-03-02T06:30+01:00') + ms),
        roadClass: 'primary' as const,
      })),
      { minLength: 2, maxLength: 30 },
    )
    let shared = 0
    fc.assert(
      fc.property(oneLine, fc.nat(), (stretches, cut) => {
        const k = 1 + (cut % (stretches.length - 1))
        const parts = [stretches.slice(0, k), stretches.slice(k)]
        const whole = rate(trip(stretches), CAR, inCity)
        const split = parts.flatMap((part) => rate(trip(part), CAR, inCity))
        const total = (charges: typeof whole) => charges.reduce((sum, c) => sum + c.amount, 0n)
        const off = total(whole) - total(split)
        expect((off < 0n ? -off : off) <= BigInt(whole.length)).toBe(true)
        shared += Number(split.length > whole.length)
      }),
    )
    expect(shared).toBeGreaterThan(50)
  })
})
