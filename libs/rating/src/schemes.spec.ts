import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type ChargeReport, type MileageAccount, type PolicyDocument, type RatedVehicle } from '#contracts'
import { KILOMETRE_MM, micros, MILE_MM } from '#kernel'
import { describePolicy, localClock, parsePolicy } from '#policy'
import { accrue, accruedMileage, priceMileage, rate, tariffAt, type Windows } from '#rating'
import { accrued, accruedTrip, at, CAR, stretch, trip } from './trips.fixture'

const example = (name: string): PolicyDocument =>
  parsePolicy(JSON.parse(readFileSync(resolve(__dirname, `../../../apps/ops/policies/${name}.json`), 'utf8')))

/** What trips come to, each under its own name: their charges, and what accruals make of them, by id and span. */
function bill(policy: PolicyDocument, trips: readonly ChargeReport[], vehicle: RatedVehicle = CAR) {
  const tariff = tariffAt([policy])
  const rated = trips.map((report) =>
    accruedTrip(rate(report, vehicle, tariff), report.trip, vehicle, report.startedAt),
  )
  const charges = rated.flatMap((one) => one.charges)
  const { changes, windows } = accrued(rated, [policy])
  const gross = charges.reduce((sum, { amount }) => sum + amount, 0n)
  const credits = windows
    .filter(({ state }) => state.credit !== 0n)
    .map(({ window, state }) => [window.cap, window.span, state.credit])
  return { charges, credits, due: gross + changes.reduce((sum, { amount }) => sum + amount, 0n) }
}

describe('known schemes, by hand', () => {
  it('Oregon: 2 cents a mile, fuel tax by the EPA 55/45 rule, private roads and other states left out', () => {
    // A month: 500 mi in Oregon, 30 mi of private road, 120 mi in Idaho. 500 x 0.02 = 10.00.
    // EPA 24 mpg city, 36 highway: 0.55/24 + 0.45/36 = 0.0354166... gal/mi; 500 mi burn 17.70833... gal x 0.40 = 7.083333.
    // To pay 10.00 - 7.083333 = 2.916667.
    const oregon = example('oregon')
    const zones = ['oregon']
    const month = [
      trip([stretch('2024-05-02T08:00-07:00', 200 * MILE_MM, { zones }), stretch('2024-05-02T12:00-07:00', 30 * MILE_MM, { zones, access: 'private' })], 'a'), // prettier-ignore
      trip([stretch('2024-05-03T08:00-07:00', 300 * MILE_MM, { zones }), stretch('2024-05-03T14:00-07:00', 120 * MILE_MM)], 'b'), // prettier-ignore
    ]
    const sedan: RatedVehicle = { ...CAR, milesPerGallon: { city: '24', highway: '36' } }
    const { charges, credits, due } = bill(oregon, month, sedan)
    expect(charges.map((c) => [c.rule, c.distanceMm / MILE_MM, c.amount, c.freeReason])).toEqual([
      ['private', 30, 0n, 'private road'],
      ['mile', 200, 4_000_000n, null],
      ['elsewhere', 120, 0n, 'outside Oregon'],
      ['mile', 300, 6_000_000n, null],
    ])
    expect(credits).toEqual([['fuel-tax', '2024-05', -7_083_333n]])
    expect(due).toBe(2_916_667n)
    // 10 mpg burns 50 gal, 20.00 of tax: no more comes back than is charged. Who burns nothing gets nothing.
    expect(bill(oregon, month, { ...CAR, milesPerGallon: { measured: '10' } }).due).toBe(0n)
    expect(bill(oregon, month).due).toBe(10_000_000n)
  })

  it('Utah: a cent a mile until the flat fee of the year is reached', () => {
    // 1,100 mi a month = 11.00. Eleven months are 121.00; the twelfth would make 132.00, so 1.75 comes off: 130.25.
    // A trip of March that comes in last changes nothing more; January of the next year counts anew.
    const utah = example('utah')
    const car: RatedVehicle = { ...CAR, propulsion: 'electric' }
    const day = (month: number, year = 2025) => `${year}-${String(month).padStart(2, '0')}-15T12:00-07:00`
    const year = Array.from({ length: 12 }, (_, m) => trip([stretch(day(m + 1), 1100 * MILE_MM)], `m${m}`))
    expect(bill(utah, year.slice(0, 11), car)).toMatchObject({ due: 121_000_000n, credits: [] })
    expect(bill(utah, year, car)).toMatchObject({ due: 130_250_000n, credits: [['flat-fee', '2025', -1_750_000n]] })
    const late = trip([stretch(day(3), 50 * MILE_MM)], 'late')
    expect(bill(utah, [...year, late], car).due).toBe(130_250_000n)
    expect(bill(utah, [late, ...year], car).due).toBe(130_250_000n)
    expect(bill(utah, [...year, trip([stretch(day(1, 2026), 100 * MILE_MM)], 'next')], car).due).toBe(131_250_000n)
    expect(bill(utah, year, { ...CAR, propulsion: 'petrol' }).due).toBe(0n)
  })

  it('Hawaii: 0.8 cents a mile, 50 dollars a year at most; by the odometer, too, together with trips', () => {
    // 5,000 mi x 0.008 = 40.00; 7,000 mi would be 56.00 and are 50.00. By the odometer 6,000 mi are 48.00; after 5,000 mi of
    // trips they cost what is left to the cap, 10.00. Whoever pays fuel tax pays nothing.
    const hawaii = example('hawaii')
    const car: RatedVehicle = { ...CAR, propulsion: 'electric' }
    const drive = (miles: number, id: string) => trip([stretch('2026-02-03T12:00-10:00', miles * MILE_MM)], id)
    expect(bill(hawaii, [drive(5000, 'a')], car).due).toBe(40_000_000n)
    expect(bill(hawaii, [drive(5000, 'a'), drive(2000, 'b')], car).due).toBe(50_000_000n)
    const read = { kind: 'odometer', policy: hawaii.id, distanceMm: 6000 * MILE_MM, estimatedMm: 0, days: 0 } as never
    const nothing = { billed: micros(0n) }
    const line = priceMileage(read, hawaii, car, nothing)
    expect(line.amount).toBe(48_000_000n)
    expect(priceMileage(read, hawaii, { ...car, propulsion: 'petrol' }, nothing)).toMatchObject({
      rate: null,
      freeReason: 'pays fuel tax',
      amount: 0n,
    })
    const windows: Windows = new Map()
    const rated = accruedTrip(rate(drive(5000, 'a'), car, tariffAt([hawaii])), 'a', car)
    expect(accrue(rated, [hawaii], windows)).toEqual([])
    const month = { month: '2026-03', from: at('2026-03-01T00:00-10:00'), lines: [line] } as MileageAccount & object
    expect(accrue(accruedMileage(month, car)[0], [hawaii], windows)).toEqual([
      expect.objectContaining({ amount: -38_000_000n }),
    ])
  })

  it('Brussels: per km by hour and fiscal horsepower; nights, weekends, holidays and the Ring free', () => {
    const brussels = example('brussels')
    const km = KILOMETRE_MM
    const zones = ['region']
    // Wednesday 21 July 2027 is the national holiday; Tuesday the 20th is not. 10 fiscal horsepower: 1.5 times.
    // 20th: 8 km at 07:30 x 0.18 x 1.5 = 0.27 -> 2.16; 4 km at 12:00 x 0.135 = 0.54; 6 km of Ring, 5 km outside: exempt;
    // 3 km at 19:00: night. 21st: 9 km at 08:00: holiday. Saturday the 24th: 2 km at 12:00: weekend. 2.70 in all.
    const trips = [
      trip([
        stretch('2027-07-20T07:30+02:00', 8 * km, { zones }),
        stretch('2027-07-20T08:00+02:00', 6 * km, { zones: ['region', 'ring'] }),
        stretch('2027-07-20T08:20+02:00', 5 * km),
        stretch('2027-07-20T12:00+02:00', 4 * km, { zones }),
        stretch('2027-07-20T19:00+02:00', 3 * km, { zones }),
      ], 'a'), // prettier-ignore
      trip([stretch('2027-07-21T08:00+02:00', 9 * km, { zones })], 'b'),
      trip([stretch('2027-07-24T12:00+02:00', 2 * km, { zones })], 'c'),
    ]
    const { charges, due } = bill(brussels, trips, { ...CAR, fiscalPower: 10 })
    expect(charges.map((c) => [c.rule, c.amount])).toEqual([
      ['elsewhere', 0n],
      ['ring', 0n],
      ['night', 0n],
      ['peak-middle', 2_160_000n],
      ['off-peak-middle', 540_000n],
      ['weekend', 0n],
      ['weekend', 0n],
    ])
    expect(due).toBe(2_700_000n)
    // 14 and more: twice. Unknown: the plain price. 8 x 0.36 + 4 x 0.18 = 3.60; 8 x 0.18 + 4 x 0.09 = 1.80.
    expect(bill(brussels, trips, { ...CAR, fiscalPower: 14 }).due).toBe(3_600_000n)
    expect(bill(brussels, trips).due).toBe(1_800_000n)
    expect(bill(brussels, trips, { ...CAR, programmes: ['emergency'] }).due).toBe(0n)
    // A day pass costs 6.00 a day, whatever is driven.
    const pass = { kind: 'permit', policy: brussels.id, distanceMm: 0, estimatedMm: 0, days: 2 } as never
    expect(priceMileage(pass, brussels, CAR, { billed: micros(0n) }).amount).toBe(12_000_000n)
  })

  it('Cordon: each entry once an hour, half for residents, 12 a day at most', () => {
    const cordon = example('cordon')
    const km = KILOMETRE_MM
    const enter = (time: string, id: string) => {
      const outside = at(`2026-03-02T${time}+01:00`)
      return trip([stretch(outside, km), stretch(outside, km, { zones: ['centre'] }), stretch(outside, km)], id)
    }
    // Monday: 07:00 rush 4.00; 07:30 again within the hour: not asked; 08:10 4.00 (after 07:00 by 70 min);
    // 12:00 by day 2.00; 16:00 4.00. 4 + 4 + 2 + 4 = 14.00, of which 12.00 a day at most.
    const day = [
      enter('07:00', 'a'),
      enter('07:30', 'b'),
      enter('08:10', 'c'),
      enter('12:00', 'd'),
      enter('16:00', 'e'),
    ]
    const { charges, credits, due } = bill(cordon, day)
    expect(charges.filter((c) => c.rate).map((c) => [c.rule, c.rate!.per, c.count, c.distanceMm, c.amount])).toEqual([
      ['rush', 'entry', 1, 0, 4_000_000n],
      ['rush', 'entry', 1, 0, 4_000_000n],
      ['rush', 'entry', 1, 0, 4_000_000n],
      ['day', 'entry', 1, 0, 2_000_000n],
      ['rush', 'entry', 1, 0, 4_000_000n],
    ])
    expect(credits).toEqual([
      ['again', '2026-03-02', -4_000_000n],
      ['daily', '2026-03-02', -2_000_000n],
    ])
    expect(due).toBe(12_000_000n)
    // Whatever comes in first: 08:10 alone, then 07:30, which makes it a transfer, then 07:00, which frees 07:30 and not 08:10.
    expect(bill(cordon, [day[2], day[1]]).due).toBe(4_000_000n)
    expect(bill(cordon, [day[4], day[2], day[1], day[0], day[3]]).due).toBe(12_000_000n)
    // Residents: 2 + 2 + 1 + 2 = 7.00.
    expect(bill(cordon, day, { ...CAR, programmes: ['residents'] }).due).toBe(7_000_000n)
    expect(bill(cordon, day, { ...CAR, programmes: ['emergency'] }).due).toBe(0n)
    // Who begins inside has not entered.
    expect(bill(cordon, [trip([stretch('2026-03-02T07:00+01:00', km, { zones: ['centre'] })])]).due).toBe(0n)
  })

  it('says each of them in words', () => {
    expect(describePolicy(example('cordon'))).toEqual([
      'Emergency services enter: entering, in Centre, in programme emergency: exempt, emergency service',
      'Entering in the rush hour: in Centre, mon tue wed thu fri 06:30-09:00 and mon tue wed thu fri 15:30-18:00: 4.00 EUR per entry',
      'Entering by day: in Centre, mon tue wed thu fri 06:00-18:30: 0.5 times "Entering in the rush hour"',
      'Driving: everywhere else, at any time: free, only entering is charged',
      "Residents' discount: 50 % less for Entering in the rush hour and Entering by day, in programme residents",
      'Entered again within the hour: flat prices asked for once within 60 minutes of a day for Entering in the rush hour and Entering by day',
      'Daily cap: at most 12.00 EUR per vehicle and day for Entering in the rush hour and Entering by day',
    ])
    expect(localClock(example('hawaii').timeZone).timeZone).toBe('Pacific/Honolulu')
  })
})
