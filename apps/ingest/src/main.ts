import { Module } from '@nestjs/common'
import { IngestModule } from '#pipeline/module'
import { run, settingsOfProcess, systemClock } from '#runtime'
import { RuntimeModule, serveHealth } from '#runtime/module'
import { StoreModule } from '#store/module'

run(async () => {
  const settings = settingsOfProcess()
  @Module({
    imports: [RuntimeModule.with('ingest', settings, systemClock), StoreModule.open({ migrate: false }), IngestModule],
  })
  class Process {}
  await serveHealth(Process, settings, 'ingest')
})
