import { Module } from '@nestjs/common'
import { IngestModule } from '#pipeline'
import { run, RuntimeModule, serveHealth, settingsOfProcess, systemClock } from '#runtime'
import { StoreModule } from '#store'

run(async () => {
  const settings = settingsOfProcess()
  @Module({
    imports: [RuntimeModule.with('ingest', settings, systemClock), StoreModule.open({ migrate: false }), IngestModule],
  })
  class Process {}
  await serveHealth(Process, settings, 'ingest')
})
