import { type ChargeReport, type RatedVehicle, type Stretch } from '#contracts'
import { type AgencyId, type Instant, millimetres } from '#kernel'
import { rate, type CompiledPolicy } from '#rating'
import {
  addTraffic,
  closeTraffic,
  lastToCount,
  lockTraffic,
  ratedVehicles,
  reportOf,
  tripsToCount,
  type SegmentCount,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'

/** Vehicles in one transaction: what a crash repeats. */
const VEHICLES_MAX = 50

export const trafficWork = (agency: string, month: string): WorkKey => ({ stage: 'traffic', key: `${agency}/${month}` })

/**
 * Counts the charged miles of a sealed month by segment, some vehicles at a time. A month is counted once: two counts of one month
 * would tell what happened in between.
 */
export async function traffic(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const [agency, month] = key.split('/') as [AgencyId, string]
  const { lastVehicle, segments } = await lockTraffic(tx, agency, month)
  if (segments !== null) return []
  const page = await lastToCount(tx, agency, month, lastVehicle, VEHICLES_MAX)
  if (!page) {
    await closeTraffic(tx, agency, month, line.clock.now())
    return []
  }
  const trips = await tripsToCount(tx, agency, month, lastVehicle, VEHICLES_MAX)
  const rated = await ratedVehicles(
    tx,
    trips.map(({ vehicle, startedAt }) => ({ vehicle, at: startedAt })),
  )
  const tariff = await line.reference.tariff(tx, agency)
  const driven: { vehicle: RatedVehicle; report: ChargeReport }[] = []
  for (const [i, { trip }] of trips.entries()) {
    const report = await reportOf(tx, trip)
    // Destroyed before it was counted: then it isn't.
    if (report) driven.push({ vehicle: rated[i], report })
  }
  await addTraffic(
    tx,
    agency,
    month,
    page,
    countSegments(driven, (at) => tariff.compiledAt(at)),
  )
  return [trafficWork(agency, month)]
}

/** Charged distance and vehicles of each segment. Every stretch is priced by itself: only whether it costs anything is asked. */
function countSegments(
  driven: readonly { readonly vehicle: RatedVehicle; readonly report: ChargeReport }[],
  compiledAt: (at: Instant) => CompiledPolicy | null,
): SegmentCount[] {
  const counts = new Map<
    string,
    { network: SegmentCount['network']; segment: string; vehicles: Set<string>; chargedMm: number }
  >()
  for (const { vehicle, report } of driven)
    for (const stretch of report.stretches) {
      const chargedMm = rate(only(stretch, report), vehicle, compiledAt)
        .filter((charge) => charge.rate?.per === 'mile' || charge.rate?.per === 'km')
        .reduce((sum, charge) => sum + charge.distanceMm, 0)
      if (chargedMm === 0) continue
      const key = `${report.network} ${stretch.segment}`
      const count = counts.get(key) ?? {
        network: report.network,
        segment: stretch.segment,
        vehicles: new Set(),
        chargedMm: 0,
      }
      count.vehicles.add(vehicle.vehicle)
      count.chargedMm += chargedMm
      counts.set(key, count)
    }
  return [...counts.values()].map(({ vehicles, ...count }) => ({ ...count, vehicles: vehicles.size }))
}

/** A report as if nothing but a stretch of it had been driven. */
const only = (stretch: Stretch, report: ChargeReport): ChargeReport => ({
  ...report,
  stretches: [stretch],
  matchedMm: millimetres(stretch.toMm - stretch.fromMm),
  fixes: { ...report.fixes, matched: stretch.fixes },
})
