import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { drive, gridCity, URBAN_RECEIVER, wander } from '#fleet'
import { chance, instant } from '#kernel'
import { Matcher, type FixColumns } from '#map-matching'
import { packNetwork, unpackNetwork, type RoadNetwork } from '#road-network'
import { bench, elapsedMs, median, perSecond, quantile, type Bench } from '../../../test/bench'
import { columnsOf, everySeconds, fixesOf, recordedDrives, sharedData, type Suite } from '../../../test/bench/drives'
import { readNetwork } from '../../../apps/ops/src/readers'
import { Crew } from './crew'
import { matchStreamed, type Batches } from './streamed'
import { naiveMatcher } from './turf'

const FIXES_PER_BATCH = 60
const BARS = { 1: 1_000_000, 10: 350_000, 30: 120_000, 60: 40_000 }
/** Fixes that a timing must at least take, so that the clock's grain does not matter. */
const FIXES_TIMED_MIN = 40_000
/** Streets of the generated cities: 34,000 and 5 million directed segments. */
const SMALL_SIDE = 100
const BIG_SIDE = 1_206
const CITY_DRIVES = 100
const CITY_DRIVE_MM = 10_000_000

/**
 * Speed and size of the matcher, on the recorded drives where they are, on a generated city everywhere else. `--long` adds 10^8 fixes in
 * one process, to show that nothing grows.
 */
void bench('matching', 'drives matched to roads, one core', async (b) => {
  const data = sharedData()
  const city = cityOf('small', b.quick ? 40 : SMALL_SIDE, b)
  const suites = data ? await recordedDrives(data, b.quick ? 4 : Infinity) : [city]
  const matchers = matchersOf(suites)
  const bySeconds = Object.entries(BARS).map(([periodS, bar]) => ({
    periodS,
    bar,
    suites: decimated(suites, +periodS),
  }))
  for (const { periodS, bar, suites } of bySeconds)
    b.measure(`fixes_per_s_${periodS}s`, 'fixes/s', () => matchAll(suites, (i) => (d) => matchers[i].match(d)), [
      '>=',
      bar,
    ])
  const unthinned = matchersOf(suites, { thinM: 0 })
  b.measure('fixes_per_s_unthinned', 'fixes/s', () => matchAll(suites, (i) => (d) => unthinned[i].match(d)), [
    '>=',
    400_000,
  ])

  const streamed = (drives: readonly Suite[], seen?: Batches) =>
    matchAll(drives, (i) => (d) => matchStreamed(matchers[i], d, FIXES_PER_BATCH, seen))
  b.measure('fixes_per_s_streamed', 'fixes/s', () => streamed(suites))
  b.ratio('streamed_ratio', 'fixes_per_s_streamed', 'fixes_per_s_1s', ['>=', 0.6])
  const p99 = async () => {
    const seen = { batchMs: [], stateBytes: 0 }
    await streamed(suites, seen)
    return quantile(seen.batchMs, 0.99)
  }
  b.measure('batch_p99_ms', 'ms', p99, ['<', 2])
  const stateBytesMax = async () => {
    const seen = { batchMs: [], stateBytes: 0 }
    for (const { suites } of bySeconds) await streamed(suites, seen)
    return seen.stateBytes
  }
  b.fact('state_bytes_max', 'bytes', stateBytesMax, ['<=', 2048])

  const few = suites.slice(0, 4)
  const naive = once(() => few.map(({ network }) => naiveMatcher(network)))
  b.measure('turf_fixes_per_s', 'fixes/s', () => matchAll(few, (i) => naive()[i], 1))
  b.measure('fixes_per_s_beside_turf', 'fixes/s', () => matchAll(few, (i) => (d) => matchers[i].match(d)))
  b.ratio('turf_ratio', 'fixes_per_s_beside_turf', 'turf_fixes_per_s', ['>=', 40])

  const size = availableParallelism()
  const crew = once(() => new Crew(city, size))
  b.atEnd(() => crew.made?.end())
  b.measure('fixes_per_s_one_worker', 'fixes/s', () => crew().fixesPerSecond(1))
  b.measure(`fixes_per_s_workers`, 'fixes/s', () => crew().fixesPerSecond(size))
  b.ratio('worker_speedup', 'fixes_per_s_workers', 'fixes_per_s_one_worker', ['>=', 0.9 * size])

  await networks(b, data, city.network)

  const big = once(() => cityOf('big', b.quick ? 120 : BIG_SIDE, b))
  const inCity = new Matcher(city.network)
  const inBig = once(() => new Matcher(big().network))
  b.measure('fixes_per_s_small_network', 'fixes/s', () => matchAll([city], () => (d) => inCity.match(d)))
  b.measure('fixes_per_s_big_network', 'fixes/s', () => matchAll([big()], () => (d) => inBig().match(d)))
  b.ratio('big_network_ratio', 'fixes_per_s_big_network', 'fixes_per_s_small_network', ['>=', 0.7])
  b.fact('big_network_segments', '', () => big().network.segmentCount, ['>=', 4_900_000])
  b.fact('build_growth', 'times', () => buildGrowth(b.quick ? 60 : 4 * SMALL_SIDE, b.quick ? 120 : BIG_SIDE, b.seed))

  if (b.has('long')) b.fact('growth_mb', 'MB', () => growthMb(city, b.quick ? 1e6 : 1e8), ['<', 4])
})

/** Size of networks and how fast they are there: real extracts where they are. */
async function networks(b: Bench, data: string | null, generated: RoadNetwork): Promise<void> {
  const maps = data ? ['monaco', 'andorra', 'baltimore'].map((name) => join(data, 'osm', `${name}.osm.pbf`)) : []
  const bytesPerSegment = async () => {
    const built = maps.length > 0 ? await Promise.all(maps.map((file) => readNetwork(file))) : [generated]
    return Math.max(...built.map((network) => network.bytes.length / network.segmentCount))
  }
  b.fact('bytes_per_segment', 'bytes', bytesPerSegment, ['<=', 120])
  if (data)
    b.measure('import_monaco_s', 's', async () => (await elapsedMs(() => readNetwork(maps[0]))) / 1000, ['<', 1.5])
  const folder = mkdtempSync(join(tmpdir(), 'roadmeter-bench-'))
  b.atEnd(() => rmSync(folder, { recursive: true }))
  const packed = join(folder, 'packed.network')
  writeFileSync(packed, packNetwork(data ? await readNetwork(maps[0]) : generated))
  b.measure('load_ms', 'ms', () => elapsedMs(() => unpackNetwork(readFileSync(packed))), ['<', 20])
}

/** How much longer a segment takes to build in a network of `big` streets than of `small`. */
async function buildGrowth(small: number, big: number, seed: string): Promise<number> {
  const msPerSegment = async (side: number) => {
    let segments = 0
    return (await elapsedMs(() => (segments = gridCity(side, chance(seed)).segmentCount))) / segments
  }
  await msPerSegment(small)
  const before = await msPerSegment(small)
  return (await msPerSegment(big)) / before
}

/** Made when it is first asked for: nobody waits for what `--only` leaves out. */
function once<T>(make: () => T): { (): T; made?: T } {
  const get: { (): T; made?: T } = () => (get.made ??= make())
  return get
}

const matchersOf = (suites: readonly Suite[], parameters = {}): Matcher[] =>
  suites.map(({ network }) => new Matcher(network, parameters))

const decimated = (suites: readonly Suite[], periodS: number): Suite[] =>
  suites.map((suite) => ({ ...suite, drives: suite.drives.map((drive) => everySeconds(drive, periodS)) }))

/** Fixes a second over all drives of all suites, again and again for long enough to be timed. */
function matchAll(
  suites: readonly Suite[],
  matcherOf: (suite: number) => (drive: FixColumns) => unknown,
  fixesMin = FIXES_TIMED_MIN,
): Promise<number> {
  const times = Math.max(1, Math.ceil(fixesMin / fixesOf(suites)))
  return perSecond(times * fixesOf(suites), () => {
    for (let time = 0; time < times; time++)
      suites.forEach(({ drives }, i) => {
        for (const drive of drives) matcherOf(i)(drive)
      })
  })
}

/** A generated city and drives all over it, a fix every second. */
function cityOf(name: string, side: number, { seed, quick }: { seed: string; quick: boolean }): Suite {
  const dice = chance(`matching/${seed}/${name}/${side}`)
  const network = gridCity(side, dice.fork('city'))
  const drives = Array.from({ length: quick ? 5 : CITY_DRIVES }, (_, i) => {
    const own = dice.fork(i)
    const route = wander(network, own.below(network.segmentCount), CITY_DRIVE_MM, own)
    return columnsOf(drive(network, route, instant(0), URBAN_RECEIVER, own).fixes)
  })
  return { name, network, drives }
}

/** How much more memory is in use after `fixes` streamed fixes than after a tenth of them. */
function growthMb({ network, drives }: Suite, fixes: number): number {
  const matcher = new Matcher(network)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const used = () => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return (heapUsed + arrayBuffers) / 1e6
  }
  const marks: number[] = []
  let done = 0
  for (let i = 0; done < fixes; i++) {
    matchStreamed(matcher, drives[i % drives.length], FIXES_PER_BATCH)
    done += drives[i % drives.length].length
    if (done >= (fixes * (marks.length + 1)) / 10) {
      marks.push(used())
      process.stderr.write(`${done.toExponential(1)} fixes: ${marks[marks.length - 1].toFixed(1)} MB in use\n`)
    }
  }
  // The first tenth fills caches and warms the compiler.
  return median(marks.slice(-3)) - median(marks.slice(0, 3))
}
