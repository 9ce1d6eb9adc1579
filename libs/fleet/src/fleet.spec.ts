import { readFileSync } from 'node:fs'
import { batchSchema } from '#contracts'
import {
  batchesOf,
  demoCity,
  Fleet,
  gridCity,
  RECEIVER,
  routeLength,
  URBAN_RECEIVER,
  wander,
  type FleetDay,
  type OsmFeatures,
} from '#fleet'
import { chance, instant } from '#kernel'
import { buildNetwork } from '#road-network'

const city = buildNetwork(
  demoCity(
    JSON.parse(readFileSync(require.resolve('geojson-path-finder/test/large-network.json'), 'utf8')) as OsmFeatures,
  ),
)
const monday: FleetDay = { name: '2026-10-05', from: instant(Date.parse('2026-10-05T00:00:00+02:00')), weekday: true }

describe('the demo city', () => {
  it('is a real one: thousands of connected roads', () => {
    expect(city.segmentCount).toBeGreaterThan(10_000)
    expect(city.attribution).toContain('OpenStreetMap')
  })
})

describe('a fleet', () => {
  const fleet = new Fleet(city, 'spec', 6)
  const trips = fleet.vehicles.flatMap((_, i) => fleet.trips(i, monday))

  it('drives: most go to work and back on a Monday', () => {
    expect(trips.length).toBeGreaterThan(6)
    for (const trip of trips) {
      expect(trip.lengthMm).toBeGreaterThan(100_000)
      expect(trip.fixes.length).toBeGreaterThan(3)
    }
  })
  it('drives only where the network lets it, and says exactly how far', () => {
    for (const { route, lengthMm } of trips) {
      expect(routeLength(city, route)).toBe(lengthMm)
      route.segments.slice(1).forEach((segment, i) => expect(city.turnAllowed(route.segments[i], segment)).toBe(true))
    }
  })
  it('repeats a day exactly, whatever was asked before', () => {
    const again = new Fleet(city, 'spec', 6)
    expect(again.trips(3, monday)).toEqual(fleet.trips(3, monday))
    expect(new Fleet(city, 'other', 6).trips(3, monday)).not.toEqual(fleet.trips(3, monday))
  })
  it('reports in order of time, within the trip, and errs by metres, not by streets', () => {
    for (const trip of trips) {
      const times = trip.fixes.map((fix) => fix[0])
      expect([...times].sort((a, b) => a - b)).toEqual(times)
      expect(times[0]).toBe(trip.startedAt)
      expect(times.at(-1)).toBe(trip.endedAt)
      const [lon, lat] = city.pointAt(trip.route.segments[0], trip.route.fromMm)
      expect(Math.hypot((trip.fixes[0][2] - lon) * 60_000, (trip.fixes[0][1] - lat) * 111_000)).toBeLessThan(25)
    }
  })
  it('sends valid batches without losing or repeating a fix', () => {
    const batches = batchesOf(trips[0], 0, 7, 20)
    for (const batch of batches) expect(batchSchema.parse(JSON.parse(JSON.stringify(batch)))).toEqual(batch)
    expect(batches.flatMap((batch) => batch.fixes)).toEqual(trips[0].fixes)
    expect(batches.map((batch) => batch.seq)).toEqual(batches.map((_, i) => 7 + i))
    expect([batches[0].event, batches.at(-1)!.event]).toEqual(['start', 'end'])
  })
})

describe('a receiver among high buildings', () => {
  const open = new Fleet(city, 'canyon', 3, { ...URBAN_RECEIVER, canyonShare: 0 }).trips(1, monday)[0]
  const canyon = new Fleet(city, 'canyon', 3, URBAN_RECEIVER).trips(1, monday)[0]
  const apart = canyon.fixes.map((fix, i) =>
    Math.hypot((fix[2] - open.fixes[i][2]) * 60_000, (fix[1] - open.fixes[i][1]) * 111_000),
  )
  it('errs as elsewhere, and by metres more in some blocks', () => {
    expect(canyon.route).toEqual(open.route)
    expect(canyon.fixes.length).toBe(open.fixes.length)
    const same = apart.filter((m) => m < 0.5).length / apart.length
    expect(same).toBeGreaterThan(0.4)
    expect(same).toBeLessThan(0.98)
    expect(Math.max(...apart)).toBeGreaterThan(5)
  })
  it('is not what a fleet has unless told', () => {
    expect(RECEIVER.canyonShare).toBe(0)
  })
})

describe('a generated city', () => {
  const grid = gridCity(20, chance('grid'))
  it('is the same for the same chance, and of the size that was asked for', () => {
    expect(gridCity(20, chance('grid')).digest).toBe(grid.digest)
    expect(gridCity(20, chance('other')).digest).not.toBe(grid.digest)
    expect(grid.segmentCount / 20 ** 2).toBeGreaterThan(3)
    expect(grid.segmentCount / 20 ** 2).toBeLessThan(4)
  })
  it('is wandered through where it is allowed', () => {
    const { segments, fromMm, toMm } = wander(grid, 3, 2_000_000, chance('way'))
    segments.slice(1).forEach((segment, i) => expect(grid.turnAllowed(segments[i], segment)).toBe(true))
    expect(routeLength(grid, { segments, fromMm, toMm })).toBeGreaterThanOrEqual(2_000_000)
  })
})
