import fc from 'fast-check'
import { gridCity } from '#fleet'
import { cutNetwork } from '#geofencing'
import { chance, instant, micros, type AccountId, type TripId, type VehicleId } from '#kernel'
import { type Traversal } from '#map-matching'
import { chargeReport } from '#mileage'
import { cuttingZones, parsePolicy } from '#policy'
import { rate, tariffAt } from '#rating'
import { Rerating, type RerateTrip } from './rerating'

const city = gridCity(6, chance('a city'))
const [west, south, east, north] = city.bounds
const middle = (west + east) / 2

/** Dearer on one side of the city, and whoever comes in pays. */
function tariff(id: string, [from, to]: readonly [number, number], perKm: string) {
  const ring = [[from, south - 0.01], [to, south - 0.01], [to, north + 0.01], [from, north + 0.01], [from, south - 0.01]] // prettier-ignore
  return parsePolicy({
    v: 1,
    id,
    name: id,
    currency: 'EUR',
    timeZone: 'America/New_York',
    startsAt: '2026-01-01T00:00:00-05:00',
    jurisdiction: 'city',
    zones: { side: { name: 'Side', geometry: { type: 'Polygon', coordinates: [ring] } } },
    rules: [
      { id: 'in', name: 'In', match: { zones: ['side'] }, price: { perEntry: '3' } },
      { id: 'side', name: 'Side', match: { zones: ['side'] }, price: { perKm } },
      { id: 'base', name: 'Base', match: {}, price: { perKm: '0.1' } },
    ],
  })
}
const before = tariff('before', [west - 0.01, middle], '0.333333')
const after = tariff('after', [middle, east + 0.01], '49')

/** A walk from crossing to crossing, as matches are kept. */
function walk(seed: number, name: string, vehicle: string): RerateTrip {
  const dice = chance(String(seed))
  const startedAt = Date.parse('2026-03-02T06:00:00Z') + dice.below(20 * 86_400_000)
  const traversals: Traversal[] = []
  let segment = dice.below(city.segmentCount)
  let at = startedAt
  for (let k = 1 + dice.below(120); k > 0; k--) {
    const toMm = city.lengthMm(segment)
    const fixes = dice.below(9)
    const beside = dice.below(city.segmentCount)
    const rival = dice.below(3) ? {} : { rival: { segment: beside, offsetMm: dice.below(city.lengthMm(beside) + 1) } }
    traversals.push({ ...rival, segment, fromMm: 0, toMm, enteredAt: instant(at), leftAt: instant(at + 30_000), fixes, inferred: fixes === 0, confidence: 1000 } as Traversal) // prettier-ignore
    at += 30_000
    segment = dice.pick(city.outgoing(city.to(segment)))
  }
  const matched = traversals.reduce((sum, { fixes }) => sum + fixes, 0)
  return {
    trip: name as TripId,
    account: vehicle as string as AccountId,
    vehicle: vehicle as VehicleId,
    rated: { vehicle: vehicle as VehicleId, vehicleClass: 'car' },
    startedAt: instant(startedAt),
    endedAt: instant(at),
    network: city.digest,
    engine: 'test',
    path: JSON.stringify({ traversals, fates: { matched }, breaks: 0 }),
    booked: micros(0n),
  }
}

it('a backtest charges what rating the charge reports of its trips does, and its roads add up to the distance', () => {
  const cuts = { before: cutNetwork(city, cuttingZones(before)), after: cutNetwork(city, cuttingZones(after)) }
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 12 }), (seeds) => {
      const trips = seeds
        .map((seed, i) => walk(seed, `t${i}`, `v${i % 3}`))
        .sort((a, b) => (a.account < b.account ? -1 : 1))
      const rerating = new Rerating({ published: [before], draft: after })
      rerating.learn(city.digest, city.bytes)
      const { comparison, recomputed } = rerating.rate(trips)

      const charged = (policy: typeof before, side: 'before' | 'after') =>
        trips.map((trip) => rate(chargeReport({ ...trip, vehicle: trip.rated.vehicle }, JSON.parse(trip.path!), city, () => cuts[side]), trip.rated, tariffAt([policy]))) // prettier-ignore
      const now = charged(before, 'before').flat()
      const then = charged(after, 'after').flat()
      const total = (charges: typeof now) => charges.reduce((sum, { amount }) => sum + amount, 0n)
      expect(recomputed).toBe(String(total(now)))
      const bills = comparison.bills.reduce(([b, a], [x, y]) => [b + BigInt(x), a + BigInt(y)], [0n, 0n])
      expect(bills).toEqual([total(now), total(then)])
      expect(comparison).toMatchObject({ trips: trips.length, vehicles: new Set(trips.map((t) => t.vehicle)).size })

      const roads = Object.entries(comparison.cells).filter(([key]) => key.startsWith('road '))
      const mm = then.reduce((sum, { distanceMm }) => sum + distanceMm, 0)
      expect(roads.reduce((sum, [, [, roadMm]]) => sum + roadMm, 0)).toBe(mm)
      // Roads have no flat prices, and each part of one is rounded by itself.
      const byDistance = total(then.filter((charge) => charge.rate?.per === 'km'))
      const off = roads.reduce((sum, [, [, , , amount]]) => sum + BigInt(amount), 0n) - byDistance
      expect(off < 0n ? -off : off).toBeLessThanOrEqual(BigInt(trips.length * 240))
    }),
    { numRuns: 30 },
  )
})
