import { drivenOn, fatesOf, matched, metresOf } from './matched'
import { world } from './world'

describe('a dual carriageway', () => {
  const dual = world(
    `
A--->-----B--->-----C--->-----D
          |         |
E---<-----F---<-----G---<-----H`,
    12,
  )
  it('is driven on the side of the traffic, whichever is nearer', () => {
    expect(drivenOn(dual, 'A B C D', { noiseM: 5 })).toBe('A B C D')
    expect(drivenOn(dual, 'A B C D', { shiftM: [0, -13] })).toBe('A B C D')
    expect(drivenOn(dual, 'H G F E', { shiftM: [0, 13] })).toBe('H G F E')
  })
  it('is turned back on where the sides are joined', () => {
    expect(drivenOn(dual, 'A B C G F E', { noiseM: 3 })).toBe('A B C G F E')
  })
})

describe('a motorway and the road beside it', () => {
  const beside = world(
    `
M--->---------N--->---------------O--->----------P
               \\                 /
                \\               /
                 \\             /
F-----------------G-----------H------------------I`,
    15,
    {
      roads: {
        'M N O P': { highway: 'motorway' },
        'N G': { highway: 'motorway_link', oneway: 'yes' },
        'O H': { highway: 'motorway_link', oneway: '-1' },
      },
    },
  )
  const classes = (path: string, options = {}) => {
    const match = matched(beside, beside.drive(path, options))
    return [...new Set(match.traversals.map(({ segment }) => beside.network.roadClass(segment)))]
  }
  it('are told apart at speed and in town', () => {
    expect(drivenOn(beside, 'M N O P', { speedMs: 33, stepM: 33, noiseM: 6 })).toBe('M N O P')
    expect(drivenOn(beside, 'F G H I', { speedMs: 12, stepM: 12, noiseM: 6 })).toBe('F G H I')
    expect(classes('M N O P', { noiseM: 6 })).toEqual(['motorway'])
    expect(classes('I H G F', { noiseM: 6 })).toEqual(['residential'])
  })
  it('are joined by links, which count as the motorway', () => {
    expect(drivenOn(beside, 'M N G H O P', { noiseM: 5 })).toBe('M N G H O P')
    expect(classes('M N G')).toEqual(['motorway'])
  })
})

describe('two roads side by side', () => {
  const beside = world(
    `
M--------------------------------------------------------->---------------------------------------N
.
.
F----------------------------------G---------------------------------------------H----------------I
                                   |                                             |
                                   |                                             |
                                   P                                             Q`,
    10,
    { roads: { 'M N': { highway: 'motorway' } } },
  )
  const rivalsOf = (path: string, southM: number) =>
    matched(beside, beside.drive(path, { shiftM: [0, southM] })).traversals.map(({ segment, rival }) => [
      beside.network.roadClass(segment),
      rival ? beside.network.roadClass(rival.segment) : null,
    ])
  it('are each the rival of the other where fixes lie between them', () => {
    expect(rivalsOf('M N', -14)).toEqual([['motorway', 'residential']])
    expect([...new Set(rivalsOf('F I', 14).map(String))]).toEqual(['residential,motorway'])
  })
  it('are none where fixes lie on one of them; nor are streets that cross', () => {
    expect(rivalsOf('M N', 0)).toEqual([['motorway', null]])
    expect([...new Set(rivalsOf('F I', 0).map(String))]).toEqual(['residential,'])
    expect([...new Set(rivalsOf('F G P', 0).map(String))]).toEqual(['residential,'])
  })
})

describe('a one-way street that is driven against its sign', () => {
  const street = world(`
A---<-------B---<-------C
|                       |
|                       |
D-----------------------E`)
  it('is not charged, nor is a way round that nobody drove', () => {
    const match = matched(street, street.drive('D A B C E', { noiseM: 3 }))
    // Two streets of 75 m were driven as they may be; what lies between them is the driver's business.
    expect(metresOf(match)).toBeLessThan(330)
  })
})

describe('a bridge', () => {
  const bridge = world(
    `
          N
          |
          |
W---------#---------E
          |
          |
          S`,
    25,
    { roads: { 'W E': { highway: 'motorway', oneway: 'no' }, 'N S': { highway: 'residential' } } },
  )
  it.each(['W E', 'E W', 'N S', 'S N'])('over a road is no way down to it: %s', (path) => {
    expect(drivenOn(bridge, path, { noiseM: 6 })).toBe(path)
    expect(drivenOn(bridge, path, { stepM: 90, noiseM: 6 })).toBe(path)
  })
})

describe('private ground', () => {
  const yard = world(
    `
A-----------B-----------C
            |
            |
            P-----Q`,
    25,
    { roads: { 'B P Q': { highway: 'service', access: 'private' } } },
  )
  it('is driven and known to be private, so that it can be free', () => {
    const match = matched(yard, yard.drive('A B P Q P B C', { noiseM: 3 }))
    expect(yard.driven(match)).toBe('A B P Q P B C')
    const isPrivate = match.traversals.map(({ segment }) => yard.network.access(segment) === 'private')
    expect(isPrivate).toEqual([false, true, true, true, true, false])
  })
  it('is not entered by a fix or two', () => {
    const fixes = yard.drive('A B C')
    fixes.lat[30] -= 0.0003
    expect(yard.driven(matched(yard, fixes))).toBe('A B C')
  })
})

describe('a road for buses only', () => {
  const busway = world(
    `
A-----------B-----------C
|                       |
D-----------E-----------F`,
    30,
    { roads: { 'D E F': { highway: 'service', access: 'no', bus: 'yes' } } },
  )
  it('is no road: whoever drives on it is off the network', () => {
    expect(busway.network.segmentCount).toBe(8)
    const match = matched(busway, busway.drive('D F', { shiftM: [0, -40] }))
    expect(fatesOf(match)['off-network']).toBeGreaterThan(60)
    expect(metresOf(match)).toBeLessThan(80)
  })
})
