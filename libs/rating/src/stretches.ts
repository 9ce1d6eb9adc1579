import { type ChargeReport, type PricedBy, type Rate, type RatedVehicle } from '#contracts'
import { type Instant, type PolicyId } from '#kernel'
import { type CompiledPolicy } from './compile'
import { IN_DOUBT, NO_POLICY } from './rate'

/** What prices a stretch by its distance. */
export interface StretchPrice {
  readonly policy: PolicyId
  readonly rule: string
  readonly rate: Rate | null
  readonly freeReason: string | null
  /** Whose price it is: of another road than its own only where that is cheaper. */
  readonly by: PricedBy
  /** Zones that it is priced in. */
  readonly zones: readonly string[]
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
  return stretches.map(({ enteredAt, roadClass, access, zones, inDoubt, ...others }) => {
    const free = { rate: null, by: 'road', zones } as const
    const policy = policyAt(enteredAt)
    if (!policy) return { ...NO_POLICY, ...free }
    policy.turnTo(vehicle)
    policy.look(enteredAt, roadClass, access)
    const set = policy.zoneSets.numberOf(zones)
    const own = { rule: policy.ruleOf(set), roadClass: policy.roadClass, set }
    if (inDoubt && policy.rules[own.rule].rate) return { ...IN_DOUBT, ...free }
    const priced = policy.cheapest(enteredAt, own, others)
    const { id, rate, freeReason } = policy.rules[priced.rule]
    return { policy: policy.id, rule: id, rate, freeReason, by: priced.by, zones: policy.zoneSets.zonesOf(priced.set) }
  })
}
