import { type MileageAccount } from '#contracts'
import { instant, type AccountId, type AgencyId, type Instant, type VehicleId } from '#kernel'
import { HELD_VEHICLE, heldVehicle, type HeldVehicle } from './mileage'
import { type Tx } from './store'

/**
 * Vehicles of an agency whose account of a month is to be settled, at most `most`: those with a reading or a choice that have
 * none of the month yet, and those that were handed on and have new facts of their time.
 */
export async function unsettledVehicles(
  tx: Tx,
  agency: AgencyId,
  month: string,
  span: { readonly from: Instant; readonly to: Instant },
  most: number,
): Promise<HeldVehicle[]> {
  const rows = await tx.rows<HeldVehicle>(
    `${HELD_VEHICLE} where a.agency = $1 and coalesce(v.from_at, 0) < $4
       and case when coalesce(v.until_at, $4) > $3
         then (exists (select 1 from metering.odometer_reading r where r.vehicle = v.id) or exists (select 1 from metering.method_choice c where c.vehicle = v.id))
           and not exists (select 1 from money.mileage s where s.vehicle = v.id and s.month = $2)
         else exists (select 1 from metering.mileage_change c where c.vehicle = v.id) end
     order by v.id limit $5`,
    [agency, month, span.from, span.to, most],
  )
  return rows.map(heldVehicle)
}

/** The earliest moment from which a vehicle's facts have changed since it was settled; forgotten with this. */
export async function takeMileageChange(tx: Tx, vehicle: VehicleId): Promise<Instant | null> {
  const row = await tx.row<{ since: string }>(
    `delete from metering.mileage_change where vehicle = $1 returning since`,
    [vehicle],
  )
  return row && instant(Number(row.since))
}

/** A mileage account as it was settled, once or again. */
export interface SettledAccount {
  readonly vehicle: VehicleId
  readonly account: AccountId
  readonly revision: number
  readonly document: MileageAccount
}

const amounts = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)

export const saveSettled = (
  tx: Tx,
  agency: AgencyId,
  bookedIn: string,
  { vehicle, account, revision, document }: SettledAccount,
  now: Instant,
): Promise<number> =>
  tx.run(
    `insert into money.mileage (vehicle, month, revision, account, agency, booked_in, document, recorded_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [vehicle, document.month, revision, account, agency, bookedIn, JSON.stringify(document, amounts), now],
  )

interface SettledRow {
  readonly vehicle: VehicleId
  readonly account: AccountId
  readonly revision: number
  readonly document: unknown
}

/** The latest settlement of each month of a vehicle from a month on. The documents are as JSON has them. */
export const latestSettled = (tx: Tx, vehicle: VehicleId, month: string): Promise<SettledRow[]> =>
  tx.rows<SettledRow>(
    `select distinct on (month) vehicle, account, revision, document from money.mileage where vehicle = $1 and month >= $2 order by month, revision desc`,
    [vehicle, month],
  )

/** What the statements of a period hold of mileage accounts, for some accounts. */
export const bookedMileage = (
  tx: Tx,
  agency: AgencyId,
  month: string,
  accounts: readonly AccountId[],
): Promise<SettledRow[]> =>
  tx.rows<SettledRow>(
    `select vehicle, account, revision, document from money.mileage where agency = $1 and booked_in = $2 and account = any($3::text[])
     order by account, vehicle, month, revision`,
    [agency, month, accounts],
  )

/** Whether the cut-off of a month has been taken: facts of people about it come too late. */
export const isCutOff = async (tx: Tx, agency: AgencyId, month: string): Promise<boolean> =>
  (await tx.row(`select 1 from money.period where agency = $1 and month = $2 and state <> 'open'`, [agency, month])) !==
  null
