import { type Charge, type ChargeReport, type PolicyDocument, type RatedVehicle, type Stretch } from '#contracts'
import { canonical, instant, millimetres, type Digest, type Instant, type TripId, type VehicleId } from '#kernel'
import { accrue, type AccruedTrip, type Windows } from './accruals'

export const VEHICLE = 'v1' as VehicleId
export const CAR: RatedVehicle = { vehicle: VEHICLE, vehicleClass: 'car' }
export const at = (iso: string): Instant => instant(Date.parse(iso))

export function stretch(enteredAt: string | Instant, mm: number, over: Partial<Stretch> = {}): Stretch {
  const entered = typeof enteredAt === 'string' ? at(enteredAt) : enteredAt
  return {
    segment: 's',
    fromMm: millimetres(0),
    toMm: millimetres(mm),
    enteredAt: entered,
    leftAt: instant(entered + 1000),
    roadClass: 'residential',
    access: 'public',
    zones: [],
    inferred: false,
    confidence: 1000,
    fixes: 1,
    ...over,
  }
}

export function trip(stretches: readonly Stretch[], id = 't1'): ChargeReport {
  const sum = (of: (s: Stretch) => number) => stretches.reduce((total, s) => total + of(s), 0)
  const matched = sum((s) => s.fixes)
  return {
    v: 1,
    trip: id as TripId,
    vehicle: VEHICLE,
    startedAt: stretches[0].enteredAt,
    endedAt: stretches[stretches.length - 1].leftAt,
    network: '0'.repeat(64) as Digest,
    engine: 'test',
    stretches,
    matchedMm: millimetres(sum((s) => s.toMm - s.fromMm)),
    fixes: { accepted: matched, matched, unmatched: {} },
    breaks: 0,
  }
}

/** What the accruals of policies make of trips that come in one after the other. */
export function accrued(trips: readonly AccruedTrip[], policies: readonly PolicyDocument[]) {
  const windows: Windows = new Map()
  const changes = trips.flatMap((one) => accrue(one, policies, windows))
  return {
    changes,
    windows: [...windows.values()].sort((a, b) => (canonical(a.window) < canonical(b.window) ? -1 : 1)),
  }
}

export const accruedTrip = (
  charges: readonly Charge[],
  id = 't1',
  vehicle: RatedVehicle = CAR,
  startedAt = instant(0),
): AccruedTrip & { readonly charges: readonly Charge[] } => ({ trip: id as TripId, vehicle, startedAt, charges })
