import {
  buildFromEdges,
  buildNetwork,
  RouteSearch,
  segmentFeature,
  shortestPath,
  successors,
  type RoadNetwork,
} from '#road-network'

/** Nodes 1, 2, 3, ... at these places, and a residential way 10 through all of them. */
const street = (...places: [number, number][]): RoadNetwork =>
  buildNetwork({
    nodes: places.map(([lon, lat], i) => ({ id: i + 1, lon, lat })),
    ways: [{ id: 10, nodeIds: places.map((_, i) => i + 1), tags: { highway: 'residential' } }],
  })

describe('maps that are odd', () => {
  it('a road that goes on for thousands of kilometres, or round the earth, is refused by name', () => {
    const round = Array.from({ length: 8 }, (_, i): [number, number] => [((i * 31 + 180) % 360) - 180, 89])
    for (const places of [[[0, 0], [40, 0]], round] as [number, number][][]) // prettier-ignore
      expect(() => street(...places)).toThrow(expect.objectContaining({ code: 'ROAD_TOO_LONG', message: expect.stringMatching(/^way 10 from node 1 to \d goes on/) })) // prettier-ignore
    const nodes = { id: [1, 2], lon: [0, 40], lat: [0, 0] }
    expect(() => buildFromEdges(nodes, { id: [7], from: [1], to: [2] })).toThrow('edge 7 from node 1 to 2 goes on')
    expect(street([0, 0], [35, 0]).lengthMm(0) / 1e6).toBeCloseTo(3_896, 0)
  })

  it('ways and nodes of an editor, which are below zero, are found by their names', () => {
    const places = [[7.5, 47.5], [7.51, 47.5]] // prettier-ignore
    const n = buildNetwork({
      nodes: places.map(([lon, lat], i) => ({ id: -1 - i, lon, lat })),
      ways: [{ id: -10, nodeIds: [-1, -2], tags: { highway: 'residential' } }],
    })
    expect(n.ref(0)).toMatch(/^-10\.-[12]\.-[12]$/)
    for (const segment of [0, 1]) expect(n.find(n.ref(segment))).toBe(segment)
  })

  it('a search that ends at its bound says so', () => {
    const id = Array.from({ length: 40 }, (_, i) => i)
    const edges = id.slice(1).flatMap((i) => [[i - 1, i], [i, i - 1]]) // prettier-ignore
    const n = buildFromEdges(
      { id, lon: id.map((i) => 7.5 + i / 100), lat: id.map(() => 47.5) },
      { id: edges.map((_, i) => i), from: edges.map(([from]) => from), to: edges.map(([, to]) => to) },
    )
    const isCut = (labelsMax: number) => {
      const search = new RouteSearch(n, { labelsMax, uTurnCost: 1_000 })
      search.begin(7.89, 47.5, Infinity)
      search.addSource(0, 0, 0)
      search.addTarget(n.nearest(7.885, 47.5, 50)[0].segment, 0, 0, 1)
      search.run(Infinity)
      return search.isCut
    }
    expect([isCut(1), isCut(1_000)]).toEqual([true, false])
  })

  it('a segment without length is a millimetre long', () => {
    const n = street([7.5, 47.5], [7.5, 47.5])
    expect([n.segmentCount, n.lengthMm(0), n.pointAt(0, 1)]).toEqual([2, 1, [7.5, 47.5]])
    expect(n.nearest(7.5, 47.5, 10).map((place) => place.distanceM)).toEqual([0, 0])
    expect(shortestPath(n, { segment: 0, offsetMm: 0 }, { segment: 1, offsetMm: 1 })).toEqual([0, 1])
  })

  it('over the antimeridian a road neither jumps nor is lost from either side', () => {
    const n = street([179.999, -16.5], [-179.999, -16.502])
    expect(n.lengthMm(0) / 1000).toBeCloseTo(307.4, 0)
    for (const lon of [179.9999, -179.9999, 180]) expect(n.nearest(lon, -16.501, 60)).toHaveLength(2)
    const { geometry } = segmentFeature(n, n.find('10.1.2'))
    expect(geometry).toEqual({
      type: 'MultiLineString',
      coordinates: [
        [
          [179.999, -16.5],
          [180, -16.501],
        ],
        [
          [-180, -16.501],
          [-179.999, -16.502],
        ],
      ],
    })
    const back = segmentFeature(n, n.find('10.2.1')).geometry.coordinates as [number, number][][]
    expect(back.map((line) => line.map(([lon]) => lon))).toEqual([
      [-179.999, -180],
      [180, 179.999],
    ])
  })

  it('at a pole nothing is found, and nothing goes wrong', () => {
    const n = street([0, 89.9999], [90, 90])
    expect(n.lengthMm(0)).toBeGreaterThan(0)
    expect(n.nearest(0, 89.9999, 60)).toEqual([])
    expect(n.nearest(0, 90, 1_000)).toEqual([])
  })

  it('an island is reached from nowhere', () => {
    const n = buildFromEdges(
      { id: [1, 2, 3, 4], lon: [7.5, 7.501, 7.6, 7.601], lat: [47.5, 47.5, 47.6, 47.6] },
      { id: [0, 1], from: [1, 3], to: [2, 4] },
    )
    expect(
      shortestPath(n, { segment: n.find('0.1.2'), offsetMm: 0 }, { segment: n.find('1.3.4'), offsetMm: 0 }),
    ).toBeNull()
  })

  it('a node that is nowhere ends a way, and is refused in columns that were made for this', () => {
    const n = street([7.5, 47.5], [7.501, 47.5], [7.502, 147.5], [7.503, 47.5], [7.504, 47.5])
    expect([n.segmentCount, n.find('10.1.2') >= 0, n.find('10.4.5') >= 0]).toEqual([4, true, true])
    const swapped = { id: [1, 2], lon: [39.3, 39.3], lat: [-116.6, -116.7] }
    expect(() => buildFromEdges(swapped, { id: [0], from: [1], to: [2] })).toThrow(
      'node 1 is at longitude 39.3, latitude -116.6, which is nowhere; are they swapped?',
    )
  })

  it('points that are far apart keep every digit', () => {
    const far: [number, number][][] = [
      [
        [-179.9999999, -89.1234567],
        [-151.1234567, -78.7654321],
      ],
      [
        [-7.7654321, 32.3456789],
        [7.1234567, 48.7654321],
        [7.1234568, 48.7654322],
      ],
    ]
    for (const places of far)
      expect(Array.from(street(...places).shape(0))).toEqual(expect.arrayContaining(places.flat()))
  })

  it('a reference is followed where its way won junctions, and not where the way is gone', () => {
    const nodes = [0, 1, 2, 3, 4].map((i) => ({ id: i + 1, lon: 7.5 + i / 1000, lat: 47.5 }))
    const build = (...ways: [number, number[]][]) =>
      buildNetwork({ nodes, ways: ways.map(([id, nodeIds]) => ({ id, nodeIds, tags: { highway: 'road' } })) })
    const n = build([10, [1, 2, 3, 4]], [20, [2, 5]], [30, [3, 5]])
    expect(successors('10.1.4', n).map((s) => n.ref(s))).toEqual(['10.1.2', '10.2.3', '10.3.4'])
    expect(successors('10.4.1', n).map((s) => n.ref(s))).toEqual(['10.4.3', '10.3.2', '10.2.1'])
    expect(successors('20.2.5', n).map((s) => n.ref(s))).toEqual(['20.2.5'])
    for (const gone of ['11.1.4', '10.1.9', '20.1.4', 'nonsense']) expect(successors(gone, n)).toEqual([])
  })
})
