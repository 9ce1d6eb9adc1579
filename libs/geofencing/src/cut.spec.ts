import { booleanPointInPolygon, feature, lineString, pointToLineDistance } from '@turf/turf'
import fc from 'fast-check'
import { cutNetwork, type Roads, type Zone, type ZoneGeometry } from '#geofencing'
import { buildFromEdges, lengthM, metresPerDegreeLat, metresPerDegreeLon } from '#road-network'

type Point = [number, number]
const LON = 4.35
const LAT = 50.85
const KX = metresPerDegreeLon(LAT)
const KY = metresPerDegreeLat(LAT)
/** Metres east and north of a place in Brussels, as degrees. */
const xy = (x: number, y: number): Point => [LON + x / KX, LAT + y / KY]
const box = (west: number, south: number, east: number, north: number) =>
  [xy(west, south), xy(east, south), xy(east, north), xy(west, north), xy(west, south)] // prettier-ignore
const polygon = (...coordinates: Point[][]): ZoneGeometry => ({ type: 'Polygon', coordinates })

/** Two-way roads along the given lines: road i is segment 2i one way and 2i + 1 the other. */
function roads(...lines: Point[][]): Roads & { at(segment: number, mm: number): Point } {
  const shapes = lines.flatMap((line) => [line, [...line].reverse()])
  const lengthOf = (line: Point[]) =>
    line.slice(1).reduce((sum, q, i) => sum + lengthM(line[i][0], line[i][1], q[0], q[1]), 0)
  const lengths = shapes.map((line, s) => Math.round(1000 * lengthOf(s & 1 ? shapes[s - 1] : line)))
  return {
    segmentCount: shapes.length,
    lengthMm: (s) => lengths[s],
    reverse: (s) => s ^ 1,
    shape: (s) => Float64Array.from(shapes[s].flat()),
    name: (s) => (s >> 1 === 0 ? 'First Street' : 'Second Street'),
    find: (ref) => (/^\d+$/.test(ref) && Number(ref) < shapes.length ? Number(ref) : -1),
    at(s, mm) {
      const line = shapes[s]
      let left = (mm / lengths[s]) * lengthOf(line)
      for (let i = 1; ; i++) {
        const [p, q] = [line[i - 1], line[i]]
        const piece = lengthM(p[0], p[1], q[0], q[1])
        if (left <= piece || i === line.length - 1) {
          const t = piece === 0 ? 0 : Math.min(1, left / piece)
          return [p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])]
        }
        left -= piece
      }
    },
  }
}

const whole = (network: Roads, zones: Zone[], segment = 0) =>
  cutNetwork(network, zones)
    .stretches(segment, 0, network.lengthMm(segment))
    .map(({ fromMm, toMm, zones: ids }) => [fromMm, toMm, ids.join(' ')])

describe('cutting by hand', () => {
  // A road of 1,000 m due east; the zone holds its metres 200 to 500.
  const road = roads([xy(0, 0), xy(1000, 0)])
  const zone = { id: 'a', geometry: polygon(box(200, -50, 500, 50)) }
  const [mm200, mm500] = [200_000, 500_000]
  const length = road.lengthMm(0)

  it('cuts a road where it enters and leaves a zone, the same in both directions', () => {
    expect(length).toBe(1_000_000)
    expect(whole(road, [zone])).toEqual([[0, mm200, ''], [mm200, mm500, 'a'], [mm500, length, '']]) // prettier-ignore
    expect(whole(road, [zone], 1)).toEqual([[0, length - mm500, ''], [length - mm500, length - mm200, 'a'], [length - mm200, length, '']]) // prettier-ignore
  })

  it('answers for a part of a segment, and for none of it', () => {
    const cut = cutNetwork(road, [zone])
    expect(cut.stretches(0, 100_000, 200_001)).toEqual([
      { fromMm: 100_000, toMm: 200_000, zones: [] },
      { fromMm: 200_000, toMm: 200_001, zones: ['a'] },
    ])
    expect(cut.stretches(0, 200_000, 500_000)).toEqual([{ fromMm: 200_000, toMm: 500_000, zones: ['a'] }])
    expect(cut.stretches(0, 300_000, 300_000)).toEqual([])
    expect(() => cut.stretches(0, 0, length + 1)).toThrow('is no part of segment 0')
    expect(() => cut.stretches(2, 0, 1)).toThrow('no segment 2')
  })

  it('keeps the set of zones where zones overlap, sorted whatever their order', () => {
    const other = { id: 'B', geometry: polygon(box(400, -50, 700, 50)) }
    const expected = [[0, 200_000, ''], [200_000, 400_000, 'a'], [400_000, 500_000, 'B a'], [500_000, 700_000, 'B'], [700_000, length, '']] // prettier-ignore
    expect(whole(road, [zone, other])).toEqual(expected)
    expect(whole(road, [other, zone])).toEqual(expected)
  })

  it('leaves out holes, and joins the parts of a multipolygon', () => {
    const holed = { id: 'a', geometry: polygon(box(200, -50, 500, 50), box(300, -20, 350, 20)) }
    expect(whole(road, [holed])).toEqual([[0, 200_000, ''], [200_000, 300_000, 'a'], [300_000, 350_000, ''], [350_000, 500_000, 'a'], [500_000, length, '']]) // prettier-ignore
    const parts = { type: 'MultiPolygon' as const, coordinates: [[box(0, -9, 100, 9)], [box(900, -9, 1100, 9)]] }
    expect(whole(road, [{ id: 'a', geometry: parts }])).toEqual([[0, 100_000, 'a'], [100_000, 900_000, ''], [900_000, length, 'a']]) // prettier-ignore
  })

  it('puts a road along a boundary inside a zone that is cheaper, and outside a dearer one that shares the edge', () => {
    const along = roads([xy(-50, 0.4), xy(150, 0.4)])
    const zones: Zone[] = [
      { id: 'cheap', geometry: polygon(box(-100, -100, 200, 0)), cheaper: true },
      { id: 'dear', geometry: polygon(box(-100, 0, 200, 100)) },
    ]
    const [whole, ...others] = cutNetwork(along, zones).stretches(0, 0, along.lengthMm(0))
    expect([whole.zones, others.length]).toEqual([['cheap'], 0])
  })

  it('takes in roads by name and segments by reference, with the polygons that cut them', () => {
    // First Street is listed by name (both ways), one direction of Second Street by its reference; a box cuts First Street.
    const town = roads([xy(0, 0), xy(100, 0)], [xy(0, 50), xy(100, 50)])
    const cut = cutNetwork(town, [
      { id: 'list', roads: ['First Street'], segments: ['2', 'gone'] },
      { id: 'box', geometry: polygon(box(40, -20, 200, 20)) },
      { id: 'nowhere', roads: ['Third Street'] },
    ])
    const zonesOf = (segment: number) => cut.stretches(segment, 0, town.lengthMm(segment)).map(({ zones }) => zones)
    expect([0, 1, 2, 3].map(zonesOf)).toEqual([
      [['list'], ['box', 'list']],
      [['box', 'list'], ['list']],
      [['list']],
      [[]],
    ])
    expect(cut.roadless).toEqual(['nowhere'])
  })

  it('puts a road that runs along a boundary outside, whichever side of it was drawn', () => {
    for (const offM of [-0.9, -0.3, 0, 0.3, 0.9]) {
      const edge = { id: 'a', geometry: polygon(box(200, offM, 500, 300)) }
      expect(whole(road, [edge])).toEqual([[0, length, '']])
    }
    const inside = { id: 'a', geometry: polygon(box(200, -1.5, 500, 300)) }
    expect(whole(road, [inside])).toEqual([[0, mm200, ''], [mm200, mm500, 'a'], [mm500, length, '']]) // prettier-ignore
    // Within a metre for 20 m only: the road is inside there.
    const notch = { id: 'a', geometry: polygon([xy(200, -50), xy(340, -50), xy(340, -0.5), xy(360, -0.5), xy(360, -50), xy(500, -50), xy(500, 50), xy(200, 50), xy(200, -50)]) } // prettier-ignore
    expect(whole(road, [notch])).toEqual([[0, mm200, ''], [mm200, mm500, 'a'], [mm500, length, '']]) // prettier-ignore
    // A short road on the boundary is outside, too; it has no 30 m to show.
    const short = roads([xy(300, 0), xy(312, 0)])
    expect(whole(short, [{ id: 'a', geometry: polygon(box(200, -0.5, 500, 300)) }])).toEqual([[0, 12_000, '']])
  })

  it('touches a corner without entering', () => {
    const diamond = polygon([xy(500, 0), xy(600, 100), xy(500, 200), xy(400, 100), xy(500, 0)])
    expect(whole(road, [{ id: 'a', geometry: diamond }])).toEqual([[0, length, '']])
  })

  it('enters through a vertex', () => {
    const diamond = polygon([xy(300, 0), xy(400, -100), xy(500, 0), xy(400, 100), xy(300, 0)])
    expect(whole(road, [{ id: 'a', geometry: diamond }])).toEqual([[0, 300_000, ''], [300_000, mm500, 'a'], [mm500, length, '']]) // prettier-ignore
  })

  it('finds zones on the far side of the antimeridian', () => {
    const far = roads([[179.999, 0.1], [180, 0.1], [180.001, 0.1]]) // prettier-ignore
    const west = { id: 'w', geometry: polygon([[-180, 0], [-179.9995, 0], [-179.9995, 1], [-180, 1], [-180, 0]]) } // prettier-ignore
    const ends = whole(far, [west]).map(([, to, ids]) => [Math.round((1000 * Number(to)) / far.lengthMm(0)), ids])
    expect(ends).toEqual([[500, ''], [750, 'w'], [1000, '']]) // prettier-ignore
  })

  it('names zones without a road, and does without any zone', () => {
    const far = { id: 'far', geometry: polygon(box(5000, 0, 6000, 10)) }
    expect(cutNetwork(road, [zone, far]).roadless).toEqual(['far'])
    expect(whole(road, [])).toEqual([[0, length, '']])
    expect(() => cutNetwork(road, [zone, zone])).toThrow('two zones have the id a')
  })
})

const metre = fc.integer({ min: -400, max: 1400 })
const anyLine = fc
  .array(fc.tuple(metre, metre), { minLength: 2, maxLength: 8 })
  .map((points) => points.map(([x, y]) => xy(x, y)))
  .filter((line) => roads(line).lengthMm(0) > 0)
/** Stars round a centre: rings of any bulge that never cross themselves. */
const anyStar = fc
  .record({ x: metre, y: metre, radii: fc.array(fc.integer({ min: 30, max: 600 }), { minLength: 3, maxLength: 12 }) })
  .map(({ x, y, radii }) => {
    const ring = radii.map((r, i) => {
      const angle = (2 * Math.PI * i) / radii.length
      return xy(x + r * Math.cos(angle), y + r * Math.sin(angle))
    })
    return polygon([...ring, ring[0]])
  })
const anyZones = fc
  .array(anyStar, { minLength: 1, maxLength: 5 })
  .map((shapes) => shapes.map((geometry, i) => ({ id: `z${i}`, geometry })))

/** Metres from a point to the line between two others. */
function awayM([lon, lat]: Point, a: number[], b: number[]): number {
  const [kx, ky] = [metresPerDegreeLon(lat), metresPerDegreeLat(lat)]
  const [ax, ay, ex, ey] = [(a[0] - lon) * kx, (a[1] - lat) * ky, (b[0] - a[0]) * kx, (b[1] - a[1]) * ky]
  const t = Math.min(1, Math.max(0, -(ax * ex + ay * ey) / (ex * ex + ey * ey)))
  return Math.hypot(ax + t * ex, ay + t * ey)
}

describe('properties', () => {
  it('stretches partition any part of a segment, and the way back is their mirror', () => {
    fc.assert(
      fc.property(
        anyLine,
        anyZones,
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
        (line, zones, ends) => {
          // prettier-ignore
          const network = roads(line)
          const cut = cutNetwork(network, zones)
          const length = network.lengthMm(0)
          const [from, to] = ends.map((t) => Math.round(t * length)).sort((a, b) => a - b)
          const parts = cut.stretches(0, from, to)
          let reached = from
          for (const part of parts) {
            expect(part.fromMm).toBe(reached)
            expect(part.toMm).toBeGreaterThan(part.fromMm)
            reached = part.toMm
          }
          expect(reached).toBe(to)
          for (let i = 1; i < parts.length; i++) expect(parts[i].zones).not.toEqual(parts[i - 1].zones)
          const mirrored = cut
            .stretches(1, length - to, length - from)
            .reverse()
            .map((part) => ({ fromMm: length - part.toMm, toMm: length - part.fromMm, zones: part.zones }))
          expect(mirrored).toEqual(parts)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('agrees with turf at every place that is not at a boundary', () => {
    let compared = 0
    fc.assert(
      fc.property(anyLine, anyZones, fc.double({ min: 0, max: 1, noNaN: true }), (line, zones, share) => {
        const network = roads(line)
        const cut = cutNetwork(network, zones)
        const all = cut.stretches(0, 0, network.lengthMm(0))
        const places = all.map(({ fromMm, toMm, zones: ids }) => ({ mm: fromMm + share * (toMm - fromMm), ids }))
        for (const { mm, ids } of places) {
          const at = network.at(0, mm)
          for (const { id, geometry } of zones) {
            const shape = feature(geometry as { type: 'Polygon'; coordinates: number[][][] })
            const ring = lineString(geometry.coordinates[0] as number[][])
            if (pointToLineDistance(at, ring, { units: 'meters' }) < 1.5) continue
            compared++
            expect({ mm, id, inside: ids.includes(id) }).toEqual({ mm, id, inside: booleanPointInPolygon(at, shape) })
          }
        }
      }),
      { numRuns: 150 },
    )
    expect(compared).toBeGreaterThan(1000)
  })

  it('cuts a packed network where its own pointAt says that the boundary is', () => {
    // A winding two-way road of 40 pieces, and discs of which it passes in and out.
    // Nodes as OSM gives them, in whole 1e-7 degrees.
    const nodes = Array.from({ length: 41 }, (_, i) =>
      xy(25 * i, 60 * Math.sin(i / 3)).map((degrees) => Math.round(degrees * 1e7) / 1e7),
    )
    const ids = nodes.map((_, i) => i)
    const network = buildFromEdges(
      { id: ids, lon: nodes.map(([lon]) => lon), lat: nodes.map(([, lat]) => lat) },
      {
        id: ids.slice(1).flatMap((i) => [2 * i, 2 * i + 1]),
        from: ids.slice(1).flatMap((i) => [i - 1, i]),
        to: ids.slice(1).flatMap((i) => [i, i - 1]),
      },
    )
    expect(network.segmentCount).toBe(2)
    let checked = 0
    fc.assert(
      fc.property(anyZones, (zones) => {
        const cut = cutNetwork(network, zones)
        for (const segment of [0, 1]) {
          const parts = cut.stretches(segment, 0, network.lengthMm(segment))
          for (let i = 1; i < parts.length; i++) {
            const changed = zones.filter(({ id }) => parts[i].zones.includes(id) !== parts[i - 1].zones.includes(id))
            const [lon, lat] = network.pointAt(segment, parts[i].fromMm)
            for (const { geometry } of changed) {
              const ring = geometry.coordinates[0] as number[][]
              const offM = Math.min(...ring.slice(1).map((q, k) => awayM([lon, lat], ring[k], q)))
              if (offM > 0.01) continue // Where the road starts or ends to run along the boundary, a metre away.
              checked++
              expect(offM).toBeLessThan(0.002)
            }
          }
        }
      }),
    )
    expect(checked).toBeGreaterThan(100)
  })

  it('measures a chord of a circle within what its edges cut off and a millimetre at each end', () => {
    // A circle of 300 m as 720 edges; the chord at height h is 2 sqrt(r² - h²) long, less what the edges cut off.
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 250 }), (h) => {
        const ring = Array.from({ length: 720 }, (_, i) =>
          xy(500 + 300 * Math.cos((i * Math.PI) / 360), 300 * Math.sin((i * Math.PI) / 360)),
        )
        const network = roads([xy(0, h), xy(1000, h)])
        const [, chord] = cutNetwork(network, [{ id: 'a', geometry: polygon([...ring, ring[0]]) }]).stretches(
          0,
          0,
          network.lengthMm(0),
        )
        const metres = (chord.toMm - chord.fromMm) / 1000
        const half = Math.sqrt(300 ** 2 - h ** 2)
        // The drawing's degrees of longitude are those of its origin; at height h they are shorter.
        const exact = (2 * half * metresPerDegreeLon(xy(0, h)[1])) / KX
        // Sagitta of an edge: r (1 - cos(pi / 720)) = 2.9 mm, seen at the angle of the chord, at both ends.
        expect(Math.abs(metres - exact)).toBeLessThan((2 * 0.0029 * 300) / half + 0.0015)
      }),
    )
  })
})
