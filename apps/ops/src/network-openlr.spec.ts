import fc from 'fast-check'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { gridCity } from '#fleet'
import { chance } from '#kernel'
import { apartM, lineMm, Locator, readLine, type RoadLine } from '#openlr'
import { buildNetwork, packNetwork, type RoadNetwork } from '#road-network'
import { networkCommand } from './network'
import { readNetwork } from './readers'
import { randomLine, rebuilt } from './rebuilt.fixture'

const folder = mkdtempSync(join(tmpdir(), 'openlr-'))
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

/** Lines on each map. */
const COUNT = 400
const monaco = resolve(__dirname, '../../../../shared/data/osm/monaco.osm.pbf')
const isThere = existsSync(monaco)
if (!isThere) console.warn(`SKIPPED: OpenLR on real streets needs ${monaco}`)

/** Lines of half a minute's to some minutes' drive, and parts of single segments. */
const linesOf = (network: RoadNetwork, count: number): RoadLine[] => {
  const dice = chance('lines')
  return Array.from({ length: count }, (_, i) => randomLine(network, dice, i % 2 === 0 ? 1 : 30))
}

describe.each([
  ['a generated city', async () => gridCity(16, chance('openlr'))],
  ...(isThere ? [['Monaco', () => readNetwork(monaco)] as const] : []),
] as const)('OpenLR in %s', (_, load) => {
  let network: RoadNetwork
  let lines: RoadLine[]
  let codes: (string | null)[]
  beforeAll(async () => {
    network = await load()
    lines = linesOf(network, COUNT)
    const locator = new Locator(network)
    codes = lines.map((line) => locator.encode(line))
  })

  it('leads back to the very line', () => {
    const locator = new Locator(network)
    let without = 0
    lines.forEach((line, i) => {
      const code = codes[i]
      if (code === null) return void without++
      const back = locator.decode(code)
      if (!back.found) throw new Error(`${code}: ${back.why}`)
      expect(back.line.segments).toEqual(line.segments)
      expect(Math.abs(lineMm(network, back.line) - lineMm(network, line))).toBeLessThan(
        1_000 + lineMm(network, line) / 50,
      )
    })
    expect(without).toBeLessThanOrEqual(lines.length / 200)
    // Few points: one more than the shortest way needs is a longer message.
    const points = codes.reduce((sum, code) => sum + (code ? readLine(code).points.length : 0), 0)
    expect(points / codes.length).toBeLessThan(5)
  })

  it.each([0, 2, 5])('finds 99 %% of them on a map with other ids, cut roads and points moved by %d m', (moveM) => {
    const other = rebuilt(network, chance(`moved ${moveM}`), moveM)
    expect(other.segmentCount).toBeGreaterThan(1.2 * network.segmentCount)
    expect(other.find(network.ref(0))).toBe(-1)
    const locator = new Locator(other)
    let same = 0
    lines.forEach((line, i) => {
      const found = codes[i] === null ? null : locator.decode(codes[i])
      if (found?.found && apartM(network, line, other, found.line) <= moveM + 5) same++
    })
    expect(same / lines.length).toBeGreaterThanOrEqual(0.99)
  })

  it('answers any code with an outcome, however far it leads', () => {
    const locator = new Locator(network)
    const bytes = fc.uint8Array({ minLength: 9, maxLength: 30 })
    fc.assert(
      fc.property(fc.constantFrom(...codes.filter((code) => code !== null).slice(0, 50)), bytes, (code, noise) => {
        // Near the city, and then anything.
        const mixed = Buffer.from(code, 'base64')
        noise.slice(0, mixed.length - 9).forEach((byte, i) => (mixed[7 + i] ^= byte & (i % 3 === 0 ? 255 : 7)))
        let read
        try {
          read = locator.decode(mixed.toString('base64'))
        } catch (error) {
          return expect(error).toMatchObject({ code: 'OPENLR' })
        }
        if (read.found) expect(lineMm(network, read.line)).toBeGreaterThan(0)
        else expect(['no-road', 'no-way', 'no-length']).toContain(read.why)
      }),
      { numRuns: 200, seed: 7 },
    )
  })
})

describe('odd roads', () => {
  /** A road of 70 km due east along the 66th parallel over the antimeridian, one of two ways round a block, and a street that ends. */
  const network = buildNetwork({
    nodes: [
      ...Array.from({ length: 8 }, (_, i) => ({
        id: 1 + i,
        lon: 179.2 + 0.22 * i - (0.22 * i >= 0.8 ? 360 : 0),
        lat: 66,
      })),
      { id: 20, lon: 179.2, lat: 66.003 },
      { id: 21, lon: 179.204, lat: 66.003 },
      { id: 22, lon: 179.204, lat: 66 },
    ],
    ways: [
      { id: 1, nodeIds: [1, 2, 3, 4, 5, 6, 7, 8], tags: { highway: 'trunk' } },
      { id: 2, nodeIds: [1, 20, 21, 22], tags: { highway: 'residential' } },
    ],
    restrictions: [],
    attribution: '',
  })
  const locator = new Locator(network)
  const along = network.find('1.1.8')
  const back = network.find('1.8.1')
  const block = network.find('2.1.22')

  it.each([
    [
      'one segment longer than a code may tell at once, over the antimeridian',
      { segments: [along], fromMm: 0, toMm: network.lengthMm(along) },
    ],
    ['a part of it', { segments: [along], fromMm: 12_345_678, toMm: 61_000_000 }],
    ['there and back again at its end', { segments: [along, back], fromMm: 60_000_000, toMm: 9_000_000 }],
    ['a turn about the block', { segments: [block, network.find('2.22.1')], fromMm: 0, toMm: network.lengthMm(block) }],
    ['a few metres', { segments: [block], fromMm: 100_000, toMm: 108_000 }],
  ])('%s', (_, line) => {
    const code = locator.encode(line)
    expect(code).not.toBeNull()
    const found = locator.decode(code!)
    expect(found).toMatchObject({ found: true, line: { segments: line.segments } })
    if (found.found) expect(apartM(network, line, network, found.line)).toBeLessThan(5)
  })

  it('refuses to write what is no line', () => {
    expect(() => locator.encode({ segments: [along, block], fromMm: 0, toMm: 1 })).toThrow(/don't meet/)
    expect(() => locator.encode({ segments: [along], fromMm: 5, toMm: 5 })).toThrow(/direction of travel/)
  })
})

describe('roadmeter network', () => {
  it('writes codes into GeoJSON, reads them back on another map, and says how many a map update keeps', async () => {
    const city = gridCity(5, chance('cli'))
    writeFileSync(at('old.network'), packNetwork(city))
    writeFileSync(at('new.network'), packNetwork(rebuilt(city, chance('cli'), 3)))
    expect(await run('export', at('old.network'), '--openlr', '--out', at('old.geojson'))).toBe(
      `${at('old.geojson')}: ${city.segmentCount} segments, ${city.segmentCount} with an OpenLR code\n`,
    )
    const { features } = JSON.parse(readFileSync(at('old.geojson'), 'utf8'))
    const { openlr, length_mm: lengthMm } = features[3].properties
    const found = JSON.parse(await run('locate', openlr, features[4].properties.openlr, '--network', at('new.network')))
    expect(found.features).toHaveLength(2)
    const [{ geometry, properties }] = found.features
    expect(properties).toMatchObject({ openlr, found: true, from_mm: 0 })
    expect(Math.abs(properties.length_mm - lengthMm)).toBeLessThan(5_000)
    const ends = [features[3].geometry.coordinates[0], geometry.coordinates[0]]
    expect(Math.abs(ends[0][0] - ends[1][0])).toBeLessThan(0.0001)

    const removed = city.segmentCount
    const kept = { same: removed, elsewhere: 0, lost: 0, without: 0, removedButFound: removed }
    const figures = JSON.parse(await run('diff', at('old.network'), at('new.network'), '--openlr', '--json'))
    expect(figures).toMatchObject({ removed, openlr: kept })
    expect(await run('diff', at('old.network'), at('new.network'), '--openlr')).toMatch(
      new RegExp(`by OpenLR ${removed} segments of ${removed} \\(100.00 %\\) are found within 20 m`),
    )
  })

  it('says where nothing is found, and refuses what is no code', async () => {
    writeFileSync(at('small.network'), packNetwork(gridCity(3, chance('cli'))))
    const elsewhere = 'CwRbWyNG9RpsCQCb/jsbtAT/6/+jK1lE'
    const { features } = JSON.parse(await run('locate', elsewhere, '--network', at('small.network')))
    const why = 'point 1: no road there'
    expect(features).toEqual([
      { type: 'Feature', geometry: null, properties: { openlr: elsewhere, found: false, why } },
    ])
    await expect(run('locate', 'CwRb', '--network', at('small.network'))).rejects.toMatchObject({ code: 'OPENLR' })
    const both = run('export', at('small.network'), '--openlr', '--out', at('x.network'))
    await expect(both).rejects.toMatchObject({ code: 'OUT_FILE' })
  })
})
