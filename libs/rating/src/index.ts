export { capCredit, windowsOf, type WindowGross } from './caps'
export { compareAccount, type ComparedTrip } from './compare-account'
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
export { compilePolicy, tariffAt, type CompiledPolicy, type CompiledRule } from './compile'
export { explainCharge } from './explain'
export { MILEAGE_FREE, priceMileage, VOIDED, voided } from './mileage'
export { NO_POLICY, rate } from './rate'
