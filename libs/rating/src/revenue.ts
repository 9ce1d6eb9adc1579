import { type Charge, type PolicyDocument } from '#contracts'
import { invariant, micros, type Micros } from '#kernel'

/** What a jurisdiction has earned. */
export interface Earned {
  readonly jurisdiction: string
  readonly amount: Micros
}

/** Whose roads a stretch in these zones (sorted by id) is on: the first zone's that says so, else the policy's own. */
export const jurisdictionOf = (policy: PolicyDocument, zones: readonly string[]): string => {
  for (const zone of zones) {
    const jurisdiction = policy.zones[zone]?.jurisdiction
    if (jurisdiction !== undefined) return jurisdiction
  }
  return policy.jurisdiction
}

/**
 * Who earns a charge, to the micro: the parts that its rule names, or the jurisdiction that it was driven in. Charges that
 * no policy made earn nothing.
 */
export function earningsOf(
  charge: Pick<Charge, 'policy' | 'rule' | 'zones' | 'amount'>,
  policy: PolicyDocument,
): Earned[] {
  if (charge.amount === 0n) return []
  const rule = policy.rules.find(({ id }) => id === charge.rule)
  invariant(rule, `policy ${policy.id} has no rule ${charge.rule}`)
  if (!rule.revenue) return [{ jurisdiction: jurisdictionOf(policy, charge.zones), amount: charge.amount }]
  const parts = Object.entries(rule.revenue).sort(([a], [b]) => (a < b ? -1 : 1))
  const amounts = inParts(
    charge.amount,
    parts.map(([, part]) => part),
  )
  return parts.map(([jurisdiction], i) => ({ jurisdiction, amount: amounts[i] }))
}

/**
 * An amount in whole micros by weights, whose sum is the amount exactly: each gets its share rounded down, and what is left
 * goes to the largest remainders, the earlier first (Hamilton's method).
 */
export function inParts(amount: Micros, weights: readonly number[]): Micros[] {
  const all = weights.reduce((sum, weight) => sum + BigInt(weight), 0n)
  invariant(all > 0n, 'nothing to share by')
  const size = amount < 0n ? -amount : amount
  const parts = weights.map((weight) => (size * BigInt(weight)) / all)
  const remainders = weights.map((weight, i) => ({ i, left: (size * BigInt(weight)) % all }))
  remainders.sort((a, b) => (a.left > b.left ? -1 : a.left < b.left ? 1 : a.i - b.i))
  const rest = Number(size - parts.reduce((sum, part) => sum + part, 0n))
  for (const { i } of remainders.slice(0, rest)) parts[i] += 1n
  return parts.map((part) => micros(amount < 0n ? -part : part))
}
