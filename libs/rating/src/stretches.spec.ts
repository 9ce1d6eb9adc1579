import fc from 'fast-check'
import { ACCESS, ROAD_CLASSES, type ChargeReport, type Stretch } from '#contracts'
import { instant, millimetres, type Digest, type TripId, type VehicleId } from '#kernel'
import { parsePolicy } from '#policy'
import { compilePolicy } from './compile'
import { rate } from './rate'
import { priceStretches } from './stretches'

const POLICY = parsePolicy({
  v: 1,
  id: 'p',
  name: 'P',
  currency: 'SEK',
  timeZone: 'Europe/Stockholm',
  startsAt: '2026-01-01T00:00:00+01:00',
  jurisdiction: 'gothenburg',
  zones: {
    centre: {
      name: 'Centre',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [11.9, 57.6],
            [12, 57.6],
            [12, 57.8],
            [11.9, 57.6],
          ],
        ],
      },
    },
  },
  rules: [
    { id: 'private', name: 'Private', match: { access: ['private'] }, price: { free: 'private road' } },
    {
      id: 'rush',
      name: 'Rush',
      match: { zones: ['centre'], times: [{ days: ['mon', 'tue', 'wed'], from: '06:30', to: '09:00' }] },
      price: { perMile: '6.00' },
    },
    { id: 'fast', name: 'Fast', match: { roadClasses: ['motorway'] }, price: { perKm: '0.50' } },
    { id: 'base', name: 'Base', match: {}, price: { perMile: '1.50' } },
  ],
  billing: { unit: 'mile', coin: '0.01', reviewDays: 10, dueDays: 30 },
})

const roadOf = fc.record({
  roadClass: fc.constantFrom(...ROAD_CLASSES),
  access: fc.constantFrom(...ACCESS),
  zones: fc.constantFrom([], ['centre']),
})
const stretchOf = fc.record({
  enteredAt: fc.integer({ min: Date.parse('2026-10-01T00:00Z'), max: Date.parse('2026-10-31T00:00Z') }),
  mm: fc.integer({ min: 0, max: 5_000_000 }),
  roadClass: fc.constantFrom(...ROAD_CLASSES),
  access: fc.constantFrom(...ACCESS),
  zones: fc.constantFrom([], ['centre']),
  inDoubt: fc.constantFrom(true as const, undefined),
  rival: fc.option(roadOf, { nil: undefined }),
  between: fc.option(fc.tuple(roadOf, roadOf), { nil: undefined }),
})

describe('a stretch in doubt', () => {
  const line = (access: 'public' | 'private', mm: number, inDoubt?: true): Stretch => ({
    segment: '1.1.2',
    fromMm: millimetres(0),
    toMm: millimetres(mm),
    enteredAt: instant(Date.parse('2026-10-05T12:00Z')),
    leftAt: instant(Date.parse('2026-10-05T12:01Z')),
    roadClass: 'primary',
    access,
    zones: [],
    inferred: false,
    confidence: 700,
    fixes: 1,
    ...(inDoubt && { inDoubt }),
  })
  it('is a line of its own that costs nothing; what is free anyway stays where it is', () => {
    const stretches = [line('public', 1_000), line('public', 66, true), line('private', 5), line('private', 7, true)]
    const report = {
      vehicle: 'v',
      trip: 't',
      stretches,
      matchedMm: 1_078,
      fixes: { accepted: 4, matched: 4, unmatched: {} },
    } as unknown as ChargeReport
    const policy = compilePolicy(POLICY)
    const charges = rate(report, { vehicle: 'v' as VehicleId, vehicleClass: 'car' }, () => policy)
    expect(
      charges.map(({ policy, rule, distanceMm, fixes, amount }) => [policy, rule, distanceMm, fixes, amount]),
    ).toEqual([
      ['', 'in-doubt', 66, 1, 0n],
      ['p', 'private', 12, 2, 0n],
      ['p', 'base', 1_000, 1, 932n],
    ])
  })
})

describe('the price of each stretch', () => {
  it('is by the very rules that the lines of its trip are of', () => {
    fc.assert(
      fc.property(fc.array(stretchOf, { minLength: 1, maxLength: 40 }), (drawn) => {
        const stretches = drawn
          .sort((a, b) => a.enteredAt - b.enteredAt)
          .map(({ enteredAt, mm, ...rest }): Stretch => ({
            ...rest,
            segment: '1.1.2',
            fromMm: millimetres(0),
            toMm: millimetres(mm),
            enteredAt: instant(enteredAt),
            leftAt: instant(enteredAt),
            inferred: false,
            confidence: 1000,
            fixes: 0,
          }))
        const vehicle = { vehicle: 'v' as VehicleId, vehicleClass: 'car' as const }
        const report: ChargeReport = {
          v: 1,
          trip: 't' as TripId,
          vehicle: vehicle.vehicle,
          startedAt: stretches[0].enteredAt,
          endedAt: stretches.at(-1)!.leftAt,
          network: '0' as Digest,
          engine: '0',
          stretches,
          matchedMm: millimetres(stretches.reduce((sum, { toMm }) => sum + toMm, 0)),
          fixes: { accepted: 0, matched: 0, unmatched: {} },
          breaks: 0,
        }
        const policy = compilePolicy(POLICY)
        const byRule = new Map<string, number>()
        priceStretches(report, vehicle, () => policy).forEach(({ rule, rate: price, freeReason }, i) => {
          const key = [rule, price?.micros, price?.per, freeReason].join()
          byRule.set(key, (byRule.get(key) ?? 0) + stretches[i].toMm)
        })
        const ofLines = new Map<string, number>()
        for (const { rule, rate: price, freeReason, distanceMm } of rate(report, vehicle, () => policy)) {
          const key = [rule, price?.micros, price?.per, freeReason].join()
          ofLines.set(key, (ofLines.get(key) ?? 0) + distanceMm)
        }
        expect(byRule).toEqual(ofLines)
      }),
    )
  })

  it('is none where no policy is in force', () => {
    const stretches = [{ enteredAt: instant(0), roadClass: 'motorway', access: 'public', zones: [] }] as never
    const [price] = priceStretches({ stretches }, { vehicle: 'v' as VehicleId, vehicleClass: 'car' }, () => null)
    expect(price).toMatchObject({ policy: '', rate: null, freeReason: 'no policy in force' })
  })
})
