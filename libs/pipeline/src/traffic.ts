import { type ChargeReport, type RatedVehicle, type Stretch } from '#contracts'
import { type AgencyId, type Instant, millimetres } from '#kernel'
import { rate, type CompiledPolicy } from '#rating'
import {
  addTraffic,
  closeTraffic,
  countingOf,
  lastToCount,
  lockTraffic,
  ratedVehicles,
  reportOf,
  tripsToCount,
  type SegmentTally,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'
import { tallyWork } from './tally'

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
  // Held against the month's tables, so those come first.
  if (!(await countingOf(tx, agency, month))?.finishedAt) return [tallyWork(agency, month), trafficWork(agency, month)]
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
  const driven: Driven[] = []
  for (const [i, { trip, isVoid }] of trips.entries()) {
    const report = await reportOf(tx, trip)
    // Destroyed before it was counted: then it isn't.
    if (report) driven.push({ vehicle: rated[i], report, isVoid })
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

interface Driven {
  readonly vehicle: RatedVehicle
  readonly report: ChargeReport
  readonly isVoid: boolean
}

/** Charged and free distance and vehicles of each segment. Every stretch is priced by itself: only whether it costs anything is asked. */
function countSegments(driven: readonly Driven[], compiledAt: (at: Instant) => CompiledPolicy | null): SegmentTally[] {
  const counts = new Map<string, Pick<SegmentTally, 'network' | 'segment'> & Record<'charged' | 'free', Part>>()
  const part = (): Part => ({ vehicles: new Set(), mm: 0 })
  for (const { vehicle, report, isVoid } of driven)
    for (const stretch of report.stretches) {
      const chargedMm = isVoid
        ? 0
        : rate(only(stretch, report), vehicle, compiledAt)
            .filter((charge) => charge.rate?.per === 'mile' || charge.rate?.per === 'km')
            .reduce((sum, charge) => sum + charge.distanceMm, 0)
      const { network } = report
      const { segment } = stretch
      const key = `${network} ${segment}`
      const count = counts.get(key) ?? { network, segment, charged: part(), free: part() }
      counts.set(key, count)
      add(count.charged, vehicle, chargedMm)
      add(count.free, vehicle, stretch.toMm - stretch.fromMm - chargedMm)
    }
  return [...counts.values()].map(({ network, segment, charged, free }) => ({
    network,
    segment,
    vehicles: charged.vehicles.size,
    chargedMm: charged.mm,
    freeVehicles: free.vehicles.size,
    freeMm: free.mm,
  }))
}

interface Part {
  readonly vehicles: Set<string>
  mm: number
}
function add(part: Part, { vehicle }: RatedVehicle, mm: number): void {
  if (mm === 0) return
  part.vehicles.add(vehicle)
  part.mm += mm
}

/** A report as if nothing but a stretch of it had been driven. */
const only = (stretch: Stretch, report: ChargeReport): ChargeReport => ({
  ...report,
  stretches: [stretch],
  matchedMm: millimetres(stretch.toMm - stretch.fromMm),
  fixes: { ...report.fixes, matched: stretch.fixes },
})
