import { type Batch } from '#contracts'
import { deriveId, InputError, instant, invariant, type DeviceId, type TripId } from '#kernel'
import { ENGINE_VERSION, FATES, type FixColumns, type Matcher } from '#map-matching'
import { contiguousEnd, gapOf, lateRanges, remainingGaps, segmentTrips, type TripSpan } from '#mileage'
import { localClock } from '#policy'
import {
  batchesOf,
  batchHeads,
  heardFrom,
  lockDevice,
  networkInForce,
  openTripOf,
  ownerOf,
  savePath,
  saveStream,
  saveTrip,
  streamsOf,
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
  const owner = await ownerOf(tx, device)
  invariant(owner, `device ${device} belongs to nobody`)
  const ended: TripRow[] = []
  for (const stream of await streamsOf(tx, device)) ended.push(...(await cutStream(tx, device, owner, stream, line)))
  for (const trip of ended) await matchTrip(tx, trip, line)
  return ended.filter((trip) => trip.fixes > 0).map((trip) => ({ stage: 'meter', key: trip.id }))
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
    // Rest is silence: a device that sends a whole day at once has old fixes and more to come, and what is behind a gap
    // may be of the same trip. Else the order of arrival would decide where a trip ends (I9).
    const heard = await heardFrom(tx, device, stream.boot, open?.firstSeq ?? processed)
    const silent = !gap && heard !== null && heard.last < now - tripRestMs
    const heads = await batchHeads(tx, device, stream.boot, processed, end)
    const cut = segmentTrips(open, heads, now, silent ? tripRestMs : Infinity)
    ended.push(...cut.ended)
    open = cut.open
    processed = end
    if (!gap) break
    const behind = await heardFrom(tx, device, stream.boot, gap[1])
    if (!behind || behind.first > now - gapWaitMs) break
    gaps = [...gaps, gap]
    processed = gap[1]
  }
  // What comes in after it was given up makes trips of its own: the trip around it is closed already.
  for (const [from, to] of late) {
    const cut = segmentTrips(null, await batchHeads(tx, device, stream.boot, from, to), now, -1)
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

async function matchTrip(tx: Tx, trip: TripRow, line: Line): Promise<void> {
  const fixes = fixColumns(await batchesOf(tx, trip))
  invariant(
    fixes.length === trip.fixes,
    `trip ${trip.id} has ${fixes.length} fixes where its batches count ${trip.fixes}`,
  )
  if (fixes.length === 0) {
    await saveTrip(tx, { ...trip, state: 'posted' })
    return
  }
  const startedAt = instant(fixes.at.reduce((a, b) => Math.min(a, b)))
  const endedAt = instant(fixes.at.reduce((a, b) => Math.max(a, b)))
  const digest = await networkInForce(tx, trip.agency, startedAt)
  if (!digest) throw new InputError('NO_NETWORK', `${trip.agency} has no road network for trip ${trip.id}: import one`)
  const { matcher } = await line.reference.network(tx, trip.agency, digest)
  const tariff = await line.reference.tariff(tx, trip.agency)
  const clock = localClock(tariff.inForce(startedAt)?.timeZone ?? 'UTC')
  await saveTrip(tx, { ...trip, state: 'matched', startedAt, endedAt, month: clock.month(startedAt) })
  await savePath(tx, trip.id, digest, ENGINE_VERSION, matchFixes(matcher, fixes))
}

/** A match with its fates counted by name. */
export function matchFixes(matcher: Matcher, fixes: FixColumns): StoredMatch {
  const { traversals, fates, breaks } = matcher.match(fixes)
  const counts: Record<string, number> = {}
  for (const fate of fates) counts[FATES[fate]] = (counts[FATES[fate]] ?? 0) + 1
  return { traversals, breaks, fates: counts }
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
