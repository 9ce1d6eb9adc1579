import { Module } from '@nestjs/common'
import { InputError } from '#kernel'
import { Metrics, openLog, run, settingsOfProcess, systemClock } from '#runtime'
import { RuntimeModule, serveMetrics } from '#runtime/module'
import { StoreModule } from '#store/module'
import { ApiModule } from './api.module'
import { serve } from './http'
import { DEMO_ISSUER } from './identity/provider'

run(async () => {
  const settings = settingsOfProcess()
  if (settings.oidcIssuer === DEMO_ISSUER)
    throw new InputError('OIDC_DEMO', 'ROADMETER_OIDC_ISSUER=demo lets anybody be anybody: it is for npm start alone')
  @Module({
    imports: [RuntimeModule.with('api', settings, systemClock), StoreModule.open({ migrate: false }), ApiModule],
  })
  class ApiProcess {}
  const { app } = await serve(ApiProcess, settings, openLog(settings, 'api'))
  const metrics = await serveMetrics(app.get(Metrics), settings)
  metrics.unref()
  app.enableShutdownHooks()
})
