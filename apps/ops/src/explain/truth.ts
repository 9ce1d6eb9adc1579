import { InputError } from '#kernel'
import { type RoadNetwork } from '#road-network'
import { present } from '../readers/files'
import { eachRow, numberIn } from '../readers/table'
import { type Piece } from './explained'

/** Reads what was truly driven (`trace_id,seq,edge_id` in the ids of edges.csv) of one trace, joined where it goes on. */
export async function readTruth(file: string, trace: string, network: RoadNetwork): Promise<Piece[]> {
  if (!network.hasEdges)
    throw new InputError(
      'NO_EDGES',
      `${file}: its edge ids mean nothing on a network that has none (nodes.csv and edges.csv have)`,
    )
  const of = new Map<number, Piece>()
  for (let segment = 0; segment < network.segmentCount; segment++)
    for (const { edge, fromMm, toMm } of network.edges(segment, 0, network.lengthMm(segment)))
      of.set(edge, { segment, fromMm, toMm })
  const pieces: Piece[] = []
  const found = present(file)
  await eachRow(found, { required: ['trace_id', 'seq', 'edge_id'] }, (cells, line, table) => {
    if (cells[table.at['trace_id']] !== trace) return
    const edge = numberIn(cells, 'edge_id', line, table)
    const piece = of.get(edge)
    if (!piece) throw new InputError('BROKEN_ROW', `${found}: line ${line}: the network has no edge ${edge}`)
    const last = pieces[pieces.length - 1]
    if (last?.segment === piece.segment && last.toMm === piece.fromMm)
      pieces[pieces.length - 1] = { ...last, toMm: piece.toMm }
    else pieces.push(piece)
  })
  return pieces
}
