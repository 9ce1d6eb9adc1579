import { FIXES_PER_BATCH_MAX, type Batch } from '#contracts'
import { invariant } from '#kernel'
import type { FleetTrip } from './fleet'

/** The batches in which a device sends a trip: `start`, `run`..., `end`, numbered from `firstSeq` on. At least one. */
export function batchesOf(
  trip: Pick<FleetTrip, 'name' | 'fixes'>,
  boot: number,
  firstSeq: number,
  fixesPerBatch: number,
): Batch[] {
  invariant(
    fixesPerBatch > 0 && fixesPerBatch <= FIXES_PER_BATCH_MAX,
    `a batch holds 1 to ${FIXES_PER_BATCH_MAX} fixes`,
  )
  const count = Math.max(1, Math.ceil(trip.fixes.length / fixesPerBatch))
  return Array.from({ length: count }, (_, i): Batch => ({
    v: 1,
    boot,
    seq: firstSeq + i,
    trip: trip.name,
    event: i === count - 1 ? 'end' : i === 0 ? 'start' : 'run',
    fixes: trip.fixes.slice(i * fixesPerBatch, (i + 1) * fixesPerBatch) as Batch['fixes'],
  }))
}
