import { cutNetwork } from '#geofencing'
import { gridCity } from '#fleet'
import { chance, type VehicleId } from '#kernel'
import { cuttingZones, parsePolicy } from '#policy'
import { rate, tariffAt } from '#rating'
import { bench, elapsedMs, perSecond } from '../../../test/bench'
import { Crew } from './crew'
import { manyRules, someReports, someZones } from './tariff'
import { byTurf } from './turf'

const THREADS = 2

/**
 * What a policy costs to apply: rating by its tables, a backtest of stored matches on threads (reading the match, cutting it by the
 * zones of both tariffs, rating it under both, adding up accruals), cutting a network by zones, and the obvious way for the first.
 */
void bench('rating', '200 rules, 50 zones', async (b) => {
  const dice = chance(b.seed)
  const city = gridCity(b.quick ? 20 : 172, dice.fork('city'))
  const zones = someZones(50, city.bounds, dice.fork('zones'))
  const policy = parsePolicy(manyRules('now', 200, zones, dice.fork('rules')))
  const draft = parsePolicy({
    ...(manyRules('then', 200, zones, dice.fork('draft')) as object),
    startsAt: '2027-01-01T00:00:00+01:00',
  })

  const reports = someReports(b.quick ? 50 : 5_000, zones, dice.fork('trips'))
  const tariff = tariffAt([policy])
  const cars = [
    { vehicle: 'v' as VehicleId, vehicleClass: 'car' as const },
    { vehicle: 'v' as VehicleId, vehicleClass: 'truck' as const },
  ]
  // Most of a second: less would measure the compiler of JavaScript more than what it made.
  const rounds = b.quick ? 1 : 40
  b.measure(
    'stretches_per_s',
    'stretches/s',
    () =>
      perSecond(rounds * reports.length * 20, () => {
        for (let round = 0; round < rounds; round++) for (const report of reports) rate(report, cars[round & 1], tariff)
      }),
    ['>=', 5_000_000],
  )

  const naive = byTurf(zones)
  const lines = Array.from({ length: b.quick ? 5 : 200 }, (_, i) => {
    const shape = city.shape((i * 7919) % city.segmentCount)
    const [x, y] = [shape[0], shape[1]]
    const [dx, dy] = [shape[shape.length - 2] - x, shape[shape.length - 1] - y]
    return Array.from({ length: 10 }, (_, k): [number, number] => [x + (dx * k) / 9, y + (dy * k) / 9])
  })
  b.measure('turf_stretches_per_s', 'stretches/s', () =>
    perSecond(lines.length, () => {
      for (const line of lines) naive(line)
    }),
  )
  b.ratio('turf_ratio', 'stretches_per_s', 'turf_stretches_per_s')

  const many = cuttingZones({ ...policy, zones: someZones(b.quick ? 20 : 500, city.bounds, dice.fork('many')) })
  b.measure('cut_s', 's', async () => (await elapsedMs(() => cutNetwork(city, many))) / 1000, ['<', 5])
  b.fact('cut_segments', 'segments', city.segmentCount)

  const shared = new SharedArrayBuffer(city.bytes.length)
  new Uint8Array(shared).set(city.bytes)
  const crew = new Crew({ network: shared, published: policy, draft, seed: b.seed }, THREADS)
  b.atEnd(() => crew.end())
  // The bar is for a million trips: `--long` rates so many in each round.
  const trips = b.has('long') ? 1_000_000 : b.quick ? 100 : 50_000
  let most = 0
  b.measure(
    'backtest_trips_per_s',
    'trips/s',
    () =>
      perSecond(trips, async () => {
        most = Math.max(most, await crew.rate(trips))
      }),
    ['>=', 33_334],
  )
  b.fact('backtest_rss_mb', 'MB', () => Math.round(most / 1e6), ['<', 1074])
})
