import { type Window } from '#contracts'
import { instant, micros } from '#kernel'
import { windowKey, type Windows, type WindowState } from '#rating'
import { type Tx } from './store'

interface Row extends Window {
  gross: string
  credit: string
  distance_mm: string
  fuel_tax: string
  /** `{at,micros,at,micros}`: drivers read int8[] each in their own way. */
  flats: string
}
const COLUMNS = 'policy, cap, vehicle, span, gross, credit, distance_mm, fuel_tax, flats'
const SUMS = 'gross, credit, distance_mm, fuel_tax, flats::text as flats'
/** Each by its key: a table that grows while it is read would be gone through from end to end, as statistics of its start advise. */
const EACH = (found: string): string =>
  `select w.policy, w.cap, w.vehicle, w.span, f.* from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as w(policy, cap, vehicle, span)
     cross join lateral (select ${SUMS} from ${found} limit 1) f`
const KEY = 'policy = w.policy and cap = w.cap and vehicle = w.vehicle and span = w.span'

/**
 * How windows stand in the ledger; those that it doesn't know are not among them. Until the transaction ends nobody else reads or saves
 * windows of these vehicles: their rows are the lock, so that a window is written once and not first as an empty one.
 */
export async function windowsBefore(tx: Tx, windows: readonly Window[]): Promise<Windows> {
  if (windows.length === 0) return new Map()
  const [, rows] = await Promise.all([
    tx.run(`select 1 from metering.vehicle where id = any($1::text[]) order by id for no key update`, [
      [...new Set(windows.map(({ vehicle }) => vehicle))],
    ]),
    tx.rows<Row>(EACH(`money.cap_window where ${KEY}`), namesOf(windows)),
  ])
  return windowsIn(rows)
}

export async function saveWindows(tx: Tx, windows: Windows): Promise<void> {
  const all = [...windows.values()]
  if (all.length === 0) return
  await tx.run(
    `insert into money.cap_window (${COLUMNS})
     select policy, cap, vehicle, span, gross, credit, distance_mm, fuel_tax, flats::int8[]
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::text[]) as n(${COLUMNS})
     on conflict (policy, cap, vehicle, span) do update set gross = excluded.gross, credit = excluded.credit,
       distance_mm = excluded.distance_mm, fuel_tax = excluded.fuel_tax, flats = excluded.flats`,
    [...namesOf(all.map(({ window }) => window)), ...sumsOf(all.map(({ state }) => state))],
  )
}

/** How windows stood on the latest statements before that of `month`. Those that no statement holds are not among them. */
export async function windowsBilled(tx: Tx, month: string, windows: readonly Window[]): Promise<Windows> {
  if (windows.length === 0) return new Map()
  return windowsIn(
    await tx.rows<Row>(EACH(`money.billed_window where ${KEY} and month < $5 order by month desc`), [
      ...namesOf(windows),
      month,
    ]),
  )
}

/** How windows stand on the statements of `month`: written once. */
export async function saveBilled(tx: Tx, month: string, windows: Windows): Promise<void> {
  const all = [...windows.values()]
  if (all.length === 0) return
  await tx.run(
    `insert into money.billed_window (${COLUMNS}, month)
     select policy, cap, vehicle, span, gross, credit, distance_mm, fuel_tax, flats::int8[], $10
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::int8[], $7::int8[], $8::int8[], $9::text[]) as n(${COLUMNS})
     on conflict (policy, cap, vehicle, span, month) do nothing`,
    [...namesOf(all.map(({ window }) => window)), ...sumsOf(all.map(({ state }) => state)), month],
  )
}

const namesOf = (windows: readonly Window[]): string[][] =>
  (['policy', 'cap', 'vehicle', 'span'] as const).map((name) => windows.map((window) => window[name]))

const sumsOf = (states: readonly WindowState[]) => [
  states.map(({ gross }) => gross),
  states.map(({ credit }) => credit),
  states.map(({ distanceMm }) => distanceMm),
  states.map(({ fuelTax }) => fuelTax),
  states.map(({ flats }) => `{${flats.flat().join()}}`),
]

function windowsIn(rows: readonly Row[]): Windows {
  return new Map(
    rows.map(({ policy, cap, vehicle, span, ...sums }) => {
      const window = { policy, cap, vehicle, span }
      const numbers = sums.flats === '{}' ? [] : sums.flats.slice(1, -1).split(',')
      const flats: WindowState['flats'] = Array.from({ length: numbers.length / 2 }, (_, i) => [
        instant(Number(numbers[2 * i])),
        micros(BigInt(numbers[2 * i + 1])),
      ])
      const state: WindowState = {
        gross: micros(BigInt(sums.gross)),
        credit: micros(BigInt(sums.credit)),
        distanceMm: Number(sums.distance_mm),
        fuelTax: micros(BigInt(sums.fuel_tax)),
        flats,
      }
      return [windowKey(window), { window, state }]
    }),
  )
}
