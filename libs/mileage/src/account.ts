import type { MileageKind } from '#contracts'
import { millimetres, type Instant, type Interval, type Millimetres } from '#kernel'
import { type KnownMiles, type OdometerBook, type Standing } from './book'
import { methodAt, methodLine, type MethodChoice } from './methods'

/** By the odometer: so many millimetres, or days, to be priced by a policy. */
export interface MileageQuantity {
  readonly kind: MileageKind
  readonly policy: string
  readonly distanceMm: Millimetres
  /** Of which beyond the last reading. */
  readonly estimatedMm: Millimetres
  /** Local days under a permit. */
  readonly days: number
}

/**
 * opening + matched + off-network + inferred + unreconciled + replaced = closing. Without any reading there is neither
 * opening nor closing, and nothing is unreconciled.
 */
export interface MonthAccount extends KnownMiles, Interval<Instant> {
  readonly openingMm: Millimetres | null
  readonly closingMm: Millimetres | null
  readonly closingIs: Standing['basis'] | 'unknown'
  readonly unreconciledMm: Millimetres
  readonly replacedMm: Millimetres
  /** One for each kind and policy that there is anything of; sorted by kind and policy. */
  readonly quantities: readonly MileageQuantity[]
}

/** The policies of a month and its calendar: whoever asks knows them. */
export interface Calendar {
  /** In order of time; a time without policy is in none. */
  readonly policies: readonly (Interval & { readonly id: string; readonly tolerancePermille?: number })[]
  dayNumber(at: Instant): number
}

/** Swiss SVAV art. 24 c allows 4 % between what waypoints say and what was driven; inside 2.5 % nothing is done, unless a policy says less or more. */
export const TOLERANCE_PERMILLE = 25
export const HARD_LIMIT_PERMILLE = 40
/** Odometers are read in whole miles: opening and closing may be off by one each. */
const MONTH_SLACK_MM = 2 * 1_609_344

/** Of so much odometer growth in a month, what no trip needs to explain. */
export const toleratedMm = (grownMm: number, permille = TOLERANCE_PERMILLE): number =>
  Math.max(MONTH_SLACK_MM, Math.floor((Math.max(0, grownMm) * permille) / 1000))

/**
 * The mileage account of a vehicle over a month, or over the part of it in which an account had the vehicle, and what of it is
 * charged by the odometer: all miles without location, days under a permit, and of miles with location those that the
 * odometer shows beyond the trips and the tolerance. A function of the facts alone, like the book.
 */
export function monthAccount(
  book: OdometerBook,
  span: Interval<Instant>,
  choices: readonly MethodChoice[],
  calendar: Calendar,
): MonthAccount {
  const known = book.known(span.from, span.to)
  const [opening, closing] = [book.at(span.from), book.at(span.to)]
  if (!opening || !closing)
    return {
      ...span,
      ...known,
      openingMm: null,
      closingMm: null,
      closingIs: 'unknown',
      unreconciledMm: millimetres(0),
      replacedMm: millimetres(0),
      quantities: [],
    }
  const grown = closing.lifeMm - opening.lifeMm
  return {
    ...span,
    ...known,
    openingMm: millimetres(opening.mm),
    closingMm: millimetres(closing.mm),
    closingIs: closing.basis,
    unreconciledMm: millimetres(grown - known.matchedMm - known.inferredMm - known.offNetworkMm),
    replacedMm: millimetres(closing.mm - opening.mm - grown),
    quantities: quantities(book, span, choices, calendar),
  }
}

interface Part {
  readonly policy: string
  readonly grownMm: number
  readonly restMm: number
  readonly estimatedMm: number
  readonly tolerancePermille: number
}

function quantities(
  book: OdometerBook,
  span: Interval<Instant>,
  choices: readonly MethodChoice[],
  calendar: Calendar,
): MileageQuantity[] {
  const parts: Record<MileageKind, Part[]> = { missing: [], odometer: [], permit: [] }
  const days = new Map<string, number>()
  const counted = new Set<number>()
  const line = methodLine(choices)
  for (const { from, to, policy, tolerancePermille } of cut(span, line, calendar)) {
    const [start, end] = [book.at(from)!, book.at(to)!]
    const grownMm = end.lifeMm - start.lifeMm
    const part = {
      policy,
      grownMm,
      restMm: grownMm - book.knownMm(from, to),
      estimatedMm: end.estimatedMm - start.estimatedMm,
      tolerancePermille,
    }
    const method = methodAt(line, from)
    parts[method === 'location' ? 'missing' : method].push(part)
    if (method !== 'permit') continue
    // A day belongs to the policy under which its permit began; a permit for two months is two months' days.
    for (let day = calendar.dayNumber(from); day <= calendar.dayNumber((to - 1) as Instant); day++)
      if (!counted.has(day)) {
        counted.add(day)
        days.set(policy, (days.get(policy) ?? 0) + 1)
      }
  }
  return [
    ...sums('missing', missing(parts.missing)),
    ...sums('odometer', parts.odometer),
    ...sums('permit', parts.permit, days),
  ]
}

/** The parts of a span under one method and one policy each. */
function cut(span: Interval<Instant>, line: readonly MethodChoice[], calendar: Calendar) {
  const at = new Set<number>([span.from, span.to])
  for (const moment of [...line.map(({ from }) => from), ...calendar.policies.flatMap(({ from, to }) => [from, to])])
    if (span.from < moment && moment < span.to) at.add(moment)
  const moments = [...at].sort((a, b) => a - b) as Instant[]
  return moments.slice(1).map((to, i) => {
    const policy = calendar.policies.findLast((one) => one.from <= moments[i] && moments[i] < one.to)
    const { id = '', tolerancePermille = TOLERANCE_PERMILLE } = policy ?? {}
    return { from: moments[i], to, policy: id, tolerancePermille }
  })
}

/** What is left of the parts' unexplained growth beyond the tolerance of each, taken from the last part backwards. */
function missing(parts: readonly Part[]): Part[] {
  const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0)
  const grownMm = sum((part) => part.grownMm)
  const permille = grownMm > 0 ? sum((part) => part.grownMm * part.tolerancePermille) / grownMm : TOLERANCE_PERMILLE
  let left = sum((part) => part.restMm) - toleratedMm(grownMm, permille)
  return [...parts].reverse().map((part) => {
    const restMm = Math.max(0, Math.min(left, part.restMm))
    left -= restMm
    return { ...part, restMm, estimatedMm: 0 }
  })
}

function sums(
  kind: MileageKind,
  parts: readonly Part[],
  days: ReadonlyMap<string, number> = new Map(),
): MileageQuantity[] {
  return [...new Set(parts.map((part) => part.policy))].sort().flatMap((policy) => {
    const own = parts.filter((part) => part.policy === policy)
    const sum = (of: (part: Part) => number) => own.reduce((total, part) => total + of(part), 0)
    const distanceMm = Math.max(
      0,
      sum((part) => part.restMm),
    )
    const quantity = {
      kind,
      policy,
      distanceMm: millimetres(distanceMm),
      estimatedMm: millimetres(
        Math.min(
          distanceMm,
          Math.max(
            0,
            sum((part) => part.estimatedMm),
          ),
        ),
      ),
      days: days.get(policy) ?? 0,
    }
    return quantity.distanceMm === 0 && quantity.days === 0 ? [] : [quantity]
  })
}
