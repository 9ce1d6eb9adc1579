import { type Batch } from '#contracts'
import { type Instant } from '#kernel'
import { buildNetwork, type RoadNetwork } from '#road-network'

/** A straight main road along the 45th parallel, 8 km, with a private drive of 500 m to the north in its middle. */
export const MAIN_ROAD: RoadNetwork = buildNetwork({
  attribution: 'drawn for tests',
  nodes: [
    { id: 1, lon: 7, lat: 45 },
    { id: 2, lon: 7.05, lat: 45 },
    { id: 3, lon: 7.1, lat: 45 },
    { id: 4, lon: 7.05, lat: 45.0045 },
  ],
  ways: [
    { id: 10, nodeIds: [1, 2, 3], tags: { highway: 'primary', name: 'Main Road' } },
    { id: 11, nodeIds: [2, 4], tags: { highway: 'service', access: 'private' } },
  ],
})

/** Metres in a degree of longitude at 45 degrees north on WGS84: what the distances of these tests are reckoned with. */
export const METRES_PER_DEGREE = 78_846.8

/** Peak hours cost four times as much in the eastern half; private roads are free; two euros a day are the most. */
export const TARIFF = {
  v: 1,
  id: 'test-2026',
  name: 'Test tariff',
  currency: 'EUR',
  timeZone: 'Europe/Rome',
  startsAt: '2026-01-01T00:00:00+01:00',
  jurisdiction: 'torino',
  zones: {
    east: {
      name: 'East',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [7.05, 44.9],
            [7.2, 44.9],
            [7.2, 45.1],
            [7.05, 45.1],
            [7.05, 44.9],
          ],
        ],
      },
    },
  },
  rules: [
    { id: 'private', name: 'Private roads', match: { access: ['private'] }, price: { free: 'private road' } },
    {
      id: 'east-peak',
      name: 'East, rush hour',
      match: { zones: ['east'], times: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '07:00', to: '09:00' }] },
      price: { perKm: '0.40' },
    },
    { id: 'base', name: 'All other roads', match: {}, price: { perKm: '0.10' } },
  ],
  caps: [{ id: 'daily', name: 'Daily cap', per: 'day', amount: '2.00' }],
  billing: { unit: 'km', coin: '0.01', reviewDays: 10, dueDays: 30 },
}

/** A drive along the main road from one longitude to another at 15 m/s, one fix a second, in batches of 60. */
export function driveAlong(
  trip: string,
  fromLon: number,
  toLon: number,
  startsAt: Instant,
  firstSeq: number,
  boot = 0,
): Batch[] {
  const metres = Math.abs(toLon - fromLon) * METRES_PER_DEGREE
  const seconds = Math.round(metres / 15)
  const fixes = Array.from({ length: seconds + 1 }, (_, s): [number, number, number, number] => [
    startsAt + s * 1000,
    45,
    fromLon + ((toLon - fromLon) * s) / seconds,
    4,
  ])
  const groups = Array.from({ length: Math.ceil(fixes.length / 60) }, (_, i) => fixes.slice(i * 60, i * 60 + 60))
  return groups.map((group, i) => ({
    v: 1,
    boot,
    seq: firstSeq + i,
    trip,
    event: i === groups.length - 1 ? 'end' : i === 0 ? 'start' : 'run',
    fixes: group,
  }))
}
