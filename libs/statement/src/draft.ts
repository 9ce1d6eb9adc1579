import {
  type CapCredit,
  type Charge,
  type CorrectedJourney,
  type Journey,
  type MileageAccount,
  type PolicyDocument,
  type RatedVehicle,
  type Statement,
  type StatementLine,
  type StatementTotals,
  type VehicleClass,
  type VehicleProfile,
} from '#contracts'
import {
  deriveId,
  digest,
  InputError,
  instant,
  invariant,
  micros,
  millimetres,
  NO_MONEY,
  toCoin,
  type AccountId,
  type AgencyId,
  type Digest,
  type Instant,
  type Micros,
  type PolicyId,
  type StatementId,
  type TripId,
  type VehicleId,
} from '#kernel'
import {
  accrualsOf,
  amountOf,
  dayText,
  describeHours,
  localClock,
  policyDigest,
  policyInForce,
  validityOf,
} from '#policy'
import { earningsOf, type Earned } from '#rating'
import { pastOf, type BilledCredit } from './credits'
import { comparisonsFor, takeoversIn } from './beside'

/** A trip that no statement holds yet, and what it costs. */
export interface BilledTrip {
  readonly trip: TripId
  readonly vehicle: VehicleId
  readonly startedAt: Instant
  readonly endedAt: Instant
  /** Digest of its charge report, and who made that from what. */
  readonly report: Digest
  readonly engine: string
  readonly network: Digest
  /** What was known of the vehicle when the trip began. */
  readonly profile?: VehicleProfile
  readonly charges: readonly Charge[]
}

/** A trip of an earlier statement as it is priced now, and as it was. */
export interface CorrectedTrip extends BilledTrip {
  readonly dispute: string
  readonly revision: number
  readonly because: string
  readonly vehicleClass?: VehicleClass
  readonly was: readonly Charge[]
}

export interface StatementInput {
  readonly agency: { readonly id: AgencyId; readonly name: string; readonly contact?: string }
  readonly account: { readonly id: AccountId; readonly name: string }
  /** `2026-10`. */
  readonly month: string
  /** Every policy that a charge names and the one in force at the end of the month, which sets the terms of billing. */
  readonly policies: readonly PolicyDocument[]
  /** Every vehicle that a trip names. `name` is what its owner calls it. */
  readonly vehicles: readonly (RatedVehicle & { readonly name: string })[]
  readonly trips: readonly BilledTrip[]
  readonly capCredits: readonly BilledCredit[]
  /** Mileage accounts as they were settled for this statement; none where nobody reads an odometer. */
  readonly mileage?: readonly MileageAccount[]
  /** Trips that were corrected since; none where nobody was right. */
  readonly corrections?: readonly CorrectedTrip[]
  readonly draftedAt: Instant
}

/**
 * The statement of one account and month. The same input in any order gives the same bytes. The amount is rounded once,
 * to the coin, half to even; the residue is stated.
 * Throws InputError NO_POLICY where there is nothing to bill by, and CURRENCY where policies disagree on it.
 */
export function draftStatement(input: StatementInput): Statement {
  const { agency, account, month, draftedAt } = input
  const terms = billingTerms(input.policies, month)
  const { currency, timeZone, billing } = terms
  const clock = localClock(timeZone)
  const policies = new Map(input.policies.map((policy) => [policy.id as PolicyId, policy]))
  const vehicles = [...input.vehicles].sort((a, b) => order(a.vehicle, b.vehicle))
  const known = new Set(vehicles.map(({ vehicle }) => vehicle))

  const journeys = input.trips
    .map((trip) => {
      invariant(known.has(trip.vehicle), `trip ${trip.trip} is of vehicle ${trip.vehicle}, which the account has not`)
      const journey = journeyOf(trip, clock.month(trip.startedAt), policies)
      invariant(journey.month <= month, `trip ${trip.trip} is of ${journey.month}, after the statement of ${month}`)
      return journey
    })
    .sort((a, b) => a.startedAt - b.startedAt || order(a.trip, b.trip))
  const corrections = (input.corrections ?? [])
    .map((trip) => correctedOf(trip, clock.month(trip.startedAt), policies))
    .sort((a, b) => a.startedAt - b.startedAt || order(a.trip, b.trip) || a.revision - b.revision)
  const months = new Map([...journeys, ...corrections].map((journey) => [journey.trip, journey.month]))
  /** A year has many months: what changes in it now belongs to this one. */
  const monthOf = ({ span }: BilledCredit) => months.get(span) ?? (/^\d{4}-\d\d/.test(span) ? span.slice(0, 7) : month)
  const capCredits = input.capCredits
    // A window of which earlier statements hold something is said also where nothing changes: what comes next rests on it.
    .filter(({ amount, before }) => amount !== 0n || before.gross !== 0n)
    .map((credit) => creditOf(credit, monthOf(credit), policies))
    .sort((a, b) => order(a.span, b.span) || order(a.vehicle, b.vehicle) || order(a.policy + a.cap, b.policy + b.cap))
  const mileage = [...(input.mileage ?? [])].sort((a, b) => order(a.vehicle, b.vehicle) || order(a.month, b.month))
  const charged = [
    ...[...journeys, ...mileage].flatMap<{ policy: string }>(({ lines }) => lines),
    ...corrections.flatMap(({ lines, was }) => [...lines, ...was]),
  ]

  const takeovers = takeoversIn([...policies.values()], terms, month)
  const told = new Set([terms, ...takeovers.flatMap(({ before, after }) => [before, after])])
  const used = [...new Set([terms, ...policies.values()])].filter(
    (policy) => told.has(policy) || charged.some((line) => line.policy === policy.id),
  )
  const totals = totalsOf(journeys, capCredits, mileage, corrections, month, amountOf(billing.coin), policies)
  const comparisons = comparisonsFor(terms, totals.chargedMm + totals.freeMm)
  const draftedOn = clock.dayNumber(draftedAt)
  return {
    v: 1,
    id: deriveId<StatementId>('statement', agency.id, account.id, month),
    agency,
    account,
    month,
    currency,
    coin: billing.coin,
    unit: billing.unit,
    timeZone,
    draftedAt,
    reviewUntil: dayText(draftedOn + billing.reviewDays),
    dueOn: dayText(draftedOn + billing.reviewDays + billing.dueDays),
    vehicles: vehicles.map(({ vehicle, name, vehicleClass }) => ({ vehicle, name, vehicleClass })),
    journeys,
    capCredits,
    ...(mileage.length > 0 ? { mileage } : {}),
    ...(corrections.length > 0 ? { corrections } : {}),
    totals,
    ...(takeovers.length > 0 ? { rateChanges: takeovers.map(({ change }) => change) } : {}),
    ...(comparisons.length > 0 ? { comparisons } : {}),
    ...(billing.retentionDays === undefined ? {} : { retentionDays: billing.retentionDays }),
    madeBy: {
      engines: [...new Set([...journeys, ...corrections].map(({ engine }) => engine))].sort(),
      networks: [...new Set([...journeys, ...corrections].map(({ network }) => network))].sort(),
      policies: used.map(namesOf).sort((a, b) => order(a.id, b.id)),
    },
  }
}

/** What is sealed, proven and published: the digest of the canonical document. */
export const statementDigest = (statement: Statement): Digest => digest(statement)

/** The month of a journey or a credit was closed before it arrived. */
export const isAdjustment = (item: { readonly month: string }, statement: { readonly month: string }): boolean =>
  item.month < statement.month

/** The policy whose currency, unit, coin, clock and dates a month is billed by: in force at its end, else the last that began. */
export function billingTerms(policies: readonly PolicyDocument[], month: string): PolicyDocument {
  const byStart = [...policies].sort((a, b) => validityOf(a).from - validityOf(b).from || order(a.id, b.id))
  const latest = byStart.at(-1)
  if (!latest) throw new InputError('NO_POLICY', `no policy is known for the statement of ${month}`)
  const stranger = byStart.find((policy) => policy.currency !== latest.currency)
  if (stranger)
    throw new InputError(
      'CURRENCY',
      `policy ${stranger.id} is in ${stranger.currency} and policy ${latest.id} in ${latest.currency}: a statement has one currency`,
    )
  const begun = byStart.filter((policy) => validityOf(policy).from < localClock(policy.timeZone).spanOf(month).to)
  const last = begun.at(-1) ?? byStart[0]
  return policyInForce(begun, instant(localClock(last.timeZone).spanOf(month).to - 1)) ?? last
}

function correctedOf(
  { dispute, revision, because, vehicleClass, was, ...trip }: CorrectedTrip,
  month: string,
  policies: ReadonlyMap<PolicyId, PolicyDocument>,
): CorrectedJourney {
  const now = journeyOf(trip, month, policies)
  const before = linesOf({ ...trip, charges: was }, policies)
  return {
    ...now,
    dispute,
    revision,
    because,
    ...(vehicleClass && { vehicleClass }),
    was: before,
    amount: micros(now.amount - sum(before.map(({ amount }) => amount))),
  }
}

const FREE_RULES: Readonly<Record<string, string>> = {
  voided: 'Voided on review',
  corrected: 'Corrected',
  'in-doubt': 'In doubt',
}

const linesOf = (trip: BilledTrip, policies: ReadonlyMap<PolicyId, PolicyDocument>): StatementLine[] =>
  trip.charges.map((charge) => {
    const rule = policies.get(charge.policy)?.rules.find(({ id }) => id === charge.rule)
    invariant(
      rule || charge.policy === '',
      `trip ${trip.trip} is charged by ${charge.policy}/${charge.rule}: not given`,
    )
    return {
      policy: charge.policy,
      rule: charge.rule,
      ruleName: rule?.name ?? FREE_RULES[charge.rule] ?? 'No policy in force',
      roadClass: charge.roadClass,
      zones: [...charge.zones],
      day: charge.day,
      distanceMm: charge.distanceMm,
      inferredMm: charge.inferredMm,
      rate: charge.rate && { micros: charge.rate.micros, per: charge.rate.per },
      freeReason: charge.freeReason,
      ...(charge.count !== undefined && { count: charge.count }),
      amount: charge.amount,
    }
  })

function journeyOf(trip: BilledTrip, month: string, policies: ReadonlyMap<PolicyId, PolicyDocument>): Journey {
  const lines = linesOf(trip, policies)
  const { startedAt, endedAt, vehicle, report, engine, network, profile } = trip
  return {
    trip: trip.trip,
    vehicle,
    month,
    startedAt,
    endedAt,
    report,
    engine,
    network,
    ...(profile && { profile }),
    lines,
    amount: sum(lines.map(({ amount }) => amount)),
  }
}

function creditOf(credit: BilledCredit, month: string, policies: ReadonlyMap<PolicyId, PolicyDocument>): CapCredit {
  const { policy, cap, vehicle, span, before, amount } = credit
  const document = policies.get(policy)
  const accrual = document && accrualsOf(document).find(({ id }) => id === cap)
  invariant(accrual, `a credit names ${policy}/${cap}: not given`)
  const limit = 'amount' in accrual.terms ? accrual.terms.amount : NO_MONEY
  return { policy, cap, capName: accrual.name, vehicle, month, span, limit, ...pastOf(before), amount }
}

function totalsOf(
  journeys: readonly Journey[],
  capCredits: readonly CapCredit[],
  mileage: readonly MileageAccount[],
  corrections: readonly CorrectedJourney[],
  month: string,
  coin: bigint,
  policies: ReadonlyMap<PolicyId, PolicyDocument>,
): StatementTotals {
  const free = new Map<string, number>()
  const earned = new Map<string, bigint>()
  const earn = ({ jurisdiction, amount }: Earned) => earned.set(jurisdiction, (earned.get(jurisdiction) ?? 0n) + amount)
  let chargedMm = 0
  let freeMm = 0
  let inferredMm = 0
  const addFree = (reason: string, mm: number) => {
    freeMm += mm
    free.set(reason, (free.get(reason) ?? 0) + mm)
  }
  for (const { lines } of journeys)
    for (const line of lines) {
      inferredMm += line.inferredMm
      if (line.rate) chargedMm += line.distanceMm
      else addFree(line.freeReason ?? '', line.distanceMm)
      const policy = policies.get(line.policy as PolicyId)
      if (policy) earningsOf({ ...line, policy: line.policy as PolicyId }, policy).forEach(earn)
    }
  const earnOf = (line: StatementLine, amount: Micros) => {
    const policy = policies.get(line.policy as PolicyId)
    if (policy) earningsOf({ ...line, policy: line.policy as PolicyId, amount }, policy).forEach(earn)
  }
  for (const { lines, was } of corrections) {
    for (const line of lines) earnOf(line, line.amount)
    for (const line of was) earnOf(line, micros(-line.amount))
  }
  for (const { policy, cap, amount } of capCredits) {
    const { jurisdiction } = accrualsOf(policies.get(policy as PolicyId)!).find(({ id }) => id === cap)!
    earn({ jurisdiction, amount })
  }
  let mileageMm = 0
  let estimatedMm = 0
  for (const account of mileage)
    for (const line of account.lines) {
      const jurisdiction = policies.get(line.policy as PolicyId)?.jurisdiction
      if (jurisdiction !== undefined) earn({ jurisdiction, amount: line.amount })
      // An earlier month's miles were counted on its own statement; here only what they cost has changed.
      if (isAdjustment(account, { month })) continue
      mileageMm += line.distanceMm
      estimatedMm += line.estimatedMm
      if (line.kind === 'permit') addFree('time permit', line.distanceMm)
      else if (line.rate) chargedMm += line.distanceMm
      else addFree(line.freeReason ?? '', line.distanceMm)
    }

  const current = (item: { readonly month: string }) => !isAdjustment(item, { month })
  const read = mileage.map((account) => ({
    month: account.month,
    amount: sum(account.lines.map((line) => line.amount)),
  }))
  const charges = sum([...journeys, ...read].filter(current).map(({ amount }) => amount))
  const credits = sum(capCredits.filter(current).map(({ amount }) => amount))
  const exact = sum([...journeys, ...read, ...capCredits, ...corrections].map(({ amount }) => amount))
  const due = toCoin(exact, coin)
  return {
    trips: journeys.length,
    chargedMm: millimetres(chargedMm),
    freeMm: millimetres(freeMm),
    inferredMm: millimetres(inferredMm),
    freeByReason: [...free]
      .map(([reason, mm]) => ({ reason, distanceMm: millimetres(mm) }))
      .sort((a, b) => b.distanceMm - a.distanceMm || order(a.reason, b.reason)),
    ...(mileage.length > 0 ? { mileageMm: millimetres(mileageMm), estimatedMm: millimetres(estimatedMm) } : {}),
    charges,
    credits,
    adjustments: micros(exact - charges - credits),
    exact,
    rounding: micros(due - exact),
    due,
    byJurisdiction: [...earned]
      .map(([jurisdiction, amount]) => ({ jurisdiction, amount: micros(amount) }))
      .sort((a, b) => order(a.jurisdiction, b.jurisdiction)),
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const sum = (amounts: readonly bigint[]): Micros => micros(amounts.reduce((a, b) => a + b, 0n))

type PolicyNames = Statement['madeBy']['policies'][number]

/** Policies never change, and closing a month drafts the same ones into every statement. */
const names = new WeakMap<PolicyDocument, PolicyNames>()
function namesOf(policy: PolicyDocument): PolicyNames {
  let known = names.get(policy)
  if (!known) {
    const { id, name, jurisdiction, zones, rules } = policy
    const hours = rules.flatMap((rule): [string, string][] => {
      const said = describeHours(rule)
      return said === null ? [] : [[rule.id, said]]
    })
    known = {
      id,
      name,
      digest: policyDigest(policy),
      jurisdiction,
      zones: Object.fromEntries(Object.entries(zones).map(([zone, { name }]) => [zone, name])),
      // Absent where no rule tells hours apart.
      ...(hours.length > 0 && { hours: Object.fromEntries(hours) }),
    }
    names.set(policy, known)
  }
  return known
}
