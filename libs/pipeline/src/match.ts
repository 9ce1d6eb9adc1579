import { type Batch } from '#contracts'
import { deriveId, instant, invariant, type DeviceId, type TripId } from '#kernel'
import { ENGINE_VERSION, FATES, type FixColumns, type Match } from '#map-matching'
import { contiguousEnd, gapOf, lateRanges, remainingGaps, segmentTrips, type TripSpan } from '#mileage'
import { localClock } from '#policy'
import {
  batchesOf,
  batchHeads,
  heardFrom,
  heldTripsOf,
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

/** Whether there is anything to meter: not where the trip has no fixes, nor where it must wait for a network. */
async function matchTrip(tx: Tx, trip: TripRow, line: Line): Promise<boolean> {
  const fixes = fixColumns(await batchesOf(tx, trip))
  invariant(
    fixes.length === trip.fixes,
    `trip ${trip.id} has ${fixes.length} fixes where its batches count ${trip.fixes}`,
  )
  if (fixes.length === 0) {
    await saveTrip(tx, { ...trip, state: 'posted' })
    return false
  }
  // Not the first fix: a receiver that starts cold may begin with a time of days ago.
  const midway = instant([...fixes.at].sort((a, b) => a - b)[fixes.length >> 1])
  const digest = await networkInForce(tx, trip.agency, midway)
  if (!digest) {
    // Held, so that it keeps neither its device nor the month of its agency waiting; a network that is imported asks again.
    await saveTrip(tx, { ...trip, state: 'held' }, `no road network of ${trip.agency} was active then`)
    return false
  }
  const { matcher } = await line.reference.network(tx, trip.agency, digest)
  const match = matcher.match(fixes)
  const known = fixes.at.filter((_, i) => FATES[match.fates[i]] === 'matched')
  const times = known.length > 0 ? known : fixes.at
  const startedAt = instant(times.reduce((a, b) => Math.min(a, b)))
  const endedAt = instant(times.reduce((a, b) => Math.max(a, b)))
  // All policies of an agency have one time zone.
  const clock = localClock((await line.reference.tariff(tx, trip.agency)).documents[0]?.timeZone ?? 'UTC')
  await saveTrip(tx, { ...trip, state: 'matched', startedAt, endedAt, month: clock.month(startedAt) })
  await savePath(tx, trip.id, digest, ENGINE_VERSION, countFates(match))
  return true
}

/** A match with its fates counted by name. */
export function countFates({ traversals, fates, breaks }: Match): StoredMatch {
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
