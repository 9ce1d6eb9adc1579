import { OSMTransform } from 'osm-pbf-parser-node'
import { SaxesParser } from 'saxes'
import { createReadStream } from 'node:fs'
import type { TransformCallback } from 'node:stream'
import { InputError } from '#kernel'
import { drivable, type NetworkSource, type OsmNode, type OsmWay, type TurnRestriction } from '#road-network'
import { chunksOf } from './files'
import { Column } from './table'

const ATTRIBUTION = '© OpenStreetMap contributors'

interface Member {
  readonly type: string
  readonly ref: number
  readonly role: string
}

/** Takes elements as a file gives them and keeps what a road network is made of. */
class Collector {
  private readonly id = new Column()
  private readonly lon = new Column()
  private readonly lat = new Column()
  private readonly ways: OsmWay[] = []
  private readonly restrictions: TurnRestriction[] = []

  constructor(private readonly path: string) {}

  private number(name: string, id: number): void {
    if (!Number.isSafeInteger(id))
      throw new InputError('BAD_ID', `${this.path}: a ${name} has the id ${id}, which is no whole number`)
  }

  node(id: number, lon: number, lat: number): void {
    this.number('node', id)
    this.id.push(id)
    this.lon.push(lon)
    this.lat.push(lat)
  }

  way(id: number, nodeIds: readonly number[], tags: Record<string, string>): void {
    if (!drivable(tags)) return
    this.number('way', id)
    this.ways.push({ id, nodeIds, tags })
  }

  relation(members: readonly Member[], tags: Record<string, string>): void {
    const kind = tags['restriction:motorcar'] ?? tags['restriction:motor_vehicle'] ?? tags['restriction']
    if (tags['type'] !== 'restriction' || kind === undefined) return
    const via = members.filter((m) => m.role === 'via')
    const viaWays = via.filter((m) => m.type === 'way').map((m) => m.ref)
    const viaNode = via.length === 1 && via[0].type === 'node' ? via[0].ref : undefined
    if (viaNode === undefined && (viaWays.length === 0 || viaWays.length < via.length)) return
    const ways = (role: string) => members.filter((m) => m.role === role && m.type === 'way')
    // no_entry has several `from`, no_exit several `to`: each pair is a turn of its own.
    for (const from of ways('from'))
      for (const to of ways('to'))
        this.restrictions.push({ kind, fromWay: from.ref, viaNode, viaWays, toWay: to.ref, tags })
  }

  done(): NetworkSource {
    const used = new Set(this.ways.flatMap((way) => way.nodeIds))
    const nodes: OsmNode[] = []
    for (let i = 0; i < this.id.length; i++)
      if (used.has(this.id.get(i))) nodes.push({ id: this.id.get(i), lon: this.lon.get(i), lat: this.lat.get(i) })
    return { nodes, ways: this.ways, restrictions: this.restrictions, attribution: ATTRIBUTION }
  }
}

/** The parser throws inside its stream; a file that is cut short must end in an error that can be caught. */
class CarefulTransform extends OSMTransform {
  override _transform(chunk: Buffer, encoding: BufferEncoding, next: TransformCallback): void {
    try {
      super._transform(chunk, encoding, next)
    } catch (error) {
      next(error as Error)
    }
  }
  override _flush(done: TransformCallback): void {
    try {
      super._flush(done)
    } catch (error) {
      done(error as Error)
    }
  }
}

type PbfItem =
  | { type: 'node'; id: number; lon: number; lat: number }
  | { type: 'way'; id: number; refs: number[]; tags?: Record<string, string> }
  | { type: 'relation'; members: Member[]; tags?: Record<string, string> }
  | { type?: undefined }

/** Reads `.osm.pbf`. InputError BROKEN_FILE where it is cut short or is none. */
export async function readPbf(path: string): Promise<NetworkSource> {
  const collector = new Collector(path)
  const file = createReadStream(path)
  const parser = new CarefulTransform({ withTags: { node: false, way: true, relation: true } })
  file.on('error', (error) => parser.destroy(error))
  try {
    for await (const items of file.pipe(parser) as AsyncIterable<PbfItem[]>)
      for (const item of items) {
        if (item.type === 'node') collector.node(item.id, item.lon, item.lat)
        else if (item.type === 'way') collector.way(item.id, item.refs, item.tags ?? {})
        else if (item.type === 'relation') collector.relation(item.members, item.tags ?? {})
      }
  } catch (error) {
    throw new InputError(
      'BROKEN_FILE',
      `${path}: cut short, or no OpenStreetMap PBF file (${(error as Error).message})`,
    )
  } finally {
    file.destroy()
  }
  return collector.done()
}

/** Reads `.osm` XML, packed or not. InputError BROKEN_FILE, with the line, where it is cut short or is none. */
export async function readOsmXml(path: string): Promise<NetworkSource> {
  const collector = new Collector(path)
  const parser = new SaxesParser()
  let broken: Error | null = null
  let rooted = false
  let open: { name: string; id: number; refs: number[]; members: Member[]; tags: Record<string, string> } | null = null
  parser.on('error', (error) => (broken ??= error))
  parser.on('opentag', ({ name, attributes: a }) => {
    if (name === 'osm') rooted = true
    else if (name === 'node') collector.node(Number(a['id']), Number(a['lon']), Number(a['lat']))
    else if (name === 'way' || name === 'relation')
      open = { name, id: Number(a['id']), refs: [], members: [], tags: {} }
    else if (open && name === 'nd') open.refs.push(Number(a['ref']))
    else if (open && name === 'member') open.members.push({ type: a['type'], ref: Number(a['ref']), role: a['role'] })
    else if (open && name === 'tag') open.tags[a['k']] = a['v']
  })
  parser.on('closetag', ({ name }) => {
    if (!open || open.name !== name) return
    if (name === 'way') collector.way(open.id, open.refs, open.tags)
    else collector.relation(open.members, open.tags)
    open = null
  })
  const check = () => {
    if (broken) throw new InputError('BROKEN_FILE', `${path}: cut short, or no OpenStreetMap XML (${broken.message})`)
  }
  const decoder = new TextDecoder('utf-8')
  for await (const chunk of chunksOf(path)) {
    parser.write(decoder.decode(chunk, { stream: true }))
    check()
  }
  parser.close()
  check()
  if (!rooted) throw new InputError('BROKEN_FILE', `${path}: no OpenStreetMap XML (it has no osm element)`)
  return collector.done()
}
