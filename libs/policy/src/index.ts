export { checkPolicy, type PolicyCheck, type Question } from './check'
export { accrualsOf, fuelTaxShare, isFor, type Accrual, type AccrualTerms } from './accruals'
export { armOf, type Pilot } from './arms'
export { bandIntervals, DAY_KINDS, dayKinds } from './bands'
export { dayNumberOf, dayText, isTimeZone, localClock, MINUTES_PER_WEEK, type LocalClock } from './clock'
export { describeAccrual, describeHours, describePolicy, describeRule, describeWhom } from './describe'
export {
  describeDiff,
  diffPolicies,
  type PolicyDiff,
  type PriceChange,
  type WordChange,
  type ZoneFeature,
} from './diff'
export { faultIn } from './fault-words'
export { policyDigest, policyInForce, policySpans, validityOf } from './in-force'
export {
  currentSteps,
  draftState,
  filingFaults,
  publishedState,
  rollbackOf,
  stepRefusal,
  STEPS,
  termsDigest,
  type Filing,
  type FilingFault,
  type Life,
  type PolicyState,
  type Revision,
  type Step,
  type StepName,
} from './life'
export { fromMds, MDS_VERSION, toMds, uuidOf, type MdsForm } from './mds'
export { parsePolicy, readPolicy, type Reading } from './parse'
export { amountOf, isEvent, rateOf, rateOfRule } from './rules'
export { cuttingZones, repairedZone, ZONE_VERTICES_MAX } from './zones'
export { LANGUAGES, type Language } from './words'
