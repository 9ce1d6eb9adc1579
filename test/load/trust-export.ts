import { fork } from 'node:child_process'
import { once } from 'node:events'
import { promises as fs } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeTable } from '#exports'
import { InputError, instant, invariant, type AgencyId } from '#kernel'
import { CHARGE_TABLE, writeCharges } from '#pipeline'
import { parsePolicy } from '#policy'
import { KeyRing, readSettings } from '#runtime'
import { chargesOf, dataSourceOptions, filePolicy, openDataSource, saveAgency, Store, Vault } from '#store'
import { perSecond, type Bench } from '../bench'
import { copyTemplate, newDatabase, newFolder } from '../databases'
import { FLAGS_OF_PROCESSES } from '../services/processes'
import { BOOKS_TARIFF, drivenMonth, inBulk } from './books'
import { type ExportOrder, type ExportResult } from './export-alone'

const AGENCY = 'bench-city' as AgencyId
const MONTH = '2026-10'
const [TRIPS, LINES] = [4, 5]
const PER_ACCOUNT = TRIPS * LINES
/** What the naive way is measured on: enough to be steady. */
const ROWS_NAIVE = 100_000
const ROOT = join(__dirname, '../..')
const BENCH = join(ROOT, 'infra/bench.cjs')

/**
 * The books of a month to Parquet: from the database through the product to a file. On the server of DATABASE_URL, or, much smaller, on an
 * embedded database; `--lines 10000000` is the bar's own size. Beside it the obvious way: rows as objects, turned into columns.
 *
 * All that the export reads is as in a city: `money.period_trip` and `money.charge` with their keys, ids of trips that are digests, so that the
 * lines of trips lie anywhere in the table. Nothing that it reads is sealed or chained. The database itself makes them (two minutes for ten
 * million), no vehicle drove them: there are no fixes, roads, transfers or statements beside them.
 */
export async function exporting(b: Bench): Promise<void> {
  if (!b.wants('export_lines_per_s', 'export_rows_lines_per_s', 'export_columns_to_rows', 'export_rss_mb')) return
  const { values } = parseArgs({ strict: false, options: { lines: { type: 'string' } } })
  const server = process.env.DATABASE_URL
  const lines = Number(values['lines'] ?? (b.quick ? 2_000 : server ? 10_000_000 : 100_000))
  if (!Number.isSafeInteger(lines) || lines < PER_ACCOUNT)
    throw new InputError(
      'ARGUMENT',
      `--lines: expected a whole number from ${PER_ACCOUNT}, found ${String(values['lines'])}`,
    )
  const folder = newFolder()
  if (!server) await copyTemplate(folder)
  const database = server && !b.quick ? await newDatabase(server) : null
  const environment = {
    ROADMETER_DATA: folder,
    ROADMETER_LOG: 'error',
    ...(database && { DATABASE_URL: database.url }),
  }
  const settings = readSettings(environment)
  const source = await openDataSource(await dataSourceOptions(settings), true)
  b.atEnd(async () => {
    await source.destroy()
    await database?.drop()
    await fs.rm(folder, { recursive: true, force: true })
  })
  const store = new Store(source, new Vault(new KeyRing(settings)))
  const accounts = Math.ceil(lines / PER_ACCOUNT)
  await store.transaction(async (tx) => {
    await saveAgency(tx, { id: AGENCY, name: 'Bench City' })
    await filePolicy(tx, AGENCY, parsePolicy(BOOKS_TARIFF), instant(0))
  })
  const fill = () => drivenMonth(store, { agency: AGENCY, accounts, trips: TRIPS, lines: LINES, isClosed: true })
  await (database ? inBulk(database.url, fill) : fill())
  await store.read(`insert into money.period (agency, month, state) values ($1, $2, 'sealed')`, [AGENCY, MONTH])
  const [{ sum }] = await store.read<{ sum: string }>('select sum(amount)::text as sum from money.charge')

  let peakMb = 0
  const all = accounts * PER_ACCOUNT
  b.measure(
    'export_lines_per_s',
    'lines/s',
    async () => {
      const file = join(folder, 'charges.parquet')
      if (!database) {
        const out = await fs.open(file, 'w')
        const put = async (bytes: Uint8Array) => void (await out.write(bytes))
        try {
          return await perSecond(all, async () => {
            const { rows, amountMicros } = await writeCharges(store, AGENCY, MONTH, 'parquet', put)
            invariant(rows === all && String(amountMicros) === sum, 'the export is not the books')
            peakMb = Math.max(peakMb, process.memoryUsage.rss() / 2 ** 20)
          })
        } finally {
          await out.close()
        }
      }
      const alone = fork(BENCH, ['test/load/export-alone.ts'], { cwd: ROOT, execArgv: FLAGS_OF_PROCESSES })
      alone.send({ agency: AGENCY, month: MONTH, file, environment } satisfies ExportOrder)
      const [result] = (await once(alone, 'message')) as [ExportResult]
      invariant(result.rows === all && result.amountMicros === sum, 'the export is not the books')
      peakMb = Math.max(peakMb, result.peakMb)
      return (1000 * all) / result.ms
    },
    ['>=', 10_000_000 / 60],
  )
  b.measure('export_rows_lines_per_s', 'lines/s', () => naive(store, Math.min(all, ROWS_NAIVE)))
  b.ratio('export_columns_to_rows', 'export_lines_per_s', 'export_rows_lines_per_s', ['>=', 1])
  // Embedded, it is the database's and the bench's memory as well.
  b.fact('export_rss_mb', 'MiB', () => peakMb, database ? ['<', 512] : undefined)
}

/** Charges as the program has them everywhere else, a row an object, put into columns by hand. */
async function naive(store: Store, rows: number): Promise<number> {
  const trips = (
    await store.read<{ trip: string }>(
      `select trip from money.period_trip order by trip limit ${Math.ceil(rows / LINES)}`,
    )
  ).map(({ trip }) => trip)
  return perSecond(trips.length * LINES, async () => {
    async function* pages() {
      for (let from = 0; from < trips.length; from += 5_000) {
        const some = trips.slice(from, from + 5_000) as Parameters<typeof chargesOf>[1][number][]
        const charges = [...(await store.transaction((tx) => chargesOf(tx, some))).values()].flat()
        yield [
          charges.map(({ day }) => day),
          charges.map(({ policy }) => policy),
          charges.map(({ rule }) => rule),
          charges.map(({ roadClass }) => roadClass),
          charges.map(({ zones }) => zones.join('+')),
          charges.map(({ rate }) => rate && rate.micros),
          charges.map(({ rate }) => rate && rate.per),
          charges.map(({ freeReason }) => freeReason),
          charges.map(({ distanceMm }) => BigInt(distanceMm)),
          charges.map(({ inferredMm }) => BigInt(inferredMm)),
          charges.map(({ amount }) => amount),
        ]
      }
    }
    await writeTable(CHARGE_TABLE, pages(), 'parquet', () => undefined)
  })
}
