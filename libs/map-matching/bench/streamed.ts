import type { FixColumns, Matcher } from '#map-matching'

/** What was seen of single batches. */
export interface Batches {
  readonly batchMs: number[]
  stateBytes: number
}

/** Matches as a server does: batch by batch, nothing but bytes kept between them. */
export function matchStreamed(matcher: Matcher, fixes: FixColumns, size: number, seen?: Batches): void {
  let state: Uint8Array | null = null
  for (let from = 0; from < fixes.length; from += size) {
    const to = Math.min(fixes.length, from + size)
    const begun = seen ? performance.now() : 0
    if (state) matcher.restore(state)
    else matcher.begin()
    matcher.advance({
      length: to - from,
      at: fixes.at.subarray(from, to),
      lon: fixes.lon.subarray(from, to),
      lat: fixes.lat.subarray(from, to),
      accuracyM: fixes.accuracyM.subarray(from, to),
    })
    state = matcher.save()
    if (!seen) continue
    seen.batchMs.push(performance.now() - begun)
    seen.stateBytes = Math.max(seen.stateBytes, state.length)
  }
  matcher.finish()
}
