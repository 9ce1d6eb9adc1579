import { type PolicyDocument } from '#contracts'
import { formatMicros, KILOMETRE_MM, MILE_MM, type Fault, type Micros } from '#kernel'
import { validityOf } from './in-force'
import { readPolicy } from './parse'
import { rateOfRule } from './rules'
import { type Language, type PolicyWords, WORDS } from './words'

/** Something that may be meant: a person answers it before the policy is submitted. */
export interface Question {
  readonly path: string
  readonly question: string
}

export interface PolicyCheck {
  /** null where there are faults that keep it from being read. */
  readonly policy: PolicyDocument | null
  readonly faults: readonly Fault[]
  readonly questions: readonly Question[]
}

/** A rate this many times the last, or this part of it, is a slip of the unit unless somebody says that it isn't. */
const SLIP = 10n

/**
 * Checks a document before anybody approves it: every fault at once, and what may be a slip. `published` are the agency's
 * other policies: what is asked is asked against the last of them that starts before this one.
 */
export function checkPolicy(
  value: unknown,
  published: readonly PolicyDocument[] = [],
  language: Language = 'en',
): PolicyCheck {
  const words = WORDS[language]
  const { policy, faults } = readPolicy(value)
  if (!policy) return { policy, faults, questions: [] }
  const others = published.filter(({ id }) => id !== policy.id)
  const { from } = validityOf(policy)
  const before = others
    .filter((other) => validityOf(other).from < from)
    .sort((a, b) => validityOf(a).from - validityOf(b).from)
    .at(-1)
  return {
    policy,
    faults: overlapFaults(policy, others),
    questions: [...(before ? rateQuestions(policy, before, words) : []), ...holidayQuestions(policy, words)],
  }
}

/**
 * Times that overlap where nobody said that they should: a later policy takes over from an earlier one that is open-ended or
 * that it supersedes by name, but a stated end is a promise.
 */
function overlapFaults(policy: PolicyDocument, others: readonly PolicyDocument[]): Fault[] {
  const { from, to } = validityOf(policy)
  return others.flatMap((other): Fault[] => {
    const theirs = validityOf(other)
    if (theirs.from < from && from < theirs.to && theirs.to !== Infinity && !policy.supersedes?.includes(other.id))
      return [
        {
          path: 'startsAt',
          expected: `expected a moment from the end of policy ${other.id} on (${other.endsAt}), or "${other.id}" in supersedes`,
          found: policy.startsAt,
        },
      ]
    if (from < theirs.from && theirs.from < to && to !== Infinity && !other.supersedes?.includes(policy.id))
      return [
        {
          path: 'endsAt',
          expected: `expected a moment up to the start of policy ${other.id} (${other.startsAt})`,
          found: policy.endsAt!,
        },
      ]
    return []
  })
}

function rateQuestions(policy: PolicyDocument, before: PolicyDocument, words: PolicyWords): Question[] {
  if (policy.currency !== before.currency) return []
  const prices = (of: PolicyDocument) =>
    of.rules.flatMap((rule, i) => {
      const rate = rateOfRule(rule, of.rules)
      if (!rate) return []
      // Miles and km on one scale: what 1,609,344 km cost.
      const scale = BigInt(rate.per === 'mile' ? KILOMETRE_MM : rate.per === 'km' ? MILE_MM : 1)
      return { id: rule.id, path: `rules[${i}].price`, rate, comparable: rate.micros * scale }
    })
  const sort = (per: string) => (per === 'mile' ? 'km' : per)
  const old = prices(before)
  return prices(policy).flatMap(({ id, path, rate, comparable }): Question[] => {
    const same = old.filter((other) => sort(other.rate.per) === sort(rate.per))
    const named = same.find((other) => other.id === id)
    const beyond = named ? [named] : same.every((other) => slips(comparable, other.comparable)) ? same.slice(0, 1) : []
    const [then] = beyond
    if (!then || !slips(comparable, then.comparable)) return []
    const says = (amount: Micros, per: string) =>
      words.perUnit(`${formatMicros(amount)} ${policy.currency}`, words.names[per] ?? per)
    return [
      {
        path,
        question: words.isMeant(
          says(rate.micros, rate.per),
          says(then.rate.micros, then.rate.per),
          named ? null : `${before.id}, ${then.id}`,
        ),
      },
    ]
  })
}

const slips = (now: bigint, then: bigint): boolean => now >= then * SLIP || now * SLIP <= then

function holidayQuestions({ holidays, endsAt, rules }: PolicyDocument, words: PolicyWords): Question[] {
  const last = holidays?.dates?.at(-1)
  if (!last || endsAt !== undefined || !rules.some(({ match }) => match.times)) return []
  return [{ path: 'holidays', question: words.noHoliday(last) }]
}
