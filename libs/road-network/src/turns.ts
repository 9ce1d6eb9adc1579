import { metresPerDegreeLat, metresPerDegreeLon } from './geodesy'

/** A heading is that of the first, or last, so many metres: a junction's own geometry says little of where the road leads. */
const REACH_MM = 20_000
/** Parts of a full turn that headings are told apart by; 0 stands for one that nobody asked for yet. */
const PARTS = 255
/** Up to 11° is to follow the road, from 135° on no turn is sharper. Of two ways as long as each other the straighter one is likelier. */
const STRAIGHT = 8
const SHARP = 96
/** Sharpness by the difference of two headings, from -PARTS on: most of a search's steps ask for it. */
const SHARPNESS = Float64Array.from({ length: 2 * PARTS + 1 }, (_, i) => {
  const apart = Math.abs(i - PARTS)
  const turn = apart > PARTS / 2 ? PARTS - apart : apart
  if (turn <= STRAIGHT) return 0
  return turn >= SHARP ? 1 : (turn - STRAIGHT) / (SHARP - STRAIGHT)
})

/** What turns are seen by. */
interface Lines {
  readonly segmentCount: number
  lengthMm(segment: number): number
  /** Degrees of longitude and latitude. */
  pointAt(segment: number, offsetMm: number): readonly [number, number]
}

/** How sharp turns are. Headings are worked out when first asked for: two bytes a segment, nothing when a network is loaded. */
export class Turns {
  private readonly first: Uint8Array
  private readonly last: Uint8Array

  constructor(private readonly network: Lines) {
    this.first = new Uint8Array(network.segmentCount)
    this.last = new Uint8Array(network.segmentCount)
  }

  /** Sharpness of the turn from the end of a segment into the next: 0 straight on to 1 sharp. */
  sharpness(segment: number, next: number): number {
    const before = this.last[segment] || (this.last[segment] = this.heading(segment, true))
    const after = this.first[next] || (this.first[next] = this.heading(next, false))
    return SHARPNESS[before - after + PARTS]
  }

  private heading(segment: number, atEnd: boolean): number {
    const { network } = this
    const length = network.lengthMm(segment)
    const reach = Math.min(REACH_MM, length / 2)
    const [x1, y1] = network.pointAt(segment, atEnd ? length - reach : 0)
    const [x2, y2] = network.pointAt(segment, atEnd ? length : reach)
    const angle = Math.atan2((y2 - y1) * metresPerDegreeLat(y1), (x2 - x1) * metresPerDegreeLon(y1))
    return 1 + (Math.round((angle / (2 * Math.PI) + 1) * PARTS) % PARTS)
  }
}
