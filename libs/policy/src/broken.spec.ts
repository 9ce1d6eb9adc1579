import { chance, InputError, type Chance } from '#kernel'
import { checkPolicy, faultIn, parsePolicy, readPolicy } from '#policy'

type Json = Record<string, any> // eslint-disable-line @typescript-eslint/no-explicit-any

const square = (west: number, south: number, size: number) => [
  [west, south],
  [west + size, south],
  [west + size, south + size],
  [west, south + size],
  [west, south],
]

/** A well-formed tariff with a bit of everything, and names that chance chose. */
function whole(dice: Chance): Json {
  const word = (prefix: string) => `${prefix}-${dice.below(1_000_000)}`
  const [centre, ring, peak, base, entry] = ['centre', 'ring', 'peak', 'base', 'entry'].map(word)
  const cents = () => `0.${String(10 + dice.below(80))}`
  return {
    v: 1,
    id: word('city'),
    name: 'City',
    currency: 'EUR',
    timeZone: 'Europe/Brussels',
    startsAt: '2027-01-01T00:00:00+01:00',
    endsAt: '2029-01-01T00:00:00+01:00',
    jurisdiction: 'city',
    holidays: { country: 'BE' },
    zones: {
      [centre]: { name: 'Centre', geometry: { type: 'Polygon', coordinates: [square(4.3, 50.8, 0.05)] } },
      [ring]: { name: 'Ring', roads: ['R0'], jurisdiction: 'state' },
    },
    rules: [
      { id: entry, name: 'Entry', match: { zones: [centre] }, price: { perEntry: '2.00' } },
      { id: 'exempt', name: 'Ring', match: { zones: [ring] }, price: { exempt: 'exempt road' } },
      {
        id: peak,
        name: 'Peak',
        match: { zones: [centre], times: [{ days: ['mon', 'holiday'], from: '07:00', to: '10:00' }], weightKg: { from: 0, to: 3500 } },
        price: { times: '1.5', rule: base },
        revenue: { city: 7, state: 3 },
      },
      { id: base, name: 'Base', match: {}, price: { perKm: cents() } },
    ],
    discounts: [{ id: 'half', name: 'Half', percent: '50', for: { programmes: ['residents'] } }],
    transfers: [{ id: 'again', name: 'Again', minutes: 60, rules: [entry] }],
    allowances: [{ id: 'free', name: 'Free', per: 'month', distance: '100', unit: 'km' }],
    tiers: [{ id: 'tiers', name: 'Tiers', per: 'month', unit: 'km', steps: [{ above: '500', percent: '80' }, { above: '900', percent: '50' }] }],
    minimums: [{ id: 'least', name: 'Least', per: 'month', amount: '1' }],
    fuelCredits: [{ id: 'fuel', name: 'Fuel', taxPerGallon: '0.4' }],
    caps: [
      { id: 'day', name: 'A day', per: 'day', amount: '8' },
      { id: 'month', name: 'A month', per: 'month', amount: '100' },
    ],
    taxes: [{ id: 'vat', name: 'VAT', percent: '21' }],
    billing: { unit: 'km' },
  } // prettier-ignore
}

/** Each breaks one thing: what it does, where that is said, and what is said to be expected and found. */
const BREAKS: readonly [what: string, apply: (d: Json, dice: Chance) => void, path: (d: Json) => string, says: RegExp][] = [
  ['no name', (d) => delete d.name, () => 'name', /expected string|Invalid input/],
  ['a version of the future', (d) => (d.v = 2), () => 'v', /expected 1, found 2/],
  ['an unknown member', (d) => (d.colour = 'red'), () => '(document)', /colour/],
  ['no currency code', (d) => (d.currency = 'euro'), () => 'currency', /currency code such as USD, found "euro"/],
  ['no time zone', (d) => (d.timeZone = 'Europe/Bruxelles'), () => 'timeZone', /IANA time zone/],
  ['a start without offset', (d) => (d.startsAt = '2027-01-01T00:00:00'), () => 'startsAt', /ISO|datetime/i],
  ['an end before its start', (d, dice) => (d.endsAt = `20${10 + dice.below(15)}-01-01T00:00:00Z`), () => 'endsAt', /a moment after startsAt/],
  ['no such country', (d) => (d.holidays.country = 'XX'), () => 'holidays.country', /country whose holidays are known, found XX/],
  ['no such state', (d) => (d.holidays.state = 'XX'), () => 'holidays.state', /expected .*, found XX/],
  ['a crossing ring', (d) => zone(d).coordinates[0].splice(1, 2, [4.35, 50.85], [4.35, 50.8]), (d) => `zones.${zoneId(d)}.geometry.coordinates[0]`, /not to cross or touch itself, found a crossing/],
  ['an open ring', (d) => zone(d).coordinates[0].pop(), (d) => `zones.${zoneId(d)}.geometry.coordinates[0]`, /to end where it starts/],
  ['latitude before longitude', (d) => (zone(d).coordinates[0] = zone(d).coordinates[0].map(([x, y]: number[]) => [y, x])), (d) => `zones.${zoneId(d)}.geometry.coordinates`, /longitude, latitude order/],
  ['a hole outside', (d) => zone(d).coordinates.push(square(4.4, 50.9, 0.01)), (d) => `zones.${zoneId(d)}.geometry.coordinates[1]`, /hole 1 .* inside its outer ring/],
  ['across the antimeridian', (d) => (zone(d).coordinates[0] = [[179.9, 50], [-179.9, 50], [-179.9, 51], [179.9, 50]]), (d) => `zones.${zoneId(d)}.geometry.coordinates[0][1]`, /antimeridian/],
  ['a zone of nothing', (d) => (d.zones[zoneId(d)] = { name: 'Nothing' }), (d) => `zones.${zoneId(d)}`, /a geometry, or a list of roads/],
  ['a rule of another id', (d) => (d.rules[1].id = d.rules[0].id), () => 'rules[1].id', /an id that rules\[0\] does not have/],
  ['an unknown zone', (d) => (d.rules[2].match.zones = ['center']), () => 'rules[2].match.zones[0]', /one of .*, found center/],
  ['an unknown zone outside', (d) => (d.rules[2].match.outside = ['suburb']), () => 'rules[2].match.outside[0]', /one of .*, found suburb/],
  ['an unknown jurisdiction', (d) => (d.rules[2].match.jurisdictions = ['mars']), () => 'rules[2].match.jurisdictions[0]', /one of state, city, found mars/],
  ['holidays of no calendar', (d) => delete d.holidays, () => 'rules[2].match.times[0].days[1]', /a weekday, or a calendar in holidays, found holiday/],
  ['a time of no day', (d) => (d.rules[2].match.times[0].from = '7:00'), () => 'rules[2].match.times[0].from', /a time of day such as 07:30/],
  ['a range upside down', (d) => (d.rules[2].match.weightKg = { from: 3500, to: 100 }), () => 'rules[2].match.weightKg', /from below to/],
  ['an unknown road class', (d) => (d.rules[2].match.roadClasses = ['avenue']), () => 'rules[2].match.roadClasses[0]', /motorway/],
  ['a hidden rule', (d) => (d.rules[1].match = {}), () => 'rules[2]', /a rule that can be reached, found rules\[1\]/],
  ['no last rule', (d) => (d.rules.at(-1).match = { access: ['public'] }), (d) => `rules[${d.rules.length - 1}].match`, /the last rule must match everything/],
  ['a last rule of entries', (d) => d.rules.push({ id: 'toll', name: 'T', match: {}, price: { perTrip: '1' } }), () => 'rules[4].match', /found a price that is not of a distance/],
  ['an entry into nowhere', (d) => delete d.rules[0].match.zones, () => 'rules[0].match.zones', /the zones that are entered or left/],
  ['leaving by the mile', (d) => (d.rules[2].match.direction = 'leaving'), () => 'rules[2].match.direction', /a price per entry/],
  ['a rate in cents', (d, dice) => (d.rules.at(-1).price = { perKm: String(51 + dice.below(900)) }), (d) => `rules[${d.rules.length - 1}].price.perKm`, /at most 50.00 a km/],
  ['a rate below zero', (d) => (d.rules.at(-1).price = { perKm: '-0.1' }), (d) => `rules[${d.rules.length - 1}].price.perKm`, /no sign/],
  ['a rate of seven decimals', (d) => (d.rules.at(-1).price = { perKm: '0.0000001' }), (d) => `rules[${d.rules.length - 1}].price.perKm`, /at most six decimals/],
  ['two prices', (d) => (d.rules[0].price = { perEntry: '1', perTrip: '1' }), () => 'rules[0].price', /expected one of/],
  ['a multiple of nothing', (d) => (d.rules[2].price.rule = 'gone'), () => 'rules[2].price.rule', /a rule that says a price in money, found gone/],
  ['a multiple of an exemption', (d) => (d.rules[2].price.rule = 'exempt'), () => 'rules[2].price.rule', /which says/],
  ['revenue of nobody', (d) => (d.rules[2].revenue = {}), () => 'rules[2].revenue', /at least one jurisdiction/],
  ['accruals of one id', (d) => (d.caps[1].id = 'day'), () => 'caps[1].id', /an id that caps\[0\] does not have/],
  ['a cap of no rule', (d) => (d.caps[0].rules = ['gone']), () => 'caps[0].rules[0]', /one of .*, found gone/],
  ['caps that fall', (d, dice) => (d.caps[1].amount = String(1 + dice.below(7))), () => 'caps[1].amount', /at least the cap of a day \(8.00, caps\[0\]\)/],
  ['scopes that overlap', (d) => (d.caps[1].rules = [d.rules[0].id]), () => 'caps[1].rules', /all rules that .* counts/],
  ['a transfer of distance', (d) => (d.transfers[0].rules = [d.rules[3].id]), () => 'transfers[0].rules[0]', /a rule with a price per entry or trip/],
  ['steps that fall', (d) => d.tiers[0].steps.reverse(), () => 'tiers[0].steps[1].above', /more than the step before it/],
  ['more than all off', (d, dice) => (d.discounts[0].percent = String(101 + dice.below(99))), () => 'discounts[0].percent', /at most "100"/],
  ['fuel tax back twice', (d) => d.fuelCredits.push({ ...d.fuelCredits[0], id: 'more' }), () => 'fuelCredits[1]', /no second credit/],
  ['a least above the most', (d) => (d.minimums[0].amount = '101'), () => 'caps[1].amount', /at least the minimum of a month \(101.00, minimums\[0\]\)/],
  ['a coin of nothing', (d) => (d.billing.coin = '0'), () => 'billing.coin', /above zero/],
  ['a review of years', (d) => (d.billing.reviewDays = 91), () => 'billing.reviewDays', /90/],
  ['a close on a day that some months lack', (d) => (d.billing.statementDay = 29), () => 'billing.statementDay', /28/],
  ['a tolerance above the statute', (d) => (d.billing.tolerancePermille = 41), () => 'billing.tolerancePermille', /40/],
] // prettier-ignore

const ENGLISH = /\b(expected|received|undefined|the|of|to|which|nothing|at (?:least|most)|must|rule that|is not)\b/

const zoneId = (d: Json): string => Object.keys(d.zones)[0]
const zone = (d: Json): Json => d.zones[zoneId(d)].geometry

describe('a broken policy', () => {
  it('is whole before it is broken', () => {
    for (let seed = 0; seed < 20; seed++) expect(readPolicy(whole(chance(`whole ${seed}`))).faults).toEqual([])
  })

  // 46 ways to break one thing, five policies each: 230.
  it.each(BREAKS)('says where and why: %s', (_, apply, path, says) => {
    for (let seed = 0; seed < 5; seed++) {
      const dice = chance(`broken ${seed}`)
      const document = whole(dice)
      apply(document, dice)
      const { policy, faults } = readPolicy(JSON.parse(JSON.stringify(document)))
      expect(policy).toBeNull()
      const said = faults.map((fault) => `${fault.path}: ${fault.expected}, found ${fault.found}`)
      const [first] = said.filter((text) => text.startsWith(`${path(document)}: `))
      expect(said.join('\n')).toContain(`${path(document)}: `)
      expect(first).toMatch(says)
      // One thing is broken, so no more is said than what follows from it.
      expect(said.length).toBeLessThanOrEqual(5)
    }
  })

  it.each(BREAKS)('says it in Spanish, and no English: %s', (_, apply) => {
    const dice = chance('broken 0')
    const document = whole(dice)
    apply(document, dice)
    for (const fault of readPolicy(JSON.parse(JSON.stringify(document))).faults) {
      const said = faultIn(fault, 'es')
      expect(said.expected).toMatch(/^se (esperaba|encontr)/)
      // What is quoted is the document's, and so are the names of its members.
      expect(`${said.expected} ${said.found}`.replace(/"[^"]*"|\bfrom\b|\bto,/g, '')).not.toMatch(ENGLISH)
      expect(said.path).toBe(fault.path)
    }
  })

  it('says all faults at once where all of these are broken that can be together', () => {
    const document = whole(chance('all'))
    const together = ['no name', 'no currency code', 'an end before its start', 'an open ring', 'an unknown zone', 'a rate in cents', 'caps that fall', 'steps that fall'] // prettier-ignore
    const broken = BREAKS.filter(([what]) => together.includes(what))
    for (const [, apply] of broken) apply(document, chance('x'))
    const paths = readPolicy(document).faults.map((fault) => fault.path)
    for (const [, , path] of broken) expect(paths).toContain(path(document))
    expect(broken).toHaveLength(8)
  })

  it('answers a polygon of a million vertices at once', () => {
    const million = Array.from({ length: 1_000_000 }, (_, i) => [
      4.35 + 0.01 * Math.cos((i * Math.PI) / 500_000),
      50.85 + 0.01 * Math.sin((i * Math.PI) / 500_000),
    ])
    const document = whole(chance('big'))
    zone(document).coordinates = [[...million, million[0]]]
    expect(() => parsePolicy(document)).toThrow(InputError)
    expect(readPolicy(document).faults).toMatchObject([{ found: '1000001 vertices' }])
  })
})

describe('checkPolicy', () => {
  const plain = (over: Json = {}): Json => ({
    v: 1,
    id: 'next',
    name: 'Next',
    currency: 'EUR',
    timeZone: 'Europe/Brussels',
    startsAt: '2027-06-01T00:00:00+02:00',
    jurisdiction: 'city',
    rules: [{ id: 'base', name: 'Base', match: {}, price: { perKm: '0.10' } }],
    ...over,
  })
  const before = parsePolicy(
    plain({ id: 'now', startsAt: '2027-01-01T00:00:00+01:00', endsAt: '2028-01-01T00:00:00+01:00' }),
  )

  it('asks about a rate ten times the last, whatever its unit, and about none that is near', () => {
    const asks = (price: Json, id = 'base') =>
      checkPolicy(plain({ supersedes: ['now'], rules: [{ id, name: 'Base', match: {}, price }] }), [before]).questions
    expect(asks({ perKm: '1.00' })).toEqual([
      { path: 'rules[0].price', question: 'Is 1.00 EUR a km meant? It was 0.10 EUR a km.' },
    ])
    expect(asks({ perKm: '0.01' })).toHaveLength(1)
    expect(asks({ perMile: '1.61' })).toHaveLength(1)
    expect(asks({ perMile: '1.60' })).toEqual([])
    expect(asks({ perKm: '0.99' })).toEqual([])
    expect(asks({ perKm: '5' }, 'new')).toEqual([
      { path: 'rules[0].price', question: 'Is 5.00 EUR a km meant? In now, base is 0.10 EUR a km.' },
    ])
  })

  it('refuses times that overlap where nobody said that they should', () => {
    const faults = (over: Json) =>
      checkPolicy(plain(over), [before]).faults.map(({ path, expected }) => `${path}: ${expected}`)
    expect(faults({})).toEqual([
      'startsAt: expected a moment from the end of policy now on (2028-01-01T00:00:00+01:00), or "now" in supersedes',
    ])
    expect(faults({ supersedes: ['now'] })).toEqual([])
    expect(faults({ startsAt: '2028-01-01T00:00:00+01:00' })).toEqual([])
    expect(faults({ startsAt: '2026-01-01T00:00:00+01:00', endsAt: '2027-03-01T00:00:00+01:00' })).toEqual([
      'endsAt: expected a moment up to the start of policy now (2027-01-01T00:00:00+01:00)',
    ])
  })

  it('writes holidays down once: what was published keeps its own', () => {
    const { holidays } = parsePolicy(plain({ holidays: { country: 'BE' }, endsAt: '2029-01-01T00:00:00+01:00' }))
    expect(holidays!.dates).toHaveLength(30)
    expect(holidays!.dates).toContain('2027-07-21')
    const kept = parsePolicy(plain({ holidays: { country: 'BE', dates: ['2027-12-24'] } }))
    expect(kept.holidays!.dates).toEqual(['2027-12-24'])
  })
})
