import { type Batch } from '#contracts'
import { deriveId, instant, invariant, millimetres, type DeviceId, type Instant, type TripId } from '#kernel'
import { ENGINE_VERSION, FATES, type FixColumns, type Match, type Matcher } from '#map-matching'
import {
  contiguousEnd,
  controlTrip,
  distancesOf,
  gapOf,
  givesLocation,
  lateRanges,
  methodLine,
  readable,
  remainingGaps,
  segmentTrips,
  tripSignals,
  withinOdometer,
  type OdometerPair,
  type Reading,
  type TripSpan,
} from '#mileage'
import { localClock } from '#policy'
import {
  batchesOf,
  batchHeads,
  choicesOf,
  heardFrom,
  heldTripsOf,
  isClosing,
  lockDevice,
  markRead,
  networkInForce,
  openTripOf,
  ownerOf,
  savePath,
  saveReadings,
  saveStream,
  saveTrip,
  saveTripMileage,
  streamsOf,
  totalsIn,
  type Owner,
  type StoredMatch,
  type StreamRow,
  type TripRow,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'

/** Cuts a device's batches into trips, in the device's own order, and matches each trip that has ended to the roads. */
export async function match(tx: Tx, key: string, line: Line): Promise<WorkKey[]> {
  const device = key as DeviceId
  await lockDevice(tx, device)
  const owner = await ownerOf(tx, device, line.clock.now())
  invariant(owner, `device ${device} belongs to nobody`)
  const ended: TripRow[] = await heldTripsOf(tx, device)
  for (const stream of await streamsOf(tx, device)) ended.push(...(await cutStream(tx, device, owner, stream, line)))
  const matched: TripRow[] = []
  for (const trip of ended) if (await matchTrip(tx, trip, line)) matched.push(trip)
  return matched.map((trip) => ({ stage: 'meter', key: trip.id }))
}

/** Reads on in one boot of a device and returns the trips that have ended. */
async function cutStream(tx: Tx, device: DeviceId, owner: Owner, stream: StreamRow, line: Line): Promise<TripRow[]> {
  const { tripRestMs, gapWaitMs } = line.settings
  const now = line.clock.now()
  const late = lateRanges(stream)
  let { processed } = stream
  let gaps = remainingGaps(stream.gaps, late)
  const before = await openTripOf(tx, device, stream.boot)
  let open: TripSpan | null = before && { ...before, lastFix: before.lastFix! }
  const ended: TripSpan[] = []
  for (;;) {
    const end = contiguousEnd({ processed, held: stream.held })
    const gap = gapOf({ processed: end, held: stream.held })
    const heads = await batchHeads(tx, device, stream.boot, processed, end)
    if (heads.some(({ event }) => event === 'totals')) await takeTotals(tx, device, stream.boot, [processed, end], now)
    const cut = segmentTrips(open, heads, tripRestMs, false)
    ended.push(...cut.ended)
    open = cut.open
    processed = end
    if (!gap) break
    const behind = await heardFrom(tx, device, stream.boot, gap[1])
    if (!behind || behind.first > now - gapWaitMs) break
    gaps = [...gaps, gap]
    processed = gap[1]
  }
  if (open && (await isOver(tx, device, owner, stream, open, line))) {
    ended.push(open)
    open = null
  }
  // What comes in after it was given up makes trips of its own: the trip around it is closed already.
  for (const [from, to] of late) {
    await takeTotals(tx, device, stream.boot, [from, to], now)
    const cut = segmentTrips(null, await batchHeads(tx, device, stream.boot, from, to), tripRestMs, true)
    ended.push(...cut.ended, ...(cut.open ? [cut.open] : []))
  }
  const row = (span: TripSpan): TripRow => ({
    ...span,
    id: deriveId<TripId>('trip', device, stream.boot, span.firstSeq),
    device,
    boot: stream.boot,
    vehicle: owner.vehicle,
    account: owner.account,
    agency: owner.agency,
    state: 'open',
    startedAt: null,
    endedAt: null,
    month: null,
    network: null,
    engine: null,
    reportDigest: null,
  })
  const trips = ended.map(row)
  for (const trip of open ? [...trips, row(open)] : trips) await saveTrip(tx, trip)
  await saveStream(tx, device, { ...stream, processed, gaps })
  return trips
}

/**
 * Whether a trip without an end is waited for no longer: its rest may still be on the way, and must find it open, or the order
 * of arrival would decide where it ends (I9). So silence ends it as late as it ends a gap, and before that only where its
 * month is being closed. What comes still later is a trip of its own, as behind a gap.
 */
async function isOver(
  tx: Tx,
  device: DeviceId,
  { agency }: Owner,
  stream: StreamRow,
  open: TripSpan,
  line: Line,
): Promise<boolean> {
  if (stream.held.some(([, to]) => to > open.lastSeq + 1)) return false
  const heard = await heardFrom(tx, device, stream.boot, open.firstSeq)
  const silentMs = heard === null ? 0 : line.clock.now() - heard.last
  if (silentMs > line.settings.gapWaitMs) return true
  const { timeZone } = (await line.reference.tariff(tx, agency)).documents[0] ?? { timeZone: 'UTC' }
  return silentMs > line.settings.tripRestMs && isClosing(tx, agency, localClock(timeZone).month(open.lastFix))
}

/**
 * Whether there is anything to meter now: not where the trip has no location, nor where it must wait for a network or, because
 * its distances don't agree, for a review.
 */
async function matchTrip(tx: Tx, cut: TripRow, line: Line): Promise<boolean> {
  const now = line.clock.now()
  const batches = await batchesOf(tx, cut)
  const all = fixColumns(batches)
  invariant(all.length === cut.fixes, `trip ${cut.id} has ${all.length} fixes where its batches count ${cut.fixes}`)
  const pairs = odometerOf(batches)
  // Not the first moment: a receiver that starts cold may begin with a time of days ago.
  const moments = [...all.at, ...(all.length > 0 ? [] : pairs.map(([at]) => at))].sort((a, b) => a - b)
  const midway = instant(moments[moments.length >> 1] ?? cut.lastFix ?? now)
  const owner = await ownerOf(tx, cut.device, midway)
  const trip = { ...cut, ...owner }
  const ofTrip = all.length > 0 ? [pairs[0], pairs.at(-1)] : pairs
  const readings = new Map(ofTrip.flatMap((pair) => (pair ? [[pair.join(), deviceReading(pair)]] : [])))
  await saveReadings(tx, trip.vehicle, [...readings.values()], trip.device, now)

  const choices = methodLine(await choicesOf(tx, trip.vehicle))
  const fixes = readable(all, (at) => givesLocation(choices, at))
  if (fixes.length === 0) {
    await saveTrip(tx, { ...trip, fixes: 0, state: 'posted' })
    await markRead(tx, trip.id, now)
    return false
  }
  const digest = await networkInForce(tx, trip.agency, midway)
  if (!digest) {
    // Held, so that it keeps neither its device nor the month of its agency waiting; a network that is imported asks again.
    await saveTrip(tx, { ...trip, state: 'held' }, `no road network of ${trip.agency} was active then`)
    return false
  }
  const { matcher } = await line.reference.network(tx, trip.agency, digest)
  const match = withinOdometer(matcher.match(fixes), pairs)
  const known = fixes.at.filter((_, i) => FATES[match.fates[i]] === 'matched')
  const times = known.length > 0 ? known : fixes.at
  const startedAt = instant(times.reduce((a, b) => Math.min(a, b)))
  const endedAt = instant(times.reduce((a, b) => Math.max(a, b)))
  const tariff = await line.reference.tariff(tx, trip.agency)
  // All policies of an agency have one time zone.
  const clock = localClock(tariff.documents[0]?.timeZone ?? 'UTC')
  const distances = distancesOf(fixes, match, pairs)
  const verdict = controlTrip(distances, tariff.inForce(startedAt)?.billing.tolerancePermille)
  const isHeld = verdict.is === 'deviates'
  const done = {
    ...trip,
    state: isHeld ? 'review' : 'matched',
    startedAt,
    endedAt,
    month: clock.month(startedAt),
  } as const
  await saveTrip(tx, done, isHeld ? 'its distances do not agree' : null)
  await savePath(
    tx,
    done,
    { network: digest, engine: ENGINE_VERSION, at: now },
    countFates(match, all.length - fixes.length),
  )
  await saveTripMileage(
    tx,
    done,
    {
      ...distances,
      verdict,
      fates: fateRuns(all, fixes, match),
      signals: tripSignals(fixes, match.fates, pairs, verdict),
    },
    now,
  )
  return !isHeld
}

/** Keeps what totals within [from, to) of a stream read off the odometer, each for the vehicle that it was read in. */
async function takeTotals(
  tx: Tx,
  device: DeviceId,
  boot: number,
  [from, to]: readonly [number, number],
  now: Instant,
): Promise<void> {
  for (const { odometer = [] } of await totalsIn(tx, device, boot, from, to))
    for (const [at, m] of odometer) {
      const owner = await ownerOf(tx, device, instant(at))
      invariant(owner, `device ${device} belongs to nobody`)
      await saveReadings(tx, owner.vehicle, [deviceReading([at, m * 1000])], device, now)
    }
}

const deviceReading = ([at, mm]: OdometerPair): Reading => ({
  at: instant(at),
  mm: millimetres(mm),
  source: 'device',
})

/** What a trip's batches are matched to now, on a network, how many fixes they have, and those of them that were read. */
export async function rematch(
  tx: Tx,
  trip: TripRow,
  matcher: Matcher,
): Promise<{ sent: number; fixes: FixColumns; match: Match; stored: StoredMatch }> {
  const batches = await batchesOf(tx, trip)
  const all = fixColumns(batches)
  const choices = methodLine(await choicesOf(tx, trip.vehicle))
  const fixes = readable(all, (at) => givesLocation(choices, at))
  const match = withinOdometer(matcher.match(fixes), odometerOf(batches))
  return { sent: all.length, fixes, match, stored: countFates(match, all.length - fixes.length) }
}

const odometerOf = (batches: readonly Batch[]): OdometerPair[] =>
  batches.flatMap((batch) => (batch.odometer ?? []).map(([at, m]): OdometerPair => [at, m * 1000]))

/** The fate of fixes whose location wasn't given: they were sent, and not read. */
const NOT_GIVEN = 'not-given'

/** The fate of each fix of a trip by name, as runs. */
function fateRuns(all: FixColumns, read: FixColumns, { fates }: Match): [fate: string, count: number][] {
  const runs: [string, number][] = []
  let next = 0
  for (let i = 0; i < all.length; i++) {
    // The fixes that were read are those of `all` in their order, without the others.
    const isRead = next < read.length && read.at[next] === all.at[i] && read.lon[next] === all.lon[i]
    const fate = isRead ? FATES[fates[next++]] : NOT_GIVEN
    const last = runs.at(-1)
    if (last?.[0] === fate) last[1]++
    else runs.push([fate, 1])
  }
  return runs
}

/** A match with its fates counted by name, and with the fixes that were not read. */
function countFates({ traversals, fates, breaks, forced }: Match, notGiven: number): StoredMatch {
  const counts: Record<string, number> = notGiven > 0 ? { [NOT_GIVEN]: notGiven } : {}
  for (const fate of fates) counts[FATES[fate]] = (counts[FATES[fate]] ?? 0) + 1
  return { traversals, breaks, fates: counts, ...(forced > 0 && { forced }) }
}

export function fixColumns(batches: readonly Batch[]): FixColumns {
  const fixes = batches.flatMap((batch) => batch.fixes)
  return {
    length: fixes.length,
    at: Float64Array.from(fixes, (fix) => fix[0]),
    lat: Float64Array.from(fixes, (fix) => fix[1]),
    lon: Float64Array.from(fixes, (fix) => fix[2]),
    accuracyM: Float32Array.from(fixes, (fix) => fix[3] ?? 0),
  }
}
