import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common'
import { BELL, type Bell } from '#messaging'
import { Readiness } from '#runtime/module'
import { Engine } from './engine'
import { PipelineModule } from './pipeline.module'

/** A worker of the line: answers the bell and sweeps for as long as the process lives. */
@Module({ imports: [PipelineModule] })
export class EngineModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(Engine) private readonly engine: Engine,
    @Inject(BELL) private readonly bell: Bell,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  onApplicationBootstrap(): Promise<void> {
    // Nothing reaches a worker without the bell. Whoever only rings goes on without it: a lost ring costs time.
    this.readiness.add('bell', () => this.bell.answers())
    return this.engine.start()
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.engine.stop()
  }
}
