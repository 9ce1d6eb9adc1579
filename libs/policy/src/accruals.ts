import { type PolicyDocument, type PolicyWhom, type RatedVehicle } from '#contracts'
import { KILOMETRE_MM, MILE_MM, type Micros } from '#kernel'
import { amountOf } from './rules'

/** What an accrual does with the sums of its window. Percentages are in micros of a percent. */
export type AccrualTerms =
  | { readonly kind: 'discount'; readonly percent: Micros }
  | { readonly kind: 'transfer'; readonly withinMs: number }
  | { readonly kind: 'allowance'; readonly freeMm: number }
  | { readonly kind: 'tiers'; readonly steps: readonly { readonly aboveMm: number; readonly percent: Micros }[] }
  | { readonly kind: 'minimum'; readonly amount: Micros }
  | { readonly kind: 'fuel-credit'; readonly taxPerGallon: Micros }
  | { readonly kind: 'cap'; readonly amount: Micros }
  | { readonly kind: 'tax'; readonly percent: Micros }

/** Whatever gives something back, or adds something, over the charges of one vehicle in a span. */
export interface Accrual {
  readonly id: string
  readonly name: string
  /** Where it stands in the document: `caps[0]`. */
  readonly path: string
  readonly per: 'trip' | 'day' | 'month' | 'year'
  /** Charges of these rules count; null for all. */
  readonly rules: ReadonlySet<string> | null
  readonly whom: PolicyWhom | null
  readonly terms: AccrualTerms
  /** Whose revenue it changes. */
  readonly jurisdiction: string
}

const SPANS = ['trip', 'day', 'month', 'year'] as const
const KINDS = ['discount', 'transfer', 'allowance', 'tiers', 'minimum', 'fuel-credit', 'cap', 'tax'] as const

type Accruing = Pick<
  PolicyDocument,
  'discounts' | 'transfers' | 'allowances' | 'tiers' | 'minimums' | 'fuelCredits' | 'caps' | 'taxes' | 'jurisdiction'
>
const known = new WeakMap<Accruing, readonly Accrual[]>()

/**
 * The accruals of a policy in the order in which they are applied: those of a trip, of a day, of a month, of a year; within
 * a span discounts, transfers, allowances, tiers, minimums, fuel-tax credits, caps; taxes at the very end. Each works on
 * what those before it left, so a monthly cap counts what the daily cap did not give back.
 */
export function accrualsOf(policy: Accruing): readonly Accrual[] {
  let accruals = known.get(policy)
  if (!accruals) known.set(policy, (accruals = list(policy)))
  return accruals
}

function list(policy: Accruing): readonly Accrual[] {
  const accruals: Accrual[] = []
  const add = <T extends { id: string; name: string; rules?: string[]; for?: PolicyWhom }>(
    member: string,
    items: readonly T[] | undefined,
    per: (item: T) => Accrual['per'],
    terms: (item: T) => AccrualTerms,
    jurisdiction = (_: T) => policy.jurisdiction,
  ) =>
    items?.forEach((item, i) =>
      accruals.push({
        id: item.id,
        name: item.name,
        path: `${member}[${i}]`,
        per: per(item),
        rules: item.rules ? new Set(item.rules) : null,
        whom: item.for ?? null,
        terms: terms(item),
        jurisdiction: jurisdiction(item),
      }),
    )
  const own = (item: { per: Accrual['per'] }) => item.per
  add('discounts', policy.discounts, () => 'trip', ({ percent }) => ({ kind: 'discount', percent: amountOf(percent) })) // prettier-ignore
  add(
    'transfers',
    policy.transfers,
    () => 'day',
    ({ minutes }) => ({ kind: 'transfer', withinMs: minutes * 60_000 }),
  )
  add('allowances', policy.allowances, own, ({ distance, unit }) => ({ kind: 'allowance', freeMm: mmOf(distance, unit) })) // prettier-ignore
  add('tiers', policy.tiers, own, ({ steps, unit }) => ({
    kind: 'tiers',
    steps: steps.map(({ above, percent }) => ({ aboveMm: mmOf(above, unit), percent: amountOf(percent) })),
  }))
  add('minimums', policy.minimums, own, ({ amount }) => ({ kind: 'minimum', amount: amountOf(amount) }))
  add('fuelCredits', policy.fuelCredits, own, ({ taxPerGallon }) => ({
    kind: 'fuel-credit',
    taxPerGallon: amountOf(taxPerGallon),
  }))
  add('caps', policy.caps, own, ({ amount }) => ({ kind: 'cap', amount: amountOf(amount) }))
  add('taxes', policy.taxes, () => 'year', ({ percent }) => ({ kind: 'tax', percent: amountOf(percent) }), (tax) => tax.jurisdiction ?? policy.jurisdiction) // prettier-ignore
  const rank = ({ per, terms }: Accrual) =>
    (terms.kind === 'tax' ? SPANS.length : SPANS.indexOf(per)) * KINDS.length + KINDS.indexOf(terms.kind)
  return accruals.sort((a, b) => rank(a) - rank(b))
}

const mmOf = (distance: string, unit: 'mile' | 'km'): number =>
  Number((amountOf(distance) * BigInt(unit === 'mile' ? MILE_MM : KILOMETRE_MM)) / 1_000_000n)

/** Whether a vehicle is one of those that something is for. What isn't known of it doesn't hold. */
export function isFor(whom: PolicyWhom, vehicle: Omit<RatedVehicle, 'vehicle'>): boolean {
  const among = <T>(wanted: readonly T[] | undefined, has: T | undefined) =>
    !wanted || (has !== undefined && wanted.includes(has))
  const within = (range: PolicyWhom['weightKg'], has: number | undefined) =>
    !range || (has !== undefined && has >= (range.from ?? 0) && has < (range.to ?? Infinity))
  return (
    among(whom.vehicleClasses, vehicle.vehicleClass) &&
    within(whom.weightKg, vehicle.weightKg) &&
    within(whom.fiscalPower, vehicle.fiscalPower) &&
    within(whom.occupancy, vehicle.occupancy) &&
    among(whom.propulsions, vehicle.propulsion) &&
    among(whom.emissionClasses, vehicle.emissionClass) &&
    (!whom.programmes || whom.programmes.some((programme) => vehicle.programmes?.includes(programme))) &&
    among(whom.arms, vehicle.arm) &&
    // Whoever drives under another method has no trips: roads are read of those alone who give the location.
    among(whom.methods, vehicle.method ?? 'location')
  )
}

/** Micros of fuel tax per gallon and the vehicle's economy as an exact share: tax paid for `mm` is mm * up / down. */
export function fuelTaxShare(taxPerGallon: Micros, economy: NonNullable<RatedVehicle['milesPerGallon']>) {
  // EPA's combined figure: 55 % of miles in the city, 45 % on highways (40 CFR 600.210-12).
  if ('measured' in economy)
    return { up: taxPerGallon * 1_000_000n, down: amountOf(economy.measured) * BigInt(MILE_MM) }
  const [city, highway] = [amountOf(economy.city), amountOf(economy.highway)]
  return {
    up: taxPerGallon * (55n * highway + 45n * city) * 1_000_000n,
    down: 100n * city * highway * BigInt(MILE_MM),
  }
}
