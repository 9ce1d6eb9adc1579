import { instant, micros, type AccountId, type AgencyId, type Digest, type StatementId } from '#kernel'
import {
  grantApplication,
  openPeriod,
  saveAccount,
  saveAgency,
  saveDrafts,
  sealStatements,
  type Period,
  type Store,
  type Tx,
} from '#store'

interface Column {
  column_name: string
  data_type: string
  is_nullable: 'YES' | 'NO'
}

const APPEND_ONLY = [
  'money.transfer',
  'money.posting',
  'money.charge',
  'money.merkle_tile',
  'money.statement_hold',
  'money.hold_release',
  'tariff.policy',
  'tariff.zone',
]
const AGENCY = 'schema-city' as AgencyId
const ACCOUNT = 'schema-account' as AccountId
const STATEMENT = 'schema-statement' as StatementId

/** What the database itself must hold to, whoever writes to it. */
export function schemaSuite(opened: () => Store): void {
  let store: Store
  beforeAll(async () => {
    store = opened()
    await store.transaction(async (tx) => {
      await saveAgency(tx, { id: AGENCY, name: 'Schema City' })
      await saveAccount(tx, { id: ACCOUNT, agency: AGENCY, name: 'Somebody' })
      await openPeriod(tx, AGENCY, '2026-10')
    })
  })
  const write = (sql: string, parameters: (string | number)[] = []) =>
    store.transaction((tx) => tx.run(sql, parameters))

  describe('rows', () => {
    it('have the columns of their tables, all of them, with their types and nullability', async () => {
      const metadata = store.dataSource.entityMetadatas
      expect(metadata.length).toBeGreaterThan(0)
      for (const row of metadata) {
        const declared = row.columns.map((column) => ({
          column_name: column.databaseName,
          data_type: store.dataSource.driver.normalizeType(column),
          is_nullable: column.isNullable ? 'YES' : 'NO',
        }))
        const found = await store.read<Column>(
          'select column_name, data_type, is_nullable from information_schema.columns where table_schema = $1 and table_name = $2',
          [row.schema!, row.tableName],
        )
        const byName = (a: { column_name: string }, b: { column_name: string }) =>
          a.column_name < b.column_name ? -1 : 1
        expect([row.tablePath, declared.sort(byName)]).toEqual([row.tablePath, found.sort(byName)])
      }
    })

    it('have the primary keys of their tables', async () => {
      for (const row of store.dataSource.entityMetadatas) {
        const found = await store.read<{ name: string }>(
          `select a.attname as name from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
           where i.indisprimary and i.indrelid = $1::regclass`,
          [row.tablePath],
        )
        expect([row.tablePath, row.primaryColumns.map((column) => column.databaseName).sort()]).toEqual([
          row.tablePath,
          found.map(({ name }) => name).sort(),
        ])
      }
    })
  })

  describe('facts', () => {
    // The triggers are for statements: they refuse before it is known whether there is a row to change.
    it.each(APPEND_ONLY)('of %s are neither changed nor taken away', async (table) => {
      const [{ column }] = await store.read<{ column: string }>(
        `select column_name as column from information_schema.columns where table_schema || '.' || table_name = $1 limit 1`,
        [table],
      )
      const refusal = new RegExp(`${table.replace('.', '\\.')} is append-only`)
      await expect(write(`update ${table} set ${column} = ${column}`)).rejects.toThrow(refusal)
      await expect(write(`delete from ${table}`)).rejects.toThrow(refusal)
      await expect(write(`truncate ${table} cascade`)).rejects.toThrow(/is append-only/)
    })

    it('are only added to by the role of the application, whatever triggers there are', async () => {
      const role = `application_${Math.random().toString(36).slice(2)}`
      await write(`create role ${role}`)
      const { facts } = await store.transaction((tx) => grantApplication(tx, role))
      expect(facts).toEqual(expect.arrayContaining(APPEND_ONLY))
      const asRole = (sql: string) =>
        store.transaction(async (tx) => {
          await tx.run(`set local role ${role}`)
          return tx.run(sql)
        })
      for (const table of facts) {
        await expect(asRole(`delete from ${table}`)).rejects.toThrow('permission denied')
        await expect(asRole(`truncate ${table}`)).rejects.toThrow('permission denied')
        await expect(asRole(`alter table ${table} disable trigger all`)).rejects.toThrow('must be owner')
        await asRole(`select 1 from ${table} limit 1`)
      }
      await expect(asRole('update money.posting set amount = 0')).rejects.toThrow('permission denied')
      await expect(asRole('update money.transfer set salt = salt')).rejects.toThrow('permission denied')
      expect(await asRole(`insert into money.chain (shard, length, hash) values (98, 0, 'x')`)).toBe(1)
      await expect(store.transaction((tx) => grantApplication(tx, 'nobody-at-all'))).rejects.toThrow(
        'no role nobody-at-all',
      )
      await write(`drop owned by ${role}`)
      await write(`drop role ${role}`)
    })

    it('of money sum to zero, or are refused', async () => {
      const post = (tx: Tx, id: string, amounts: readonly number[]) =>
        tx.run(
          `insert into money.posting (transfer, account, amount) select $1, 'side-' || place, amount from unnest($2::int8[]) with ordinality as p(amount, place)`,
          [id, amounts],
        )
      const transfer = (id: string, ...amounts: number[]) =>
        store.transaction(async (tx) => {
          await tx.run(
            `insert into money.transfer (id, kind, agency, payer, month, happened_at, transfer, salt, shard, index, recorded_at, previous, content, hash)
             values ($1, 'trip', $2, $3, '2026-10', 0, '{}', '', 99, $4, 0, '', '', '')`,
            [id, AGENCY, ACCOUNT, amounts.length * 10 + (amounts[0] ?? 0)],
          )
          await post(tx, id, amounts)
        })
      await expect(transfer('good', 5, -3, -2)).resolves.toBeUndefined()
      await expect(transfer('bad', 5, -4)).rejects.toThrow('transfer bad does not sum to zero')
      await expect(transfer('lone', 1)).rejects.toThrow('transfer lone does not sum to zero')
      expect(await store.read(`select id from money.transfer order by id`)).toEqual([{ id: 'good' }])
      // Nor can a transfer that was complete be added to, nor postings be of none.
      const more = (id: string, account: string) =>
        write(`insert into money.posting (transfer, account, amount) values ($1, $2, 1)`, [id, account])
      await expect(more('good', 'more')).rejects.toThrow('transfer good does not sum to zero')
      await expect(store.transaction((tx) => post(tx, 'none', [1, -1]))).rejects.toThrow('there is no transfer none')
      expect(await store.read(`select sum(amount) as sum, count(*) as n from money.posting`)).toEqual([
        { sum: '0', n: '3' },
      ])
    })

    it('of money are of accounts and vehicles that there are, and keep them', async () => {
      const entry = (payer: string) =>
        write(
          `insert into money.transfer (id, kind, agency, payer, month, happened_at, transfer, salt, shard, index, recorded_at, previous, content, hash)
           values ($1, 'trip', $2, $1, '2026-10', 0, '{}', '', 97, 0, 0, '', '', '')`,
          [payer, AGENCY],
        )
      const window = (vehicle: string) =>
        write(
          `insert into money.cap_window (policy, cap, vehicle, span, gross, credit) values ('p', 'daily', $1, '2026-10-01', 1, 0)`,
          [vehicle],
        )
      await expect(entry('nobody')).rejects.toThrow('there is no account nobody')
      await expect(window('no-car')).rejects.toThrow('there is no vehicle no-car')
      await write(`insert into metering.account (id, agency, name) values ('kept', $1, 'Kept')`, [AGENCY])
      await write(
        `insert into metering.vehicle (id, account, name, vehicle_class) values ('kept-car', $1, 'car', 'car')`,
        [ACCOUNT],
      )
      await entry('kept')
      await window('kept-car')
      await expect(write(`delete from metering.account where id = 'kept'`)).rejects.toThrow(
        'account kept is in the books',
      )
      await expect(write(`delete from metering.vehicle where id = 'kept-car'`)).rejects.toThrow(
        'vehicle kept-car is in',
      )
    })

    it('count once: charged or free, and priced only where there is a rate', async () => {
      const charge = (rate: string, free: string, amount: number) =>
        write(
          `insert into money.charge (trip, line, policy, rule, road_class, zones, day, distance_mm, inferred_mm, fixes, rate, rate_per, free_reason, amount)
           values ('none', 0, 'p', 'r', 'primary', '{}', '2026-10-01', 1, 0, 1, ${rate}, ${rate === 'null' ? 'null' : "'km'"}, ${free}, ${amount})`,
        )
      await expect(charge('10', `'a reason'`, 1)).rejects.toThrow(/check constraint/)
      await expect(charge('null', 'null', 0)).rejects.toThrow(/check constraint/)
      await expect(charge('null', `'a reason'`, 1)).rejects.toThrow(/check constraint/)
    })
  })

  describe('a statement', () => {
    it('changes as a draft, and never once it is sealed', async () => {
      const first = {
        id: STATEMENT,
        account: ACCOUNT,
        document: '{}',
        digest: 'd' as Digest,
        due: micros(1n),
        exact: micros(1n),
        holds: [],
      }
      const period = { agency: AGENCY, month: '2026-10' } as Period
      const draft = (file: typeof first) => store.transaction((tx) => saveDrafts(tx, period, [file], instant(0)))
      await draft(first)
      expect(await write(`update money.statement set due = 2 where id = $1`, [STATEMENT])).toBe(1)
      const seal = () => store.transaction((tx) => sealStatements(tx, [STATEMENT], 0))
      expect(await seal()).toBe(1)
      await expect(write(`update money.statement set due = 3 where id = $1`, [STATEMENT])).rejects.toThrow('is sealed')
      await expect(write(`update money.statement set state = 'draft' where id = $1`, [STATEMENT])).rejects.toThrow(
        'is sealed',
      )
      await expect(write(`delete from money.statement where id = $1`, [STATEMENT])).rejects.toThrow('is sealed')
      await expect(write(`truncate money.statement cascade`)).rejects.toThrow('append-only')
      // Sealing twice finds nothing to do, and the month has one statement for an account.
      expect(await seal()).toBe(0)
      await draft({ ...first, id: 'another' as StatementId, due: micros(9n) })
      expect(await store.read(`select id, due, leaf from money.statement`)).toEqual([
        { id: STATEMENT, due: '2', leaf: 0 },
      ])
    })
  })

  it('counts each batch of a stream once', async () => {
    await write(`insert into metering.vehicle (id, account, name, vehicle_class) values ('v', $1, 'v', 'car')`, [
      ACCOUNT,
    ])
    await write(`insert into metering.device (id, vehicle, token_digest) values ('schema-device', 'v', '')`)
    await expect(
      write(`insert into metering.stream (device, boot, received, accepted) values ('schema-device', 0, 2, 1)`),
    ).rejects.toThrow('one_fate')
  })

  it('is what the migrations make', async () => {
    expect(await store.dataSource.showMigrations()).toBe(false)
  })
}
