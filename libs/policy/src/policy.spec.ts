import fc from 'fast-check'
import { type PolicyDocument, type TimeBand } from '#contracts'
import { InputError, instant } from '#kernel'
import {
  bandIntervals,
  describeHours,
  describePolicy,
  isFor,
  parsePolicy,
  policyDigest,
  policyInForce,
  ZONE_VERTICES_MAX,
} from '#policy'

type Json = Record<string, unknown>

const box = (west: number, south: number, east: number, north: number) => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
]
const CENTRE = box(4.34, 50.84, 4.37, 50.86)

/** A tariff of a city centre, well formed. */
const city = (over: Json = {}): Json => ({
  v: 1,
  id: 'city-2026',
  name: 'City 2026',
  currency: 'EUR',
  timeZone: 'Europe/Brussels',
  startsAt: '2026-01-01T00:00:00+01:00',
  jurisdiction: 'brussels',
  zones: { centre: { name: 'Centre', geometry: { type: 'Polygon', coordinates: [CENTRE] } } },
  rules: [
    { id: 'private', name: 'Private roads', match: { access: ['private'] }, price: { free: 'private road' } },
    {
      id: 'peak',
      name: 'Centre, peak',
      match: { zones: ['centre'], times: [{ days: ['mon', 'tue'], from: '07:00', to: '10:00' }] },
      price: { perKm: '0.25' },
    },
    { id: 'basic', name: 'Basic', match: {}, price: { perKm: '0.02' } },
  ],
  caps: [{ id: 'daily', name: 'Daily cap', per: 'day', amount: '5' }],
  ...over,
})
const zoned = (coordinates: unknown, type = 'Polygon') =>
  city({ zones: { centre: { name: 'Centre', geometry: { type, coordinates } } } })
const rules = (...list: Json[]) => city({ rules: list, caps: [] })
const rule = (over: Json): Json => ({ id: 'a', name: 'A', match: {}, price: { perKm: '0.02' }, ...over })

function faultsOf(value: unknown): string[] {
  try {
    parsePolicy(value)
  } catch (error) {
    if (error instanceof InputError) return error.faults.map((f) => `${f.path}: ${f.expected}, found ${f.found}`)
    throw error
  }
  return []
}

describe('parsePolicy', () => {
  it('reads a well-formed tariff and fills in its defaults', () => {
    const policy = parsePolicy(city())
    expect(policy.billing).toEqual({ unit: 'mile', coin: '0.01', reviewDays: 10, dueDays: 30 })
    expect(policyDigest(policy)).toBe(policyDigest(parsePolicy(JSON.parse(JSON.stringify(city())))))
    expect(policyDigest(policy)).not.toBe(policyDigest(parsePolicy(city({ name: 'City 2027' }))))
  })

  it('lists every fault at once, also of well-formed parts beside malformed ones', () => {
    const broken = city({
      name: '',
      timeZone: 'Europe/Bruxelles',
      endsAt: '2025-01-01T00:00:00+01:00',
      rules: [
        { id: 'x', name: 'X', match: { zones: ['center'] }, price: { perMile: '180' } },
        { id: 'y', name: 'Y', match: {}, price: { perMile: -1 } },
      ],
    })
    expect(faultsOf(broken).map((f) => f.split(':')[0])).toEqual([
      'name',
      'rules[1].price',
      'timeZone',
      'endsAt',
      'rules[0].match.zones[0]',
      'rules[0].price.perMile',
    ])
    expect(() => parsePolicy(broken)).toThrow(/^policy is not valid: name: .* \(and 5 more\)$/)
  })

  it.each<[string, Json, string]>([
    [
      'a second rule of the same id',
      rules(rule({ match: { access: ['private'] } }), rule({})),
      'rules[1].id: expected an id that rules[0] does not have, found a',
    ],
    [
      'an unknown zone',
      rules(rule({ match: { outside: ['x'] } }), rule({ id: 'b' })),
      'rules[0].match.outside[0]: expected one of centre, found x',
    ],
    [
      'a rule that nothing can match',
      rules(rule({ match: { zones: ['centre'], outside: ['centre'] } }), rule({ id: 'b' })),
      'rules[0].match: expected a rule that can match, found each of its zones is in outside, too',
    ],
    [
      'a rule after the catch-all',
      rules(rule({}), rule({ id: 'b' })),
      'rules[1]: expected a rule that can be reached, found rules[0] (a) matches all that it matches',
    ],
    [
      'a band within an earlier, wider band',
      rules(
        rule({ match: { times: [{ days: ['mon'], from: '22:00', to: '06:00' }] } }),
        rule({ id: 'b', match: { times: [{ days: ['tue'], from: '01:00', to: '05:00' }], access: ['public'] } }),
        rule({ id: 'c' }),
      ),
      'rules[1]: expected a rule that can be reached, found rules[0] (a) matches all that it matches',
    ],
    [
      'no catch-all',
      rules(rule({ match: { access: ['public'] } })),
      'rules[0].match: expected {}: the last rule must match everything, so that each mile has exactly one outcome, found {"access":["public"]}',
    ],
    [
      'cents for euros',
      rules(rule({ price: { perMile: '180' } })),
      'rules[0].price.perMile: expected at most 50.00 a mile (rates are in the currency unit: 1.8 cents is "0.018"), found 180.00',
    ],
    [
      'a rate of nothing',
      rules(rule({ price: { perKm: '0' } })),
      'rules[0].price.perKm: expected an amount above zero (where nothing is charged, say {"free": "<reason>"}), found "0"',
    ],
    [
      'a negative rate',
      rules(rule({ price: { perKm: '-1' } })),
      'rules[0].price.perKm: expected an amount such as "0.018" (no sign, at most six decimals), found "-1"',
    ],
    [
      'two prices',
      rules(rule({ price: { perKm: '1', perMile: '1' } })),
      'rules[0].price: expected one of {"perMile": "0.018"}, {"perKm": "0.011"}, {"perEntry": "5.00"}, {"perTrip": "1.00"}, {"times": "1.5", "rule": "<id>"}, {"free": "<reason>"} and {"exempt": "<reason>"}, found {"perKm":"1","perMile":"1"}',
    ],
    [
      'a coin of nothing',
      city({ billing: { coin: '0' } }),
      'billing.coin: expected an amount above zero (where nothing is charged, say {"free": "<reason>"}), found "0"',
    ],
    [
      'caps that share a rule and not all of them',
      city({
        caps: [
          { id: 'a', name: 'A', per: 'day', amount: '5', rules: ['peak', 'private'] },
          { id: 'b', name: 'B', per: 'month', amount: '50', rules: ['peak', 'basic'] },
        ],
      }),
      'caps[1].rules: expected all rules that caps[0] counts (peak, private), or none of them, found peak, basic',
    ],
    [
      'a cap over no such rule',
      city({ caps: [{ id: 'a', name: 'A', per: 'day', amount: '5', rules: ['rush'] }] }),
      'caps[0].rules[0]: expected one of private, peak, basic, found rush',
    ],
    [
      'an end before the start',
      city({ endsAt: '2026-01-01T00:00:00+01:00' }),
      'endsAt: expected a moment after startsAt (2026-01-01T00:00:00+01:00), found 2026-01-01T00:00:00+01:00',
    ],
  ])('refuses %s', (_, value, fault) => {
    expect(faultsOf(value)).toEqual([fault])
  })

  it('answers anything at all with a policy or with faults that have paths', () => {
    // Any value in place of any member, at any depth.
    const spoil = (value: unknown, path: readonly number[], by: unknown): unknown => {
      if (path.length === 0 || typeof value !== 'object' || value === null) return by
      const keys = Object.keys(value)
      if (keys.length === 0) return by
      const key = keys[path[0] % keys.length]
      const copy: Json | unknown[] = Array.isArray(value) ? [...value] : { ...value }
      ;(copy as Json)[key] = spoil((value as Json)[key], path.slice(1), by)
      return copy
    }
    const path = fc.array(fc.nat(7), { maxLength: 7 })
    const by = fc.oneof(fc.anything(), fc.double(), fc.constantFrom('', '0', '-1', 'centre', 'peak', [], {}, null))
    let refused = 0
    fc.assert(
      fc.property(path, by, (at, value) => {
        const faults = faultsOf(spoil(city(), at, value))
        for (const fault of faults) expect(fault).toMatch(/^.+: .+, found /s)
        refused += Number(faults.length > 0)
      }),
      { numRuns: 1000 },
    )
    expect(refused).toBeGreaterThan(500)
  })

  it('takes a rate in a currency without cents for what it is', () => {
    expect(
      faultsOf(city({ currency: 'JPY', billing: { coin: '1' }, rules: [rule({ price: { perKm: '30' } })], caps: [] })),
    ).toEqual([])
  })
})

describe('zone shapes', () => {
  const bowtie = [
    [4.34, 50.84],
    [4.37, 50.86],
    [4.37, 50.84],
    [4.34, 50.86],
    [4.34, 50.84],
  ]
  const spike = [
    [4.34, 50.84],
    [4.37, 50.84],
    [4.4, 50.84],
    [4.37, 50.84],
    [4.37, 50.86],
    [4.34, 50.84],
  ]
  const line = [
    [4.34, 50.84],
    [4.35, 50.84],
    [4.36, 50.84],
    [4.34, 50.84],
  ]
  const inner = box(4.35, 50.845, 4.36, 50.855)
  const many = Array.from({ length: ZONE_VERTICES_MAX }, (_, i) => [4 + Math.cos(i / 2000), 50 + Math.sin(i / 2000)])

  it.each<[string, Json, RegExp]>([
    [
      'an open ring',
      zoned([CENTRE.slice(0, 4)]),
      /^zones\.centre\.geometry\.coordinates\[0\]: expected ring 0 of zone centre to end where it starts, found \[4\.34, 50\.84\] at the start, \[4\.34, 50\.86\] at the end$/,
    ],
    [
      'a ring that crosses itself',
      zoned([bowtie]),
      /coordinates\[0\]: expected ring 0 of zone centre not to cross or touch itself, found a crossing at \[4\.355/,
    ],
    [
      'a spike',
      zoned([spike]),
      /coordinates\[0\]: expected ring 0 of zone centre not to (double back|cross or touch itself)/,
    ],
    [
      'no area',
      zoned([line]),
      /coordinates\[0\]: expected ring 0 of zone centre (to enclose at least 10 m2|not to double back)/,
    ],
    [
      'a hole outside',
      zoned([CENTRE, box(4.38, 50.845, 4.39, 50.855)]),
      /coordinates\[1\]: expected hole 1 of zone centre to lie inside its outer ring and in no other hole/,
    ],
    [
      'a hole across the edge',
      zoned([CENTRE, box(4.36, 50.845, 4.39, 50.855)]),
      /coordinates: expected the rings of zone centre not to cross/,
    ],
    [
      'parts that overlap',
      zoned([[CENTRE], [inner]], 'MultiPolygon'),
      /coordinates\[1\]: expected part 1 of zone centre not to lie in part 0/,
    ],
    [
      'the antimeridian',
      zoned([box(-179.9, 50, 179.9, 51)]),
      /coordinates\[0\]\[1\]: expected zone centre not to cross the antimeridian \(split it there/,
    ],
    [
      'latitude before longitude',
      zoned([CENTRE.map(([lon, lat]) => [lat, lon])]),
      /longitude, latitude order and within its time zone, found \[50\.85, 4\.35.*\], which fits if read as latitude, longitude/,
    ],
    [
      'too many vertices',
      zoned([[...many, many[0]]]),
      new RegExp(`expected at most ${ZONE_VERTICES_MAX} vertices .*, found ${ZONE_VERTICES_MAX + 1} vertices`),
    ],
  ])('refuses %s', (_, value, fault) => {
    const faults = faultsOf(value)
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatch(fault)
  })

  it('takes holes, several parts and a repeated position', () => {
    expect(faultsOf(zoned([[CENTRE, inner], [box(4.4, 50.84, 4.41, 50.85)]], 'MultiPolygon'))).toEqual([])
    expect(faultsOf(zoned([[CENTRE[0], ...CENTRE]]))).toEqual([])
  })
})

describe('policyInForce', () => {
  const from = (id: string, startsAt: string, endsAt?: string) => parsePolicy(city({ id, startsAt, endsAt }))
  const at = (iso: string) => instant(Date.parse(iso))
  const a = from('a', '2026-01-01T00:00:00+01:00')
  const b = from('b', '2026-04-01T00:00:00+02:00', '2026-07-01T00:00:00+02:00')
  const idAt = (iso: string, list: PolicyDocument[] = [a, b]) => policyInForce(list, at(iso))?.id ?? null

  it('changes at the very moment and never before', () => {
    expect(idAt('2025-12-31T23:59:59.999+01:00')).toBeNull()
    expect(idAt('2026-01-01T00:00:00+01:00')).toBe('a')
    expect(idAt('2026-03-31T23:59:59.999+02:00')).toBe('a')
    expect(idAt('2026-04-01T00:00:00+02:00')).toBe('b')
  })
  it('ends, and what it superseded does not come back', () => {
    expect(idAt('2026-06-30T23:59:59.999+02:00')).toBe('b')
    expect(idAt('2026-07-01T00:00:00+02:00')).toBeNull()
  })
  it('does not depend on the order of the list, nor at a tie', () => {
    const c = from('c', '2026-04-01T00:00:00+02:00')
    const moment = '2026-05-01T00:00:00+02:00'
    expect([idAt(moment, [b, c, a]), idAt(moment, [c, b, a]), idAt(moment, [a, c, b])]).toEqual(['c', 'c', 'c'])
  })
})

describe('band intervals', () => {
  const DAY = 1440
  /** The kinds of day in which a minute of the day is in a band. */
  const kindsAt = (band: TimeBand, minute: number) =>
    Array.from({ length: 28 }, (_, kind) => kind).filter((kind) =>
      bandIntervals([band]).some(({ from, to }) => from <= kind * DAY + minute && kind * DAY + minute < to),
    )
  it('runs past midnight into whatever day follows', () => {
    const night: TimeBand = { days: ['fri'], from: '22:00', to: '06:00' }
    // Kind = weekday (Monday 0) + 7 where it is a holiday + 14 where the day before is one.
    expect(kindsAt(night, 23 * 60)).toEqual([4, 18])
    expect(kindsAt(night, 5 * 60)).toEqual([5, 12])
    expect(kindsAt({ days: ['sun'], from: '22:00', to: '06:00' }, 0)).toEqual([0, 7])
  })
  it('takes a holiday for no weekday', () => {
    expect(kindsAt({ days: ['mon'], from: '00:00', to: '24:00' }, 600)).toEqual([0, 14])
    expect(kindsAt({ days: ['holiday'], from: '09:00', to: '10:00' }, 540)).toEqual([7, 8, 9, 10, 11, 12, 13, 21, 22, 23, 24, 25, 26, 27]) // prettier-ignore
    expect(kindsAt({ days: ['holiday'], from: '20:00', to: '01:00' }, 30)).toEqual([14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27]) // prettier-ignore
  })
})

describe('describeHours', () => {
  it('joins days that follow each other, and names holidays', () => {
    const rule = (...times: { days: string[]; from: string; to: string }[]) =>
      ({ id: 'r', name: 'R', match: { times }, price: { perMile: '1' } }) as never
    const from = '22:00'
    const to = '06:00'
    expect(describeHours(rule({ days: ['sun', 'mon', 'tue', 'wed', 'holiday'], from, to }))).toBe('Mon–Wed, Sun, holidays 22:00–06:00') // prettier-ignore
    expect(describeHours(rule({ days: ['sat', 'sun'], from, to }, { days: ['fri'], from, to }))).toBe('Sat, Sun 22:00–06:00 and Fri 22:00–06:00') // prettier-ignore
    expect(describeHours({ id: 'r', name: 'R', match: {}, price: { perMile: '1' } } as never)).toBeNull()
  })
})

describe('describePolicy', () => {
  it('says each rule and cap in a sentence', () => {
    expect(describePolicy(parsePolicy(city()))).toEqual([
      'Private roads: on private land: free, private road',
      'Centre, peak: in Centre, mon tue 07:00-10:00: 0.25 EUR per km',
      'Basic: everywhere else, at any time: 0.02 EUR per km',
      'Daily cap: at most 5.00 EUR per vehicle and day',
    ])
  })
  it('says the same in Spanish, names as the city wrote them', () => {
    expect(describePolicy(parsePolicy(city()), 'es')).toEqual([
      'Private roads: en suelo privado: gratis, private road',
      'Centre, peak: en Centre, lun mar 07:00-10:00: 0.25 EUR por km',
      'Basic: en cualquier otro lugar, a cualquier hora: 0.02 EUR por km',
      'Daily cap: como máximo 5.00 EUR por vehículo y día',
    ])
  })
})

it('takes a vehicle for one that gives its location, and nothing else for granted', () => {
  const car = { vehicleClass: 'car' } as const
  expect(isFor({ methods: ['location'] }, car)).toBe(true)
  expect(isFor({ methods: ['odometer', 'permit'] }, car)).toBe(false)
  expect(isFor({ methods: ['odometer'] }, { ...car, method: 'odometer' })).toBe(true)
  expect(isFor({ propulsions: ['electric'] }, car)).toBe(false)
})
