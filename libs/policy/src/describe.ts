import {
  WEEKDAYS,
  type DistancePrice,
  type PolicyDocument,
  type PolicyRule,
  type PolicyWhom,
  type TimeBand,
} from '#contracts'
import { formatMicros, KILOMETRE_MM, MILE_MM } from '#kernel'
import { accrualsOf, type Accrual } from './accruals'
import { type Language, type PolicyWords, WORDS } from './words'

/** A tariff in plain words: a sentence for each rule in the order in which they are tried, for miles by the odometer, for each accrual. */
export function describePolicy(policy: PolicyDocument, language: Language = 'en'): string[] {
  return [
    ...policy.rules.map((rule) => `${rule.name}: ${describeRule(rule, policy, language)}`),
    ...describeMileage(policy, language).map(({ text }) => text),
    ...accrualsOf(policy).map((accrual) => `${accrual.name}: ${describeAccrual(accrual, policy, language)}`),
  ]
}

/** What is charged by the odometer, each with the member of `mileage` that says it. */
export function describeMileage(
  { mileage, currency }: PolicyDocument,
  language: Language = 'en',
): { readonly key: string; readonly text: string }[] {
  if (!mileage) return []
  const words = WORDS[language]
  const { missing, noLocation, permitPerDay, for: whom, otherwise } = mileage
  const price = (says: DistancePrice) =>
    'free' in says
      ? words.free(says.free)
      : 'perMile' in says
        ? words.price(`${says.perMile} ${currency}`, 'mile')
        : words.price(`${says.perKm} ${currency}`, 'km')
  return [
    { key: 'missing', text: words.unexplained(price(missing)) },
    ...(noLocation ? [{ key: 'noLocation', text: words.byOdometer(price(noLocation)) }] : []),
    ...(permitPerDay
      ? [
          {
            key: 'permitPerDay',
            text: words.permit(words.perUnit(`${permitPerDay} ${currency}`, nameIn(words)('day'))),
          },
        ]
      : []),
    ...(whom ? [{ key: 'for', text: words.ofThese(describeWhom(whom, language).join(', '), otherwise ?? null) }] : []),
  ]
}

/** What an accrual does: `at most 5.00 USD per vehicle and day for Centre`. */
export function describeAccrual(
  { terms, per: span, rules, whom }: Accrual,
  { currency, ...policy }: PolicyDocument,
  language: Language = 'en',
): string {
  const words = WORDS[language]
  const per = nameIn(words)(span)
  const names = rules && [...rules].map((id) => policy.rules.find((rule) => rule.id === id)?.name ?? id)
  const scope = [
    ...(names ? [words.forRules(list(names, words))] : []),
    ...(whom ? describeWhom(whom, language) : []),
  ].join(', ')
  const says = (() => {
    switch (terms.kind) {
      case 'cap':
        return words.cap(`${formatMicros(terms.amount)} ${currency}`, per)
      case 'minimum':
        return words.minimum(`${formatMicros(terms.amount)} ${currency}`, per)
      case 'discount':
        return words.discount(formatMicros(terms.percent, 0))
      case 'tax':
        return words.tax(formatMicros(terms.percent, 0))
      case 'transfer':
        return words.transfer(terms.withinMs / 60_000)
      case 'allowance':
        return words.allowance(distance(terms.freeMm), per)
      case 'tiers':
        return terms.steps
          .map(({ aboveMm, percent }) => words.tier(distance(aboveMm), per, formatMicros(percent, 0)))
          .join(', ')
      case 'fuel-credit':
        return words.fuelCredit(`${formatMicros(terms.taxPerGallon)} ${currency}`, per)
    }
  })()
  return scope ? `${says} ${scope}` : says

  function distance(mm: number): string {
    const { unit } = policy.billing
    return words.distance(String(Number((mm / (unit === 'mile' ? MILE_MM : KILOMETRE_MM)).toFixed(3))), unit)
  }
}

/** Where, when and to whom a rule applies, and what it says: `in Centre, mon tue 07:00-10:00: 0.25 USD per mile`. */
export function describeRule(rule: PolicyRule, policy: PolicyDocument, language: Language = 'en'): string {
  const words = WORDS[language]
  const named = (ids: readonly string[]) => list(ids.map(nameIn(words)), words)
  const zoneNames = (ids: readonly string[]) =>
    list(
      ids.map((id) => policy.zones[id]?.name ?? id),
      words,
    )
  const { zones, outside, jurisdictions, roadClasses, access, times, direction, ...whom } = rule.match
  const conditions = [
    direction && nameIn(words)(direction),
    zones && words.inZones(zoneNames(zones)),
    outside && words.outside(zoneNames(outside)),
    jurisdictions && words.roadsOf(list(jurisdictions, words)),
    roadClasses && words.onRoads(named(roadClasses)),
    access && words.onLand(named(access)),
    times &&
      list(
        times.map((band) => describeBand(band, words)),
        words,
      ),
    ...describeWhom(whom, language),
  ].filter((text) => text !== undefined)
  return `${conditions.length ? conditions.join(', ') : words.everywhere}: ${describePrice(rule, policy, words)}`
}

function describePrice({ price }: PolicyRule, { currency, rules }: PolicyDocument, words: PolicyWords): string {
  if ('free' in price) return words.free(price.free)
  if ('exempt' in price) return words.exempt(price.exempt)
  if ('perMile' in price) return words.price(`${price.perMile} ${currency}`, 'mile')
  if ('perKm' in price) return words.price(`${price.perKm} ${currency}`, 'km')
  if ('perEntry' in price) return words.price(`${price.perEntry} ${currency}`, 'entry')
  if ('perTrip' in price) return words.price(`${price.perTrip} ${currency}`, 'trip')
  return words.times(String(price.times), rules.find(({ id }) => id === price.rule)?.name ?? price.rule)
}

/** Whom something is for: one text for each condition. */
export function describeWhom(whom: PolicyWhom, language: Language = 'en'): string[] {
  const words = WORDS[language]
  const named = (ids: readonly string[]) => list(ids.map(nameIn(words)), words)
  const range = (
    what: Parameters<PolicyWords['range']>[0],
    { from, to }: NonNullable<PolicyWhom['weightKg']>,
    unit = '',
  ) => words.range(what, from === undefined ? null : `${from}${unit}`, to === undefined ? null : `${to}${unit}`)
  return [
    whom.vehicleClasses && words.forVehicles(named(whom.vehicleClasses)),
    whom.weightKg && range('weight', whom.weightKg, ' kg'),
    whom.fiscalPower && range('fiscal power', whom.fiscalPower),
    whom.occupancy && range('occupancy', whom.occupancy),
    whom.propulsions && words.drivenBy(named(whom.propulsions)),
    whom.emissionClasses && words.emission(list(whom.emissionClasses, words)),
    whom.programmes && words.programme(list(whom.programmes, words)),
    whom.arms && words.arm(list(whom.arms, words)),
    whom.methods && words.method(named(whom.methods)),
  ].filter((text) => text !== undefined)
}

const nameIn =
  ({ names }: PolicyWords) =>
  (word: string): string =>
    names[word] ?? word

/** When a rule applies, as statements write it: `Mon–Fri 07:00–10:00`. Null where it does at any time. */
export const describeHours = ({ match }: PolicyRule): string | null =>
  match.times
    ? list(
        match.times.map(({ days, from, to }) => `${describeDays(days)} ${from}–${to}`),
        WORDS.en,
      )
    : null

function describeDays(days: TimeBand['days']): string {
  const runs: TimeBand['days'][number][][] = []
  for (const day of [...WEEKDAYS, 'holiday' as const].filter((day) => days.includes(day))) {
    const run = runs.at(-1)
    if (run && day !== 'holiday' && WEEKDAYS.indexOf(run.at(-1) as 'mon') === WEEKDAYS.indexOf(day) - 1) run.push(day)
    else runs.push([day])
  }
  const name = (day: string) => (day === 'holiday' ? 'holidays' : day[0].toUpperCase() + day.slice(1))
  return runs.flatMap((run) => (run.length > 2 ? [`${name(run[0])}–${name(run.at(-1)!)}`] : run.map(name))).join(', ')
}

const describeBand = (band: TimeBand, words: PolicyWords): string =>
  `${band.days.map(nameIn(words)).join(' ')} ${band.from}-${band.to}`

const list = (items: readonly string[], { and }: PolicyWords): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} ${and} ${items.at(-1)}`
