import { type ChargeReport } from '#contracts'
import { digest, invariant, type TripId } from '#kernel'
import { chargeReport } from '#mileage'
import { moveTrip, pathOf, saveReport, tripById, type StoredMatch, type TripRow, type Tx, type WorkKey } from '#store'
import { type Line } from './line'

/** Makes the charge report of a matched trip. */
export async function meter(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const id = key as TripId
  const trip = await tripById(tx, id)
  if (!trip || !(await moveTrip(tx, id, 'matched', 'metered'))) return []
  const path = await pathOf(tx, id)
  invariant(path, `trip ${id} has no path`)
  const report = await meterTrip(tx, trip, path, line)
  await saveReport(tx, trip, digest(report), report)
  return [{ stage: 'rate', key }]
}

/** The charge report of a trip, from its match, the network that it was matched on and the zones of its time. */
export async function meterTrip(tx: Tx, trip: TripRow, path: StoredMatch, line: Line): Promise<ChargeReport> {
  const { network } = await line.reference.network(tx, trip.agency, trip.network!)
  const zonesAt = await line.reference.zonesAt(tx, trip.agency, trip.network!)
  return chargeReport(
    { trip: trip.id, vehicle: trip.vehicle, startedAt: trip.startedAt!, endedAt: trip.endedAt!, engine: trip.engine! },
    path,
    network,
    zonesAt,
  )
}
