import { Module } from '@nestjs/common'
import { openLog, run, RuntimeModule, settingsOfProcess, systemClock } from '#runtime'
import { StoreModule } from '#store'
import { ApiModule } from './api.module'
import { serve } from './http'

run(async () => {
  const settings = settingsOfProcess()
  @Module({
    imports: [RuntimeModule.with('api', settings, systemClock), StoreModule.open({ migrate: false }), ApiModule],
  })
  class ApiProcess {}
  const { app } = await serve(ApiProcess, settings, openLog(settings, 'api'))
  app.enableShutdownHooks()
})
