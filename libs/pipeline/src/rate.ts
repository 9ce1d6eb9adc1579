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
  const charges = await rateTrip(tx, trip, report, line)
  await saveCharges(tx, id, charges)
  if (line.onForgone) await tellForgone(tx, trip, report, charges, line)
  const alongside = (await shadowsAt(tx, trip.agency, trip.startedAt!)).length > 0
  return [{ stage: 'post', key }, ...(alongside ? [{ stage: 'shadow', key }] : [])]
}

async function tellForgone(tx: Tx, trip: TripRow, report: ChargeReport, charges: readonly Charge[], line: Line) {
  if (!report.stretches.some(({ inDoubt, rival }) => inDoubt || rival)) return
  const sure = { ...report, stretches: report.stretches.map(({ inDoubt: _, rival: __, ...stretch }) => stretch) }
  const forgone = amountOf(await rateTrip(tx, trip, sure, line)) - amountOf(charges)
  const [policy] = (await line.reference.tariff(tx, trip.agency)).documents
  if (forgone > 0n) line.onForgone!(policy.currency, micros(forgone))
}

const amountOf = (charges: readonly Charge[]): bigint => charges.reduce((sum, { amount }) => sum + amount, 0n)

export async function rateTrip(tx: Tx, trip: TripRow, report: ChargeReport, line: Line): Promise<Charge[]> {
  const [vehicle] = await ratedVehicles(tx, [{ vehicle: trip.vehicle, at: trip.startedAt! }])
  const tariff = await line.reference.tariff(tx, trip.agency)
  const charges = ratePrices(report, vehicle, (at) => tariff.compiledAt(at))
  return (await reviewOf(tx, trip.id))?.decision === 'void' ? voided(charges) : charges
}
