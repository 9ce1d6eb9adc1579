import { evidenceType, type Method, type MileageAccount } from '#contracts'
import {
  InputError,
  millimetres,
  type AccountId,
  type AgencyId,
  type Instant,
  type Millimetres,
  type TripId,
  type VehicleId,
} from '#kernel'
import {
  admitReading,
  admitReplacement,
  methodAt,
  switchMethod,
  type MethodChoice,
  type Reading,
  type Replacement,
} from '#mileage'
import { dayText, localClock } from '#policy'
import {
  agencyOf,
  choicesOf,
  handOver,
  isCutOff,
  lastTripAt,
  lockVehicle,
  markMileage,
  moveDevices,
  moveTrip,
  readingsOf,
  replacementsOf,
  saveChoices,
  savePhoto,
  saveReadings,
  saveReplacement,
  saveReview,
  tripById,
  vehicleById,
  want,
  type HeldVehicle,
  type Review,
  type Store,
  type Tx,
  type WorkKey,
} from '#store'
import { type Line } from './line'
import { accountNow } from './mileage-close'

/** Who asks: a citizen for the vehicles of the own account, or an agency for those of its citizens. */
export type Asker =
  { readonly account: AccountId; readonly by: string } | { readonly agency: AgencyId; readonly by: string }

export interface ReadingEntry {
  readonly at: Instant
  readonly mm: Millimetres
  readonly photo?: Uint8Array
}

type Desk = Pick<Line, 'clock' | 'reference'>

/**
 * Takes an odometer reading: by its owner with a photo, or by an agency's inspection. Throws InputError NO_VEHICLE,
 * VEHICLE_HANDED_ON, PHOTO_MISSING, EVIDENCE_TYPE, EVIDENCE_SIZE, PERIOD_CLOSED and the codes of admitReading.
 */
export const enterReading = (
  store: Store,
  desk: Desk,
  asker: Asker,
  vehicle: VehicleId,
  entry: ReadingEntry,
): Promise<Reading> =>
  store.transaction(async (tx) => {
    const now = desk.clock.now()
    await openVehicle(tx, desk, asker, vehicle, entry.at)
    const reading: Reading = { at: entry.at, mm: entry.mm, source: sourceOf(asker) }
    admitReading(reading, await readingsOf(tx, vehicle), await replacementsOf(tx, vehicle), now)
    const photo = await keepPhoto(tx, asker, vehicle, entry.photo, now)
    await saveReadings(tx, vehicle, [{ ...reading, photo }], asker.by, now)
    return reading
  })

/** Takes the replacement of an odometer; the codes of enterReading, and REPLACED_LATER. */
export const replaceOdometer = (
  store: Store,
  desk: Desk,
  asker: Asker,
  vehicle: VehicleId,
  entry: Pick<Replacement, 'at' | 'finalMm' | 'startMm'> & { readonly photo?: Uint8Array },
): Promise<Replacement> =>
  store.transaction(async (tx) => {
    const now = desk.clock.now()
    await openVehicle(tx, desk, asker, vehicle, entry.at)
    const { at, finalMm, startMm } = entry
    const replacement: Replacement = { at, finalMm, startMm, source: sourceOf(asker) }
    admitReplacement(replacement, await readingsOf(tx, vehicle), await replacementsOf(tx, vehicle), now)
    const photo = await keepPhoto(tx, asker, vehicle, entry.photo, now)
    await saveReplacement(tx, vehicle, { ...replacement, photo }, asker.by, now)
    return replacement
  })

/** How far back a reading may be from a switch away from location: what was driven since is not known. */
const READING_AGE_MS_MAX = 86_400_000

/**
 * Switches how a vehicle's miles are counted, from a moment on; a permit for so many local days. Whoever gives no location
 * any more has the odometer read within a day before. Throws InputError NO_VEHICLE, METHOD_READING, METHOD_NOT_SOLD and the
 * codes of switchMethod.
 */
export const chooseMethod = (
  store: Store,
  desk: Desk,
  asker: Asker,
  vehicle: VehicleId,
  choice: { readonly method: Method; readonly at?: Instant; readonly days?: number },
): Promise<MethodChoice[]> =>
  store.transaction(async (tx) => {
    const now = desk.clock.now()
    const from = choice.at ?? now
    const { agency } = await openVehicle(tx, desk, asker, vehicle, from)
    const tariff = await desk.reference.tariff(tx, agency)
    const clock = localClock(tariff.documents[0]?.timeZone ?? 'UTC')
    const until =
      choice.days === undefined ? Infinity : clock.spanOf(dayText(clock.dayNumber(from) + choice.days - 1)).to
    if (choice.method === 'permit' && !tariff.inForce(from)?.mileage?.permitPerDay)
      throw new InputError('METHOD_NOT_SOLD', `${agency} sells no time permits then`)
    const choices = await choicesOf(tx, vehicle)
    const added = switchMethod(choices, choice.method, { from, to: until as Instant }, now)
    const read = await readingsOf(tx, vehicle)
    if (methodAt(choices, from) === 'location' && !read.some(({ at }) => at >= now - READING_AGE_MS_MAX))
      throw new InputError('METHOD_READING', 'the odometer has to be read first: enter a reading of today, then switch')
    await saveChoices(tx, vehicle, added, asker.by, now)
    return added
  })

/**
 * Hands a vehicle to another account of the agency at a moment, with an odometer reading of then: the buyer's is a vehicle of
 * its own that begins with this reading and with nothing of what was before. Its devices go with it. Throws InputError
 * NO_VEHICLE, NO_ACCOUNT, TAKEN, HANDOVER_PAST and the codes of enterReading.
 */
export const handOverVehicle = (
  store: Store,
  desk: Desk,
  asker: Asker,
  vehicle: VehicleId,
  to: { readonly vehicle: VehicleId; readonly account: AccountId; readonly name: string },
  entry: ReadingEntry,
): Promise<void> =>
  store.transaction(async (tx) => {
    const now = desk.clock.now()
    const { at } = entry
    const { agency, untilAt } = await openVehicle(tx, desk, asker, vehicle, at)
    if (untilAt !== null) throw new InputError('VEHICLE_HANDED_ON', `${vehicle} was handed on already`)
    if ((await agencyOf(tx, to.account)) !== agency)
      throw new InputError('NO_ACCOUNT', `there is no account ${to.account} of ${agency}`)
    const driven = await lastTripAt(tx, vehicle)
    if (driven !== null && driven >= at)
      throw new InputError(
        'HANDOVER_PAST',
        `${vehicle} was driven on ${iso(driven)} already, which is billed to its account: hand it over from then on`,
      )
    const reading: Reading = { at, mm: entry.mm, source: sourceOf(asker) }
    // Both owners have to live with it: it contradicts nothing that is known, whoever read it.
    admitReading({ ...reading, source: 'photo' }, await readingsOf(tx, vehicle), await replacementsOf(tx, vehicle), now)
    const photo = await keepPhoto(tx, asker, vehicle, entry.photo, now)
    await saveReadings(tx, vehicle, [{ ...reading, photo }], asker.by, now)
    if (!(await handOver(tx, vehicle, to, at)))
      throw new InputError('TAKEN', `there is a vehicle ${to.vehicle} already: give it another id`)
    await moveDevices(tx, vehicle, to.vehicle, at)
    await saveReadings(tx, to.vehicle, [reading], asker.by, now)
  })

/**
 * Decides about a trip that is held because its distances don't agree: `release` charges it as it was metered, `void` counts
 * its miles and charges nothing. Needs no location. Throws InputError NO_TRIP where none is held under this id.
 */
export async function decideReview(
  store: Store,
  desk: Pick<Line, 'clock'>,
  asker: Extract<Asker, { agency: AgencyId }>,
  trip: TripId,
  review: Review,
): Promise<WorkKey[]> {
  return store.transaction(async (tx) => {
    const row = await tripById(tx, trip)
    if (row?.agency !== asker.agency || !(await moveTrip(tx, trip, 'review', 'matched')))
      throw new InputError('NO_TRIP', `no trip ${trip} is held for review`)
    await saveReview(tx, trip, review, asker.by, desk.clock.now())
    await markMileage(tx, row.vehicle, row.startedAt!)
    const work = [{ stage: 'meter', key: trip }]
    await want(tx, work)
    return work
  })
}

/** A vehicle's mileage account of a month, or of the month so far. Throws InputError NO_VEHICLE. */
export const mileageOf = (
  store: Store,
  desk: Desk,
  asker: Asker,
  vehicle: VehicleId,
  month: string,
): Promise<MileageAccount> =>
  store.transaction(async (tx) => {
    const row = owned(await vehicleById(tx, vehicle), asker, vehicle)
    return accountNow(tx, row, month, await desk.reference.tariff(tx, row.agency), desk.clock.now())
  })

/** The vehicle if it is the asker's, else NO_VEHICLE as if there were none: nobody learns whose it is. */
export function owned(row: HeldVehicle | null, asker: Asker, vehicle: VehicleId): HeldVehicle {
  if (row && ('account' in asker ? row.account === asker.account : row.agency === asker.agency)) return row
  throw new InputError('NO_VEHICLE', `there is no vehicle ${vehicle}`)
}

/** Locks a vehicle to which something is to happen at a moment of an open month. */
async function openVehicle(tx: Tx, desk: Desk, asker: Asker, vehicle: VehicleId, at: Instant): Promise<HeldVehicle> {
  const row = owned(await lockVehicle(tx, vehicle), asker, vehicle)
  if ((row.fromAt !== null && at < row.fromAt) || (row.untilAt !== null && at >= row.untilAt))
    throw new InputError('VEHICLE_HANDED_ON', `${vehicle} was not this account's on ${iso(at)}`)
  const { documents } = await desk.reference.tariff(tx, row.agency)
  const month = localClock(documents[0]?.timeZone ?? 'UTC').month(at)
  if (await isCutOff(tx, row.agency, month))
    throw new InputError(
      'PERIOD_CLOSED',
      `${month} is closed: enter what the odometer shows today, and the next statement will set the difference right`,
    )
  return row
}

const sourceOf = (asker: Asker) => ('account' in asker ? 'photo' : 'inspection')
const iso = (at: number) => new Date(at).toISOString().slice(0, 16).replace('T', ' ')

async function keepPhoto(
  tx: Tx,
  asker: Asker,
  vehicle: VehicleId,
  photo: Uint8Array | undefined,
  now: Instant,
): Promise<string | null> {
  if (!photo && 'account' in asker)
    throw new InputError('PHOTO_MISSING', 'a reading comes with a photo of the odometer')
  return photo ? savePhoto(tx, vehicle, { type: evidenceType(photo), bytes: photo }, now) : null
}

/** A distance as people enter it, "81234.5" kilometres or miles, in whole millimetres. InputError DISTANCE. */
export function distanceOf(text: string, unitMm: number): Millimetres {
  const found = /^(\d{1,7})(?:\.(\d{1,3}))?$/.exec(text)
  if (!found) throw new InputError('DISTANCE', `expected a distance such as 81234 or 81234.5, found "${text}"`)
  const thousandths = Number(found[1]) * 1000 + Number((found[2] ?? '').padEnd(3, '0'))
  return millimetres(Math.round((thousandths * unitMm) / 1000))
}
