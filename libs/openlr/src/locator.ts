import type { RoadNetwork } from '#road-network'
import { readLine, writeLine } from './binary'
import { locate, type Located } from './decode'
import { DENSITIES, referenceOf } from './encode'
import type { RoadLine } from './place'
import { Reach } from './reach'

/** How far the ends of what is read back may be from those of what was written, beside the step of an offset. */
const READ_BACK_MM = 5_000

/** OpenLR on one network. Keeps arrays for its searches, so it is made once. */
export class Locator {
  private readonly reach: Reach

  constructor(private readonly network: RoadNetwork) {
    this.reach = new Reach(network)
  }

  /**
   * The code of a line: with as few points as lead back to it on this network, or null where no code does, as for a few metres of
   * a road beside its twin. What is returned has been read back.
   */
  encode(line: RoadLine): string | null {
    for (const density of DENSITIES) {
      const reference = referenceOf(this.network, this.reach, line, density)
      if (!reference) continue
      const code = writeLine(reference)
      const back = this.decode(code)
      if (back.found && this.isSame(line, back.line)) return code
    }
    return null
  }

  /** Where a code leads here. InputError OPENLR for what is no code of a line. */
  decode(code: string): Located {
    return locate(this.network, this.reach, readLine(code))
  }

  private isSame(line: RoadLine, { segments, fromMm, toMm }: RoadLine): boolean {
    if (segments.length !== line.segments.length || segments.some((segment, i) => segment !== line.segments[i]))
      return false
    const within = (index: number) => READ_BACK_MM + Math.ceil(this.network.lengthMm(segments[index]) / 512)
    return Math.abs(fromMm - line.fromMm) <= within(0) && Math.abs(toMm - line.toMm) <= within(segments.length - 1)
  }
}
