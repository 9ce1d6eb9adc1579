import { type Charge, type PolicyDocument, type Window } from '#contracts'
import { invariant, micros, type Micros, type PolicyId, type VehicleId } from '#kernel'
import { amountOf } from '#policy'
import { NO_POLICY } from './rate'

/** What one trip adds to a capped window, before the cap. */
export interface WindowGross {
  readonly window: Window
  /** The most that the window may come to. */
  readonly cap: Micros
  readonly gross: Micros
}

/**
 * The capped windows that the charges of one trip touch: for each cap of each policy and each span in which it has
 * charges, sorted by policy, cap and span. `policies` must hold every policy that the charges name.
 *
 * Keep the gross of each window over all its trips and post `capCredit(after) - capCredit(before)` as it changes: since
 * the credit is a function of the sum alone, what is posted in the end does not depend on the order of arrival.
 */
export function windowsOf(
  charges: readonly Charge[],
  vehicle: VehicleId,
  policies: readonly PolicyDocument[],
): WindowGross[] {
  const windows = new Map<string, { window: Window; cap: Micros; gross: bigint }>()
  for (const charge of charges) {
    if (charge.policy === NO_POLICY.policy || charge.amount === 0n) continue
    const policy = policies.find(({ id }) => id === charge.policy)
    invariant(policy, `no policy ${charge.policy} for a charge of trip ${charge.trip}`)
    for (const cap of policy.caps) {
      if (cap.rules && !cap.rules.includes(charge.rule)) continue
      const window = { policy: policy.id as PolicyId, cap: cap.id, vehicle, span: spanOf(cap.per, charge.day) }
      const key = `${window.policy} ${window.cap} ${window.span}`
      const known = windows.get(key)
      if (known) known.gross += charge.amount
      else windows.set(key, { window, cap: amountOf(cap.amount), gross: charge.amount })
    }
  }
  return [...windows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { window, cap, gross }]) => ({ window, cap, gross: micros(gross) }))
}

/** What a cap takes off a window that came to `gross`: zero or negative. */
export function capCredit(gross: Micros, cap: Micros): Micros {
  invariant(gross >= 0n && cap >= 0n, `a window of ${gross} under a cap of ${cap} micros`)
  return micros((gross < cap ? gross : cap) - gross)
}

function spanOf(per: PolicyDocument['caps'][number]['per'], day: string): string {
  switch (per) {
    case 'day':
      return day
  }
}
