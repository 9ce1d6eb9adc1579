export { weekIntervals } from './bands'
export { dayText, isTimeZone, localClock, MINUTES_PER_WEEK, type LocalClock } from './clock'
export { describePolicy, describeRule } from './describe'
export { policyDigest, policyInForce, validityOf } from './in-force'
export {
  currentSteps,
  draftState,
  filingFaults,
  publishedState,
  rollbackOf,
  stepRefusal,
  STEPS,
  takeovers,
  termsDigest,
  type Filing,
  type FilingFault,
  type Life,
  type PolicyState,
  type Revision,
  type Step,
  type StepName,
  type Takeover,
} from './life'
export { parsePolicy } from './parse'
export { amountOf, rateOf } from './rules'
export { ZONE_VERTICES_MAX } from './zones'
