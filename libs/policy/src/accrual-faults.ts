import { type PolicyRule } from '#contracts'
import { formatMicros, type Fault } from '#kernel'
import { type Accrual } from './accruals'
import { isEvent, oneOf } from './rules'

const SPANS = ['trip', 'day', 'month', 'year'] as const

/**
 * What is wrong with accruals, given in the order in which they are applied: ids, the rules that they name, scopes that
 * overlap without one holding the other, longer caps below shorter ones, steps out of order, more fuel tax back than was paid.
 */
export function accrualFaults(accruals: readonly Accrual[], rules: readonly (PolicyRule | null)[]): Fault[] {
  const faults: Fault[] = []
  const readable = rules.every((rule) => rule !== null)
  const read = rules.filter((rule) => rule !== null)
  const known = new Set(read.map(({ id }) => id))
  const written = [...accruals].sort((a, b) => (a.path < b.path ? -1 : 1))
  for (const [i, accrual] of written.entries()) {
    const twin = written.slice(0, i).find(({ id }) => id === accrual.id)
    if (twin)
      faults.push({
        path: `${accrual.path}.id`,
        expected: `expected an id that ${twin.path} does not have`,
        found: accrual.id,
      })
    if (readable)
      [...(accrual.rules ?? [])].forEach((rule, k) => {
        if (!known.has(rule)) faults.push({ path: `${accrual.path}.rules[${k}]`, expected: oneOf(known), found: rule })
        else if (accrual.terms.kind === 'transfer' && !isEvent(read.find(({ id }) => id === rule)!, read))
          faults.push({ path: `${accrual.path}.rules[${k}]`, expected: 'expected a rule with a price per entry or trip', found: rule }) // prettier-ignore
      })
    if (readable && accrual.terms.kind === 'transfer' && !accrual.rules && !read.some((rule) => isEvent(rule, read)))
      faults.push({ path: accrual.path, expected: 'expected rules with a price per entry or trip', found: 'none' })
    if (accrual.terms.kind === 'tiers') {
      const { steps } = accrual.terms
      const bad = steps.findIndex(({ aboveMm }, k) => k > 0 && aboveMm <= steps[k - 1].aboveMm)
      if (bad > 0)
        faults.push({
          path: `${accrual.path}.steps[${bad}].above`,
          expected: 'expected more than the step before it',
          found: `${steps[bad].aboveMm} mm after ${steps[bad - 1].aboveMm} mm`,
        })
    }
  }
  accruals.forEach((later, l) => {
    for (const earlier of accruals.slice(0, l)) {
      const fault = between(earlier, later)
      if (fault) faults.push(fault)
    }
  })
  return faults
}

/** What is wrong between two accruals of which the later counts what the earlier left. */
function between(earlier: Accrual, later: Accrual): Fault | null {
  const shared = !earlier.rules || !later.rules || [...earlier.rules].some((rule) => later.rules?.has(rule))
  // A discount is a part of each charge by itself.
  if (!shared || earlier.terms.kind === 'discount') return null
  const whole = !later.rules || (earlier.rules !== null && [...earlier.rules].every((rule) => later.rules!.has(rule)))
  const scope = (rules: Accrual['rules']) => (rules ? [...rules].join(', ') : 'every rule')
  if (!whole)
    return {
      path: `${later.path}.rules`,
      expected: `expected all rules that ${earlier.path} counts (${scope(earlier.rules)}), or none of them`,
      found: scope(later.rules),
    }
  const [a, b] = [earlier.terms, later.terms]
  const sameWhom = JSON.stringify(earlier.whom) === JSON.stringify(later.whom)
  if (later.whom && !sameWhom && (earlier.per === 'month' || earlier.per === 'year'))
    return {
      path: `${later.path}.for`,
      expected: `expected the vehicles that ${earlier.path} counts, or all: what a ${earlier.per} comes to has one owner`,
      found: JSON.stringify(later.whom),
    }
  if (!sameWhom) return null
  if (a.kind === 'fuel-credit' && b.kind === 'fuel-credit')
    return {
      path: later.path,
      expected: `expected no second credit for the fuel tax that ${earlier.path} gives back`,
      found: later.id,
    }
  const amounts = (bad: boolean, what: string): Fault | null =>
    bad && 'amount' in a && 'amount' in b
      ? {
          path: `${later.path}.amount`,
          expected: `expected ${what} (${formatMicros(a.amount)}, ${earlier.path})`,
          found: formatMicros(b.amount),
        }
      : null
  if (a.kind === 'cap' && b.kind === 'cap')
    return amounts(
      b.amount < a.amount && SPANS.indexOf(later.per) > SPANS.indexOf(earlier.per),
      `at least the cap of a ${earlier.per}`,
    )
  if (a.kind === 'minimum' && b.kind === 'cap')
    return amounts(b.amount < a.amount && later.per === earlier.per, `at least the minimum of a ${earlier.per}`)
  return null
}
