export { Accept } from './accept'
export { releaseStatement, requestClose, reviewEnd } from './close'
export { Engine } from './engine'
export { EngineModule } from './engine.module'
export { explainTrip, type ExplainedTrip } from './explain'
export { IngestModule } from './ingest.module'
export { LINE, PipelineModule } from './pipeline.module'
export {
  approvePolicy,
  draftPolicy,
  policyStories,
  policyStory,
  recordFinding,
  returnPolicy,
  rollBack,
  schedulePolicy,
  shadowPolicy,
  submitPolicy,
  type Acting,
  type PolicyStory,
} from './policy-office'
export { proofOf } from './proof'
export { reconcile, type Finding } from './reconcile'
export { type Line, type Stage } from './line'
export { Reference } from './reference'
export { STAGES, type StageName } from './stages'
