import { existsSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type WireFix } from '#contracts'
import { InputError, instant, type Instant } from '#kernel'
import { PARAMETERS } from '#map-matching'
import { type RoadNetwork } from '#road-network'
import { type Progress } from '../printed'
import { readNetwork, readTraces, type Trace } from '../readers'
import { eachRow, numberIn } from '../readers/table'

/** One recorded drive. */
export interface Drive {
  readonly name: string
  /** As its file calls it. */
  readonly trace: string
  /** In the order of the file. */
  readonly fixes: readonly WireFix[]
  readonly startsAt: Instant
  readonly endsAt: Instant
  /** Whether any fix has a road in reach of the matcher. */
  readonly onRoad: boolean
  /** Length of the route that was truly driven, in the network's own millimetres; null where nobody knows. */
  readonly trueMm: number | null
}

/** Drives on one road network. */
export interface Suite {
  readonly name: string
  /** Where the network came from. */
  readonly source: string
  readonly network: RoadNetwork
  readonly drives: readonly Drive[]
}

/** Before it, a time counts the seconds of its own drive. */
const RELATIVE_MS_MAX = Date.UTC(1980, 0)
const TRACE_FILE = /\.(csv|gpx)(\.gz)?$/
const BESIDES = /^(nodes|edges|gt)\.csv/

/**
 * Reads drives and the networks that they are on: a file of traces on `network`; a folder of such files on `network`; or,
 * without `network`, a folder with nodes, edges and trace, or a folder of those. InputError names what is missing where.
 */
export async function readSuites(
  path: string,
  network: string | undefined,
  base: Instant,
  progress: Progress,
): Promise<Suite[]> {
  if (!existsSync(path) && !existsSync(`${path}.gz`)) throw new InputError('NO_FILE', `${path}: no such file or folder`)
  const isFolder = existsSync(path) && statSync(path).isDirectory()
  if (network !== undefined) {
    const files = isFolder ? (await names(path)).filter((n) => TRACE_FILE.test(n) && !BESIDES.test(n)) : []
    if (isFolder && files.length === 0) throw new InputError('NO_FILE', `${path}: no .csv or .gpx file in this folder`)
    const roads = await readNetwork(network)
    const drives: Drive[] = []
    for (const file of isFolder ? files.map((name) => join(path, name)) : [path]) {
      const label = isFolder || /\.gpx/.test(file) ? basename(file).replace(TRACE_FILE, '') : null
      drives.push(...drivesOf(file, label, await readTraces(file), roads, base, null))
    }
    return [{ name: basename(network), source: network, network: roads, drives }]
  }
  if (!isFolder)
    throw new InputError(
      'NO_NETWORK',
      `${path} says nothing of roads: name a map with --network (.osm.pbf, .osm or a folder)`,
    )
  const folders = holds(path, 'trace.csv')
    ? [path]
    : (await names(path)).map((name) => join(path, name)).filter((folder) => holds(folder, 'trace.csv'))
  if (folders.length === 0)
    throw new InputError(
      'NO_NETWORK',
      `${path}: neither it nor a folder in it holds nodes.csv, edges.csv and trace.csv; name a map with --network`,
    )
  const suites: Suite[] = []
  for (const [i, folder] of folders.entries()) {
    progress.to(i, folders.length)
    const roads = await readNetwork(folder)
    const file = join(folder, 'trace.csv')
    const truth = holds(folder, 'gt.csv') ? await trueLengths(join(folder, 'gt.csv'), roads) : null
    const label = folders.length > 1 ? basename(folder) : null
    const drives = drivesOf(file, label, await readTraces(file), roads, base, truth)
    suites.push({ name: basename(folder), source: folder, network: roads, drives })
  }
  progress.to(folders.length, folders.length)
  return suites
}

const names = async (folder: string): Promise<string[]> => (await readdir(folder)).sort()
const holds = (folder: string, name: string): boolean =>
  existsSync(join(folder, name)) || existsSync(join(folder, `${name}.gz`))

/** Traces as drives; `label` names them where their own names wouldn't tell them from those of other files. */
function drivesOf(
  file: string,
  label: string | null,
  traces: readonly Trace[],
  network: RoadNetwork,
  base: Instant,
  truth: ReadonlyMap<string, number> | null,
): Drive[] {
  return traces.map(({ id, fixes }) => {
    const name = label === null ? id : traces.length === 1 ? label : `${label}/${id}`
    const shift = fixes.at[0] < RELATIVE_MS_MAX ? base : 0
    let onRoad = false
    const wire = Array.from({ length: fixes.length }, (_, i): WireFix => {
      const [at, lon, lat, accuracyM] = [fixes.at[i] + shift, fixes.lon[i], fixes.lat[i], fixes.accuracyM[i]]
      if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180))
        throw new InputError(
          'BROKEN_FIX',
          `${file}: trace ${id}, fix ${i + 1}: lon ${lon}, lat ${lat} is no place on earth`,
        )
      if (!(at >= 0 && at <= 4_102_444_800_000 && accuracyM >= 0 && accuracyM <= 10_000))
        throw new InputError(
          'BROKEN_FIX',
          `${file}: trace ${id}, fix ${i + 1}: time ${at} ms or accuracy ${accuracyM} m is out of bounds`,
        )
      onRoad ||= network.nearest(lon, lat, PARAMETERS.radiusM.value).length > 0
      return accuracyM > 0 ? [at, lat, lon, accuracyM] : [at, lat, lon]
    })
    const times = wire.map(([at]) => at)
    return {
      name,
      trace: id,
      fixes: wire,
      startsAt: instant(times.reduce((a, b) => Math.min(a, b))),
      endsAt: instant(times.reduce((a, b) => Math.max(a, b))),
      onRoad,
      trueMm: truth?.get(id) ?? null,
    }
  })
}

/** Length of each trace's true route: the edges that `gt.csv` names, as long as the network has them. */
async function trueLengths(path: string, network: RoadNetwork): Promise<Map<string, number>> {
  const edgeMm = new Map<number, number>()
  for (let s = 0; s < network.segmentCount; s++)
    for (const piece of network.edges(s, 0, network.lengthMm(s))) edgeMm.set(piece.edge, piece.toMm - piece.fromMm)
  const lengths = new Map<string, number>()
  const found = existsSync(path) ? path : `${path}.gz`
  await eachRow(found, { required: ['trace_id', 'seq', 'edge_id'] }, (cells, line, table) => {
    const trace = cells[table.at['trace_id']].trim()
    // An edge between two nodes at one place has no length, and so no piece.
    lengths.set(trace, (lengths.get(trace) ?? 0) + (edgeMm.get(numberIn(cells, 'edge_id', line, table)) ?? 0))
  })
  return lengths
}
