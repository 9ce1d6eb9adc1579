import { Command } from 'commander'
import { apartM, lineMm, lineShape, Locator, type Located } from '#openlr'
import { lineGeometry, type RoadNetwork } from '#road-network'
import { counted, grouped, progress, say } from './printed'
import { readNetwork } from './readers'

/** A segment's code is said to lead to the same place where that is nowhere further away: about the width of a road and its verges. */
const SAME_PLACE_M = 20
/** Segments between two looks of the progress bar. */
const SEGMENTS_PER_LOOK = 200

const WHY: Readonly<Record<Extract<Located, { found: false }>['why'], string>> = {
  'no-road': 'no road there',
  'no-way': 'no way there that is as long',
  'no-length': 'its offsets leave nothing',
}

/** `roadmeter network locate`: where an OpenLR code leads. */
export const locateCommand = (forms: string): Command =>
  new Command('locate')
    .description('find the roads of OpenLR codes (binary form, version 3, in base64) on a map, as GeoJSON')
    .argument('<codes...>', 'codes of lines')
    .requiredOption('--network <file>', 'map file or folder')
    .addHelpText('after', forms)
    .action(async (codes: string[], options: { network: string }) => {
      const network = await readNetwork(options.network)
      const locator = new Locator(network)
      const features = codes.map((code) => JSON.stringify(located(network, code, locator.decode(code))))
      const head = `{"type":"FeatureCollection","attribution":${JSON.stringify(network.attribution)},"features":[`
      say(`${head}\n${features.join(',\n')}\n]}`)
    })

function located(network: RoadNetwork, openlr: string, place: Located): object {
  if (!place.found) {
    const properties = { openlr, found: false, why: `point ${place.point + 1}: ${WHY[place.why]}` }
    return { type: 'Feature', geometry: null, properties }
  }
  const { segments, fromMm, toMm } = place.line
  return {
    type: 'Feature',
    geometry: lineGeometry(lineShape(network, place.line)),
    properties: {
      openlr,
      found: true,
      refs: segments.map((segment) => network.ref(segment)),
      from_mm: fromMm,
      to_mm: toMm,
      length_mm: lineMm(network, place.line),
      doubt_m: Math.round(place.doubtM * 10) / 10,
    },
  }
}

export const wholeSegment = (network: RoadNetwork, segment: number) => ({
  segments: [segment],
  fromMm: 0,
  toMm: network.lengthMm(segment),
})

/** What became of the codes of one build on another: segments whose code leads to the same place, elsewhere, nowhere; without a code. */
export interface CodesKept {
  readonly same: number
  readonly elsewhere: number
  readonly lost: number
  readonly without: number
  /** Of the segments that no reference leads to any more: those that the code still leads to. */
  readonly removedButFound: number
}

export function codesKept(before: RoadNetwork, after: RoadNetwork, removed: readonly number[]): CodesKept {
  const [old, now] = [new Locator(before), new Locator(after)]
  const gone = new Set(removed)
  const count = { same: 0, elsewhere: 0, lost: 0, without: 0, removedButFound: 0 }
  const bar = progress('following OpenLR codes')
  try {
    for (let s = 0; s < before.segmentCount; s++) {
      if (s % SEGMENTS_PER_LOOK === 0) bar.to(s, before.segmentCount)
      const line = wholeSegment(before, s)
      const code = old.encode(line)
      const place = code === null ? null : now.decode(code)
      if (!place) count.without++
      else if (!place.found) count.lost++
      else if (apartM(before, line, after, place.line) > SAME_PLACE_M) count.elsewhere++
      else {
        count.same++
        if (gone.has(s)) count.removedButFound++
      }
    }
  } finally {
    bar.end()
  }
  return count
}

export function sayCodesKept({ same, elsewhere, lost, without, removedButFound }: CodesKept, removed: number): void {
  const all = same + elsewhere + lost + without
  const share = all === 0 ? '' : ` (${((100 * same) / all).toFixed(2)} %)`
  say(
    `by OpenLR ${counted(same, 'segment')} of ${grouped(all)}${share} are found within ${SAME_PLACE_M} m of where they were, ` +
      `${grouped(elsewhere)} elsewhere, ${grouped(lost)} nowhere, ${grouped(without)} have no code; ` +
      `of ${grouped(removed)} removed ones ${grouped(removedButFound)} are found`,
  )
}
