import fc from 'fast-check'
import { instant, millimetres, type Instant } from '#kernel'
import {
  admitReading,
  controlTrip,
  methodAt,
  monthAccount,
  OdometerBook,
  soundReadings,
  switchMethod,
  toleratedMm,
  UNKNOWN_USUAL_MM,
  type Calendar,
  type KnownTrip,
  type MethodChoice,
  type Reading,
  type TripDistances,
  type VehicleFacts,
} from '#mileage'

const DAY = 86_400_000
const KM = 1_000_000
const reading = (day: number, km: number, source: Reading['source'] = 'photo'): Reading => ({
  at: instant(day * DAY),
  mm: millimetres(km * KM),
  source,
})
const trip = (day: number, km: number, held = false): KnownTrip => ({
  startedAt: instant(day * DAY),
  matchedMm: Math.round(km * KM),
  inferredMm: 0,
  offNetworkMm: 0,
  held,
})
const facts = (given: Partial<VehicleFacts>): VehicleFacts => ({
  readings: [],
  replacements: [],
  trips: [],
  methods: [],
  ...given,
})
const calendar: Calendar = {
  policies: [{ id: 'p', from: 0, to: Infinity }],
  dayNumber: (at) => Math.floor(at / DAY),
}
const span = (from: number, to: number) => ({ from: instant(from * DAY), to: instant(to * DAY) })
const account = (given: VehicleFacts, from: number, to: number) =>
  monthAccount(new OdometerBook(given), span(from, to), given.methods, calendar)

/** A vehicle of forty days: some kilometres every day, some of them in trips, some days read, perhaps a switch or two. */
const vehicles = fc
  .record({
    days: fc.array(fc.record({ km: fc.nat(80), known: fc.nat(100), read: fc.boolean(), minute: fc.nat(1439) }), {
      minLength: 2,
      maxLength: 40,
    }),
    methods: fc.array(
      fc.record({
        from: fc.nat(40 * 24).map((hour) => instant(hour * 3_600_000)),
        method: fc.constantFrom('location' as const, 'odometer' as const, 'permit' as const),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ days, methods }) => {
    let km = 10_000
    const readings: Reading[] = []
    const trips: KnownTrip[] = []
    days.forEach((day, i) => {
      trips.push({ ...trip(i, (day.km * day.known) / 100), startedAt: instant(i * DAY + day.minute * 60_000) })
      km += day.km
      if (day.read) readings.push(reading(i + 1, km, 'device'))
    })
    return facts({ readings, trips, methods })
  })
const shuffled = <T>(items: readonly T[], order: readonly number[]): T[] =>
  items
    .map((item, i) => [order[i % order.length] + i / 1000, item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item)

describe('the mileage account', () => {
  it('balances: opening + matched + inferred + off-network + unreconciled + replaced = closing', () => {
    fc.assert(
      fc.property(vehicles, fc.nat(40), fc.nat(40), (given, a, b) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b) + 1]
        const m = account(given, from, to)
        if (m.openingMm === null) return expect(m.closingMm).toBeNull()
        expect(m.openingMm + m.matchedMm + m.inferredMm + m.offNetworkMm + m.unreconciledMm + m.replacedMm).toBe(
          m.closingMm,
        )
      }),
    )
  })
  it('opens where the one before closed, and a whole span is the sum of its parts', () => {
    fc.assert(
      fc.property(vehicles, fc.tuple(fc.nat(40), fc.nat(40), fc.nat(40)), (given, cuts) => {
        const [a, b, c] = [...cuts].sort((x, y) => x - y)
        const [first, second, whole] = [account(given, a, b), account(given, b, c), account(given, a, c)]
        expect(second.openingMm).toBe(first.closingMm)
        expect(first.unreconciledMm + second.unreconciledMm).toBe(whole.unreconciledMm)
        const mm = (m: typeof whole) => m.matchedMm + m.inferredMm + m.offNetworkMm
        expect(mm(first) + mm(second)).toBe(mm(whole))
      }),
    )
  })
  it('is the same in any order in which readings and trips come', () => {
    fc.assert(
      fc.property(vehicles, fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 }), (given, order) => {
        const other = {
          ...given,
          readings: shuffled(given.readings, order),
          trips: shuffled(given.trips, order),
        }
        expect(account(other, 3, 33)).toEqual(account(given, 3, 33))
      }),
    )
  })
  it('charges no millimetre twice: by the odometer at most what no trip explains', () => {
    fc.assert(
      fc.property(vehicles, (given) => {
        const m = account(given, 0, 40)
        const of = (kind: string) =>
          m.quantities.filter((q) => q.kind === kind).reduce((sum, q) => sum + q.distanceMm, 0)
        if (of('missing') > 0 && of('odometer') + of('permit') === 0)
          expect(of('missing')).toBeLessThanOrEqual(m.unreconciledMm - toleratedMm(0))
        for (const q of m.quantities) expect(q.distanceMm >= 0 && q.estimatedMm <= q.distanceMm).toBe(true)
      }),
    )
  })

  it('needs a reading, and says so', () => {
    expect(account(facts({ trips: [trip(1, 5)] }), 0, 31)).toMatchObject({
      openingMm: null,
      closingMm: null,
      closingIs: 'unknown',
      matchedMm: 5 * KM,
      quantities: [],
    })
  })
  it('tolerates two miles and 2.5 %, and counts what is beyond', () => {
    const month = (km: number) =>
      account(facts({ readings: [reading(0, 1000), reading(31, 1000 + km)], trips: [trip(3, 400)] }), 0, 31).quantities
    // 412 km: 12 unexplained, 10.3 tolerated.
    expect(month(410)).toEqual([])
    expect(month(412)).toEqual([
      { kind: 'missing', policy: 'p', distanceMm: 12 * KM - 10.3 * KM, estimatedMm: 0, days: 0 },
    ])
    expect(month(380)).toEqual([])
  })
  it('spreads what nobody saw over the time without location alone', () => {
    const methods: MethodChoice[] = [{ from: instant(20 * DAY), method: 'odometer' }]
    const given = facts({ readings: [reading(0, 1000), reading(30, 1100)], trips: [trip(5, 40)], methods })
    // 60 of the 100 km in the ten days without location: none of them missing.
    expect(account(given, 0, 20)).toMatchObject({ closingMm: 1040 * KM, unreconciledMm: 0, quantities: [] })
    expect(account(given, 20, 25).quantities).toEqual([
      { kind: 'odometer', policy: 'p', distanceMm: 30 * KM, estimatedMm: 0, days: 0 },
    ])
  })
  it('estimates beyond the last reading by what is usual, and by little where nothing is known', () => {
    const methods: MethodChoice[] = [{ from: instant(0), method: 'odometer' }]
    const usual = facts({ readings: [reading(0, 1000), reading(30, 1900)], methods })
    expect(account(usual, 30, 60)).toMatchObject({ closingMm: 2800 * KM, closingIs: 'estimated' })
    const unknown = facts({ readings: [reading(0, 1000)], methods })
    expect(account(unknown, 0, 1).quantities[0]).toMatchObject({
      distanceMm: UNKNOWN_USUAL_MM,
      estimatedMm: UNKNOWN_USUAL_MM,
    })
    // With location nothing is estimated: what isn't metered is unknown until somebody reads.
    expect(account({ ...usual, methods: [] }, 30, 60)).toMatchObject({ closingMm: 1900 * KM, quantities: [] })
  })
  it('goes over from one odometer to the next', () => {
    const given = facts({
      readings: [reading(0, 84_000), reading(31, 300)],
      replacements: [
        { at: instant(11 * DAY), finalMm: millimetres(84_210 * KM), startMm: millimetres(0), source: 'photo' },
      ],
      trips: [trip(3, 205), trip(20, 298)],
    })
    expect(account(given, 0, 31)).toMatchObject({
      openingMm: 84_000 * KM,
      closingMm: 300 * KM,
      unreconciledMm: 7 * KM,
      replacedMm: -84_210 * KM,
    })
  })
  it('counts the local days of a permit once', () => {
    const methods: MethodChoice[] = [
      { from: instant(2.5 * DAY), method: 'permit' },
      { from: instant(4 * DAY), method: 'location' },
      { from: instant(4.5 * DAY), method: 'permit' },
      { from: instant(5 * DAY), method: 'location' },
    ]
    const given = facts({ readings: [reading(0, 0), reading(31, 50)], methods })
    expect(account(given, 0, 31).quantities).toEqual([
      { kind: 'permit', policy: 'p', distanceMm: 50 * KM, estimatedMm: 0, days: 3 },
    ])
  })
})

describe('readings', () => {
  it('that hold together never go back, nor faster than a car', () => {
    const any = fc.array(
      fc
        .tuple(fc.nat(300), fc.nat(3000), fc.constantFrom('device' as const, 'photo' as const, 'inspection' as const))
        .map(([day, km, source]) => reading(day, km, source)),
      { maxLength: 30 },
    )
    fc.assert(
      fc.property(any, (readings) => {
        const { sound } = soundReadings(readings)
        for (const source of ['device', 'photo', 'inspection'])
          sound
            .filter((r) => r.source === source)
            .reduce<number>((before, r) => (expect(r.lifeMm).toBeGreaterThanOrEqual(before), r.lifeMm), -Infinity)
      }),
    )
  })
  it('a spike or a fall of a device is left out, and told', () => {
    const steady = Array.from({ length: 10 }, (_, i) => reading(i, 100 + i, 'device'))
    const spoiled = [...steady, reading(4.5, 90_000_0, 'device'), reading(6.5, 3, 'device')]
    const { sound, contradictions } = soundReadings(spoiled)
    expect(sound).toHaveLength(10)
    expect(contradictions.map(({ is }) => is)).toEqual(['jump', 'back'])
  })
  it('an inspection overrules photos, a photo devices', () => {
    const { sound } = soundReadings([
      reading(1, 500, 'photo'),
      reading(2, 510, 'device'),
      reading(3, 400, 'inspection'),
      reading(4, 410, 'device'),
    ])
    expect(sound.map(({ mm }) => mm / KM)).toEqual([400, 410])
    const now = instant(10 * DAY)
    const known = [reading(1, 500, 'photo')]
    expect(() => admitReading(reading(5, 450), known, [], now)).toThrow('lower than the 500.0 km')
    expect(() => admitReading(reading(5, 450, 'inspection'), known, [], now)).not.toThrow()
    expect(() => admitReading(reading(0.5, 600), known, [], now)).toThrow('higher than the 500.0 km')
    expect(() => admitReading(reading(11, 600), known, [], now)).toThrow('still to come')
    expect(() => admitReading(reading(1.01, 900), known, [], now)).toThrow('no car gets there')
  })
})

describe('methods', () => {
  const now = instant(10 * DAY)
  const forever = (from: Instant) => ({ from, to: Infinity as Instant })
  it('switch at a moment that is to come, and back where they end', () => {
    const added = switchMethod([], 'permit', span(12, 14), now)
    expect([11, 12, 13.9, 14].map((day) => methodAt(added, instant(day * DAY)))).toEqual([
      'location',
      'permit',
      'permit',
      'location',
    ])
    expect(() => switchMethod([], 'odometer', forever(instant(9 * DAY)), now)).toThrow('from now on')
    expect(() => switchMethod([], 'location', forever(now), now)).toThrow('already')
    expect(() => switchMethod(added, 'odometer', forever(now), now)).toThrow('permit was chosen from')
  })
})

describe('three distances', () => {
  const distances = (metered: number, odometer: number, raw = metered): TripDistances => ({
    matchedMm: millimetres(metered * KM),
    inferredMm: millimetres(0),
    offNetworkMm: millimetres(0),
    rawMm: millimetres(raw * KM),
    odometerMm: millimetres(odometer * KM),
    meteredMm: millimetres(metered * KM),
  })
  it.each([
    [100, 100, 'agrees', undefined],
    [102.5, 100, 'agrees', undefined],
    [102.6, 100, 'deviates', false],
    [104.1, 100, 'deviates', true],
    [97.4, 100, 'deviates', false],
    [95, 100, 'deviates', true],
    // An odometer counts in tenths: on a short trip two of them are not a deviation.
    [1.2, 1, 'agrees', undefined],
    [1.3, 1, 'deviates', true],
  ])('of %f km metered and %f km on the odometer: %s', (metered, odometer, is, hard) => {
    const verdict = controlTrip(distances(metered, odometer))
    expect(verdict.is).toBe(is)
    if (verdict.is === 'deviates') expect(verdict.hard).toBe(hard)
  })
  it('say who stands alone, by the fixes themselves', () => {
    // A policy may tolerate less, or more.
    expect(controlTrip(distances(102, 100, 100))).toEqual({ is: 'agrees' })
    expect(controlTrip(distances(102, 100, 100), 10)).toMatchObject({ is: 'deviates', permille: 20, hard: false })
    expect(controlTrip(distances(103, 100, 100), 40)).toEqual({ is: 'agrees' })
    expect(controlTrip(distances(110, 100, 109))).toMatchObject({ suspect: 'odometer' })
    expect(controlTrip(distances(110, 100, 101))).toMatchObject({ suspect: 'matching' })
  })
  it('say nothing without an odometer, or with one that saw too little', () => {
    expect(controlTrip({ ...distances(100, 1), odometerMm: null, meteredMm: null }).is).toBe('unwitnessed')
    expect(controlTrip({ ...distances(100, 20), meteredMm: millimetres(30 * KM) }).is).toBe('unwitnessed')
  })
})
