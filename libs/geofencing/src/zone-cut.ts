import { invariant } from '#kernel'

/** A piece of a segment, [fromMm, toMm) in the direction of travel, and the zones that it lies in. */
export interface ZoneStretch {
  readonly fromMm: number
  readonly toMm: number
  /** Sorted; pieces in the same zones share the array. */
  readonly zones: readonly string[]
}

/**
 * What zones do to a network: each directed segment as sorted stretches that meet without gap or overlap, each in a set of
 * zones. Columns: stretches of segment s are [first[s], first[s + 1]), each ends at endMm and starts where the one before
 * ends; the last ends at the segment's length.
 */
export class ZoneCut {
  constructor(
    private readonly first: Uint32Array,
    private readonly endMm: Uint32Array,
    private readonly zoneSet: Uint32Array,
    private readonly zoneSets: readonly (readonly string[])[],
    /** Ids of zones that hold no piece of any segment: off the map, or drawn in the wrong place. */
    readonly roadless: readonly string[],
  ) {}

  /** The part [fromMm, toMm) of a segment, cut where zones begin and end. Whole millimetres within the segment. */
  stretches(segment: number, fromMm: number, toMm: number): ZoneStretch[] {
    const parts: ZoneStretch[] = []
    for (let from = fromMm; from < toMm; from = parts[parts.length - 1].toMm)
      parts.push(this.firstStretch(segment, from, toMm))
    return parts
  }

  /** The first stretch of [fromMm, toMm), which is at least a millimetre: most parts of segments lie in one set of zones. */
  firstStretch(segment: number, fromMm: number, toMm: number): ZoneStretch {
    const end = this.first[segment + 1]
    if (end === undefined) invariant(false, `no segment ${segment} in this network`)
    const lengthMm = this.endMm[end - 1]
    if (!(Number.isInteger(fromMm) && Number.isInteger(toMm) && 0 <= fromMm && fromMm < toMm && toMm <= lengthMm))
      invariant(false, `[${fromMm}, ${toMm}) is no part of segment ${segment} of ${lengthMm} mm`)
    let i = this.first[segment]
    while (this.endMm[i] <= fromMm) i++
    return { fromMm, toMm: Math.min(this.endMm[i], toMm), zones: this.zoneSets[this.zoneSet[i]] }
  }

  /** Calls `visit` with each stretch of each segment. */
  each(visit: (segment: number, stretch: ZoneStretch) => void): void {
    for (let segment = 0; segment + 1 < this.first.length; segment++)
      for (let i = this.first[segment], fromMm = 0; i < this.first[segment + 1]; fromMm = this.endMm[i], i++)
        visit(segment, { fromMm, toMm: this.endMm[i], zones: this.zoneSets[this.zoneSet[i]] })
  }
}
