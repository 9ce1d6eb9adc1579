import { FATES, Matcher, type Fate, type FixColumns, type Match } from '#map-matching'
import { type DriveOptions, type World } from './world'

/** Matches, and checks what holds for every match, whatever the fixes are. */
export function matched(w: World, fixes: FixColumns): Match {
  const match = new Matcher(w.network).match(fixes)
  expect(match.fates.length).toBe(fixes.length)
  expect(match.traversals.reduce((sum, t) => sum + t.fixes, 0)).toBe(fatesOf(match).matched ?? 0)
  match.traversals.forEach((t, i) => {
    expect(0 <= t.fromMm && t.fromMm < t.toMm && t.toMm <= w.network.lengthMm(t.segment)).toBe(true)
    expect(t.enteredAt <= t.leftAt).toBe(true)
    expect(t.inferred).toBe(t.fixes === 0 || t.between !== undefined)
    expect(t.confidence >= 0 && t.confidence <= 1000).toBe(true)
    if (i > 0) expect(match.traversals[i - 1].leftAt <= t.enteredAt).toBe(true)
  })
  return match
}

/** How many fixes had each fate. */
export function fatesOf(match: Match): Partial<Record<Fate, number>> {
  const counts: Partial<Record<Fate, number>> = {}
  for (const fate of match.fates) counts[FATES[fate]] = (counts[FATES[fate]] ?? 0) + 1
  return counts
}

/** Points passed by a drive along `path`, as matched. */
export const drivenOn = (w: World, path: string, options?: DriveOptions): string =>
  w.driven(matched(w, w.drive(path, options)))

export const metresOf = (match: Match): number => match.traversals.reduce((sum, t) => sum + t.toMm - t.fromMm, 0) / 1000
