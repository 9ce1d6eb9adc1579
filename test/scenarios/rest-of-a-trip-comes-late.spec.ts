import { type Batch } from '#contracts'
import { faultsOf, settled } from '../harness'
import { driveAlong } from './roads'
import { at, Story } from './odometers'

/** A trip without its end: its first batches come, then nothing for hours, then the rest. */
describe('a trip whose rest comes late', () => {
  let story: Story
  beforeAll(async () => {
    story = await Story.open('2026-10-05T12:00:00+02:00')
  })
  afterAll(() => story?.close())
  const open = (batches: Batch[]) => batches.map((batch): Batch => ({ ...batch, event: 'run' }))
  const trips = () =>
    story.world.store.read<{ first_seq: string; last_seq: string; state: string }>(
      `select first_seq, last_seq, state from metering.trip where device = $1 order by boot, first_seq`,
      [story.people.device],
    )

  it('is one trip, however long its device was silent', async () => {
    const batches = open(driveAlong('long', 7, 7.1, at('2026-10-05T11:00:00+02:00'), 0))
    await story.send(batches.slice(0, 4))
    // Beyond ROADMETER_TRIP_REST_MS, and several sweeps.
    story.until('2026-10-05T20:00:00+02:00')
    await new Promise((resolve) => setTimeout(resolve, 500))
    await settled(story.world)
    expect(await trips()).toEqual([{ first_seq: '0', last_seq: '3', state: 'open' }])
    await story.send(batches.slice(4))
    // The next trip ends it.
    await story.send(driveAlong('next', 7.1, 7, at('2026-10-05T19:00:00+02:00'), 9))
    expect(await trips()).toEqual([
      { first_seq: '0', last_seq: '8', state: 'posted' },
      { first_seq: '9', last_seq: '17', state: 'posted' },
    ])
  })

  it('but two where its fixes rest, however soon they came', async () => {
    const name = 'all-day'
    await story.send(open(driveAlong(name, 7, 7.1, at('2026-10-05T17:00:00+02:00'), 18)))
    await story.send(driveAlong(name, 7.1, 7, at('2026-10-05T18:00:00+02:00'), 27))
    expect((await trips()).slice(2)).toEqual([
      { first_seq: '18', last_seq: '26', state: 'posted' },
      { first_seq: '27', last_seq: '35', state: 'posted' },
    ])
  })

  it('and is waited for no longer than its month is open', async () => {
    story.until('2026-10-31T20:00:00+01:00')
    await story.send(open(driveAlong('unended', 7, 7.1, at('2026-10-31T19:00:00+01:00'), 36)))
    expect((await trips()).at(-1)!.state).toBe('open')
    const october = await story.statement('2026-10')
    expect(october.journeys).toHaveLength(5)
    expect((await trips()).at(-1)!.state).toBe('posted')
    expect(await faultsOf(story.world)).toEqual([])
  })
})
