import { type ChargeReport, type Rate, type RatedVehicle } from '#contracts'
import { type Instant, type PolicyId } from '#kernel'
import { type CompiledPolicy } from './compile'
import { IN_DOUBT, NO_POLICY } from './rate'

/** What prices a stretch by its distance. */
export interface StretchPrice {
  readonly policy: PolicyId
  readonly rule: string
  readonly rate: Rate | null
  readonly freeReason: string | null
  /** It is the price of a rival road, which is cheaper than the one that the stretch is on. */
  readonly isOfRival: boolean
}

/**
 * The rule of distance of each stretch of a trip, in their order: the same that `rate` adds its lines up by (the property in
 * stretches.spec.ts). Flat prices are of crossings and trips, not of stretches, so they aren't here.
 */
export function priceStretches(
  { stretches }: Pick<ChargeReport, 'stretches'>,
  vehicle: RatedVehicle,
  policyAt: (at: Instant) => CompiledPolicy | null,
): StretchPrice[] {
  return stretches.map(({ enteredAt, roadClass, access, zones, inDoubt, rival }) => {
    const policy = policyAt(enteredAt)
    if (!policy) return { ...NO_POLICY, rate: null, isOfRival: false }
    policy.turnTo(vehicle)
    policy.look(enteredAt, roadClass, access)
    const driven = policy.rules[policy.ruleOf(policy.zoneSets.numberOf(zones))]
    if (inDoubt && driven.rate) return { ...IN_DOUBT, rate: null, isOfRival: false }
    const other = rival ? policy.rules[policy.ruleOf(policy.turnToRival(enteredAt, rival))] : driven
    const isOfRival = other.dearness < driven.dearness
    const { id, rate, freeReason } = isOfRival ? other : driven
    return { policy: policy.id, rule: id, rate, freeReason, isOfRival }
  })
}
