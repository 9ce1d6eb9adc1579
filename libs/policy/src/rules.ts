import { type DistancePrice, type PolicyCap, type PolicyMatch, type PolicyRule, type Rate } from '#contracts'
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
import { bandIntervals } from './bands'

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

/** Ids, zones and order of the rules; a null rule is one that can't be read. `zones` is null where they are unknown. */
export function ruleFaults(
  rules: readonly (PolicyRule | null)[],
  zones: ReadonlySet<string> | null,
  kinds = 7,
): Fault[] {
  const faults: Fault[] = []
  rules.forEach((rule, i) => {
    if (!rule) return
    const twin = rules.findIndex((other) => other?.id === rule.id)
    if (twin < i)
      faults.push({
        path: `rules[${i}].id`,
        expected: `expected an id that rules[${twin}] does not have`,
        found: rule.id,
      })
    for (const key of ['zones', 'outside'] as const)
      rule.match[key]?.forEach((zone, k) => {
        if (zones && !zones.has(zone))
          faults.push({ path: `rules[${i}].match.${key}[${k}]`, expected: oneOf(zones), found: zone })
      })
    if (rule.match.zones?.every((zone) => rule.match.outside?.includes(zone)))
      faults.push({
        path: `rules[${i}].match`,
        expected: 'expected a rule that can match',
        found: 'each of its zones is in outside, too',
      })
    const before = rules.findIndex((other) => other && other !== rule && includes(other.match, rule.match, kinds))
    if (before >= 0 && before < i)
      faults.push({
        path: `rules[${i}]`,
        expected: `expected a rule that can be reached`,
        found: `rules[${before}] (${rules[before]?.id}) matches all that it matches`,
      })
  })
  const last = rules.at(-1)
  if (last && Object.values(last.match).some((condition) => condition !== undefined))
    faults.push({
      path: `rules[${rules.length - 1}].match`,
      expected: 'expected {}: the last rule must match everything, so that each mile has exactly one outcome',
      found: JSON.stringify(last.match),
    })
  return faults
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

/** Ids of the caps, the rules that they name, and no rule under two caps: their credits would add up to more than was charged. */
export function capFaults(caps: readonly (PolicyCap | null)[], rules: readonly (PolicyRule | null)[]): Fault[] {
  const faults: Fault[] = []
  const known = new Set(rules.flatMap((rule) => rule?.id ?? []))
  const readable = rules.every((rule) => rule !== null)
  caps.forEach((cap, i) => {
    if (!cap) return
    const twin = caps.findIndex((other) => other?.id === cap.id)
    if (twin < i)
      faults.push({ path: `caps[${i}].id`, expected: `expected an id that caps[${twin}] does not have`, found: cap.id })
    cap.rules?.forEach((rule, k) => {
      if (readable && !known.has(rule))
        faults.push({ path: `caps[${i}].rules[${k}]`, expected: oneOf(known), found: rule })
    })
    const rival = caps.findIndex(
      (other, k) => k < i && other && (!cap.rules || !other.rules || cap.rules.some((r) => other.rules?.includes(r))),
    )
    if (rival >= 0)
      faults.push({
        path: `caps[${i}].rules`,
        expected: `expected rules that caps[${rival}] does not count`,
        found: cap.rules ? cap.rules.join(', ') : 'every rule',
      })
  })
  return faults
}

const oneOf = (ids: ReadonlySet<string>): string =>
  ids.size ? `expected one of ${[...ids].slice(0, 8).join(', ')}${ids.size > 8 ? ', ...' : ''}` : 'expected none'

/** Whether `wide` matches whatever `narrow` matches, condition by condition. */
function includes(wide: PolicyMatch, narrow: PolicyMatch, kinds: number): boolean {
  const superset = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined) =>
    !a || (b !== undefined && b.every((item) => a.includes(item)))
  return (
    superset(wide.zones, narrow.zones) &&
    (wide.outside ?? []).every((zone) => narrow.outside?.includes(zone)) &&
    superset(wide.roadClasses, narrow.roadClasses) &&
    superset(wide.access, narrow.access) &&
    superset(wide.vehicleClasses, narrow.vehicleClasses) &&
    (!wide.times ||
      (narrow.times !== undefined && spans(bandIntervals(wide.times, kinds), bandIntervals(narrow.times, kinds))))
  )
}

/** Whether each minute of `inner` is in `outer`. */
function spans(outer: Interval[], inner: readonly Interval[]): boolean {
  const sorted = outer.sort((a, b) => a.from - b.from)
  return inner.every(({ from, to }) => {
    let reached = from
    for (const band of sorted) if (band.from <= reached && band.to > reached) reached = band.to
    return reached >= to
  })
}
