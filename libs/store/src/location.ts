import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { type ChargeReport } from '#contracts'
import { invariant, type Digest, type Instant, type TripId } from '#kernel'
import { type Match } from '#map-matching'
import { type Tx } from './store'
import { type TripRow } from './trips'
import { type Place } from './vault'

/** What is kept of a trip's places. Each is sealed with the key of its vehicle and month. */
export type Kept = 'path' | 'report' | 'fates'
/** The column of each that held it in plain, before locations were sealed. */
const PLAIN = { path: 'match', report: 'report', fates: 'runs' } as const satisfies Record<Kept, string>
const KINDS = Object.keys(PLAIN) as Kept[]

/** A match with its fates counted: what metering needs of it. */
export interface StoredMatch extends Pick<Match, 'traversals' | 'breaks'>, Partial<Pick<Match, 'forced'>> {
  readonly fates: Readonly<Record<string, number>>
}

type Whose = Pick<TripRow, 'id' | 'vehicle' | 'month'>

const nameOf = (kind: Kept, trip: string): string => `${kind} ${trip}`

function placeOf({ id, vehicle, month }: Whose): Place {
  invariant(month, `trip ${id} is of no month yet`)
  return { subject: vehicle, period: month }
}

/** Before it is sealed: what is sealed can't be made smaller. A fifth of its JSON. */
const packed = (value: unknown): Buffer => deflateRawSync(JSON.stringify(value), { level: 1 })

/** Keeps it, where nothing of its kind is kept of the trip yet; `more` are columns of its own. */
async function keep(tx: Tx, trip: Whose, kind: Kept, value: unknown, more: Readonly<Record<string, string>> = {}) {
  const unsealed = { place: placeOf(trip), name: nameOf(kind, trip.id), bytes: packed(value) }
  const own = Object.keys(more)
  const into = `insert into location.${kind} (${['key', 'sealed', 'trip', ...own].join(', ')})`
  const values = [trip.id, ...Object.values(more)]
  const places = values.map((_, i) => `$${i + 3}::text`).join(', ')
  // The key's row is held by the same statement: one of its own for each row was most of what sealing cost.
  const ahead = tx.vault.sealAhead(unsealed)
  const held = `select k.id, $2::bytea, ${places} from location.data_key k where k.id = $1::int8 for key share`
  const isKept =
    ahead && (await tx.run(`${into} ${held} on conflict (trip) do nothing`, [ahead.key, ahead.bytes, ...values])) > 0
  if (isKept) return
  const [{ key, bytes }] = await tx.vault.seal(tx, [unsealed])
  await tx.run(`${into} values ($1, $2, ${places}) on conflict (trip) do nothing`, [key, bytes, ...values])
}

/** What is kept of trips, as JSON text; a trip of which nothing is kept (any more) is not in it. */
export async function keptTexts(tx: Tx, kind: Kept, trips: readonly string[]): Promise<Map<string, string>> {
  const rows = await tx.rows<{ trip: string; key: string | null; bytes: Uint8Array | null; plain: string | null }>(
    `select trip, key, sealed as bytes, ${PLAIN[kind]}::text as plain from location.${kind} where trip = any($1::text[])`,
    [trips],
  )
  const texts = new Map(rows.flatMap(({ trip, plain }) => (plain === null ? [] : [[trip, plain] as const])))
  const closed = rows.flatMap(({ trip, key, bytes }) => (bytes === null ? [] : [{ trip, key, bytes }]))
  const opened = await tx.vault.open(
    tx,
    closed.map(({ trip, key, bytes }) => ({ key, bytes, name: nameOf(kind, trip) })),
  )
  closed.forEach(({ trip }, i) => texts.set(trip, inflateRawSync(opened[i]).toString()))
  return texts
}

async function kept<T>(tx: Tx, kind: Kept, trip: TripId): Promise<T | null> {
  const text = (await keptTexts(tx, kind, [trip])).get(trip)
  return text === undefined ? null : (JSON.parse(text) as T)
}

export async function savePath(
  tx: Tx,
  trip: Whose,
  by: { readonly network: Digest; readonly engine: string; readonly at: Instant },
  match: StoredMatch,
): Promise<void> {
  await keep(tx, trip, 'path', match)
  await tx.run(`update metering.trip set network = $2, engine = $3, matched_at = $4 where id = $1`, [
    trip.id,
    by.network,
    by.engine,
    by.at,
  ])
}

/** Of a trip that has no location to match: what it sent is needed no longer than of others. */
export const markRead = (tx: Tx, trip: TripId, at: Instant): Promise<number> =>
  tx.run(`update metering.trip set matched_at = $2 where id = $1`, [trip, at])

export const pathOf = (tx: Tx, trip: TripId): Promise<StoredMatch | null> => kept(tx, 'path', trip)

export async function saveReport(tx: Tx, trip: Whose, digest: Digest, report: ChargeReport): Promise<void> {
  await keep(tx, trip, 'report', report, { digest })
  await tx.run(`update metering.trip set report_digest = $2 where id = $1`, [trip.id, digest])
}

export const reportOf = (tx: Tx, trip: TripId): Promise<ChargeReport | null> => kept(tx, 'report', trip)

/** The fate of each fix of a trip, in order, as runs. */
export type Fates = readonly (readonly [fate: string, count: number])[]

export const saveFates = (tx: Tx, trip: Whose, fates: Fates): Promise<void> => keep(tx, trip, 'fates', fates)

export const fatesOf = (tx: Tx, trip: TripId): Promise<Fates | null> => kept(tx, 'fates', trip)

/** Takes everything that is kept of trips' places away, and says under which keys it was. */
export async function takeKept(tx: Tx, trips: readonly TripId[]): Promise<{ rows: number; keys: string[] }> {
  const gone: { key: string | null }[] = []
  for (const kind of KINDS)
    gone.push(
      ...(await tx.rows<{ key: string | null }>(
        `delete from location.${kind} where trip = any($1::text[]) returning key`,
        [trips],
      )),
    )
  return { rows: gone.length, keys: gone.flatMap(({ key }) => (key === null ? [] : [key])) }
}

/** How many rows are kept in plain: those of a database that is older than the sealing of locations. */
export const PLAIN_ROWS = [
  ...KINDS.map((kind) => `select count(*) from location.${kind} where key is null`),
  `select count(*) from location.batch where key is null and event <> 'totals'`,
  `select count(*) from location.quarantine where key is null`,
  `select count(*) from location.evidence where key is null`,
  `select count(*) from metering.odometer_photo where key is null`,
]
  .map((sql) => `(${sql})`)
  .join(' + ')

/** Seals up to `most` paths, reports and fates that are kept in plain; returns how many there were. */
export async function sealPlainKept(tx: Tx, most: number): Promise<number> {
  let done = 0
  for (const kind of KINDS) {
    const rows = await tx.rows<{ trip: TripId; vehicle: Whose['vehicle']; month: string; plain: string }>(
      `select p.trip, t.vehicle, t.month, p.${PLAIN[kind]}::text as plain from location.${kind} p join metering.trip t on t.id = p.trip
       where p.key is null order by p.trip limit ${most} for update of p`,
      [],
    )
    const closed = await tx.vault.seal(
      tx,
      rows.map(({ trip, vehicle, month, plain }) => ({
        place: placeOf({ id: trip, vehicle, month }),
        name: nameOf(kind, trip),
        bytes: deflateRawSync(plain, { level: 1 }),
      })),
    )
    await tx.run(
      `update location.${kind} p set key = n.key, sealed = n.sealed, ${PLAIN[kind]} = null
       from unnest($1::text[], $2::int8[], $3::bytea[]) as n(trip, key, sealed) where p.trip = n.trip`,
      [rows.map(({ trip }) => trip), closed.map(({ key }) => key), closed.map(({ bytes }) => bytes)],
    )
    done += rows.length
  }
  return done
}
