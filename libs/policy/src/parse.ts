import {
  billingSchema,
  faultsOf,
  holidaysSchema,
  policySchema,
  ruleSchema,
  zoneSchema,
  type PolicyDocument,
  type PolicyRule,
  type PolicyZone,
} from '#contracts'
import { InputError, instant, parseMicros, type Fault } from '#kernel'
import { accrualFaults } from './accrual-faults'
import { accrualsOf } from './accruals'
import { isTimeZone, localClock } from './clock'
import { calendarFaults, datedHolidays, HOLIDAY_YEARS } from './holidays'
import { rateFaults, ruleFaults } from './rules'
import { largeZones, PLACEHOLDER, zoneFaults } from './zones'

/** A document that was read, or all that is wrong with it. */
export type Reading =
  | { readonly policy: PolicyDocument; readonly faults: readonly [] }
  | { readonly policy: null; readonly faults: readonly Fault[] }

/**
 * Reads a tariff: its shape, and all that a shape can't say. Parts that are well formed are examined even where others are
 * not, so that an author mends a document once and not once per fault.
 */
export function readPolicy(value: unknown): Reading {
  const large = largeZones(value)
  if (large.size > 0) {
    // What can't be looked at in reasonable time is left out of what is.
    const { zones, ...document } = value as { zones: Record<string, object> }
    const others = Object.entries(zones).map(([id, zone]) => [
      id,
      large.has(id) ? { ...zone, geometry: PLACEHOLDER } : zone,
    ])
    const { faults } = readPolicy({ ...document, zones: Object.fromEntries(others) })
    const aside = faults.filter(({ path }) => ![...large.keys()].some((id) => path.startsWith(`zones.${id}.geometry`)))
    return { policy: null, faults: [...large.values(), ...aside] }
  }
  const parsed = policySchema.safeParse(value)
  const faults = [...(parsed.success ? [] : faultsOf(parsed.error, value)), ...meaningFaults(partsOf(value))]
  return parsed.success && faults.length === 0
    ? { policy: withHolidays(parsed.data), faults: [] }
    : { policy: null, faults }
}

/** Reads a tariff. Throws one InputError (`POLICY`) that lists every fault with its JSON path. */
export function parsePolicy(value: unknown): PolicyDocument {
  const { policy, faults } = readPolicy(value)
  if (policy) return policy
  const [first] = faults
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  const { id } = policySchema.pick({ id: true }).safeParse(value).data ?? {}
  throw new InputError(
    'POLICY',
    `policy${id ? ` ${id}` : ''} is not valid: ${first.path}: ${first.expected}, found ${first.found}${more}`,
    faults,
  )
}

function withHolidays(policy: PolicyDocument): PolicyDocument {
  if (!policy.holidays) return policy
  const year = (moment: string) =>
    Number(
      localClock(policy.timeZone)
        .day(instant(Date.parse(moment)))
        .slice(0, 4),
    )
  const from = year(policy.startsAt)
  const to = policy.endsAt === undefined ? from + HOLIDAY_YEARS : year(policy.endsAt)
  return { ...policy, holidays: datedHolidays(policy.holidays, from, to) }
}

/** The well-formed parts of a document that as a whole may not be; null stands for a part that can't be read. */
interface Parts {
  readonly timeZone: string | null
  readonly startsAt: string | null
  readonly endsAt: string | null
  readonly coin: string | null
  readonly jurisdiction: string | null
  readonly holidays: PolicyDocument['holidays'] | null
  /** null where there is no telling which zones there are. */
  readonly zones: ReadonlyMap<string, PolicyZone | null> | null
  readonly rules: readonly (PolicyRule | null)[]
  readonly accruals: Parameters<typeof accrualsOf>[0]
}

const shape = policySchema.shape
const ACCRUALS = ['discounts', 'transfers', 'allowances', 'tiers', 'minimums', 'fuelCredits', 'caps', 'taxes'] as const

function partsOf(value: unknown): Parts {
  const document = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const list = (member: unknown): unknown[] => (Array.isArray(member) ? member : [])
  const zones = document.zones ?? {}
  const jurisdiction = shape.jurisdiction.safeParse(document.jurisdiction).data ?? null
  // A list of which one member can't be read is left out as a whole: places in it would not be those of the document.
  const accruals = ACCRUALS.map((name) => [name, shape[name].safeParse(document[name]).data ?? undefined] as const)
  return {
    timeZone: shape.timeZone.safeParse(document.timeZone).data ?? null,
    startsAt: shape.startsAt.safeParse(document.startsAt).data ?? null,
    endsAt: shape.endsAt.safeParse(document.endsAt).data ?? null,
    coin: billingSchema.safeParse(document.billing ?? {}).data?.coin ?? null,
    jurisdiction,
    holidays: document.holidays === undefined ? undefined : (holidaysSchema.safeParse(document.holidays).data ?? null),
    zones:
      typeof zones === 'object' && !Array.isArray(zones)
        ? new Map(Object.entries(zones).map(([id, zone]) => [id, zoneSchema.safeParse(zone).data ?? null]))
        : null,
    rules: list(document.rules).map((rule) => ruleSchema.safeParse(rule).data ?? null),
    accruals: { caps: [], jurisdiction: jurisdiction ?? '', ...Object.fromEntries(accruals) },
  }
}

function meaningFaults(parts: Parts): Fault[] {
  const { timeZone, startsAt, endsAt, coin, holidays, zones, rules } = parts
  const faults: Fault[] = []
  const startsMs = startsAt === null ? NaN : Date.parse(startsAt)
  let meridian: number | null = null
  if (timeZone !== null) {
    if (!isTimeZone(timeZone))
      faults.push({ path: 'timeZone', expected: 'expected an IANA time zone such as Europe/Brussels', found: timeZone })
    // 15 degrees of longitude to the hour: where the zones should lie, give or take.
    else if (Number.isFinite(startsMs)) meridian = localClock(timeZone).offsetMs(instant(startsMs)) / 240_000
  }
  if (endsAt !== null && Date.parse(endsAt) <= startsMs)
    faults.push({ path: 'endsAt', expected: `expected a moment after startsAt (${startsAt})`, found: endsAt })
  if (holidays) faults.push(...calendarFaults(holidays))
  for (const [id, zone] of zones ?? []) if (zone?.geometry) faults.push(...zoneFaults(id, zone.geometry, meridian))
  const jurisdictions = new Set([...(zones?.values() ?? [])].flatMap((zone) => zone?.jurisdiction ?? []))
  if (parts.jurisdiction !== null) jurisdictions.add(parts.jurisdiction)
  const readable = parts.jurisdiction !== null && zones !== null && [...zones.values()].every((zone) => zone !== null)
  faults.push(
    ...ruleFaults(rules, {
      zones: zones && new Set(zones.keys()),
      jurisdictions: readable ? jurisdictions : null,
      hasHolidays: holidays !== undefined,
    }),
  )
  faults.push(...rateFaults(rules, coin === null ? null : parseMicros(coin)))
  faults.push(...accrualFaults(accrualsOf(parts.accruals), rules))
  return faults
}
