import * as fc from 'fast-check'
import { instant } from '#kernel'
import { armOf, describeDiff, diffPolicies, fromMds, parsePolicy, rollbackOf, termsDigest, toMds, uuidOf } from '.'

const square = (west: number) => ({
  type: 'Polygon' as const,
  coordinates: [
    [
      [west, 45],
      [west + 0.1, 45],
      [west + 0.1, 45.1],
      [west, 45.1],
      [west, 45],
    ],
  ],
})
const DOCUMENT = {
  v: 1,
  id: 'first',
  name: 'First tariff',
  currency: 'EUR',
  timeZone: 'Europe/Rome',
  startsAt: '2026-01-01T00:00:00+01:00',
  jurisdiction: 'torino',
  zones: {
    centre: { name: 'Centre', geometry: square(7.6) },
    bridge: { name: 'The bridge', roads: ['Corso Vittorio'], jurisdiction: 'province' },
  },
  rules: [
    { id: 'in', name: 'Centre', match: { zones: ['centre'], outside: ['bridge'] }, price: { perKm: '0.50' } },
    { id: 'entry', name: 'Bridge', match: { zones: ['bridge'] }, price: { free: 'an old promise' } },
    { id: 'base', name: 'Elsewhere', match: {}, price: { perKm: '0.10' }, revenue: { city: 7, province: 3 } },
  ],
  caps: [{ id: 'daily', name: 'Daily cap', per: 'day', amount: '2.00' }],
}
const FIRST = parsePolicy(DOCUMENT)
const SECOND = parsePolicy({
  ...DOCUMENT,
  id: 'second',
  startsAt: '2027-01-01T00:00:00+01:00',
  zones: { centre: { name: 'Centre', geometry: square(7.7) }, park: { name: 'Park', geometry: square(7.4) } },
  rules: [
    { id: 'base2', name: 'Trucks', match: { vehicleClasses: ['truck'] }, price: { perMile: '1.00' } },
    { id: 'in', name: 'Centre', match: { zones: ['centre'] }, price: { perMile: '1.609344' } },
    { id: 'base', name: 'Elsewhere', match: {}, price: { perKm: '0.12' } },
  ],
  caps: [{ id: 'daily', name: 'Daily cap', per: 'day', amount: '3.00' }],
})

describe('a diff', () => {
  const diff = diffPolicies(FIRST, SECOND)

  it('says in words what goes and what comes, by id', () => {
    expect(diff.words.map(({ path }) => path)).toEqual([
      'startsAt',
      'rules.in',
      'rules.entry',
      'rules.base',
      'rules.base.revenue',
      'caps.daily',
      'zones.centre',
      'zones.bridge',
      'rules.base2',
      'zones.park',
    ])
    expect(diff.words.find(({ path }) => path === 'caps.daily')).toEqual({
      path: 'caps.daily',
      before: 'Daily cap: at most 2.00 EUR per vehicle and day',
      after: 'Daily cap: at most 3.00 EUR per vehicle and day',
    })
    expect(describeDiff(diff)).toEqual(expect.arrayContaining(['rules.base (+20 %)', 'rules.in (+100 %)']))
  })

  it('compares prices on one unit: 0.50 a km is half of 1.609344 a mile', () => {
    expect(diff.prices.map(({ rule, percent }) => [rule, percent])).toEqual([
      ['in', 100],
      ['base', 20],
      ['base2', null],
    ])
  })

  it('draws zones that come, go, move, or cost something else', () => {
    const drawn = diff.map.features.map(({ properties: { zone, change, of } }) => [zone, change, of])
    expect(drawn).toEqual([
      ['centre', 'moved', 'before'],
      ['centre', 'moved', 'after'],
      ['park', 'added', 'after'],
    ])
    const dearer = parsePolicy({
      ...DOCUMENT,
      rules: DOCUMENT.rules.map((rule) => (rule.id === 'in' ? { ...rule, price: { perKm: '0.60' } } : rule)),
    })
    expect(diffPolicies(FIRST, dearer).map.features).toMatchObject([
      { properties: { zone: 'centre', change: 'repriced', of: 'both' } },
    ])
  })

  it('finds nothing between a policy and itself, and an order that alone is changed', () => {
    expect(describeDiff(diffPolicies(FIRST, FIRST))).toEqual(['nothing but the id differs'])
    const [first, second, ...rest] = DOCUMENT.rules
    const turned = parsePolicy({ ...DOCUMENT, rules: [second, first, ...rest] })
    expect(diffPolicies(FIRST, turned)).toMatchObject({ words: [], reordered: true })
  })
})

describe('the MDS form', () => {
  it('has the standard fields, and gives the very document back', () => {
    const form = toMds('my-city', FIRST, instant(5))
    expect(form.policies[0]).toMatchObject({
      policy_id: uuidOf('my-city', 'first'),
      name: 'First tariff',
      currency: 'EUR',
      start_date: Date.parse('2026-01-01T00:00:00+01:00'),
      end_date: null,
      published_date: 5,
      rules: [{ geographies: [form.geographies[0].geography_id] }, {}, { geographies: [] }],
    })
    expect(form.policies[0].policy_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(parsePolicy(fromMds(JSON.parse(JSON.stringify(form))))).toEqual(FIRST)
    expect(parsePolicy(fromMds(JSON.parse(JSON.stringify(toMds('x-city', SECOND, instant(0))))))).toEqual(SECOND)
  })

  it('gives back whatever a policy may say', () => {
    const policies = fc.record(
      {
        description: fc.string({ maxLength: 40 }),
        endsAt: fc.constant('2028-01-01T00:00:00+01:00'),
        supersedes: fc.constant(['earlier']),
        caps: fc.constantFrom([], DOCUMENT.caps),
        taxes: fc.constant([{ id: 'vat', name: 'VAT', percent: '22' }]),
        billing: fc.record({ dueDays: fc.nat(100), unit: fc.constantFrom('mile', 'km') }),
        name: fc.string({ minLength: 1, maxLength: 30 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(policies, (changed) => {
        const policy = parsePolicy({ ...DOCUMENT, ...changed })
        const form = JSON.parse(JSON.stringify(toMds('my-city', policy, instant(0))))
        expect(parsePolicy(fromMds(form))).toEqual(policy)
      }),
    )
  })

  it('says at once where another form has no rate per distance, or contradicts itself', () => {
    const form = JSON.parse(JSON.stringify(toMds('my-city', FIRST, instant(0))))
    delete form.policies[0].rules[0].x_roadmeter
    form.policies[0].start_date++
    form.policies[0].rules[0].geographies = ['elsewhere']
    expect(() => fromMds(form)).toThrow(
      expect.objectContaining({
        faults: [
          expect.objectContaining({ path: 'policies[0].rules[0].x_roadmeter' }),
          expect.objectContaining({ path: 'policies[0].rules[0].geographies[0]', found: '"elsewhere"' }),
          expect.objectContaining({ path: 'policies[0].start_date' }),
        ],
      }),
    )
    for (const junk of [null, 5, [], {}, { policies: [null] }, { policies: [{}, {}] }])
      expect(() => fromMds(junk)).toThrow(/the MDS form can't be read/)
  })
})

it('rolls back to the very terms, under another id and from another time', () => {
  const again = rollbackOf(FIRST, { id: 'again', startsAt: '2026-06-01T00:00:00+02:00' })
  expect([again.id, termsDigest(again)]).toEqual(['again', termsDigest(FIRST)])
  expect(termsDigest(SECOND)).not.toBe(termsDigest(FIRST))
})

describe('a pilot', () => {
  const pilot = { seed: 'a seed', arms: { treated: 1, control: 3 } }

  it('draws vehicles in their parts, each always into the same arm', () => {
    const vehicles = Array.from({ length: 4_000 }, (_, i) => `vehicle-${i}`)
    const treated = vehicles.filter((vehicle) => armOf(pilot, vehicle) === 'treated')
    // A quarter of 4,000 drawn independently: 1,000 with a standard deviation of 27; the seed decides it for good.
    expect(Math.abs(treated.length - 1_000)).toBeLessThan(4 * 27)
    const turned = { seed: 'a seed', arms: { control: 3, treated: 1 } }
    expect(vehicles.filter((vehicle) => armOf(turned, vehicle) === 'treated')).toEqual(treated)
    expect(vehicles.filter((vehicle) => armOf({ ...pilot, seed: 'another' }, vehicle) === 'treated')).not.toEqual(
      treated,
    )
  })
})
