import { type Charge, type PolicyDocument } from '#contracts'
import { formatMicros, KILOMETRE_MM, MILE_MM } from '#kernel'

/** A charge line in a sentence. `policy` is the one it names, null for a line without policy. */
export function explainCharge(charge: Charge, policy: PolicyDocument | null): string {
  const per = charge.rate?.per ?? policy?.billing.unit ?? 'km'
  const distance = `${(charge.distanceMm / (per === 'mile' ? MILE_MM : KILOMETRE_MM)).toFixed(3)} ${per === 'mile' ? 'mi' : 'km'}`
  const rule = policy?.rules.find(({ id }) => id === charge.rule)?.name ?? charge.rule
  const zones = charge.zones.map((id) => policy?.zones[id]?.name ?? id)
  const where = `${distance} on ${charge.roadClass.replace('_', ' ')} roads${zones.length ? ` in ${zones.join(' and ')}` : ''}`
  const price = charge.rate
    ? `"${rule}" at ${formatMicros(charge.rate.micros)} ${policy?.currency ?? ''} per ${per} = ${formatMicros(charge.amount)}`
    : `free: ${charge.freeReason}`
  return `${charge.day}: ${where}, ${price}`
}
