import fc from 'fast-check'
import { ACCESS, ROAD_CLASSES, type Charge, type OtherRoad, type Stretch } from '#contracts'
import { instant, KILOMETRE_MM, millimetres } from '#kernel'
import { parsePolicy } from '#policy'
import { rate, tariffAt } from '#rating'
import { at, CAR, stretch, trip } from './trips.fixture'

const box = { type: 'Polygon', coordinates: [[[4.34, 50.84], [4.37, 50.84], [4.37, 50.86], [4.34, 50.86], [4.34, 50.84]]] } // prettier-ignore
const document = {
  v: 1,
  id: 'p',
  name: 'P',
  currency: 'EUR',
  timeZone: 'Europe/Brussels',
  startsAt: '2026-01-01T00:00:00+01:00',
  jurisdiction: 'brussels',
  billing: { unit: 'km' },
  zones: { centre: { name: 'Centre', geometry: box }, ring: { name: 'Ring', geometry: box } },
}
const DISTANCE = [
  { id: 'private', name: 'Private', match: { access: ['private'] }, price: { free: 'private road' } },
  { id: 'fast', name: 'Fast', match: { roadClasses: ['motorway'] }, price: { perMile: '0.33' } },
  {
    id: 'rush',
    name: 'Rush',
    match: { zones: ['centre'], times: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:00', to: '09:00' }] },
    price: { perKm: '0.50' },
  },
  { id: 'ring', name: 'Ring', match: { zones: ['ring'] }, price: { perKm: '0.05' } },
  { id: 'base', name: 'Base', match: {}, price: { perKm: '0.21' } },
]
const EVENTS = [
  { id: 'cordon', name: 'Cordon', match: { zones: ['centre'] }, price: { perEntry: '3.00' } },
  { id: 'toll', name: 'Toll', match: { zones: ['ring'], roadClasses: ['motorway'] }, price: { perTrip: '1.00' } },
  { id: 'visit', name: 'Visit', match: { zones: ['ring'] }, price: { perTrip: '2.00' } },
]
const byDistance = tariffAt([parsePolicy({ ...document, rules: DISTANCE })])
const withEvents = tariffAt([parsePolicy({ ...document, rules: [...EVENTS, ...DISTANCE] })])

const MONDAY = '2026-03-02T08:00+01:00'
const NOON = '2026-03-02T12:00+01:00'
const KM = KILOMETRE_MM
const road = { roadClass: 'residential', access: 'public', zones: [] } as const
const motorway = { ...road, roadClass: 'motorway' } as const
const inCentre = { ...road, zones: ['centre'] } as const
const lines = (charges: readonly Charge[]) =>
  charges.map((c) => [c.rule, c.roadClass, c.zones, c.distanceMm / KM, c.count, c.amount])

describe('a stretch with a rival', () => {
  it('is on the line of the cheaper road', () => {
    // 0.33 a mile is 0.205 a km: cheaper than 0.21. 3 km at it: 3,000,000 x 330,000 / 1,609,344 = 615,157.48 micros.
    const report = trip([
      stretch(MONDAY, 2 * KM, { rival: motorway }),
      stretch(MONDAY, KM, { ...motorway, rival: road }),
      stretch(MONDAY, KM, { ...inCentre, rival: { ...road, access: 'private' } }),
      stretch(MONDAY, KM, { access: 'private', rival: inCentre }),
    ])
    expect(lines(rate(report, CAR, byDistance))).toEqual([
      ['private', 'residential', [], 2, undefined, 0n],
      ['fast', 'motorway', [], 3, undefined, 615_157n],
    ])
  })
  it('is compared at its own time', () => {
    // In rush hours 0.50 in the centre against 0.21 outside; at noon both are 0.21, and the road that it is on counts.
    const report = trip([MONDAY, NOON].map((time) => stretch(time, KM, { ...inCentre, rival: road })))
    expect(lines(rate(report, CAR, byDistance))).toEqual([
      ['base', 'residential', [], 1, undefined, 210_000n],
      ['base', 'residential', ['centre'], 1, undefined, 210_000n],
    ])
  })
  it('enters nothing that only one of the roads enters, until the vehicle surely is inside', () => {
    const doubtful = stretch(NOON, KM, { ...inCentre, rival: road })
    const events = (stretches: Stretch[]) =>
      rate(trip(stretches), CAR, withEvents)
        .filter(({ count }) => count)
        .map(({ rule, count }) => [rule, count])
    const outside = stretch(NOON, KM)
    const inside = stretch(NOON, KM, inCentre)
    expect(events([outside, doubtful, outside])).toEqual([])
    expect(events([outside, doubtful, inside])).toEqual([['cordon', 1]])
    expect(events([inside, doubtful, inside])).toEqual([])
    expect(events([doubtful, inside])).toEqual([])
    // Both roads are inside: no doubt about that.
    expect(events([outside, stretch(NOON, KM, { ...inCentre, rival: { ...inCentre, roadClass: 'primary' } })])).toEqual(
      [['cordon', 1]],
    )
  })
  it('is a trip by the cheaper of what both roads make it', () => {
    const visit = { ...road, zones: ['ring'] } as const
    const toll = { ...motorway, zones: ['ring'] } as const
    const events = (one: OtherRoad, rival: OtherRoad) =>
      rate(trip([stretch(NOON, KM, { ...one, rival })]), CAR, withEvents).flatMap((c) => (c.count ? [c.rule] : []))
    expect(events(toll, visit)).toEqual(['toll'])
    expect(events(visit, toll)).toEqual(['toll'])
    expect(events(visit, { ...visit, roadClass: 'primary' })).toEqual(['visit'])
    expect(events(visit, road)).toEqual([])
    expect(events(road, visit)).toEqual([])
  })
})

describe('a stretch that was driven in a long silence', () => {
  const between = (a: OtherRoad, b: OtherRoad) => ({ between: [a, b] as const })
  it('is on the line of the dearer of its ends, where that is cheaper than its own', () => {
    const lane = { ...road, access: 'private' } as const
    const report = trip([
      stretch(MONDAY, KM, { ...inCentre, ...between(road, motorway) }),
      stretch(MONDAY, KM, { ...inCentre, ...between(motorway, lane) }),
      stretch(MONDAY, KM, { ...inCentre, ...between(lane, lane) }),
      stretch(MONDAY, KM, { ...inCentre, ...between(road, inCentre) }),
      stretch(MONDAY, KM, { ...lane, ...between(inCentre, inCentre) }),
      stretch(MONDAY, KM, { ...inCentre, rival: motorway, ...between(road, road) }),
    ])
    expect(lines(rate(report, CAR, byDistance))).toEqual([
      ['private', 'residential', [], 2, undefined, 0n],
      ['fast', 'motorway', [], 2, undefined, 410_105n],
      ['rush', 'residential', ['centre'], 1, undefined, 500_000n],
      ['base', 'residential', [], 1, undefined, 210_000n],
    ])
  })
  it('crosses what its ends imply, and nothing in between', () => {
    const events = (...stretches: Stretch[]) =>
      rate(trip(stretches), CAR, withEvents)
        .filter(({ count }) => count)
        .map(({ rule, count }) => [rule, count])
    const inRing = { ...road, zones: ['ring'] } as const
    const outside = stretch(NOON, KM)
    const inside = stretch(NOON, KM, inCentre)
    const through = stretch(NOON, KM, { ...inCentre, ...between(road, road) })
    expect(events(outside, through, outside)).toEqual([])
    expect(events(through)).toEqual([])
    const into = [road, inCentre, road, inCentre].map((own) =>
      stretch(NOON, KM, { ...own, ...between(road, inCentre) }),
    )
    expect(events(outside, ...into, inside)).toEqual([['cordon', 1]])
    expect(events(...into, inside)).toEqual([['cordon', 1]])
    expect(events(...into)).toEqual([['cordon', 1]])
    const out = stretch(NOON, KM, { ...road, ...between(inCentre, road) })
    expect(events(...into, out, ...into)).toEqual([['cordon', 2]])
    // Neither of its ends is in the ring: no visit of it.
    expect(events(outside, stretch(NOON, KM, { ...inRing, ...between(road, road) }), outside)).toEqual([])
    expect(events(stretch(NOON, KM, { ...inRing, ...between(road, inRing) }))).toEqual([['visit', 1]])
    expect(events(stretch(NOON, KM, { ...inRing, ...between(inRing, road) }))).toEqual([['visit', 1]])
  })
  it('is in no silence where it was heard again', () => {
    const seen = [stretch(NOON, KM, { ...road, ...between(road, inCentre) }), stretch(NOON, KM, inCentre)]
    const charges = rate(trip([...seen, stretch(NOON, KM)]), CAR, withEvents)
    expect(charges.filter(({ count }) => count).map(({ rule, count }) => [rule, count])).toEqual([['cordon', 1]])
  })
})

const anyRoad = fc.record({
  roadClass: fc.constantFrom(...ROAD_CLASSES),
  access: fc.constantFrom(...ACCESS),
  zones: fc.subarray(['centre', 'ring']),
})
const anyStretch = fc
  .record({
    ms: fc.integer({ min: 0, max: 3 * 3_600_000 }),
    mm: fc.integer({ min: 0, max: 5_000_000 }),
    road: anyRoad,
    rival: fc.option(anyRoad, { nil: undefined }),
    between: fc.option(fc.tuple(anyRoad, anyRoad), { nil: undefined }),
    fixes: fc.nat(9),
  })
  .map(({ ms, mm, road, rival, between, fixes }) =>
    stretch(instant(at('2026-03-02T06:30+01:00') + ms), mm, {
      ...road,
      fixes,
      ...(rival && { rival }),
      ...(between && { between }),
    }),
  )
const anyTrip = fc.array(anyStretch, { minLength: 1, maxLength: 20 })
const total = (charges: readonly Charge[]) => charges.reduce((sum, { amount }) => sum + amount, 0n)
const alone = ({ rival: _, between: __, ...rest }: Stretch): Stretch => rest
const onRival = ({ rival, between: _, ...rest }: Stretch): Stretch => ({ ...rest, ...rival })
const heard = ({ between: _, ...rest }: Stretch): Stretch => rest

describe('properties of rivals', () => {
  it('never more than with either of the roads alone, but for the rounding of each line', () => {
    let cheaper = 0
    fc.assert(
      fc.property(anyTrip, fc.boolean(), (drawn, hasEvents) => {
        const stretches = drawn.map(heard)
        const policy = hasEvents ? withEvents : byDistance
        const charges = rate(trip(stretches), CAR, policy)
        for (const other of [stretches.map(alone), stretches.map(onRival)]) {
          const sure = rate(trip(other), CAR, policy)
          expect(total(charges) <= total(sure) + BigInt(charges.length + sure.length)).toBe(true)
          cheaper += Number(total(charges) < total(sure))
        }
      }),
      { numRuns: 500 },
    )
    expect(cheaper).toBeGreaterThan(300)
  })
  it('never more for the distance than on its own road, its rival, or the dearer end of its silence', () => {
    const priceOf = (one: Stretch) => total(rate(trip([one]), CAR, byDistance))
    fc.assert(
      fc.property(anyStretch, (one) => {
        const [a, b] = (one.between ?? []).map((end) => priceOf({ ...alone(one), ...end }))
        const bounds = [priceOf(alone(one)), priceOf(onRival(one)), ...(a === undefined ? [] : [a > b ? a : b])]
        expect(priceOf(one)).toBe(bounds.reduce((least, bound) => (bound < least ? bound : least)))
      }),
      { numRuns: 1_000 },
    )
  })
  it('millimetres and fixes stay, whatever the order, however a stretch or a trip is split', () => {
    fc.assert(
      fc.property(anyTrip, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (stretches, pick, share) => {
        const whole = rate(trip(stretches), CAR, byDistance)
        expect(whole.reduce((sum, c) => sum + c.distanceMm, 0)).toBe(trip(stretches).matchedMm)
        expect(whole.reduce((sum, c) => sum + c.fixes, 0)).toBe(trip(stretches).fixes.matched)
        const chosen = stretches[pick % stretches.length]
        const middle = millimetres(Math.floor(chosen.toMm * share))
        const split = stretches.flatMap(
          (s) =>
          s === chosen ? [{ ...s, toMm: middle }, { ...s, fromMm: middle, fixes: 0 }] : [s], // prettier-ignore
        )
        expect(rate(trip(split.reverse()), CAR, byDistance)).toEqual(whole)
        const parts = [stretches.slice(0, pick % stretches.length), stretches.slice(pick % stretches.length)]
        const sums = parts.flatMap((part) => (part.length ? rate(trip(part), CAR, byDistance) : []))
        const off = total(whole) - total(sums)
        expect((off < 0n ? -off : off) <= BigInt(whole.length)).toBe(true)
      }),
    )
  })
})
