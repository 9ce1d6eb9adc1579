export { CHARGE_TABLE, writeCharges } from './charge-export'
export { countMonth } from './counting'
export { coverageOfNetwork } from './coverage'
export { auditLedger, readHeads, type LedgerReport, type Read } from './audit'
export {
  backtestStandings,
  backtestWork,
  requestBacktest,
  runBacktest,
  type BacktestReport,
  type BacktestStanding,
} from './backtest'
export { Accept } from './accept'
export { releaseStatement, requestClose, reviewEnd } from './close'
export {
  addEvidence,
  addNote,
  decideDispute,
  fileOf,
  openDispute,
  withdrawDispute,
  type DisputeFile,
  type Party,
} from './disputes'
export { Engine } from './engine'
export { agreeToLook, askToLook, lookAtTrip, type Looking } from './break-glass'
export { destroyDue } from './destroy'
export { forgetting } from './forgetting'
export { OWN_FORMS, ownData, type OwnForm } from './own-data'
export {
  columnsOf,
  exportFile,
  formatNamed,
  packageOf,
  releaseFor,
  requestExport,
  requireClosed,
  writeRelease,
} from './exports'
export { explainTrip, type ExplainedTrip } from './explain'
export { quoteTrip, roadsOfMonth, viewTrip } from './journey'
export { lineOf } from './pieces'
export { giveBudgets, payOutBudgets, type Endowed } from './endowment'
export { RunningTrips } from './running'
export {
  askAhead,
  askBack,
  askForStatement,
  currencyOf,
  positionOf,
  recordAtDesk,
  recordPayment,
  type OpenBill,
  type Position,
} from './payments'
export { NEWS } from './news'
export {
  approvePolicy,
  checkDraft,
  draftPolicy,
  mdsFeed,
  policyBefore,
  policyFeed,
  policyNamed,
  policyStories,
  policyStory,
  returnPolicy,
  rollBack,
  schedulePolicy,
  shadowPolicy,
  submitPolicy,
  type Acting,
  type CheckReport,
  type FeedEntry,
  type PolicyFeed,
  type PolicyStory,
} from './policy-office'
export { previewPolicy, type PolicyPreview } from './policy-preview'
export { COMPARED_BY, pilotResults, type ComparedBy, type PilotResults } from './pilot-results'
export { bundleOf, proofOf } from './proof'
export { type Finding } from './finding'
export { reconcile } from './reconcile'
export { LINE, type Line, type Stage } from './line'
export { replayQuarantined } from './replay'
export { Reference } from './reference'
export { shadowReport } from './shadow'
export { exportWork, tally, tallyWork, TRIP_TABLES } from './tally'
export { answerSurvey, openSurvey, openSurveys, releaseSurvey } from './survey-office'
export { STAGES, type StageName } from './stages'
export { Watch } from './watch'
export {
  chooseMethod,
  decideReview,
  distanceOf,
  enterReading,
  handOverVehicle,
  mileageOf,
  owned,
  replaceOdometer,
  type Asker,
} from './mileage-office'
