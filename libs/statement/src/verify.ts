import {
  type Charge,
  type Journey,
  type MileageAccount,
  type PolicyDocument,
  type PolicyRule,
  type RatedVehicle,
  type Statement,
  type StatementLine,
} from '#contracts'
import {
  formatMicros,
  micros,
  millimetres,
  type AccountId,
  type AgencyId,
  type Digest,
  type Fault,
  type PolicyId,
  type TripId,
  type VehicleId,
} from '#kernel'
import { isFor, localClock, rateOfRule, validityOf } from '#policy'
import { accruedMileage, chargedFor, jurisdictionOf, priceMileage, undone, type AccruedTrip } from '#rating'
import { creditsOf, windowsBeforeOf } from './credits'
import { billingTerms, draftStatement, type BilledTrip, type CorrectedTrip } from './draft'

/** More faults than this are not listed. */
export const FAULTS_MAX = 200

/**
 * Recomputes a statement from what was driven (the distances and rules of its lines) and the published policies, and
 * returns every difference; an empty list is a statement that adds up. Needs nothing but its arguments. A line does not
 * hold the access of the road nor the minute it was driven, so of a rule's conditions only zones, road class and
 * vehicle class are checked here. Throws InputError where the policies themselves can't bill a month (see draftStatement).
 */
export function verifyStatement(statement: Statement, policies: readonly PolicyDocument[]): Fault[] {
  const named = policies.filter(({ id }) => statement.madeBy.policies.some((policy) => policy.id === id))
  const faults = [...lineFaults(statement, named)]
  if (faults.length > 0) return faults.slice(0, FAULTS_MAX)

  const { agency, account, month, draftedAt } = statement
  const classes = new Map(statement.vehicles.map(({ vehicle, vehicleClass }) => [vehicle, vehicleClass]))
  const billed = (journey: Journey): BilledTrip => {
    const { startedAt, endedAt, engine, profile } = journey
    return {
      trip: journey.trip as TripId,
      vehicle: journey.vehicle as VehicleId,
      startedAt,
      endedAt,
      report: journey.report as Digest,
      engine,
      network: journey.network as Digest,
      ...(profile && { profile }),
      charges: repricedAll(journey.trip, journey.lines, named),
    }
  }
  const trips = statement.journeys.map(billed)
  const corrections = (statement.corrections ?? []).map((journey): CorrectedTrip => {
    const { dispute, revision, because, vehicleClass, was } = journey
    const charges = repricedAll(journey.trip, was, named)
    return { ...billed(journey), dispute, revision, because, ...(vehicleClass && { vehicleClass }), was: charges }
  })
  const accrued = ({ profile, ...trip }: BilledTrip, vehicleClass = classes.get(trip.vehicle)!): AccruedTrip => ({
    ...trip,
    vehicle: { ...profile, vehicle: trip.vehicle, vehicleClass },
  })
  const ofVehicle = ({ vehicle, profile }: MileageAccount): RatedVehicle => ({
    ...profile,
    vehicle: vehicle as VehicleId,
    vehicleClass: classes.get(vehicle)!,
  })
  const mileage = (statement.mileage ?? []).map((account) => remetered(account, named, ofVehicle(account)))
  const expected = draftStatement({
    agency: { ...agency, id: agency.id as AgencyId },
    account: { ...account, id: account.id as AccountId },
    month,
    policies: named,
    vehicles: statement.vehicles.map((vehicle) => ({ ...vehicle, vehicle: vehicle.vehicle as VehicleId })),
    trips,
    capCredits: creditsOf(
      [
        ...trips.map((trip) => accrued(trip)),
        ...corrections.flatMap(({ was, vehicleClass, ...trip }) => [
          undone(accrued({ ...trip, charges: was })),
          accrued(trip, vehicleClass),
        ]),
        ...mileage.flatMap((account) => accruedMileage(account, ofVehicle(account))),
      ],
      named,
      windowsBeforeOf(statement.capCredits),
    ),
    mileage,
    corrections,
    draftedAt,
  })
  compare(expected, statement, '', faults)
  return faults.slice(0, FAULTS_MAX)
}

/** Faults that leave nothing to recompute by, and conditions of rules that a line doesn't meet. */
function* lineFaults(statement: Statement, policies: readonly PolicyDocument[]): Generator<Fault> {
  for (const [i, { id }] of statement.madeBy.policies.entries())
    if (!policies.some((policy) => policy.id === id))
      yield { path: `madeBy.policies[${i}].id`, expected: 'a published policy', found: id }
  if (policies.length === 0)
    return yield {
      path: 'madeBy.policies',
      expected: 'the policy that sets the terms',
      found: 'none that is published',
    }
  const { month } = localClock(billingTerms(policies, statement.month).timeZone)
  const classes = new Map(statement.vehicles.map(({ vehicle, vehicleClass }) => [vehicle, vehicleClass]))
  const trips = new Set<string>()
  for (const [i, journey] of statement.journeys.entries()) {
    const at = `journeys[${i}]`
    if (trips.has(journey.trip)) yield { path: `${at}.trip`, expected: 'each trip once', found: journey.trip }
    trips.add(journey.trip)
    const vehicleClass = classes.get(journey.vehicle)
    if (!vehicleClass) yield { path: `${at}.vehicle`, expected: 'a vehicle of the statement', found: journey.vehicle }
    if (journey.endedAt < journey.startedAt)
      yield { path: `${at}.endedAt`, expected: 'no earlier than startedAt', found: String(journey.endedAt) }
    if (month(journey.startedAt) > statement.month)
      yield { path: `${at}.startedAt`, expected: `no later than ${statement.month}`, found: String(journey.startedAt) }
    yield* faultsOfLines(journey, journey.lines, `${at}.lines`, policies, vehicleClass)
  }
  for (const [i, { vehicle }] of (statement.mileage ?? []).entries())
    if (!classes.has(vehicle))
      yield { path: `mileage[${i}].vehicle`, expected: 'a vehicle of the statement', found: vehicle }
  for (const [i, corrected] of (statement.corrections ?? []).entries()) {
    const at = `corrections[${i}]`
    const vehicleClass = classes.get(corrected.vehicle)
    if (!vehicleClass) yield { path: `${at}.vehicle`, expected: 'a vehicle of the statement', found: corrected.vehicle }
    yield* faultsOfLines(corrected, corrected.lines, `${at}.lines`, policies, corrected.vehicleClass ?? vehicleClass)
    yield* faultsOfLines(corrected, corrected.was, `${at}.was`, policies, vehicleClass)
  }
}

/** Conditions of rules that lines of a journey don't meet. */
function* faultsOfLines(
  journey: Journey,
  lines: readonly StatementLine[],
  at: string,
  policies: readonly PolicyDocument[],
  vehicleClass: RatedVehicle['vehicleClass'] | undefined,
): Generator<Fault> {
  for (const [k, line] of lines.entries()) {
    const path = `${at}[${k}]`
    if (line.inferredMm > line.distanceMm)
      yield { path: `${path}.inferredMm`, expected: `at most ${line.distanceMm}`, found: String(line.inferredMm) }
    if (line.policy === '') continue
    const policy = policies.find(({ id }) => id === line.policy)
    const rule = ruleOf(line, policies)
    if (!policy) yield { path: `${path}.policy`, expected: 'a policy of the statement', found: line.policy }
    else if (!rule) yield { path: `${path}.rule`, expected: `a rule of policy ${policy.id}`, found: line.rule }
    else {
      if (vehicleClass && !mayMatch(rule, line, policy, { ...journey.profile, vehicleClass }))
        yield { path: `${path}.rule`, expected: 'a rule that matches the line', found: line.rule }
      const clock = localClock(policy.timeZone)
      if (line.day < clock.day(journey.startedAt) || line.day > clock.day(journey.endedAt))
        yield { path: `${path}.day`, expected: 'a day of the journey', found: line.day }
      const { from, to } = validityOf(policy)
      if (journey.endedAt < from || journey.startedAt >= to)
        yield { path: `${path}.policy`, expected: 'a policy in force during the journey', found: line.policy }
    }
  }
}

/** A mileage account with its lines priced by the published policies, and its odometer as its parts add up. */
function remetered(
  account: MileageAccount,
  policies: readonly PolicyDocument[],
  vehicle: RatedVehicle,
): MileageAccount {
  const { openingMm, matchedMm, inferredMm, offNetworkMm, unreconciledMm, replacedMm } = account
  const closingMm =
    openingMm === null
      ? null
      : millimetres(openingMm + matchedMm + inferredMm + offNetworkMm + unreconciledMm + replacedMm)
  return {
    ...account,
    closingMm,
    lines: account.lines.map((line) => {
      const policy = policies.find(({ id }) => id === line.policy) ?? null
      const { rate, freeReason, amount } = priceMileage(line, policy, vehicle, line)
      return { ...line, rate, freeReason: rate ? null : (line.freeReason ?? freeReason), amount }
    }),
  }
}

const ruleOf = (line: StatementLine, policies: readonly PolicyDocument[]): PolicyRule | undefined =>
  policies.find(({ id }) => id === line.policy)?.rules.find(({ id }) => id === line.rule)

function mayMatch(
  { match }: PolicyRule,
  line: StatementLine,
  policy: PolicyDocument,
  vehicle: Omit<RatedVehicle, 'vehicle'>,
): boolean {
  // Who leaves a zone isn't in it any more.
  const zones = match.direction === 'leaving' ? undefined : match.zones
  return (
    (!zones || zones.some((zone) => line.zones.includes(zone))) &&
    (!match.outside || !match.outside.some((zone) => line.zones.includes(zone))) &&
    (!match.jurisdictions || match.jurisdictions.includes(jurisdictionOf(policy, line.zones))) &&
    (!match.roadClasses || match.roadClasses.includes(line.roadClass)) &&
    isFor(match, vehicle)
  )
}

const repricedAll = (trip: string, lines: readonly StatementLine[], policies: readonly PolicyDocument[]): Charge[] =>
  lines.map((line) => ({
    ...line,
    trip: trip as TripId,
    policy: line.policy as PolicyId,
    fixes: 0,
    ...repriced(line, policies),
  }))

/** What the published rule makes of a line. Without a rule no policy was in force, and nothing is charged. */
function repriced(
  line: StatementLine,
  policies: readonly PolicyDocument[],
): Pick<StatementLine, 'rate' | 'freeReason' | 'count' | 'amount'> {
  const policy = policies.find(({ id }) => id === line.policy)
  const rule = policy?.rules.find(({ id }) => id === line.rule)
  if (!policy || !rule) return { rate: null, freeReason: line.freeReason, amount: micros(0n) }
  const rate = rateOfRule(rule, policy.rules)
  const { price } = rule
  const freeReason = 'free' in price ? price.free : 'exempt' in price ? price.exempt : null
  return { rate, freeReason, ...chargedFor(line.distanceMm, line.count, rate) }
}

/** Adds a fault for every leaf in which `found` is not what was expected. */
function compare(expected: unknown, found: unknown, path: string, faults: Fault[]): void {
  if (expected === found || faults.length >= FAULTS_MAX) return
  if (typeof expected !== 'object' || typeof found !== 'object' || expected === null || found === null) {
    faults.push({ path: path || '(document)', expected: show(expected), found: show(found) })
    return
  }
  const list = Array.isArray(expected)
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const step = list ? `[${key}]` : path ? `.${key}` : key
    compare((expected as Record<string, unknown>)[key], (found as Record<string, unknown>)[key], path + step, faults)
  }
}

/** Every bigint of a statement is money. */
function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (typeof value === 'bigint') return formatMicros(micros(value))
  const text = JSON.stringify(value, (_, member) =>
    typeof member === 'bigint' ? formatMicros(micros(member)) : member,
  )
  return text.length > 100 ? `${text.slice(0, 97)}...` : text
}
