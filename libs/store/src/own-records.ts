import { type AccountId } from '#kernel'
import { type Tx } from './store'

/** What a column may name, and which of that are an account's, $1. */
const OWN = {
  account: '(select $1::text)',
  vehicle: '(select id from metering.vehicle where account = $1)',
  device: '(select d.id from metering.device d join metering.vehicle v on v.id = d.vehicle where v.account = $1)',
  trip: '(select id from metering.trip where account = $1)',
  statement: '(select id from money.statement where account = $1)',
  dispute: '(select id from money.dispute where account = $1)',
  request: '(select id from metering.break_glass where account = $1)',
} as const

/**
 * What else is held about an account, row by row: all that its citizen may see in the database and that has no telling of its own among what
 * they take away. Each table with the column that says whose a row is.
 */
const RECORDS: Readonly<Record<string, readonly [column: string, of: keyof typeof OWN]>> = {
  'metering.break_glass': ['account', 'account'],
  'metering.break_glass_approval': ['request', 'request'],
  'metering.device': ['vehicle', 'vehicle'],
  'metering.device_alarm': ['device', 'device'],
  'metering.device_key': ['device', 'device'],
  'metering.device_presence': ['device', 'device'],
  'metering.mileage_change': ['vehicle', 'vehicle'],
  'metering.odometer_replacement': ['vehicle', 'vehicle'],
  'metering.review': ['trip', 'trip'],
  'metering.seat': ['vehicle', 'vehicle'],
  'metering.shadow_trip': ['trip', 'trip'],
  'metering.signal': ['vehicle', 'vehicle'],
  'metering.stream': ['device', 'device'],
  'metering.trip_mileage': ['vehicle', 'vehicle'],
  'metering.vehicle_profile': ['vehicle', 'vehicle'],
  'money.billed_window': ['vehicle', 'vehicle'],
  'money.budget': ['account', 'account'],
  'money.cap_window': ['vehicle', 'vehicle'],
  'money.correction': ['account', 'account'],
  'money.hold_release': ['statement', 'statement'],
  'money.mileage': ['account', 'account'],
  'money.period_correction': ['dispute', 'dispute'],
  'money.period_trip': ['account', 'account'],
  'money.statement_hold': ['statement', 'statement'],
  'money.transfer': ['payer', 'account'],
  'money.wallet_plan': ['account', 'account'],
}
/** What a device signs in or enrols with, as it is checked: a stolen copy of what somebody took away must not help to guess it. */
const OPENS = ['token_digest', 'broker_password', 'voucher_digest', 'voucher_key']
export const OWN_RECORDS: readonly string[] = Object.keys(RECORDS)

/** The rows of one of `OWN_RECORDS` as they are kept, but for what opens a door. */
export const ownRecords = async (tx: Tx, account: AccountId, table: string): Promise<unknown[]> => {
  const [column, of] = RECORDS[table]
  return (
    await tx.rows<{ row: unknown }>(
      `select to_jsonb(t) - $2::text[] as row from ${table} t where t.${column} in ${OWN[of]}`,
      [account, OPENS],
    )
  ).map(({ row }) => row)
}
