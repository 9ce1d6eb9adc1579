import { mileageAccountSchema, type MileageAccount, type RatedVehicle } from '#contracts'
import { instant, type Instant, type Interval, type VehicleId } from '#kernel'
import { capTransfer, mileageTransfer, type Occasion } from '#ledger'
import { accountSignals, OdometerBook, type MonthRatio } from '#mileage'
import { localClock } from '#policy'
import { accrue, accruedMileage, netOf, windowsOf } from '#rating'
import { billingTerms } from '#statement'
import {
  latestSettled,
  lockVehicle,
  mileageFacts,
  ratedVehicles,
  record,
  saveSettled,
  saveSignals,
  saveWindows,
  takeMileageChange,
  unsettledVehicles,
  windowsBefore,
  type Entry,
  type HeldVehicle,
  type Period,
  type TripRatio,
  type Tx,
} from '#store'
import { accountOf, isSameAccount, mileageEarnings, ownSpan } from './mileage-account'
import { type Tariff } from './reference'

/** Vehicles settled in one transaction: bounds memory and what a crash repeats. */
const VEHICLES_MAX = 100
/** A ratio is held against this many months before. */
const RATIO_MONTHS = 3

/**
 * Settles the mileage accounts of some vehicles for a period: that of its month, and those of earlier months about which
 * something became known since. What they come to, or come to now, is booked in this period. Tells whether there were any.
 */
export async function settlePage(tx: Tx, period: Period, tariff: Tariff, now: Instant): Promise<boolean> {
  const { agency, month } = period
  const { currency, timeZone } = billingTerms(tariff.documents, month)
  const clock = localClock(timeZone)
  const span = clock.spanOf(month)
  const entries: Entry[] = []
  const vehicles = await unsettledVehicles(tx, agency, month, span, VEHICLES_MAX)
  for (const { vehicle: id } of vehicles) {
    const vehicle = (await lockVehicle(tx, id))!
    const since = await takeMileageChange(tx, id)
    const facts = await mileageFacts(tx, id)
    const book = new OdometerBook(facts)
    // A fact changes what lies between the readings around it.
    const changedFrom = since && (book.readings.findLast(({ at }) => at < since)?.at ?? since)
    const earlier = changedFrom === null ? [] : await settledFrom(tx, id, clock.month(changedFrom))
    const isOwn = (vehicle.untilAt ?? span.to) > span.from
    const due = [...earlier, ...(isOwn ? [{ month, revision: -1, document: null }] : [])]
    const rated = await ratedVehicles(
      tx,
      due.map((settled) => ({ vehicle: id, at: ownSpan(vehicle, clock.spanOf(settled.month)).from })),
    )
    for (const [i, settled] of due.entries()) {
      const ofMonth = clock.spanOf(settled.month)
      const document = accountOf(
        vehicle,
        rated[i],
        settled.month,
        ofMonth,
        book,
        facts.methods,
        tariff.documents,
        settled.document,
      )
      const before = clock.spanOf(monthBefore(settled.month, RATIO_MONTHS)).from
      await saveSignals(
        tx,
        id,
        settled.month,
        'account',
        accountSignals(
          book,
          ofMonth,
          facts.replacements.filter(({ at }) => ofMonth.from <= at && at < ofMonth.to).length,
          ratioOf(facts.ratios, ofMonth),
          ratioOf(facts.ratios, { from: before, to: ofMonth.from }),
        ),
        now,
      )
      if (settled.document && isSameAccount(settled.document, document)) continue
      const revision = settled.revision + 1
      await saveSettled(tx, agency, month, { vehicle: id, account: vehicle.account, revision, document }, now)
      const earnings = mileageEarnings(document.lines, tariff.documents)
      const occasion: Occasion = { agency, currency, payer: vehicle.account, happenedAt: instant(document.to) }
      if (earnings.length > 0)
        entries.push({
          transfer: mileageTransfer(occasion, { vehicle: id, span: settled.month, revision }, earnings),
          month: settled.month,
        })
      for (const { window, ...earning } of await accrueMileage(tx, document, rated[i], tariff))
        entries.push({
          transfer: capTransfer(occasion, { ...window, mileage: settled.month, revision }, earning),
          month: settled.month,
        })
    }
  }
  await record(tx, entries, now)
  return vehicles.length > 0
}

/** Adds a settled account to its windows; what that changes, once for each window. */
async function accrueMileage(tx: Tx, document: MileageAccount, vehicle: RatedVehicle, { documents }: Tariff) {
  const accrued = accruedMileage(document, vehicle)
  const windows = await windowsBefore(tx, windowsOf(accrued, documents))
  const changes = netOf(accrued.flatMap((lines) => accrue(lines, documents, windows)))
  await saveWindows(tx, windows)
  return changes
}

/** A vehicle's account of a month or the part of it so far, as it would be settled now. */
export async function accountNow(
  tx: Tx,
  vehicle: HeldVehicle,
  month: string,
  tariff: Tariff,
  now: Instant,
): Promise<MileageAccount> {
  const { timeZone } = billingTerms(tariff.documents, month)
  const span = localClock(timeZone).spanOf(month)
  const facts = await mileageFacts(tx, vehicle.vehicle)
  const [settled] = (await settledFrom(tx, vehicle.vehicle, month)).filter((account) => account.month === month)
  const soFar = { from: span.from, to: instant(Math.max(span.from, Math.min(span.to, now))) }
  const own = settled ? span : soFar
  const [rated] = await ratedVehicles(tx, [{ vehicle: vehicle.vehicle, at: ownSpan(vehicle, own).from }])
  return accountOf(
    vehicle,
    rated,
    month,
    own,
    new OdometerBook(facts),
    facts.methods,
    tariff.documents,
    settled?.document ?? null,
  )
}

async function settledFrom(tx: Tx, vehicle: VehicleId, month: string) {
  const rows = await latestSettled(tx, vehicle, month)
  return rows.map(({ revision, document }) => {
    const parsed = mileageAccountSchema.parse(document)
    return { month: parsed.month, revision, document: parsed as MileageAccount | null }
  })
}

function ratioOf(trips: readonly TripRatio[], span: Interval<Instant>): MonthRatio {
  const own = trips.filter(({ startedAt }) => span.from <= startedAt && startedAt < span.to)
  return {
    meteredMm: own.reduce((sum, trip) => sum + trip.meteredMm, 0),
    odometerMm: own.reduce((sum, trip) => sum + trip.odometerMm, 0),
  }
}

function monthBefore(month: string, months: number): string {
  const count = Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1 - months
  return `${String(Math.floor(count / 12)).padStart(4, '0')}-${String((count % 12) + 1).padStart(2, '0')}`
}
