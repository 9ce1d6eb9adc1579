import {
  type DistancePrice,
  type PolicyMatch,
  type PolicyRule,
  type PolicyWhom,
  type Rate,
  type TimeBand,
} from '#contracts'
import {
  divideHalfEven,
  formatMicros,
  invariant,
  micros,
  parseMicros,
  type Fault,
  type Interval,
  type Micros,
} from '#kernel'
import { bandIntervals, DAY_KINDS } from './bands'

/** Dearest rate taken for meant, in smallest coins per mile or km: 50.00 of a currency of hundredths, kronor and pesos too. */
const RATE_COINS_MAX = 5_000n
/** Where the coin is smaller than a cent, cents are counted. */
const CENT = 10_000n

/** What a price of a distance comes to per unit; null where it is free. */
export function rateOf(price: DistancePrice): Rate | null {
  if ('free' in price) return null
  const [text, per] = 'perMile' in price ? ([price.perMile, 'mile'] as const) : ([price.perKm, 'km'] as const)
  return { micros: amountOf(text), per }
}

/** What a rule of a parsed policy charges, a factor of another rule's price included; null where it charges nothing. */
export function rateOfRule({ price }: PolicyRule, rules: readonly PolicyRule[]): Rate | null {
  if ('times' in price) {
    const other = rules.find(({ id }) => id === price.rule)
    invariant(other && !('times' in other.price), `a price is a multiple of ${price.rule}, which says none`)
    const rate = rateOfRule(other, rules)
    return rate && { ...rate, micros: micros(divideHalfEven(rate.micros * amountOf(price.times), 1_000_000n)) }
  }
  if ('exempt' in price) return null
  if ('perEntry' in price) return { micros: amountOf(price.perEntry), per: 'entry' }
  if ('perTrip' in price) return { micros: amountOf(price.perTrip), per: 'trip' }
  return rateOf(price)
}

/** Whether a rule is about an event (an entry, an exit, a trip) and not about distance. */
export function isEvent({ match, price }: PolicyRule, rules: readonly PolicyRule[]): boolean {
  const said = 'times' in price ? rules.find(({ id }) => id === price.rule)?.price : price
  return match.direction !== undefined || (said !== undefined && ('perEntry' in said || 'perTrip' in said))
}

/** An amount of a parsed policy. */
export function amountOf(text: string): Micros {
  const amount = parseMicros(text)
  invariant(amount !== null, `not an amount: ${text}`)
  return amount
}

/** What rules may name; null where that can't be read. */
export interface Named {
  readonly zones: ReadonlySet<string> | null
  readonly jurisdictions: ReadonlySet<string> | null
  readonly hasHolidays: boolean
}

/** Ids, names and order of the rules; a null rule is one that can't be read. */
export function ruleFaults(rules: readonly (PolicyRule | null)[], named: Named): Fault[] {
  const faults: Fault[] = []
  const read = rules.filter((rule) => rule !== null)
  const contests = rules.map((rule) => (rule ? isEvent(rule, read) : null))
  rules.forEach((rule, i) => {
    if (!rule) return
    const at = `rules[${i}]`
    const twin = rules.findIndex((other) => other?.id === rule.id)
    if (twin < i)
      faults.push({ path: `${at}.id`, expected: `expected an id that rules[${twin}] does not have`, found: rule.id })
    faults.push(...nameFaults(rule, at, named), ...priceFaults(rule, at, rules))
    const { zones, outside } = rule.match
    if (!contests[i] && zones?.every((zone) => outside?.includes(zone)))
      faults.push({
        path: `${at}.match`,
        expected: 'expected a rule that can match',
        found: 'each of its zones is in outside, too',
      })
    const before = rules.findIndex(
      (other, k) =>
        other && other !== rule && contests[k] === contests[i] && hides(other, rule, named.hasHolidays ? DAY_KINDS : 7),
    )
    if (before >= 0 && before < i)
      faults.push({
        path: at,
        expected: `expected a rule that can be reached`,
        found: `rules[${before}] (${rules[before]?.id}) matches all that it matches`,
      })
  })
  const last = rules.at(-1)
  if (last && (contests.at(-1) || Object.values(last.match).some((condition) => condition !== undefined)))
    faults.push({
      path: `rules[${rules.length - 1}].match`,
      expected: 'expected {}: the last rule must match everything, so that each mile has exactly one outcome',
      found: contests.at(-1) ? 'a price that is not of a distance' : JSON.stringify(last.match),
    })
  return faults
}

function nameFaults({ match, revenue }: PolicyRule, at: string, named: Named): Fault[] {
  const faults: Fault[] = []
  const among = (key: 'zones' | 'outside' | 'jurisdictions', known: ReadonlySet<string> | null) =>
    match[key]?.forEach((name, k) => {
      if (known && !known.has(name))
        faults.push({ path: `${at}.match.${key}[${k}]`, expected: oneOf(known), found: name })
    })
  among('zones', named.zones)
  among('outside', named.zones)
  among('jurisdictions', named.jurisdictions)
  match.times?.forEach((band, b) => {
    const day = band.days.indexOf('holiday')
    if (day >= 0 && !named.hasHolidays)
      faults.push({
        path: `${at}.match.times[${b}].days[${day}]`,
        expected: 'expected a weekday, or a calendar in holidays',
        found: 'holiday',
      })
  })
  if (revenue && Object.keys(revenue).length === 0)
    faults.push({ path: `${at}.revenue`, expected: 'expected at least one jurisdiction', found: '{}' })
  return faults
}

function priceFaults(rule: PolicyRule, at: string, rules: readonly (PolicyRule | null)[]): Fault[] {
  const { match, price } = rule
  if ('times' in price) {
    const other = rules.find((one) => one?.id === price.rule)
    if (
      !other ||
      !('perMile' in other.price || 'perKm' in other.price || 'perEntry' in other.price || 'perTrip' in other.price)
    ) {
      // A rule that can't be read may be the one that is meant.
      if (other || !rules.includes(null))
        return [
          {
            path: `${at}.price.rule`,
            expected: 'expected a rule that says a price in money',
            found: other ? `${price.rule}, which says ${JSON.stringify(other.price)}` : price.rule,
          },
        ]
      return []
    }
  }
  const readable = rules.filter((one) => one !== null)
  const isEntry = isEvent(rule, readable) && rateOfRule(rule, readable)?.per !== 'trip'
  if (isEntry && !match.zones)
    return [{ path: `${at}.match.zones`, expected: 'expected the zones that are entered or left', found: 'nothing' }]
  const rate = rateOfRule(rule, readable)
  if (match.direction && rate && rate.per !== 'entry')
    return [
      {
        path: `${at}.match.direction`,
        expected: `expected a price per entry: entering and leaving cost no distance`,
        found: `a price per ${rate.per}`,
      },
    ]
  if (rate && rate.micros === 0n)
    return [{ path: `${at}.price.times`, expected: 'expected a factor that leaves a price above zero', found: '0' }]
  return []
}

/** A rate beyond any that is asked anywhere is a slip of the unit: cents for dollars, or micros. */
export function rateFaults(rules: readonly (PolicyRule | null)[], coin: Micros | null): Fault[] {
  const ceiling = micros(RATE_COINS_MAX * (coin === null || coin < CENT ? CENT : coin))
  return rules.flatMap((rule, i) => {
    const rate = rule && !('times' in rule.price) ? rateOfRule(rule, []) : null
    if (!rate || rate.micros <= ceiling || (rate.per !== 'mile' && rate.per !== 'km')) return []
    return {
      path: `rules[${i}].price.${rate.per === 'mile' ? 'perMile' : 'perKm'}`,
      expected: `expected at most ${formatMicros(ceiling)} a ${rate.per} (rates are in the currency unit: 1.8 cents is "0.018")`,
      found: formatMicros(rate.micros),
    }
  })
}

export const oneOf = (ids: ReadonlySet<string>): string =>
  ids.size ? `expected one of ${[...ids].slice(0, 8).join(', ')}${ids.size > 8 ? ', ...' : ''}` : 'expected none'

/** Whether `wide` matches whatever `narrow` matches, condition by condition. */
function hides({ match: wide }: PolicyRule, { match: narrow }: PolicyRule, kinds: number): boolean {
  const crossing = ({ zones = [], direction = 'entering' }: PolicyMatch) =>
    `${direction} ${[...zones].sort().join(' ')}`
  // Entering a zone is no entry into another that one is in already.
  const where =
    wide.zones && (wide.direction || narrow.direction)
      ? crossing(wide) === crossing(narrow)
      : superset(wide.zones, narrow.zones)
  return (
    where &&
    (wide.outside ?? []).every((zone) => narrow.outside?.includes(zone)) &&
    superset(wide.jurisdictions, narrow.jurisdictions) &&
    superset(wide.roadClasses, narrow.roadClasses) &&
    superset(wide.access, narrow.access) &&
    (!wide.times || (narrow.times !== undefined && spans(wide.times, narrow.times, kinds))) &&
    includesWhom(wide, narrow)
  )
}

/** Whether `wide` is everybody that `narrow` is. */
function includesWhom(wide: PolicyWhom, narrow: PolicyWhom): boolean {
  const within = (outer: PolicyWhom['weightKg'], inner: PolicyWhom['weightKg']) =>
    !outer ||
    (inner !== undefined && (inner.from ?? 0) >= (outer.from ?? 0) && (inner.to ?? Infinity) <= (outer.to ?? Infinity))
  return (
    superset(wide.vehicleClasses, narrow.vehicleClasses) &&
    within(wide.weightKg, narrow.weightKg) &&
    within(wide.fiscalPower, narrow.fiscalPower) &&
    within(wide.occupancy, narrow.occupancy) &&
    superset(wide.propulsions, narrow.propulsions) &&
    superset(wide.emissionClasses, narrow.emissionClasses) &&
    superset(wide.programmes, narrow.programmes) &&
    superset(wide.arms, narrow.arms) &&
    superset(wide.methods, narrow.methods)
  )
}

const superset = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined): boolean =>
  !a || (b !== undefined && b.every((item) => a.includes(item)))

/** Whether each minute of `inner` is in `outer`. */
function spans(outer: readonly TimeBand[], inner: readonly TimeBand[], kinds: number): boolean {
  const sorted = bandIntervals(outer, kinds).sort((a, b) => a.from - b.from)
  return bandIntervals(inner, kinds).every(({ from, to }: Interval) => {
    let reached = from
    for (const band of sorted) if (band.from <= reached && band.to > reached) reached = band.to
    return reached >= to
  })
}
