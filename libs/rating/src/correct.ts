import { type Charge, type ChargeReport, type Correction, type RatedVehicle, type Stretch } from '#contracts'
import { InputError, invariant, micros, millimetres, type Instant } from '#kernel'
import { type AccruedTrip } from './accruals'
import { type CompiledPolicy } from './compile'
import { NO_POLICY, rate } from './rate'

export const NOT_DRIVEN = 'not driven'

/** What a trip is priced by. */
export interface Priced {
  /** null where the places are destroyed by now. */
  readonly report: ChargeReport | null
  readonly vehicle: RatedVehicle
  readonly policyAt: (at: Instant) => CompiledPolicy | null
}

/**
 * The charges of a trip with those that were `questioned` priced by the facts of a correction; the others stay as they are. No
 * millimetre comes or goes. Throws InputError PLACES_GONE where pricing again would need the places, and FLAT for a price that
 * isn't by distance: both can be found not driven or exempt.
 */
export function correctedCharges(
  charges: readonly Charge[],
  questioned: ReadonlySet<Charge>,
  correction: Correction,
  priced: Priced,
): Charge[] {
  const corrected = charges.flatMap((charge) =>
    questioned.has(charge) ? pricedBy(charge, correction, priced) : charge,
  )
  const mm = (of: readonly Charge[]) => of.reduce((sum, { distanceMm }) => sum + distanceMm, 0)
  invariant(mm(corrected) === mm(charges), `a correction changed the distance of trip ${charges[0]?.trip}`)
  return corrected
}

/** Whose vehicle it was, after a correction. */
export const correctedVehicle = (vehicle: RatedVehicle, correction: Correction): RatedVehicle =>
  correction.kind === 'vehicle' ? { ...vehicle, vehicleClass: correction.vehicleClass } : vehicle

/** A trip that takes back from its windows what it had added to them. */
export const undone = (trip: AccruedTrip): AccruedTrip => ({
  ...trip,
  charges: trip.charges.map((charge) => ({
    ...charge,
    distanceMm: millimetres(-charge.distanceMm),
    amount: micros(-charge.amount),
  })),
})

function pricedBy(charge: Charge, correction: Correction, { report, vehicle, policyAt }: Priced): Charge | Charge[] {
  if (correction.kind === 'not-driven') return free(charge, NOT_DRIVEN)
  if (correction.kind === 'exempt') return free(charge, correction.reason)
  if (charge.count !== undefined)
    throw new InputError(
      'FLAT',
      'a price that is not by distance can be found exempt, not priced by other roads or vehicles',
    )
  if (!report)
    throw new InputError(
      'PLACES_GONE',
      'where this was driven is destroyed by now: it can be found not driven or exempt, not priced again',
    )
  const byDistance = (stretches: readonly Stretch[], by: RatedVehicle) => {
    const matchedMm = millimetres(stretches.reduce((sum, { fromMm, toMm }) => sum + toMm - fromMm, 0))
    const matched = stretches.reduce((sum, { fixes }) => sum + fixes, 0)
    const part = { ...report, stretches, matchedMm, fixes: { ...report.fixes, matched } }
    return rate(part, by, policyAt).filter(({ count }) => count === undefined)
  }
  const own = report.stretches.filter((stretch) => isSameLine(byDistance([stretch], vehicle)[0], charge))
  const road = correction.kind === 'road' ? correction : null
  return byDistance(
    own.map((stretch) => ({
      ...stretch,
      roadClass: road?.roadClass ?? stretch.roadClass,
      access: road?.access ?? stretch.access,
      zones: road?.zones ? [...road.zones].sort() : stretch.zones,
    })),
    correctedVehicle(vehicle, correction),
  )
}

const free = ({ count: _, ...charge }: Charge, freeReason: string): Charge => ({
  ...charge,
  policy: NO_POLICY.policy,
  rule: 'corrected',
  rate: null,
  freeReason,
  amount: micros(0n),
})

const isSameLine = (a: Charge, b: Charge): boolean =>
  a.policy === b.policy &&
  a.rule === b.rule &&
  a.roadClass === b.roadClass &&
  a.day === b.day &&
  a.zones.join() === b.zones.join()
