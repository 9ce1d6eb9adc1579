import { formatMicros, type Instant, type Micros } from '#kernel'
import { ENGINE_VERSION, explainFixes, type Match } from '#map-matching'
import { type ExplainedTrip } from '#pipeline'
import { localClock } from '#policy'
import { explainCharge } from '#rating'
import { type RoadNetwork } from '#road-network'
import { counted, distance, grouped } from '../printed'
import { type Trace } from '../readers'
import { metresOf, type Explained, type Piece } from './explained'

/** Before it, a time counts the seconds of its own drive. */
const RELATIVE_MS_MAX = Date.UTC(1980, 0)

type Found = Pick<Explained, 'fixes' | 'traversals' | 'breaks' | 'forced' | 'network'>

const factsOf = ({ fixes, traversals, breaks, forced }: Found): [string, string][] => {
  const matched = fixes.filter(({ fate }) => fate === 'matched').length
  const inferred = metresOf(traversals.filter((t) => t.inferred))
  const km = distance(1000 * metresOf(traversals), 'km', 3)
  return [
    ['on roads', `${km} km${inferred > 0 ? `, of which ${distance(1000 * inferred, 'km', 3)} inferred` : ''}`],
    ['fixes', `${grouped(fixes.length)}, of which ${grouped(fixes.length - matched)} not on a road`],
    ['lost and begun anew', breaks === 0 ? 'never' : counted(breaks, 'time')],
    ...(forced > 0 ? [['decided before it was sure', counted(forced, 'time')] as [string, string]] : []),
  ]
}

/** A recorded drive and its match, as it is explained. */
export function tracedDrive(
  network: RoadNetwork,
  { id, fixes: columns }: Trace,
  match: Match,
  truth: readonly Piece[] | null,
): Explained {
  const isRelative = columns.at[0] < RELATIVE_MS_MAX
  const time = timeIn(() => 0)
  const { traversals, breaks, forced } = match
  const found = { network, fixes: explainFixes(network, columns, match), traversals, breaks, forced }
  const facts: [string, string][] = [...factsOf(found), ['engine', ENGINE_VERSION]]
  if (!isRelative) facts.unshift(drivenFact(found.fixes, () => 0, 'UTC'))
  if (truth) facts.push(['truly driven', `${distance(1000 * metresOf(truth), 'km', 3)} km`])
  return {
    ...found,
    title: `Drive ${id}`,
    facts,
    truth,
    charges: [],
    notes: [],
    time,
  }
}

/** A stored trip, with its price, on the clock of its tariff. */
export function storedTrip({ trip, isReproduced, charges, policies, ...found }: ExplainedTrip): Explained {
  const clock = localClock(policies[0]?.timeZone ?? 'UTC')
  const total = charges.reduce((sum, { amount }) => sum + amount, 0n) as Micros
  const currency = policies.find(({ id }) => charges.some((charge) => charge.policy === id))?.currency ?? ''
  const zone = policies[0]?.timeZone ?? 'UTC'
  return {
    ...found,
    title: `Trip ${trip.id}`,
    facts: [
      ['vehicle', trip.vehicle],
      drivenFact(found.fixes, clock.offsetMs, zone),
      ...factsOf(found),
      ['price', charges.length ? `${formatMicros(total)} ${currency}` : `none yet: the trip is ${trip.state}`],
      ['network', trip.network!.slice(0, 16)],
      ['engine', trip.engine!],
    ],
    truth: null,
    charges: charges.map((charge) => explainCharge(charge, policies.find(({ id }) => id === charge.policy) ?? null)),
    notes: isReproduced
      ? []
      : [
          `This engine (${ENGINE_VERSION}) does not drive the same roads as are stored: the trip was matched by ${trip.engine}. What is shown is what this one makes of it; the price is the stored one.`,
        ],
    time: timeIn(clock.offsetMs),
  }
}

/** Local time as if it were UTC: what an ISO string then shows is on the local clock. */
const iso = (at: Instant, offsetMs: (at: Instant) => number): string => new Date(at + offsetMs(at)).toISOString()
const timeIn = (offsetMs: (at: Instant) => number) => (at: Instant | null) =>
  at === null ? '(no time)' : iso(at, offsetMs).slice(11, 19)

function drivenFact(fixes: Explained['fixes'], offsetMs: (at: Instant) => number, zone: string): [string, string] {
  const times = fixes.flatMap(({ at, fate }) => (at !== null && fate === 'matched' ? [at] : []))
  if (times.length === 0) return ['driven', 'nowhere on a road']
  const [from, to] = [iso(times[0], offsetMs), iso(times[times.length - 1], offsetMs)]
  return ['driven', `${from.slice(0, 10)}, ${from.slice(11, 16)} to ${to.slice(11, 16)} (${zone})`]
}
