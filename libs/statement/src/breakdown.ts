import { type CapCredit, type Journey, type Rate, type Statement } from '#contracts'
import { micros, type Micros } from '#kernel'
import { dayOfCredit } from './credits'
import { isAdjustment } from './draft'
import { type Words } from './words'

/** All lines of a statement under one rule of one policy. */
export interface RuleShare {
  readonly key: string
  readonly name: string
  /** null where the rule is free. */
  readonly rate: Rate | null
  readonly distanceMm: number
  readonly amount: Micros
}

export interface DayShare {
  readonly day: string
  readonly journeys: readonly Journey[]
  readonly credits: readonly CapCredit[]
  readonly distanceMm: number
  /** Journeys and credits together. */
  readonly amount: Micros
  /** Charged amounts, by key of their rule. */
  readonly byRule: ReadonlyMap<string, bigint>
}

/** Where the charged money went: the rules that charged, dearest sum first. */
export function ruleShares({ journeys }: Statement): RuleShare[] {
  const shares = new Map<string, RuleShare>()
  for (const { lines } of journeys)
    for (const line of lines) {
      if (!line.rate) continue
      const key = `${line.policy}/${line.rule}`
      const { distanceMm, amount } = shares.get(key) ?? { distanceMm: 0, amount: 0n }
      shares.set(key, {
        key,
        name: line.ruleName,
        rate: line.rate,
        distanceMm: distanceMm + line.distanceMm,
        amount: micros(amount + line.amount),
      })
    }
  return [...shares.values()].sort((a, b) =>
    a.amount < b.amount ? 1 : a.amount > b.amount ? -1 : a.key < b.key ? -1 : 1,
  )
}

/**
 * The month's journeys and credits by local day, in order. Adjustments for earlier months are not among them, nor what accrues
 * over longer spans than a day.
 */
export function dayShares(statement: Statement, words: Words): DayShare[] {
  const days = new Map<string, { journeys: Journey[]; credits: CapCredit[] }>()
  const at = (day: string) => {
    let share = days.get(day)
    if (!share) days.set(day, (share = { journeys: [], credits: [] }))
    return share
  }
  for (const journey of statement.journeys)
    if (!isAdjustment(journey, statement)) at(words.dayOf(journey.startedAt)).journeys.push(journey)
  const startedOn = new Map(statement.journeys.map(({ trip, startedAt }) => [trip, words.dayOf(startedAt)]))
  for (const credit of statement.capCredits) {
    const day = dayOfCredit(credit, startedOn)
    if (day !== null && credit.amount !== 0n && !isAdjustment(credit, statement)) at(day).credits.push(credit)
  }
  return [...days]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, { journeys, credits }]) => {
      const byRule = new Map<string, bigint>()
      let distanceMm = 0
      for (const line of journeys.flatMap(({ lines }) => lines)) {
        distanceMm += line.distanceMm
        const key = `${line.policy}/${line.rule}`
        byRule.set(key, (byRule.get(key) ?? 0n) + line.amount)
      }
      const amount = micros([...journeys, ...credits].reduce((sum, item) => sum + item.amount, 0n))
      return { day, journeys, credits, distanceMm, amount, byRule }
    })
}
