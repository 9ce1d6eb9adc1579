import { Command, InvalidArgumentError } from 'commander'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { InputError } from '#kernel'
import { FATES, Matcher, scatterM, type FixColumns, type Match, type Traversal } from '#map-matching'
import type { RoadNetwork } from '#road-network'
import { explainHtml, readTruth, tracedDrive } from './explain'
import { counted, grouped, progress, say, unwritable } from './printed'
import { readNetwork, readTraces } from './readers'

/** `roadmeter match`: matches traces of a file and writes the edges driven, in the ids of `edges.csv`. */
export const matchCommand = (): Command =>
  new Command('match')
    .requiredOption('--network <path>', 'folder with nodes.csv and edges.csv, or .osm.pbf, .osm, .network')
    .requiredOption('--traces <file>', 'CSV (trace_id,t,lon,lat[,accuracy], t in seconds) or GPX')
    .requiredOption(
      '--out <file>',
      'CSV to write: trace_id,seq,edge_id (or segment references where there are no edge ids)',
    )
    .option(
      '--streamed <fixes>',
      'match in batches of so many fixes, the state saved and restored between them',
      positive,
    )
    .option('--repeat <times>', 'match everything so often and report the median time', positive, 1)
    .option('--picture <folder>', 'draw each drive as a page of its own')
    .option('--truth <file>', 'CSV trace_id,seq,edge_id: what was truly driven, for the pictures')
    .option('--json', 'print the summary as JSON')
    .action(match)

interface Options {
  readonly network: string
  readonly traces: string
  readonly out: string
  readonly streamed?: number
  readonly repeat: number
  readonly picture?: string
  readonly truth?: string
  readonly json?: boolean
}

async function match(options: Options): Promise<void> {
  const { out, streamed, repeat, picture, json } = options
  if (options.truth !== undefined && picture === undefined)
    throw new InputError('NO_PICTURE', '--truth is for the pictures: name a folder for them with --picture')
  const tables = ['nodes.csv', 'edges.csv'].map((name) => join(options.network, name))
  for (const given of [options.traces, options.network, ...tables, options.truth])
    if (given !== undefined && resolve(given) === resolve(out))
      throw new InputError('OUT_IS_INPUT', `--out ${out} would write over what is read`)
  const network = await readNetwork(options.network)
  const traces = await readTraces(options.traces)
  const matcher = new Matcher(network)
  const rows = [network.hasEdges ? 'trace_id,seq,edge_id' : 'trace_id,seq,segment']
  const fates = new Array<number>(FATES.length).fill(0)
  let fixes = 0
  let [breaks, forced] = [0, 0]
  const nanoseconds = new Array<number>(repeat).fill(0)
  const bar = progress('matching')
  const pages = new Set<string>()
  if (picture !== undefined) await mkdir(picture, { recursive: true }).catch(unwritable(picture))
  for (const [done, trace] of traces.entries()) {
    const { id, fixes: columns } = trace
    bar.to(done, traces.length)
    for (let time = 0; time < repeat; time++) {
      const before = process.hrtime.bigint()
      const found = streamed ? matchStreamed(matcher, columns, streamed) : matcher.match(columns)
      nanoseconds[time] += Number(process.hrtime.bigint() - before)
      if (time > 0) continue
      fixes += columns.length
      breaks += found.breaks
      forced += found.forced
      for (const fate of found.fates) fates[fate]++
      const driven = network.hasEdges
        ? drivenEdges(network, columns, found)
        : found.traversals.map((t) => network.ref(t.segment))
      driven.forEach((name, seq) => rows.push(`${id},${seq},${name}`))
      if (picture === undefined) continue
      const truth = options.truth === undefined ? null : await readTruth(options.truth, id, network)
      const page = join(picture, `${pageName(id, pages)}.html`)
      await writeFile(page, explainHtml(tracedDrive(network, trace, found, truth))).catch(unwritable(page))
    }
  }
  bar.end()
  await writeFile(out, rows.join('\n') + '\n').catch(unwritable(out))
  const seconds = nanoseconds.sort((a, b) => a - b)[repeat >> 1] / 1e9
  const summary = {
    traces: traces.length,
    fixes,
    seconds: Number(seconds.toFixed(6)),
    fixes_per_s: Math.round(fixes / Math.max(seconds, 1e-9)),
    breaks,
    forced,
    fates: Object.fromEntries(FATES.map((fate, i) => [fate, fates[i]]).filter(([, n]) => n !== 0)),
  }
  say(
    json
      ? JSON.stringify(summary)
      : `${counted(fixes, 'fix', 'fixes')} of ${counted(traces.length, 'trace')} matched in ${summary.seconds} s: ${grouped(summary.fixes_per_s)} fixes/s`,
  )
}

/** A file name of a trace's id that no other one has, on any file system. */
function pageName(id: string, taken: Set<string>): string {
  const plain = id.replace(/[^\w.-]/g, '_')
  let name = plain
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${plain}-${n}`
  taken.add(name.toLowerCase())
  return name
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1')
  return value
}

/** The same as `matcher.match`, as a server does it: one batch at a time, nothing kept between them but bytes. */
function matchStreamed(matcher: Matcher, fixes: FixColumns, size: number): Match {
  const parts: Match[] = []
  matcher.begin()
  for (let from = 0; from < fixes.length; from += size) {
    if (from > 0) matcher.restore(matcher.save())
    const to = Math.min(fixes.length, from + size)
    parts.push(
      matcher.advance({
        length: to - from,
        at: fixes.at.subarray(from, to),
        lon: fixes.lon.subarray(from, to),
        lat: fixes.lat.subarray(from, to),
        accuracyM: fixes.accuracyM.subarray(from, to),
      }),
    )
  }
  parts.push(matcher.finish())
  return {
    traversals: parts.flatMap((part) => part.traversals),
    fates: Uint8Array.from(parts.flatMap((part) => [...part.fates])),
    breaks: parts.reduce((sum, part) => sum + part.breaks, 0),
    forced: parts.reduce((sum, part) => sum + part.forced, 0),
  }
}

/**
 * Edges of `edges.csv` that were driven, in order. Edges are whole and offsets are not: an edge counts where at least half of it was
 * driven, the first and the last of a drive where more of it was than half of what its fixes scatter by (references count edges as soon
 * as they are touched); one that two traversals share (a break within it) counts once.
 */
export function drivenEdges(network: RoadNetwork, fixes: FixColumns, match: Match): number[] {
  const traversals = whole(match.traversals)
  const reachedMm = 500 * scatterM(network, fixes, match)
  const driven: number[] = []
  traversals.forEach((t, i) => {
    const isEnd = i === 0 || i === traversals.length - 1
    for (const piece of network.edges(t.segment, t.fromMm, t.toMm)) {
      const coveredMm = Math.min(piece.toMm, t.toMm) - Math.max(piece.fromMm, t.fromMm)
      const counts = 2 * coveredMm >= piece.toMm - piece.fromMm || (isEnd && coveredMm >= reachedMm)
      if (counts && driven[driven.length - 1] !== piece.edge) driven.push(piece.edge)
    }
  })
  return driven
}

/** Traversals that go on from each other within a segment as one: where one was not heard of, it was driven all the same. */
function whole(traversals: Match['traversals']): Pick<Traversal, 'segment' | 'fromMm' | 'toMm'>[] {
  const joined: { segment: number; fromMm: number; toMm: number }[] = []
  for (const { segment, fromMm, toMm } of traversals) {
    const last = joined.at(-1)
    if (last && last.segment === segment && last.toMm === fromMm) last.toMm = toMm
    else joined.push({ segment, fromMm, toMm })
  }
  return joined
}
