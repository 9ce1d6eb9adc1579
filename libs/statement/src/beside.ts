import { type Comparison, type PolicyDocument, type RateChange } from '#contracts'
import { divideHalfEven, formatMicros, instant, KILOMETRE_MM, micros, MILE_MM } from '#kernel'
import { amountOf, describePolicy, localClock, policyInForce, validityOf, type Language } from '#policy'

/** A change of tariff within a month, with the two policies. */
export interface Takeover {
  readonly before: PolicyDocument
  readonly after: PolicyDocument
  readonly change: RateChange
}

/** The policies that took over from another within the month, each with what it says differently. */
export function takeoversIn(policies: readonly PolicyDocument[], terms: PolicyDocument, month: string): Takeover[] {
  const { from, to } = localClock(terms.timeZone).spanOf(month)
  return policies
    .filter((policy) => from <= validityOf(policy).from && validityOf(policy).from < to)
    .sort((a, b) => validityOf(a).from - validityOf(b).from)
    .flatMap((after) => {
      const start = validityOf(after).from
      const before = policyInForce(policies, instant(start - 1))
      if (!before) return []
      const said = saidDifferently(before, after, 'en')
      if (said.was.length + said.now.length === 0) return []
      const day = localClock(after.timeZone).day(instant(start))
      const es = saidDifferently(before, after, 'es')
      return [{ before, after, change: { from: day, policy: after.id, replaced: before.id, ...said, es } }]
    })
}

function saidDifferently(before: PolicyDocument, after: PolicyDocument, language: Language) {
  const [old, fresh] = [describePolicy(before, language), describePolicy(after, language)]
  return {
    was: old.filter((sentence) => !fresh.includes(sentence)),
    now: fresh.filter((sentence) => !old.includes(sentence)),
  }
}

/** What the distance of a month would have cost under what the policy names to compare with, half to even. */
export function comparisonsFor({ billing, currency }: PolicyDocument, drivenMm: number): Comparison[] {
  const { flatFee, fuelTax } = billing.comparison ?? {}
  const comparisons: Comparison[] = []
  if (flatFee)
    comparisons.push({
      kind: 'flat-fee',
      name: flatFee.name,
      amount: amountOf(flatFee.perMonth),
      because: `${flatFee.perMonth} ${currency} a month, whatever is driven`,
      terms: { amount: flatFee.perMonth, per: 'month' },
    })
  if (fuelTax) {
    const [perMm, distance] = fuelTax.per === 'gallon' ? [MILE_MM, 'miles'] : [KILOMETRE_MM, 'kilometres']
    const rate = amountOf(fuelTax.amount)
    // mm / (mm per unit of distance) / (units of distance per unit of fuel) * money per unit of fuel; the economy has six decimals
    const amount = divideHalfEven(BigInt(drivenMm) * rate * 1_000_000n, BigInt(perMm) * amountOf(fuelTax.economy))
    comparisons.push({
      kind: 'fuel-tax',
      name: fuelTax.name,
      amount: micros(amount),
      because: `${formatMicros(rate)} ${currency} a ${fuelTax.per} at ${fuelTax.economy} ${distance} a ${fuelTax.per}`,
      terms: { amount: fuelTax.amount, per: fuelTax.per, economy: fuelTax.economy },
    })
  }
  return comparisons
}
