import { type PolicyDocument } from '#contracts'
import { digest, instant, type Digest, type Instant, type Interval } from '#kernel'

/** Content of a policy: equal documents give equal digests, whatever the order of their keys. */
export const policyDigest = (policy: PolicyDocument): Digest => digest(policy)

const validities = new WeakMap<PolicyDocument, Interval>()

/** When a policy is in force if no later one starts: [startsAt, endsAt), `to` is Infinity where no end is set. */
export function validityOf(policy: PolicyDocument): Interval {
  let validity = validities.get(policy)
  if (!validity) {
    validity = {
      from: instant(Date.parse(policy.startsAt)),
      to: policy.endsAt === undefined ? Infinity : instant(Date.parse(policy.endsAt)),
    }
    validities.set(policy, validity)
  }
  return validity
}

/**
 * The policy in force at a moment: the latest that has started, unless it has ended; the one it superseded does not come
 * back. Of two that start at the same moment the one with the greater id is taken, whatever their order in the list, so
 * that all readers agree. null where none is in force.
 */
export function policyInForce(policies: readonly PolicyDocument[], at: Instant): PolicyDocument | null {
  let latest: PolicyDocument | null = null
  let latestFrom = -Infinity
  for (const policy of policies) {
    const { from } = validityOf(policy)
    if (from > at || from < latestFrom) continue
    if (latest && from === latestFrom && policy.id < latest.id) continue
    latest = policy
    latestFrom = from
  }
  return latest && at < validityOf(latest).to ? latest : null
}

/** All of time cut where the policy in force changes: [from, to) each, the first from -Infinity, the last to Infinity. */
export function policySpans(policies: readonly PolicyDocument[]): (Interval & { policy: PolicyDocument | null })[] {
  const cuts = new Set(policies.flatMap((policy) => [validityOf(policy).from, validityOf(policy).to]))
  cuts.add(Infinity)
  let from = -Infinity
  return [...cuts]
    .sort((a, b) => a - b)
    .map((to) => {
      const span = { from, to, policy: from === -Infinity ? null : policyInForce(policies, instant(from)) }
      from = to
      return span
    })
}
