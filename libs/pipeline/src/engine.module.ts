import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common'
import { BELL, type Bell } from '#messaging'
import { Readiness } from '#runtime/module'
import { Engine } from './engine'
import { PipelineModule } from './pipeline.module'
import { Watch } from './watch'

/** A worker of the line: answers the bell and sweeps for as long as the process lives. */
@Module({ imports: [PipelineModule] })
export class EngineModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(
    @Inject(Engine) private readonly engine: Engine,
    @Inject(Watch) private readonly watch: Watch,
    @Inject(BELL) private readonly bell: Bell,
    @Inject(Readiness) private readonly readiness: Readiness,
  ) {}

  onApplicationBootstrap(): Promise<void> {
    // Nothing reaches a worker without the bell. Whoever only rings goes on without it: a lost ring costs time.
    this.readiness.add('bell', () => this.bell.answers())
    this.watch.start()
    return this.engine.start()
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.watch.stop(), this.engine.stop()])
  }
}
