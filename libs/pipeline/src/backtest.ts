import { type PolicyDocument } from '#contracts'
import { canonical, deriveId, digest, InputError, invariant, type AgencyId, type Digest } from '#kernel'
import { policyDigest, stepRefusal } from '#policy'
import { addSums, comparisonOf, noComparison, type Comparison } from '#rating'
import {
  addBacktest,
  addBacktestPart,
  addStep,
  backtestById,
  backtestParts,
  backtestProgress,
  backtestResult,
  backtestsOf,
  claim,
  complete,
  countDriven,
  draftDocument,
  drivenMonths,
  drivenTrips,
  lifeOf,
  lockPolicy,
  packedNetwork,
  policiesOf,
  policyDigests,
  ratedVehicles,
  saveBacktestResult,
  want,
  type Backtest,
  type DrivenTrip,
  type Store,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'
import { knownLife, type Acting } from './policy-office'
import { type RerateTrip } from './rerating'

const MONTHS_MAX = 24
/** Rated again where nothing else is asked for: the newest months that were driven. */
const MONTHS_DEFAULT = 3

/** What a backtest came to, as it is stored under its digest: see docs/policy.md for what each figure means. */
export interface BacktestReport {
  readonly v: 1
  readonly backtest: string
  readonly policy: string
  readonly revision: number
  /** Digest of the draft. */
  readonly digest: Digest
  /** Digests of the published policies that it is compared with. */
  readonly comparedWith: readonly Digest[]
  readonly months: readonly string[]
  readonly comparison: Comparison
  /** Of the trips of those months: how many could not be rated again, because their location is gone. */
  readonly gone: number
  /** The trips' charges as they are booked, and as the tariff of their time makes them now: a check on the whole method. */
  readonly books: { readonly booked: string; readonly recomputed: string; readonly agree: boolean }
}

export const backtestWork = (id: string): WorkKey => ({ stage: 'backtest', key: id })

/**
 * Asks for real past months to be rated again under the latest revision of a draft. The same question about the same trips is
 * the same backtest. The engine does the work, page by page, and whoever calls may help: `STAGES.backtest`.
 */
export async function requestBacktest(
  tx: Tx,
  acting: Acting,
  policy: string,
  asked: readonly string[] | null,
): Promise<Backtest> {
  const { agency, person, role, now } = acting
  await lockPolicy(tx, agency, policy)
  const life = await knownLife(tx, agency, policy)
  const refusal = stepRefusal(life, 'backtested', person)
  if (refusal) throw new InputError('POLICY_STEP', `policy ${policy} can't be backtested: ${refusal}`)
  const { revision } = life.revisions.at(-1)!
  const months = asked ? [...new Set(asked)].sort() : (await drivenMonths(tx, agency, MONTHS_DEFAULT)).sort()
  if (months.length > MONTHS_MAX)
    throw new InputError('MONTHS', `a backtest is of at most ${MONTHS_MAX} months, not ${months.length}`)
  const trips = await countDriven(tx, agency, months)
  if (trips === 0 && (await drivenMonths(tx, agency, 1)).length > 0)
    throw new InputError('MONTHS', `nobody drove in ${months.join(', ') || 'no month'}: name months with trips`)
  const id = deriveId(
    'backtest',
    agency,
    policy,
    revision,
    months.join(),
    trips,
    (await policyDigests(tx, agency)).join(),
  )
  await addBacktest(tx, { id, agency, policy, revision, months, person, role, requestedAt: now, trips })
  if (!(await backtestResult(tx, id))) await want(tx, [backtestWork(id)])
  return (await backtestById(tx, id))!
}

/** Rates the next page of a backtest, or puts its pages together after the last one. Done again it changes nothing. */
export async function backtest(tx: Tx, id: string, line: Line): Promise<WorkKey[]> {
  const asked = await backtestById(tx, id)
  invariant(asked, `there is no backtest ${id}`)
  if (await backtestResult(tx, id)) return []
  const { agency, policy, revision, months } = asked
  const draft = await draftDocument(tx, agency, policy, revision)
  invariant(draft, `policy ${policy} has no revision ${revision}`)
  const { parts, lastAccount } = await backtestProgress(tx, id)
  const trips = await drivenTrips(tx, agency, months, lastAccount, line.settings.backtestTrips)
  if (trips.length === 0) {
    await finish(tx, asked, draft, line)
    return []
  }
  const published = (await policiesOf(tx, agency)).map(({ document }) => document)
  const rating = line.reference.reratings.of(id, { published, draft }, line.settings.backtestThreads)
  for (const network of new Set(trips.map((trip) => trip.network)))
    if (!rating.knows(network)) {
      const packed = await packedNetwork(tx, agency, network)
      if (!packed) throw new InputError('NO_NETWORK', `network ${network} of ${agency} is not here any more`)
      rating.learn(network, packed)
    }
  const sums = await rating.rate(await withVehicles(tx, trips))
  await addBacktestPart(tx, id, {
    part: parts,
    lastAccount: trips.at(-1)!.account,
    trips: trips.length,
    sums,
  })
  return [backtestWork(id)]
}

async function withVehicles(tx: Tx, trips: readonly DrivenTrip[]): Promise<RerateTrip[]> {
  const rated = await ratedVehicles(
    tx,
    trips.map(({ vehicle, startedAt }) => ({ vehicle, at: startedAt })),
  )
  return trips.map((trip, i) => ({ ...trip, rated: rated[i] }))
}

/** Puts the pages together, keeps the result under its digest, and records it as a step of the revision that it is of. */
async function finish(tx: Tx, asked: Backtest, draft: PolicyDocument, line: Line): Promise<void> {
  const { id, agency, policy, revision, months, person, role } = asked
  const now = line.clock.now()
  const comparison = noComparison()
  let [recomputed, booked, gone] = [0n, 0n, 0]
  for (const part of await backtestParts(tx, id)) {
    addSums(comparison, part.comparison)
    recomputed += BigInt(part.recomputed)
    booked += BigInt(part.booked)
    gone += part.gone
  }
  const report: BacktestReport = {
    v: 1,
    backtest: id,
    policy,
    revision,
    digest: policyDigest(draft),
    comparedWith: await policyDigests(tx, agency),
    months,
    comparison: comparisonOf(comparison),
    gone,
    books: { booked: String(booked), recomputed: String(recomputed), agree: booked === recomputed },
  }
  // As it will be read again: micros are strings in JSON.
  const result: unknown = JSON.parse(canonical(report))
  const evidence = digest(result)
  await saveBacktestResult(tx, id, { digest: evidence, result, finishedAt: now })
  await lockPolicy(tx, agency, policy)
  const life = await lifeOf(tx, agency, policy)
  if (life.revisions.at(-1)?.revision === revision && stepRefusal(life, 'backtested', person) === null)
    await addStep(
      tx,
      agency,
      policy,
      { revision, step: 'backtested', reason: months.join(', ') || 'nothing was driven yet', at: now, evidence },
      { person, role },
    )
  line.reference.reratings.done(id)
}

/** Where a backtest stands, with its report once it is done. */
export interface BacktestStanding {
  readonly backtest: Backtest
  readonly tripsDone: number
  readonly digest: Digest | null
  readonly report: BacktestReport | null
}

/** The backtests of a policy, oldest first. */
export async function backtestStandings(tx: Tx, agency: AgencyId, policy: string): Promise<BacktestStanding[]> {
  const standings: BacktestStanding[] = []
  for (const asked of await backtestsOf(tx, agency, policy)) {
    const done = await backtestResult(tx, asked.id)
    standings.push({
      backtest: asked,
      tripsDone: done ? asked.trips : (await backtestProgress(tx, asked.id)).trips,
      digest: done && done.digest,
      report: done && (done.result as BacktestReport),
    })
  }
  return standings
}

/**
 * Does the work of a backtest here, beside an engine that may be at it too, until it is done. `progress` is told how many trips
 * were rated.
 */
export async function runBacktest(
  store: Store,
  line: Line,
  asked: Backtest,
  leaseMs: number,
  progress: (done: number) => void,
): Promise<BacktestStanding> {
  for (;;) {
    const standing = (await store.transaction((tx) => backtestStandings(tx, asked.agency, asked.policy))).find(
      ({ backtest }) => backtest.id === asked.id,
    )!
    progress(standing.tripsDone)
    if (standing.report) return standing
    const claims = await claim(store, backtestWork(asked.id), leaseMs, 1)
    if (claims.length === 0) await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    else
      await store.transaction(async (tx) => {
        await want(tx, await backtest(tx, asked.id, line))
        await complete(tx, claims)
      })
  }
}
const POLL_MS = 250
