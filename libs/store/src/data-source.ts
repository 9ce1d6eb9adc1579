import { DataSource, type DataSourceOptions } from 'typeorm'
import { InputError, invariant } from '#kernel'
import { type Settings } from '#runtime'
import { embeddedDriver, openEmbedded } from './embedded'
import { isolate } from './isolation'
import { MIGRATIONS } from './migrations'
import { ROWS } from './rows'
import { Store } from './store'

type DatabaseSettings = Pick<Settings, 'databaseUrl' | 'databaseConnections' | 'dataDir'>

/** How to reach the database that the settings name: a PostgreSQL server, or an embedded one that this opens. */
export async function dataSourceOptions(settings: DatabaseSettings): Promise<DataSourceOptions> {
  const options = {
    type: 'postgres',
    entities: ROWS,
    migrations: MIGRATIONS,
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'each',
    synchronize: false,
    installExtensions: false,
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
  } as const satisfies Partial<DataSourceOptions>
  if (!settings.databaseUrl)
    return { ...options, driver: embeddedDriver(await openEmbedded(settings.dataDir), settings.dataDir) }
  return {
    ...options,
    url: settings.databaseUrl,
    poolSize: settings.databaseConnections,
    connectTimeoutMS: 5_000,
    applicationName: 'roadmeter',
    extra: {
      // Compiling a plan takes half a second where the server expects it to be dear; ours are short and many.
      options: '-c jit=off',
      statement_timeout: 60_000,
      query_timeout: 65_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  }
}

/** Opens the database; with `migrate` brings its schema up to date, else refuses one that isn't. */
export async function openDataSource(options: DataSourceOptions, migrate: boolean): Promise<DataSource> {
  invariant(options.synchronize === false, 'the schema is written by migrations only')
  const source = new DataSource(options)
  try {
    await source.initialize()
  } catch (error) {
    throw new InputError('DATABASE', `no database answers at ${place(options)}: ${(error as Error).message}`)
  }
  if (migrate) {
    await source.runMigrations()
    // Not a migration: it follows what ISOLATION says of the tables that there are.
    await new Store(source).transaction((tx) => isolate(tx))
  }
  if (!migrate && (await source.showMigrations())) {
    await source.destroy()
    throw new InputError('DATABASE_OLD', `the schema at ${place(options)} is not up to date: run roadmeter migrate`)
  }
  return source
}

/** Where a database is, without its password. */
function place(options: DataSourceOptions): string {
  const url = 'url' in options && typeof options.url === 'string' ? new URL(options.url) : null
  return url ? `${url.hostname}:${url.port || 5432}${url.pathname}` : 'the embedded database'
}
