import { Module } from '@nestjs/common'
import { EngineModule } from '#pipeline/module'
import { run, settingsOfProcess, systemClock } from '#runtime'
import { RuntimeModule, serveHealth } from '#runtime/module'
import { StoreModule } from '#store/module'

run(async () => {
  const settings = settingsOfProcess()
  @Module({
    imports: [RuntimeModule.with('engine', settings, systemClock), StoreModule.open({ migrate: false }), EngineModule],
  })
  class Process {}
  await serveHealth(Process, settings, 'engine')
})
