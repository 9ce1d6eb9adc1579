import { type DistancePrice, type PolicyDocument, type PolicyRule, type PolicyWhom, type TimeBand } from '#contracts'
import { formatMicros, KILOMETRE_MM, MILE_MM } from '#kernel'
import { accrualsOf, type Accrual } from './accruals'

/** A tariff in plain words: a sentence for each rule in the order in which they are tried, for miles by the odometer, for each accrual. */
export function describePolicy(policy: PolicyDocument): string[] {
  return [
    ...policy.rules.map((rule) => `${rule.name}: ${describeRule(rule, policy)}`),
    ...describeMileage(policy).map(({ text }) => text),
    ...accrualsOf(policy).map((accrual) => `${accrual.name}: ${describeAccrual(accrual, policy)}`),
  ]
}

/** What is charged by the odometer, each with the member of `mileage` that says it. */
export function describeMileage({
  mileage,
  currency,
}: PolicyDocument): { readonly key: string; readonly text: string }[] {
  if (!mileage) return []
  const { missing, noLocation, permitPerDay, for: whom, otherwise } = mileage
  const price = (says: DistancePrice) =>
    'free' in says ? `free, ${says.free}` : 'perMile' in says ? `${says.perMile} ${currency} per mile` : `${says.perKm} ${currency} per km` // prettier-ignore
  return [
    { key: 'missing', text: `Miles that no trip explains: ${price(missing)}` },
    ...(noLocation ? [{ key: 'noLocation', text: `Miles by the odometer alone: ${price(noLocation)}` }] : []),
    ...(permitPerDay ? [{ key: 'permitPerDay', text: `Time permit: ${permitPerDay} ${currency} a day` }] : []),
    ...(whom
      ? [
          {
            key: 'for',
            text: `Of these, vehicles ${describeWhom(whom).join(', ')}; others free, ${otherwise ?? 'the tariff is for other vehicles'}`,
          },
        ]
      : []),
  ]
}

/** What an accrual does: `at most 5.00 USD per vehicle and day for Centre`. */
export function describeAccrual({ terms, per, rules, whom }: Accrual, { currency, ...policy }: PolicyDocument): string {
  const names = rules && [...rules].map((id) => policy.rules.find((rule) => rule.id === id)?.name ?? id)
  const scope = [...(names ? [`for ${list(names)}`] : []), ...(whom ? describeWhom(whom) : [])].join(', ')
  const says = (() => {
    switch (terms.kind) {
      case 'cap':
        return `at most ${formatMicros(terms.amount)} ${currency} per vehicle and ${per}`
      case 'minimum':
        return `at least ${formatMicros(terms.amount)} ${currency} per vehicle and ${per}, where anything is charged`
      case 'discount':
        return `${formatMicros(terms.percent, 0)} % less`
      case 'tax':
        return `${formatMicros(terms.percent, 0)} % on top`
      case 'transfer':
        return `flat prices asked for once within ${terms.withinMs / 60_000} minutes of a day`
      case 'allowance':
        return `the first ${distance(terms.freeMm)} of a ${per} free`
      case 'tiers':
        return terms.steps
          .map(({ aboveMm, percent }) => `above ${distance(aboveMm)} a ${per} at ${formatMicros(percent, 0)} %`)
          .join(', ')
      case 'fuel-credit':
        return `fuel tax of ${formatMicros(terms.taxPerGallon)} ${currency} a gallon given back, at most what a ${per} comes to`
    }
  })()
  return scope ? `${says} ${scope}` : says

  function distance(mm: number): string {
    const [perMm, unit] = policy.billing.unit === 'mile' ? [MILE_MM, 'miles'] : [KILOMETRE_MM, 'km']
    return `${Number((mm / perMm).toFixed(3))} ${unit}`
  }
}

/** Where, when and to whom a rule applies, and what it says: `in Centre, mon tue 07:00-10:00: 0.25 USD per mile`. */
export function describeRule(rule: PolicyRule, policy: PolicyDocument): string {
  const zoneNames = (ids: readonly string[]) => list(ids.map((id) => policy.zones[id]?.name ?? id))
  const { zones, outside, jurisdictions, roadClasses, access, times, direction, ...whom } = rule.match
  const conditions = [
    direction && `${direction}`,
    zones && `in ${zoneNames(zones)}`,
    outside && `outside ${zoneNames(outside)}`,
    jurisdictions && `on roads of ${list(jurisdictions)}`,
    roadClasses && `on ${list(roadClasses)} roads`,
    access && `on ${list(access)} land`,
    times && list(times.map(describeBand)),
    ...describeWhom(whom),
  ].filter((text) => text !== undefined)
  return `${conditions.length ? conditions.join(', ') : 'everywhere else, at any time'}: ${describePrice(rule, policy)}`
}

function describePrice({ price }: PolicyRule, { currency, rules }: PolicyDocument): string {
  if ('free' in price) return `free, ${price.free}`
  if ('exempt' in price) return `exempt, ${price.exempt}`
  if ('perMile' in price) return `${price.perMile} ${currency} per mile`
  if ('perKm' in price) return `${price.perKm} ${currency} per km`
  if ('perEntry' in price) return `${price.perEntry} ${currency} per entry`
  if ('perTrip' in price) return `${price.perTrip} ${currency} per trip`
  return `${price.times} times "${rules.find(({ id }) => id === price.rule)?.name ?? price.rule}"`
}

/** Whom something is for: one text for each condition. */
export function describeWhom(whom: PolicyWhom): string[] {
  const range = (what: string, { from, to }: NonNullable<PolicyWhom['weightKg']>, unit = '') =>
    `of ${what} ${from !== undefined ? `from ${from}${unit}` : ''}${from !== undefined && to !== undefined ? ' ' : ''}${to !== undefined ? `below ${to}${unit}` : ''}`
  return [
    whom.vehicleClasses && `for ${list(whom.vehicleClasses)}`,
    whom.weightKg && range('weight', whom.weightKg, ' kg'),
    whom.fiscalPower && range('fiscal power', whom.fiscalPower),
    whom.occupancy && range('occupancy', whom.occupancy),
    whom.propulsions && `driven by ${list(whom.propulsions)}`,
    whom.emissionClasses && `of emission class ${list(whom.emissionClasses)}`,
    whom.programmes && `in programme ${list(whom.programmes)}`,
    whom.arms && `in arm ${list(whom.arms)}`,
    whom.methods && `by ${list(whom.methods)}`,
  ].filter((text) => text !== undefined)
}

const describeBand = (band: TimeBand): string => `${band.days.join(' ')} ${band.from}-${band.to}`

const list = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`
