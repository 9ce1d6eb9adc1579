import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { demoCity, Fleet, URBAN_RECEIVER, type OsmFeatures } from '#fleet'
import { instant } from '#kernel'
import { Matcher } from '#map-matching'
import { buildNetwork, type RoadNetwork } from '#road-network'
import { bench, type Bar } from '../../../test/bench'
import { columnsOf, everySeconds, sharedData } from '../../../test/bench/drives'
import { compareRoutes, type Comparison } from '../../../test/bench/mismatch'
import { readNetwork } from '../../../apps/ops/src/readers'

const VEHICLES = 40
const PERIODS_S = [1, 5, 10, 30]

const RECEIVERS = { '': { ...URBAN_RECEIVER, canyonShare: 0 }, canyon_: URBAN_RECEIVER }

/**
 * Accuracy where errors don't average out: they are of 8 m and last for half a minute, and half the drives have an outage of up to
 * 90 s; `canyon_`: also blocks between high buildings with a bias of 10 m and more. On real street plans, with the exact truth.
 * `--worst` lists the worst drives.
 */
void bench('noise', 'drives with correlated noise and outages, against the exact truth', async (b) => {
  const networks = await cities(b.quick)
  const rows: { drive: string; kind: string; periodS: number; breaks: number; c: Comparison }[] = []
  const cases = networks.flatMap(([city, network]) => {
    const matcher = new Matcher(network)
    return Object.entries(RECEIVERS).map(([kind, receiver]) => {
      const fleet = new Fleet(network, `noise/${b.seed}/${city}`, b.quick ? 4 : VEHICLES, receiver)
      return { city, network, matcher, kind, fleet }
    })
  })
  for (const { city, network, matcher, kind, fleet } of cases) {
    const day = { name: '2026-10-05', from: instant(Date.parse('2026-10-05T00:00:00Z')), weekday: true }
    fleet.vehicles.forEach(({ vehicle }, i) => {
      for (const { name, fixes, route } of fleet.trips(i, day)) {
        const truth = route.segments.map((segment, at) => ({
          segment,
          fromMm: at === 0 ? route.fromMm : 0,
          toMm: at === route.segments.length - 1 ? route.toMm : network.lengthMm(segment),
        }))
        for (const periodS of PERIODS_S) {
          const { traversals, breaks } = matcher.match(everySeconds(columnsOf(fixes), periodS))
          rows.push({ drive: `${city} ${vehicle} ${name}`, kind, periodS, breaks, c: compareRoutes(truth, traversals) })
        }
      }
    })
  }
  for (const kind of Object.keys(RECEIVERS))
    for (const periodS of PERIODS_S) {
      const of = rows.filter((row) => row.kind === kind && row.periodS === periodS)
      const sum = (value: (c: Comparison) => number) => of.reduce((total, { c }) => total + value(c), 0)
      const trueMm = sum((c) => c.trueMm)
      const missed = sum((c) => c.trueMm - c.commonMm)
      const added = sum((c) => c.foundMm - c.commonMm)
      const lengthErrors = sum((c) => Math.abs(c.foundMm / c.trueMm - 1))
      const say = (key: string, unit: string, value: number, bar?: Bar) => b.fact(`${kind}${key}`, unit, value, bar)
      if (periodS === 1) {
        say('drives', '', of.length)
        say('km', 'km', trueMm / 1e6)
      }
      const hasBar = periodS === 1 && kind === ''
      say(`mismatch_${periodS}s`, '%', (100 * (missed + added)) / trueMm, hasBar ? ['<=', 1.5] : undefined)
      say(`not_driven_${periodS}s`, '%', (100 * added) / trueMm)
      say(`not_found_${periodS}s`, '%', (100 * missed) / trueMm)
      say(`length_error_${periodS}s`, '%', (100 * lengthErrors) / of.length)
      say(
        `breaks_${periodS}s`,
        '',
        of.reduce((total, { breaks }) => total + breaks, 0),
      )
    }
  if (!b.has('worst')) return
  const wrongMm = ({ c }: { c: Comparison }) => c.trueMm + c.foundMm - 2 * c.commonMm
  for (const row of [...rows].sort((p, q) => wrongMm(q) - wrongMm(p)).slice(0, 30))
    process.stderr.write(
      `${(wrongMm(row) / 1e6).toFixed(2)} km wrong of ${(row.c.trueMm / 1e6).toFixed(2)}: ` +
        `${row.kind}${row.drive}, every ${row.periodS} s\n`,
    )
})

/** Real extracts where they are, the demo's city everywhere. */
async function cities(quick: boolean): Promise<[string, RoadNetwork][]> {
  const features = readFileSync(require.resolve('geojson-path-finder/test/large-network.json'), 'utf8')
  const found: [string, RoadNetwork][] = [['demo', buildNetwork(demoCity(JSON.parse(features) as OsmFeatures))]]
  const data = quick ? null : sharedData()
  for (const name of data ? ['andorra', 'baltimore', 'monaco'] : []) {
    const file = join(data!, 'osm', `${name}.osm.pbf`)
    if (existsSync(file)) found.push([name, await readNetwork(file)])
  }
  return found
}
