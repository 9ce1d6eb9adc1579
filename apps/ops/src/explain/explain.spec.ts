import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { explainCommand } from '.'
import { matchCommand } from '../match'

const folder = mkdtempSync(join(tmpdir(), 'explain-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, ...lines: string[]): string => {
  writeFileSync(join(folder, name), [...lines, ''].join('\n'))
  return join(folder, name)
}
const run = async (command: ReturnType<typeof explainCommand>, ...args: string[]): Promise<string> => {
  let said = ''
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true))
  try {
    await command.exitOverride().parseAsync(args, { from: 'user' })
  } finally {
    write.mockRestore()
  }
  return said
}

// A street of three edges, a field, and another street; a drive from one to the other. Its name is as bad as names can be.
const TRACE = '<b>"1"&'
const osm = `<osm><node id="1" lat="47.5" lon="7.5"/><node id="2" lat="47.5" lon="7.504"/><node id="3" lat="47.5" lon="7.51"/>
  <node id="4" lat="47.5" lon="7.514"/><way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/><tag k="name" v="A &lt;i&gt; &amp; B"/></way>
  <way id="2"><nd ref="3"/><nd ref="4"/><tag k="highway" v="primary"/></way></osm>`
const rows = Array.from({ length: 140 }, (_, i) => `${TRACE},${i},${(7.5 + i * 0.0001).toFixed(7)},47.50002,5`)
const given = ['--network', file('map.osm', osm), '--traces', file('t.csv', 'trace_id,t,lon,lat,accuracy', ...rows)]

describe('roadmeter explain', () => {
  it('says in words what became of a recorded drive', async () => {
    const text = await run(explainCommand(), ...given)
    expect(text).toMatch(/^Drive <b>"1"&\n/)
    expect(text).toMatch(/fixes +140, of which \d+ not on a road/)
    expect(text).toMatch(/lost and begun anew +1 time/)
    expect(text).toMatch(/00:00:0\d +A <i> & B +residential +\d+\.\d m/)
    expect(text).toMatch(/\d\d:\d\d:\d\d to \d\d:\d\d:\d\d +\d+ +no road in reach/)
  })
  it('says which road beside it may as well have been driven', async () => {
    const nodes = [0, 1].flatMap((i) => [7.5, 7.51].map((lon, j) => `<node id="${2 * i + j + 1}" lat="${47.5 + i * 0.0002}" lon="${lon}"/>`)) // prettier-ignore
    const ways = ['primary', 'motorway'].map((kind, i) => `<way id="${i + 1}"><nd ref="${2 * i + 1}"/><nd ref="${2 * i + 2}"/><tag k="highway" v="${kind}"/></way>`) // prettier-ignore
    const map = file('beside.osm', `<osm>${[...nodes, ...ways].join('')}</osm>`)
    const drive = (name: string, lat: number) =>
      file(name, 'trace_id,t,lon,lat', ...Array.from({ length: 80 }, (_, i) => `x,${i},${7.501 + i * 0.0001},${lat}`))
    const between = await run(explainCommand(), '--network', map, '--traces', drive('between.csv', 47.5001))
    expect(between).toMatch(/ % sure, or .*\((primary|motorway)\): two roads side by side, the cheaper price/)
    const on = await run(explainCommand(), '--network', map, '--traces', drive('on.csv', 47.5))
    expect(on).toMatch(/primary.* % sure\n/)
  })
  it('tells how often it could not wait until it was sure', async () => {
    // Two roads 22 m apart for 7 km, and fixes between them: what is undecided outgrows what may be kept.
    const nodes = [0, 1].flatMap((i) => [7.5, 7.6].map((lon, j) => `<node id="${2 * i + j + 1}" lat="${47.5 + i * 0.0002}" lon="${lon}"/>`)) // prettier-ignore
    const ways = [1, 2].map((i) => `<way id="${i}"><nd ref="${2 * i - 1}"/><nd ref="${2 * i}"/><tag k="highway" v="primary"/></way>`) // prettier-ignore
    const map = file('long.osm', `<osm>${[...nodes, ...ways].join('')}</osm>`)
    const drive = file('long.csv', 'trace_id,t,lon,lat', ...Array.from({ length: 90 }, (_, i) => `x,${5 * i},${7.501 + i * 0.001},47.5001`)) // prettier-ignore
    const text = await run(explainCommand(), '--network', map, '--traces', drive)
    expect(text).toMatch(/decided before it was sure +\d+ times?\n/)
    expect(await run(explainCommand(), ...given)).not.toMatch(/decided before/)
  })
  it('draws a page that asks nobody for anything and lets no name be markup', async () => {
    await run(explainCommand(), ...given, '--html', join(folder, 'page.html'))
    const page = readFileSync(join(folder, 'page.html'), 'utf8')
    expect(page).not.toMatch(/https?:|<script|@import|url\(|src=|href=/)
    expect(page).toContain('A &lt;i&gt; &amp; B')
    expect(page).toContain('Drive &lt;b&gt;')
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
    expect(page).toMatch(/lost at 00:00:\d\d, begun anew at 00:01:\d\d: nothing is charged for the \d+ m between/)
    expect(page).toContain('class="lost"')
  })
  it('writes GeoJSON with roads, fixes, their candidates and their places', async () => {
    await run(explainCommand(), ...given, '--geojson', join(folder, 'x.geojson'))
    const { features } = JSON.parse(readFileSync(join(folder, 'x.geojson'), 'utf8'))
    const kinds = (kind: string) => features.filter((f: { properties: { kind: string } }) => f.properties.kind === kind)
    expect(kinds('fix')).toHaveLength(140)
    expect(kinds('road').map((f: { properties: { class: string } }) => f.properties.class)).toEqual([
      'residential',
      'primary',
    ])
    expect(kinds('fix')[3].properties).toMatchObject({ fate: 'matched', road: 0, accuracy: 5, at: '00:00:03' })
    expect(kinds('fix')[3].properties.candidates[0].metres).toBeCloseTo(2.2, 0)
  })
  it('draws a drive that is nowhere, too', async () => {
    const far = file('far.csv', 'trace_id,t,lon,lat', 'x,0,9,47', 'x,1,9,47')
    const page = join(folder, 'far.html')
    await run(explainCommand(), '--network', given[1], '--traces', far, '--html', page)
    expect(readFileSync(page, 'utf8')).not.toMatch(/NaN|undefined|Infinity/)
  })
  it('refuses what is contradictory', async () => {
    const two = file('two.csv', 'trace_id,t,lon,lat', 'x,0,9,47', 'y,1,9,47')
    await expect(run(explainCommand(), '--network', given[1], '--traces', two)).rejects.toThrow(/has 2 traces/)
    await expect(run(explainCommand())).rejects.toThrow(/expected the id of a stored trip/)
    await expect(run(explainCommand(), 'trip', ...given)).rejects.toThrow(/a stored trip has its own network/)
    await expect(run(explainCommand(), ...given, '--trace', 'z')).rejects.toThrow(/no trace z/)
    await expect(run(explainCommand(), ...given, '--truth', file('gt.csv', 'x'))).rejects.toThrow(
      /edge ids mean nothing/,
    )
    await expect(run(explainCommand(), ...given, '--html', join(folder, 'no/where'))).rejects.toThrow(
      /cannot be written/,
    )
  })
})

describe('roadmeter match --picture', () => {
  it('draws a page for each drive, with what was truly driven below it', async () => {
    const nodes = [0, 1, 2, 3].map((i) => `${i},${7.5 + i * 0.002},47.5`)
    file('nodes.csv', 'node_id,lon,lat', ...nodes)
    file('edges.csv', 'edge_id,from,to', '0,0,1', '1,1,2', '2,2,3')
    const truth = file('gt.csv', 'trace_id,seq,edge_id', `${TRACE},0,0`, `${TRACE},1,1`, `${TRACE},2,2`)
    const traces = ['--traces', given[3], '--out', join(folder, 'o.csv')]
    const pages = join(folder, 'pages')
    await run(matchCommand(), '--network', folder, ...traces, '--picture', pages, '--truth', truth)
    const page = readFileSync(join(pages, '_b__1__.html'), 'utf8')
    expect(page).toContain('class="truth"')
    await expect(
      run(
        matchCommand(),
        '--network',
        folder,
        ...traces,
        '--picture',
        pages,
        '--truth',
        file('bad.csv', 'trace_id,seq,edge_id', `${TRACE},0,9`),
      ),
    ).rejects.toThrow(/bad\.csv: line 2: the network has no edge 9/)
  })
})
