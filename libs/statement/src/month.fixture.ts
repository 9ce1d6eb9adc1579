import { type Charge, type PolicyDocument, type RoadClass, type Statement } from '#contracts'
import {
  chance,
  deriveId,
  digest,
  instant,
  micros,
  MILE_MM,
  millimetres,
  NO_MONEY,
  priceOf,
  type AccountId,
  type AgencyId,
  type Micros,
  type PolicyId,
  type TripId,
  type VehicleId,
} from '#kernel'
import { amountOf, localClock, parsePolicy, rateOfRule } from '#policy'
import { EMPTY_WINDOW } from '#rating'
import { type BilledCredit } from './credits'
import { draftStatement, type BilledTrip, type StatementInput } from './draft'

/** A tariff with everything that a statement can show. */
export const TARIFF: PolicyDocument = parsePolicy({
  v: 1,
  id: 'gothenburg-2026',
  name: 'Gothenburg road-usage charge 2026',
  currency: 'USD',
  timeZone: 'Europe/Stockholm',
  startsAt: '2026-01-01T00:00:00+01:00',
  jurisdiction: 'gothenburg',
  zones: {
    centre: {
      name: 'City centre',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [11.95, 57.69],
            [11.99, 57.69],
            [11.99, 57.71],
            [11.95, 57.71],
            [11.95, 57.69],
          ],
        ],
      },
    },
  },
  rules: [
    { id: 'private-land', name: 'Private land', match: { access: ['private'] }, price: { free: 'private land' } },
    {
      id: 'centre-peak',
      name: 'City centre, peak hours',
      match: { zones: ['centre'], times: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:00', to: '10:00' }] },
      price: { perMile: '0.24' },
    },
    { id: 'centre', name: 'City centre, other hours', match: { zones: ['centre'] }, price: { perMile: '0.09' } },
    { id: 'motorway', name: 'Motorways', match: { roadClasses: ['motorway'] }, price: { perMile: '0.012' } },
    { id: 'everywhere', name: 'All other roads', match: {}, price: { perMile: '0.018' } },
  ],
  caps: [{ id: 'daily', name: 'Daily limit', per: 'day', amount: '0.50', rules: ['centre-peak', 'centre'] }],
})

const ROADS: Readonly<Record<string, RoadClass>> = { 'private-land': 'service', motorway: 'motorway' }

export function chargeOf(rule: string, mm: number, day: string, trip: TripId, inferredMm = 0): Charge {
  const { price } = TARIFF.rules.find(({ id }) => id === rule)!
  const rate = rateOfRule({ id: rule, name: rule, match: {}, price }, TARIFF.rules)
  return {
    trip,
    policy: TARIFF.id as PolicyId,
    rule,
    roadClass: ROADS[rule] ?? 'secondary',
    zones: rule.startsWith('centre') ? ['centre'] : [],
    day,
    distanceMm: millimetres(mm),
    inferredMm: millimetres(inferredMm),
    fixes: Math.ceil(mm / 60_000),
    rate,
    freeReason: 'free' in price ? price.free : null,
    amount: rate ? priceOf(millimetres(mm), rate.micros, MILE_MM) : NO_MONEY,
  }
}

export function tripOf(name: string, vehicle: string, startedAt: number, minutes: number, miles: object): BilledTrip {
  const trip = deriveId<TripId>('trip', name)
  const day = localClock(TARIFF.timeZone).day(instant(startedAt))
  return {
    trip,
    vehicle: vehicle as VehicleId,
    startedAt: instant(startedAt),
    endedAt: instant(startedAt + minutes * 60_000),
    report: digest(['report', name]),
    engine: 'roadmeter 0.1.0',
    network: digest('network'),
    charges: Object.entries(miles).map(([rule, share]: [string, number]) => {
      const mm = Math.round(share * MILE_MM)
      return chargeOf(rule, mm, day, trip, rule === 'motorway' ? Math.round(mm / 20) : 0)
    }),
  }
}

/** The credits of all windows of these trips where no statement held any of them before. */
export function creditsOf(trips: readonly BilledTrip[]): BilledCredit[] {
  const cap = TARIFF.caps[0]
  const gross = new Map<string, { vehicle: VehicleId; span: string; amount: bigint }>()
  for (const { vehicle, charges } of trips)
    for (const { rule, day, amount } of charges) {
      if (!cap.rules?.includes(rule)) continue
      const window = gross.get(vehicle + day) ?? { vehicle, span: day, amount: 0n }
      gross.set(vehicle + day, { ...window, amount: window.amount + amount })
    }
  const limit = amountOf(cap.amount)
  return [...gross.values()].map(({ vehicle, span, amount }) => {
    const credit = micros(amount > limit ? limit - amount : 0n)
    return { policy: TARIFF.id as PolicyId, cap: cap.id, vehicle, span, before: EMPTY_WINDOW, amount: credit }
  })
}

/** October 2026 of a household with two cars: commutes by one, errands by the other, a trip of September that came late. */
export function octoberInput(): StatementInput {
  const dice = chance('october')
  const at = (day: number, hour: number) => Date.UTC(2026, 9, day, hour - 2, dice.below(50), dice.below(60))
  const trips: BilledTrip[] = []
  for (let day = 1; day <= 31; day++) {
    const weekend = [6, 0].includes(new Date(Date.UTC(2026, 9, day)).getUTCDay())
    const some = (miles: number) => miles * (0.8 + dice.next() * 0.4)
    if (!weekend && dice.next() < 0.9) {
      const commute = () => ({ everywhere: some(3.1), motorway: some(5.2) })
      trips.push(
        tripOf(`out-${day}`, 'v1', at(day, 7), 31, { ...commute(), 'centre-peak': some(1.4), 'private-land': 0.08 }),
        tripOf(`home-${day}`, 'v1', at(day, 16), 34, { 'private-land': 0.08, centre: some(1.4), ...commute() }),
      )
    }
    for (let errand = 0; errand < (weekend ? 3 : 1); errand++)
      if (dice.next() < 0.6)
        trips.push(tripOf(`errand-${day}-${errand}`, 'v2', at(day, 10 + 3 * errand), 12, { everywhere: some(2.2) }))
    if (day % 9 === 0)
      trips.push(tripOf(`rounds-${day}`, 'v2', at(day, 8), 55, { 'centre-peak': some(2.6), centre: some(1.2) }))
  }
  trips.push(tripOf('late', 'v2', Date.UTC(2026, 8, 29, 15, 12), 18, { everywhere: 4.2, centre: 0.7 }))
  return {
    agency: {
      id: 'gothenburg' as AgencyId,
      name: 'City of Gothenburg',
      contact: 'road-charge@gothenburg.example, telephone 031-000 00 00',
    },
    account: { id: 'account-1' as AccountId, name: 'Ann & Bo Lindqvist' },
    month: '2026-10',
    policies: [TARIFF],
    vehicles: [
      { vehicle: 'v1' as VehicleId, name: 'Blue estate', vehicleClass: 'car' },
      { vehicle: 'v2' as VehicleId, name: 'Small red one', vehicleClass: 'car' },
    ],
    trips,
    capCredits: creditsOf(trips),
    draftedAt: instant(Date.UTC(2026, 10, 2, 6)),
  }
}

export const october = (): Statement => draftStatement(octoberInput())

export const totalOf = (trips: readonly BilledTrip[]): Micros =>
  micros(trips.flatMap(({ charges }) => charges).reduce((sum, { amount }) => sum + amount, 0n))
