import { writeFile } from 'node:fs/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type PolicyDocument } from '#contracts'
import { accuracyOf, type AccuracyReport, type ReferenceDrive } from '#evaluation'
import { Fleet, RECEIVER, URBAN_RECEIVER, type FleetTrip } from '#fleet'
import { cutNetwork } from '#geofencing'
import { canonical, formatMicros, InputError, instant, micros, type TripId, type VehicleId } from '#kernel'
import { ENGINE_VERSION, FATES, Matcher, type Traversal } from '#map-matching'
import { chargeReport } from '#mileage'
import { cuttingZones, dayText, localClock, parsePolicy, validityOf } from '#policy'
import { compilePolicy, rate } from '#rating'
import { type RoadNetwork } from '#road-network'
import flat from '../policies/flat.json'
import { readPolicy } from './policy/documents'
import { columns, grouped, percent, progress, say, unwritable } from './printed'
import { networkOf } from './simulate/cast'

const RECEIVERS = { consumer: RECEIVER, urban: URBAN_RECEIVER }
const DRIVERS = 40
const DAYS_MAX = 400

/** `roadmeter accuracy`: what the chain from fix to charge makes of drives whose truth is known. */
export const accuracyCommand = (): Command =>
  new Command('accuracy')
    .option('--network <path>', 'map to drive on; the demo city where not said')
    .option('--policy <file>', 'tariff to charge by; a flat one where not said')
    .option('--drives <count>', 'how many reference drives', whole(1, 100_000), 500)
    .option('--seed <text>', 'what the drives follow from', '1')
    .addOption(new Option('--receiver <kind>', 'how receivers err').choices(Object.keys(RECEIVERS)).default('consumer'))
    .option('--accepted <permille>', 'accepted error of a drive, thousandths of its true charge', whole(0, 1_000), 20)
    .option('--json', 'the report as JSON')
    .option('--out <file>', 'write the report there')
    .addHelpText(
      'after',
      `\nAfter ISO/TS 37444: shares of drives that are charged right, too much and too little, each with its 95 % bounds. Every drive is
made, received with errors, matched, metered and rated by the very code that charges people. The same seed gives the same report.`,
    )
    .action(async (given: Given) => {
      const network = await networkOf(given.network)
      const policy = given.policy ? await readPolicy(given.policy) : parsePolicy(flat)
      const bar = progress('driving')
      const drives = referenceDrives(network, policy, given, (done) => bar.to(done, given.drives))
      bar.end()
      const report = accuracyOf(drives, given.accepted)
      const { drives: count, seed, receiver } = given
      const asked = { drives: count, seed, receiver, policy: policy.id, network: network.digest }
      const document = canonical({ v: 1, engine: ENGINE_VERSION, asked, report })
      if (given.out) await writeFile(given.out, `${document}\n`).catch(unwritable(given.out))
      say(given.json ? document : reportText(report, policy.currency))
    })

interface Given {
  network?: string
  policy?: string
  drives: number
  seed: string
  receiver: string
  accepted: number
  json?: boolean
  out?: string
}

/** Drives of a seeded fleet, each charged as it was received and as it was driven. InputError where a map is too small for them. */
export function referenceDrives(
  network: RoadNetwork,
  policy: PolicyDocument,
  { drives: count, seed, receiver }: Pick<Given, 'drives' | 'seed' | 'receiver'>,
  progress: (done: number) => void = () => undefined,
): ReferenceDrive[] {
  const fleet = new Fleet(network, seed, Math.min(DRIVERS, count), RECEIVERS[receiver as keyof typeof RECEIVERS])
  const matcher = new Matcher(network)
  const price = pricing(network, policy)
  const clock = localClock(policy.timeZone)
  const first = clock.dayNumber(instant(validityOf(policy).from)) + 1
  const found: ReferenceDrive[] = []
  for (let day = first; found.length < count && day < first + DAYS_MAX; day++) {
    const name = dayText(day)
    // 1970-01-01 was a Thursday.
    const span = { name, from: clock.spanOf(name).from, weekday: (day + 3) % 7 < 5 }
    for (let i = 0; i < fleet.vehicles.length && found.length < count; i++)
      for (const trip of fleet.trips(i, span)) {
        if (found.length === count) break
        found.push(charged(network, matcher, trip, price))
        progress(found.length)
      }
  }
  if (found.length < count)
    throw new InputError('DRIVES', `only ${found.length} of ${count} drives were driven in ${DAYS_MAX} days`)
  return found
}

type Price = (
  traversals: readonly Traversal[],
  fates: Readonly<Record<string, number>>,
) => { mm: number; amount: bigint }

function charged(network: RoadNetwork, matcher: Matcher, trip: FleetTrip, price: Price): ReferenceDrive {
  const { fixes } = trip
  const match = matcher.match({
    length: fixes.length,
    at: Float64Array.from(fixes, (fix) => fix[0]),
    lat: Float64Array.from(fixes, (fix) => fix[1]),
    lon: Float64Array.from(fixes, (fix) => fix[2]),
    accuracyM: Float32Array.from(fixes, (fix) => fix[3] ?? 0),
  })
  const fates: Record<string, number> = {}
  for (const fate of match.fates) fates[FATES[fate]] = (fates[FATES[fate]] ?? 0) + 1
  const [truth, found] = [price(driven(network, trip), {}), price(match.traversals, fates)]
  return { trueMm: truth.mm, meteredMm: found.mm, trueAmount: truth.amount, chargedAmount: found.amount }
}

/** What was driven, as if it had been matched without an error; times are shared out by distance. */
function driven(network: RoadNetwork, { route, startedAt, endedAt, lengthMm }: FleetTrip): Traversal[] {
  const { segments } = route
  let doneMm = 0
  const timeAt = (mm: number) => instant(startedAt + Math.round(((endedAt - startedAt) * mm) / Math.max(1, lengthMm)))
  return segments.map((segment, i) => {
    const fromMm = i === 0 ? route.fromMm : 0
    const toMm = i === segments.length - 1 ? route.toMm : network.lengthMm(segment)
    const enteredAt = timeAt(doneMm)
    doneMm += toMm - fromMm
    return { segment, fromMm, toMm, enteredAt, leftAt: timeAt(doneMm), fixes: 0, inferred: false, confidence: 1000 }
  })
}

function pricing(network: RoadNetwork, policy: PolicyDocument): Price {
  const [cut, compiled] = [cutNetwork(network, cuttingZones(policy)), compilePolicy(policy)]
  const vehicle = 'reference' as VehicleId
  return (traversals, fates) => {
    const [startedAt, endedAt] = [traversals[0]?.enteredAt ?? instant(0), traversals.at(-1)?.leftAt ?? instant(0)]
    const meta = { trip: 'reference' as TripId, vehicle, startedAt, endedAt, engine: ENGINE_VERSION }
    const report = chargeReport(meta, { traversals, fates, breaks: 0 }, network, () => cut)
    const charges = rate(report, { vehicle, vehicleClass: 'car' }, () => compiled)
    return { mm: report.matchedMm, amount: charges.reduce((sum, { amount }) => sum + amount, 0n) }
  }
}

function reportText(report: AccuracyReport, currency: string): string {
  const share = ({ share: of, drives, low, high }: AccuracyReport['correct']) => [
    `${(100 * of).toFixed(2)} %`,
    grouped(drives),
    `${(100 * low).toFixed(2)} to ${(100 * high).toFixed(2)} %`,
  ]
  const accepted = `${(report.acceptedPermille / 10).toFixed(1)} %`
  const amount = (value: bigint) => `${formatMicros(micros(value))} ${currency}`
  return [
    `${grouped(report.drives)} reference drives, ${grouped(Math.round(report.trueMm / 1e6))} km`,
    columns(
      [
        ['', 'share', 'drives', '95 % bounds'],
        [`charged right, within ${accepted}`, ...share(report.correct)],
        ['charged too much', ...share(report.over)],
        ['charged too little', ...share(report.under)],
      ],
      [1, 2, 3],
    ),
    `charged ${amount(report.chargedAmount)} where ${amount(report.trueAmount)} was due: ${percent(report.amountError)}`,
    `metered distance ${percent(report.distanceError)} in all; drive by drive ${(100 * report.meanAbsolute).toFixed(2)} % on average, 95 % of drives below ${(100 * report.p95Absolute).toFixed(2)} %`,
  ].join('\n')
}

const whole =
  (from: number, to: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isSafeInteger(value) || value < from || value > to)
      throw new InvalidArgumentError(`expected a whole number from ${grouped(from)} to ${grouped(to)}`)
    return value
  }
