import { batchesOf, type FleetTrip } from '#fleet'
import { deriveId, instant, invariant, type DeviceId, type Instant, type TripId } from '#kernel'
import { covers, receiptOf, type Batch } from '#contracts'
import { DeviceClient } from '#messaging'
import { answerSurvey, openSurvey, requestClose, requestExport, reviewEnd } from '#pipeline'
import { localClock } from '#policy'
import { type ToldClock } from '#runtime'
import { backlog, heldRanges, periodOf, surveysOf, type PeriodState, type Store } from '#store'
import { AGENCY, BASELINE, type DemoCity, deviceToken, MONTH } from './city'
import { TARIFF } from './tariff'

const BOOT = 0
const FIXES_PER_BATCH = 60
const HOUR_MS = 3_600_000

/** A trip as it was driven, with the numbers that its batches carry. */
export interface PlannedTrip {
  readonly device: DeviceId
  readonly driven: FleetTrip
  readonly batches: readonly Batch[]
  /** As the line will name it. */
  readonly id: TripId
}

export interface PlannedDay {
  readonly name: string
  /** When the last trip of the day has ended. */
  readonly until: Instant
  readonly trips: readonly PlannedTrip[]
}

/** The days up to the month's end with what everybody drives: the same at every start. `progress` is told the days done. */
export function planMonth({ fleet }: DemoCity, progress: (days: number) => void): PlannedDay[] {
  const clock = localClock(TARIFF.timeZone)
  const { from } = clock.spanOf(BASELINE.from)
  const { to } = clock.spanOf(MONTH)
  const nextSeq = fleet.vehicles.map(() => 0)
  const days: PlannedDay[] = []
  for (let at = from; at < to;) {
    const name = clock.day(at)
    const span = clock.spanOf(name)
    const weekday = clock.minuteOfWeek(at) < 5 * 1440
    const trips = fleet.vehicles.flatMap(({ device }, i) =>
      fleet.trips(i, { name, from: at, weekday }).map((driven): PlannedTrip => {
        const firstSeq = nextSeq[i]
        const batches = batchesOf(driven, BOOT, firstSeq, FIXES_PER_BATCH)
        nextSeq[i] += batches.length
        return { device, driven, batches, id: deriveId<TripId>('trip', device, BOOT, firstSeq) }
      }),
    )
    days.push({ name, until: instant(Math.max(span.to, ...trips.map((trip) => trip.driven.endedAt))), trips })
    progress(days.length)
    at = span.to
  }
  return days
}

/** Who drives the month: devices over MQTT, the clock, and a way to stop. */
export interface Stage {
  readonly store: Store
  readonly clock: ToldClock
  readonly mqttUrl: string
  readonly stop: AbortSignal
}

/**
 * Lets every device send what it drove, day by day, over MQTT until receipts cover it all. What an earlier run was given a
 * receipt for is not sent again: that is how a device resumes.
 */
export async function driveMonth(
  stage: Stage,
  days: readonly PlannedDay[],
  progress: (trips: number) => void,
): Promise<void> {
  const devices = new Map<DeviceId, DeviceClient>()
  try {
    let done = 0
    for (const day of days) {
      stage.clock.advanceTo(instant(Math.max(stage.clock.now(), day.until)))
      await Promise.all(
        [...new Set(day.trips.map((trip) => trip.device))].map(async (device) => {
          const trips = day.trips.filter((trip) => trip.device === device)
          const held = await stage.store.transaction((tx) => heldRanges(tx, device, BOOT))
          const receipt = receiptOf(device, BOOT, held?.held ?? [])
          const unsent = trips.flatMap((trip) => trip.batches).filter((batch) => !covers(receipt, BOOT, batch.seq))
          if (unsent.length > 0) {
            const client =
              devices.get(device) ??
              (await DeviceClient.connect({ url: stage.mqttUrl, device, token: deviceToken(device) }))
            devices.set(device, client)
            await Promise.all(unsent.map((batch) => client.send(batch)))
          }
          progress((done += trips.length))
        }),
      )
      stage.stop.throwIfAborted()
    }
  } finally {
    await Promise.all([...devices.values()].map((device) => device.close()))
  }
}

/** Waits until no work is due. `progress` is told how much is left. */
export async function settle(stage: Stage, progress: (left: number) => void): Promise<void> {
  for (;;) {
    const { pieces } = await stage.store.transaction((tx) => backlog(tx))
    progress(pieces)
    if (pieces === 0) return
    await pause(stage, 100)
  }
}

/** Asks for the days before the month to be closed. Their review passes while the month is driven. */
export async function closeBaseline({ store, clock }: Stage): Promise<void> {
  const { to } = localClock(TARIFF.timeZone).spanOf(BASELINE.month)
  clock.advanceTo(instant(Math.max(clock.now(), to)))
  await requestClose(store, AGENCY, BASELINE.month)
}

/** Lets analysts' tables of the month out, and a survey's first answers in: what an office would have on its desk by then. */
export async function openOffice({ store, clock }: Stage, { fleet }: DemoCity): Promise<void> {
  const now = clock.now()
  await store.transaction(async (tx) => {
    for (const [dataset, format] of EXPORTED)
      await requestExport(tx, AGENCY, { dataset, period: MONTH, format }, 'anders', now)
    if ((await surveysOf(tx, AGENCY)).length > 0) return
    await openSurvey(tx, AGENCY, SURVEY, now)
    // The first citizen hasn't answered yet: whoever signs in as her may.
    for (const [i, { account }] of fleet.vehicles.slice(1, 16).entries())
      await answerSurvey(tx, AGENCY, account, SURVEY.id, { answers: { fair: i % 4 === 0 ? 'no' : 'yes' } }, now)
  })
}
const EXPORTED = [
  ['revenue', 'csv'],
  ['trips-by-zone', 'geoparquet'],
] as const
const SURVEY = {
  id: 'first-month',
  title: 'Your first month',
  from: '2026-11-01T00:00:00+01:00',
  until: '2036-11-01T00:00:00+01:00',
  questions: [
    { id: 'fair', text: 'Is it fair to pay for the roads by the mile?', options: { yes: 'Yes', no: 'No' } },
    {
      id: 'changed',
      text: 'Did the prices change when you drive?',
      options: { often: 'Often', sometimes: 'Sometimes', never: 'Never' },
    },
  ],
}

/** Closes the month: its end passes, statements are drafted, the review passes, they are sealed. */
export async function closeMonth(stage: Stage): Promise<void> {
  const { store, clock } = stage
  const end = localClock(TARIFF.timeZone).spanOf(MONTH).to
  clock.advanceTo(instant(Math.max(clock.now(), end + HOUR_MS)))
  await requestClose(store, AGENCY, MONTH)
  await periodIs(stage, ['drafted', 'sealed'])
  const period = await periodOf(store, AGENCY, MONTH)
  invariant(period?.draftedAt, 'a drafted month knows when')
  clock.advanceTo(instant(Math.max(clock.now(), reviewEnd(TARIFF, period.draftedAt))))
  await periodIs(stage, ['sealed'])
}

export const isSealed = async (store: Store): Promise<boolean> =>
  (await periodOf(store, AGENCY, MONTH))?.state === 'sealed'

async function periodIs(stage: Stage, states: readonly PeriodState[]): Promise<void> {
  for (;;) {
    const period = await periodOf(stage.store, AGENCY, MONTH)
    if (period && states.includes(period.state)) return
    await pause(stage, 100)
  }
}

async function pause(stage: Stage, ms: number): Promise<void> {
  stage.stop.throwIfAborted()
  await new Promise((resolve) => setTimeout(resolve, ms))
}
