import { elasticityOf, NONE, type Driven, type Elasticity } from '#evaluation'
import { chance, InputError, type AgencyId } from '#kernel'
import { localClock } from '#policy'
import { drivenByVehicle, ratedVehicles, type Tx } from '#store'
import { requireClosed } from './exports'
import { type Line } from './line'

const MONTHS_MAX = 24
const DAY_MS = 86_400_000

/** How arms changed between a baseline and a pilot, with what it was asked of. */
export interface PilotResults {
  readonly agency: AgencyId
  readonly baseline: readonly string[]
  readonly pilot: readonly string[]
  /** What the resamples follow from: the same months give the same intervals. */
  readonly seed: string
  readonly vehicles: number | null
  /** null where the arm that is compared with is of too few. */
  readonly result: Elasticity | null
}

/**
 * How vehicles that drove in both spans changed, by the arm that they were in during the second, against a control arm. Of closed
 * months only, from distances and amounts: no location is read. InputError where a month isn't closed or stands in both spans.
 */
export async function pilotResults(
  tx: Tx,
  agency: AgencyId,
  asked: { readonly baseline: readonly string[]; readonly pilot: readonly string[]; readonly control: string },
  line: Line,
): Promise<PilotResults> {
  const [baseline, pilot] = [[...new Set(asked.baseline)].sort(), [...new Set(asked.pilot)].sort()]
  for (const [name, months] of Object.entries({ baseline, pilot }))
    if (months.length === 0 || months.length > MONTHS_MAX)
      throw new InputError('MONTHS', `${name}: name 1 to ${MONTHS_MAX} months`)
  const both = baseline.find((month) => pilot.includes(month))
  if (both) throw new InputError('MONTHS', `${both} is in the baseline and in the pilot: it can only be one`)
  for (const month of [...baseline, ...pilot]) await requireClosed(tx, agency, month)
  const clock = localClock((await line.reference.tariff(tx, agency)).documents[0]?.timeZone ?? 'UTC')
  const days = (months: readonly string[]) =>
    months.reduce((sum, month) => sum + Math.round((clock.spanOf(month).to - clock.spanOf(month).from) / DAY_MS), 0)
  const [before, after] = [await drivenByVehicle(tx, agency, baseline), await drivenByVehicle(tx, agency, pilot)]
  const both_ = [...after].filter(([vehicle]) => before.has(vehicle)).sort(([a], [b]) => (a < b ? -1 : 1))
  const rated = await ratedVehicles(
    tx,
    both_.map(([vehicle, { startedAt }]) => ({ vehicle, at: startedAt })),
  )
  const driven = both_.map(([vehicle, { mm, amount }], i): Driven => ({
    arm: rated[i].arm ?? NONE,
    baselineMm: before.get(vehicle)!.mm / days(baseline),
    pilotMm: mm / days(pilot),
    pilotAmount: amount / days(pilot),
  }))
  const seed = `${agency}/${baseline.join()}/${pilot.join()}`
  const result = elasticityOf(driven, asked.control, chance(seed))
  return { agency, baseline, pilot, seed, vehicles: result && driven.length, result }
}
