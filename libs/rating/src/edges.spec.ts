import fc from 'fast-check'
import { type Stretch } from '#contracts'
import { canonical, instant, KILOMETRE_MM, millimetres, type Instant } from '#kernel'
import { localClock, parsePolicy } from '#policy'
import { earningsOf, priceStretches, rate, tariffAt } from '#rating'
import { at, CAR, stretch, trip } from './trips.fixture'

const box = { type: 'Polygon', coordinates: [[[4.34, 50.84], [4.37, 50.84], [4.37, 50.86], [4.34, 50.86], [4.34, 50.84]]] } // prettier-ignore
const HOUR = 3_600_000
const ALL = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
/** Each hour of the clock has a rule of its own, in a centre and outside of it. */
const hourly = (id: string, timeZone: string, startsAt: string, cents: number, endsAt?: string) =>
  parsePolicy({
    v: 1,
    id,
    name: id,
    currency: 'EUR',
    timeZone,
    startsAt,
    ...(endsAt && { endsAt }),
    jurisdiction: 'city',
    zones: { centre: { name: 'Centre', geometry: box, jurisdiction: 'centre' } },
    rules: [
      { id: 'centre', name: 'Centre', match: { zones: ['centre'] }, price: { perKm: '0.31' }, revenue: { city: 3, centre: 1, state: 3 } },
      ...Array.from({ length: 23 }, (_, h) => ({
        id: `h${h}`,
        name: `Hour ${h}`,
        match: { times: [{ days: ALL, from: `${String(h).padStart(2, '0')}:00`, to: `${String(h + 1).padStart(2, '0')}:00` }] },
        price: { perKm: `0.${String(cents + h).padStart(3, '0')}` },
      })),
      { id: 'h23', name: 'Hour 23', match: {}, price: { perKm: '0.999' } },
    ],
  }) // prettier-ignore

/** What the wall shows in a time zone, from the platform and not from us. */
function wall(timeZone: string) {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23',
  })
  return (t: Instant): readonly [day: string, hour: number] => {
    const [day, time] = format.format(t).split(' ')
    return [day, Number(time.slice(0, 2))]
  }
}

/** Moments at and about an edge: to the millisecond, and some hours off. */
const about = (edges: readonly Instant[], hours = 3) =>
  fc
    .tuple(fc.constantFrom(...edges), fc.oneof(fc.constantFrom(-1, 0, 1, -1000), fc.integer({ min: -hours * HOUR, max: hours * HOUR })))
    .map(([edge, off]) => instant(edge + off)) // prettier-ignore

describe('edges of time and place', () => {
  it('a stretch is of the local day and hour in which it was entered, about midnight and clock changes', () => {
    // 23, 25 and, on Lord Howe Island, 23.5 and 24.5 hours a day; the hour that is missing is nobody's, the one that comes twice one rule's.
    const zones = ['Europe/Brussels', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Honolulu'] as const
    const places = zones.map((timeZone) => {
      const clock = localClock(timeZone)
      const days = ['2026-03-08', '2026-03-29', '2026-04-05', '2026-10-04', '2026-10-25', '2026-11-01', '2026-12-31']
      const edges = days.flatMap((day) => {
        const { from, to } = clock.spanOf(day)
        return [from, to, instant(from + HOUR), instant(from + 2 * HOUR), instant(from + 3 * HOUR)]
      })
      const tariff = tariffAt([hourly('now', timeZone, '2026-01-01T00:00:00Z', 100)])
      return { tariff, edges, shown: wall(timeZone) }
    })
    fc.assert(
      fc.property(
        fc.constantFrom(...places).chain((place) => fc.tuple(fc.constant(place), about(place.edges))),
        ([{ tariff, shown }, moment]) => {
          const [charge] = rate(trip([stretch(moment, 1000)]), CAR, tariff)
          const [day, hour] = shown(moment)
          expect([charge.day, charge.rule]).toEqual([day, `h${hour}`])
        },
      ),
      { numRuns: 400 },
    )
  })

  it.each([
    ['Europe/Brussels', '2026-03-29', 23],
    ['Europe/Brussels', '2026-10-25', 25],
    ['America/New_York', '2026-03-08', 23],
    ['America/New_York', '2026-11-01', 25],
    ['Australia/Lord_Howe', '2026-04-05', 24.5],
  ])('%s on %s: %d hours at one speed are so many, each by the rule of its own hour', (timeZone, day, hours) => {
    // 60 km/h in stretches of a minute: an hour on the wall is 60 km, the repeated one 120, the missing one none.
    const { from, to } = localClock(timeZone).spanOf(day)
    const shown = wall(timeZone)
    const stretches: Stretch[] = []
    const minutes = new Map<string, number>()
    for (let t = from; t < to; t = instant(t + 60_000)) {
      stretches.push(stretch(t, KILOMETRE_MM))
      const hour = `h${shown(t)[1]}`
      minutes.set(hour, (minutes.get(hour) ?? 0) + 1)
    }
    expect(stretches).toHaveLength(hours * 60)
    const charges = rate(trip(stretches), CAR, tariffAt([hourly('now', timeZone, '2026-01-01T00:00:00Z', 100)]))
    expect(new Set(charges.map((charge) => charge.day))).toEqual(new Set([day]))
    expect(new Map(charges.map((charge) => [charge.rule, charge.distanceMm / KILOMETRE_MM]))).toEqual(minutes)
  })

  it('a trip across a change of policy, and across a gap between two, loses and doubles nothing', () => {
    const [first, second] = ['2026-06-15T01:30:00+02:00', '2026-06-15T02:00:00+02:00']
    const policies = [
      hourly('old', 'Europe/Brussels', '2026-01-01T00:00:00Z', 100, first),
      hourly('new', 'Europe/Brussels', second, 500),
    ]
    const tariff = tariffAt(policies)
    const piece = fc.tuple(about([at(first), at(second)], 1), fc.integer({ min: 0, max: 400_000 }))
    let crossed = 0
    fc.assert(
      fc.property(fc.array(piece, { minLength: 2, maxLength: 12 }), (pieces) => {
        const stretches = pieces.sort(([a], [b]) => a - b).map(([t, mm]) => stretch(t, mm))
        const charges = rate(trip(stretches), CAR, tariff)
        for (const policy of ['old', '', 'new']) {
          const wanted = stretches.filter(({ enteredAt: t }) => (t < at(first) ? 'old' : t < at(second) ? '' : 'new') === policy) // prettier-ignore
          const mm = (of: readonly { distanceMm: number }[]) => of.reduce((sum, { distanceMm }) => sum + distanceMm, 0)
          expect(mm(charges.filter((charge) => charge.policy === policy))).toBe(mm(wanted.map(({ toMm }) => ({ distanceMm: toMm })))) // prettier-ignore
          if (policy === '') expect(charges.filter((c) => c.policy === '').every(({ amount }) => amount === 0n)).toBe(true) // prettier-ignore
        }
        crossed += Number(new Set(charges.map(({ policy }) => policy)).size === 3)
      }),
    )
    expect(crossed).toBeGreaterThan(10)
  })

  it('a stretch that a zone cuts costs what its parts cost, wherever the edge is: to the micro a line, to the millimetre in all', () => {
    const tariff = tariffAt([hourly('now', 'Europe/Brussels', '2026-01-01T00:00:00Z', 100)])
    const noon = at('2026-06-15T12:10:00+02:00')
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (mm, share) => {
        const edge = Math.floor(mm * share)
        const parts = [
          stretch(noon, edge, { zones: ['centre'] }),
          { ...stretch(noon, mm, { zones: [] }), fromMm: millimetres(edge) },
        ]
        const charges = rate(trip(parts), CAR, tariff)
        expect(charges.reduce((sum, { distanceMm }) => sum + distanceMm, 0)).toBe(mm)
        // 0.31 a km inside, 0.112 outside, in millionths of a micro: nothing is rounded but each of two lines.
        const exact = BigInt(edge) * 310_000n + BigInt(mm - edge) * 112_000n
        const off = charges.reduce((sum, { amount }) => sum + amount, 0n) * 1_000_000n - exact
        expect(off <= 1_000_000n && off >= -1_000_000n).toBe(true)
        const dearer = rate(trip([stretch(noon, mm, { zones: ['centre'] })]), CAR, tariff)[0].amount
        expect(charges.reduce((sum, { amount }) => sum + amount, 0n) <= dearer + 1n).toBe(true)
      }),
    )
  })

  const anywhere = fc.array(
    fc.tuple(about([at('2026-10-25T00:00:00Z')], 40), fc.integer({ min: 0, max: 3_000_000 }), fc.boolean()),
    { minLength: 1, maxLength: 15 },
  )
  const policy = hourly('now', 'Europe/Brussels', '2026-01-01T00:00:00Z', 100)
  const tariff = tariffAt([policy])
  const driven = (pieces: readonly (readonly [Instant, number, boolean])[]) =>
    trip(pieces.map(([t, mm, inside]) => stretch(t, mm, { zones: inside ? ['centre'] : [] })))

  it('money is conserved: what jurisdictions earn is what lines charge, and what stretches cost is their line, to the micro', () => {
    fc.assert(
      fc.property(anywhere, (pieces) => {
        const report = driven(pieces)
        const charges = rate(report, CAR, tariff)
        for (const charge of charges) {
          const earned = earningsOf(charge, policy)
          expect(earned.reduce((sum, { amount }) => sum + amount, 0n)).toBe(charge.amount)
          expect(earned.every(({ amount }) => amount >= 0n)).toBe(true)
        }
        const prices = priceStretches(report, CAR, tariff)
        report.stretches.forEach((one, i) => {
          const [alone] = rate(trip([one]), CAR, tariff)
          expect([prices[i].policy, prices[i].rule]).toEqual([alone.policy, alone.rule])
        })
      }),
    )
  })

  it('trips in any order give the same lines, and the same trip the same bytes', () => {
    fc.assert(
      fc.property(fc.array(anywhere, { minLength: 1, maxLength: 5 }), fc.nat(), (trips, turn) => {
        const reports = trips.map(driven)
        // A rater that has seen other trips before is still the same rater.
        const inOrder = reports.map((report) => canonical(rate(report, CAR, tariff)))
        const turned = [...reports.keys()].map((i) => (i + turn) % reports.length)
        for (const i of turned) expect(canonical(rate(reports[i], CAR, tariff))).toBe(inOrder[i])
      }),
    )
  })
})
