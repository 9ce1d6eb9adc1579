import { digest } from '#kernel'

/** A randomised trial of tariffs: which rules a vehicle is under is drawn, and the seed of the draw is kept. */
export interface Pilot {
  readonly seed: string
  /** Parts of the vehicles by the name of their arm: `{ control: 1, treated: 1 }`. */
  readonly arms: Readonly<Record<string, number>>
}

/**
 * The arm that a vehicle is drawn into. It follows from the seed and the vehicle's id alone, so that whoever has the seed can
 * draw again, vehicles that come later are drawn as well, and no order of anything matters.
 */
export function armOf({ seed, arms }: Pilot, vehicle: string): string {
  const named = Object.entries(arms).sort(([a], [b]) => (a < b ? -1 : 1))
  const all = named.reduce((sum, [, part]) => sum + part, 0)
  // 48 bits: with parts up to a million no arm is favoured by more than one in 10^8.
  let drawn = parseInt(digest(['arm', seed, vehicle]).slice(0, 12), 16) % all
  for (const [arm, part] of named) {
    if (drawn < part) return arm
    drawn -= part
  }
  return named[named.length - 1][0]
}
