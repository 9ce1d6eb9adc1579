import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { EngineModule, IngestModule } from '#pipeline/module'
import { readSettings, type ToldClock } from '#runtime'
import { RuntimeModule } from '#runtime/module'
import { Store } from '#store'
import { StoreModule } from '#store/module'

/** The whole line in this process, on a clock that is told the time. */
export interface RunningLine {
  readonly store: Store
  readonly clock: ToldClock
  readonly mqttUrl: string
  /** May be called twice. */
  close(): Promise<void>
}

/** Opens ingest, engine and an embedded database in `folder`, with a broker on any free port of this machine. */
export async function openLine(folder: string, clock: ToldClock): Promise<RunningLine> {
  const settings = readSettings({
    ROADMETER_DATA: folder,
    ROADMETER_MQTT_PORT: '0',
    ROADMETER_SWEEP_MS: '100',
    // A month goes by in seconds: what its clock makes due has not had its hour yet.
    ROADMETER_RECONCILE_MS: '0',
    ROADMETER_LOG: 'warn',
  })
  @Module({
    imports: [
      RuntimeModule.with('replay', settings, clock),
      StoreModule.open({ migrate: true }),
      IngestModule,
      EngineModule,
    ],
  })
  class ReplayProcess {}
  // The framework's own log would say every InputError once more before it is thrown.
  const app = await NestFactory.createApplicationContext(ReplayProcess, { logger: false, abortOnError: false })
  let closed: Promise<void> | null = null
  return {
    store: app.get(Store),
    clock,
    mqttUrl: app.get(IngestModule).url,
    close: () => (closed ??= app.close()),
  }
}
