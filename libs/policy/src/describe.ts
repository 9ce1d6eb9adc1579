import { type PolicyDocument, type PolicyRule, type TimeBand } from '#contracts'

/** A tariff in plain words: a sentence for each rule in the order in which they are tried, then one for each cap. */
export function describePolicy(policy: PolicyDocument): string[] {
  return [
    ...policy.rules.map((rule) => `${rule.name}: ${describeRule(rule, policy)}`),
    ...policy.caps.map((cap) => {
      const rules = cap.rules?.map((id) => policy.rules.find((rule) => rule.id === id)?.name ?? id)
      return `${cap.name}: at most ${cap.amount} ${policy.currency} per vehicle and ${cap.per}${rules ? ` for ${list(rules)}` : ''}`
    }),
  ]
}

/** Where, when and to whom a rule applies, and what it says: `in Centre, mon tue 07:00-10:00: 0.25 USD per mile`. */
export function describeRule(rule: PolicyRule, policy: PolicyDocument): string {
  const zoneNames = (ids: readonly string[]) => list(ids.map((id) => policy.zones[id]?.name ?? id))
  const { zones, outside, roadClasses, access, times, vehicleClasses } = rule.match
  const conditions = [
    zones && `in ${zoneNames(zones)}`,
    outside && `outside ${zoneNames(outside)}`,
    roadClasses && `on ${list(roadClasses)} roads`,
    access && `on ${list(access)} land`,
    times && list(times.map(describeBand)),
    vehicleClasses && `for ${list(vehicleClasses)}`,
  ].filter((text) => text !== undefined)
  const { price } = rule
  const says =
    'free' in price
      ? `free, ${price.free}`
      : 'perMile' in price
        ? `${price.perMile} ${policy.currency} per mile`
        : `${price.perKm} ${policy.currency} per km`
  return `${conditions.length ? conditions.join(', ') : 'everywhere else, at any time'}: ${says}`
}

const describeBand = (band: TimeBand): string => `${band.days.join(' ')} ${band.from}-${band.to}`

const list = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
