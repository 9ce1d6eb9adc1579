import { FATES, Matcher, type FixColumns } from '#map-matching'
import { buildFromEdges, metresPerDegreeLon, type RoadNetwork } from '#road-network'
import { fatesOf, matched, metresOf } from './matched'
import { columns, world } from './world'

// What a device may send, and what becomes of it: a stated outcome each, never an exception, never for ever.

const street = world(`
A-----------B-----------C-----------D
|           |           |           |
E-----------F-----------G-----------H`)

describe('fixes that are hardly any', () => {
  it('none: no drive', () => {
    expect(matched(street, columns([]))).toMatchObject({ traversals: [], breaks: 0, forced: 0 })
  })
  it('one: the car stands', () => {
    const match = matched(street, columns([[0, ...street.at('A~B')]]))
    expect([match.traversals, fatesOf(match)]).toEqual([[], { standing: 1 }])
  })
  it('two: the road between them', () => {
    const match = matched(
      street,
      columns([
        [0, ...street.at('A')],
        [30_000, ...street.at('B')],
      ]),
    )
    expect(street.driven(match)).toBe('A B')
    expect(Math.abs(metresOf(match) - 300)).toBeLessThan(1)
  })
  it('a thousand at one place: the car stands', () => {
    const match = matched(
      street,
      columns(Array.from({ length: 1000 }, (_, i) => [i * 1000, ...street.at('A~B')] as const)),
    )
    expect([match.traversals, fatesOf(match)]).toEqual([[], { standing: 1000 }])
  })
  it('a thousand at one time: the first counts', () => {
    const drive = street.drive('A B C D')
    const match = matched(street, { ...drive, at: drive.at.map(() => 5_000) })
    expect([match.traversals, fatesOf(match)]).toEqual([[], { standing: 1, 'time-order': drive.length - 1 }])
  })
})

describe('fixes that make no sense', () => {
  it.each([1e17, -1e17, 4.5e15, 9e15, 1e290, 1e306, Infinity, NaN])(
    'a time of %d ms behind a jump: left out, whole or streamed',
    (time) => {
      const fixes = street.drive('A B C D')
      ;[fixes.lon[30], fixes.lat[30]] = street.at('H')
      fixes.at[31] = time
      const match = matched(street, fixes)
      expect(fatesOf(match)).toEqual({ matched: fixes.length - 2, implausible: 1, invalid: 1 })
      expect(street.driven(match)).toBe('A B C D')
      const matcher = new Matcher(street.network)
      matcher.begin()
      const parts = Array.from({ length: fixes.length }, (_, i) => {
        matcher.restore(matcher.save())
        const [at, lon, lat] = [fixes.at, fixes.lon, fixes.lat].map((column) => column.subarray(i, i + 1))
        return matcher.advance({ length: 1, at, lon, lat, accuracyM: fixes.accuracyM.subarray(i, i + 1) })
      })
      parts.push(matcher.finish())
      expect(parts.flatMap(({ traversals }) => traversals)).toEqual(match.traversals)
      expect(parts.flatMap(({ fates }) => [...fates])).toEqual([...match.fates])
    },
  )
  const spoilt = (spoil: (fixes: FixColumns, i: number) => void): [string, ReturnType<typeof matched>] => {
    const fixes = street.drive('A B C D')
    for (const i of [10, 30, 31, 32, 50]) spoil(fixes, i)
    const match = matched(street, fixes)
    return [street.driven(match), match]
  }
  it('time that goes back: the fix is left out, the drive goes on', () => {
    const [driven, match] = spoilt(({ at }, i) => (at[i] -= 9_000))
    expect([driven, fatesOf(match)['time-order']]).toEqual(['A B C D', 5])
  })
  it.each<[string, number, number, number]>([
    ['no number for a place', NaN, 47.5, 0],
    ['no number for the other', 7.5, NaN, 0],
    ['a place that is on no globe', 7.5, 91, 0],
    ['a place far beyond one', 1e300, -1e300, 0],
    ['an infinite place', Infinity, 47.5, 0],
    ['no number for a time', 7.5, 47.5, NaN],
    ['a time beyond all times', 7.5, 47.5, 1e300],
  ])('%s: invalid', (_, lon, lat, at) => {
    const [driven, match] = spoilt((fixes, i) => {
      fixes.lon[i] = lon
      fixes.lat[i] = lat
      fixes.at[i] += at
    })
    expect([driven, fatesOf(match).invalid]).toEqual(['A B C D', 5])
  })
  it('a nonsense accuracy: as if none were said', () => {
    for (const accuracy of [NaN, -5]) {
      const [driven, match] = spoilt(({ accuracyM }, i) => (accuracyM[i] = accuracy))
      expect([driven, fatesOf(match)]).toEqual(['A B C D', { matched: match.fates.length }])
    }
  })
  it('longitude and latitude swapped throughout: off the network, all of it', () => {
    const { lon, lat, ...drive } = street.drive('A B C D')
    expect(fatesOf(matched(street, { ...drive, lon: lat, lat: lon }))).toEqual({ 'off-network': drive.length })
  })
  it('swapped now and then: left out, the drive goes on', () => {
    const [driven, match] = spoilt(({ lon, lat }, i) => ([lon[i], lat[i]] = [lat[i], lon[i]]))
    expect([driven, fatesOf(match).matched]).toEqual(['A B C D', match.fates.length - 5])
  })
  it('outside of the map: off the network', () => {
    const drive = street.drive('A B C D')
    for (const [east, north] of [
      [10, 0],
      [0, 10],
      [-180, -90],
    ] as const) {
      const elsewhere = { ...drive, lon: drive.lon.map((x) => x + east), lat: drive.lat.map((y) => y + north) }
      const { traversals, breaks } = matched(street, elsewhere)
      expect([traversals, breaks]).toEqual([[], 0])
    }
  })
})

describe('places where maps end', () => {
  /** A street of ten pieces of some 100 m along a parallel, both ways, and a drive along it. */
  const along = (lon: number, lat: number): [RoadNetwork, FixColumns] => {
    const step = 100 / metresPerDegreeLon(lat)
    const wrapped = (x: number) => (x > 180 ? x - 360 : x)
    const ids = Array.from({ length: 11 }, (_, i) => i)
    const network = buildFromEdges(
      { id: ids, lon: ids.map((i) => wrapped(lon + i * step)), lat: ids.map(() => lat) },
      { id: ids.slice(0, 10), from: ids.slice(0, 10), to: ids.slice(1) },
    )
    const fixes = Array.from({ length: 101 }, (_, i) => [i * 1000, wrapped(lon + (i * step) / 10), lat] as const)
    return [network, columns(fixes)]
  }
  const metresOn = ([network, fixes]: [RoadNetwork, FixColumns]): number => {
    const match = new Matcher(network).match(fixes)
    expect(match.breaks).toBe(0)
    expect([...new Set(match.fates)].map((f) => FATES[f])).toEqual(['matched'])
    return metresOf(match)
  }
  it('the antimeridian: a street across it is a street', () => {
    expect(Math.abs(metresOn(along(179.995, -17)) - 1000)).toBeLessThan(2)
    expect(Math.abs(metresOn(along(179.9999, 65)) - 1000)).toBeLessThan(2)
  })
  it('the far north: a street near the pole is a street', () => {
    expect(Math.abs(metresOn(along(15, 89.5)) - 1000)).toBeLessThan(2)
    expect(Math.abs(metresOn(along(15, -89.5)) - 1000)).toBeLessThan(2)
  })
  it('the poles: no road is near them', () => {
    const [network] = along(15, 89.5)
    const there = columns(
      [90, -90, 89.95].flatMap((lat, i) => [0, 1, 2].map((k) => [(3 * i + k) * 1e6, 15 + k, lat] as const)),
    )
    const { traversals, fates } = new Matcher(network).match(there)
    expect([traversals, [...new Set(fates)].map((f) => FATES[f])]).toEqual([[], ['off-network']])
  })
})

describe('maps that are odd', () => {
  it('islands: a drive from one to the other begins anew', () => {
    const islands = world(
      `
A-----B     C-----D
.
E-----F     G-----H`,
      120,
    )
    const match = matched(islands, islands.drive('A B C D H G F E', { stepM: 15 }))
    expect(islands.driven(match)).toBe('A B | C D | H G | F E')
    expect(match.breaks).toBe(3)
  })
  it('pieces without length: driven through, and nothing is added', () => {
    const network = buildFromEdges(
      { id: [0, 1, 2, 3], lon: [7.5, 7.502, 7.502, 7.504], lat: [47.5, 47.5, 47.5, 47.5] },
      { id: [0, 1, 2, 3], from: [0, 1, 2, 1], to: [1, 2, 3, 1] },
    )
    const fixes = columns(Array.from({ length: 41 }, (_, i) => [i * 1000, 7.5 + i * 1e-4, 47.5] as const))
    const match = new Matcher(network).match(fixes)
    expect(Math.abs(metresOf(match) - 0.004 * metresPerDegreeLon(47.5))).toBeLessThan(1)
    expect(match.breaks).toBe(0)
  })
})

describe('a trip that never ends', () => {
  const MILLION = 1_000_000
  it('a million fixes: all have a fate, and the state stays small', () => {
    const round = street.drive('A B C D H G F E A', { stepM: 12, noiseM: 4 })
    const lap = round.at[round.length - 1] + 1_000
    const matcher = new Matcher(street.network)
    matcher.begin()
    let [fates, driven, most] = [0, 0, 0]
    const count = (part: ReturnType<Matcher['advance']>) => {
      fates += part.fates.length
      driven += metresOf(part)
    }
    const laps = Math.ceil(MILLION / round.length)
    for (let i = 0; i < laps; i++) {
      count(matcher.advance({ ...round, at: round.at.map((at) => at + i * lap) }))
      if (i % 100 === 0) most = Math.max(most, matcher.save().length)
    }
    count(matcher.finish())
    expect(fates).toBe(laps * round.length)
    // A lap is of 1,900 m.
    expect(Math.abs(driven / laps - 1_900)).toBeLessThan(10)
    expect(most).toBeLessThan(2_048)
  })
  it('noise without a road, a hundred thousand times: no drive, no break', () => {
    const far = street.drive('A B C D', { shiftM: [0, 900] })
    const match = matched(
      street,
      columns(
        Array.from(
          { length: 100_000 },
          (_, i) => [i * 1000, far.lon[i % far.length], far.lat[i % far.length]] as const,
        ),
      ),
    )
    expect([match.traversals, match.breaks]).toEqual([[], 0])
  })
  it('a car that teleports with every fix: bounded, and little is charged', () => {
    const spots = ['A', 'H', 'B', 'E', 'D', 'F'].map((name) => street.at(name))
    const fixes = columns(Array.from({ length: 3_000 }, (_, i) => [i * 1000, ...spots[i % 6]] as const))
    const match = matched(street, fixes)
    expect(match.fates.length).toBe(3_000)
    expect(fatesOf(match).implausible).toBeGreaterThan(1_000)
  })
})
