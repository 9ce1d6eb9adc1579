import fc from 'fast-check'
import { chance, InputError } from '#kernel'
import { buildFromEdges, type RoadNetwork } from '#road-network'
import { FATES, Matcher, PARAMETERS, type FixColumns, type Match } from '#map-matching'

/** n × n crossings 90 m apart, or a part of that, two ways, with some streets left out. */
function city(n: number, seed: string, lon = 7.5, lat = 47.5, part = 1): RoadNetwork {
  const luck = chance(seed)
  const id = Array.from({ length: n * n }, (_, i) => i)
  const edges: [number, number][] = []
  for (const i of id) {
    const onward = [i % n < n - 1 ? i + 1 : -1, i < n * (n - 1) ? i + n : -1]
    for (const j of onward)
      if (j >= 0 && luck.next() > 0.15) edges.push([i, j], ...(luck.next() > 0.2 ? [[j, i] as [number, number]] : []))
  }
  return buildFromEdges(
    {
      id,
      lon: id.map((i) => lon + part * ((i % n) * 0.0012 + luck.normal() * 1e-4)),
      lat: id.map((i) => lat + part * (Math.floor(i / n) * 0.0008 + luck.normal() * 1e-4)),
    },
    { id: edges.map((_, i) => i), from: edges.map((e) => e[0]), to: edges.map((e) => e[1]) },
  )
}

const columns = (fixes: readonly (readonly number[])[]): FixColumns => ({
  length: fixes.length,
  at: Float64Array.from(fixes, (f) => f[0]),
  lon: Float64Array.from(fixes, (f) => f[1]),
  lat: Float64Array.from(fixes, (f) => f[2]),
  accuracyM: Float32Array.from(fixes, (f) => f[3] ?? 0),
})

/** A wild walk about the city: drives, stands, jumps, leaves it, falls silent, and says nonsense now and then. */
function walk(seed: string, length: number): FixColumns {
  const luck = chance(seed)
  const rows: number[][] = []
  let [at, lon, lat] = [1_750_000_000_000, 7.503, 47.5025]
  let [east, north] = [1e-4, 0]
  while (rows.length < length) {
    at += 1000 * (1 + (luck.next() < 0.1 ? luck.below(60) : luck.next() < 0.01 ? 100 + luck.below(400) : 0))
    const fate = luck.next()
    if (fate < 0.06)
      [east, north] = luck.pick([
        [1.2e-4, 0],
        [-1.2e-4, 0],
        [0, 8e-5],
        [0, -8e-5],
        [0, 0],
      ])
    lon += east
    lat += north
    const noise = () => luck.normal() * 5e-5
    if (fate > 0.99) rows.push([at, NaN, lat])
    else if (fate > 0.98) rows.push([at - 5_000, lon, lat])
    else if (fate > 0.97) rows.push([at, lon + 0.01, lat])
    else if (fate > 0.965) rows.push([at, 0, 0])
    else if (fate > 0.955) rows.push([at, lon, lat, 400])
    else if (fate > 0.945) rows.push([at + luck.below(600_000), lon, lat])
    else rows.push([at, lon + noise(), lat + noise()])
  }
  return columns(rows)
}

const slice = (fixes: FixColumns, from: number, to: number): FixColumns => ({
  length: to - from,
  at: fixes.at.slice(from, to),
  lon: fixes.lon.slice(from, to),
  lat: fixes.lat.slice(from, to),
  accuracyM: fixes.accuracyM.slice(from, to),
})

const merged = (parts: readonly Match[]) => ({
  traversals: parts.flatMap((p) => p.traversals),
  fates: parts.flatMap((p) => [...p.fates]),
  breaks: parts.reduce((n, p) => n + p.breaks, 0),
  forced: parts.reduce((n, p) => n + p.forced, 0),
})

const counts = (match: Match) => {
  const found: Record<string, number> = {}
  for (const fate of match.fates) found[FATES[fate]] = (found[FATES[fate]] ?? 0) + 1
  return found
}

function holds(match: Match, network: RoadNetwork, fixes: FixColumns): void {
  expect(match.fates.length).toBe(fixes.length)
  expect(match.traversals.reduce((n, t) => n + t.fixes, 0)).toBe(counts(match)['matched'] ?? 0)
  for (const t of match.traversals) {
    expect(Number.isInteger(t.fromMm) && Number.isInteger(t.toMm)).toBe(true)
    expect(0 <= t.fromMm && t.fromMm < t.toMm && t.toMm <= network.lengthMm(t.segment)).toBe(true)
    expect(Number.isInteger(t.enteredAt) && t.enteredAt <= t.leftAt).toBe(true)
    expect(t.confidence >= 0 && t.confidence <= 1000).toBe(true)
  }
}

describe('what is in doubt', () => {
  /** A straight road of 400 m between two feeders, and one that swings about it, `swingM` to the north at every other point. */
  function twoWays(swingM: number) {
    const points: [number, number][] = []
    const point = (x: number, y: number) => points.push([7.5 + x / 75_300, 47.5 + y / 111_180]) - 1
    const [west, a, b, east] = [point(-400, 0), point(0, 0), point(400, 0), point(800, 0)]
    const swinging = [a, ...Array.from({ length: 19 }, (_, i) => point(20 * (i + 1), i % 2 === 0 ? swingM : 0)), b]
    const chain = (ids: readonly number[]) => ids.slice(1).map((id, i) => [ids[i], id])
    const edges = [...chain([west, a, b, east]), ...chain(swinging)]
    const id = points.map((_, i) => i)
    const network = buildFromEdges(
      { id, lon: points.map(([x]) => x), lat: points.map(([, y]) => y) },
      { id: edges.map((_, i) => i), from: edges.map(([from]) => from), to: edges.map(([, to]) => to) },
    )
    const drive = (northM: number) =>
      columns(
        Array.from({ length: 13 }, (_, i) => {
          const x = -300 + 80 * i
          return [1_750_000_000_000 + 8_000 * i, 7.5 + x / 75_300, 47.5 + (x > 0 && x < 400 ? northM : 0) / 111_180]
        }),
      )
    return { network, drive, lengths: [0, 1, 2, 3].map((s) => network.lengthMm(s)) }
  }
  const { network, drive, lengths } = twoWays(12)
  const [straight, swinging] = [Math.min(lengths[1], lengths[2]), Math.max(lengths[1], lengths[2])]
  const forgone = (northM: number) => {
    const { traversals } = new Matcher(network).match(drive(northM))
    const total = traversals.reduce((sum, { fromMm, toMm }) => sum + toMm - fromMm, 0)
    return { driven: traversals.map(({ segment }) => network.lengthMm(segment)), total, traversals }
  }
  it('is charged as the shorter way, on the road that is longer', () => {
    const { driven, traversals } = forgone(10)
    expect(driven[1]).toBe(swinging)
    expect(traversals.map(({ forgoneMm }) => forgoneMm)).toEqual([undefined, expect.any(Number), undefined])
    // The last fixes of both ways are some metres apart, and that far the shorter one is given no credit.
    expect(traversals[1].forgoneMm).toBeGreaterThan((swinging - straight) * 0.7)
    expect(traversals[1].forgoneMm).toBeLessThanOrEqual(swinging - straight)
  })
  it('is forgone neither where the longer way is sure, nor where the shorter one was driven', () => {
    expect(forgone(16).driven[1]).toBe(swinging)
    expect(forgone(16).traversals.every(({ forgoneMm }) => forgoneMm === undefined)).toBe(true)
    expect(forgone(0).driven[1]).toBe(straight)
    expect(forgone(0).traversals.every(({ forgoneMm }) => forgoneMm === undefined)).toBe(true)
  })
})

describe('a long silence', () => {
  it('makes an inferred traversal of what lies between its ends, also within one segment', () => {
    const network = buildFromEdges({ id: [0, 1], lon: [7.5, 7.6], lat: [47.5, 47.5] }, { id: [0], from: [0], to: [1] })
    const at = (s: number) => [1_750_000_000_000 + 1_000 * s, 7.501 + (20 * s) / 75_300, 47.5]
    const [before, after] = [0, 180].map((from) => Array.from({ length: 11 }, (_, i) => at(from + 5 * i)))
    const { traversals, fates } = new Matcher(network).match(columns([...before, ...after]))
    expect(traversals.map(({ fixes, inferred }) => [fixes, inferred])).toEqual([
      [11, false],
      [0, true],
      [11, false],
    ])
    expect(traversals[1].toMm - traversals[1].fromMm).toBeCloseTo(20_000 * 130, -4)
    expect([traversals[0].toMm, traversals[1].toMm]).toEqual([traversals[1].fromMm, traversals[2].fromMm])
    expect(new Set(fates)).toEqual(new Set([0]))
    const sooner = columns([...before, ...after.map(([ms, ...place]) => [ms - 50_000, ...place])])
    expect(new Matcher(network).match(sooner).traversals).toHaveLength(1)
  })

  /** Roads of 400 m in a row, each with a side street at its end, and where a vehicle on them is that drives 20 m/s. */
  const row = buildFromEdges(
    {
      id: [0, 1, 2, 3, 4, 11, 12, 13],
      lon: [0, 400, 800, 1_200, 1_600, 400, 800, 1_200].map((m) => 7.5 + m / 75_300),
      lat: [47.5, 47.5, 47.5, 47.5, 47.5, 47.51, 47.51, 47.51],
    },
    { id: [0, 1, 2, 3, 4, 5, 6], from: [0, 1, 2, 3, 1, 2, 3], to: [1, 2, 3, 4, 11, 12, 13] },
  )
  const numberOf = (segment: number) => Math.round(((row.pointAt(segment, 0)[0] - 7.5) * 75_300) / 400)
  const seen = (m: number, s: number) => [1_750_000_000_000 + 1_000 * s, 7.5 + m / 75_300, 47.5]
  const shown = ({ traversals }: Match) =>
    traversals.map(({ fixes, inferred, between, segment, ...t }) => [
      numberOf(segment), Math.round(t.fromMm / 1e4) * 10, Math.round(t.toMm / 1e4) * 10, fixes, inferred,
      between && between.map((end) => Math.round(end.offsetMm / 1e4) * 10),
    ]) // prettier-ignore

  it('infers all that lies between its ends, on how many segments whatsoever, and says what they are', () => {
    const ends = (fromM: number) => [0, 5, 10].map((s) => seen(100 + 20 * s, s)).concat([200, 205, 210].map((s) => seen(fromM + 20 * (s - 200), s))) // prettier-ignore
    expect(shown(new Matcher(row).match(columns(ends(600))))).toEqual([
      [0, 100, 300, 3, false, undefined],
      [0, 300, 400, 0, true, [300, 200]],
      [1, 0, 200, 0, true, [300, 200]],
      [1, 200, 400, 3, false, undefined],
    ])
    expect(shown(new Matcher(row).match(columns(ends(1_300))))).toEqual([
      [0, 100, 300, 3, false, undefined],
      [0, 300, 400, 0, true, [300, 100]],
      [1, 0, 400, 0, true, [300, 100]],
      [2, 0, 400, 0, true, [300, 100]],
      [3, 0, 100, 0, true, [300, 100]],
      [3, 100, 300, 3, false, undefined],
    ])
  })
  it('infers what was driven after standing, and between fixes of which each comes after a silence', () => {
    const stood = [seen(100, 0), seen(101, 60), seen(100, 120), seen(700, 400), seen(700, 460)]
    expect(shown(new Matcher(row).match(columns(stood)))).toEqual([
      [0, 100, 400, 3, true, [100, 300]],
      [1, 0, 300, 2, true, [100, 300]],
    ])
    const rare = [seen(100, 0), seen(700, 150), seen(1_300, 300)]
    const match = new Matcher(row).match(columns(rare))
    expect(shown(match)).toEqual([
      [0, 100, 400, 1, true, [100, 300]],
      [1, 0, 300, 0, true, [100, 300]],
      [1, 300, 400, 1, true, [300, 100]],
      [2, 0, 400, 0, true, [300, 100]],
      [3, 0, 100, 1, true, [300, 100]],
    ])
    expect(counts(match)).toEqual({ matched: 3 })
  })
})

describe('a time that is ahead of the others', () => {
  const network = buildFromEdges({ id: [0, 1], lon: [7.5, 7.6], lat: [47.5, 47.5] }, { id: [0], from: [0], to: [1] })
  const drive = Array.from({ length: 60 }, (_, i) => [1_750_000_000_000 + 1_000 * i, 7.501 + (20 * i) / 75_300, 47.5])
  const driven = (rows: number[][]) => {
    const match = new Matcher(network).match(columns(rows))
    return { mm: match.traversals.reduce((sum, t) => sum + t.toMm - t.fromMm, 0), ...counts(match) }
  }
  const { mm } = driven(drive)
  const ahead = (from: number, to: number, ms: number) =>
    drive.map(([at, ...place], i) => [i >= from && i < to ? at + ms : at, ...place])
  it.each([
    ['the first one', 0, 1],
    ['the first three', 0, 3],
    ['one on the way', 20, 21],
    ['three on the way', 20, 23],
  ])('costs nothing but itself: %s', (_, from, to) => {
    for (const ms of [150_000, 3_600_000, 10 * 365 * 86_400_000]) {
      const found = driven(ahead(from, to, ms))
      expect(found).toEqual({ mm: expect.any(Number), matched: 60 - (to - from), 'time-order': to - from })
      expect(found.mm).toBeGreaterThan(mm - 20_000 * to - 1_000)
      expect(found.mm).toBeLessThanOrEqual(mm)
    }
  })
  it('is borne out by what follows it: what then goes back is late', () => {
    expect(driven(ahead(20, 24, 3_600_000))).toMatchObject({ 'time-order': 36 })
    // A drive is only ever read once, however often it is sent.
    expect(driven([...drive, ...drive])).toEqual({ mm, matched: 60, 'time-order': 60 })
  })
})

describe('the end of a drive', () => {
  it('is where the last fix is, on the road that it has just turned into', () => {
    const network = buildFromEdges(
      { id: [0, 1, 2, 3], lon: [7.5, 7.506, 7.506, 7.512], lat: [47.5, 47.5, 47.502, 47.5] },
      { id: [0, 1, 2], from: [0, 1, 1], to: [1, 2, 3] },
    )
    // Every 2 s and 10 m, at last 10 m round the corner.
    const rows = Array.from({ length: 43 }, (_, i) => [1_750_000_000_000 + 2_000 * i, 7.5 + (i * 10) / 75_300, 47.5])
    rows.push([1_750_000_090_000, 7.506, 47.5 + 10 / 111_180])
    const { traversals } = new Matcher(network).match(columns(rows))
    expect(
      traversals.flatMap(({ segment, fromMm, toMm }) => network.edges(segment, fromMm, toMm).map((e) => e.edge)),
    ).toEqual([0, 1])
    expect(Math.abs(traversals[1].toMm - 10_000)).toBeLessThan(1_000)
  })
})

describe('streamed is whole', () => {
  const network = city(8, 'streets')
  const lanes = city(14, 'lanes', 7.5, 47.5, 0.4)
  it('to the byte, however a trip is cut, with the state saved and restored at each cut', () => {
    let rivals = 0
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 1, max: 400 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        fc.constantFrom(network, lanes),
        (seed, length, cuts, network) => {
          const fixes = walk(`walk${seed}`, length)
          const whole = new Matcher(network).match(fixes)
          holds(whole, network, fixes)
          const parts: Match[] = []
          let state: Uint8Array | null = null
          for (let from = 0, i = 0; from < length; i++) {
            const to = Math.min(length, from + cuts[i % cuts.length])
            const matcher: Matcher = new Matcher(network)
            if (state) matcher.restore(state)
            else matcher.begin()
            parts.push(matcher.advance(slice(fixes, from, to)))
            if (to === length) parts.push(matcher.finish())
            state = matcher.save()
            expect(state.length).toBeLessThanOrEqual(2048)
            from = to
          }
          expect(JSON.stringify(merged(parts))).toBe(JSON.stringify(merged([whole])))
          rivals += whole.traversals.filter(({ rival }) => rival).length
        },
      ),
      { numRuns: 150 },
    )
    expect(rivals).toBeGreaterThan(100)
  })
  it('also where the undecided past is at its bound', () => {
    const overrides = { lagStepsMax: 4 }
    let forced = 0
    for (let seed = 0; seed < 20; seed++) {
      const fixes = walk(`bound${seed}`, 300)
      const whole = new Matcher(network, overrides).match(fixes)
      forced += whole.forced
      const matcher = new Matcher(network, overrides)
      const parts: Match[] = []
      matcher.begin()
      for (let i = 0; i < 300; i += 7) {
        parts.push(matcher.advance(slice(fixes, i, Math.min(300, i + 7))))
        matcher.restore(matcher.save())
      }
      parts.push(matcher.finish())
      expect(JSON.stringify(merged(parts))).toBe(JSON.stringify(merged([whole])))
    }
    expect(forced).toBeGreaterThan(0)
  })
  it('refuses a state that is cut, foreign or of other parameters', () => {
    const matcher = new Matcher(network)
    matcher.begin()
    matcher.advance(walk('state', 120))
    const state = matcher.save()
    const refused = (bytes: Uint8Array, by = new Matcher(network)) =>
      expect(() => by.restore(bytes)).toThrow(InputError)
    refused(state.slice(0, state.length - 1))
    refused(Uint8Array.from([...state, 0]))
    refused(new Uint8Array(0))
    refused(state, new Matcher(city(8, 'other streets')))
    refused(state, new Matcher(network, { sigmaM: 9 }))
  })
})

describe('bad input has a stated outcome', () => {
  const network = city(6, 'bad input')
  const match = (rows: readonly (readonly number[])[], on = network) => {
    const fixes = columns(rows)
    const found = new Matcher(on).match(fixes)
    holds(found, on, fixes)
    return found
  }
  const [lon, lat] = network.pointAt(0, 20_000)

  it('no fix: nothing', () =>
    expect(match([])).toEqual({ traversals: [], fates: new Uint8Array(0), breaks: 0, forced: 0 }))
  it('one fix, or equal fixes: standing', () => {
    expect(counts(match([[0, lon, lat]]))).toEqual({ standing: 1 })
    expect(counts(match(Array.from({ length: 9 }, (_, i) => [i * 1000, lon, lat])))).toEqual({ standing: 9 })
  })
  it('two fixes: the road between them', () => {
    const [lon2, lat2] = network.pointAt(0, 70_000)
    const found = match([
      [0, lon, lat],
      [5_000, lon2, lat2],
    ])
    expect(counts(found)).toEqual({ matched: 2 })
    expect(found.traversals.map((t) => [t.segment, Math.round((t.toMm - t.fromMm) / 1000)])).toEqual([[0, 50]])
    expect(found.traversals[0]).toMatchObject({ enteredAt: 0, leftAt: 5_000 })
  })
  it('time that goes back or stands still: time-order', () => {
    expect(
      counts(
        match([
          [9_000, lon, lat],
          [8_000, lon, lat],
          [9_000, lon, lat],
        ]),
      ),
    ).toEqual({ standing: 2, 'time-order': 1 })
  })
  it('NaN, infinities, coordinates out of range: invalid', () => {
    const rows = [
      [NaN, lon, lat],
      [1, NaN, lat],
      [2, lon, Infinity],
      [3, 200, lat],
      [4, lon, 91],
      [Infinity, lon, lat],
    ]
    expect(counts(match(rows))).toEqual({ invalid: 6 })
  })
  it('0, 0: null-island; an accuracy beyond the limit: inaccurate', () => {
    expect(
      counts(
        match([
          [0, 0, 0],
          [1_000, lon, lat, 5_000],
        ]),
      ),
    ).toEqual({ 'null-island': 1, inaccurate: 1 })
  })
  it('swapped coordinates, poles, the far side of the earth: off-network', () => {
    const rows = [
      [0, lat, lon],
      [1_000, lon, 89.99],
      [2_000, lon, -90],
      [3_000, -172.5, -47.5],
      [4_000, 180, lat],
      [5_000, -180, lat],
    ]
    expect(counts(match(rows))).toEqual({ 'off-network': 6 })
  })
  it('a segment without length is driven over', () => {
    const on = buildFromEdges(
      { id: [0, 1, 2, 3, 4], lon: [0.01, 0.012, 0.012, 0.014, 0.012], lat: [1, 1, 1, 1, 1.001] },
      { id: [0, 1, 2, 3], from: [0, 1, 2, 1], to: [1, 2, 3, 4] },
    )
    const rows = Array.from({ length: 40 }, (_, i) => [i * 1000, 0.01 + i * 1e-4, 1])
    expect(match(rows, on).traversals.map((t) => on.edges(t.segment, 0, t.toMm).map((e) => e.edge))).toEqual([
      [0],
      [1, 2],
    ])
  })
  it('a road over the antimeridian is followed', () => {
    const on = buildFromEdges(
      { id: [0, 1, 2], lon: [179.999, -179.999, -179.997], lat: [-17, -17, -17] },
      { id: [0, 1], from: [0, 1], to: [1, 2] },
    )
    const rows = Array.from({ length: 30 }, (_, i) => {
      const x = 179.9991 + i * 1e-4
      return [i * 1000, x > 180 ? x - 360 : x, -17]
    })
    const found = match(rows, on)
    expect(counts(found)).toEqual({ matched: 30 })
    expect(found.breaks).toBe(0)
  })
  it('100,000 fixes of nonsense end in time', () => {
    const luck = chance('nonsense')
    const rows = Array.from({ length: 100_000 }, (_, i) => [
      i * 1000,
      7.49 + luck.next() * 0.03,
      47.49 + luck.next() * 0.03,
    ])
    expect(match(rows).fates.length).toBe(100_000)
  })
})

describe('parameters', () => {
  it('lie within their own bounds and refuse what does not', () => {
    for (const { value, min, max } of Object.values(PARAMETERS)) expect(min <= value && value <= max).toBe(true)
    expect(() => new Matcher(city(2, 'p'), { sigmaM: -1 })).toThrow('map matching: sigmaM must be 1 to 50 m, found -1')
  })
})
