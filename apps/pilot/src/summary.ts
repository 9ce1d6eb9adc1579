import { statementSchema } from '#contracts'
import { formatMicros, MILE_MM, micros, type TripId } from '#kernel'
import { type Finding } from '#pipeline'
import { type Principal, statementsFor, type Store } from '#store'
import { AGENCY, demoToken, MONTH, VEHICLES } from './city'
import { type PlannedDay } from './month'
import { TARIFF } from './tariff'

const STATEMENTS_SHOWN = 5
const AGENCY_CLERK: Principal = { role: 'agency', agency: AGENCY, account: null }

/** What the month came to, against what was really driven. */
export async function monthSummary(store: Store, days: readonly PlannedDay[]): Promise<string[]> {
  const rows = await store.read<{ trip: TripId; mm: string; free: string; inferred: string; amount: string }>(
    `select t.id as trip, coalesce(sum(c.distance_mm), 0) as mm, coalesce(sum(c.distance_mm) filter (where c.rate is null), 0) as free,
       coalesce(sum(c.inferred_mm), 0) as inferred, coalesce(sum(c.amount), 0)::text as amount
     from metering.trip t left join money.charge c on c.trip = t.id where t.agency = $1 and t.month = $2 group by t.id`,
    [AGENCY, MONTH],
  )
  const metered = new Map(rows.map((row) => [row.trip, Number(row.mm)]))
  const all = days.flatMap((day) => day.trips)
  const planned = days.filter(({ name }) => name.startsWith(MONTH)).flatMap((day) => day.trips)
  let truth = 0
  let over = 0
  let under = 0
  let relative = 0
  for (const { id, driven } of planned) {
    const off = (metered.get(id) ?? 0) - driven.lengthMm
    truth += driven.lengthMm
    if (off > 0) over += off
    else under -= off
    relative += Math.abs(off) / driven.lengthMm
  }
  const [stream] = await store.read<Record<'received' | 'accepted' | 'duplicate' | 'rejected', string>>(
    'select sum(received) as received, sum(accepted) as accepted, sum(duplicate) as duplicate, sum(rejected) as rejected from metering.stream',
  )
  const [credits] = await store.read<{ credit: string }>(
    `select coalesce(sum(credit), 0)::text as credit from money.cap_window where span like $1 || '%'`,
    [MONTH],
  )
  const sum = (of: (row: (typeof rows)[number]) => string) => rows.reduce((total, row) => total + Number(of(row)), 0)
  const gross = rows.reduce((total, row) => total + BigInt(row.amount), 0n)
  const miles = (mm: number) => (mm / MILE_MM).toLocaleString('en', { maximumFractionDigits: 1 })
  const percent = (part: number) => `${((100 * part) / truth).toFixed(3)} %`
  return [
    `vehicles       ${VEHICLES}, ${rows.length} trips in ${MONTH}`,
    `batches        ${stream.received} received = ${stream.accepted} accepted + ${stream.duplicate} duplicate + ${stream.rejected} rejected; ${all.reduce((n, trip) => n + trip.batches.length, 0)} driven`,
    `miles          ${miles(sum((row) => row.mm))} metered, of which ${miles(sum((row) => row.free))} free and ${miles(sum((row) => row.inferred))} inferred`,
    `amount         ${TARIFF.currency} ${formatMicros(micros(gross + BigInt(credits.credit)))} = charges ${formatMicros(micros(gross))} + caps ${formatMicros(micros(BigInt(credits.credit)))}`,
    `accuracy       ${miles(truth)} miles really driven; metered too much ${percent(over)}, too little ${percent(under)}; mean error of a trip ${((100 * relative) / planned.length).toFixed(2)} %`,
  ]
}

/** The first statements, each with the link that signs its citizen in. */
export async function firstStatements(store: Store, url: string): Promise<string[]> {
  const rows = await statementsFor(store, AGENCY_CLERK)
  return rows
    .filter(({ month }) => month === MONTH)
    .slice(0, STATEMENTS_SHOWN)
    .map((row) => {
      const { account, totals, currency, dueOn } = statementSchema.parse(JSON.parse(row.document))
      const amount = `${currency} ${formatMicros(row.due)}`
      return `${account.name.padEnd(20)} ${String(totals.trips).padStart(3)} trips ${((totals.chargedMm + totals.freeMm) / MILE_MM).toFixed(1).padStart(7)} miles ${amount.padStart(12)} due ${dueOn}  ${url}/enter?token=${demoToken(account.id)}`
    })
}

export const findingLines = (findings: readonly Finding[]): string[] =>
  findings.flatMap(({ id, holds, checked, faults }) => [
    `${faults.length ? 'BROKEN' : 'holds '} ${id}  ${holds} (${checked.toLocaleString('en')} checked)`,
    ...faults.map((fault) => `         ${fault}`),
  ])
