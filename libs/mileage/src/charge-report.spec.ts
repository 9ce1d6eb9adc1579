import { cutNetwork } from '#geofencing'
import { instant, type TripId, type VehicleId } from '#kernel'
import type { Traversal } from '#map-matching'
import { chargeReport } from '#mileage'
import { buildNetwork } from '#road-network'

/** A motorway and a street beside it, 1 km each, the eastern half of the street in a zone; and a second street. */
const network = buildNetwork({
  attribution: 'drawn for tests',
  nodes: [
    { id: 1, lon: 7, lat: 45.0003 },
    { id: 2, lon: 7.0127, lat: 45.0003 },
    { id: 3, lon: 7, lat: 45 },
    { id: 4, lon: 7.0127, lat: 45 },
    { id: 5, lon: 7, lat: 44.9997 },
    { id: 6, lon: 7.0127, lat: 44.9997 },
  ],
  ways: [
    { id: 10, nodeIds: [1, 2], tags: { highway: 'motorway', oneway: 'yes' } },
    { id: 11, nodeIds: [3, 4], tags: { highway: 'residential', oneway: 'yes' } },
    { id: 12, nodeIds: [5, 6], tags: { highway: 'residential', oneway: 'yes' } },
  ],
})
const [motorway, street, other] = [45.0003, 45, 44.9997].map((lat) => network.nearest(7.006, lat, 5)[0].segment)
const east = [[7.00635, 44.99985], [7.1, 44.99985], [7.1, 45.00015], [7.00635, 45.00015], [7.00635, 44.99985]] as [number, number][] // prettier-ignore
const cut = cutNetwork(network, [{ id: 'east', geometry: { type: 'Polygon', coordinates: [east] } }])

const stretchesOf = (segment: number, rival?: Traversal['rival'], between?: Traversal['between']) => {
  const traversal = { segment, fromMm: 0, toMm: 900_000, fixes: 9, inferred: false, confidence: 700, rival, between }
  const moments = { startedAt: instant(0), endedAt: instant(90_000) }
  const { stretches } = chargeReport(
    { trip: 't' as TripId, vehicle: 'v' as VehicleId, engine: 'test', ...moments },
    {
      traversals: [{ ...traversal, enteredAt: moments.startedAt, leftAt: moments.endedAt }],
      fates: { matched: 9 },
      breaks: 0,
    },
    network,
    () => cut,
  )
  return stretches.map(({ fromMm, zones, rival, between }) => [
    Math.round(fromMm / 1000),
    zones,
    ...(between ? [between] : [rival]),
  ])
}

describe('the rival of a stretch', () => {
  const inWest = { segment: street, offsetMm: 100_000 }
  const inEast = { segment: street, offsetMm: 900_000 }
  const street0 = { roadClass: 'residential', access: 'public' }
  it('has the class of its road, and the zones of the place where it was met', () => {
    expect(stretchesOf(motorway, inWest)).toEqual([[0, [], { ...street0, zones: [] }]])
    expect(stretchesOf(motorway, inEast)).toEqual([[0, [], { ...street0, zones: ['east'] }]])
    // Rounded up to whole metres a place may be a little beyond the end.
    expect(stretchesOf(motorway, { ...inEast, offsetMm: 2_000_000 })).toEqual([
      [0, [], { ...street0, zones: ['east'] }],
    ])
  })
  it('is told part by part, where it can cost something else', () => {
    const rival = { roadClass: 'motorway', access: 'public', zones: [] }
    expect(stretchesOf(street, { segment: motorway, offsetMm: 0 })).toMatchObject([
      [0, [], rival],
      [expect.any(Number), ['east'], rival],
    ])
    expect(stretchesOf(street, { segment: other, offsetMm: 500_000 })).toMatchObject([
      [0, [], undefined],
      [expect.any(Number), ['east'], { ...street0, zones: [] }],
    ])
    expect(stretchesOf(other, inWest)).toEqual([[0, [], undefined]])
    expect(stretchesOf(motorway, { segment: motorway, offsetMm: 500_000 })).toEqual([[0, [], undefined]])
  })
})

describe('a stretch that was driven in a long silence', () => {
  it('has the class of the roads at both ends, and the zones of the places', () => {
    const ends = [{ segment: motorway, offsetMm: 5_000 }, { segment: street, offsetMm: 900_000 }] as const // prettier-ignore
    const roads = [
      { roadClass: 'motorway', access: 'public', zones: [] },
      { roadClass: 'residential', access: 'public', zones: ['east'] },
    ]
    expect(stretchesOf(street, undefined, ends)).toEqual([
      [0, [], roads],
      [expect.any(Number), ['east'], roads],
    ])
  })
})

describe('a charge report', () => {
  it('says how often its drive had to be decided before it was sure, and nothing where it never had', () => {
    const trip = { trip: 't' as TripId, vehicle: 'v' as VehicleId, engine: 'test', startedAt: instant(0), endedAt: instant(1) } // prettier-ignore
    const reportOf = (forced?: number) =>
      chargeReport(trip, { traversals: [], fates: {}, breaks: 0, forced }, network, () => cut)
    expect(reportOf(3).forced).toBe(3)
    expect(reportOf()).not.toHaveProperty('forced')
  })
})
