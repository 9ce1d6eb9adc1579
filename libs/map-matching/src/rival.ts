import type { RoadNetwork } from '#road-network'
import type { StateReader, StateWriter } from './state'

/** A place on a directed segment. */
export interface RoadPlace {
  readonly segment: number
  readonly offsetMm: number
}

/** Any number below 0 is none. */
export const NO_RIVAL = -1
const METRES = 65_536
/** Cosine of the angle by which roads side by side lead apart at most: 30 degrees. */
const ALIKE = 0.866

/** A place as one number: its segment and whole metres along it, rounded up. */
export const rivalAt = (segment: number, offsetMm: number): number =>
  segment * METRES + Math.min(METRES - 1, Math.ceil(offsetMm / 1000))

/** The place of a rival. */
export const rivalPlace = (rival: number): RoadPlace => ({
  segment: Math.floor(rival / METRES),
  offsetMm: (rival % METRES) * 1000,
})

/** Writes a rival of something on a segment. */
export function saveRival(w: StateWriter, rival: number, segment: number): void {
  const place = rival < 0 ? NO_RIVAL : rival % METRES
  w.int(place)
  if (place >= 0) w.int(Math.floor(rival / METRES) - segment)
}

/** Reads what `saveRival` wrote. */
export function readRival(r: StateReader, segment: number): number {
  const place = r.int()
  return place < 0 ? NO_RIVAL : (r.int() + segment) * METRES + place
}

/**
 * Whether a rival runs beside a place, which may be off the network: a street that crosses there is none that may have been driven
 * instead, nor is what goes on from there, to which a fix is nearest at its end.
 */
export function isBeside(network: RoadNetwork, rival: number, segment: number, offsetMm: number): boolean {
  if (segment < 0) return false
  const other = Math.floor(rival / METRES)
  const otherMm = (rival % METRES) * 1000
  return (
    otherMm > 0 && otherMm < network.lengthMm(other) && network.alignment(segment, offsetMm, other, otherMm) > ALIKE
  )
}
