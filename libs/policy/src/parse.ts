import {
  billingSchema,
  capSchema,
  faultsOf,
  policySchema,
  ruleSchema,
  zoneGeometrySchema,
  type PolicyCap,
  type PolicyDocument,
  type PolicyRule,
  type ZoneGeometry,
} from '#contracts'
import { InputError, instant, parseMicros, type Fault } from '#kernel'
import { isTimeZone, localClock } from './clock'
import { capFaults, rateFaults, ruleFaults } from './rules'
import { zoneFaults } from './zones'

/**
 * Reads a tariff: its shape, and all that a shape can't say. Throws one InputError (`POLICY`) that lists every fault with
 * its JSON path. Parts that are well formed are examined even where others are not, so that an author mends a document
 * once and not once per fault.
 */
export function parsePolicy(value: unknown): PolicyDocument {
  const parsed = policySchema.safeParse(value)
  const faults = [...(parsed.success ? [] : faultsOf(parsed.error, value)), ...meaningFaults(partsOf(value))]
  if (parsed.success && faults.length === 0) return parsed.data
  const [first] = faults
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  const name = `policy${parsed.success ? ` ${parsed.data.id}` : ''}`
  throw new InputError(
    'POLICY',
    `${name} is not valid: ${first.path}: ${first.expected}, found ${first.found}${more}`,
    faults,
  )
}

/** The well-formed parts of a document that as a whole may not be; null stands for a part that can't be read. */
interface Parts {
  readonly timeZone: string | null
  readonly startsAt: string | null
  readonly endsAt: string | null
  readonly coin: string | null
  /** null where there is no telling which zones there are. */
  readonly zones: ReadonlyMap<string, ZoneGeometry | null> | null
  readonly rules: readonly (PolicyRule | null)[]
  readonly caps: readonly (PolicyCap | null)[]
}

const shape = policySchema.shape

function partsOf(value: unknown): Parts {
  const document = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const list = (member: unknown): unknown[] => (Array.isArray(member) ? member : [])
  const zones = document.zones ?? {}
  return {
    timeZone: shape.timeZone.safeParse(document.timeZone).data ?? null,
    startsAt: shape.startsAt.safeParse(document.startsAt).data ?? null,
    endsAt: shape.endsAt.safeParse(document.endsAt).data ?? null,
    coin: billingSchema.safeParse(document.billing ?? {}).data?.coin ?? null,
    zones:
      typeof zones === 'object' && !Array.isArray(zones)
        ? new Map(Object.entries(zones).map(([id, z]) => [id, zoneGeometrySchema.safeParse(z?.geometry).data ?? null]))
        : null,
    rules: list(document.rules).map((rule) => ruleSchema.safeParse(rule).data ?? null),
    caps: list(document.caps).map((cap) => capSchema.safeParse(cap).data ?? null),
  }
}

function meaningFaults(parts: Parts): Fault[] {
  const { timeZone, startsAt, endsAt, coin, zones, rules, caps } = parts
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
  for (const [id, geometry] of zones ?? []) if (geometry) faults.push(...zoneFaults(id, geometry, meridian))
  faults.push(...ruleFaults(rules, zones && new Set(zones.keys())))
  faults.push(...rateFaults(rules, coin === null ? null : parseMicros(coin)))
  faults.push(...capFaults(caps, rules))
  return faults
}
