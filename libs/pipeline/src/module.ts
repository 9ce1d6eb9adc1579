export { EngineModule } from './engine.module'
export { IngestModule } from './ingest.module'
export { PipelineModule } from './pipeline.module'
