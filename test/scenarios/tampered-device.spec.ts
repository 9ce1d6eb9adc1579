import { type Batch } from '#contracts'
import { driveAlong } from './roads'
import { at, ROAD_M, Story, withOdometer } from './odometers'

describe('a device that was tampered with', () => {
  let story: Story
  beforeAll(async () => {
    story = await Story.open('2026-10-01T12:00:00+02:00')
  })
  afterAll(() => story?.close())
  const m = Math.round(ROAD_M)

  it('leaves signs that an agency sees as counts, and a citizen as the fate of each fix', async () => {
    await story.drive('first', '2026-10-05T10:00:00+02:00', [500_000, 500_000 + m])
    // Unplugged for 400 km.
    await story.drive('second', '2026-10-12T10:00:00+02:00', [900_000 + m, 900_000 + 2 * m])
    // Wound back.
    await story.drive('third', '2026-10-14T10:00:00+02:00', [600_000, 600_000 + m])
    // A clock that goes back an hour four times, and positions that no drive explains.
    story.until('2026-10-20T12:00:00+02:00')
    const wild = driveAlong('wild', 7, 7.1, at('2026-10-20T10:00:00+02:00'), 27).map((batch, i): Batch => ({
      ...batch,
      fixes: batch.fixes.map(([t, lat, lon, accuracy], k) => [
        i % 2 === 1 && k === 30 ? t - 3_600_000 : t,
        k % 10 === 5 ? lat + 0.05 : lat,
        lon,
        accuracy ?? 4,
      ]),
    }))
    await story.send(withOdometer(wild, 1_000_000, 1_000_000 + m))
    await story.statement('2026-10')

    const signals = (await story.http(`/v1/agencies/${story.people.agency}/signals`, { as: 'agency' })).json
    const counts = Object.fromEntries(
      signals.map((row: { signal: string; count: number }) => [row.signal, row.count]),
    ) as Record<string, number>
    expect(counts).toMatchObject({ 'odometer-without-heartbeat': expect.any(Number), 'odometer-back': 2 })
    expect(counts['clock-jumps']).toBeGreaterThanOrEqual(3)
    for (const row of signals) expect(Object.keys(row).sort()).toEqual(['count', 'month', 'signal', 'vehicle'])
    expect((await story.http(`/v1/agencies/${story.people.agency}/signals`)).status).toBe(403)
  })

  it('every fix has a fate, and its citizen alone sees it', async () => {
    const [trip] = await story.world.store.read<{ id: string; fixes: number }>(
      `select id, fixes from metering.trip where name = 'wild'`,
    )
    const { json } = await story.http(`/v1/trips/${trip.id}/fixes`)
    expect(json.fixes).toHaveLength(trip.fixes)
    const sum = Object.values(json.counts as Record<string, number>).reduce((a, b) => a + b, 0)
    expect(sum).toBe(trip.fixes)
    expect(json.counts['time-order']).toBeGreaterThanOrEqual(4)
    expect(json.fixes.every((fix: unknown[]) => typeof fix[3] === 'string')).toBe(true)
    expect((await story.http(`/v1/trips/${trip.id}/fixes`, { as: 'agency' })).status).toBe(403)
  })
})
