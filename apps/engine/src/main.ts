import { Module } from '@nestjs/common'
import { EngineModule } from '#pipeline'
import { run, RuntimeModule, serveHealth, settingsOfProcess, systemClock } from '#runtime'
import { StoreModule } from '#store'

run(async () => {
  const settings = settingsOfProcess()
  @Module({
    imports: [RuntimeModule.with('engine', settings, systemClock), StoreModule.open({ migrate: false }), EngineModule],
  })
  class Process {}
  await serveHealth(Process, settings, 'engine')
})
