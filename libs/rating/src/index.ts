export { compareAccount, type ComparedTrip, type RoadCost } from './compare-account'
export {
  addAccount,
  addSums,
  CELL_MIN,
  comparisonOf,
  noComparison,
  type ComparedAccount,
  type Comparison,
  type ComparisonSums,
} from './comparison'
export {
  accrue,
  creditOf,
  EMPTY_WINDOW,
  windowKey,
  netOf,
  windowsOf,
  type AccruedTrip,
  type PricedLine,
  type WindowChange,
  type Windows,
  type WindowState,
} from './accruals'
export { correctedCharges, correctedVehicle, NOT_DRIVEN, undone } from './correct'
export { compilePolicy, tariffAt, type CompiledPolicy, type CompiledRule } from './compile'
export { coverageOf, type Coverage, type Place } from './coverage'
export { explainCharge } from './explain'
export { accruedMileage, MILEAGE_FREE, priceMileage, VOIDED, voided } from './mileage'
export { chargedFor, NO_POLICY, rate, Rater } from './rate'
export { priceStretches, type StretchPrice } from './stretches'
export { earningsOf, inParts, jurisdictionOf, type Earned } from './revenue'
