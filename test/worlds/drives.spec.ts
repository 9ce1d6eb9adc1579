import { FATES } from '#map-matching'
import { drivenOn, fatesOf, matched } from './matched'
import { columns, join, world } from './world'

describe('a grid of streets', () => {
  const grid = world(`
A------B------C------D
|      |      |      |
|      |      |      |
E------F------G------H
|      |      |      |
|      |      |      |
I------J------K------L`)

  it.each(['A B F G H', 'A B C G K J I', 'I E A B C D H L', 'F B A E F G'])('follows %s', (path) => {
    expect(drivenOn(grid, path)).toBe(path)
    expect(drivenOn(grid, path, { noiseM: 6, seed: path })).toBe(path)
  })
  it('follows it with a fix every 100 m', () => {
    expect(drivenOn(grid, 'A B C G K J I', { stepM: 100, noiseM: 4 })).toBe('A B C G K J I')
  })
  it('charges a loop that is driven twice twice', () => {
    expect(drivenOn(grid, 'A B F E A B F E A')).toBe('A B F E A B F E A')
  })
  it('starts and ends inside segments and charges offsets, not whole edges', () => {
    const whole = grid.drive('A B C')
    const part = columns(
      Array.from({ length: 11 }, (_, i) => i + 5).map((i) => [whole.at[i], whole.lon[i], whole.lat[i]] as const),
    )
    const match = matched(grid, part)
    const mm = match.traversals.reduce((sum, t) => sum + t.toMm - t.fromMm, 0)
    expect(Math.abs(mm - 100_000)).toBeLessThan(1_000)
  })
  it('turns back at the end of a street and not for jitter', () => {
    expect(drivenOn(grid, 'A B C D C B')).toBe('A B C D C B')
  })
  it('does not charge a parked car that jitters', () => {
    const parked = join(1_000, grid.drive('A B'), grid.drive('B B B B', { noiseM: 8 }))
    const rows: [number, number, number][] = []
    for (let i = 0; i < 600; i++) {
      const k = i % 3
      rows.push([i * 1_000, grid.at('F')[0] + (k - 1) * 8e-5, grid.at('F')[1] + ((i % 2) - 0.5) * 1e-4])
    }
    const still = matched(grid, columns(rows))
    expect(still.traversals.reduce((sum, t) => sum + t.toMm - t.fromMm, 0)).toBeLessThan(20_000)
    expect(grid.driven(matched(grid, parked))).toBe('A B')
  })
  it('drops a teleport and drives on', () => {
    const fixes = grid.drive('A B C D')
    fixes.lon[20] += 0.004
    fixes.lat[20] -= 0.002
    const match = matched(grid, fixes)
    expect(grid.driven(match)).toBe('A B C D')
    expect(FATES[match.fates[20]]).toMatch(/implausible|off-network/)
  })
  it('infers the road through a gap and says so', () => {
    const fixes = grid.drive('A B C D')
    const kept = Array.from({ length: fixes.length }, (_, i) => i).filter((i) => i < 12 || i > 41)
    const match = matched(grid, columns(kept.map((i) => [fixes.at[i], fixes.lon[i], fixes.lat[i]] as const)))
    expect(grid.driven(match)).toBe('A B C D')
    expect(match.traversals.map((t) => t.inferred)).toEqual([false, true, false])
    expect(match.breaks).toBe(0)
  })
})

describe('roads side by side', () => {
  const carriageways = world(`
A-->---B-->---C-->---D
|      |      |      |
E--<---F--<---G--<---H`)

  it('never drives a one-way against its direction, however near it is', () => {
    expect(drivenOn(carriageways, 'A B C D', { noiseM: 6 })).toBe('A B C D')
    expect(drivenOn(carriageways, 'H G F E', { noiseM: 6 })).toBe('H G F E')
    expect(drivenOn(carriageways, 'A B C D H G F E', { noiseM: 6 })).toBe('A B C D H G F E')
  })

  const parallel = world(
    `
G--A-----------------------------B--E
   |                             |
H--C-----------------------------D--F`,
    12,
  )
  it('keeps to the nearer of two parallel streets, and is less sure between them', () => {
    expect(drivenOn(parallel, 'A B', { shiftM: [0, -5] })).toBe('A B')
    expect(drivenOn(parallel, 'C D', { shiftM: [0, 5] })).toBe('C D')
    const clear = matched(parallel, parallel.drive('A B', { stepM: 40 }))
    const torn = matched(parallel, parallel.drive('A B', { stepM: 40, shiftM: [0, -11] }))
    // Where it begins it may be on the street between the two.
    expect(torn.traversals.at(-1)!.confidence).toBeLessThan(clear.traversals.at(-1)!.confidence - 100)
  })
})

describe('a hairpin', () => {
  const pass = world(
    `
A-------------------------C
                          |
B-------------------------D`,
    20,
  )
  it.each([10, 20, 60])('keeps to the leg that is driven, with a fix every %d m', (stepM) => {
    expect(drivenOn(pass, 'A C D B', { stepM, noiseM: 5 })).toBe('A C D B')
    expect(drivenOn(pass, 'B D C', { stepM, noiseM: 5 })).toBe('B D C')
  })
})

describe('off the network', () => {
  const town = world(`
A------B                        C------D
       |                        |
       |                        |
       |                        |
       |                        |
       |                        |
       |                        |
       +------------------------+`)
  it('does not charge the way across a field, and begins anew behind it', () => {
    const match = matched(town, town.drive('A B C D', { stepM: 20 }))
    expect(town.driven(match)).toBe('A B | C D')
    expect(match.breaks).toBe(1)
    expect(fatesOf(match)['off-network']).toBeGreaterThan(10)
  })
  it('says of a drive with no road near it that it was off the network', () => {
    const far = town.drive('A B', { shiftM: [0, 5_000] })
    expect(fatesOf(matched(town, far))).toEqual({ 'off-network': far.length })
  })
})

describe('islands', () => {
  const islands = world(`
A------B     C------D`)
  it('breaks where no road connects two parts of a drive', () => {
    const match = matched(islands, islands.drive('A B C D', { stepM: 20 }))
    expect(islands.driven(match)).toBe('A B | C D')
    expect(match.breaks).toBe(1)
  })
})

describe('crossings', () => {
  const bridge = world(`
        A
        |
        |
B-------#-------C
        |
        |
        D`)
  it('does not turn where roads cross without meeting', () => {
    expect(bridge.network.junctionCount).toBe(4)
    expect(drivenOn(bridge, 'B C', { noiseM: 5 })).toBe('B C')
  })

  const ramp = world(`
A--->----B---->------C----->---D
          \\
           \\
            E---->---F`)
  it('tells a ramp from the road that it leaves', () => {
    expect(drivenOn(ramp, 'A B C D', { noiseM: 4 })).toBe('A B C D')
    expect(drivenOn(ramp, 'A B E F', { noiseM: 4 })).toBe('A B E F')
  })

  const roundabout = world(`
      A
      |
      |
      B
     / \\
D---E   C---F
     \\ /
      G
      |
      H`)
  it('goes round', () => {
    expect(drivenOn(roundabout, 'A B C F', { noiseM: 3 })).toBe('A B C F')
    expect(drivenOn(roundabout, 'D E G H', { noiseM: 3 })).toBe('D E G H')
  })
})
