import fc from 'fast-check'
import { gunzipSync } from 'node:zlib'
import { chance, InputError } from '#kernel'
import {
  buildFromEdges,
  buildNetwork,
  drivable,
  lengthM,
  LocalScale,
  metresPerDegreeLat,
  metresPerDegreeLon,
  packNetwork,
  RouteSearch,
  shortestPath,
  Turns,
  unpackNetwork,
  type NetworkSource,
  type OsmWay,
  type RoadNetwork,
  type Tags,
  type TurnRestriction,
} from '#road-network'

/** A cross: 1 west, 2 east, 3 north, 4 south, 9 in the middle; ways 10 to 40 lead to it. */
function cross(tags: Record<number, Tags> = {}, restrictions: TurnRestriction[] = []): NetworkSource {
  const lon = { 1: 7.499, 2: 7.501, 3: 7.5, 4: 7.5, 9: 7.5 }
  const lat = { 1: 47.5, 2: 47.5, 3: 47.501, 4: 47.499, 9: 47.5 }
  return {
    nodes: ([1, 2, 3, 4, 9] as const).map((id) => ({ id, lon: lon[id], lat: lat[id] })),
    ways: [1, 2, 3, 4].map((end) => ({
      id: end * 10,
      nodeIds: end % 2 === 1 ? [end, 9] : [9, end],
      tags: tags[end * 10] ?? { highway: 'residential', name: `Way ${end}` },
    })),
    restrictions,
    attribution: 'somebody',
  }
}
const segment = (n: RoadNetwork, way: number, from: number, to: number) => n.find(`${way}.${from}.${to}`)
const way = (tags: Tags, id = 10, nodeIds = [1, 9]): OsmWay => ({ id, nodeIds, tags })

describe('from OpenStreetMap', () => {
  it('makes directed segments that know their road', () => {
    const n = buildNetwork(
      cross({ 10: { highway: 'primary_link', ref: 'B 3', maxspeed: '30 mph', access: 'customers' } }),
    )
    expect([n.segmentCount, n.junctionCount, n.attribution]).toEqual([8, 5, 'somebody'])
    const s = segment(n, 10, 1, 9)
    expect([n.roadClass(s), n.access(s), n.name(s), n.maxSpeedKmh(s)]).toEqual(['primary', 'private', 'B 3', 48])
    expect(n.name(segment(n, 20, 9, 2))).toBe('Way 2')
    expect(n.reverse(s)).toBe(segment(n, 10, 9, 1))
    expect(n.to(s)).toBe(n.from(n.reverse(s)))
    expect(Array.from(n.shape(s))).toEqual([7.499, 47.5, 7.5, 47.5])
    expect(Array.from(n.shape(n.reverse(s)))).toEqual([7.5, 47.5, 7.499, 47.5])
    expect(n.outgoing(n.to(s)).map((t) => n.from(t))).toEqual(Array(4).fill(n.to(s)))
    expect(n.bounds).toEqual([7.499, 47.499, 7.501, 47.501])
  })
  it.each([
    [{ highway: 'residential', oneway: 'yes' }, [true, false]],
    [{ highway: 'residential', oneway: '-1' }, [false, true]],
    [{ highway: 'motorway' }, [true, false]],
    [{ highway: 'motorway', oneway: 'no' }, [true, true]],
    [{ highway: 'tertiary', junction: 'roundabout' }, [true, false]],
    [{ highway: 'tertiary' }, [true, true]],
  ] as [Tags, boolean[]][])('%j runs %j', (tags, [along, against]) => {
    const n = buildNetwork(cross({ 10: tags }))
    expect([segment(n, 10, 1, 9) >= 0, segment(n, 10, 9, 1) >= 0]).toEqual([along, against])
  })
  it.each([
    [{ highway: 'footway' }, null],
    [{ highway: 'construction' }, null],
    [{ highway: 'service', access: 'no' }, null],
    [{ highway: 'service', access: 'no', motor_vehicle: 'private' }, 'service private'],
    [{ highway: 'service', service: 'parking_aisle' }, 'service private'],
    [{ highway: 'track', motorcar: 'yes', vehicle: 'no' }, 'track public'],
    [{ highway: 'residential', area: 'yes' }, null],
    [{ route: 'ferry', motor_vehicle: 'yes' }, 'ferry public'],
    [{ route: 'ferry', foot: 'yes' }, null],
    [{ route: 'ferry', motorcar: 'no' }, null],
    [{ building: 'yes' }, null],
  ] as [Tags, string | null][])('%j is %s', (tags, expected) => {
    const kind = drivable(tags)
    expect(kind && `${kind.roadClass} ${kind.access}`).toBe(expected)
  })
  it('splits ways where they meet, and drops only the piece whose node is missing', () => {
    const source = cross()
    const n = buildNetwork({
      ...source,
      ways: [way({ highway: 'road' }, 5, [1, 9, 2]), way({ highway: 'road' }, 6, [3, 9, 77, 4, 1])],
    })
    const found = ['5.1.9', '5.9.2', '6.3.9', '6.4.1'].map((ref) => n.find(ref) >= 0)
    expect(found).toEqual([true, true, true, true])
    expect(n.segmentCount).toBe(8)
  })
  it('forbids what signs forbid', () => {
    const r = (kind: string, more: Partial<TurnRestriction> = {}) => ({
      kind,
      fromWay: 10,
      viaNode: 9,
      toWay: 30,
      ...more,
    })
    const onward = (restrictions: TurnRestriction[]) => {
      const n = buildNetwork(cross({}, restrictions))
      const s = segment(n, 10, 1, 9)
      const ends: [number, number][] = [
        [20, 2],
        [30, 3],
        [40, 4],
        [10, 1],
      ]
      return ends.filter(([w, end]) => n.turnAllowed(s, segment(n, w, 9, end))).map(([w]) => w)
    }
    expect(onward([])).toEqual([20, 30, 40, 10])
    expect(onward([r('no_left_turn')])).toEqual([20, 40, 10])
    expect(onward([r('only_left_turn')])).toEqual([30])
    expect(onward([r('no_u_turn', { toWay: 10 })])).toEqual([20, 30, 40])
    expect(onward([r('no_left_turn', { tags: { except: 'bicycle;motorcar' } })])).toEqual([20, 30, 40, 10])
    expect(onward([r('no_left_turn', { viaNode: 3 }), r('conditional')])).toEqual([20, 30, 40, 10])
  })
  it('is the same however the elements are ordered', () => {
    const source = cross({}, [{ kind: 'no_left_turn', fromWay: 10, viaNode: 9, toWay: 30 }])
    const shuffled = { ...source, nodes: [...source.nodes].reverse(), ways: [...source.ways].reverse() }
    expect(buildNetwork(shuffled).digest).toBe(buildNetwork(source).digest)
    expect(buildNetwork(cross({ 10: { highway: 'service' } })).digest).not.toBe(buildNetwork(source).digest)
  })
  it('says so where nothing can be driven on', () => {
    expect(() => buildNetwork({ nodes: [], ways: [] })).toThrow('the map has no drivable road')
    expect(() => buildNetwork({ ...cross(), nodes: [] })).toThrow(InputError)
  })
})

describe('from edges', () => {
  it('contracts chains and finds the way back to the edges', () => {
    const n = buildFromEdges(
      { id: [0, 1, 2, 3], lon: [7.5, 7.501, 7.502, 7.502], lat: [47.5, 47.5, 47.5, 47.501] },
      { id: [0, 1, 2, 3, 4], from: [0, 1, 2, 1, 2], to: [1, 2, 1, 0, 3] },
    )
    expect(n.segmentCount).toBe(3)
    const s = n.find('0.0.2')
    expect(n.edges(s, 0, n.lengthMm(s)).map((e) => e.edge)).toEqual([0, 1])
    expect(n.edges(n.reverse(s), 0, n.lengthMm(s)).map((e) => e.edge)).toEqual([2, 3])
    expect(n.edges(s, n.lengthMm(s) - 10, n.lengthMm(s)).map((e) => e.edge)).toEqual([1])
  })
  it('makes a ring without a junction one segment for each direction', () => {
    const n = buildFromEdges(
      { id: [0, 1, 2], lon: [7.5, 7.501, 7.5], lat: [47.5, 47.5, 47.501] },
      { id: [0, 1, 2, 3, 4, 5], from: [0, 1, 2, 1, 2, 0], to: [1, 2, 0, 0, 1, 2] },
    )
    expect(n.segmentCount).toBe(2)
    expect([n.from(0), n.to(0), n.reverse(0)]).toEqual([0, 0, 1])
  })
  it('names the edge whose node is unknown', () => {
    const line = { id: [0, 1], lon: [0, 0.001], lat: [0, 0] }
    const edgesOf = (id: number) => ({ id: [id], from: [0], to: [1] })
    for (const id of [-7, 1.5, NaN, 2 ** 32 - 1, 2 ** 32])
      expect(() => buildFromEdges(line, edgesOf(id))).toThrow(
        `edge id ${id} is not a whole number from 0 to 4294967294`,
      )
    for (const id of [1.5, NaN, 2 ** 53])
      expect(() => buildFromEdges({ ...line, id: [0, id] }, edgesOf(1))).toThrow(`node id ${id} is not a whole number`)
    expect(() => buildFromEdges({ ...line, id: [1, 1] }, edgesOf(1))).toThrow('two nodes have the id 1')
    expect(() => buildFromEdges({ id: [0], lon: [0], lat: [0] }, { id: [7], from: [0], to: [5] })).toThrow(
      "edge 7 names node 5, which the nodes don't have",
    )
  })
  it('loses no edge, keeps refs, lengths and both directions, on any graph', () => {
    const graph = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(graph, fc.integer(), (pairs, seed) => {
        const n = random(pairs, seed)
        const edges: number[] = []
        for (let s = 0; s < n.segmentCount; s++) {
          edges.push(...n.edges(s, 0, n.lengthMm(s)).map((e) => e.edge))
          expect(n.find(n.ref(s))).toBe(s)
          const back = n.reverse(s)
          if (back >= 0) expect([n.reverse(back), n.from(back), n.lengthMm(back)]).toEqual([s, n.to(s), n.lengthMm(s)])
        }
        expect(edges.sort((a, b) => a - b)).toEqual(pairs.map((_, i) => i))
      }),
    )
  })
})

/** A network of directed edges between 13 places scattered by `seed`. */
function random(pairs: readonly (readonly [number, number])[], seed: number): RoadNetwork {
  const luck = chance(seed)
  const id = Array.from({ length: 13 }, (_, i) => i)
  return buildFromEdges(
    { id, lon: id.map(() => 7.5 + luck.next() * 0.01), lat: id.map(() => 47.5 + luck.next() * 0.01) },
    { id: pairs.map((_, i) => i), from: pairs.map((p) => p[0]), to: pairs.map((p) => p[1]) },
  )
}

/** Vincenty's inverse formula (Survey Review 23, 1975) on WGS84: metres, exact to a millimetre. */
function vincenty(lon1: number, lat1: number, lon2: number, lat2: number): number {
  const [a, f, rad] = [6_378_137, 1 / 298.257223563, Math.PI / 180]
  const b = a * (1 - f)
  const [u1, u2] = [lat1, lat2].map((lat) => Math.atan((1 - f) * Math.tan(lat * rad)))
  const span = (lon2 - lon1) * rad
  let lambda = span
  for (let i = 0; ; i++) {
    const x = Math.cos(u2) * Math.sin(lambda)
    const y = Math.cos(u1) * Math.sin(u2) - Math.sin(u1) * Math.cos(u2) * Math.cos(lambda)
    const sinSigma = Math.hypot(x, y)
    const cosSigma = Math.sin(u1) * Math.sin(u2) + Math.cos(u1) * Math.cos(u2) * Math.cos(lambda)
    const sigma = Math.atan2(sinSigma, cosSigma)
    const sinAlpha = (Math.cos(u1) * Math.cos(u2) * Math.sin(lambda)) / sinSigma
    const cos2 = 1 - sinAlpha ** 2
    const mid = cos2 === 0 ? 0 : cosSigma - (2 * Math.sin(u1) * Math.sin(u2)) / cos2
    const c = (f / 16) * cos2 * (4 + f * (4 - 3 * cos2))
    const inner = mid + c * cosSigma * (2 * mid ** 2 - 1)
    const next = span + (1 - c) * f * sinAlpha * (sigma + c * sinSigma * inner)
    if (Math.abs(next - lambda) > 1e-13 && i < 100) {
      lambda = next
      continue
    }
    const k = (cos2 * (a ** 2 - b ** 2)) / b ** 2
    const A = 1 + (k / 16384) * (4096 + k * (k * (320 - 175 * k) - 768))
    const B = (k / 1024) * (256 + k * (k * (74 - 47 * k) - 128))
    const last = (B / 6) * mid * (4 * sinSigma ** 2 - 3) * (4 * mid ** 2 - 3)
    return b * A * (sigma - B * sinSigma * (mid + (B / 4) * (cosSigma * (2 * mid ** 2 - 1) - last)))
  }
}

describe('lengths', () => {
  it('are those of the ellipsoid, to a millionth up to a kilometre', () => {
    const lon = fc.double({ min: -179, max: 179, noNaN: true })
    const lat = fc.double({ min: -80, max: 80, noNaN: true })
    const step = fc.double({ min: -1, max: 1, noNaN: true })
    fc.assert(
      fc.property(lon, lat, step, step, (x, y, east, north) => {
        const [x2, y2] = [x + (east * 0.009) / Math.cos((y * Math.PI) / 180), y + north * 0.009]
        const exact = Math.hypot(x2 - x, y2 - y) < 1e-6 ? 0 : vincenty(x, y, x2, y2)
        expect(Math.abs(lengthM(x, y, x2, y2) - exact)).toBeLessThan(0.0005 + exact * 1e-6 + (exact === 0 ? 0.2 : 0))
      }),
    )
  })
  it('are scaled alike by the parabola that a drive uses', () => {
    const scale = new LocalScale()
    fc.assert(
      fc.property(fc.double({ min: -89, max: 89, noNaN: true }), (lat) => {
        scale.at(lat)
        expect(Math.abs(scale.lonM / metresPerDegreeLon(lat) - 1)).toBeLessThan(2e-10)
        expect(Math.abs(scale.latM / metresPerDegreeLat(lat) - 1)).toBeLessThan(1e-12)
      }),
    )
  })
  it('go the short way over the antimeridian', () => {
    expect(lengthM(179.95, 60, -179.95, 60)).toBeCloseTo(lengthM(0, 60, 0.1, 60), 6)
  })
})

describe('places', () => {
  const n = buildNetwork(cross())
  it('finds both directions, nearest first', () => {
    const found = n.nearest(7.4995, 47.50005, 60)
    expect(
      found
        .slice(0, 2)
        .map((p) => n.ref(p.segment))
        .sort(),
    ).toEqual(['10.1.9', '10.9.1'])
    expect(found[0].distanceM).toBeCloseTo(5.56, 1)
    expect(found[0].offsetMm + found[1].offsetMm).toBe(n.lengthMm(found[0].segment))
    expect(n.nearest(7.6, 47.6, 60)).toEqual([])
    expect(n.nearest(NaN, 47.5, 60)).toEqual([])
    expect(n.nearest(7.5, 90, 60)).toEqual([])
  })
  it('finds what a look at every segment finds', () => {
    const pairs = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(
        pairs,
        fc.integer(),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(500),
        (edges, seed, t, radius) => {
          const net = random(edges, seed)
          const at = [7.5 + t * 0.01, 47.5 + ((t * 7) % 1) * 0.01] as const
          const near = new Map(
            net
              .nearest(...at, radius)
              .reverse()
              .map((p) => [p.segment, p.distanceM]),
          )
          for (let s = 0; s < net.segmentCount; s++) {
            let least = Infinity
            for (let mm = 0; mm <= net.lengthMm(s); mm += 2_000)
              least = Math.min(least, lengthM(...at, ...net.pointAt(s, mm)))
            const found = near.get(s)
            if (least < radius - 2) expect(found).toBeLessThan(least + 0.1)
            else if (least > radius + 2) expect(found).toBeUndefined()
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('turns', () => {
  it('are from straight to sharp, and cost a route by their sharpness', () => {
    const n = buildNetwork(cross())
    const turns = new Turns(n)
    const [from, on, left, back] = [
      [10, 1, 9],
      [20, 9, 2],
      [30, 9, 3],
      [10, 9, 1],
    ].map(([w, a, b]) => segment(n, w, a, b))
    expect(turns.sharpness(from, on)).toBe(0)
    expect(turns.sharpness(from, left)).toBeCloseTo(0.63, 1)
    expect(turns.sharpness(from, back)).toBe(1)
    const costTo = (to: number, turnCost: number) => {
      const search = new RouteSearch(n, { turnCost, endsMax: 1 })
      search.begin(7.5, 47.5, Infinity)
      search.addSource(from, n.lengthMm(from), 0)
      search.addTarget(to, 0, 0, 500)
      search.run(0)
      return search.targetTotal[0]
    }
    expect([costTo(on, 30_000), costTo(left, 0)]).toEqual([0, 0])
    expect(costTo(left, 30_000)).toBeCloseTo(30_000 * turns.sharpness(from, left), 6)
  })
})

describe('routes', () => {
  it('are the shortest that turns allow', () => {
    const pairs = fc.array(fc.tuple(fc.nat(12), fc.nat(12)), { minLength: 5, maxLength: 40 })
    fc.assert(
      fc.property(pairs, fc.integer(), fc.nat(), fc.nat(), (edges, seed, a, b) => {
        const n = random(edges, seed)
        const [from, to] = [a % n.segmentCount, b % n.segmentCount]
        // Bellman and Ford, over segments: the cost of standing at the start of each.
        const cost = new Array<number>(n.segmentCount).fill(Infinity)
        for (const s of n.outgoing(n.to(from))) cost[s] = n.lengthMm(from)
        for (let round = 0; round < n.segmentCount; round++)
          for (let s = 0; s < n.segmentCount; s++)
            for (const t of n.outgoing(n.to(s))) cost[t] = Math.min(cost[t], cost[s] + n.lengthMm(s))
        const path = shortestPath(n, { segment: from, offsetMm: 1 }, { segment: to, offsetMm: 0 })
        if (cost[to] === Infinity) expect(path).toBeNull()
        else {
          expect(path!.slice(0, -1).reduce((sum, s) => sum + n.lengthMm(s), 0)).toBe(cost[to])
          expect(path!.slice(1).every((s, i) => n.turnAllowed(path![i], s))).toBe(true)
        }
      }),
    )
  })
  it('go round a forbidden turn, by time prefer the fast road, and end at their bounds', () => {
    const n = buildNetwork(cross({}, [{ kind: 'no_left_turn', fromWay: 10, viaNode: 9, toWay: 30 }]))
    const from = { segment: segment(n, 10, 1, 9), offsetMm: 0 }
    const to = { segment: segment(n, 30, 9, 3), offsetMm: 1_000 }
    const path = shortestPath(n, from, to)!
    expect(path.length).toBe(4)
    expect(shortestPath(n, from, to, { lengthMmMax: 100_000 })).toBeNull()
    expect(shortestPath(n, from, to, { by: 'time' })!.length).toBe(4)
    expect(shortestPath(n, from, { segment: from.segment, offsetMm: 5 })).toEqual([from.segment])
  })
})

describe('the packed form', () => {
  it('of the first release is opened: what was rated on a network can be disputed on it', () => {
    const packed =
      'H4sIAAAAAAACA52SvS8EURTFfzM7O4vF+v4cskGQiEahElYoNGzwD6zEshqS3QkrW6DXaDVKDYlOOzoKhcSfoJKVVWmHN/Mek4nvM7k5ee/de9' +
      '498+7S7PyCDhwAh5XWCQOIAhHAfNvXgDrAAnrlWkGXeV2E8HST8vjoKnV0Yj9ePlSf3o9Ptsz03cZGE21Dx8X+8+uL6buRs5Lp5IqGU05bbJeM' +
      'TGHR8gWep6SSr0OV5AaPtcDdoj5T2fVCaAgtEULL05X5yldUCmshD2pt7cW9cF8a3plAjS61IgG74X3XdV3/ZED2PSh5OEUg1wzUa6G+FJyyk3' +
      'PKmYqITMFnp8y26lVA9SjX+3yCopG2dt9j0eOSkbb4A8QtjUAT0Ay0AK1AG9AOdACdch665cwIRzoRDKKYxKiimhri1FJHPQliX3zhd1bvJ/6Z' +
      'OK0BhNtaOZ/1QOKfPfbI2f4N1Nv9FPofQ/sWH3crxKWHuY31XHLZzmez9mp+ZWczubaVT9rZgl2QNaZfpWuGx2Nf+HoFO62JbQgEAAA='
    const n = unpackNetwork(gunzipSync(Buffer.from(packed, 'base64')))
    expect(n.digest).toBe('919f74eab7e409a7d4363e144322cd072d0f16279a7823adc8b041d12bac7b06')
    expect([n.segmentCount, n.attribution]).toEqual([5, 'drawn for tests'])
    const [high, side, bridge] = ['10.1.2', '11.2.3', '12.2.4'].map((ref) => n.find(ref))
    expect([n.name(high), n.roadClass(high), n.lengthMm(high), n.maxSpeedKmh(high)]).toEqual(['High Street', 'primary', 753_436, 50]) // prettier-ignore
    expect([n.access(side), n.turnAllowed(high, side), n.turnAllowed(high, bridge)]).toEqual(['private', false, true])
    expect([n.attributes(bridge).isBridge, n.reverse(bridge)]).toEqual([true, -1])
    expect(n.nearest(7.515, 47.5, 10).map((place) => place.segment)).toEqual([bridge])
  })
  const n = buildNetwork(cross())
  const bytes = packNetwork(n)
  it('opens in place, also in shared memory and where it is not aligned', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    const askew = new Uint8Array(bytes.length + 3).subarray(3)
    askew.set(bytes)
    for (const form of [bytes, shared, askew]) {
      const opened = unpackNetwork(form)
      expect([opened.digest, opened.name(0), opened.attribution]).toEqual([n.digest, n.name(0), 'somebody'])
    }
  })
  it('refuses what is cut, changed or foreign', () => {
    const refuse = (b: Uint8Array, why: RegExp) => expect(() => unpackNetwork(b)).toThrow(why)
    refuse(bytes.slice(0, bytes.length - 8), /cut or padded/)
    refuse(new Uint8Array(10), /too few/)
    refuse(new Uint8Array(4096), /does not start with the mark/)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = bytes.slice()
        changed[at] ^= flip
        expect(() => unpackNetwork(changed)).toThrow(InputError)
      }),
    )
  })
})
