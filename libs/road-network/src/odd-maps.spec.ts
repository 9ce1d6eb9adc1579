import { buildFromEdges, buildNetwork, segmentFeature, shortestPath, successors, type RoadNetwork } from '#road-network'

/** Nodes 1, 2, 3, ... at these places, and a residential way 10 through all of them. */
const street = (...places: [number, number][]): RoadNetwork =>
  buildNetwork({
    nodes: places.map(([lon, lat], i) => ({ id: i + 1, lon, lat })),
    ways: [{ id: 10, nodeIds: places.map((_, i) => i + 1), tags: { highway: 'residential' } }],
  })

describe('maps that are odd', () => {
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
    const places: [number, number][] = [
      [-179.9999999, -89.1234567],
      [-7.7654321, 12.3456789],
      [7.1234567, 48.7654321],
      [7.1234568, 48.7654322],
    ]
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
