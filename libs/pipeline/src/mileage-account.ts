import { type MileageAccount, type MileageLine, type PolicyDocument, type RatedVehicle } from '#contracts'
import {
  instant,
  micros,
  millimetres,
  NO_MONEY,
  type Instant,
  type Interval,
  type Micros,
  type VehicleId,
} from '#kernel'
import { monthAccount, type Calendar, type MethodChoice, type MileageQuantity, type OdometerBook } from '#mileage'
import { localClock, validityOf } from '#policy'
import { priceMileage } from '#rating'
import { profileOf } from '#statement'

/** The part of a month in which an account has the vehicle. */
export function ownSpan(vehicle: Held, span: Interval<Instant>): Interval<Instant> {
  return {
    from: instant(Math.max(span.from, vehicle.fromAt ?? span.from)),
    to: instant(Math.max(span.from, Math.min(span.to, vehicle.untilAt ?? span.to))),
  }
}
type Held = { readonly vehicle: VehicleId; readonly fromAt: Instant | null; readonly untilAt: Instant | null }

/**
 * The mileage account of a vehicle and month as a statement shows it, priced; `rated` is what the vehicle was as its span began,
 * `settled` what was settled of it before.
 */
export function accountOf(
  vehicle: Held,
  rated: RatedVehicle,
  month: string,
  span: Interval<Instant>,
  book: OdometerBook,
  choices: readonly MethodChoice[],
  policies: readonly PolicyDocument[],
  settled: MileageAccount | null,
): MileageAccount {
  const own = ownSpan(vehicle, span)
  const profile = profileOf(rated)
  const account = monthAccount(book, own, choices, calendarOf(policies))
  return {
    vehicle: vehicle.vehicle,
    month,
    from: own.from,
    to: own.to,
    ...(profile && { profile }),
    openingMm: account.openingMm,
    closingMm: account.closingMm,
    closingIs: account.closingIs,
    matchedMm: millimetres(account.matchedMm),
    inferredMm: millimetres(account.inferredMm),
    offNetworkMm: millimetres(account.offNetworkMm),
    unreconciledMm: account.unreconciledMm,
    replacedMm: account.replacedMm,
    heldTrips: account.heldTrips,
    heldMm: millimetres(account.heldMm),
    lines: linesOf(account.quantities, settled?.lines ?? [], policies, rated),
  }
}

/** A line for everything there is or that was billed before: what is there no more is taken back. */
function linesOf(
  quantities: readonly MileageQuantity[],
  before: readonly MileageLine[],
  policies: readonly PolicyDocument[],
  rated: RatedVehicle,
): MileageLine[] {
  const gone = before
    .filter((line) => !quantities.some((quantity) => isSame(quantity, line)))
    .map((line): MileageQuantity => ({ ...line, distanceMm: NOTHING_MM, estimatedMm: NOTHING_MM, days: 0 }))
  return [...quantities, ...gone]
    .map((quantity) => {
      const earlier = before.find((line) => isSame(quantity, line))
      const billed = earlier ? micros(earlier.billed + earlier.amount) : NO_MONEY
      return priceMileage(quantity, policies.find(({ id }) => id === quantity.policy) ?? null, rated, {
        billed,
        billedMm: earlier?.distanceMm,
      })
    })
    .filter((line) => line.distanceMm !== 0 || line.days !== 0 || line.billed !== 0n)
    .sort((a, b) => order(`${a.kind} ${a.policy}`, `${b.kind} ${b.policy}`))
}

const NOTHING_MM = millimetres(0)
const isSame = (a: Pick<MileageLine, 'kind' | 'policy'>, b: Pick<MileageLine, 'kind' | 'policy'>) =>
  a.kind === b.kind && a.policy === b.policy
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Whether settling again would say anything new. */
export const isSameAccount = (a: MileageAccount, b: MileageAccount): boolean =>
  JSON.stringify({ ...a, lines: a.lines.map(totalOf) }, text) ===
  JSON.stringify({ ...b, lines: b.lines.map(totalOf) }, text)

const text = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
const totalOf = ({ billed, billedMm: _, amount, ...line }: MileageLine) => ({ ...line, total: billed + amount })

/** What the lines of an account earn each jurisdiction, in the order of their names. */
export function mileageEarnings(
  lines: readonly MileageLine[],
  policies: readonly PolicyDocument[],
): { jurisdiction: string; amount: Micros }[] {
  const sums = new Map<string, bigint>()
  for (const { policy, amount } of lines) {
    const jurisdiction = policies.find(({ id }) => id === policy)?.jurisdiction
    if (jurisdiction !== undefined) sums.set(jurisdiction, (sums.get(jurisdiction) ?? 0n) + amount)
  }
  return [...sums]
    .filter(([, amount]) => amount !== 0n)
    .sort(([a], [b]) => order(a, b))
    .map(([jurisdiction, amount]) => ({ jurisdiction, amount: micros(amount) }))
}

/** When which policy is in force: from its start to its end, or to the start of the next. */
function calendarOf(policies: readonly PolicyDocument[]): Calendar {
  const byStart = [...policies].sort((a, b) => validityOf(a).from - validityOf(b).from || order(a.id, b.id))
  return {
    policies: byStart.map((policy, i) => {
      const { from, to } = validityOf(policy)
      const { tolerancePermille } = policy.billing
      return {
        id: policy.id,
        tolerancePermille,
        from,
        to: Math.min(to, byStart[i + 1] ? validityOf(byStart[i + 1]).from : Infinity),
      }
    }),
    // All policies of an agency have one time zone.
    dayNumber: (at) => localClock(policies[0]?.timeZone ?? 'UTC').dayNumber(at),
  }
}
