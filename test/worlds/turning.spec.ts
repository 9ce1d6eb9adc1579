import { Matcher } from '#map-matching'
import { drivenOn, matched, metresOf } from './matched'
import { columns, join, only, world } from './world'

describe('turning back', () => {
  const street = world(`
A-----------B-----------C
            |
            |
            D`)
  it('at a junction', () => {
    expect(drivenOn(street, 'A B C B D', { noiseM: 4 })).toBe('A B C B D')
    expect(drivenOn(street, 'A B A', { noiseM: 4 })).toBe('A B A')
  })
  it('between junctions: only what was driven is charged, there and back', () => {
    const match = matched(street, street.drive('A B~C A', { noiseM: 3 }))
    // 300 m and 150 m, twice.
    expect(metresOf(match)).toBeGreaterThan(885)
    expect(metresOf(match)).toBeLessThan(915)
    expect(match.breaks).toBe(0)
  })
  it('at the end of a dead end', () => {
    expect(drivenOn(street, 'A B D B C', { noiseM: 4 })).toBe('A B D B C')
    expect(drivenOn(street, 'A B D B A', { stepM: 60 })).toBe('A B D B A')
  })
  it('not for a car that waits at the lights and jitters', () => {
    const waits = join(1_000, street.drive('A B'), street.drive('B B B B B B', { noiseM: 8 }), street.drive('B C'))
    expect(street.driven(matched(street, waits))).toBe('A B C')
  })
  it('into a yard where a vehicle stands for minutes, not into one that it only seems to be in for some seconds', () => {
    const yard = world(`
A-----------B-----------C
            |
            |
            D`)
    const [lon, lat] = yard.at('B~D')
    const visit = (minutes: number) => {
      const stands = columns(Array.from({ length: 6 * minutes }, (_, i) => [10_000 * i, lon, lat] as const))
      return matched(yard, join(1_000, yard.drive('A B B~D'), stands, yard.drive('B~D B C')))
    }
    expect(yard.driven(visit(0.5))).toBe('A B C')
    expect(metresOf(visit(0.5))).toBeLessThan(605)
    expect(metresOf(visit(8))).toBeGreaterThan(600 + 2 * 30)
  })
  it('not for a stop on the way whose fixes wander back', () => {
    const ahead = street.drive('A B~C', { stepM: 10 })
    const back = street.drive('B~C B~C', { shiftM: [-25, 3] })
    const again = street.drive('B~C C')
    const match = matched(street, join(1_000, ahead, back, again))
    expect(street.driven(match)).toBe('A B C')
    expect(metresOf(match)).toBeLessThan(605)
  })
})

describe('a hairpin', () => {
  const slip = world(
    `
A------------------>B--E
                    v
C<------------------D--F`,
    20,
  )
  it('that is driven faster than it is wide: what was thinned tells how far the vehicle went in it', () => {
    for (let seed = 0; seed < 12; seed++) {
      const fixes = slip.drive('A B D C', { stepM: 35, speedMs: 35, noiseM: 2, seed })
      const match = matched(slip, fixes)
      expect(slip.driven(match)).toBe('A B D C')
      // How far is part of the saved state: fix by fix it is the same.
      const matcher = new Matcher(slip.network)
      matcher.begin()
      const pieces = Array.from(fixes.at, (_, i) => {
        const found = matcher.advance(only(fixes, (at) => at === i))
        matcher.restore(matcher.save())
        return found
      })
      expect([...pieces, matcher.finish()].flatMap(({ traversals }) => traversals)).toEqual(match.traversals)
    }
  })
})

describe('a forbidden turn', () => {
  const block = `
    D-------------C-----E
    |             |
    |             |
    |             |
Z---A-------------B`
  it('is not taken where another way is as long', () => {
    const free = world(block, 50, {})
    const barred = world(block, 50, { forbidden: ['A B C'] })
    const fixes = barred.drive('Z A D C E')
    // Nothing is known between the one fix before the block and those behind it.
    const sparse = only(fixes, (i) => i < 15 || i > 115)
    expect(barred.driven(matched(barred, sparse))).toBe('Z A D C E')
    expect(['Z A D C E', 'Z A B C E']).toContain(free.driven(matched(free, sparse)))
  })
  it('does not keep one from the road that is driven', () => {
    const barred = world(block, 50, { forbidden: ['A B C'] })
    // Whoever turns all the same has driven both roads; how they are joined is open, but no detour is charged.
    const match = matched(barred, barred.drive('Z A B C E', { noiseM: 3 }))
    expect(metresOf(match)).toBeLessThan(1_600)
    expect(barred.driven(match)).toMatch(/^Z A B.* C E$/)
  })
})

describe('a roundabout', () => {
  const ring = world(
    `
      N
      |
      |
      |
      |
B--<--A--<--C
|           |
v           ^
|           |
D-->--F-->--E
      |
      |
      |
      |
      S`,
    15,
  )
  it('is left where the drive leaves it', () => {
    expect(drivenOn(ring, 'S F E C A N', { noiseM: 2 })).toBe('S F E C A N')
  })
  it('is a place to turn back', () => {
    expect(drivenOn(ring, 'S F E C A B D F S', { noiseM: 2 })).toBe('S F E C A B D F S')
  })
  it('is driven twice by whoever drives it twice', () => {
    const path = 'S F E C A B D F E C A B D F S'
    expect(drivenOn(ring, path, { noiseM: 2 })).toBe(path)
  })
})

describe('loops', () => {
  const eight = world(`
A-----B
|     |
|     |
C-----D-----E
      |     |
      |     |
      F-----G`)
  it('of a figure eight cross where they cross', () => {
    expect(drivenOn(eight, 'A B D E G F D C A', { noiseM: 5 })).toBe('A B D E G F D C A')
    expect(drivenOn(eight, 'A B D F G E D C A', { noiseM: 5 })).toBe('A B D F G E D C A')
  })
  it('are charged as often as they are driven', () => {
    const twice = 'A B D C A B D C A B'
    expect(drivenOn(eight, twice, { noiseM: 5 })).toBe(twice)
    expect(drivenOn(eight, twice, { stepM: 60 })).toBe(twice)
  })
})
