import { type PolicyDocument, type PolicyZone, type ZoneGeometry } from '#contracts'
import { canonical, KILOMETRE_MM, MILE_MM, type Micros } from '#kernel'
import { accrualsOf } from './accruals'
import { describeAccrual, describeMileage, describeRule } from './describe'
import { rateOfRule } from './rules'
import { type Language, WORDS } from './words'

/** Something that one version says and the other doesn't, or says otherwise; null where it says nothing. */
export interface WordChange {
  /** `rules.base`, `caps.daily`, `zones.centre`, `billing.dueDays`: by id, so that order doesn't matter. */
  readonly path: string
  readonly before: string | null
  readonly after: string | null
}

/** What a rule asks for before and after; null where it isn't there, or asks for nothing. */
export interface PriceChange {
  readonly rule: string
  readonly name: string
  readonly before: { readonly micros: Micros; readonly per: string } | null
  readonly after: { readonly micros: Micros; readonly per: string } | null
  /** In percent of before, on one unit; null where there is nothing to compare. */
  readonly percent: number | null
}

export interface ZoneFeature {
  readonly type: 'Feature'
  readonly geometry: ZoneGeometry
  readonly properties: {
    readonly zone: string
    readonly name: string
    readonly change: 'added' | 'removed' | 'moved' | 'repriced' | 'same'
    /** Which version's shape it is: both for one that isn't moved. */
    readonly of: 'before' | 'after' | 'both'
    /** The rules that name it, in words. */
    readonly before: readonly string[]
    readonly after: readonly string[]
  }
}

/** Two versions of a tariff side by side: in words, in prices, and for a map. */
export interface PolicyDiff {
  readonly before: string
  readonly after: string
  readonly words: readonly WordChange[]
  /** Rules that are tried in another order: it may decide which of two prices holds. */
  readonly reordered: boolean
  readonly prices: readonly PriceChange[]
  readonly map: { readonly type: 'FeatureCollection'; readonly features: readonly ZoneFeature[] }
}

/** Terms that are said in one word each. */
const TERMS = ['name', 'description', 'currency', 'timeZone', 'startsAt', 'endsAt', 'jurisdiction'] as const

export function diffPolicies(before: PolicyDocument, after: PolicyDocument, language: Language = 'en'): PolicyDiff {
  const words = changes(sayings(before, language), sayings(after, language))
  const common = (policy: PolicyDocument, other: PolicyDocument) =>
    policy.rules.map(({ id }) => id).filter((id) => other.rules.some((rule) => rule.id === id))
  return {
    before: before.id,
    after: after.id,
    words,
    reordered: common(before, after).join() !== common(after, before).join(),
    prices: priceChanges(before, after),
    map: { type: 'FeatureCollection', features: zoneFeatures(before, after, language) },
  }
}

/** Everything that a policy says, by path, in words. */
function sayings(policy: PolicyDocument, language: Language): Map<string, string> {
  const says = new Map<string, string>()
  for (const term of TERMS) if (policy[term] !== undefined) says.set(term, policy[term])
  for (const rule of policy.rules) {
    says.set(`rules.${rule.id}`, `${rule.name}: ${describeRule(rule, policy, language)}`)
    if (rule.revenue) says.set(`rules.${rule.id}.revenue`, canonical(rule.revenue))
  }
  for (const accrual of accrualsOf(policy))
    says.set(
      `${accrual.path.replace(/\[.*/, '')}.${accrual.id}`,
      `${accrual.name}: ${describeAccrual(accrual, policy, language)}`,
    )
  for (const [id, zone] of Object.entries(policy.zones)) says.set(`zones.${id}`, zoneText(zone, language))
  for (const [key, value] of Object.entries(policy.billing))
    says.set(`billing.${key}`, typeof value === 'object' ? canonical(value) : String(value))
  for (const { key, text } of describeMileage(policy, language)) says.set(`mileage.${key}`, text)
  for (const [key, value] of Object.entries(policy.holidays ?? {})) says.set(`holidays.${key}`, canonical(value))
  return says
}

/** Short for people, and another text for another shape. */
function zoneText(zone: PolicyZone, language: Language): string {
  const words = WORDS[language]
  const { name, geometry, roads, segments, jurisdiction } = zone
  const shape = geometry
    ? words.shape(geometry.type, canonical(geometry.coordinates).split('],[').length, fingerprint(geometry))
    : [roads && words.roads(roads.length, fingerprint(roads)), segments && words.segments(segments.length, fingerprint(segments))] // prettier-ignore
        .filter(Boolean)
        .join(` ${words.and} `)
  return `${name}: ${shape}${jurisdiction ? `, ${words.roadsOf(jurisdiction)}` : ''}`
}

/** A few characters that tell contents apart (FNV-1a); nothing rests on it but a reader's eye. */
function fingerprint(value: unknown): string {
  let hash = 0x811c9dc5
  for (const char of canonical(value)) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}

const changes = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): WordChange[] =>
  [...new Set([...before.keys(), ...after.keys()])]
    .map((path) => ({ path, before: before.get(path) ?? null, after: after.get(path) ?? null }))
    .filter((change) => change.before !== change.after)

function priceChanges(before: PolicyDocument, after: PolicyDocument): PriceChange[] {
  const priced = (policy: PolicyDocument, id: string) => {
    const rule = policy.rules.find((one) => one.id === id)
    const rate = rule && rateOfRule(rule, policy.rules)
    return rate ? { micros: rate.micros, per: rate.per } : null
  }
  const ids = [...new Set([...before.rules, ...after.rules].map(({ id }) => id))]
  return ids
    .map((rule): PriceChange => {
      const [old, now] = [priced(before, rule), priced(after, rule)]
      const named = [...after.rules, ...before.rules].find(({ id }) => id === rule)!
      return { rule, name: named.name, before: old, after: now, percent: percentOf(old, now) }
    })
    .filter(({ before: old, after: now }) => old?.micros !== now?.micros || old?.per !== now?.per)
}

function percentOf(before: PriceChange['before'], after: PriceChange['after']): number | null {
  if (!before || !after) return null
  const [old, now] = [onOneUnit(before), onOneUnit(after)]
  return old && now && old.sort === now.sort ? Number(((now.size - old.size) * 10_000n) / old.size) / 100 : null
}

/** Miles and kilometres on one scale: what 1,609,344 km cost. */
function onOneUnit({ micros, per }: NonNullable<PriceChange['before']>): { sort: string; size: bigint } {
  if (per === 'mile') return { sort: 'distance', size: micros * BigInt(KILOMETRE_MM) }
  if (per === 'km') return { sort: 'distance', size: micros * BigInt(MILE_MM) }
  return { sort: per, size: micros }
}

function zoneFeatures(before: PolicyDocument, after: PolicyDocument, language: Language): ZoneFeature[] {
  const rulesOf = (policy: PolicyDocument, zone: string) =>
    policy.rules
      .filter(({ match }) => match.zones?.includes(zone) || match.outside?.includes(zone))
      .map((rule) => `${rule.name}: ${describeRule(rule, policy, language)}`)
  return [...new Set([...Object.keys(before.zones), ...Object.keys(after.zones)])].flatMap((zone): ZoneFeature[] => {
    const [old, now] = [before.zones[zone]?.geometry, after.zones[zone]?.geometry]
    const said = { before: rulesOf(before, zone), after: rulesOf(after, zone) }
    const feature = (
      geometry: ZoneGeometry,
      of: ZoneFeature['properties']['of'],
      change: ZoneFeature['properties']['change'],
    ): ZoneFeature => ({
      type: 'Feature',
      geometry,
      properties: { zone, name: (after.zones[zone] ?? before.zones[zone]).name, change, of, ...said },
    })
    if (!old && !now) return []
    if (!old) return [feature(now!, 'after', 'added')]
    if (!now) return [feature(old, 'before', 'removed')]
    if (canonical(old) !== canonical(now)) return [feature(old, 'before', 'moved'), feature(now, 'after', 'moved')]
    return [feature(now, 'both', said.before.join('\n') === said.after.join('\n') ? 'same' : 'repriced')]
  })
}

/** A diff for reading: a line for what goes, a line for what comes. */
export function describeDiff(diff: PolicyDiff): string[] {
  const percents = new Map(diff.prices.map(({ rule, percent }) => [`rules.${rule}`, percent]))
  return [
    ...diff.words.flatMap(({ path, before, after }) => {
      const percent = percents.get(path)
      return [
        `${path}${typeof percent === 'number' ? ` (${percent > 0 ? '+' : ''}${percent} %)` : ''}`,
        ...(before === null ? [] : [`  - ${before}`]),
        ...(after === null ? [] : [`  + ${after}`]),
      ]
    }),
    ...(diff.reordered ? ['rules are tried in another order'] : []),
    ...(diff.words.length === 0 && !diff.reordered ? ['nothing but the id differs'] : []),
  ]
}
