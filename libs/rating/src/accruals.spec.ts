import fc from 'fast-check'
import { type MileageAccount, type MileageLine, type PolicyDocument, type RatedVehicle } from '#contracts'
import { canonical, instant, micros, MILE_MM, millimetres, type Instant, type TripId } from '#kernel'
import { accrualsOf, parsePolicy } from '#policy'
import {
  accrue,
  accruedMileage,
  creditOf,
  EMPTY_WINDOW,
  inParts,
  priceMileage,
  rate,
  tariffAt,
  type AccruedTrip,
  type Windows,
} from '#rating'
import { accrued, accruedTrip, at, CAR, stretch, trip } from './trips.fixture'

const box = { type: 'Polygon', coordinates: [[[4.34, 50.84], [4.37, 50.84], [4.37, 50.86], [4.34, 50.86], [4.34, 50.84]]] } // prettier-ignore
/** Everything at once: what a trip, a day, a month and a year come to depends on what came before. */
const tariff: PolicyDocument = parsePolicy({
  v: 1,
  id: 'everything',
  name: 'Everything',
  currency: 'EUR',
  timeZone: 'Europe/Brussels',
  startsAt: '2026-01-01T00:00:00+01:00',
  jurisdiction: 'city',
  zones: { centre: { name: 'Centre', geometry: box } },
  rules: [
    { id: 'entry', name: 'Entry', match: { zones: ['centre'] }, price: { perEntry: '2' } },
    { id: 'trip', name: 'Each trip', match: {}, price: { perTrip: '0.10' } },
    { id: 'centre', name: 'Centre', match: { zones: ['centre'] }, price: { perMile: '0.50' } },
    { id: 'mile', name: 'Per mile', match: {}, price: { perMile: '0.10' } },
  ],
  discounts: [{ id: 'half', name: 'Half', percent: '33.3', for: { programmes: ['half'] } }],
  transfers: [{ id: 'again', name: 'Again', minutes: 90, rules: ['entry'] }],
  allowances: [{ id: 'free', name: 'Ten free miles', per: 'month', distance: '10', unit: 'mile', rules: ['centre', 'mile'] }],
  tiers: [
    { id: 'tiers', name: 'Tiers', per: 'month', unit: 'mile', steps: [{ above: '50', percent: '80' }, { above: '100', percent: '50' }], rules: ['centre', 'mile'] },
  ],
  minimums: [{ id: 'least', name: 'At least', per: 'month', amount: '1' }],
  fuelCredits: [{ id: 'fuel', name: 'Fuel', taxPerGallon: '0.60' }],
  caps: [
    { id: 'year', name: 'A year', per: 'year', amount: '20' },
    { id: 'day', name: 'A day', per: 'day', amount: '3', rules: ['entry'] },
    { id: 'month', name: 'A month', per: 'month', amount: '12' },
  ],
  taxes: [{ id: 'vat', name: 'VAT', percent: '21', jurisdiction: 'state' }],
  mileage: { missing: { perMile: '0.07' }, permitPerDay: '1.30' },
}) // prettier-ignore
const half: RatedVehicle = { ...CAR, programmes: ['half'], milesPerGallon: { measured: '30' } }
const compiled = tariffAt([tariff])

interface Drive {
  readonly startedAt: Instant
  readonly miles: number
  readonly centre: number
}
const priced = ({ startedAt, miles, centre }: Drive, id: string, vehicle = half): AccruedTrip => {
  const stretches = [stretch(startedAt, miles * MILE_MM), stretch(instant(startedAt + 60_000), centre * MILE_MM, { zones: ['centre'] })] // prettier-ignore
  return accruedTrip(rate(trip(stretches, id), vehicle, compiled), id, vehicle, startedAt)
}
/** Within five weeks about the end of March, so that days, months and trips across midnight all occur, summer time too. */
const drive = fc.record({
  startedAt: fc.integer({ min: at('2026-03-10T00:00Z'), max: at('2026-04-14T00:00Z') }).map(instant),
  miles: fc.integer({ min: 0, max: 30 }),
  centre: fc.integer({ min: 0, max: 6 }),
})
const drives = fc.array(drive, { minLength: 1, maxLength: 25 })
const shuffled = drives.chain(
  (list) =>
  fc.tuple(fc.constant(list), fc.shuffledSubarray(list.map((_, i) => i), { minLength: list.length })), // prettier-ignore
)
/** Miles by the odometer of a month as they are settled, each time they are known better; the trips that they are for accruals. */
function settledMileage(month: string, kind: 'odometer' | 'permit', known: readonly number[]): AccruedTrip[] {
  let before: MileageLine | undefined
  return known.flatMap((n) => {
    const quantity = {
      kind,
      policy: tariff.id,
      distanceMm: millimetres(n * MILE_MM),
      estimatedMm: millimetres(0),
      days: kind === 'permit' ? n : 0,
    }
    const billed = before ? micros(before.billed + before.amount) : micros(0n)
    before = priceMileage(quantity, tariff, half, { billed, billedMm: before?.distanceMm })
    return accruedMileage({ month, from: at(`${month}-01T00:00Z`), lines: [before] } as unknown as MileageAccount, half)
  })
}
const grossOf = (trips: readonly AccruedTrip[]) =>
  trips.flatMap(({ charges }) => charges).reduce((sum, { amount }) => sum + amount, 0n)

describe('accruals', () => {
  it('end the same in any order of arrival, and post what they come to', () => {
    let moved = 0
    fc.assert(
      fc.property(shuffled, ([list, order]) => {
        const trips = list.map((one, i) => priced(one, `t${i}`))
        const inOrder = accrued(trips, [tariff])
        const other = accrued(order.map((i) => trips[i]), [tariff]) // prettier-ignore
        expect(canonical(other.windows)).toBe(canonical(inOrder.windows))
        const posted = (changes: typeof other.changes) => changes.reduce((sum, { amount }) => sum + amount, 0n)
        expect(posted(other.changes)).toBe(posted(inOrder.changes))
        expect(posted(other.changes)).toBe(other.windows.reduce((sum, { state }) => sum + state.credit, 0n))
        moved += Number(canonical(other.changes) !== canonical(inOrder.changes))
      }),
      { numRuns: 150 },
    )
    expect(moved).toBeGreaterThan(10)
  })

  it('count miles by the odometer with trips, however often a reading revises them', () => {
    const known = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 5 })
    const kind = fc.constantFrom('odometer' as const, 'permit' as const)
    let revised = 0
    fc.assert(
      fc.property(drives, known, known, kind, fc.nat(), (list, march, april, by, seed) => {
        const trips = list.map((one, i) => priced(one, `t${i}`))
        const settled = [...settledMileage('2026-03', by, march), ...settledMileage('2026-04', by, april)]
        // Revisions of a month come one after the other, trips anywhere between them.
        const mixed = [...settled]
        trips.forEach((one, i) => mixed.splice((seed + 7 * i) % (mixed.length + 1), 0, one))
        const one = [
          ...settledMileage('2026-03', by, march.slice(-1)),
          ...settledMileage('2026-04', by, april.slice(-1)),
        ]
        const inTheEnd = (all: readonly AccruedTrip[]) =>
          canonical(accrued(all, [tariff]).windows.filter(({ state }) => canonical(state) !== canonical(EMPTY_WINDOW)))
        expect(inTheEnd(mixed)).toBe(inTheEnd([...trips, ...one]))
        const { windows, changes } = accrued(mixed, [tariff])
        expect(changes.reduce((sum, { amount }) => sum + amount, 0n)).toBe(windows.reduce((sum, { state }) => sum + state.credit, 0n)) // prettier-ignore
        // Nobody knows their days: no day's limit counts them, the month's and the year's do.
        const byMonth = accrued(one, [tariff]).windows
        expect(byMonth.filter(({ window }) => window.cap === 'day' || window.cap === 'again')).toEqual([])
        revised += Number(march.length > 1 && byMonth.some(({ window }) => window.cap === 'year'))
      }),
    )
    expect(revised).toBeGreaterThan(10)
  })

  it('can be stopped anywhere: what a part came to stands for its trips', () => {
    fc.assert(
      fc.property(drives, fc.nat(25), (list, cut) => {
        const trips = list.map((one, i) => priced(one, `t${i}`))
        const windows: Windows = new Map()
        for (const one of trips.slice(0, cut)) accrue(one, [tariff], windows)
        const kept: Windows = new Map(structuredClone([...windows]))
        for (const one of trips.slice(cut)) accrue(one, [tariff], kept)
        const whole = accrued(trips, [tariff]).windows
        expect(canonical([...kept.values()].sort((a, b) => (canonical(a.window) < canonical(b.window) ? -1 : 1)))).toBe(canonical(whole)) // prettier-ignore
      }),
    )
  })

  it('never leave less than nothing nor more than a cap, taxes apart', () => {
    let capped = 0
    fc.assert(
      fc.property(drives, (list) => {
        const trips = list.map((one, i) => priced(one, `t${i}`))
        const { windows } = accrued(trips, [tariff])
        for (const { window, state } of windows) {
          const left = state.gross + state.credit
          expect(left >= 0n).toBe(true)
          const cap = tariff.caps.find(({ id }) => id === window.cap)
          if (cap) expect(left <= BigInt(cap.amount) * 1_000_000n).toBe(true)
          capped += Number(cap !== undefined && state.credit < 0n)
        }
        const credits = windows.reduce((sum, { state }) => sum + state.credit, 0n)
        expect(grossOf(trips) + credits >= 0n).toBe(true)
      }),
    )
    expect(capped).toBeGreaterThan(20)
  })

  it('are monotone where nothing frees a part: who drives more never pays less', () => {
    // Fuel credits and tiers below 100 % keep this, too; transfers don't: an entry may turn a later one into a transfer.
    const rest = { ...tariff, transfers: undefined }
    const document = parsePolicy(JSON.parse(JSON.stringify({ ...rest, id: 'monotone', tiers: undefined })))
    const tables = tariffAt([document])
    fc.assert(
      fc.property(drives, drive, (list, more) => {
        const bill = (all: readonly Drive[]) => {
          const trips = all.map((one, i) => {
            const stretches = [stretch(one.startedAt, one.miles * MILE_MM), stretch(one.startedAt, one.centre * MILE_MM, { zones: ['centre'] })] // prettier-ignore
            return accruedTrip(rate(trip(stretches, `t${i}`), CAR, tables), `t${i}`, CAR, one.startedAt)
          })
          return grossOf(trips) + accrued(trips, [document]).changes.reduce((sum, { amount }) => sum + amount, 0n)
        }
        // Free miles are taken at the month's average price, so a cheap mile more can free a dearer part of them.
        const before = bill(list)
        const after = bill([...list, more])
        const freed = BigInt(Math.ceil(10 * 0.5 * 1_000_000 * 1.21))
        expect(after >= before - freed).toBe(true)
      }),
    )
  })

  it('limits and minimums alone are monotone to the micro', () => {
    const { discounts, minimums, caps, taxes } = tariff
    const only = { ...tariff, id: 'limits', transfers: undefined, allowances: undefined, tiers: undefined, fuelCredits: undefined, discounts, minimums, caps, taxes } // prettier-ignore
    const document = parsePolicy(JSON.parse(JSON.stringify(only)))
    const tables = tariffAt([document])
    let limited = 0
    fc.assert(
      fc.property(drives, drive, (list, more) => {
        const bill = (all: readonly Drive[]) => {
          const trips = all.map((one, i) => {
            const stretches = [stretch(one.startedAt, one.miles * MILE_MM), stretch(one.startedAt, one.centre * MILE_MM, { zones: ['centre'] })] // prettier-ignore
            return accruedTrip(rate(trip(stretches, `t${i}`), half, tables), `t${i}`, half, one.startedAt)
          })
          return grossOf(trips) + accrued(trips, [document]).changes.reduce((sum, { amount }) => sum + amount, 0n)
        }
        const [before, after] = [bill(list), bill([...list, more])]
        expect(after >= before).toBe(true)
        limited += Number(after === before)
      }),
    )
    expect(limited).toBeGreaterThan(5)
  })

  it('count a trip across midnight, and one across the end of a year, where its miles were driven', () => {
    const night = [
      stretch('2026-12-31T23:59:59+01:00', 20 * MILE_MM),
      stretch('2027-01-01T00:00:00+01:00', 30 * MILE_MM),
    ]
    const { windows } = accrued([accruedTrip(rate(trip(night), CAR, compiled))], [tariff])
    expect(windows.filter(({ window }) => window.cap === 'free').map(({ window, state }) => [window.span, state.distanceMm / MILE_MM])).toEqual([['2026-12', 20], ['2027-01', 30]]) // prettier-ignore
    expect(windows.filter(({ window }) => window.cap === 'year').map(({ window }) => window.span)).toEqual([
      '2026',
      '2027',
    ])
  })

  it('tiers and allowances, by hand', () => {
    // 120 miles at 10 c = 12.00. Ten of them free: 12.00 x 10/120 = 1.00 off, 11.00 left at 120 miles. Tiers: 50 whole, 50 at
    // 80 %, 20 at 50 %: 11.00 x (50 + 40 + 10) / 120 = 9.166667, so 1.833333 off.
    const [free, tiers] = ['free', 'tiers'].map((id) => accrualsOf(tariff).find((one) => one.id === id)!)
    const state = { ...EMPTY_WINDOW, distanceMm: 120 * MILE_MM }
    expect(creditOf(free, { ...state, gross: micros(12_000_000n) })).toBe(-1_000_000n)
    expect(creditOf(tiers, { ...state, gross: micros(11_000_000n) })).toBe(-1_833_333n)
    expect(creditOf(free, { ...state, gross: micros(500_000n), distanceMm: 5 * MILE_MM })).toBe(-500_000n)
  })

  it('share an amount in parts that add up to it', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 9 })
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }), weights, (amount, parts) => {
        const shared = inParts(micros(amount), parts)
        expect(shared.reduce((sum, part) => sum + part, 0n)).toBe(amount)
        const all = BigInt(parts.reduce((sum, part) => sum + part, 0))
        shared.forEach((part, i) => {
          const off = part * all - amount * BigInt(parts[i])
          expect(off < all && off > -all).toBe(true)
        })
      }),
    )
    expect(inParts(micros(100n), [1, 1, 1])).toEqual([34n, 33n, 33n])
  })

  it('name no trip twice in a window of trips', () => {
    const discount = accrued([priced({ startedAt: at('2026-03-12T12:00Z'), miles: 10, centre: 0 }, 'one')], [tariff])
    expect(discount.windows.find(({ window }) => window.cap === 'half')!.window.span).toBe('one' as TripId)
  })
})
