import { Command } from 'commander'
import { open, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { InputError } from '#kernel'
import { diffNetworks, packNetwork, segmentFeature, type NetworkDiff, type RoadNetwork } from '#road-network'
import { Locator } from '#openlr'
import { codesKept, sayCodesKept, wholeSegment } from './network-openlr'
import { columns, counted, distance, grouped, progress, say, unwritable } from './printed'
import { readNetwork } from './readers'

/** Features that are written at a time. */
const FEATURES_PER_WRITE = 2_000

/** `roadmeter network export`: a map as others read it. */
export const exportCommand = (forms: string): Command =>
  new Command('export')
    .description(
      'write a map as GeoJSON, a line for each direction of travel, or packed (.network), which loads in one read',
    )
    .argument('<file>', 'map file or folder')
    .requiredOption('--out <file>', 'file to write, ending in .geojson, .json or .network')
    .option('--openlr', 'with an OpenLR code of each segment, which other maps can read (GeoJSON only)')
    .addHelpText('after', forms)
    .action(async (file: string, { out, openlr }: { out: string; openlr?: true }) => {
      const isPacked = out.endsWith('.network')
      if (!isPacked && !/\.(geo)?json$/.test(out))
        throw new InputError('OUT_FILE', `${out}: expected a file ending in .geojson, .json or .network`)
      if (isPacked && openlr) throw new InputError('OUT_FILE', `${out}: expected a file of GeoJSON for --openlr`)
      const network = await readNetwork(file)
      const locator = openlr && new Locator(network)
      let coded = 0
      const codeOf = (s: number) => {
        const code = locator && locator.encode(wholeSegment(network, s))
        if (!code) return {}
        coded++
        return { openlr: code }
      }
      if (isPacked) await replaced(out, (part) => writeFile(part, packNetwork(network)))
      else
        await writeFeatures(out, network.attribution, network.segmentCount, (s) => {
          const { properties, ...rest } = segmentFeature(network, s)
          return JSON.stringify({ ...rest, properties: { ...properties, ...codeOf(s) } })
        })
      const codes = openlr ? `, ${grouped(coded)} with an OpenLR code` : ''
      say(`${out}: ${counted(network.segmentCount, 'segment')}${codes}`)
    })

/** `roadmeter network diff`: what a map update changes. */
export const diffCommand = (forms: string): Command =>
  new Command('diff')
    .description('say what another build of a map adds, takes away and changes; exit status 0 in any case')
    .argument('<before>', 'map file or folder')
    .argument('<after>', 'map file or folder')
    .option('--geojson <file>', 'write the segments that differ, each with its fate')
    .option('--openlr', 'say, too, how many segments of the earlier build are found on the later one by OpenLR code')
    .option('--json', 'print the figures as JSON')
    .addHelpText('after', forms)
    .action(async (from: string, to: string, options: { geojson?: string; openlr?: true; json?: boolean }) => {
      const before = await readNetwork(from)
      const after = await readNetwork(to)
      const diff = diffNetworks(before, after)
      if (options.geojson) {
        const lines = featuresOf(before, after, diff)
        await writeFeatures(options.geojson, after.attribution, lines.length, (i) => lines[i]())
      }
      const codes = options.openlr && codesKept(before, after, diff.removed)
      if (options.json)
        return say(JSON.stringify({ ...figuresOf(before, after, diff), ...(codes && { openlr: codes }) }))
      sayDiff(before, after, diff)
      if (codes) sayCodesKept(codes, diff.removed.length)
    })

function featuresOf(before: RoadNetwork, after: RoadNetwork, diff: NetworkDiff): (() => string)[] {
  const feature = (network: RoadNetwork, segment: number, fate: object) => () => {
    const { properties, ...rest } = segmentFeature(network, segment)
    return JSON.stringify({ ...rest, properties: { ...properties, ...fate } })
  }
  return [
    ...diff.removed.map((s) => feature(before, s, { fate: 'removed' })),
    ...diff.added.map((s) => feature(after, s, { fate: 'added' })),
    ...diff.changed.flatMap((change) =>
      change.after.map((s) =>
        feature(after, s, { fate: 'changed', what: change.what.join(' '), was: before.ref(change.before) }),
      ),
    ),
  ]
}

interface Lengths {
  readonly addedMm: number
  readonly removedMm: number
  readonly changedMm: number
}

/** Millimetres of each class, both directions counted; of what changed, as it is now. */
function lengthsByClass(before: RoadNetwork, after: RoadNetwork, diff: NetworkDiff): Map<string, Lengths> {
  const byClass = new Map<string, Record<keyof Lengths, number>>()
  const add = (network: RoadNetwork, segment: number, key: keyof Lengths) => {
    const name = network.roadClass(segment)
    if (!byClass.has(name)) byClass.set(name, { addedMm: 0, removedMm: 0, changedMm: 0 })
    byClass.get(name)![key] += network.lengthMm(segment)
  }
  for (const s of diff.added) add(after, s, 'addedMm')
  for (const s of diff.removed) add(before, s, 'removedMm')
  for (const change of diff.changed) for (const s of change.after) add(after, s, 'changedMm')
  return byClass
}

function figuresOf(before: RoadNetwork, after: RoadNetwork, diff: NetworkDiff) {
  const why: Record<string, number> = {}
  for (const { what } of diff.changed) for (const word of what) why[word] = (why[word] ?? 0) + 1
  return {
    before: before.digest,
    after: after.digest,
    added: diff.added.length,
    removed: diff.removed.length,
    changed: diff.changed.length,
    unchanged: diff.unchanged,
    changes: why,
    classes: Object.fromEntries(lengthsByClass(before, after, diff)),
  }
}

function sayDiff(before: RoadNetwork, after: RoadNetwork, diff: NetworkDiff): void {
  if (before.digest === after.digest) return say(`the same network: ${after.digest}`)
  const { changes } = figuresOf(before, after, diff)
  const counts = [diff.added.length, diff.removed.length, diff.changed.length].map(grouped)
  const km = (mm: number) => distance(mm, 'km', 3)
  const rows = [...lengthsByClass(before, after, diff)].sort(([a], [b]) => (a < b ? -1 : 1))
  say(
    columns(
      [
        ['', 'added', 'removed', 'changed'],
        ['segments', ...counts],
        ...rows.map(([name, l]) => [`${name}, km`, km(l.addedMm), km(l.removedMm), km(l.changedMm)]),
      ],
      [1, 2, 3],
    ),
  )
  const reasons = Object.entries(changes).map(([word, count]) => `${word} ${grouped(count)}`)
  if (reasons.length > 0) say(`what changed: ${reasons.join(', ')}`)
  say(`${counted(diff.unchanged, 'segment')} unchanged; each direction of travel is one`)
}

/** Writes a GeoJSON FeatureCollection of `count` features, some at a time. */
async function writeFeatures(
  out: string,
  attribution: string,
  count: number,
  feature: (i: number) => string,
): Promise<void> {
  const bar = progress(`writing ${out.split(/[\\/]/).at(-1)}`)
  try {
    await replaced(out, async (part) => {
      const file: FileHandle = await open(part, 'w')
      try {
        await file.write(`{"type":"FeatureCollection","attribution":${JSON.stringify(attribution)},"features":[\n`)
        for (let i = 0; i < count; i += FEATURES_PER_WRITE) {
          const some = Array.from({ length: Math.min(count - i, FEATURES_PER_WRITE) }, (_, k) => feature(i + k))
          await file.write(some.join(',\n') + (i + some.length < count ? ',\n' : '\n'))
          bar.to(i + some.length, count)
        }
        await file.write(']}\n')
      } finally {
        await file.close()
      }
    })
  } finally {
    bar.end()
  }
}

/** Writes a file beside and moves it into its place: whoever stops it leaves the old one. */
async function replaced(out: string, write: (part: string) => Promise<void>): Promise<void> {
  const part = `${out}.part`
  try {
    await write(part)
    await rename(part, out)
  } catch (error) {
    await rm(part, { force: true })
    unwritable(out)(error as Error)
  }
}
