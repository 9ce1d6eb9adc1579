import { FATES } from '#map-matching'
import { drivenOn, fatesOf, matched, metresOf } from './matched'
import { columns, join, only, world } from './world'

describe('a tunnel', () => {
  const tunnel = world(
    `
A-----B=====C-----D
      |     |
      +-----+`.replace('=====', '-----'),
    100,
    { roads: { 'B C': { highway: 'primary', tunnel: 'yes', name: 'Harbour Tunnel' } } },
  )
  const fixes = tunnel.drive('A B C D', { speedMs: 20, stepM: 20 })
  const through = only(fixes, (i) => i < 28 || i > 62)
  it('is driven where nothing is heard, and said to be inferred', () => {
    const match = matched(tunnel, through)
    expect(tunnel.driven(match)).toBe('A B C D')
    expect(match.traversals.filter((t) => t.inferred).map(({ segment }) => tunnel.network.name(segment))).toEqual([
      'Harbour Tunnel',
    ])
    expect(match.breaks).toBe(0)
  })
  it('is driven where the receiver goes on as it was headed', () => {
    expect(drivenOn(tunnel, 'A B C D', { noiseM: 15, seed: 3 })).toBe('A B C D')
  })
})

describe('a ferry', () => {
  const ferry = world(
    `
A-----B---------------------C-----D
      |                     |
      |                     |
      |                     |
      E---------------------F`,
    100,
    { roads: { 'B C': { route: 'ferry', motor_vehicle: 'yes' } } },
  )
  const fixes = ferry.drive('A B C D', { stepM: 20, noiseM: 4 })
  const across = only(fixes, (i) => i < 28 || i > 142)
  it('is a road of a class of its own, for a tariff to leave free', () => {
    const match = matched(ferry, across)
    expect(ferry.driven(match)).toBe('A B C D')
    const classes = match.traversals.map(({ segment, inferred }) => [ferry.network.roadClass(segment), inferred])
    expect(classes).toEqual([
      ['residential', false],
      ['residential', true],
      ['ferry', true],
      ['residential', true],
      ['residential', false],
    ])
  })
  it('is known by the water that it crosses, and the road round the bay by its own fixes', () => {
    expect(drivenOn(ferry, 'A B C D', { stepM: 20, noiseM: 4 })).toBe('A B C D')
    expect(drivenOn(ferry, 'A B E F C D', { stepM: 20, noiseM: 4 })).toBe('A B E F C D')
  })
})

describe('a car park that is on no map', () => {
  const park = world(`
A-----------B-----------C`)
  // Down from the road, round the lot, and out again where it came in.
  const lot = [
    [0, -60],
    [60, -90],
    [90, -150],
    [10, -160],
    [-40, -90],
  ] as const
  it('is off the network, and the drive goes on behind it', () => {
    const [before, after] = [park.drive('A B'), park.drive('B C')]
    const within = lot.map(([east, north]) => park.drive('B B', { shiftM: [east, north], stepM: 1 }))
    const match = matched(park, join(8_000, before, ...within, after))
    expect(park.driven(match).replace(' | B', '')).toBe('A B C')
    expect(metresOf(match)).toBeLessThan(605)
    expect(fatesOf(match)['off-network'] ?? 0).toBeGreaterThan(0)
  })
  it('costs nothing while the car stands in it', () => {
    const still = columns(
      Array.from({ length: 300 }, (_, i) => [i * 1_000, park.at('B')[0], park.at('B')[1] + 0.002] as const),
    )
    const match = matched(park, still)
    expect(match.traversals).toEqual([])
    expect(fatesOf(match)).toEqual({ 'off-network': 300 })
  })
})

describe('a receiver', () => {
  const road = world(`
A-----------B-----------C-----------D`)
  it('that starts cold and says at first where it was yesterday', () => {
    const fixes = road.drive('A B C D', { noiseM: 3 })
    for (let i = 0; i < 5; i++) fixes.lat[i] += 0.5
    const match = matched(road, fixes)
    expect(metresOf(match)).toBeGreaterThan(800)
    expect(metresOf(match)).toBeLessThan(905)
    expect(Array.from(match.fates.subarray(0, 5), (f) => FATES[f])).not.toContain('matched')
  })
  it('that loses the last fixes', () => {
    const fixes = road.drive('A B C D', { noiseM: 3 })
    for (let i = fixes.length - 5; i < fixes.length; i++) fixes.lon[i] += 0.3
    expect(metresOf(matched(road, fixes))).toBeLessThan(905)
    expect(metresOf(matched(road, fixes))).toBeGreaterThan(800)
  })
  it('that knows that it knows nothing', () => {
    const fixes = road.drive('A B C D')
    for (let i = 20; i < 40; i++) {
      fixes.lat[i] += 0.003
      fixes.accuracyM[i] = 800
    }
    const match = matched(road, fixes)
    expect(road.driven(match)).toBe('A B C D')
    expect(fatesOf(match).inaccurate).toBe(20)
  })
  it('that says 0, 0 now and then', () => {
    const fixes = road.drive('A B C D')
    for (const i of [0, 7, 8, 50]) fixes.lon[i] = fixes.lat[i] = 0
    const match = matched(road, fixes)
    expect(road.driven(match)).toBe('A B C D')
    expect(fatesOf(match)['null-island']).toBe(4)
  })
  it('that sends every fix twice', () => {
    const fixes = road.drive('A B C D')
    const twice = Array.from({ length: 2 * fixes.length }, (_, i) => i >> 1)
    const match = matched(road, columns(twice.map((i) => [fixes.at[i], fixes.lon[i], fixes.lat[i]] as const)))
    expect(road.driven(match)).toBe('A B C D')
    expect(fatesOf(match)['time-order']).toBe(fixes.length)
  })
})

describe('a gap', () => {
  const country = world(
    `
A-------B-------C
|       |       |
D-------E-------F`,
    100,
    {},
  )
  it('is bridged by the one way that fits, and inferred', () => {
    const fixes = country.drive('A B C F')
    const match = matched(
      country,
      only(fixes, (i) => i < 20 || i > 170),
    )
    expect(country.driven(match)).toBe('A B C F')
    expect(match.traversals.some((t) => t.inferred)).toBe(true)
  })
  it('is not bridged faster than any car', () => {
    const [west, east] = [country.drive('A A~B'), country.drive('B~C C')]
    const match = matched(country, join(5_000, west, east))
    expect(metresOf(match)).toBeLessThan(810)
    expect(match.breaks).toBe(1)
  })
  it('of a night in a garage is no drive', () => {
    const [evening, morning] = [country.drive('A B~C'), country.drive('B~C C')]
    const match = matched(country, join(9 * 3_600_000, evening, morning))
    expect(country.driven(match)).toBe('A B C')
    expect(metresOf(match)).toBeLessThan(1_605)
  })
})

describe('a short trip', () => {
  const street = world(`
A-----------------------B`)
  it('within one segment is charged as far as it went', () => {
    const match = matched(
      street,
      only(street.drive('A B', { stepM: 5 }), (i) => i >= 40 && i <= 60),
    )
    expect(match.traversals).toHaveLength(1)
    expect(Math.abs(metresOf(match) - 100)).toBeLessThan(1)
  })
  it('of one fix is none', () => {
    const match = matched(
      street,
      only(street.drive('A B'), (i) => i === 20),
    )
    expect([match.traversals, fatesOf(match)]).toEqual([[], { standing: 1 }])
  })
})
