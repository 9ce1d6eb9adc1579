import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '#kernel'
import { buildFromEdges, buildNetwork, unpackNetwork, type RoadNetwork } from '#road-network'
import { isFolder, present } from './files'
import { readOsmXml, readPbf } from './osm'
import { Column, eachRow, numberIn } from './table'

/**
 * Reads a road network: a folder with `nodes.csv` and `edges.csv`, OpenStreetMap as `.osm.pbf` or `.osm` (these may end in `.gz`),
 * or a packed network (`.network`). InputError names the file and, in CSV, the line of what is wrong.
 */
export async function readNetwork(path: string): Promise<RoadNetwork> {
  const found = present(path)
  if (await isFolder(found)) return readEdges(found)
  const name = found.replace(/\.gz$/, '')
  try {
    if (name.endsWith('.pbf')) return buildNetwork(await readPbf(found))
    if (name.endsWith('.osm') || name.endsWith('.xml')) return buildNetwork(await readOsmXml(found))
    if (name.endsWith('.network')) return unpackNetwork(new Uint8Array(await readFile(found)))
  } catch (error) {
    // What the pure library refuses doesn't know which file it came from.
    if (error instanceof InputError && !error.message.startsWith(found))
      throw new InputError(error.code, `${found}: ${error.message}`, error.faults)
    throw error
  }
  throw new InputError(
    'NETWORK_FORMAT',
    `${found}: expected a folder with nodes.csv and edges.csv, or a file ending in .osm.pbf, .osm, .osm.gz or .network`,
  )
}

async function readEdges(folder: string): Promise<RoadNetwork> {
  const node = { id: new Column(), lon: new Column(), lat: new Column() }
  await eachRow(present(join(folder, 'nodes.csv')), { required: ['node_id', 'lon', 'lat'] }, (cells, line, table) => {
    node.id.push(numberIn(cells, 'node_id', line, table))
    node.lon.push(numberIn(cells, 'lon', line, table))
    node.lat.push(numberIn(cells, 'lat', line, table))
  })
  const edge = { id: new Column(), from: new Column(), to: new Column() }
  await eachRow(present(join(folder, 'edges.csv')), { required: ['edge_id', 'from', 'to'] }, (cells, line, table) => {
    edge.id.push(numberIn(cells, 'edge_id', line, table))
    edge.from.push(numberIn(cells, 'from', line, table))
    edge.to.push(numberIn(cells, 'to', line, table))
  })
  const said = join(folder, 'ATTRIBUTION')
  const attribution = existsSync(said) ? (await readFile(said, 'utf8')).trim() : ''
  const columns = (of: Record<string, Column>) =>
    Object.fromEntries(Object.entries(of).map(([name, column]) => [name, column.done()]))
  return buildFromEdges(columns(node) as never, columns(edge) as never, attribution)
}
