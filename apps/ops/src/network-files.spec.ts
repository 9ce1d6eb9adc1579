import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { networkCommand } from './network'

const folder = mkdtempSync(join(tmpdir(), 'network-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

async function run(...args: string[]): Promise<string> {
  let said = ''
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said += String(text)), true))
  try {
    await networkCommand().exitOverride().parseAsync(args, { from: 'user' })
  } finally {
    write.mockRestore()
  }
  return said
}

/** A main street 1 to 4 over 2 and 3, a side street 2 to 5, a lane 3 to 6; `more` is put behind. */
const map = (street: string, side: string, more = ''): string => `<osm version="0.6">
  ${[0, 1, 2, 3].map((i) => `<node id="${i + 1}" lat="47.5" lon="${7.5 + i * 0.001}"/>`).join('')}
  <node id="5" lat="47.501" lon="7.501"/><node id="6" lat="47.501" lon="7.502"/>
  <way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/>${street}</way>
  <way id="20"><nd ref="2"/><nd ref="5"/>${side}</way>${more}</osm>`
const tag = (k: string, v: string) => `<tag k="${k}" v="${v}"/>`

describe('roadmeter network', () => {
  beforeAll(() => {
    writeFileSync(at('old.osm'), map(tag('highway', 'primary') + tag('ref', 'B 3'), tag('highway', 'residential')))
    // The side street became one-way and slower, and a lane now meets the main street where nothing met it before.
    const lane = `<way id="30"><nd ref="3"/><nd ref="6"/>${tag('highway', 'service')}</way>`
    const side = tag('highway', 'residential') + tag('oneway', 'yes') + tag('maxspeed', '30')
    writeFileSync(at('new.osm'), map(tag('highway', 'primary') + tag('ref', 'B 3'), side, lane))
  })

  it('tells two builds apart: what was added, taken away, changed, and by how many kilometres', async () => {
    const said = JSON.parse(await run('diff', at('old.osm'), at('new.osm'), '--json', '--geojson', at('diff.geojson')))
    expect(said).toMatchObject({ added: 2, removed: 1, changed: 3, unchanged: 2, changes: { cut: 2, maxSpeedKmh: 1 } })
    // Each is a block, 111 m north or 75 m east; the second and third block of the main street are one segment before, two after.
    const { residential, primary, service } = said.classes
    expect([residential.removedMm, residential.changedMm]).toEqual([111_181, 111_181])
    expect(service).toEqual({ addedMm: 2 * 111_181, removedMm: 0, changedMm: 0 })
    expect(primary).toMatchObject({ addedMm: 0, removedMm: 0 })
    const { features } = JSON.parse(readFileSync(at('diff.geojson'), 'utf8'))
    const fates = features.map(
      (f: { properties: { fate: string; was?: string } }) => f.properties.was ?? f.properties.fate,
    )
    expect(fates.sort()).toEqual(['10.2.4', '10.2.4', '10.4.2', '10.4.2', '20.2.5', 'added', 'added', 'removed'])
    const table = await run('diff', at('old.osm'), at('new.osm'))
    expect(table).toMatch(/added +removed +changed\nsegments +2 +1 +3\n/)
    expect(table).toMatch(/residential, km +0\.000 +0\.111 +0\.111\n/)
    expect(await run('diff', at('old.osm'), at('old.osm'))).toMatch(/^the same network: [0-9a-f]{64}\n$/)
  })

  it('writes GeoJSON and a packed form that is the same network', async () => {
    expect(await run('export', at('new.osm'), '--out', at('new.geojson'))).toBe(`${at('new.geojson')}: 9 segments\n`)
    const { type, attribution, features } = JSON.parse(readFileSync(at('new.geojson'), 'utf8'))
    expect([type, attribution, features.length]).toEqual(['FeatureCollection', '© OpenStreetMap contributors', 9])
    const one = features.find((f: { properties: { ref: string } }) => f.properties.ref === '20.2.5')
    expect(one).toEqual({
      type: 'Feature',
      geometry: {
        type: 'LineString',
        coordinates: [
          [7.501, 47.5],
          [7.501, 47.501],
        ],
      },
      properties: {
        ref: '20.2.5',
        class: 'residential',
        access: 'public',
        length_mm: 111_181,
        maxspeed_kmh: 30,
        oneway: true,
      },
    })
    await run('export', at('new.osm'), '--out', at('new.network'))
    expect(await run('diff', at('new.network'), at('new.osm'))).toMatch(/^the same network/)
    expect(await run('info', at('new.network'))).toMatch(/^segments +9 /)
  })

  it('refuses what it cannot do in one message, and leaves nothing half-written', async () => {
    await expect(run('export', at('new.osm'), '--out', at('new.shp'))).rejects.toThrow(
      /new\.shp: expected a file ending/,
    )
    await expect(run('export', at('new.osm'), '--out', at('none/new.json'))).rejects.toThrow(/cannot be written/)
    await expect(run('diff', at('new.osm'), at('none.osm'))).rejects.toThrow(/none\.osm: no such file or folder/)
    expect(existsSync(at('none'))).toBe(false)
  })
})
