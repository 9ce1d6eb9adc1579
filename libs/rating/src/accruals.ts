import { type Charge, type PolicyDocument, type RatedVehicle, type Window } from '#contracts'
import {
  divideHalfEven,
  invariant,
  micros,
  NO_MONEY,
  type Instant,
  type Micros,
  type PolicyId,
  type TripId,
} from '#kernel'
import { accrualsOf, fuelTaxShare, isFor, type Accrual } from '#policy'

/**
 * What a window has counted: sums, so that no order of arrival matters and any part of a window can stand for its trips.
 * `gross` is what the charges come to after the accruals that are applied before this one.
 */
export interface WindowState {
  readonly gross: Micros
  /** Of charges per mile or km. */
  readonly distanceMm: number
  /** Paid at the pump for that distance; counted by fuel-tax credits alone. */
  readonly fuelTax: Micros
  /** Flat prices by the beginning of their trip, in order; counted by transfers alone. */
  readonly flats: readonly (readonly [Instant, Micros])[]
  /** What the accrual gives back (below zero) or adds. */
  readonly credit: Micros
}

export const EMPTY_WINDOW: WindowState = {
  gross: NO_MONEY,
  distanceMm: 0,
  fuelTax: NO_MONEY,
  flats: [],
  credit: NO_MONEY,
}

/** As much of a charge as decides what is posted for it. */
export type PricedLine = Pick<Charge, 'policy' | 'rule' | 'zones' | 'day' | 'distanceMm' | 'rate' | 'amount'>

/** A priced trip as accruals see it. `vehicle` is what the vehicle was when the trip began. */
export interface AccruedTrip {
  readonly trip: TripId
  readonly vehicle: RatedVehicle
  readonly startedAt: Instant
  readonly charges: readonly PricedLine[]
}

/** How one trip changes the credit of a window. */
export interface WindowChange {
  readonly window: Window
  readonly amount: Micros
  readonly jurisdiction: string
}

/** Windows by name, as they stand; those that aren't held are empty. */
export type Windows = Map<string, { readonly window: Window; readonly state: WindowState }>

export const windowKey = ({ policy, cap, vehicle, span }: Window): string => `${policy} ${cap} ${vehicle} ${span}`

/** What one accrual counts of one trip: a charge, or what an accrual before it gave back or added. */
interface Item {
  readonly amount: bigint
  readonly distanceMm: number
  readonly flat: boolean
  readonly day: string
  /** The rule that charged, or the rules that the accrual before counts (null: all). */
  readonly rules: string | ReadonlySet<string> | null
}

/** The windows that a trip may change, each once. `policies` must hold every policy that its charges name. */
export function windowsOf(trip: AccruedTrip, policies: readonly PolicyDocument[]): Window[] {
  const windows: Window[] = []
  for (const [policy, charges] of byPolicy(trip, policies)) {
    const days = [...new Set(charges.map(({ day }) => day))].sort()
    for (const accrual of accrualsOf(policy)) {
      if (accrual.whom && !isFor(accrual.whom, trip.vehicle)) continue
      const counted = accrual.rules
        ? days.filter((day) => charges.some((charge) => charge.day === day && accrual.rules!.has(charge.rule)))
        : days
      for (const span of new Set(counted.map((day) => spanOf(accrual.per, day, trip.trip))))
        windows.push({ policy: policy.id as PolicyId, cap: accrual.id, vehicle: trip.vehicle.vehicle, span })
    }
  }
  return windows
}

/**
 * Adds a trip to its windows and returns what that changes, in the order in which accruals are applied. Each accrual counts
 * the charges that it names and what accruals before it made of them; since a window's credit is a function of its sums and
 * changes add up to it, all orders of arrival end in the same windows, and what is posted adds up to their credits (I9).
 */
export function accrue(trip: AccruedTrip, policies: readonly PolicyDocument[], windows: Windows): WindowChange[] {
  const changes: WindowChange[] = []
  for (const [policy, charges] of byPolicy(trip, policies)) {
    const items: Item[] = charges.map(({ amount, distanceMm, rate, day, rule }) => {
      const flat = rate !== null && rate.per !== 'mile' && rate.per !== 'km'
      return { amount, distanceMm: flat ? 0 : distanceMm, flat, day, rules: rule }
    })
    for (const accrual of accrualsOf(policy)) {
      if (accrual.whom && !isFor(accrual.whom, trip.vehicle)) continue
      const counted = new Map<string, Item[]>()
      for (const item of items) {
        if (!counts(accrual, item)) continue
        const span = spanOf(accrual.per, item.day, trip.trip)
        const those = counted.get(span)
        if (those) those.push(item)
        else counted.set(span, [item])
      }
      for (const [span, those] of counted) {
        const window: Window = { policy: policy.id as PolicyId, cap: accrual.id, vehicle: trip.vehicle.vehicle, span }
        const key = windowKey(window)
        const before = windows.get(key)?.state ?? EMPTY_WINDOW
        const effects = accrual.terms.kind === 'discount' ? discounts(accrual.terms.percent, those) : null
        const sums = added(before, those, accrual, trip)
        const credit = effects
          ? before.credit + effects.reduce((sum, { amount }) => sum + amount, 0n)
          : creditOf(accrual, sums)
        windows.set(key, { window, state: { ...sums, credit: micros(credit) } })
        const amount = micros(credit - before.credit)
        if (amount === 0n) continue
        changes.push({ window, amount, jurisdiction: accrual.jurisdiction })
        // A discount is a part of each charge, so it stays with the charge's rule; others belong to all that they count.
        if (effects) items.push(...effects)
        else items.push({ amount, distanceMm: 0, flat: accrual.terms.kind === 'transfer', day: dayOf(span, those), rules: accrual.rules }) // prettier-ignore
      }
    }
  }
  return changes
}

/** What an accrual makes of a window: below zero what it gives back, above zero what it adds. Never more than there is. */
export function creditOf(
  { terms }: Accrual,
  { gross, distanceMm, fuelTax, flats }: Omit<WindowState, 'credit'>,
): Micros {
  if (gross <= 0n) return NO_MONEY
  switch (terms.kind) {
    case 'cap':
      return micros(gross > terms.amount ? terms.amount - gross : 0n)
    case 'minimum':
      return micros(gross < terms.amount ? terms.amount - gross : 0n)
    case 'discount':
      return micros(-percentOf(terms.percent, gross))
    case 'tax':
      return micros(percentOf(terms.percent, gross))
    case 'fuel-credit':
      return micros(-(fuelTax < gross ? fuelTax : gross))
    case 'allowance':
      return distanceMm <= terms.freeMm
        ? micros(-gross)
        : micros(-divideHalfEven(gross * BigInt(terms.freeMm), BigInt(distanceMm)))
    case 'tiers': {
      // Each part of the distance at its step's percentage of the average price.
      let weighed = 0n
      terms.steps.forEach(({ aboveMm, percent }, i) => {
        const part = Math.min(distanceMm, terms.steps[i + 1]?.aboveMm ?? Infinity) - aboveMm
        if (part > 0) weighed += BigInt(part) * (percent - 100_000_000n)
      })
      return distanceMm === 0 ? NO_MONEY : micros(divideHalfEven(gross * weighed, BigInt(distanceMm) * 100_000_000n))
    }
    case 'transfer': {
      let paidAt = -Infinity
      let credit = 0n
      for (const [at, amount] of flats)
        if (at - paidAt < terms.withinMs) credit -= amount
        else paidAt = at
      return micros(credit)
    }
  }
}

const percentOf = (percent: Micros, amount: bigint): bigint => divideHalfEven(amount * percent, 100_000_000n)

const discounts = (percent: Micros, items: readonly Item[]): Item[] =>
  items.flatMap((item) => {
    const amount = -percentOf(percent, item.amount)
    return amount === 0n ? [] : [{ ...item, amount, distanceMm: 0 }]
  })

function added(before: WindowState, items: readonly Item[], { terms }: Accrual, trip: AccruedTrip): WindowState {
  let { gross, distanceMm, fuelTax } = before as { gross: bigint; distanceMm: number; fuelTax: bigint }
  const economy = terms.kind === 'fuel-credit' ? trip.vehicle.milesPerGallon : undefined
  let flat = 0n
  for (const item of items) {
    gross += item.amount
    if (item.amount !== 0n) distanceMm += item.distanceMm
    if (item.flat) flat += item.amount
    if (terms.kind === 'fuel-credit' && economy && item.amount !== 0n && item.distanceMm !== 0) {
      const { up, down } = fuelTaxShare(terms.taxPerGallon, economy)
      fuelTax += divideHalfEven(BigInt(item.distanceMm) * up, down)
    }
  }
  const flats = terms.kind === 'transfer' && flat !== 0n ? withFlat(before.flats, trip.startedAt, flat) : before.flats
  return { gross: micros(gross), distanceMm, fuelTax: micros(fuelTax), flats, credit: before.credit }
}

/** Below zero takes away what was counted before. */
function withFlat(flats: WindowState['flats'], at: Instant, flat: bigint): WindowState['flats'] {
  if (flat > 0n)
    return [...flats, [at, micros(flat)] as const].sort(([a, x], [b, y]) => a - b || (x < y ? -1 : x > y ? 1 : 0))
  const i = flats.findIndex(([began, amount]) => began === at && amount === -flat)
  return i < 0 ? flats : [...flats.slice(0, i), ...flats.slice(i + 1)]
}

function counts({ rules, terms }: Accrual, item: Item): boolean {
  if (item.flat ? terms.kind === 'allowance' || terms.kind === 'tiers' : terms.kind === 'transfer') return false
  if (!rules) return true
  if (typeof item.rules === 'string') return rules.has(item.rules)
  // Scopes are nested or apart (`policy` refuses others), so one rule speaks for all.
  return item.rules !== null && [...item.rules].every((rule) => rules.has(rule))
}

/** The charges of a trip by the policy that made them; those that no policy made, and exempt ones, count nowhere. */
function byPolicy(trip: AccruedTrip, policies: readonly PolicyDocument[]): Map<PolicyDocument, PricedLine[]> {
  const own = new Map<PolicyDocument, PricedLine[]>()
  for (const charge of trip.charges) {
    if (charge.amount === 0n) continue
    const policy = policies.find(({ id }) => id === charge.policy)
    invariant(policy, `no policy ${charge.policy} for a charge of trip ${trip.trip}`)
    const those = own.get(policy)
    if (those) those.push(charge)
    else own.set(policy, [charge])
  }
  return own
}

const spanOf = (per: Accrual['per'], day: string, trip: TripId): string => {
  switch (per) {
    case 'trip':
      return trip
    case 'day':
      return day
    case 'month':
      return day.slice(0, 7)
    case 'year':
      return day.slice(0, 4)
  }
}

/** A local day within a span: what a credit of the span counts for in longer ones. */
function dayOf(span: string, items: readonly Item[]): string {
  if (/^\d{4}-\d\d-\d\d$/.test(span)) return span
  if (/^\d{4}-\d\d$/.test(span)) return `${span}-01`
  return items.reduce((first, { day }) => (day < first ? day : first), items[0].day)
}
