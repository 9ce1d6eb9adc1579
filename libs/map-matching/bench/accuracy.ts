import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { chance, InputError } from '#kernel'
import { Matcher, type FixColumns, type Match, type Parameters } from '#map-matching'
import { lengthM, type RoadNetwork } from '#road-network'
import { drivenEdges } from '../../../apps/ops/src/match'
import { readNetwork, readTraces } from '../../../apps/ops/src/readers'
import { bench, median, type Bar, type Bench } from '../../../test/bench'
import { everySeconds, sharedData } from '../../../test/bench/drives'
import { compareRoutes, mismatchOf, type Piece } from '../../../test/bench/mismatch'

/** Mismatch in percent that is aimed at, by the seconds between fixes and by simulated set. */
const RECORDED = { 1: 1.1, 2: 1.1, 5: 1, 10: 1, 20: 1, 30: 1.2, 60: 2.2 }
const SIMULATED = { s5_1hz: 0.38, s10_1hz: 1.5, s5_10s: 0.5, s10_10s: 0.75, s10_30s: 1.6 }
/**
 * Drives whose fixes show kilometres back and forth that their reference lacks (`docs/matching.md` has a picture of each). They are
 * counted; `..._shown` says what is left without them.
 */
const REFERENCE_LACKS = new Set(['00000054', '00000056', '00000066', '00000098'])

/** Made-up tariffs with two prices, and as many with these two changed about. */
const TARIFFS = 16

interface Drive {
  readonly name: string
  readonly network: RoadNetwork
  readonly pieceOf: ReadonlyMap<number, Piece>
  readonly fixes: FixColumns
  /** Edges driven. */
  readonly truth: readonly number[]
  /** What a millimetre of each road costs under each tariff. */
  readonly tariffs: readonly Uint8Array[]
}

/**
 * Accuracy on drives whose route is known, as `roadmeter match` writes it and as the field scores it: mismatch (d- + d+) / d0 of Newson
 * & Krumm, over whole edges. Overcharge and undercharge are those of `docs/matching.md`. `--worst` lists drives over 3 %; `--half 0|1`
 * takes every second recorded drive, which is how parameters were fitted; `--set sigmaM=9,betaM=30` tries others. `..._money` is by trip in money, where
 * each road (from junction to junction) costs 1 or 2 by chance, and a road in doubt what the cheaper of both does; `..._money_alone`
 * without the latter.
 */
void bench('accuracy', 'matched drives against the routes that were driven', async (b) => {
  const { values } = parseArgs({ strict: false, options: { half: { type: 'string' }, set: { type: 'string' } } })
  const data = sharedData()
  if (!data) throw new InputError('NO_DATA', 'accuracy: the recorded drives (../shared/data) are not here')
  const p = overridesOf(typeof values['set'] === 'string' ? values['set'] : '')
  const recorded = (await drivesOf(join(data, 'kubicka'), 'trace.csv', b.quick ? 4 : Infinity)).filter(
    (_, i) => values['half'] === undefined || i % 2 === Number(values['half']),
  )
  for (const [seconds, bar] of Object.entries(RECORDED))
    report(
      b,
      `${seconds}s`,
      recorded.map((d) => ({ ...d, fixes: everySeconds(d.fixes, +seconds) })),
      p,
      ['<=', bar],
    )
  for (const [name, bar] of Object.entries(SIMULATED))
    report(b, name, await drivesOf(join(data, 'simulated'), `trace_${name}.csv`, b.quick ? 1 : Infinity), p, [
      '<=',
      bar,
    ])
})

function report(b: Bench, name: string, drives: readonly Drive[], p: Partial<Parameters>, bar: Bar): void {
  let last: RoadNetwork | null = null
  let matcher: Matcher | null = null
  const scored = drives.map((drive) => {
    if (drive.network !== last) matcher = new Matcher((last = drive.network), p)
    return score(drive, matcher!.match(drive.fixes))
  })
  const sum = (of: (s: Scored) => number) => scored.reduce((total, s) => total + of(s), 0)
  const driven = sum((s) => s.trueMm)
  const share = (mm: number) => (100 * mm) / driven
  const wrong = sum((s) => s.trueMm + s.foundMm - 2 * s.commonMm)
  b.fact(`mismatch_${name}`, '%', share(wrong), bar)
  const right = sum((s) => (s.trueMm * s.commonMm) / Math.max(s.trueMm, s.foundMm))
  b.fact(`correct_${name}`, '%', share(right), name === '5s' ? ['>=', 99.3] : undefined)
  const errors = scored.map((s) => 100 * Math.abs(s.foundMm / s.trueMm - 1))
  const isFirst = name === '1s'
  b.fact(
    `length_error_${name}`,
    '%',
    errors.reduce((x, y) => x + y, 0) / errors.length,
    isFirst ? ['<=', 0.8] : undefined,
  )
  b.fact(`length_error_median_${name}`, '%', median(errors), isFirst ? ['<=', 0.15] : undefined)
  // References go on beyond the first and the last fix, and count edges that are only touched.
  const between = scored.map((s) => 100 * Math.abs(s.meteredMm / s.betweenMm - 1))
  b.fact(`length_error_median_between_${name}`, '%', median(between))
  const reached = scored.map((s) => 100 * Math.abs(s.foundMm / s.reachedMm - 1))
  b.fact(`length_error_median_reached_${name}`, '%', median(reached))
  b.fact(
    `breaks_${name}`,
    '',
    sum((s) => s.breaks),
  )
  b.fact(
    `lost_${name}`,
    '',
    sum((s) => Number(s.foundMm === 0)),
    ['<=', 0],
  )
  const bars: readonly (Bar | undefined)[] = isFirst
    ? [
        ['<=', 0.1],
        ['<=', 1],
      ]
    : []
  b.fact(`overcharge_${name}`, '%', share(sum((s) => s.overMm)), bars[0])
  b.fact(`undercharge_${name}`, '%', share(sum((s) => s.underMm)), bars[1])
  b.fact(`aggregate_${name}`, '%', share(sum((s) => s.chargedMm - s.trueMm)), isFirst ? ['<=', 0.1] : undefined)
  // Of whole trips: what is charged on the wrong one of two roads as long as each other is neither.
  const tripOver = (s: Scored) => Math.max(0, s.chargedMm - s.trueMm)
  b.fact(`trip_overcharge_${name}`, '%', share(sum(tripOver)), bars[0])
  b.fact(`trip_undercharge_${name}`, '%', share(sum((s) => Math.max(0, s.trueMm - s.chargedMm))), bars[1])
  b.fact(`forgone_${name}`, '%', share(sum((s) => s.forgoneMm)))
  b.fact(`rival_${name}`, '%', share(sum((s) => s.rivalMm)))
  const paid = sum((s) => s.money.paid)
  for (const way of ['', '_alone'] as const) {
    b.fact(`overcharge_money${way}_${name}`, '%', (100 * sum((s) => s.money[`over${way}`])) / paid)
    b.fact(`undercharge_money${way}_${name}`, '%', (100 * sum((s) => s.money[`under${way}`])) / paid)
  }
  if (!name.startsWith('s')) {
    const shown = (of: (s: Scored) => number) => sum((s) => (REFERENCE_LACKS.has(s.name.split('/')[0]) ? 0 : of(s)))
    b.fact(`overcharge_shown_${name}`, '%', share(shown((s) => s.overMm)))
    b.fact(`trip_overcharge_shown_${name}`, '%', share(shown(tripOver)))
    b.fact(`overcharge_money_shown_${name}`, '%', (100 * shown((s) => s.money.over)) / paid)
    b.fact(`overcharge_money_alone_shown_${name}`, '%', (100 * shown((s) => s.money.over_alone)) / paid)
  }
  if (!b.has('worst')) return
  const worst = scored.filter((s) => mismatchOf(s) > 0.03).sort((x, y) => mismatchOf(y) - mismatchOf(x))
  for (const s of worst.slice(0, 20))
    process.stderr.write(
      `${name} ${s.name}: ${(100 * mismatchOf(s)).toFixed(2)} % of ${(s.trueMm / 1e6).toFixed(1)} km, ` +
        `d+ ${((s.foundMm - s.commonMm) / 1e3).toFixed(0)} m, d- ${((s.trueMm - s.commonMm) / 1e3).toFixed(0)} m\n`,
    )
}

type Scored = ReturnType<typeof score>

function score({ name, network, pieceOf, truth, fixes, tariffs }: Drive, match: Match) {
  const whole = (edges: readonly number[]) => edges.map((edge) => pieceOf.get(edge)!)
  const compared = compareRoutes(whole(truth), whole(drivenEdges(network, fixes, match)))
  const forgoneMm = match.traversals.reduce((sum, t) => sum + (t.forgoneMm ?? 0), 0)
  const meteredMm = match.traversals.reduce((sum, t) => sum + t.toMm - t.fromMm, 0)
  const chargedMm = meteredMm - forgoneMm
  const route = whole(truth)
  const last = fixes.length - 1
  const before = beyondMm(network, route, fixes.lon[0], fixes.lat[0], false)
  const behind = beyondMm(network, route, fixes.lon[last], fixes.lat[last], true)
  const betweenMm = compared.trueMm - before.mm - behind.mm
  // Whole edges, without those that lie beyond the fixes from end to end.
  const reachedMm = compared.trueMm - before.edgesMm - behind.edgesMm
  const [overMm, underMm] = charged(network, truth, pieceOf, match)
  const rivalMm = match.traversals.reduce((sum, t) => sum + (t.rival === undefined ? 0 : t.toMm - t.fromMm), 0)
  return {
    name,
    ...compared,
    breaks: match.breaks,
    overMm,
    underMm,
    chargedMm,
    forgoneMm,
    meteredMm,
    betweenMm,
    reachedMm,
    rivalMm,
    money: inMoney(network, tariffs, route, match),
  }
}

/** What a trip costs too much or too little, over all tariffs: where the cheaper of two roads is charged, and where the one that it is on is. */
function inMoney(network: RoadNetwork, tariffs: Drive['tariffs'], route: readonly Piece[], { traversals }: Match) {
  const sums = { paid: 0, over: 0, under: 0, over_alone: 0, under_alone: 0 }
  for (const prices of tariffs) {
    const priceOf = (segment: number) => prices[network.roadOf(segment)]
    const due = route.reduce((sum, { segment, fromMm, toMm }) => sum + (toMm - fromMm) * priceOf(segment), 0)
    let [alone, charged] = [0, 0]
    for (const { segment, fromMm, toMm, forgoneMm = 0, rival } of traversals) {
      alone += (toMm - fromMm - forgoneMm) * priceOf(segment)
      charged += (toMm - fromMm - forgoneMm) * Math.min(priceOf(segment), priceOf(rival?.segment ?? segment))
    }
    sums.paid += due
    sums.over += Math.max(0, charged - due)
    sums.under += Math.max(0, due - charged)
    sums.over_alone += Math.max(0, alone - due)
    sums.under_alone += Math.max(0, due - alone)
  }
  return sums
}

/** Ends of a reference are looked for within so much of it. */
const ENDS_MM = 400_000

/**
 * Of a route before the place where a fix was that is near its beginning, or, from its end, behind that place: millimetres, and those
 * of whole edges.
 */
function beyondMm(network: RoadNetwork, route: readonly Piece[], lon: number, lat: number, fromEnd: boolean) {
  let done = 0
  let nearestM = Infinity
  let beyond = { mm: 0, edgesMm: 0 }
  for (const { segment, fromMm, toMm } of fromEnd ? [...route].reverse() : route) {
    for (let mm = 0; mm < toMm - fromMm; mm += 250) {
      const [x, y] = network.pointAt(segment, fromEnd ? toMm - mm : fromMm + mm)
      const m = lengthM(lon, lat, x, y)
      // What leads to the same place once more is no nearer.
      if (m < nearestM - 0.5) [nearestM, beyond] = [m, { mm: done + mm, edgesMm: done }]
    }
    done += toMm - fromMm
    if (done > ENDS_MM) break
  }
  return beyond
}

/** Millimetres charged beyond what was driven on each edge, and driven beyond what was charged; what is forgone isn't charged. */
function charged(
  network: RoadNetwork,
  truth: readonly number[],
  pieceOf: ReadonlyMap<number, Piece>,
  match: Match,
): [number, number] {
  const balance = new Map<number, number>()
  const add = (edge: number, mm: number) => balance.set(edge, (balance.get(edge) ?? 0) + mm)
  for (const t of match.traversals) {
    const end = t.toMm - (t.forgoneMm ?? 0)
    for (const { edge, fromMm, toMm } of network.edges(t.segment, t.fromMm, end))
      add(edge, Math.max(0, Math.min(toMm, end) - Math.max(fromMm, t.fromMm)))
  }
  for (const edge of truth) add(edge, pieceOf.get(edge)!.fromMm - pieceOf.get(edge)!.toMm)
  const left = [...balance.values()]
  return [left.reduce((sum, mm) => sum + Math.max(0, mm), 0), left.reduce((sum, mm) => sum + Math.max(0, -mm), 0)]
}

function twoPrices({ segmentCount }: RoadNetwork): Uint8Array[] {
  return Array.from({ length: TARIFFS }, (_, tariff) => {
    const dice = chance(`tariff ${tariff}`)
    const prices = Uint8Array.from({ length: segmentCount }, () => 1 + dice.below(2))
    return [prices, prices.map((price) => 3 - price)]
  }).flat()
}

async function drivesOf(folder: string, file: string, most: number): Promise<Drive[]> {
  const drives: Drive[] = []
  for (const name of readdirSync(folder).sort().slice(0, most)) {
    const network = await readNetwork(join(folder, name))
    const tariffs = twoPrices(network)
    const pieceOf = new Map<number, Piece>()
    for (let segment = 0; segment < network.segmentCount; segment++)
      for (const { edge, fromMm, toMm } of network.edges(segment, 0, network.lengthMm(segment)))
        pieceOf.set(edge, { segment, fromMm, toMm })
    const truth = new Map<string, number[]>()
    for (const line of textOf(join(folder, name, 'gt.csv'))
      .trim()
      .split('\n')
      .slice(1)) {
      const [trace, , edge] = line.split(',')
      const edges = truth.get(trace) ?? []
      edges.push(Number(edge))
      truth.set(trace, edges)
    }
    for (const { id, fixes } of await readTraces(join(folder, name, file)))
      if (truth.has(id)) drives.push({ name: `${name}/${id}`, network, pieceOf, fixes, truth: truth.get(id)!, tariffs })
  }
  return drives
}

function textOf(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : gunzipSync(readFileSync(`${path}.gz`)).toString('utf8')
}

/** Of `name=value,...`; the matcher itself refuses what is out of bounds. */
function overridesOf(text: string): Partial<Parameters> {
  const pairs = text.split(',').filter(Boolean)
  return Object.fromEntries(pairs.map((pair) => [pair.split('=')[0], Number(pair.split('=')[1])]))
}
