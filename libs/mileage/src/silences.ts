import { FATES, traversalsOf, type Match, type Traversal } from '#map-matching'
import { tripToleranceMm } from './control'
import { roadMmBetween, type OdometerPair } from './distances'

const [MATCHED, STANDING] = [FATES.indexOf('matched'), FATES.indexOf('standing')]

/** A long silence, and the traversals [first, end) that were inferred in it. */
interface Silence {
  readonly first: number
  readonly end: number
  readonly mm: number
  readonly from: number
  readonly to: number
}

/**
 * A match without the roads that were inferred in long silences in which the odometer went less far: on a train, a tow truck or a ferry that
 * the map lacks nobody drives. Each becomes a break, the longest first, until the rest may be what the odometer says. One that contradicts
 * also what was heard of the drive counts for nothing here: the trip is looked at for that (`controlTrip`).
 */
export function withinOdometer(match: Match, pairs: readonly OdometerPair[]): Match {
  const readings = [...pairs].sort((a, b) => a[0] - b[0])
  const dropped = new Set<Silence>()
  for (const { first, last, silences } of witnessed(silencesOf(match.traversals), readings)) {
    const grownMm = last[1] - first[1]
    const mostMm = grownMm + tripToleranceMm(grownMm)
    const around = match.traversals.slice(
      firstIndex(match.traversals, ({ leftAt }) => leftAt >= first[0]),
      firstIndex(match.traversals, ({ enteredAt }) => enteredAt > last[0]),
    )
    let mm = roadMmBetween(around, first[0], last[0])
    if (
      grownMm < 0 ||
      mm -
        roadMmBetween(
          around.filter(({ between }) => between),
          first[0],
          last[0],
        ) >
        mostMm
    )
      continue
    for (const silence of silences.sort((a, b) => b.mm - a.mm)) {
      if (mm <= mostMm) break
      mm -= silence.mm
      dropped.add(silence)
    }
  }
  return dropped.size === 0 ? match : without(match, dropped)
}

/** Silences by the readings next to them on both sides; those that have none are left out. Both are in the order of time. */
function witnessed(silences: readonly Silence[], readings: readonly OdometerPair[]) {
  const groups: { first: OdometerPair; last: OdometerPair; silences: Silence[] }[] = []
  for (const silence of silences) {
    const last = readings[firstIndex(readings, ([at]) => at >= silence.to)]
    const first = readings[firstIndex(readings, ([at]) => at > silence.from) - 1]
    if (!first || !last) continue
    const group = groups.at(-1)
    if (group && group.first === first && group.last === last) group.silences.push(silence)
    else groups.push({ first, last, silences: [silence] })
  }
  return groups
}

/** Index of the first one from which on `is` holds. */
function firstIndex<T>(sorted: readonly T[], is: (one: T) => boolean): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (is(sorted[middle])) high = middle
    else low = middle + 1
  }
  return low
}

function silencesOf(traversals: readonly Traversal[]): Silence[] {
  const silences: Silence[] = []
  for (let first = 0; first < traversals.length;) {
    const { between, enteredAt } = traversals[first]
    let end = first + 1
    while (between && isSame(between, traversals[end]?.between)) end++
    const mm = traversals.slice(first, end).reduce((sum, { fromMm, toMm }) => sum + toMm - fromMm, 0)
    if (between) silences.push({ first, end, mm, from: enteredAt, to: traversals[end - 1].leftAt })
    first = end
  }
  return silences
}

const isSame = (a: Traversal['between'], b: Traversal['between']): boolean =>
  a?.map(({ segment, offsetMm }) => `${segment} ${offsetMm}`).join() ===
  b?.map(({ segment, offsetMm }) => `${segment} ${offsetMm}`).join()

/** Fixes at the ends of a silence lie on it only where the vehicle drove nowhere else from there: they stood. */
function without(match: Match, silences: ReadonlySet<Silence>): Match {
  const dropped = new Set<number>()
  for (const { first, end } of silences) for (let i = first; i < end; i++) dropped.add(i)
  const traversalOf = traversalsOf(match)
  return {
    ...match,
    traversals: match.traversals.filter((_, i) => !dropped.has(i)),
    fates: match.fates.map((fate, i) => (fate === MATCHED && dropped.has(traversalOf[i]) ? STANDING : fate)),
    breaks: match.breaks + silences.size,
  }
}
