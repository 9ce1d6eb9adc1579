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

/**
 * Miles by the odometer (or days of a permit) of a month: nobody knows their days nor their trips, so `day` is the month, and no rule
 * priced them. A reading revises them: `amount` and `distanceMm` are the change since they were `billed`.
 */
export interface MileageCharge extends Pick<Charge, 'policy' | 'distanceMm' | 'amount'> {
  readonly day: string
  readonly flat: boolean
  readonly billed: { readonly amount: Micros; readonly distanceMm: number }
}

/** A priced trip, or miles by the odometer, as accruals see it. `vehicle` is what the vehicle was when it began. */
export interface AccruedTrip {
  /** null for miles by the odometer. */
  readonly trip: TripId | null
  readonly vehicle: RatedVehicle
  readonly startedAt: Instant
  readonly charges: readonly (PricedLine | MileageCharge)[]
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
  /** A local day; the month of miles by the odometer, and of what a month gives back. */
  readonly day: string
  /** The rule that charged, or the rules that the accrual before counts (null: all). */
  readonly rules: string | ReadonlySet<string> | null
  /** What `amount` and `distanceMm` are a change to. */
  readonly was: { readonly amount: bigint; readonly distanceMm: number }
}
const NOTHING = { amount: 0n, distanceMm: 0 }
/** Miles by the odometer: no rule has this id. */
const NO_RULE = ''

/** The windows that trips may change, each once. `policies` must hold every policy that their charges name. */
export function windowsOf(trips: readonly AccruedTrip[], policies: readonly PolicyDocument[]): Window[] {
  const windows = trips.flatMap((trip) => windowsOfOne(trip, policies))
  return [...new Map(windows.map((window) => [windowKey(window), window])).values()]
}

function windowsOfOne(trip: AccruedTrip, policies: readonly PolicyDocument[]): Window[] {
  const windows: Window[] = []
  for (const [policy, charges] of byPolicy(trip, policies)) {
    const items = charges.map(itemOf)
    for (const accrual of accrualsOf(policy)) {
      if (accrual.whom && !isFor(accrual.whom, trip.vehicle)) continue
      const mayCount = ({ day, rules }: Item) =>
        (!accrual.rules || accrual.rules.has(rules as string)) && countsDay(accrual, day)
      const counted = [...new Set(items.filter(mayCount).map(({ day }) => day))].sort()
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
    const items = charges.map(itemOf)
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
        else items.push({ amount, distanceMm: 0, flat: accrual.terms.kind === 'transfer', day: dayOf(span, those), rules: accrual.rules, was: NOTHING }) // prettier-ignore
      }
    }
  }
  return changes
}

/** One change for each window: what posts them names each by its window. */
export function netOf(changes: readonly WindowChange[]): WindowChange[] {
  const net = new Map<string, WindowChange>()
  for (const change of changes) {
    const key = windowKey(change.window)
    net.set(key, { ...change, amount: micros((net.get(key)?.amount ?? NO_MONEY) + change.amount) })
  }
  return [...net.values()].filter(({ amount }) => amount !== 0n)
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
    // Of what was billed and what is billed now each, so that revisions add up to the discount of the last.
    const was = { amount: -percentOf(percent, item.was.amount), distanceMm: 0 }
    const amount = -percentOf(percent, item.was.amount + item.amount) - was.amount
    return amount === 0n && was.amount === 0n ? [] : [{ ...item, amount, distanceMm: 0, was }]
  })

function itemOf(charge: PricedLine | MileageCharge): Item {
  const { amount, day } = charge
  const [flat, rules, was] =
    'billed' in charge
      ? [charge.flat, NO_RULE, charge.billed]
      : [charge.rate !== null && charge.rate.per !== 'mile' && charge.rate.per !== 'km', charge.rule, NOTHING]
  if (flat) return { amount, distanceMm: 0, flat, day, rules, was: { ...was, distanceMm: 0 } }
  return { amount, distanceMm: charge.distanceMm, flat, day, rules, was }
}

function added(before: WindowState, items: readonly Item[], { terms }: Accrual, trip: AccruedTrip): WindowState {
  let { gross, distanceMm, fuelTax } = before as { gross: bigint; distanceMm: number; fuelTax: bigint }
  const economy = terms.kind === 'fuel-credit' ? trip.vehicle.milesPerGallon : undefined
  let flat = 0n
  for (const { was, ...item } of items) {
    gross += item.amount
    if (item.flat) flat += item.amount
    // Distance counts where it is charged.
    const wasMm = was.amount === 0n ? 0 : was.distanceMm
    const isMm = was.amount + item.amount === 0n ? 0 : was.distanceMm + item.distanceMm
    distanceMm += isMm - wasMm
    if (terms.kind === 'fuel-credit' && economy && isMm !== wasMm) {
      const { up, down } = fuelTaxShare(terms.taxPerGallon, economy)
      const taxOf = (mm: number) => divideHalfEven(BigInt(mm) * up, down)
      fuelTax += taxOf(isMm) - taxOf(wasMm)
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

function counts(accrual: Accrual, item: Item): boolean {
  const { rules, terms } = accrual
  if (!countsDay(accrual, item.day)) return false
  if (item.flat ? terms.kind === 'allowance' || terms.kind === 'tiers' : terms.kind === 'transfer') return false
  if (!rules) return true
  if (typeof item.rules === 'string') return rules.has(item.rules)
  // Scopes are nested or apart (`policy` refuses others), so one rule speaks for all.
  return item.rules !== null && [...item.rules].every((rule) => rules.has(rule))
}

/** Caps, minimums and the like of a trip or a day don't count what is known of a month alone; parts and percentages of it do. */
const countsDay = ({ per, terms }: Accrual, day: string): boolean =>
  !isMonth(day) || terms.kind === 'discount' || terms.kind === 'fuel-credit' || per === 'month' || per === 'year'

/** The charges of a trip by the policy that made them; those that no policy made, and exempt ones, count nowhere. */
function byPolicy(trip: AccruedTrip, policies: readonly PolicyDocument[]) {
  const own = new Map<PolicyDocument, (PricedLine | MileageCharge)[]>()
  for (const charge of trip.charges) {
    if (charge.amount === 0n && !('billed' in charge && charge.billed.amount !== 0n)) continue
    const policy = policies.find(({ id }) => id === charge.policy)
    invariant(
      policy,
      `no policy ${charge.policy} for a charge of ${trip.trip ?? `${trip.vehicle.vehicle} by the odometer`}`,
    )
    const those = own.get(policy)
    if (those) those.push(charge)
    else own.set(policy, [charge])
  }
  return own
}

const isMonth = (day: string): boolean => day.length === 'yyyy-mm'.length

const spanOf = (per: Accrual['per'], day: string, trip: TripId | null): string => {
  switch (per) {
    case 'trip':
      return trip ?? day
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
  if (/^\d{4}-\d\d(-\d\d)?$/.test(span)) return span
  return items.reduce((first, { day }) => (day < first ? day : first), items[0].day)
}
