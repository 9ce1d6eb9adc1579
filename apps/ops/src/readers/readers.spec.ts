import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { InputError } from '#kernel'
import { packNetwork } from '#road-network'
import { readNetwork, readTraces } from '.'

const folder = mkdtempSync(join(tmpdir(), 'readers-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, `${files++}-${name}`)
  writeFileSync(path, content)
  return path
}
const refused = async (work: Promise<unknown>, message: RegExp): Promise<void> => {
  const error = await work.then(
    () => null,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(InputError)
  expect((error as Error).message).toMatch(message)
}

const OSM = `<?xml version="1.0"?>
<osm version="0.6">
  <node id="1" lat="47.5" lon="7.5"/><node id="2" lat="47.5" lon="7.501"/><node id="3" lat="47.501" lon="7.501"/>
  <way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/><tag k="name" v="Größe &amp; Co"/></way>
  <way id="11"><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way>
  <way id="12"><nd ref="1"/><nd ref="3"/><tag k="highway" v="footway"/></way>
  <relation id="5"><member type="way" ref="10" role="from"/><member type="node" ref="2" role="via"/>
    <member type="way" ref="11" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/></relation>
</osm>`

describe('maps', () => {
  it('reads OpenStreetMap XML, packed or not, with its turn restrictions', async () => {
    const n = await readNetwork(file('a.osm', OSM))
    const from = n.find('10.1.2')
    expect([n.segmentCount, n.name(from), n.attribution]).toEqual([4, 'Größe & Co', '© OpenStreetMap contributors'])
    expect(n.turnAllowed(from, n.find('11.2.3'))).toBe(false)
    expect((await readNetwork(file('a.osm.gz', gzipSync(OSM)))).digest).toBe(n.digest)
    expect((await readNetwork(file('a.network', packNetwork(n)))).digest).toBe(n.digest)
  })
  it('refuses XML that is cut short, packed data that is cut short, and what is no map', async () => {
    await refused(readNetwork(file('b.osm', OSM.slice(0, 500))), /b\.osm: cut short/)
    await refused(readNetwork(file('c.osm.gz', gzipSync(OSM).subarray(0, 200))), /c\.osm\.gz: cannot be read: /)
    await refused(readNetwork(file('d.osm', '<html></html>')), /no OpenStreetMap XML/)
    await refused(readNetwork(file('e.osm', '<osm></osm>')), /e\.osm: the map has no drivable road/)
    await refused(readNetwork(file('f.osm.pbf', 'nonsense, and more of it')), /f\.osm\.pbf: cut short, or no/)
    await refused(readNetwork(file('g.osm.pbf', '')), /g\.osm\.pbf: cut short, or no/)
    await refused(readNetwork(file('h.network', new Uint8Array(500))), /h\.network: packed road network refused/)
    await refused(readNetwork(file('i.txt', '')), /expected a folder with nodes\.csv/)
    await refused(readNetwork(join(folder, 'nothing')), /nothing: no such file or folder/)
    await refused(readNetwork(folder), /nodes\.csv: no such file or folder/)
  })
  it('refuses XML whose nodes or ways have no number', async () => {
    const tagged = (node: string, way: string) =>
      `<osm><node ${node} lon="7.5" lat="47.5"/><node id="2" lon="7.6" lat="47.5"/><way ${way}><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way></osm>`
    for (const [node, way, found] of [
      ['id="1"', '', /\.osm: a way has the id NaN/],
      ['id="1"', 'id="1.5"', /\.osm: a way has the id 1\.5/],
      ['', 'id="10"', /\.osm: a node has the id NaN/],
    ] as const)
      await refused(readNetwork(file('numberless.osm', tagged(node, way))), found)
  })
  it('names the line of a broken row', async () => {
    const make = (nodes: string, edges: string) => {
      const path = mkdtempSync(join(folder, 'csv-'))
      writeFileSync(join(path, 'nodes.csv'), nodes)
      writeFileSync(join(path, 'edges.csv.gz'), gzipSync(edges))
      return path
    }
    const nodes = 'node_id,lon,lat\n0,7.5,47.5\n1,7.501,47.5\n'
    const n = await readNetwork(make(nodes, 'edge_id,from,to\n0,0,1\n'))
    expect([n.segmentCount, n.hasEdges]).toEqual([1, true])
    await refused(
      readNetwork(make(nodes + '2,east,3\n', 'edge_id,from,to\n')),
      /nodes\.csv: line 4: expected a number for lon, found "east"/,
    )
    await refused(
      readNetwork(make(nodes, 'edge_id,from,to\n0,0\n')),
      /edges\.csv\.gz: line 2: expected a number for to, found the end of the line/,
    )
    await refused(
      readNetwork(make(nodes, 'id,from,to\n')),
      /line 1: expected a header with edge_id,from,to, found no edge_id/,
    )
    await refused(readNetwork(make(nodes, 'edge_id,from,to\n0,0,9\n')), /edge 0 names node 9/)
    await refused(readNetwork(make('', '')), /found nothing/)
  })

  const monaco = resolve(__dirname, '../../../../../shared/data/osm/monaco.osm.pbf')
  const there = existsSync(monaco)
  if (!there) console.warn(`SKIPPED: reading a real extract needs ${monaco}`)
  ;(there ? it : it.skip)('reads a real .osm.pbf in time, and notices where it is cut', async () => {
    const before = performance.now()
    const n = await readNetwork(monaco)
    expect(performance.now() - before).toBeLessThan(6_000)
    expect(n.segmentCount).toBeGreaterThan(3_000)
    expect((await readNetwork(monaco)).digest).toBe(n.digest)
    const bytes = readFileSync(monaco)
    await refused(readNetwork(file('cut.osm.pbf', bytes.subarray(0, bytes.length >> 1))), /cut\.osm\.pbf: cut short/)
  })
})

describe('traces', () => {
  it('reads CSV by its header, keeps relative seconds, gathers each trace', async () => {
    const csv = 'trace_id,lat,lon,t,accuracy\n7,47.5,7.5,0.5,8\n8,47.6,7.6,3,\n7,47.5001,7.5,1,\n'
    const traces = await readTraces(file('t.csv.gz', gzipSync(csv)))
    expect(traces.map((t) => [t.id, t.fixes.length])).toEqual([
      ['7', 2],
      ['8', 1],
    ])
    const { at, lon, lat, accuracyM } = traces[0].fixes
    expect([[...at], [...lon], [...lat], [...accuracyM]]).toEqual([
      [500, 1000],
      [7.5, 7.5],
      [47.5, 47.5001],
      [8, 0],
    ])
  })
  it('reads GPX', async () => {
    const point = (time: string) => `<trkpt lat="47.5" lon="7.5"><ele>3</ele>${time}</trkpt>`
    const gpx = (body: string) => `<gpx><trk><name>x</name><trkseg>${body}</trkseg></trk></gpx>`
    const [trace] = await readTraces(file('a.gpx', gpx(point('<time>2026-01-02T03:04:05Z</time>'))))
    expect([trace.id, trace.fixes.at[0], trace.fixes.lon[0]]).toEqual(['1', Date.UTC(2026, 0, 2, 3, 4, 5), 7.5])
    await refused(readTraces(file('b.gpx', gpx(point('')))), /b\.gpx: line 1: a point without a time/)
    await refused(readTraces(file('c.gpx', gpx(''))), /c\.gpx: trace 1 has no fix/)
    await refused(readTraces(file('d.gpx', '<gpx><trk>')), /d\.gpx: line /)
  })
  it('names the line of a broken row, and a file without a fix', async () => {
    const head = 'trace_id,t,lon,lat\n'
    await refused(
      readTraces(file('a.csv', head + '1,0,7.5,47.5\n1,x,7.5,47.5\n')),
      /a\.csv: line 3: expected a number for t, found "x"/,
    )
    await refused(readTraces(file('b.csv', head)), /b\.csv: no trace, not a single fix/)
    await refused(readTraces(file('c.csv', head + ',0,7.5,47.5\n')), /line 2: expected a trace_id/)
    await refused(readTraces(join(folder, 'none.csv')), /no such file/)
  })
})
