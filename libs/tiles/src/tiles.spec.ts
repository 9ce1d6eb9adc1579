import fc from 'fast-check'
import { buildNetwork, type RoadNetwork } from '#road-network'
import { chainsOf } from './chains'
import { drivenRoads, mainPart, RoadTiles, ZoneTiles, ChargedTiles } from './index'
import { readTile } from './read.fixture'
import { boundsOf, isSquare, within, ZOOM_MAX } from './square'

/** The square of a zoom in which a place lies. */
const squareAt = (lon: number, lat: number, z: number) => {
  const rad = (lat * Math.PI) / 180
  return {
    z,
    x: Math.floor(((lon + 180) / 360) * 2 ** z),
    y: Math.floor(((1 - Math.log(Math.tan(rad) + 1 / Math.cos(rad)) / Math.PI) / 2) * 2 ** z),
  }
}
const all = (network: RoadNetwork) =>
  Array.from({ length: network.segmentCount }, (_, i) => i).filter((s) => network.forwardOf(network.roadOf(s)) === s)

// 1 -- 2 -- 3 -- 4 Long Street, with Side Lane going up at 2: Long Street is one line, though it has three segments.
const STREETS = buildNetwork({
  attribution: 'drawn for tests',
  nodes: [
    { id: 1, lon: 7, lat: 45 },
    { id: 2, lon: 7.01, lat: 45 },
    { id: 3, lon: 7.02, lat: 45 },
    { id: 4, lon: 7.03, lat: 45 },
    { id: 5, lon: 7.01, lat: 45.01 },
    { id: 6, lon: 7.02, lat: 45.01 },
  ],
  ways: [
    { id: 10, nodeIds: [1, 2, 3, 4], tags: { highway: 'primary', name: 'Long Street' } },
    { id: 11, nodeIds: [2, 5], tags: { highway: 'residential', name: 'Side Lane' } },
    { id: 12, nodeIds: [3, 6], tags: { highway: 'service', access: 'private' } },
  ],
})
const SQUARE = squareAt(7.015, 45.005, 13)

describe('squares', () => {
  it('hold the place that they are asked for, and lie in those of lower zooms', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -179, max: 179, noNaN: true }),
        fc.double({ min: -84, max: 84, noNaN: true }),
        fc.integer({ min: 0, max: ZOOM_MAX }),
        (lon, lat, z) => {
          const square = squareAt(lon, lat, z)
          const [west, south, east, north] = boundsOf(square, 1e-9)
          expect(isSquare(square)).toBe(true)
          expect(west <= lon && lon <= east && south <= lat && lat <= north).toBe(true)
          expect(within(squareAt(lon, lat, ZOOM_MAX), z)).toEqual(square)
        },
      ),
    )
  })
  it.each([
    { z: 15, x: 0, y: 0 },
    { z: 3, x: 8, y: 0 },
    { z: 3, x: 0, y: -1 },
    { z: 1, x: 0.5, y: 0 },
  ])('are none outside of the map: %o', (square) => expect(isSquare(square)).toBe(false))
})

describe('tiles of roads', () => {
  it('join the pieces of a street into one line that its name fits along', () => {
    const { roads } = readTile(new RoadTiles(STREETS).tile(SQUARE)!)
    expect(roads).toHaveLength(3)
    expect(roads).toContainEqual({ class: 'primary', name: 'Long Street' })
    expect(roads).toContainEqual({ class: 'service', access: 'private' })
  })
  it('leave small streets out of low zooms, and have nothing where nothing is', () => {
    const tiles = new RoadTiles(STREETS)
    expect(readTile(tiles.tile(within(SQUARE, 8))!).roads).toEqual([{ class: 'primary', name: 'Long Street' }])
    expect(tiles.tile(within(SQUARE, 3))).toBeNull()
    expect(tiles.tile(squareAt(-100, -45, 12))).toBeNull()
  })
  it('are the same bytes, whatever was asked for before', () => {
    const [once, again] = [new RoadTiles(STREETS), new RoadTiles(STREETS)]
    again.tile(within(SQUARE, 11))
    again.tile(within(SQUARE, 5))
    expect(again.tile(SQUARE)).toEqual(once.tile(SQUARE))
  })
  it('draw each metre of road once, however streets meet', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 2 })),
          {
            minLength: 1,
            maxLength: 25,
          },
        ),
        (edges) => {
          const nodes = Array.from({ length: 16 }, (_, i) => ({
            id: i + 1,
            lon: 7 + (i % 4) * 0.01,
            lat: 45 + (i >> 2) * 0.01,
          }))
          const ways = edges
            .filter(([a, b]) => a !== b)
            .map(([a, b, look], i) => ({
              id: i + 1,
              nodeIds: [a + 1, b + 1],
              tags: { highway: 'residential', name: `street ${look}`, ...(look === 2 ? { oneway: 'yes' } : {}) },
            }))
          fc.pre(ways.length > 0)
          const network = buildNetwork({ attribution: '', nodes, ways })
          const segments = all(network)
          const points = (lines: readonly (readonly number[])[][]) =>
            lines.reduce((sum, line) => sum + line.length - 1, 0)
          const chains = chainsOf(network, segments).map(({ geometry }) => geometry.coordinates as number[][])
          expect(points(chains)).toBe(segments.reduce((sum, s) => sum + network.shape(s).length / 2 - 1, 0))
          // Every step of a chain is a step of a road.
          const steps = new Set(
            segments.flatMap((s) => {
              const shape = [...network.shape(s)]
              return [`${shape.slice(0, 2)} ${shape.slice(-2)}`, `${shape.slice(-2)} ${shape.slice(0, 2)}`]
            }),
          )
          for (const line of chains)
            for (let i = 1; i < line.length; i++) expect(steps).toContain(`${line[i - 1]} ${line[i]}`)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('tiles of zones', () => {
  it('have an area and a place for its name, amid it or on it', () => {
    // A horseshoe: its middle isn't in it.
    const ring = [[7, 45], [7.03, 45], [7.03, 45.02], [7.02, 45.02], [7.02, 45.005], [7.01, 45.005], [7.01, 45.02], [7, 45.02], [7, 45]] // prettier-ignore
    const tile = readTile(
      new ZoneTiles({
        zones: {
          shoe: { name: 'The shoe', geometry: { type: 'Polygon', coordinates: [ring as [number, number][]] } },
          listed: { name: 'Listed', roads: ['Long Street'] },
        },
      }).tile(squareAt(7.015, 45.01, 10))!,
    )
    expect(tile).toEqual({
      zones: [{ id: 'shoe', name: 'The shoe' }],
      'zone-labels': [{ id: 'shoe', name: 'The shoe' }],
    })
  })
})

describe('tiles of charged miles', () => {
  const main = STREETS.nearest(7.005, 45, 10).find(({ segment }) => STREETS.name(segment) === 'Long Street')!.segment
  const back = STREETS.reverse(main)
  const mm = STREETS.lengthMm(main)
  const uses = [
    { network: 'a', segment: STREETS.ref(main), vehicles: 12, chargedMm: 20 * mm },
    { network: 'a', segment: STREETS.ref(back), vehicles: 10, chargedMm: 10 * mm },
    { network: 'a', segment: '99.1.2', vehicles: 10, chargedMm: 5 },
    { network: 'b', segment: '1.1.2', vehicles: 10, chargedMm: 5 },
  ]
  it('put both directions of a road together, and are of one network', () => {
    const { network, uses: of } = mainPart(uses)!
    expect([network, of.length]).toEqual(['a', 3])
    const { charged } = readTile(new ChargedTiles(STREETS, of).tile(SQUARE)!)
    const miles = Math.round((30 * mm) / 16_093.44) / 100
    expect(charged).toEqual([{ miles, passes: 30, vehicles: 10, class: 'primary', name: 'Long Street' }])
    expect(drivenRoads(STREETS, of)).toEqual([
      { name: 'Long Street', class: 'primary', segments: 2, chargedMm: 30 * mm, vehicles: 12 },
    ])
  })
  it('are nothing of a month without traffic', () => expect(mainPart([])).toBeNull())
})
