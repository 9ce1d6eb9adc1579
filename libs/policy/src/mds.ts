import { type PolicyDocument } from '#contracts'
import { digest, InputError, type Fault, type Instant } from '#kernel'
import { validityOf } from './in-force'

/** The release of the Mobility Data Specification whose Policy and Geography forms these are. */
export const MDS_VERSION = '2.0.0'

/**
 * What MDS has no field for: it knows rates per trip and per time, none per distance, and no caps, tiers or bills. Declared by
 * this prefix, on policies, rules and geographies, as the specification allows additional fields to be.
 */
const EXTENSION = 'x_roadmeter'

export interface MdsGeography {
  readonly geography_id: string
  readonly name: string
  readonly geography_json: {
    readonly type: 'FeatureCollection'
    readonly features: readonly { readonly type: 'Feature'; readonly properties: object; readonly geometry: unknown }[]
  }
  readonly published_date: number
  readonly [EXTENSION]: object
}

export interface MdsRule {
  readonly rule_id: string
  readonly name: string
  readonly rule_type: 'rate'
  readonly rule_units: 'amount'
  readonly geographies: readonly string[]
  readonly states: { readonly on_trip: readonly [] }
  readonly [EXTENSION]: object
}

export interface MdsPolicy {
  readonly policy_id: string
  readonly mode_id: 'passenger-services'
  readonly name: string
  readonly description: string
  readonly currency: string
  readonly start_date: number
  readonly end_date: number | null
  readonly published_date: number
  readonly prev_policies: readonly string[] | null
  readonly rules: readonly MdsRule[]
  readonly [EXTENSION]: object
}

/** A policy with its zones, in the form of MDS. */
export interface MdsForm {
  readonly policies: readonly MdsPolicy[]
  readonly geographies: readonly MdsGeography[]
}

/** A UUID that is derived from what it names (RFC 9562, version 8), so that the same policy has the same one everywhere. */
export function uuidOf(...names: readonly string[]): string {
  const hex = digest(['mds', ...names])
  const variant = '89ab'[parseInt(hex[16], 16) & 3]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** `publishedAt` is when an agency published it; `fromMds` gives the very document back. */
export function toMds(agency: string, policy: PolicyDocument, publishedAt: Instant): MdsForm {
  const { id, name, description, currency, startsAt, endsAt, supersedes, zones, rules, ...rest } = policy
  const { from, to } = validityOf(policy)
  const geography = (zone: string) => uuidOf(agency, id, 'zone', zone)
  return {
    policies: [
      {
        policy_id: uuidOf(agency, id),
        mode_id: 'passenger-services',
        name,
        description: description ?? '',
        currency,
        start_date: from,
        end_date: to === Infinity ? null : to,
        published_date: publishedAt,
        prev_policies: supersedes?.map((other) => uuidOf(agency, other)) ?? null,
        rules: rules.map(({ id: rule, name: title, match: { zones: inside, ...match }, ...terms }) => ({
          rule_id: uuidOf(agency, id, 'rule', rule),
          name: title,
          rule_type: 'rate',
          rule_units: 'amount',
          // MDS reads none as everywhere, as an absent `zones` does.
          geographies: inside?.map(geography) ?? [],
          states: { on_trip: [] },
          [EXTENSION]: { id: rule, match, ...terms },
        })),
        [EXTENSION]: { id, startsAt, endsAt, supersedes, described: description !== undefined, ...rest },
      },
    ],
    geographies: Object.entries(zones).map(([zone, { name: title, geometry, ...lists }]) => ({
      geography_id: geography(zone),
      name: title,
      geography_json: {
        type: 'FeatureCollection',
        features: geometry ? [{ type: 'Feature', properties: {}, geometry }] : [],
      },
      published_date: publishedAt,
      [EXTENSION]: { policy: id, id: zone, ...lists },
    })),
  }
}

/**
 * The document that a policy in the form of MDS stands for, to be parsed as any other. Throws one InputError (`MDS`) with
 * every fault: a policy or rule without our extension has no price per distance, and fields that say two things say nothing.
 */
export function fromMds(value: unknown): unknown {
  const faults: Fault[] = []
  const fault = (path: string, expected: string, found: unknown) =>
    faults.push({ path, expected, found: found === undefined ? 'nothing' : JSON.stringify(found).slice(0, 60) })
  const form = membersOf(value)
  const policies = Array.isArray(form.policies) ? form.policies.map(membersOf) : []
  if (policies.length !== 1) fault('policies', 'expected a list of one policy', form.policies)
  const [policy = {}] = policies
  const own = extension(policy, 'policies[0]')
  const zoneOf = new Map<unknown, string>()
  const zones: Record<string, unknown> = {}
  const geographies = Array.isArray(form.geographies) ? form.geographies.map(membersOf) : []
  geographies.forEach((geography, i) => {
    const at = `geographies[${i}]`
    const { policy: ofPolicy, id, ...lists } = extension(geography, at)
    // A feed has the geographies of all its policies.
    if (typeof id !== 'string' || ofPolicy !== own.id) return
    zoneOf.set(geography.geography_id, id)
    const features = membersOf(geography.geography_json).features
    const geometries = Array.isArray(features) ? features.map((feature) => membersOf(feature).geometry) : []
    if (geometries.length > 1) fault(`${at}.geography_json.features`, 'expected one feature at most', geometries.length)
    zones[id] = { name: geography.name, ...(geometries[0] ? { geometry: geometries[0] } : {}), ...lists }
  })
  const rules = (Array.isArray(policy.rules) ? policy.rules.map(membersOf) : []).map((rule, i) => {
    const at = `policies[0].rules[${i}]`
    const { id, match, ...terms } = extension(rule, at)
    const named = Array.isArray(rule.geographies) ? rule.geographies : []
    named.forEach((geography, k) => {
      if (!zoneOf.has(geography))
        fault(`${at}.geographies[${k}]`, 'expected the id of a geography that is given', geography)
    })
    const inside = named.map((geography) => zoneOf.get(geography))
    return {
      id,
      name: rule.name,
      match: { ...(inside.length ? { zones: inside } : {}), ...membersOf(match) },
      ...terms,
    }
  })
  const { startsAt, endsAt, described, ...rest } = own
  for (const [member, moment, date] of [
    ['start_date', startsAt, policy.start_date],
    ['end_date', endsAt, policy.end_date],
  ] as const)
    if ((typeof moment === 'string' ? Date.parse(moment) : null) !== (date ?? null))
      fault(`policies[0].${member}`, `expected what ${EXTENSION} says (${String(moment ?? 'no end')})`, date)
  if (faults.length > 0) {
    const [first] = faults
    throw new InputError('MDS', `the MDS form can't be read: ${first.path}: ${first.expected}, found ${first.found}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''}`, faults) // prettier-ignore
  }
  return {
    ...rest,
    name: policy.name,
    ...(described ? { description: policy.description } : {}),
    currency: policy.currency,
    startsAt,
    ...(endsAt === undefined ? {} : { endsAt }),
    zones,
    rules,
  }

  function extension(of: Record<string, unknown>, path: string): Record<string, unknown> {
    const given = of[EXTENSION]
    if (typeof given !== 'object' || given === null)
      fault(`${path}.${EXTENSION}`, 'expected our extension: MDS has no rate per distance', given)
    return membersOf(given)
  }
}

const membersOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
