import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common'
import { LOG, Metrics, SETTINGS_OF_PROCESS, type Log, type Settings } from '#runtime'
import { BELL, localBell, type Bell } from './bell'
import { redisBell } from './redis-bell'

/** The bell that the settings ask for. Doors are opened by the process that has the handler. */
@Module({
  providers: [
    {
      provide: BELL,
      inject: [SETTINGS_OF_PROCESS, LOG, Metrics],
      useFactory: (settings: Settings, log: Log, metrics: Metrics): Bell =>
        settings.redisUrl ? redisBell(settings.redisUrl, log, metrics) : localBell(log, metrics),
    },
  ],
  exports: [BELL],
})
export class MessagingModule implements OnApplicationShutdown {
  constructor(@Inject(BELL) private readonly bell: Bell) {}

  onApplicationShutdown(): Promise<void> {
    return this.bell.close()
  }
}
