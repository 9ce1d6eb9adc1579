import { type Charge, type ChargeReport } from '#contracts'
import { invariant, micros, type TripId } from '#kernel'
import { rate as ratePrices, voided } from '#rating'
import {
  moveTrip,
  ratedVehicles,
  reportOf,
  reviewOf,
  saveCharges,
  tripById,
  type TripRow,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'
import { shadowsAt } from './shadow'

/** Prices a metered trip under the policies of its time. */
export async function rate(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const id = key as TripId
  const trip = await tripById(tx, id)
  if (!trip || !(await moveTrip(tx, id, 'metered', 'rated'))) return []
  const report = await reportOf(tx, id)
  invariant(report, `trip ${id} has no charge report`)
  const priced = await pricing(tx, trip, line)
  const charges = priced(report)
  await saveCharges(tx, id, charges)
  if (line.onForgone && report.stretches.some(({ inDoubt, rival, between }) => inDoubt || rival || between)) {
    const sure = {
      ...report,
      stretches: report.stretches.map(({ inDoubt: _, rival: __, between: ___, ...stretch }) => stretch),
    }
    const forgone = amountOf(priced(sure)) - amountOf(charges)
    const [policy] = (await line.reference.tariff(tx, trip.agency)).documents
    if (forgone > 0n) line.onForgone(policy.currency, micros(forgone))
  }
  const alongside = (await shadowsAt(tx, trip.agency, trip.startedAt!)).length > 0
  return [{ stage: 'post', key }, ...(alongside ? [{ stage: 'shadow', key }] : [])]
}

const amountOf = (charges: readonly Charge[]): bigint => charges.reduce((sum, { amount }) => sum + amount, 0n)

export const rateTrip = async (tx: Tx, trip: TripRow, report: ChargeReport, line: Line): Promise<Charge[]> =>
  (await pricing(tx, trip, line))(report)

/** How a trip is priced: for its vehicle, under the policies of its time, and as a review decided. */
async function pricing(tx: Tx, trip: TripRow, line: Line): Promise<(report: ChargeReport) => Charge[]> {
  const [vehicle] = await ratedVehicles(tx, [{ vehicle: trip.vehicle, at: trip.startedAt! }])
  const tariff = await line.reference.tariff(tx, trip.agency)
  const isVoid = (await reviewOf(tx, trip.id))?.decision === 'void'
  return (report) => {
    const charges = ratePrices(report, vehicle, (at) => tariff.compiledAt(at))
    return isVoid ? voided(charges) : charges
  }
}
