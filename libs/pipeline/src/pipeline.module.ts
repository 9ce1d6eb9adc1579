import { Module } from '@nestjs/common'
import { BELL, type Bell } from '#messaging'
import { MessagingModule } from '#messaging/module'
import {
  CLOCK,
  LOG,
  Metrics,
  openOperatorKey,
  SETTINGS_OF_PROCESS,
  type Clock,
  type Log,
  type Settings,
} from '#runtime'
import { saveOperatorKey, Store } from '#store'
import { Accept } from './accept'
import { Engine } from './engine'
import { LINE, type Line } from './line'
import { NEWS, newsHandler } from './news'
import { Reference } from './reference'
import { Watch } from './watch'

/** The line as parts that a process takes: `Accept` for those who take batches in, `Engine` for workers, `LINE` for checks. */
@Module({
  imports: [MessagingModule],
  providers: [
    {
      provide: Accept,
      inject: [Store, BELL, CLOCK, SETTINGS_OF_PROCESS, Metrics, LOG],
      useFactory: async (
        store: Store,
        bell: Bell,
        clock: Clock,
        settings: Settings,
        metrics: Metrics,
        log: Log,
      ): Promise<Accept> => {
        const key = openOperatorKey(settings)
        // Published before the first receipt goes out under it.
        await store.transaction((tx) => saveOperatorKey(tx, key.publicKey, clock.now()))
        return new Accept(store, bell, clock, settings, metrics, log, key)
      },
    },
    {
      provide: NEWS,
      inject: [Accept, Store, CLOCK, Metrics, LOG],
      useFactory: newsHandler,
    },
    {
      provide: LINE,
      inject: [CLOCK, SETTINGS_OF_PROCESS, Metrics],
      useFactory: (clock: Clock, settings: Settings, metrics: Metrics): Line => ({
        clock,
        settings,
        reference: new Reference(),
        onForgone: (currency, amount) => metrics.forgone.inc({ currency }, Number(amount)),
      }),
    },
    {
      provide: Engine,
      inject: [Store, BELL, LINE, SETTINGS_OF_PROCESS, Metrics, LOG],
      useFactory: (store: Store, bell: Bell, line: Line, settings: Settings, metrics: Metrics, log: Log) =>
        new Engine(store, bell, line, settings, metrics, log),
    },
    {
      provide: Watch,
      inject: [Store, LINE, SETTINGS_OF_PROCESS, Metrics, LOG],
      useFactory: (store: Store, line: Line, settings: Settings, metrics: Metrics, log: Log) =>
        new Watch(store, line, settings, metrics, log),
    },
  ],
  exports: [Accept, NEWS, Engine, Watch, LINE, MessagingModule],
})
export class PipelineModule {}
