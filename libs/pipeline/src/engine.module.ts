import { type BeforeApplicationShutdown, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common'
import { Engine } from './engine'
import { PipelineModule } from './pipeline.module'

/** A worker of the line: answers the bell and sweeps for as long as the process lives. */
@Module({ imports: [PipelineModule] })
export class EngineModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(Engine) private readonly engine: Engine) {}

  onApplicationBootstrap(): Promise<void> {
    return this.engine.start()
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.engine.stop()
  }
}
