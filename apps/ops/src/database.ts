import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { InputError } from '#kernel'
import { settingsOfProcess, type Settings, wrappingKeysOf } from '#runtime'
import { dataSourceOptions, openDataSource, Store, Vault } from '#store'
import { beforeLeaving } from './leaving'

/**
 * Opens the database that the settings name, hands it to `work` and closes it. Without `migrate` one that isn't there is
 * refused and not made: a mistyped folder must not become an empty database.
 */
export async function withDatabase<T>(
  work: (store: Store, settings: Settings) => Promise<T>,
  { migrate } = { migrate: false },
): Promise<T> {
  const settings = settingsOfProcess()
  if (!migrate && !settings.databaseUrl && !existsSync(join(settings.dataDir, 'db')))
    throw new InputError(
      'NO_DATABASE',
      `there is no database in ${settings.dataDir}: run roadmeter migrate to make one, or name yours in ROADMETER_DATA or DATABASE_URL`,
    )
  const source = await openDataSource(await dataSourceOptions(settings), migrate)
  const stay = beforeLeaving(() => source.destroy())
  try {
    return await work(new Store(source, new Vault(wrappingKeysOf(settings))), settings)
  } finally {
    stay()
    if (source.isInitialized) await source.destroy()
  }
}
