import { type DynamicModule, Global, Module } from '@nestjs/common'
import { CLOCK, type Clock } from './clock'
import { HealthModule } from './health.module'
import { LOG, openLog } from './log'
import { Metrics } from './metrics'
import { SETTINGS_OF_PROCESS, type Settings } from './settings'

/** What every room of a process shares: its settings, clock, log and metrics. */
@Global()
@Module({})
export class RuntimeModule {
  static with(process: string, settings: Settings, clock: Clock): DynamicModule {
    return {
      module: RuntimeModule,
      imports: [HealthModule],
      providers: [
        { provide: SETTINGS_OF_PROCESS, useValue: settings },
        { provide: CLOCK, useValue: clock },
        { provide: LOG, useFactory: () => openLog(settings, process) },
        Metrics,
      ],
      exports: [SETTINGS_OF_PROCESS, CLOCK, LOG, Metrics, HealthModule],
    }
  }
}
