import { Client } from 'pg'
import { chance, type AgencyId } from '#kernel'
import { type Store } from '#store'

/** Five rules, one of them under a daily limit. */
export const BOOKS_TARIFF = {
  v: 1,
  id: 'bench-2026',
  name: 'Bench tariff',
  currency: 'USD',
  timeZone: 'America/New_York',
  startsAt: '2026-01-01T00:00:00-05:00',
  jurisdiction: 'bench-city',
  zones: {
    centre: {
      name: 'Centre',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [-76.62, 39.28],
            [-76.6, 39.28],
            [-76.6, 39.3],
            [-76.62, 39.3],
            [-76.62, 39.28],
          ],
        ],
      },
    },
  },
  rules: [
    { id: 'centre', name: 'City centre', match: { zones: ['centre'] }, price: { perMile: '0.24' } },
    { id: 'motorway', name: 'Motorways', match: { roadClasses: ['motorway'] }, price: { perMile: '0.012' } },
    { id: 'primary', name: 'Main roads', match: { roadClasses: ['primary'] }, price: { perMile: '0.016' } },
    { id: 'private', name: 'Private land', match: { access: ['private'] }, price: { free: 'private land' } },
    { id: 'other', name: 'All other roads', match: {}, price: { perMile: '0.018' } },
  ],
  caps: [{ id: 'daily', name: 'Daily limit', per: 'day', amount: '0.50', rules: ['centre'] }],
}
const CLASS = ['secondary', 'motorway', 'primary', 'service', 'residential']
const RATE = [240_000, 12_000, 16_000, null, 18_000]

const ACCOUNTS_AT_ONCE = 5_000

interface Month {
  readonly agency: AgencyId
  readonly accounts: number
  readonly trips: number
  readonly lines: number
  /** As the close leaves it: the month has taken the trips, and nothing is wanted any more. */
  readonly isClosed?: boolean
}

/**
 * October 2026 as rating leaves it: accounts with a vehicle each, rated trips with their charge lines, and the wish that they be
 * posted. Whole miles, so that prices are exact without the program that is measured.
 */
export async function drivenMonth(
  store: Store,
  { agency, accounts, trips, lines, isClosed = false }: Month,
): Promise<void> {
  const dice = chance('books')
  const first = Date.parse('2026-10-01T14:00:00Z')
  for (let from = 0; from < accounts; from += ACCOUNTS_AT_ONCE) {
    const to = Math.min(accounts, from + ACCOUNTS_AT_ONCE)
    await store.transaction(async (tx) => {
      const some = [from, to - 1, agency]
      await tx.run(
        `insert into metering.account (id, agency, name) select 'account-' || i, $3, 'Household ' || i from generate_series($1::int, $2::int) i`,
        some,
      )
      await tx.run(
        `insert into metering.vehicle (id, account, name, vehicle_class) select 'vehicle-' || i, 'account-' || i, 'the car', 'car' from generate_series($1::int, $2::int) i`,
        some.slice(0, 2),
      )
      await tx.run(
        `insert into metering.device (id, vehicle, token_digest) select 'device-' || i, 'vehicle-' || i, '' from generate_series($1::int, $2::int) i`,
        some.slice(0, 2),
      )
      await tx.run(
        `insert into metering.trip (id, device, boot, name, first_seq, last_seq, vehicle, account, agency, state, last_fix, started_at, ended_at, month, fixes, network, engine, report_digest)
         select md5('trip ' || i || ' ' || t), 'device-' || i, 0, t::text, t, t, 'vehicle-' || i, 'account-' || i, $3, 'rated',
           start + 1800000, start, start + 1800000, '2026-10', 1800, $6, 'bench', $6
         from generate_series($1::int, $2::int) i, generate_series(0, $4 - 1) t, lateral (select $5::int8 + (t * 7 + i % 7) * 86400000::int8 as start) s`,
        [...some, trips, first, 'f'.repeat(64)],
      )
      await tx.run(
        `insert into money.charge (trip, line, policy, rule, road_class, zones, day, distance_mm, inferred_mm, fixes, rate, rate_per, free_reason, amount)
         select md5('trip ' || i || ' ' || t), l, 'bench-2026', (array['centre', 'motorway', 'primary', 'private', 'other'])[l % 5 + 1],
           ($5::text[])[l % 5 + 1], case when l % 5 = 0 then '{centre}'::text[] else '{}' end,
           to_char(timestamp '2026-10-01' + (t * 7 + i % 7) * interval '1 day', 'YYYY-MM-DD'), miles * 1609344, 0, 360,
           ($6::int8[])[l % 5 + 1], case when l % 5 = 3 then null else 'mile' end, case when l % 5 = 3 then 'private land' end, coalesce(miles * ($6::int8[])[l % 5 + 1], 0)
         from generate_series($1::int, $2::int) i, generate_series(0, $3 - 1) t, generate_series(0, $4 - 1) l,
           lateral (select 1 + (i * 31 + t * 17 + l * 7 + $7) % 9 as miles) m`,
        [from, to - 1, trips, lines, CLASS, RATE, dice.below(9)],
      )
      if (isClosed)
        await tx.run(
          `insert into money.period_trip (trip, agency, month, account) select md5('trip ' || i || ' ' || t), $3, '2026-10', 'account-' || i
           from generate_series($1::int, $2::int) i, generate_series(0, $4 - 1) t`,
          [...some, trips],
        )
      else
        await tx.run(
          `insert into metering.work (stage, key) select 'post', md5('trip ' || i || ' ' || t) from generate_series($1::int, $2::int) i, generate_series(0, $3 - 1) t`,
          [from, to - 1, trips],
        )
    })
  }
  for (const table of [...FILLED, 'metering.account', 'metering.vehicle']) await store.read(`analyze ${table}`)
}
const FILLED = ['metering.trip', 'metering.work', 'money.charge', 'money.period_trip']

/**
 * Fills the tables of a month of millions without their keys and indexes, which are then made at once from what the catalogue says of them, and
 * every foreign key checked: in a fifth of the time.
 */
export async function inBulk(url: string, fill: () => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const catalogue = async (sql: string) => (await client.query<{ off: string; on: string }>(sql, [FILLED])).rows
  try {
    // Foreign keys lean on keys, so they go first and come back last.
    const keys = await catalogue(
      `select format('alter table %s drop constraint %I', conrelid::regclass, conname) as off,
         format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(oid)) as on
       from pg_constraint where contype in ('f', 'p', 'u') and (conrelid = any($1::regclass[]) or confrelid = any($1::regclass[]))
       order by contype = 'f' desc, 1`,
    )
    const indexes = await catalogue(
      `select format('drop index %s', indexrelid::regclass) as off, pg_get_indexdef(indexrelid) as on from pg_index i
       where indrelid = any($1::regclass[]) and not exists (select 1 from pg_constraint where conindid = indexrelid) order by 1`,
    )
    for (const { off } of [...keys, ...indexes]) await client.query(off)
    await fill()
    await client.query(`set maintenance_work_mem = '256MB'`)
    for (const { on } of [...indexes, ...keys.reverse()]) await client.query(on)
    // As autovacuum leaves what was filled.
    await client.query(`vacuum ${FILLED.join(', ')}`)
  } finally {
    await client.end()
  }
}
