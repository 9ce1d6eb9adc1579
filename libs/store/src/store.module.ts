import { type DynamicModule, Global, Module } from '@nestjs/common'
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { type Settings, SETTINGS_OF_PROCESS, wrappingKeysOf } from '#runtime'
import { Readiness } from '#runtime/module'
import { dataSourceOptions, openDataSource } from './data-source'
import { ROWS } from './rows'
import { sealOlder } from './seal-older'
import { Store } from './store'
import { Vault } from './vault'

/** The database of this process. `migrate`: bring its schema up to date at the start (the pilot), or refuse an old one. */
@Global()
@Module({})
export class StoreModule {
  static open(options: { migrate: boolean }): DynamicModule {
    return {
      module: StoreModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [SETTINGS_OF_PROCESS],
          useFactory: async (settings: Settings) => ({ ...(await dataSourceOptions(settings)), retryAttempts: 0 }),
          dataSourceFactory: (given) => openDataSource(given as DataSourceOptions, options.migrate),
        }),
        TypeOrmModule.forFeature(ROWS),
      ],
      providers: [
        {
          provide: Store,
          inject: [getDataSourceToken(), Readiness, SETTINGS_OF_PROCESS],
          useFactory: async (source: DataSource, readiness: Readiness, settings: Settings) => {
            const store = new Store(source, new Vault(wrappingKeysOf(settings)))
            // A process with the wrong key must not take anything in: nobody else could read it.
            await store.transaction((tx) => tx.vault.ready(tx))
            if (options.migrate) await sealOlder(store)
            readiness.add('database', () => store.read('select 1'))
            return store
          },
        },
      ],
      exports: [Store, TypeOrmModule],
    }
  }
}
